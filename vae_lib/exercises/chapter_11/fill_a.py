"""Fill-in 11.a: the noise at which one dimension goes dark."""

import math
from collections.abc import Callable

import torch
from scipy import optimize

from vae_lib.exercises import Exercise, Mistake


def _largest_sigma(variance: float, beta: float) -> float:
    """Where the KL of the best one-dimensional linear VAE, found by search, first is zero."""

    def gain(log_sigma: float) -> float:
        """The slope, at w² = 0, of the best objective for a column of squared length w²."""
        price = beta * math.exp(2 * log_sigma)
        # With q at its best for that w, the objective is -β/2 (log v + λ/v), v = w² + β σ².
        v = torch.tensor(price, dtype=torch.float64, requires_grad=True)
        (-beta / 2 * (v.log() + variance / v)).backward()
        return v.grad.item()

    return math.exp(optimize.brentq(gain, -20, 20, xtol=1e-12))


def _formula(formula: Callable[[float, float], float]) -> Callable[[float, float], float]:
    def wrong(variance: float, beta: float) -> float:
        return formula(variance, beta)

    return wrong


EXERCISE = Exercise(
    "11.a",
    oracle=_largest_sigma,
    cases=lambda generator: [(9.0, 1.0), (2.0, 4.0), (0.3, 0.5)],
    mistakes=(
        Mistake(
            "variance",
            _formula(lambda variance, beta: variance / beta),
            "That is σ². The function is to return σ.",
        ),
        Mistake(
            "beta left out",
            _formula(lambda variance, beta: math.sqrt(variance)),
            "That is right for β = 1. A larger price makes the dimension go dark sooner.",
        ),
        Mistake(
            "beta the wrong way round",
            _formula(lambda variance, beta: math.sqrt(variance * beta)),
            "With a larger β the dimension should go dark at a smaller σ.",
        ),
        Mistake(
            "beta outside the root",
            _formula(lambda variance, beta: math.sqrt(variance) / beta),
            "β multiplies σ², not σ: it belongs inside the root.",
        ),
        Mistake(
            "the variance itself",
            _formula(lambda variance, beta: variance),
            "The variance is compared with β σ². Solve for σ.",
        ),
    ),
)
