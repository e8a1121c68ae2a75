"""Exercise 9.4: moments of the noise."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _moments(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    whitened = torch.linalg.solve(torch.diag((0.5 * log_var).exp()), (z - mu).T)
    return torch.stack([torch.outer(u, u) for u in whitened.T]).mean(0)


def _moment_cases(generator: torch.Generator) -> list[tuple]:
    """Draws with a wrong mean, a wrong scale and correlation: every term of the matrix counts."""
    cases = []
    for n_draws, latent_dim in ((9, 2), (12, 4)):
        mu, log_var = torch.randn(2, latent_dim, generator=generator, dtype=torch.float64)
        eps = torch.randn(n_draws, latent_dim, generator=generator, dtype=torch.float64)
        eps = eps + 0.7 * eps[:, :1] + 0.5
        cases.append((mu + 1.3 * (0.5 * log_var).exp() * eps, mu, log_var))
    return cases


def _outer_mean(u: Tensor) -> Tensor:
    return u.T @ u / len(u)


EXERCISE = Exercise(
    "9.4",
    oracle=_moments,
    cases=_moment_cases,
    mistakes=(
        Mistake(
            "variance as scale",
            lambda z, mu, log_var: _outer_mean((z - mu) / log_var.exp()),
            "You divide by the variance. Standardised draws are divided by the standard "
            "deviation, the square root of it.",
        ),
        Mistake(
            "no exponential",
            lambda z, mu, log_var: _outer_mean((z - mu) / log_var),
            "You divide by the logarithm of the variance, which may even be negative.",
        ),
        Mistake(
            "covariance",
            lambda z, mu, log_var: torch.cov(((z - mu) / (0.5 * log_var).exp()).T),
            "`torch.cov` subtracts the sample's own mean and divides by K - 1. A sampler with "
            "a wrong mean would pass: take plain second moments.",
        ),
        Mistake(
            "covariance over K",
            lambda z, mu, log_var: torch.cov(((z - mu) / (0.5 * log_var).exp()).T, correction=0),
            "The sample's own mean has been subtracted, so a sampler with a wrong mean would "
            "pass: take plain second moments.",
        ),
        Mistake(
            "divided by K - 1",
            lambda z, mu, log_var: (
                len(z) / (len(z) - 1) * _outer_mean((z - mu) / (0.5 * log_var).exp())
            ),
            "You divide by K - 1, which makes up for subtracting the sample's own mean. Nothing "
            "of the sample's is subtracted here: divide by K.",
        ),
        Mistake(
            "standardised by the sample",
            lambda z, mu, log_var: _outer_mean((z - z.mean(0)) / z.std(0)),
            "You standardise by the sample's own mean and deviation, so that a sampler whose mean "
            "and scale are wrong would pass. Use the `mu` and `log_var` that are claimed.",
        ),
        Mistake(
            "correlation",
            lambda z, mu, log_var: torch.corrcoef(z.T),
            "A correlation is scaled by the sample itself and has ones on its diagonal "
            "whatever the sampler does. Use the `mu` and `log_var` that are claimed.",
        ),
        Mistake(
            "diagonal only",
            lambda z, mu, log_var: torch.diag(((z - mu) / (0.5 * log_var).exp()).square().mean(0)),
            "The variances are right, but noise shared between dimensions shows off the "
            "diagonal only: all products of two dimensions are wanted.",
        ),
        Mistake(
            "not divided by K",
            lambda z, mu, log_var: len(z) * _outer_mean((z - mu) / (0.5 * log_var).exp()),
            "This is a sum over the draws; a moment is their mean.",
        ),
    ),
)
