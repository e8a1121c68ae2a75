"""Exercise 6.2: the gap from log-weights."""

import math

import torch
from scipy.special import logsumexp
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _gap_estimate(log_w: Tensor) -> Tensor:
    """The logarithm of the mean weight relative to the geometric mean of the weights."""
    relative = (log_w - log_w.mean(0)).numpy()
    return torch.from_numpy(logsumexp(relative, axis=0, b=1 / len(log_w)))


def _log_weight_cases(generator: torch.Generator) -> list[tuple]:
    shapes_and_levels = [((40, 3), -1200.0), ((9, 5), -60.0)]
    return [
        (level + 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64),)
        for shape, level in shapes_and_levels
    ]


def _log_mean_weight(log_w: Tensor) -> Tensor:
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))


EXERCISE = Exercise(
    "6.2",
    oracle=_gap_estimate,
    cases=_log_weight_cases,
    mistakes=(
        Mistake(
            "sign",
            lambda log_w: -_gap_estimate(log_w),
            "Your gap is negative. Which of the two estimates is the larger one?",
        ),
        Mistake(
            "sum of the weights",
            lambda log_w: torch.logsumexp(log_w, dim=0) - log_w.mean(0),
            "Your value is too large by the logarithm of the number of draws: inside the "
            "logarithm stands a mean, not a sum.",
        ),
        Mistake(
            "the evidence alone",
            _log_mean_weight,
            "That is the estimate of log p(x). The gap is what is left when the estimate of "
            "the ELBO has been subtracted.",
        ),
        Mistake(
            "the ELBO alone",
            lambda log_w: log_w.mean(0),
            "That is the estimate of the ELBO. The gap is its distance from log p(x).",
        ),
        Mistake(
            "over the images",
            lambda log_w: torch.logsumexp(log_w, 1) - math.log(log_w.shape[1]) - log_w.mean(1),
            "You average over images, and get one value for each draw. Which axis has the draws?",
        ),
        Mistake(
            "the largest weight",
            lambda log_w: log_w.max(0).values - log_w.mean(0),
            "In place of the mean weight you have the largest one. By how much may they differ?",
        ),
        Mistake(
            "underflow",
            lambda log_w: log_w.exp().mean(0).log() - log_w.mean(0),
            "Right on paper, but exp(-1200) is 0 in floating point and its logarithm -inf. "
            "`logsumexp` stays in the logarithms.",
        ),
    ),
)
