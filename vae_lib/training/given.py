"""What `fit` and `evaluate` are given, checked before anything is trained."""

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
    dtype, names = checks.dtype_of(model), _names(name, len(parts))
    first, *others = (checks.as_tensor(p, n) for p, n in zip(parts, names, strict=True))
    if dtype == torch.float64:  # not every GPU has it
        first, others = first.cpu(), [part.cpu() for part in others]
    first = checks.rows(first, names[0], dtype=dtype, raw=raw)
    pairs = zip(others, names[1:], strict=True)
    others = [checks.companion(part, part_name, len(first)) for part, part_name in pairs]
    return first, *(part.to(dtype) if part.is_floating_point() else part for part in others)


def _names(name: str, n_parts: int) -> list[str]:
    return [name] if n_parts == 1 else [f"{name}[{i}]" for i in range(n_parts)]


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
    for name, there, here in zip(_names("held_out", len(data)), parts, data, strict=True):
        if there.shape[1:] != here.shape[1:] or there.dtype != here.dtype:
            raise ValueError(
                f"{name} has rows of shape {tuple(there.shape[1:])}, {there.dtype}, but those of "
                f"the training data are {tuple(here.shape[1:])}, {here.dtype}."
            )
    return parts


def check_callables(
    model: nn.Module,
    objective: Callable,
    transform: Callable | None,
    after_epoch: Callable | None = None,
    *,
    trains: bool = False,
) -> None:
    """Refuse a model that is none or has nothing to train, and functions that are none."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"The model must be a torch.nn.Module, not a {type(model).__name__}.")
    if trains and not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("The model has no parameter that requires a gradient: nothing to train.")
    functions = {"objective": objective, "transform": transform, "after_epoch": after_epoch}
    for name, function in functions.items():
        optional = function is None and name != "objective"
        if not optional and not callable(function):
            raise ValueError(f"{name} must be a function, not a {type(function).__name__}.")


def settings(
    batch_size: object, lr: object, seed: object, switches: dict[str, object], n_processes: int
) -> dict[str, float]:
    """The settings of a run as plain numbers, which a checkpoint can hold."""
    for name, switch in switches.items():
        if not isinstance(switch, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, not {switch!r}.")
    return {
        "batch_size": checks.count(batch_size, "batch_size"),
        "lr": checks.positive(lr, "lr"),
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
