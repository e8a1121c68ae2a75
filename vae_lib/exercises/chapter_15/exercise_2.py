"""Exercise 15.2: the mean and the covariance of a turned Gaussian."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _turned(mu: Tensor, variance: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
    # The covariance as a sum over the axes: each becomes a column of R.
    mean = torch.stack([sum(r * m for r, m in zip(row, mu, strict=True)) for row in rotation])
    columns = [v * torch.outer(axis, axis) for v, axis in zip(variance, rotation.T, strict=True)]
    return mean, sum(columns)


def _gaussians(generator: torch.Generator) -> list[tuple]:
    cases = []
    for latent_dim in (2, 4):
        draws = torch.randn(latent_dim, latent_dim, generator=generator, dtype=torch.float64)
        q, r = torch.linalg.qr(draws)
        mu = torch.randn(latent_dim, generator=generator, dtype=torch.float64)
        variance = 0.1 + torch.rand(latent_dim, generator=generator, dtype=torch.float64)
        cases.append((mu, variance, q * r.diagonal().sign()))
    return cases


def _diagonal(mu: Tensor, variance: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
    return rotation @ mu, rotation.square() @ variance


EXERCISE = Exercise(
    "15.2",
    oracle=_turned,
    cases=_gaussians,
    mistakes=(
        Mistake(
            "turned the other way",
            lambda mu, variance, rotation: (
                rotation.T @ mu,
                rotation.T @ torch.diag(variance) @ rotation,
            ),
            "That is the Gaussian of Rᵀ z, turned the other way.",
        ),
        Mistake(
            "covariance turned the other way",
            lambda mu, variance, rotation: (
                rotation @ mu,
                rotation.T @ torch.diag(variance) @ rotation,
            ),
            "The mean is right. Your covariance is that of Rᵀ z.",
        ),
        Mistake(
            "mean turned the other way",
            lambda mu, variance, rotation: (mu @ rotation, _turned(mu, variance, rotation)[1]),
            "The covariance is right. Your mean is that of Rᵀ z.",
        ),
        Mistake(
            "mean not turned",
            lambda mu, variance, rotation: (mu, _turned(mu, variance, rotation)[1]),
            "The covariance is right, and the mean has to be turned as well.",
        ),
        Mistake(
            "variances only",
            _diagonal,
            "These are the variances of the turned Gaussian. Its dimensions are correlated: give "
            "the whole matrix.",
        ),
        Mistake(
            "diagonal matrix",
            lambda mu, variance, rotation: (
                rotation @ mu,
                torch.diag(rotation.square() @ variance),
            ),
            "The variances are right, but turned dimensions are correlated: the entries beside "
            "the diagonal are not zero.",
        ),
        Mistake(
            "covariance not turned",
            lambda mu, variance, rotation: (rotation @ mu, torch.diag(variance)),
            "The mean is right, and the covariance has to be turned as well.",
        ),
        Mistake(
            "on one side",
            lambda mu, variance, rotation: (rotation @ mu, rotation @ torch.diag(variance)),
            "A covariance is turned on both sides, and stays symmetric.",
        ),
        Mistake(
            "standard deviations",
            lambda mu, variance, rotation: (
                rotation @ mu,
                rotation @ torch.diag(variance.sqrt()) @ rotation.T,
            ),
            "You turn standard deviations. It is the covariance, with variances on its diagonal, "
            "that becomes R Σ Rᵀ.",
        ),
    ),
)
