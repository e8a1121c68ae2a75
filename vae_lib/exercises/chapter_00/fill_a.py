"""Fill-in 0.a: a point of the cloud."""

import torch
from torch import Tensor
from torch.distributions import AffineTransform

from vae_lib.exercises import Exercise, Mistake


def _point(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    return AffineTransform(mu, log_var.exp().sqrt())(eps)


def _clouds(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n in (5, 8):
        numbers = torch.randn(3, n, 2, generator=generator, dtype=torch.float64)
        cases.append((numbers[0], 1.5 * numbers[1], numbers[2] + 0.2 * numbers[2].sign()))
    return cases


def _factors(z: Tensor, mu: Tensor, log_var: Tensor, eps: Tensor) -> tuple:
    """By what the noise was multiplied: by σ, or by −σ in a column, which gives the same cloud."""
    z = torch.as_tensor(z).detach().double()
    if z.shape != mu.shape:
        return (z,)
    factors = (z - mu) / eps
    return (factors * factors[:1].sign(),)


EXERCISE = Exercise(
    "0.a",
    oracle=_point,
    cases=_clouds,
    summarise=_factors,
    rtol=1e-3,
    atol=1e-3,
    mistakes=(
        Mistake(
            "variance as width",
            lambda mu, log_var, eps: mu + log_var.exp() * eps,
            "`log_var.exp()` is σ², the square of the width. By what is the noise to be "
            "multiplied?",
        ),
        Mistake(
            "log-variance as width",
            lambda mu, log_var, eps: mu + log_var * eps,
            "You multiply the noise by log σ², which is 0 for a cloud of width 1. How does one "
            "come from log σ² to σ?",
        ),
        Mistake(
            "half the log-variance as width",
            lambda mu, log_var, eps: mu + log_var / 2 * eps,
            "Half of log σ² is log σ. One step is missing from there to σ.",
        ),
        Mistake(
            "no noise",
            lambda mu, log_var, eps: mu,
            "That is the middle of the cloud, the same every time. Where does `eps` come in?",
        ),
        Mistake(
            "noise of width 1",
            lambda mu, log_var, eps: mu + eps,
            "All your clouds have width 1. Each has a width of its own, which is in `log_var`.",
        ),
        Mistake(
            "middle left out",
            lambda mu, log_var, eps: (log_var / 2).exp() * eps,
            "The width is right, but your clouds lie around the origin: each has its middle at "
            "`mu`.",
        ),
        Mistake(
            "middle stretched as well",
            lambda mu, log_var, eps: (mu + eps) * (log_var / 2).exp(),
            "You multiply the middle by σ as well. Only the noise is stretched.",
        ),
    ),
)
