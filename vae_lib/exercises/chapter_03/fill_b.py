"""Fill-in 3.b: how far a draw is from its mean."""

from collections.abc import Callable

import torch

from vae_lib.exercises import Exercise, Mistake


def _squared_distance(n_pixels: int, sigma: float) -> float:
    """The expected squared length of a Gaussian vector is the trace of its covariance."""
    return torch.full((n_pixels,), sigma, dtype=torch.float64).square().sum().item()


def _sizes(generator: torch.Generator) -> list[tuple]:
    return [(64, 0.25), (784, 0.1), (3, 2.0)]


def _instead(formula: Callable[[int, float], float]) -> Callable[[int, float], float]:
    def wrong(n_pixels: int, sigma: float) -> float:
        return formula(n_pixels, sigma)

    return wrong


EXERCISE = Exercise(
    "3.b",
    oracle=_squared_distance,
    cases=_sizes,
    mistakes=(
        Mistake(
            "one pixel",
            _instead(lambda d, s: s**2),
            "That is the mean square of one pixel's error. How many pixels add up?",
        ),
        Mistake(
            "distance, not its square",
            _instead(lambda d, s: s * d**0.5),
            "That is the root of what is asked: the squared distance is the sum itself.",
        ),
        Mistake(
            "scale not squared",
            _instead(lambda d, s: d * s),
            "One pixel is off by σε, with a mean square that is σ², not σ.",
        ),
        Mistake(
            "number of pixels squared",
            _instead(lambda d, s: (d * s) ** 2),
            "You square the number of pixels as well. Squares are added up pixel by pixel.",
        ),
        Mistake(
            "one pixel's deviation",
            _instead(lambda d, s: s),
            "That is by how much one pixel is off. Squares of such errors are to be added up.",
        ),
        Mistake(
            "number of pixels alone",
            _instead(lambda d, s: float(d)),
            "That holds for σ = 1. By what is each ε multiplied?",
        ),
        Mistake(
            "half of it",
            _instead(lambda d, s: d * s**2 / 2),
            "You take half of it: the factor 1/2 belongs to the log-density, not to the distance.",
        ),
        Mistake(
            "zero",
            _instead(lambda d, s: 0.0),
            "The errors have mean 0, but their squares do not.",
        ),
    ),
)
