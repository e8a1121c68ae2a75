"""What an answer returned, as plain values: its own methods have no say in what is compared.

A subclass of a tensor, an array, a number, a string or a tuple is read by the base type's own
methods, kept here under names of ours: neither a class that says it equals everything nor a
function of torch's that was replaced is asked.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution

_LARGEST = 20_000_000  # elements: an expanded tensor may claim more than any memory holds
_DEEPEST = 8

_as_subclass, _clone, _detach, _to_dense = (
    Tensor.as_subclass,
    Tensor.clone,
    Tensor.detach,
    Tensor.to_dense,
)
_stack, _from_numpy, _mro = torch.stack, torch.from_numpy, type.__dict__["__mro__"].__get__
_Untouched = torch._C.DisableTorchFunctionSubclass


class Opaque:
    """Something that is no value to compare: its type, and how to speak of it."""

    def __init__(self, kind: type, text: str) -> None:
        self.kind, self.text = kind, text


def is_a(kind: type, *bases: type) -> bool:
    """issubclass by identity, since a metaclass may answer otherwise."""
    return any(entry is base for entry in _mro(kind) for base in bases)


def plain(value: object, depth: int = 0) -> Any:  # noqa: ANN401
    """The value in exact types: None, bool, int, float, complex, str, tuple, list, Tensor, Opaque.

    Arrays become tensors of the same precision, of any stride, copied; tensors keep their graph.
    What converts itself (`__array__`, `__float__`) is taken at its word. May run methods of the
    value's class all the same, so it belongs inside the guard.
    """
    if value is None or value is ...:
        return value
    kind = type(value)
    if depth > _DEEPEST:
        return Opaque(kind, "something nested too deeply")
    for base, take in _TAKEN:
        if is_a(kind, base):
            return take(value)
    if is_a(kind, tuple, list):
        items = tuple.__iter__(value) if is_a(kind, tuple) else list.__iter__(value)
        return (tuple if is_a(kind, tuple) else list)(plain(item, depth + 1) for item in items)
    return _converted(value, kind)


def holds_opaque(value: object) -> bool:
    """Whether a plain value is, or has among its items, something that is no value to compare."""
    if isinstance(value, tuple | list):
        return any(map(holds_opaque, value))
    return isinstance(value, Opaque)


def as_tensor(value: object) -> Tensor | None:
    """A plain value as one tensor, lists of equal rows too; None where there is no such."""
    if type(value) is Tensor:
        return value
    if isinstance(value, bool | int | float | complex):
        try:
            dtype = torch.float64 if isinstance(value, float) else None
            return torch.tensor(value, dtype=dtype)
        except (OverflowError, RuntimeError, ValueError):  # too large
            return None
    if not isinstance(value, tuple | list) or not value:
        return None
    rows = [as_tensor(item) for item in value]
    if any(row is None or row.shape != rows[0].shape for row in rows):
        return None
    common = rows[0].dtype
    for row in rows:
        common = torch.promote_types(common, row.dtype)
    return _stack([row.cpu().to(common) for row in rows])


def settled(value: object) -> object:
    """A plain value without its graph, in the memory of the CPU."""
    if type(value) is Tensor:
        return _detach(value).cpu()
    if isinstance(value, tuple | list):
        return type(value)(settled(item) for item in value)
    return value


def shown(text: str, length: int = 200) -> str:
    """Text that comes from the answer, in one line of our own: neither markup nor control codes."""
    text = " ".join(str.split(text))
    text = "".join(character if character.isprintable() else "?" for character in text)
    text = text.replace("`", "'")  # which our hints set as code
    return text if len(text) <= length else text[:length] + "..."


def name_of(kind: type) -> str:
    """A type's name, whatever its metaclass says."""
    return shown(str.__str__(type.__dict__["__name__"].__get__(kind)), 40)


def _plain_tensor(value: Tensor) -> object:
    kind = type(value)
    if kind.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        return Opaque(kind, f"a {name_of(kind)}")  # whose operations are its own
    with _Untouched():
        base = value if kind is Tensor else _as_subclass(value, Tensor)
    if base.numel() > _LARGEST or base.device.type == "meta":
        where = " on the meta device" if base.device.type == "meta" else ""
        return Opaque(Tensor, f"a tensor of shape {tuple(base.shape)}{where}")
    if base.layout is not torch.strided:
        base = _to_dense(base)
    return _clone(base)  # since the answer may go on writing to it


def _plain_array(value: np.ndarray | np.generic) -> object:
    array = np.ndarray.view(value, np.ndarray) if isinstance(value, np.ndarray) else value
    array = np.asarray(array)
    if array.size > _LARGEST:
        return Opaque(np.ndarray, f"an array of shape {array.shape}")
    if array.dtype.kind == "O":
        items = plain(array.tolist())
        return items if as_tensor(items) is None else as_tensor(items)
    dtype = {"b": "bool", "i": "int64", "u": "int64", "c": "complex128"}.get(array.dtype.kind)
    if array.dtype.kind == "f":
        dtype = f"float{min(array.dtype.itemsize * 8, 64)}"
    if dtype is None:
        return Opaque(np.ndarray, f"an array of {shown(str(array.dtype), 20)}")
    # A copy in C order and in native bytes: torch has no negative strides and no big-endians.
    return _from_numpy(np.array(array, dtype=dtype, order="C", copy=True))


def _plain_text(value: str) -> str:
    return str.__str__(value)


def _plain_range(value: range) -> object:
    if len(value) > _LARGEST:
        return Opaque(range, "a very long range")
    return list(value)


# In this order: a bool is an int as well, and np.float64 a float.
_TAKEN: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (Tensor, _plain_tensor),
    (str, _plain_text),
    (np.ndarray, _plain_array),
    (np.generic, _plain_array),
    (bool, bool),
    (int, int.__int__),
    (float, float.__float__),
    (complex, complex.__complex__),
    (range, _plain_range),
)

_KINDS = (
    (types.GeneratorType, "a generator (is there a `yield` in place of `return`?)"),
    (types.CoroutineType, "a coroutine (is there an `async` before `def`?)"),
    (types.AsyncGeneratorType, "a generator (is there a `yield` in place of `return`?)"),
    (types.FunctionType, "a function (is it to be called?)"),
    (types.MethodType, "a method (is it to be called?)"),
    (types.BuiltinFunctionType, "a method (is it to be called?)"),
)


def _converted(value: object, kind: type) -> object:
    for base, text in _KINDS:
        if kind is base:
            if inspect.iscoroutine(value):
                value.close()  # or Python warns that nobody waited for it
            return Opaque(kind, text)
    if is_a(kind, type):
        return Opaque(kind, f"the class {name_of(value)}")
    if is_a(kind, Distribution):
        return Opaque(kind, f"a distribution ({name_of(kind)})")
    name = name_of(kind)
    try:
        if hasattr(kind, "__array__"):
            return _plain_array(np.asarray(value))
        if hasattr(kind, "__float__"):
            return float(value)
    except Exception:
        pass  # it says that it converts itself, and doesn't
    return Opaque(kind, f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}")
