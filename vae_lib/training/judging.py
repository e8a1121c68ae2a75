"""From an objective and a batch to one value per example, and to their mean over a data set."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib import checks
from vae_lib.training.faults import refuse_what_is_not_finite
from vae_lib.training.given import Data, check_callables, examples, plain_seed

Objective = Callable[..., Tensor]
"""(model, x of shape (B, D)) to one value per example, (B,), in nats, larger is better. Where the
data are a tuple, (model, *batch): what travels with the rows of x comes after it."""

Transform = Callable[..., Tensor | tuple[Tensor, ...]]
"""A batch, (B, D) and what travels with it, to what the objective sees after the model, e.g.
`vae_lib.data.binarize`."""

EVALUATION_BATCH_SIZE = 1000


def evaluate(
    model: nn.Module,
    objective: Objective,
    data: Data,
    *,
    transform: Transform | None = None,
    seed: int = 0,
) -> float:
    """The mean objective over all of `data`, (N, D), without gradients; nats per example.

    Batches of any size give the same mean. `data` may be whatever `fit` takes, wherever it is:
    copies of its batches go to the model's device, so nothing that is done to them in place comes
    back. The model is in evaluation mode meanwhile, and the global random state is left as it was.

    Raises:
        ValueError: data that are empty, not finite or of the wrong shape; a seed that is no whole
            number of 0 or more; an objective that does not return (B,); a transform that makes NaN
            or infinity.
    """
    check_callables(model, objective, transform)
    parts = examples(data, "data", model, raw=transform is not None)
    return mean_value(model, objective, parts, transform, plain_seed(seed))


def mean_value(
    model: nn.Module,
    objective: Objective,
    parts: tuple[Tensor, ...],
    transform: Transform | None,
    seed: int,
) -> float:
    """`evaluate` on examples that have passed the gate."""
    device, total = checks.device_of(model), 0.0
    with torch.no_grad(), checks.evaluating(model), checks.seeded(seed, device):
        for views in zip(*(part.split(EVALUATION_BATCH_SIZE) for part in parts), strict=True):
            batch = transformed(transform, [checks.moved(view, device) for view in views])
            try:
                value = one_per_example(objective(model, *batch), len(views[0]))
            except Exception:
                refuse_what_is_not_finite(batch)
                raise
            if not math.isfinite(sum_ := value.cpu().double().sum().item()):
                refuse_what_is_not_finite(batch)
            total += sum_
    return total / len(parts[0])


def transformed(transform: Transform | None, batch: list[Tensor]) -> tuple[Tensor, ...]:
    """What the objective sees of a batch."""
    if transform is None:
        return tuple(batch)
    made = transform(*batch)
    made = tuple(made) if isinstance(made, tuple | list) else (made,)
    if not made or not all(isinstance(part, Tensor) for part in made):
        raise ValueError(
            "The transform must return a tensor, or a tuple of tensors where the objective takes "
            f"more than one, but returned {', '.join(type(part).__name__ for part in made)}."
        )
    if made[0].dtype == torch.uint8:
        raise ValueError(
            "The transform returned torch.uint8, but a network needs floating-point numbers: let "
            "it begin with x.float() / 255."
        )
    return made


def one_per_example(value: object, n_examples: int) -> Tensor:
    """The objective's values, (B,), or a ValueError that says what it returned instead."""
    if not isinstance(value, Tensor) or value.shape != (n_examples,):
        found = tuple(value.shape) if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise ValueError(
            f"An objective must return one value per example, shape ({n_examples},), but returned "
            f"{found}. Sum over the dimensions of an example; leave the mean over "
            "examples to fit."
        )
    if not value.is_floating_point():
        raise ValueError(
            f"An objective must return floating-point values, larger is better, but returned "
            f"{value.dtype}."
        )
    return value
