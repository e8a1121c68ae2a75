"""What makes a run this run: its settings, its data, its objective, its model's architecture.

What is noticed: any changed value or type among the data, the held-out data and what travels with
them; a module of another class, a parameter or buffer of another name, shape or type; of the
objective and the transform another name, other code, constants, defaults, arguments of a `partial`
and numbers, text and arrays that the code closes over. What is not: the functions that they call,
global variables, lists and dictionaries, objects of the user's own, and the values of buffers.
"""

import functools
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import CellType, CodeType

import numpy as np
import torch
from torch import Tensor, nn

PLAIN = (bool, int, float, str, bytes, type(None))


def identity(
    model: nn.Module,
    settings: dict[str, float],
    data: tuple[Tensor, ...],
    held_out: tuple[Tensor, ...] | None,
    functions: dict[str, Callable | None],
) -> dict:
    """The identity of a run, of plain values that a file can hold and that compare."""
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    architecture = [f"{name}: {type(part).__qualname__}" for name, part in model.named_modules()]
    architecture += [
        f"{name}: {tuple(value.shape)} {value.dtype}{' trained' * (name in trained)}"
        for name, value in model.state_dict().items()
    ]
    return {
        "settings": settings,
        "architecture": architecture,
        "data": [_described(part) for part in data],
        "held_out": held_out and [_described(part) for part in held_out],
        # Compiled code differs from one Python to the next, the names in it do not.
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "names": {name: _name(function) for name, function in functions.items()},
        "code": {name: _digest(_code(function)) for name, function in functions.items()},
    }


def refuse_another(path: Path, saved: dict, this: dict) -> None:
    """A ValueError that says in what the saved run is another one."""
    if (problem := _difference(saved, this)) is not None:
        raise ValueError(
            f"The checkpoint {path} belongs to another run: {problem}. "
            "Name another file, or delete this one to start afresh."
        )


def _difference(saved: dict, this: dict) -> str | None:
    old, new = saved["settings"], this["settings"]
    changed = [name for name in new if old.get(name) != new[name]]
    if changed:
        was, now = ({name: of.get(name) for name in changed} for of in (old, new))
        return f"it was made with {was}, but this run has {now}"
    if saved["architecture"] != this["architecture"]:
        pairs = zip(saved["architecture"] + [None], this["architecture"] + [None], strict=False)
        was, now = next(pair for pair in pairs if pair[0] != pair[1])
        return f"its model has the part {was!r}, where this one has {now!r}"
    for name in ("data", "held_out"):
        if saved[name] != this[name]:
            return f"its {name} were {saved[name]}, but those of this run are {this[name]}"
    for name, function in this["names"].items():
        if saved["names"][name] != function:
            return f"its {name} was {saved['names'][name]}, but that of this run is {function}"
        if saved["python"] == this["python"] and saved["code"][name] != this["code"][name]:
            return f"its {name}, {function}, had other code, constants or arguments"
    return None


def _described(part: Tensor) -> str:
    values = part.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    digest = hashlib.sha256(memoryview(values)).hexdigest()
    return f"{tuple(part.shape)} {part.dtype} sha256 {digest[:16]}"


def _name(function: Callable | None) -> str | None:
    if isinstance(function, functools.partial):
        return f"a partial of {_name(function.func)}"
    if function is None or hasattr(function, "__qualname__"):
        return getattr(function, "__qualname__", None)
    return type(function).__qualname__


def _digest(code: object) -> str:
    return hashlib.sha256(repr(code).encode()).hexdigest()


def _code(value: object, seen: tuple[int, ...] = ()) -> object:
    """What a function or a value says, as far as it can be told from outside, for its `repr`."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.str, value.shape, value.tobytes()
    if id(value) in seen:  # a function that calls itself
        return None
    deeper = functools.partial(_code, seen=(*seen, id(value)))
    if isinstance(value, Tensor):
        return _described(value)
    if isinstance(value, tuple):
        return tuple(deeper(part) for part in value)
    if isinstance(value, frozenset):
        return sorted(repr(deeper(part)) for part in value)
    if isinstance(value, functools.partial):
        return deeper((value.func, value.args, *sorted(value.keywords.items())))
    if isinstance(value, CodeType):
        return value.co_code, value.co_names, deeper(value.co_consts)
    if hasattr(value, "__code__"):
        return deeper(_parts(value))
    method = getattr(value, "__func__", getattr(type(value), "forward", type(value).__call__))
    return deeper(method) if hasattr(method, "__code__") else None


def _parts(function: Callable) -> tuple:
    """The code, defaults and closed-over values of a Python function; not its docstring."""
    code, cells = function.__code__, function.__closure__ or ()
    held = tuple(cell.cell_contents for cell in cells if cell != CellType())
    constants = tuple(c for c in code.co_consts if c is not None and c != function.__doc__)
    named_defaults = tuple(sorted((function.__kwdefaults__ or {}).items()))
    return code.co_code, code.co_names, constants, function.__defaults__, named_defaults, held
