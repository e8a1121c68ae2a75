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
    for n_draws, n_images, latent_dim in [(60, 3, 2), (50, 1, 5), (1, 4, 3)]:
        shape = n_draws + 2, n_images, latent_dim
        numbers = torch.randn(*shape, generator=generator)
        cases.append((numbers[0], 2 * numbers[1], numbers[2:]))
    return cases


def _law(z: Tensor, mu: Tensor, log_var: Tensor, eps: Tensor) -> tuple:
    """The Gaussian that each image's draws come from, read off the map that made them of `eps`.

    Gaussian draws made of noise ε are b + Aᵀε, draw by draw, and any A with AᵀA = diag σ² will do,
    -σ as well as σ.
    """
    z = torch.as_tensor(z).detach().double()
    if len(z) <= 1:
        return "one draw", z.isfinite(), None
    if not z.isfinite().all():
        return "draws that are no numbers", torch.zeros_like(mu), None
    inputs = torch.cat([torch.ones_like(eps[..., :1]), eps], dim=-1).double().transpose(0, 1)
    coefficients = torch.linalg.lstsq(inputs, z.transpose(0, 1)).solution  # (B, 1 + L, L)
    if not torch.allclose(inputs @ coefficients, z.transpose(0, 1), rtol=1e-3, atol=1e-3):
        return "draws made otherwise", torch.zeros_like(mu), None
    # Of σ rather than of σ², so that wide and narrow images are judged alike.
    mean, root = coefficients[:, 0], coefficients[:, 1:] / (0.5 * log_var.double()).exp()[:, None]
    return "draws made of `eps`, draw by draw", mean, root.transpose(1, 2) @ root


EXERCISE = Exercise(
    "2.2",
    oracle=_draw,
    cases=_draw_cases,
    summarise=_law,
    rtol=1e-3,
    atol=1e-3,
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
            "noise not scaled",
            lambda mu, log_var, eps: mu + eps,
            "All your draws scatter with the standard deviation 1. Each image and dimension has "
            "a σ of its own, which is in `log_var`.",
        ),
        Mistake(
            "mean left out",
            lambda mu, log_var, eps: (0.5 * log_var).exp() * eps,
            "The scale is right, but your draws scatter about 0 and not about μ.",
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
        Mistake(
            "noise of its own",
            lambda mu, log_var, eps: mu + (0.5 * log_var).exp() * torch.randn_like(eps),
            "Your draws don't follow from `eps` draw by draw, by the map that makes a Gaussian of "
            "it: the noise is given, and it is yours to shift and to scale.",
        ),
    ),
)
