"""Fill-in 6.a: the ELBO from log-weights."""

import math

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _elbo_from_weights(log_w: Tensor) -> Tensor:
    """The logarithm of the geometric mean of the weights, one image after the other."""
    return torch.stack([sum(column) / len(column) for column in log_w.unbind(1)])


def _log_weight_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(6, 3), (5, 4)]
    return [(torch.randn(s, generator=generator, dtype=torch.float64) - 2,) for s in shapes]


EXERCISE = Exercise(
    "6.a",
    oracle=_elbo_from_weights,
    cases=_log_weight_cases,
    mistakes=(
        Mistake(
            "logarithm of the mean",
            lambda log_w: torch.logsumexp(log_w, dim=0) - math.log(len(log_w)),
            "That is the logarithm of the mean weight, chapter 3's estimate of log p(x). In the "
            "bound the mean stands outside the logarithm.",
        ),
        Mistake(
            "mean of the weights",
            lambda log_w: log_w.exp().mean(0),
            "That is the mean weight, an estimate of p(x). The bound averages logarithms.",
        ),
        Mistake(
            "sum over the draws",
            lambda log_w: log_w.sum(0),
            "Your value is the number of draws times too large: an expectation is a mean.",
        ),
        Mistake(
            "mean over the images",
            lambda log_w: log_w.mean(1),
            "You average over images, and get one value for each draw. Which axis has the draws?",
        ),
        Mistake(
            "one number",
            lambda log_w: log_w.mean(),
            "One value for each image, please: every image has a bound of its own.",
        ),
    ),
)
