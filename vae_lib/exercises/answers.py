"""What kind of thing an answer is: whose code it runs, what it is called, whether it is a stub."""

from __future__ import annotations

import functools
import inspect
import traceback
import types
from collections.abc import Sequence
from types import CodeType
from typing import Any

from torch import nn

from vae_lib.exercises.values import is_a, name_of, shown

_MOST_WRAPPERS = 20
_PASS = (lambda: None).__code__.co_code


def code_of(answer: object) -> CodeType | None:
    """The code that the learner wrote, inside decorators, partials, methods, modules, compilation.

    Read where Python and torch keep it, without asking the answer: attributes of instances of
    unknown classes may be anything.
    """
    for _ in range(_MOST_WRAPPERS):
        kind = type(answer)
        if kind is types.FunctionType:
            wrapped = answer.__dict__.get("__wrapped__")
            if wrapped is None:
                return answer.__code__
            answer = wrapped
        elif kind is functools.partial:
            answer = answer.func
        elif kind is types.MethodType:
            answer = answer.__func__
        elif kind is functools._lru_cache_wrapper:
            answer = answer.__wrapped__
        else:
            answer = _method(answer, kind)
    return None


def _method(answer: object, kind: type) -> object:
    """The function that runs when an object of a class is called."""
    name = "forward" if is_a(kind, nn.Module) else "__call__"
    original = object.__getattribute__(answer, "__dict__") if is_a(kind, nn.Module) else {}
    if "_orig_mod" in original.get("_modules", {}):  # torch.compile's
        return original["_modules"]["_orig_mod"]
    for base in type.__dict__["__mro__"].__get__(kind):
        found = type.__dict__["__dict__"].__get__(base).get(name)
        if found is not None:
            return found
    return None


def name_in_words(answer: object) -> str:
    """What to call the answer in an example: its name if it is a function, my_function if not."""
    if type(answer) in (types.FunctionType, types.BuiltinFunctionType):
        return shown(answer.__name__, 40)
    return "my_function"


def calling_problem(answer: object, wanted: Sequence[str], exercise: str) -> str | None:
    """Why the answer cannot be called with the arguments `wanted`, in words; None if it can.

    Asks the answer for its signature, so it belongs inside the guard.
    """
    try:
        signature = inspect.signature(answer)
    except Exception:
        return None  # some built-in functions have none: calling them will tell
    try:
        signature.bind(*wanted)
    except TypeError:
        if is_a(type(answer), type):
            name = name_of(answer)
            return f'{name} is a class: give an object of it, check("{exercise}", {name}()).'
        name = name_in_words(answer)
        return (
            f"Keep the arguments as they were: {name}({', '.join(wanted)}), not "
            f"{name}{shown(str(signature))}."
        )
    return None


def describe_error(error: BaseException, answer: object) -> str:
    """The error in one line, with its place in the learner's cell.

    Asks the error for its text, so it belongs inside the guard.
    """
    name, code = name_of(type(error)), code_of(answer)
    file = None if code is None else code.co_filename
    frames = traceback.walk_tb(BaseException.__dict__["__traceback__"].__get__(error))
    lines = [line for frame, line in frames if frame.f_code.co_filename == file]
    place = f" in line {lines[-1]} of the cell" if lines else ""
    text = shown(str(error))
    return f"Your function raises an error{place}: {name}{': ' if text else ''}{text}"


def is_stub_output(output: object) -> bool:
    """Whether a plain output is what an untouched stub returns."""
    parts = output if isinstance(output, tuple) and output else (output,)
    return all(part is ... for part in parts)


def is_unwritten(answer: object, outputs: Sequence[Any], error: BaseException | None) -> bool:
    """Whether the function is a stub of the other kinds: `pass`, or raise NotImplementedError."""
    code = code_of(answer)
    if code is None:
        return False
    if error is not None:
        # torch raises it too, for what it cannot do
        return type(error) is NotImplementedError and "NotImplementedError" in code.co_names
    return all(output is None for output in outputs) and len(code.co_code) == len(_PASS)
