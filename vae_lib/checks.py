"""What every part of the library asks of its input: one gate for data, and checks made once.

`rows` is the gate: what people have, NumPy or torch, in any precision, becomes rows of finite
floating-point numbers, or one sentence says what to pass instead. `trusting` is the protocol for
"checked once, then trusted". Both know nothing of models, objectives or data sets.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

HALVES = (torch.float16, torch.bfloat16)


def as_tensor(values: object, name: str) -> Tensor:
    """Numbers in whatever holds them (tensor, NumPy array, nested list) as a detached tensor.

    The values and their type are kept; memory is shared where torch can share it.
    """
    if isinstance(values, Tensor):
        return values.detach()
    if hasattr(values, "__iter__") and hasattr(values, "dataset"):
        raise ValueError(
            f"{name} is a {type(values).__name__}, but must be a tensor of all examples, of which "
            "batches are made here. Write torch.stack([x for x, *_ in loader.dataset]).flatten(1)."
        )
    try:
        if isinstance(values, list | tuple) and values and isinstance(values[0], Tensor):
            return torch.stack([value.detach() for value in values])
        array = np.asarray(values)
        # torch takes no negative strides, and warns about memory that must not be written to.
        return torch.from_numpy(array.copy() if _needs_copy(array) else array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{name} must be a tensor or an array of numbers, but is a {type(values).__name__} "
            f"that does not become one ({error})."
        ) from error


def _needs_copy(array: np.ndarray) -> bool:
    return not array.flags.writeable or any(stride < 0 for stride in array.strides)


def rows(
    values: object,
    name: str = "data",
    *,
    dtype: torch.dtype | None = None,
    raw: bool = False,
    n_columns: int | None = None,
) -> Tensor:
    """The gate: (N, D) finite floating-point numbers, N and D of 1 or more, from what people have.

    Args:
        values: a tensor, NumPy array or nested list; a gradient is left behind.
        name: what the caller calls the values, for the messages.
        dtype: of the result. By default half precision becomes float32, and float32 and float64
            stay what they are. bool becomes 0 and 1.
        raw: leave whole numbers (uint8 pixels, say) as they are, for a transform to come.
        n_columns: the D that is expected, where there is one.

    Raises:
        ValueError: with what was expected, what came, and what to write instead.
    """
    x = as_tensor(values, name)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(
            f"{name} must have shape (N, D) with N and D of 1 or more, but has {tuple(x.shape)}. "
            f"Images of shape (N, h, w) need {name}.flatten(1), a single example {name}[None]."
        )
    if n_columns is not None and x.shape[1] != n_columns:
        raise ValueError(f"{name} has {x.shape[1]} columns, but {n_columns} were expected.")
    x = _floating(x, name, dtype, raw)
    if x.is_floating_point() and not (finite := x.isfinite()).all():
        row = int((~finite).any(dim=1).nonzero()[0])
        raise ValueError(f"{name} has NaN or infinite values, first in row {row}: remove them.")
    return x


def _floating(x: Tensor, name: str, dtype: torch.dtype | None, raw: bool) -> Tensor:
    if x.is_complex():
        raise ValueError(f"{name} must be real numbers, but is {x.dtype}.")
    if x.is_floating_point() or x.dtype == torch.bool:
        stays = x.dtype in (torch.float32, torch.float64)
        return x.to(dtype or (x.dtype if stays else torch.float32))
    if raw:
        return x
    raise ValueError(
        f"{name} must be floating-point numbers, but is {x.dtype} with values from "
        f"{x.min().item()} to {x.max().item()}. Pixels of 0 to 255 need {name} / 255, other whole "
        f"numbers {name}.float(); where a transform does that for each batch, pass it."
    )


@contextmanager
def trusting(*models: nn.Module) -> Iterator[None]:
    """Inside, the models' parts no longer look at values: these have been seen and found good.

    A part that looks has an attribute `validate_args` that is True, and a user may have set it to
    False for good. It is the library's own flag. torch's is one for the whole process, and
    torch.compile and others switch it off without a word.
    """
    parts = [part for model in models for part in model.modules()]
    looking = [part for part in parts if getattr(part, "validate_args", None) is True]
    try:
        for part in looking:
            part.validate_args = False
        yield
    finally:
        for part in looking:
            part.validate_args = True


def trusted(function: Callable) -> Callable:
    """`function` without its checks, if it has a parameter `validate_args`; else as it is."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some built-in functions tell nothing of their parameters
        return function
    if "validate_args" not in parameters:
        return function
    return functools.partial(function, validate_args=False)


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Inside, the models are in evaluation mode; after, every part has the mode it had."""
    modes = [(part, part.training) for model in models for part in model.modules()]
    try:
        for model in models:
            model.eval()
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def device_of(model: nn.Module) -> torch.device:
    """Where the model's parameters and buffers are; the CPU for a model without any."""
    return next(_numbers(model), torch.empty(0, device="cpu")).device


def dtype_of(model: nn.Module) -> torch.dtype:
    """The floating-point type that the model computes in; float32 for a model without numbers."""
    floating = (value.dtype for value in _numbers(model) if value.is_floating_point())
    return next(floating, torch.float32)


def _numbers(model: nn.Module) -> Iterator[Tensor]:
    yield from model.parameters()
    yield from model.buffers()
