"""What `fit` and `evaluate` are given, checked before anything is trained."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from vae_lib import checks

Data = object
"""A tensor, an array or a nested list, (N, D); or a tuple of such, N rows each."""


def examples(data: Data, name: str, model: nn.Module, *, raw: bool) -> tuple[Tensor, ...]:
    """The parts of the data, (N, D) and its companions (N, ...), as the model will meet them.

    Whatever is floating-point gets the model's dtype. Whole numbers stay what they are among the
    companions, and in the first part where `raw` says that a transform will see to them.
    """
    parts = data if isinstance(data, tuple) else (data,)
    if not parts:
        raise ValueError(f"{name} is an empty tuple: pass a tensor of shape (N, D).")
    dtype = checks.dtype_of(model)
    names = [name if len(parts) == 1 else f"{name}[{i}]" for i in range(len(parts))]
    tensors = [_reachable(checks.as_tensor(p, n), dtype) for p, n in zip(parts, names, strict=True)]
    first = checks.rows(tensors[0], names[0], dtype=dtype, raw=raw)
    others = [_companion(t, n, dtype) for t, n in zip(tensors[1:], names[1:], strict=True)]
    for part, part_name in zip(others, names[1:], strict=True):
        if len(part) != len(first):
            raise ValueError(
                f"{part_name} has {len(part)} rows, but {names[0]} has {len(first)}: rows that "
                "travel together must be as many."
            )
    return first, *others


def _reachable(values: Tensor, dtype: torch.dtype) -> Tensor:
    """On the CPU where they are to become float64, which not every GPU has."""
    return values.cpu() if dtype == torch.float64 else values


def _companion(values: Tensor, name: str, dtype: torch.dtype) -> Tensor:
    if values.ndim == 0 or values.is_complex():
        raise ValueError(
            f"{name} must have a row for each example and be real numbers, but has shape "
            f"{tuple(values.shape)} and is {values.dtype}."
        )
    if not values.is_floating_point():
        return values
    if not (finite := values.isfinite()).all():
        row = int((~finite).reshape(len(values), -1).any(dim=1).nonzero()[0])
        raise ValueError(f"{name} has NaN or infinite values, first in row {row}: remove them.")
    return values.to(dtype)


def held_out_like(
    data: tuple[Tensor, ...], held_out: Data | None, model: nn.Module, *, raw: bool
) -> tuple[Tensor, ...] | None:
    """The parts of the held-out data, which must be of the kind of the training data's."""
    if held_out is None:
        return None
    parts = examples(held_out, "held_out", model, raw=raw)
    if len(parts) != len(data):
        raise ValueError(
            f"held_out has {len(parts)} parts, but data {len(data)}: pass what belongs to the "
            "rows of data for those of held_out as well."
        )
    for i, (there, here) in enumerate(zip(parts, data, strict=True)):
        name = "held_out" if len(data) == 1 else f"held_out[{i}]"
        if i == 0 and there.shape[1] != here.shape[1]:
            raise ValueError(
                f"{name} has {there.shape[1]} columns, but the training data {here.shape[1]}."
            )
        if there.shape[1:] != here.shape[1:] or there.dtype != here.dtype:
            raise ValueError(
                f"{name} has rows of shape {tuple(there.shape[1:])}, {there.dtype}, but those of "
                f"the training data are {tuple(here.shape[1:])}, {here.dtype}."
            )
    return parts


def check_trainable(model: nn.Module) -> None:
    """Refuse a model that has nothing to train."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("The model has no parameter that requires a gradient: nothing to train.")


def check_callables(
    model: nn.Module,
    objective: Callable,
    transform: Callable | None,
    after_epoch: Callable | None = None,
) -> None:
    """Refuse a model that is none, and functions that are none."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"The model must be a torch.nn.Module, not a {type(model).__name__}.")
    functions = {"objective": objective, "transform": transform, "after_epoch": after_epoch}
    for name, function in functions.items():
        optional = function is None and name != "objective"
        if not optional and not callable(function):
            raise ValueError(f"{name} must be a function, not a {type(function).__name__}.")


def settings(
    batch_size: object, lr: object, seed: object, switches: dict[str, object], n_processes: int
) -> dict[str, float]:
    """The settings of a run as plain numbers, which a checkpoint can hold."""
    is_number = isinstance(lr, int | float | np.integer | np.floating)
    if isinstance(lr, bool) or not is_number or not 0 < lr < math.inf:
        raise ValueError(f"lr must be a positive finite number, not {lr!r}.")
    for name, switch in switches.items():
        if not isinstance(switch, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, not {switch!r}.")
    return {
        "batch_size": checks.count(batch_size, "batch_size"),
        "lr": float(lr),
        "seed": plain_seed(seed),
        **{name: bool(switch) for name, switch in switches.items()},
        "processes": n_processes,
    }


def plain_seed(seed: object) -> int:
    """A seed that every generator takes."""
    plain = checks.count(seed, "seed", at_least=0)
    if plain >= 2**63:
        raise ValueError(f"seed must be below 2**63, not {seed!r}.")
    return plain


def n_steps(epochs: object, steps: object, n_batches: int) -> int:
    """How many steps to take, by exactly one of epochs (of n_batches each) and steps."""
    if (epochs is None) == (steps is None):
        raise ValueError(
            f"Say how long to train by exactly one of epochs and steps, not by epochs={epochs!r} "
            f"and steps={steps!r}."
        )
    if steps is None:
        return checks.count(epochs, "epochs") * n_batches
    return checks.count(steps, "steps")
