"""What went wrong in an epoch, decided by looking at parameters, inputs and values."""

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn


def is_finite(model: nn.Module) -> bool:
    """Whether all parameters and buffers of the model are finite."""
    values = itertools.chain(model.parameters(), model.buffers())
    return all(bool(value.isfinite().all()) for value in values if value.is_floating_point())


def first_bad(values: Tensor) -> int | None:
    """The place of the first value that is NaN or infinite."""
    bad = (~values.isfinite()).nonzero()
    return int(bad[0]) if len(bad) else None


def totals(batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Of each part a number that is not finite if anything in it is not; nothing is read back."""
    return tuple(part.sum(dtype=torch.float32) for part in batch if part.is_floating_point())


def refuse_what_is_not_finite(batch: tuple[Tensor, ...]) -> None:
    """Blame the transform where a batch is not finite, for the data are."""
    if not all(part.isfinite().all() for part in batch):
        raise ValueError(
            "The transform returned NaN or infinite values from data that are finite: look at "
            "what it does to a constant row, at logarithms and at divisions."
        )


def is_divergence(
    model: nn.Module, maximand: Callable[..., Tensor], batch: tuple[Tensor, ...] | None
) -> bool:
    """Whether an error came from a model whose numbers had ceased to be finite.

    The words of an error do not tell: torch prints large tensors shortened. So the maximand is
    computed once more on the batch, and what the networks put out on the way is looked at. Where
    there was no batch yet, the model's parameters alone.
    """
    if batch is None:
        return not is_finite(model)
    refuse_what_is_not_finite(batch)
    return not is_finite(model) or _puts_out_nan(model, functools.partial(maximand, *batch))


def _puts_out_nan(model: nn.Module, compute: Callable[[], Tensor]) -> bool:
    found = []

    def look(module: nn.Module, inputs: object, output: object) -> None:
        found.extend(not bool(part.isfinite().all()) for part in _tensors(output))

    handles = [part.register_forward_hook(look) for part in model.modules()]
    try:
        with torch.no_grad(), contextlib.suppress(Exception):
            found.append(not bool(compute().isfinite().all()))
    finally:
        for handle in handles:
            handle.remove()
    return any(found)


def _tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor) and output.is_floating_point():
        yield output
    elif isinstance(output, tuple | list):
        for part in output:
            yield from _tensors(part)
