"""Exercise 2.2: a draw."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _draw(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    covariance = torch.diag_embed(log_var.exp())
    factor = torch.linalg.cholesky(covariance)
    return mu + (factor @ eps.unsqueeze(-1)).squeeze(-1)


def _draw_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, n_images, latent_dim in [(5, 3, 2), (4, 2, 6)]:
        shape = n_draws + 2, n_images, latent_dim
        numbers = torch.randn(*shape, generator=generator, dtype=torch.float64)
        cases.append((numbers[0], 2 * numbers[1], numbers[2:]))
    return cases


EXERCISE = Exercise(
    "2.2",
    oracle=_draw,
    cases=_draw_cases,
    mistakes=(
        Mistake(
            "variance as scale",
            lambda mu, log_var, eps: mu + log_var.exp() * eps,
            "Your draws have the standard deviation σ²: the noise is scaled by σ, and "
            "`log_var.exp()` is not σ.",
        ),
        Mistake(
            "log-variance as scale",
            lambda mu, log_var, eps: mu + log_var * eps,
            "You scale the noise by log σ², which may be negative and is 0 where σ is 1.",
        ),
        Mistake(
            "half the log-variance as scale",
            lambda mu, log_var, eps: mu + 0.5 * log_var * eps,
            "You scale the noise by log σ. One step is missing to come from log σ to σ.",
        ),
        Mistake(
            "mean as draw",
            lambda mu, log_var, eps: mu.expand_as(eps),
            "You return the mean of q(z|x), which is no draw: where is the noise?",
        ),
        Mistake(
            "mean scaled as well",
            lambda mu, log_var, eps: (mu + eps) * (0.5 * log_var).exp(),
            "Only the noise is scaled by σ: your draws scatter about σμ instead of μ.",
        ),
        Mistake(
            "precision as scale",
            lambda mu, log_var, eps: mu + eps * (-0.5 * log_var).exp(),
            "You divide the noise by σ: where q(z|x) is wide, your draws are narrow.",
        ),
    ),
)
