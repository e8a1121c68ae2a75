"""Exercise 11.1: how many dimensions stay lit."""

import numpy as np
import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _n_lit(eigenvalues: Tensor, latent_dim: int, sigma: float, beta: float) -> int:
    """By building the best model direction by direction, as long as a column pays."""
    n = 0
    for variance in sorted(np.asarray(eigenvalues).tolist(), reverse=True):
        # The objective's gain of a short column, per squared length, up to a positive factor.
        if n < latent_dim and variance / (beta * sigma**2) - 1 > 0:
            n += 1
    return n


def _spectra(generator: torch.Generator) -> list[tuple]:
    spectrum = torch.tensor([0.4, 7.0, 1.5, 3.0, 0.2, 2.2], dtype=torch.float64)
    return [
        (spectrum, 6, 1.1, 1.0),
        (spectrum, 3, 0.8, 1.0),
        (spectrum, 5, 0.6, 0.3),
        (spectrum, 4, 0.8, 4.0),
        (spectrum, 6, 2.0, 2.0),
    ]


EXERCISE = Exercise(
    "11.1",
    oracle=_n_lit,
    cases=_spectra,
    mistakes=(
        Mistake(
            "latent dimension forgotten",
            lambda eigenvalues, latent_dim, sigma, beta: int((eigenvalues > beta * sigma**2).sum()),
            "You count directions of the data. A model with `latent_dim` dimensions cannot light "
            "more than it has.",
        ),
        Mistake(
            "the first ones, as they come",
            lambda eigenvalues, latent_dim, sigma, beta: int(
                (eigenvalues[:latent_dim] > beta * sigma**2).sum()
            ),
            "You look at the first `latent_dim` eigenvalues in the order in which they came. The "
            "largest ones are used, wherever they stand.",
        ),
        Mistake(
            "beta left out",
            lambda eigenvalues, latent_dim, sigma, beta: min(
                latent_dim, int((eigenvalues > sigma**2).sum())
            ),
            "You compare with σ². Where is β?",
        ),
        Mistake(
            "beta squared",
            lambda eigenvalues, latent_dim, sigma, beta: min(
                latent_dim, int((eigenvalues > (beta * sigma) ** 2).sum())
            ),
            "You compare with (β σ)². Only σ is squared.",
        ),
        Mistake(
            "sigma not squared",
            lambda eigenvalues, latent_dim, sigma, beta: min(
                latent_dim, int((eigenvalues > beta * sigma).sum())
            ),
            "Eigenvalues of a covariance are variances. You compare them with β σ.",
        ),
        Mistake(
            "dark ones",
            lambda eigenvalues, latent_dim, sigma, beta: (
                latent_dim - _n_lit(eigenvalues, latent_dim, sigma, beta)
            ),
            "That is the number of dark dimensions. How many are lit?",
        ),
        Mistake(
            "all of them",
            lambda eigenvalues, latent_dim, sigma, beta: latent_dim,
            "You return `latent_dim` whatever σ is: a dimension whose direction varies less than "
            "the noise stays dark.",
        ),
    ),
)
