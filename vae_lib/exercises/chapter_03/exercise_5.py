"""Exercise 3.5: how many draws count."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _effective_sample_size(log_w: Tensor) -> Tensor:
    return 1 / torch.softmax(log_w, dim=0).square().sum(0)


def _log_weight_cases(generator: torch.Generator) -> list[tuple]:
    # The first shows what is right on paper, the others what floating point makes of it.
    shapes_and_levels = [((8, 2), -2.0), ((40, 3), -1200.0), ((9, 5), 1000.0)]
    return [
        (level + 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64),)
        for shape, level in shapes_and_levels
    ]


EXERCISE = Exercise(
    "3.5",
    oracle=_effective_sample_size,
    cases=_log_weight_cases,
    mistakes=(
        Mistake(
            "weights exponentiated",
            lambda log_w: log_w.exp().sum(0).square() / log_w.exp().square().sum(0),
            "Right on paper, but the weights leave the range of floating point, and 0 / 0 or "
            "inf / inf is nan. Form both sums by `logsumexp` and exponentiate last.",
        ),
        Mistake(
            "logarithms as weights",
            lambda log_w: log_w.sum(0).square() / log_w.square().sum(0),
            "You apply the formula to the logarithms of the weights instead of the weights.",
        ),
        Mistake(
            "square of the logarithm",
            lambda log_w: torch.exp(2 * log_w.logsumexp(0) - log_w.square().logsumexp(0)),
            "The logarithm of w squared is not the square of log w.",
        ),
        Mistake(
            "logarithm of the result",
            lambda log_w: 2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0),
            "This is the logarithm of the effective sample size.",
        ),
        Mistake(
            "share of the draws",
            lambda log_w: _effective_sample_size(log_w) / len(log_w),
            "This is the share of the draws that count; the effective sample size is their "
            "number, between 1 and K.",
        ),
        Mistake(
            "inverse",
            lambda log_w: 1 / _effective_sample_size(log_w),
            "Your ratio is upside down: equal weights must give K, not 1 / K.",
        ),
    ),
)
