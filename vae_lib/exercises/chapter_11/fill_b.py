"""Fill-in 11.b: what a batch pays under free bits."""

import numpy as np
import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _charge(kl: Tensor, floor: float) -> float:
    """In NumPy, one latent dimension after the other."""
    return float(sum(max(floor, column.mean()) for column in np.asarray(kl).T))


def _batches(generator: torch.Generator) -> list[tuple]:
    """Per-example KLs on both sides of the floor; in one batch even their sum is below it."""
    cases = []
    for n, floor, factor in ((6, 0.5, 2.0), (9, 0.2, 2.0), (5, 0.4, 0.1)):
        scale = torch.tensor([2.0, 0.8, 0.1, 1.1], dtype=torch.float64) * floor * factor
        noise = torch.rand(n, 4, generator=generator, dtype=torch.float64)
        cases.append((2 * noise * scale, floor))
    return cases


EXERCISE = Exercise(
    "11.b",
    oracle=_charge,
    cases=_batches,
    mistakes=(
        Mistake(
            "maximum for each example",
            lambda kl, floor: kl.clamp_min(floor).mean(0).sum(),
            "You compare each example's KL with the floor. Average over the batch first: an "
            "example may be cheap as long as others are not.",
        ),
        Mistake(
            "floor for the sum",
            lambda kl, floor: kl.mean(0).sum().clamp_min(floor),
            "You compare the sum over dimensions with the floor. Each dimension has a floor of its "
            "own, or one of them could use up all that is free.",
        ),
        Mistake(
            "minimum",
            lambda kl, floor: kl.mean(0).clamp_max(floor).sum(),
            "You take the smaller of the two. What is charged is never below the floor.",
        ),
        Mistake(
            "what is above the floor",
            lambda kl, floor: (kl.mean(0) - floor).clamp_min(0).sum(),
            "You charge what exceeds the floor. That has the same gradient, but free bits charge "
            "the floor as well.",
        ),
        Mistake(
            "mean over dimensions",
            lambda kl, floor: kl.mean(0).clamp_min(floor).mean(),
            "You average over latent dimensions. The KL is a sum over them.",
        ),
        Mistake(
            "sum over the batch",
            lambda kl, floor: kl.sum(0).clamp_min(floor).sum(),
            "You add the examples up before you compare. The floor is in nats for an example, so "
            "it is compared with their mean.",
        ),
        Mistake(
            "no floor",
            lambda kl, floor: kl.mean(0).sum(),
            "That is the plain KL. Where is the floor?",
        ),
        Mistake(
            "not summed",
            lambda kl, floor: kl.mean(0).clamp_min(floor),
            "You have a charge for each dimension. One number is asked for, their sum.",
        ),
    ),
)
