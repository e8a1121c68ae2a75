"""What every part of the library asks of its input: one gate for data, and checks made once.

`rows` is the gate: what people have, NumPy or torch, in any precision, becomes rows of finite
floating-point numbers, or one sentence says what to pass instead. `trusting` is the protocol for
"checked once, then trusted". Both know nothing of models, objectives or data sets.
"""

import functools
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

HALVES = (torch.float16, torch.bfloat16)

ROWS_AT_ONCE = 4096
"""As many are looked at together, so that looking takes little memory beside the data's own."""


def as_tensor(values: object, name: str) -> Tensor:
    """Numbers in whatever holds them (tensor, NumPy array, nested list) as a detached tensor.

    The values and their type are kept; memory is shared where torch can share it.
    """
    if remedy := _what_to_pass_for(values, name):
        raise ValueError(
            f"{name} is a {type(values).__name__}, but must be a tensor or an array of all "
            f"examples. {remedy}"
        )
    if isinstance(values, Tensor):
        return values.detach()
    try:
        if isinstance(values, list | tuple) and values and isinstance(values[0], Tensor):
            return torch.stack([torch.as_tensor(value).detach() for value in values])
        return torch.from_numpy(_as_torch_takes_it(np.asarray(values)))
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split(". ")[0]
        raise ValueError(
            f"{name} must be a tensor or an array of numbers, but is a {type(values).__name__} "
            f"that does not become one ({reason}). Pass np.asarray({name}, dtype=float), which "
            "needs rows of one length and nothing but numbers in them."
        ) from error


def _what_to_pass_for(values: object, name: str) -> str | None:
    """The remedy for things that hold numbers, but not as rows in one piece of memory."""
    if isinstance(values, DataLoader | Dataset) or hasattr(values, "dataset"):
        source = name if isinstance(values, Dataset) else f"{name}.dataset"
        return (
            f"Batches are made here: write torch.stack([x for x, *_ in {source}]).flatten(1), and "
            "do the same with any labels."
        )
    if isinstance(getattr(values, "train", None), Tensor):
        return f"It has a part to learn from: write {name}.train."
    if isinstance(values, Tensor) and values.layout != torch.strided:
        return f"It is sparse: write {name}.to_dense()."
    if isinstance(values, np.ma.MaskedArray):
        return f"Say what stands where it is masked: write {name}.filled(0), or leave rows out."
    return None


def _as_torch_takes_it(array: np.ndarray) -> np.ndarray:
    """A copy, where torch knows no such strides or byte order, or memory must not be written to."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    negative = any(stride < 0 for stride in native.strides)
    return native.copy() if negative or not native.flags.writeable else native


def rows(
    values: object,
    name: str = "data",
    *,
    dtype: torch.dtype | None = None,
    raw: bool = False,
    n_columns: int | None = None,
) -> Tensor:
    """The gate: (N, D) finite floating-point numbers, N and D of 1 or more, from what people have.

    Nothing is copied that is right as it comes; the result may share the caller's memory.

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
    x, is_tensor = as_tensor(values, name), isinstance(values, Tensor)
    if x.ndim != 2 or 0 in x.shape:
        flat = f"{name}.flatten(1)" if is_tensor else f"{name}.reshape(len({name}), -1)"
        raise ValueError(
            f"{name} must have shape (N, {n_columns or 'D'}), N and D of 1 or more, but has "
            f"{tuple(x.shape)}. Images of shape (N, h, w) need {flat}, a single example "
            f"{name}[None]."
        )
    if n_columns is not None and x.shape[1] != n_columns:
        raise ValueError(f"{name} has {x.shape[1]} columns, but must have shape (N, {n_columns}).")
    if x.is_complex():
        raise ValueError(f"{name} must be real numbers, but is {x.dtype}: write {name}.real.")
    if not x.is_floating_point() and x.dtype != torch.bool:
        if raw:
            return x
        raise _whole_numbers(x, name, f"{name}.float()" if is_tensor else f"{name} * 1.0")
    x = x.to(dtype or torch.promote_types(x.dtype, torch.float32))
    _refuse_infinities(x, name)
    return x


def companion(values: object, name: str, n_rows: int) -> Tensor:
    """What travels with rows of data: `n_rows` rows of any shape, of finite numbers of any type."""
    values = as_tensor(values, name)
    if values.ndim == 0 or len(values) != n_rows or values.is_complex():
        raise ValueError(
            f"{name} must be real numbers with a row for each of {n_rows} examples, whose rows "
            f"they travel with, but has shape {tuple(values.shape)} and is {values.dtype}."
        )
    if values.is_floating_point():
        _refuse_infinities(values, name)
    return values


def _whole_numbers(x: Tensor, name: str, as_floats: str) -> ValueError:
    low, high = x.cpu().double().aminmax()
    return ValueError(
        f"{name} must be floating-point numbers, but is {x.dtype} with values from {low:.0f} to "
        f"{high:.0f}. Pixels of 0 to 255 need {name} / 255, other whole numbers {as_floats}; where "
        "a transform does that for each batch, pass it."
    )


def _refuse_infinities(x: Tensor, name: str) -> None:
    for start in range(0, len(x), ROWS_AT_ONCE):
        finite = x[start : start + ROWS_AT_ONCE].isfinite()
        if not finite.all():
            row = start + int((~finite).nonzero()[0, 0])
            raise ValueError(
                f"{name} has NaN or infinite values (as {x.dtype}), first in row {row}: leave such "
                "rows out, or fill in what is missing."
            )


def called(module: nn.Module, x: Tensor) -> object:
    """module(x); where it fails and x is of another kind than the module, what to pass is said."""
    try:
        return module(x)  # as it is, for a module may convert what it is given
    except (RuntimeError, TypeError) as error:
        if not isinstance(module, nn.Module):
            raise
        dtype, device = dtype_of(module), device_of(module)
        if not isinstance(x, Tensor):
            came, remedy = f"is a {type(x).__name__}", f"torch.as_tensor(x, dtype={dtype})"
        elif x.device != device:
            came, remedy = f"is on {x.device}, the network on {device}", f'x.to("{device}")'
        elif dtype in HALVES and x.is_floating_point() and x.dtype != dtype:
            # Draws are made in float32, whatever the networks compute in.
            return module(x.to(dtype))
        elif x.dtype != dtype:
            came, remedy = f"is {x.dtype}, the network {dtype}", f"x.to({dtype})"
        else:
            raise
        raise ValueError(f"The input {came}: pass {remedy}.") from error


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
    without = functools.partial(function, validate_args=False)
    return without if "validate_args" in parameters else function


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


def moved(values: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """A copy of the values on another device, floating-point ones in another precision.

    The precision changes on the CPU where one end is there: some GPUs (Apple's) have no float64.
    """
    dtype = dtype if dtype is not None and values.is_floating_point() else values.dtype
    if values.device.type == "cpu":
        return values.to(dtype, copy=True).to(device)
    return values.to(device, copy=True).to(dtype)


def count(value: object, name: str, at_least: int = 1) -> int:
    """A whole number of `at_least` or more, from anything that is one (16, 16.0, np.int64(16))."""
    if not _is_number(value) or value != value // 1 or value < at_least:
        raise ValueError(f"{name} must be a whole number of {at_least} or more, not {value!r}.")
    return int(value)


def positive(value: object, name: str, *, or_zero: bool = False) -> float:
    """A positive finite number, or 0 where that will do, from anything that is one."""
    if not _is_number(value) or not 0 <= value < math.inf or not (value or or_zero):
        kind = "a finite number of 0 or more" if or_zero else "a positive finite number"
        raise ValueError(f"{name} must be {kind}, not {value!r}.")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def keep_freed_memory() -> None:
    """Teach a common allocator (glibc's) to keep memory that is freed: it spares page faults.

    It gives blocks larger than any freed before back to the system, and fetching their pages again
    takes longer than filling them. Freeing 32 MB, the most that it learns from, makes it keep
    them. No page of these is touched.
    """
    torch.empty(8_000_000, dtype=torch.float32, device="cpu")


@contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """Random numbers inside from `seed`, or for None from where they are; after, as before."""
    before = random_states(device)
    try:
        if seed is not None:
            seed_generators(seed, device)
        yield
    finally:
        set_random_states(before, device)


def seed_generators(seed: int, device: torch.device) -> None:
    """Those in use alone: torch.manual_seed would reseed every GPU, whatever ran there."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type != "cpu":
        getattr(torch, device.type).manual_seed(seed)


def random_states(device: torch.device) -> dict[str, Tensor]:
    """The states of the generators in use, the CPU's and the device's, by the device's type."""
    states = {"cpu": torch.get_rng_state()}
    backend = getattr(torch, device.type, None)  # torch.cuda, torch.mps
    if device.type != "cpu" and hasattr(backend, "get_rng_state"):
        states[device.type] = backend.get_rng_state(*_which(device))
    return states


def set_random_states(states: dict[str, Tensor], device: torch.device) -> None:
    """Go on from `random_states`; those of another type of device are left aside."""
    torch.set_rng_state(states["cpu"])
    if device.type != "cpu" and device.type in states:
        getattr(torch, device.type).set_rng_state(states[device.type], *_which(device))


def _which(device: torch.device) -> tuple[torch.device, ...]:
    return () if device.type == "mps" else (device,)  # Apple's machines have one
