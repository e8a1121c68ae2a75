"""The same case in single precision, for answers that compute in it."""

from __future__ import annotations

import copy
import functools
import re
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

# "expected m1 and m2 to have the same dtype, but got: float != double" and its kin.
_ABOUT_TYPES = re.compile(r"dtype|double|float(?:16|32|64)?\b|scalar type", re.IGNORECASE)


def narrowed(value: object) -> Any:  # noqa: ANN401
    """An argument with float32 in the place of float64."""
    return _mapped(value, Tensor.float)


def rounded(value: object) -> Any:  # noqa: ANN401
    """An argument in float64, whose values are those of `narrowed`."""
    return _mapped(value, lambda tensor: tensor.float().double())


def is_about_types(error: str) -> bool:
    """Whether an error's text complains of types, as torch does of float32 beside float64."""
    return bool(_ABOUT_TYPES.search(error))


def is_wide(value: object) -> bool:
    """Whether an argument has numbers in float64, so that narrowing it changes something."""
    return _any_tensor(value, lambda tensor: tensor.dtype == torch.float64)


def is_single(output: object) -> bool:
    """Whether an output has numbers in less than double precision."""
    return _any_tensor(
        output, lambda tensor: tensor.is_floating_point() and tensor.element_size() < 8
    )


def tolerance(inputs: object) -> float:
    """What single precision leaves uncertain: some units in the last place of the largest input.

    A log-weight of -1,000 in float32 is known to 3e-5, and its exponential no better.
    """
    sizes = [1.0]

    def look(tensor: Tensor) -> bool:
        finite = tensor[tensor.isfinite()] if tensor.is_floating_point() else tensor[:0]
        sizes.extend([finite.abs().max().item()] if finite.numel() else [])
        return False

    _any_tensor(inputs, look)
    return min(4 * torch.finfo(torch.float32).eps * max(sizes), 1e-2)


def _mapped(value: object, convert: Callable[[Tensor], Tensor]) -> Any:  # noqa: ANN401
    again = functools.partial(_mapped, convert=convert)
    if isinstance(value, Tensor):
        return value if value.dtype != torch.float64 else _as_leaf_where(value, convert(value))
    if type(value) in (tuple, list):
        return type(value)(again(item) for item in value)
    if isinstance(value, nn.Module):
        for tensor in [*value.parameters(), *value.buffers()]:
            tensor.data = again(tensor.data)
        return value
    if isinstance(value, Distribution):
        twin = copy.copy(value)
        vars(twin).update({name: again(entry) for name, entry in vars(value).items()})
        return twin
    if isinstance(value, types.FunctionType):
        return _Narrowed(value)
    return value


class _Narrowed:
    """A function that gives float32, and computes in float64, since what its closure holds is.

    A class, so that it can be handed to an answer in another process.
    """

    def __init__(self, function: Callable) -> None:
        self.function = function

    def __call__(self, *arguments: object) -> object:
        return narrowed(self.function(*map(_widened, arguments)))


def _as_leaf_where(value: Tensor, converted: Tensor) -> Tensor:
    return converted.detach().requires_grad_(value.requires_grad) if value.is_leaf else converted


def _widened(value: object) -> object:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def _any_tensor(value: object, condition: Callable[[Tensor], bool]) -> bool:
    if isinstance(value, Tensor):
        return condition(value)
    if isinstance(value, tuple | list):
        return any(_any_tensor(item, condition) for item in value)
    if isinstance(value, nn.Module):
        return any(_any_tensor(tensor, condition) for tensor in value.parameters())
    if isinstance(value, Distribution):
        return any(_any_tensor(entry, condition) for entry in vars(value).values())
    return False
