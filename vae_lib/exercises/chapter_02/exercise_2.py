"""Exercise 2.2: a draw."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake, laws


def _draw(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    covariance = torch.diag_embed(log_var.exp())
    factor = torch.linalg.cholesky(covariance)
    return mu + (factor @ eps.unsqueeze(-1)).squeeze(-1)


def _draw_cases(generator: torch.Generator) -> list[tuple]:
    cases, generator = [], laws.apart(generator)
    for n_draws, n_images, latent_dim in [(laws.MIN_ROWS, 3, 2), (laws.MIN_ROWS, 1, 5), (1, 4, 3)]:
        shape = n_draws + 2, n_images, latent_dim
        numbers = torch.randn(*shape, generator=generator)
        cases.append((numbers[0], 2 * numbers[1], numbers[2:]))
    return cases


def _law(z: Tensor, mu: Tensor, log_var: Tensor, eps: Tensor) -> tuple:
    """Of the standardised draws: any draws from q(z|x) are right, `mu - sigma * eps` among them."""
    z = torch.as_tensor(z).detach().double()
    if len(z) < laws.MIN_ROWS:
        return z.isfinite(), "one draw"
    z = ((z - mu) / (0.5 * log_var.double()).exp()).flatten(1)
    u = torch.special.ndtr(laws.standardised(z))
    scale = z.std(0).clamp(min=1e-6)
    return (
        z.mean(0) / scale,
        scale.log(),
        "Gaussian" if laws.are_uniform(u) else "not Gaussian",
        "dimensions independent" if laws.are_independent_columns(u) else "dimensions dependent",
        "draws independent" if laws.are_independent_rows(u) else "draws dependent",
    )


EXERCISE = Exercise(
    "2.2",
    oracle=_draw,
    cases=_draw_cases,
    summarise=_law,
    seconds=10.0,  # what judges the law counts as well
    rtol=0.0,
    atol=0.18,  # 8 standard errors of the difference of two means of 4,000 draws
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
        Mistake(
            "noise shared by the dimensions",
            lambda mu, log_var, eps: mu + (0.5 * log_var).exp() * eps[..., :1],
            "The scale is right, but all dimensions of a draw get the same noise: `eps` has a "
            "number for each.",
        ),
        Mistake(
            "noise shared by the images",
            lambda mu, log_var, eps: mu + (0.5 * log_var).exp() * eps[:, :1],
            "The scale is right, but the images share their noise: `eps` has numbers for each.",
        ),
    ),
)
