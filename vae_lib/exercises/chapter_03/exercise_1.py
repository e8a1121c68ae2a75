"""Exercise 3.1: a stable average."""

import torch
from scipy.special import logsumexp
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _log_marginal(log_px: Tensor) -> Tensor:
    return torch.from_numpy(logsumexp(log_px.numpy(), axis=0, b=1 / len(log_px)))


def _log_marginal_cases(generator: torch.Generator) -> list[tuple]:
    # The first shows what is right on paper; the others are far below -745, where the exponential
    # of a double becomes 0.
    shapes_and_levels = [((8, 2), -20.0), ((50, 3), -1500.0), ((7, 4), -1900.0)]
    return [
        (level + 10 * torch.randn(shape, generator=generator, dtype=torch.float64),)
        for shape, level in shapes_and_levels
    ]


EXERCISE = Exercise(
    "3.1",
    oracle=_log_marginal,
    cases=_log_marginal_cases,
    mistakes=(
        Mistake(
            "mean of the logarithms",
            lambda log_px: log_px.mean(0),
            "You average logarithms, which by Jensen's inequality gives something smaller than "
            "the logarithm of the average: which of the two is equation 3.5?",
        ),
        Mistake(
            "sum in place of the mean",
            lambda log_px: torch.logsumexp(log_px, dim=0),
            "Your value grows with the number of draws: an average divides by K. What does "
            "that become on the scale of logarithms?",
        ),
        Mistake(
            "division outside the logarithm",
            lambda log_px: torch.logsumexp(log_px, dim=0) / len(log_px),
            "You divide the logarithm of the sum by K, but it is the sum that is divided, "
            "inside the logarithm.",
        ),
        Mistake(
            "underflow",
            lambda log_px: log_px.exp().mean(0).log(),
            "Right on paper, but exp(-1000) is 0 in floating point and its logarithm -inf. "
            "Which function of torch does all three steps without leaving the logarithms?",
        ),
    ),
)
