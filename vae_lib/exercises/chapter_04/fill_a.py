"""Fill-in 4.a: the likelihood."""

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_lib.exercises import Exercise, Mistake


def _gaussian_nll(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    return -Independent(Normal(mu, sigma), 1).log_prob(x)


def _terms(x: Tensor, mu: Tensor) -> tuple[Tensor, int]:
    return (x - mu).square().sum(-1), x.shape[-1]


def _sigma_for_variance(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma) + n_pixels / 2 * math.log(2 * math.pi * sigma**2)


def _log_sigma_for_log_variance(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma**2) + n_pixels / 2 * math.log(2 * math.pi * sigma)


def _no_half_before_logarithm(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma**2) + n_pixels * math.log(2 * math.pi * sigma**2)


def _no_half_before_error(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / sigma**2 + n_pixels / 2 * math.log(2 * math.pi * sigma**2)


def _constant_for_one_pixel(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, _ = _terms(x, mu)
    return sse / (2 * sigma**2) + 0.5 * math.log(2 * math.pi * sigma**2)


def _without_logarithm(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    return _terms(x, mu)[0] / (2 * sigma**2)


def _without_two_pi(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma**2) + n_pixels / 2 * math.log(sigma**2)


def _batches_and_scales(generator: torch.Generator) -> list[tuple]:
    shapes, scales = [(3, 5), (4, 7)], [0.3, 1.7]
    pairs = [torch.randn(2, *s, generator=generator, dtype=torch.float64) for s in shapes]
    return [(*pair, sigma) for pair, sigma in zip(pairs, scales, strict=True)]


EXERCISE = Exercise(
    "4.a",
    oracle=_gaussian_nll,
    cases=_batches_and_scales,
    mistakes=(
        Mistake(
            "sigma for variance in the error",
            _sigma_for_variance,
            "The squared error is divided by something in the same, squared, units.",
        ),
        Mistake(
            "sigma for variance in the logarithm",
            _log_sigma_for_log_variance,
            "With D/2 in front, what stands in the logarithm is the variance.",
        ),
        Mistake(
            "no half before the logarithm",
            _no_half_before_logarithm,
            "The normalising constant of one pixel is the root of 2πσ²: what does a root "
            "become under a logarithm?",
        ),
        Mistake(
            "no half before the error",
            _no_half_before_error,
            "The error term is too large by a factor of 2: look at the exponent of the "
            "density again.",
        ),
        Mistake(
            "constant of one pixel",
            _constant_for_one_pixel,
            "Every pixel has a normalising constant of its own. How many pixels are there?",
        ),
        Mistake(
            "no logarithm",
            _without_logarithm,
            "Without the term in log σ an infinite σ would be best: your density does not "
            "integrate to 1.",
        ),
        Mistake(
            "no 2π",
            _without_two_pi,
            "Your density integrates to (2π)^(D/2), not to 1: a constant is missing.",
        ),
        Mistake(
            "mean over pixels",
            lambda x, mu, sigma: _gaussian_nll(x, mu, sigma) / x.shape[-1],
            "The logarithm of a product over the pixels is a sum, not a mean.",
        ),
        Mistake(
            "wrong sign",
            lambda x, mu, sigma: -_gaussian_nll(x, mu, sigma),
            "That is log p. The exercise asks for minus log p, which is smaller where x is "
            "nearer to its mean.",
        ),
    ),
)
