"""Exercise 12.2: the β that a curve implies."""

import numpy as np
import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _by_lines(rates: Tensor, distortions: Tensor) -> Tensor:
    """The slope of a straight line fitted through each pair of neighbours."""
    pairs = [[i - 1, i + 1] for i in range(1, len(rates) - 1)]
    fits = [np.polyfit(rates[pair].numpy(), distortions[pair].numpy(), 1) for pair in pairs]
    return torch.tensor([-slope for slope, _ in fits], dtype=rates.dtype)


def _curves(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n in (4, 7):
        steps = 0.3 + torch.rand(n, generator=generator, dtype=torch.float64)
        rates = steps.flip(0).cumsum(0).flip(0)
        noise = 0.02 * torch.rand(n, generator=generator, dtype=torch.float64)
        cases.append((rates, 20 * (-0.3 * rates).exp() + noise))
    return cases


def _rise(rates: Tensor, distortions: Tensor) -> tuple[Tensor, Tensor]:
    return rates[2:] - rates[:-2], distortions[2:] - distortions[:-2]


EXERCISE = Exercise(
    "12.2",
    oracle=_by_lines,
    cases=_curves,
    mistakes=(
        Mistake(
            "sign",
            lambda rates, distortions: _rise(rates, distortions)[1] / _rise(rates, distortions)[0],
            "That is the slope, which is negative. A price is not: the slope is −β.",
        ),
        Mistake(
            "upside down",
            lambda rates, distortions: -_rise(rates, distortions)[0] / _rise(rates, distortions)[1],
            "You have the nats of code for a nat of distortion. β is what a nat of code saves.",
        ),
        Mistake(
            "next neighbour alone",
            lambda rates, distortions: -(distortions.diff() / rates.diff())[1:],
            "You take the slope from each point to the next. Take it from the one before to the "
            "one after.",
        ),
        Mistake(
            "last neighbour alone",
            lambda rates, distortions: -(distortions.diff() / rates.diff())[:-1],
            "You take the slope from the point before to each point. Take it from the one before "
            "to the one after.",
        ),
        Mistake(
            "all slopes",
            lambda rates, distortions: -distortions.diff() / rates.diff(),
            "These are the slopes between each two points in a row, one too many.",
        ),
        Mistake(
            "mean of the two slopes",
            lambda rates, distortions: (
                -torch.stack(
                    [(distortions.diff() / rates.diff())[i : len(rates) - 2 + i] for i in (0, 1)]
                ).mean(0)
            ),
            "You average the slopes on either side. Where the steps differ in length that is "
            "not the slope of the line between the neighbours.",
        ),
        Mistake(
            "the ratio itself",
            lambda rates, distortions: (distortions / rates)[1:-1],
            "That is D / R at each point. A price is about the last nat, not about all of them: "
            "compare neighbours.",
        ),
        Mistake(
            "ends included",
            lambda rates, distortions: -torch.gradient(distortions, spacing=(rates,))[0],
            "These are slopes at all points, the two ends included, fitted by parabolas. The "
            "inner points are asked for, by the line between their neighbours.",
        ),
        Mistake(
            "parabola",
            lambda rates, distortions: -torch.gradient(distortions, spacing=(rates,))[0][1:-1],
            "That is the slope of a parabola through three points, a good answer to another "
            "question. Take the line between the neighbours.",
        ),
    ),
)
