"""What passes between the judge and an answer's process: lengths, JSON, and the bytes of tensors.

The judge is believed, and may pickle. The answer's process is not: what comes from it is JSON and
bytes of a known type and shape, of which unpacking.py makes numbers, texts and tensors.
"""

from __future__ import annotations

import io
import json
import marshal
import pickle
import struct
import types
from collections.abc import Callable
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises.values import Opaque, is_a, name_of, plain

LARGEST = 64 * 2**20  # bytes of one message
_HEAD = struct.Struct("<QQ")
_DEEPEST = 12
_TYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
        *(torch.complex64, torch.complex128),
    )
}
# What an answer may return in the place of values: attributes, and the arguments that they are.
DISTRIBUTIONS = {
    td.Normal: {"loc": "loc", "scale": "scale"},
    td.MultivariateNormal: {"loc": "loc", "scale_tril": "scale_tril"},
    td.Laplace: {"loc": "loc", "scale": "scale"},
    td.Bernoulli: {"logits": "logits"},
    td.ContinuousBernoulli: {"logits": "logits"},
    td.Independent: {
        "base_dist": "base_distribution",
        "reinterpreted_batch_ndims": "reinterpreted_batch_ndims",
    },
}


class Refused(Exception):
    """A message that is not one, or is too large."""


def send(stream: BinaryIO, message: dict, blob: bytes = b"") -> None:
    """Write a message; raises Refused where it is too large."""
    text = json.dumps(message).encode()
    if len(text) + len(blob) > LARGEST:
        raise Refused("is larger than 64 MiB")
    stream.write(_HEAD.pack(len(text), len(blob)) + text)
    stream.write(blob)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict, bytes]:
    """Read a message; raises EOFError at the stream's end, and Refused."""
    n_text, n_blob = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if n_text + n_blob > LARGEST:
        raise Refused("is larger than 64 MiB")
    text = _exactly(stream, n_text)
    blob = _exactly(stream, n_blob)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Refused("is no message")
    return message, blob


def _exactly(stream: BinaryIO, n: int) -> bytes:
    parts, left = [], n
    while left:
        part = stream.read(min(left, 2**20))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


class Packer:
    """Describes values in JSON; `keep` is given what stays, and says under which number."""

    def __init__(self, keep: Callable[[object], int]) -> None:
        self.keep, self.blob, self.with_graph = keep, bytearray(), []

    def pack(self, value: object, depth: int = 0) -> Any:  # noqa: ANN401
        """The description of a value; tensors' bytes go into `blob`."""
        kind = type(value)
        if isinstance(value, nn.Module):
            parameters = [self.tensor(p, of_output=False) for p in nn.Module.parameters(value)]
            return {"module": self.keep(value), "parameters": parameters, "name": name_of(kind)}
        if kind in DISTRIBUTIONS:
            given = [self.pack(getattr(value, name), depth + 1) for name in DISTRIBUTIONS[kind]]
            return {"distribution": kind.__name__, "given": given}
        if depth < _DEEPEST and is_a(kind, tuple, list):
            name = "tuple" if is_a(kind, tuple) else "list"
            return {name: [self.pack(item, depth + 1) for item in list(value)]}
        return self._leaf(plain(value))

    def _leaf(self, value: object) -> Any:  # noqa: ANN401
        if value is None or isinstance(value, bool | int | float | str):
            return {"value": value}
        if value is ...:
            return {"ellipsis": True}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        if isinstance(value, tuple | list):
            name = "tuple" if isinstance(value, tuple) else "list"
            return {name: [self._leaf(item) for item in value]}
        if isinstance(value, Opaque):
            return {"opaque": name_of(value.kind)}
        return self.tensor(value)

    def tensor(self, value: Tensor, *, of_output: bool = True) -> dict:
        """The description of a tensor, whose bytes go into `blob`."""
        graph = value.requires_grad
        if graph and of_output:
            self.with_graph.append(value)
        flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        place = [len(self.blob), len(raw)]
        self.blob += raw
        kind = str(value.dtype).removeprefix("torch.")
        return {"tensor": kind, "shape": list(value.shape), "at": place, "graph": graph}


def tensor_from(tree: dict, blob: bytes) -> Tensor:
    """The tensor that a description is of; raises Refused where it is none."""
    dtype, shape, place = _TYPES.get(str(tree.get("tensor"))), tree.get("shape"), tree.get("at")
    if dtype is None or not _are_counts(shape) or not _are_counts(place) or len(place) != 2:
        raise Refused("has a tensor that is none")
    numbers = 1
    for size in shape:
        numbers *= size
    start, n_bytes = place
    if numbers * dtype.itemsize != n_bytes or start + n_bytes > len(blob) or len(shape) > 16:
        raise Refused("has a tensor of another size than it says")
    if not numbers:
        return torch.empty(shape, dtype=dtype)
    raw = bytearray(blob[start : start + n_bytes])
    return torch.frombuffer(raw, dtype=torch.uint8).view(dtype).reshape(shape)


def _are_counts(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**31 for n in value)


def tensors_of(value: object) -> list[Tensor]:
    """All tensors in arguments, those of networks too, in the same order on both sides."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, nn.Module):
        return [*value.parameters(), *value.buffers()]
    if isinstance(value, tuple | list):
        return [tensor for item in value for tensor in tensors_of(item)]
    return []


class _ForAnswers(pickle.Pickler):
    """Pickles also a function that an exercise gives: its code, and what its closure holds."""

    def reducer_override(self, value: object) -> Any:  # noqa: ANN401
        if type(value) is not types.FunctionType or "<" not in value.__qualname__:
            return NotImplemented
        modules = {
            name: found.__name__
            for name in value.__code__.co_names
            if isinstance(found := value.__globals__.get(name), types.ModuleType)
        }
        held = tuple(cell.cell_contents for cell in value.__closure__ or ())
        return _function, (marshal.dumps(value.__code__), modules, held, value.__defaults__)


def _function(code: bytes, modules: dict, held: tuple, defaults: tuple | None) -> Callable:
    space = {name: __import__(module, fromlist=["_"]) for name, module in modules.items()}
    cells = tuple(map(types.CellType, held))
    return types.FunctionType(marshal.loads(code), space, "function", defaults, cells)


def for_answers(value: object) -> bytes:
    """What the judge gives, pickled: arguments, networks and functions among them."""
    file = io.BytesIO()
    _ForAnswers(file).dump(value)
    return file.getvalue()
