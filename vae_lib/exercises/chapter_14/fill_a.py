"""Fill-in 14.a: the Fréchet distance of two diagonal Gaussians."""

import numpy as np
import torch
from scipy import linalg
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _frechet(mean_a: Tensor, var_a: Tensor, mean_b: Tensor, var_b: Tensor) -> Tensor:
    # Equation 14.2 as it stands, with a root of the matrix.
    a, b = np.diag(var_a.numpy()), np.diag(var_b.numpy())
    spread = np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    return (mean_a - mean_b).square().sum() + spread


def _gaussians(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_dims in (3, 5):
        means = torch.randn(2, n_dims, generator=generator, dtype=torch.float64)
        variances = 0.2 + 3 * torch.rand(2, n_dims, generator=generator, dtype=torch.float64)
        cases.append((means[0], variances[0], means[1], variances[1]))
    return cases


def _spread(var_a: Tensor, var_b: Tensor) -> Tensor:
    return (var_a.sqrt() - var_b.sqrt()).square()


EXERCISE = Exercise(
    "14.a",
    oracle=_frechet,
    cases=_gaussians,
    mistakes=(
        Mistake(
            "variances for standard deviations",
            lambda mean_a, var_a, mean_b, var_b: (
                (mean_a - mean_b).square() + (var_a - var_b).square()
            ).sum(),
            "You compare variances. In one dimension the trace is σa² + σb² - 2 σa σb, a square of "
            "standard deviations.",
        ),
        Mistake(
            "root forgotten",
            lambda mean_a, var_a, mean_b, var_b: (
                (mean_a - mean_b).square() + var_a + var_b - 2 * var_a * var_b
            ).sum(),
            "The product of the covariances stands under a root.",
        ),
        Mistake(
            "no factor 2",
            lambda mean_a, var_a, mean_b, var_b: (
                (mean_a - mean_b).square() + var_a + var_b - (var_a * var_b).sqrt()
            ).sum(),
            "With that, two equal Gaussians would not be at distance 0: the root is taken away "
            "twice.",
        ),
        Mistake(
            "means only",
            lambda mean_a, var_a, mean_b, var_b: (mean_a - mean_b).square().sum(),
            "That is the first term; the covariances have to be compared as well.",
        ),
        Mistake(
            "covariances only",
            lambda mean_a, var_a, mean_b, var_b: _spread(var_a, var_b).sum(),
            "That is the second term; the means have to be compared as well.",
        ),
        Mistake(
            "one for each dimension",
            lambda mean_a, var_a, mean_b, var_b: (mean_a - mean_b).square() + _spread(var_a, var_b),
            "One value for each dimension, and each is right: norm and trace are sums over them.",
        ),
        Mistake(
            "mean over dimensions",
            lambda mean_a, var_a, mean_b, var_b: (
                (mean_a - mean_b).square() + _spread(var_a, var_b)
            ).mean(),
            "You average over the dimensions; norm and trace are sums.",
        ),
        Mistake(
            "root of the whole",
            lambda mean_a, var_a, mean_b, var_b: (
                ((mean_a - mean_b).square() + _spread(var_a, var_b)).sum().sqrt()
            ),
            "You take the root at the end. Equation 14.2 gives the square of the distance.",
        ),
    ),
)
