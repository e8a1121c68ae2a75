"""Exercise 14.2: the effective sample size, from log-weights."""

import math
from fractions import Fraction

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _effective(log_w: Tensor) -> Tensor:
    # By exact fractions, of weights relative to the largest.
    sizes = []
    for column in log_w.T.tolist():
        weights = [Fraction(math.exp(value - max(column))) for value in column]
        sizes.append(float(sum(weights) ** 2 / sum(w * w for w in weights)))
    return torch.tensor(sizes, dtype=torch.float64)


def _log_weights(generator: torch.Generator) -> list[tuple]:
    draw = torch.randn(8, 3, generator=generator, dtype=torch.float64)
    equal = torch.zeros(5, 2, dtype=torch.float64)
    # Each example at a level of its own: one constant for all of them would not do.
    apart = draw + torch.tensor([-3000.0, 0.0, 2000.0], dtype=torch.float64)
    return [(draw,), (equal,), (2 * draw[:6] - 3000,), (draw + 2000,), (apart,)]


def _of_weights(log_w: Tensor) -> Tensor:
    w = log_w.exp()
    return w.sum(0).square() / w.square().sum(0)


def _relative_to_all(log_w: Tensor) -> Tensor:
    return _of_weights(log_w - log_w.max())


def _over_examples(log_w: Tensor) -> Tensor:
    return _effective(log_w.T)


def _perplexity(log_w: Tensor) -> Tensor:
    share = torch.softmax(log_w, 0)
    return torch.exp(-torch.xlogy(share, share).sum(0))


def _of_log_weights(log_w: Tensor) -> Tensor:
    return log_w.sum(0).square() / log_w.square().sum(0)


EXERCISE = Exercise(
    "14.2",
    oracle=_effective,
    cases=_log_weights,
    mistakes=(
        Mistake(
            "weights themselves",
            _of_weights,
            "Right for moderate weights. But exp(-3000) is 0 and exp(2000) infinite in floating "
            "point: a factor common to all weights may be taken out first.",
        ),
        Mistake(
            "one constant for all examples",
            _relative_to_all,
            "Right where all examples are at one level. But you take the largest log-weight of the "
            "whole table out of every example: each has to lose its own largest.",
        ),
        Mistake(
            "log-weights for weights",
            _of_log_weights,
            "You square and sum the log-weights. The formula speaks of the weights.",
        ),
        Mistake(
            "over the examples",
            _over_examples,
            "You sum along the examples. The draws are the first axis of (K, B).",
        ),
        Mistake(
            "share",
            lambda log_w: _effective(log_w) / len(log_w),
            "That is the effective share of the draws: do not divide by K.",
        ),
        Mistake(
            "inverse",
            lambda log_w: 1 / _effective(log_w),
            "That is one over the effective sample size.",
        ),
        Mistake(
            "logarithm",
            lambda log_w: _effective(log_w).log(),
            "That is the logarithm of the effective sample size.",
        ),
        Mistake(
            "entropy",
            _perplexity,
            "That is the exponential of the weights' entropy, a cousin of what is asked for.",
        ),
        Mistake(
            "largest weight",
            lambda log_w: 1 / torch.softmax(log_w, 0).amax(0),
            "You divide by the largest share only; the formula has the sum of all squares.",
        ),
    ),
)
