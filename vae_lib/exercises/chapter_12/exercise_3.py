"""Exercise 12.3: a σ that suits the networks better."""

import math

import torch
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake


def _gain(sse: float, n_pixels: int, sigma: float, beta: float) -> float:
    """By the densities: an image whose error is spread evenly over its pixels."""
    error = torch.full((n_pixels,), math.sqrt(sse / n_pixels), dtype=torch.float64)
    scores = [
        td.Normal(0.0, torch.tensor(scale, dtype=torch.float64)).log_prob(error).sum()
        for scale in (sigma, math.sqrt(beta) * sigma)
    ]
    return (scores[1] - scores[0]).item()


def _settings(generator: torch.Generator) -> list[tuple]:
    return [(1.9, 64, 1.0, 0.09), (31.0, 784, 0.3, 2.5), (5.0, 16, 0.7, 0.4)]


def _by_parts(error_weight: float, constant: float) -> object:
    def wrong(sse: float, n_pixels: int, sigma: float, beta: float) -> float:
        error = sse / (2 * sigma**2) * (1 - 1 / beta)
        return error_weight * error - constant * n_pixels * math.log(beta) / 2

    return wrong


def _sigma_times_beta(sse: float, n_pixels: int, sigma: float, beta: float) -> float:
    return _gain(sse, n_pixels, sigma, beta**2)


def _divided(sse: float, n_pixels: int, sigma: float, beta: float) -> float:
    return _gain(sse, n_pixels, sigma, 1 / beta)


EXERCISE = Exercise(
    "12.3",
    oracle=_gain,
    cases=_settings,
    mistakes=(
        Mistake(
            "constant forgotten",
            _by_parts(1, 0),
            "You have the change of the error's term. The constant, half a logarithm of 2πσ² for "
            "each pixel, changes too.",
        ),
        Mistake(
            "error forgotten",
            _by_parts(0, 1),
            "You have the change of the constant. The error is divided by another σ² too.",
        ),
        Mistake(
            "sign",
            _by_parts(-1, -1),
            "That is what the distortion gains. The ELBO loses as much: turn the sign.",
        ),
        Mistake(
            "sign of the error",
            _by_parts(-1, 1),
            "The constant is right, and the error's term has the wrong sign: a smaller σ makes "
            "the same error dearer.",
        ),
        Mistake(
            "sign of the constant",
            _by_parts(1, -1),
            "The error's term is right, and the constant's has the wrong sign: a smaller σ makes "
            "the density higher.",
        ),
        Mistake(
            "one pixel",
            lambda sse, n_pixels, sigma, beta: (
                sse / (2 * sigma**2) * (1 - 1 / beta) - math.log(beta) / 2
            ),
            "The constant is there once for every pixel.",
        ),
        Mistake(
            "log β in full",
            _by_parts(1, 2),
            "The constant is half of log 2πσ² for each pixel, and σ² is multiplied by β, not σ.",
        ),
        Mistake(
            "β in place of its root",
            _sigma_times_beta,
            "You multiply σ by β. It is σ² that is multiplied by β.",
        ),
        Mistake(
            "divided by the root",
            _divided,
            "You divide σ by the root of β. With β below 1, is the new σ larger or smaller?",
        ),
        Mistake(
            "per pixel",
            lambda sse, n_pixels, sigma, beta: _gain(sse, n_pixels, sigma, beta) / n_pixels,
            "That is the gain for each pixel. It is asked for an image.",
        ),
        Mistake(
            "sse averaged",
            lambda sse, n_pixels, sigma, beta: (
                sse / n_pixels / (2 * sigma**2) * (1 - 1 / beta) - n_pixels * math.log(beta) / 2
            ),
            "`sse` is summed over pixels already, as the constant is. You divide it by them.",
        ),
    ),
)
