"""Exercise 11.2: the KL of each dimension at the optimum."""

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake


def _optimal_kl(eigenvalues: Tensor, latent_dim: int, sigma: float) -> Tensor:
    """From the posterior of the best decoder, by torch's own KL, at two points of the data."""
    spectrum = eigenvalues.sort(descending=True).values[:latent_dim]
    squared = (spectrum - sigma**2).clamp_min(0)
    variance = sigma**2 / (squared + sigma**2)
    # x = ±√λ has the variance of the data, and the KL is quadratic in x.
    mu = squared.sqrt() / (squared + sigma**2) * spectrum.sqrt()
    return td.kl_divergence(td.Normal(mu, variance.sqrt()), td.Normal(0.0, 1.0))


def _spectra(generator: torch.Generator) -> list[tuple]:
    spectrum = torch.tensor([0.4, 7.0, 1.5, 3.0, 0.2, 2.2], dtype=torch.float64)
    return [(spectrum, 5, 1.1), (spectrum, 3, 0.5), (spectrum.flip(0), 6, 1.6)]


def _kl(eigenvalues: Tensor, sigma: float) -> Tensor:
    return 0.5 * (eigenvalues / sigma**2).log()


def _largest(eigenvalues: Tensor, latent_dim: int) -> Tensor:
    return eigenvalues.sort(descending=True).values[:latent_dim]


EXERCISE = Exercise(
    "11.2",
    oracle=_optimal_kl,
    cases=_spectra,
    mistakes=(
        Mistake(
            "negative ones",
            lambda eigenvalues, latent_dim, sigma: _kl(_largest(eigenvalues, latent_dim), sigma),
            "A dark dimension has a KL of 0, and none has a negative one.",
        ),
        Mistake(
            "no half",
            lambda eigenvalues, latent_dim, sigma: 2 * _optimal_kl(eigenvalues, latent_dim, sigma),
            "Yours are twice as large: it is the logarithm of a standard deviation's ratio, or "
            "half that of the variances'.",
        ),
        Mistake(
            "sigma not squared",
            lambda eigenvalues, latent_dim, sigma: (
                0.5 * (_largest(eigenvalues, latent_dim) / sigma).log().clamp_min(0)
            ),
            "You divide a variance by a standard deviation. Which power of σ is a variance?",
        ),
        Mistake(
            "in the order that came",
            lambda eigenvalues, latent_dim, sigma: _kl(eigenvalues[:latent_dim], sigma).clamp_min(
                0
            ),
            "You take the first eigenvalues as they come. The largest are used, and the largest "
            "comes first.",
        ),
        Mistake(
            "their sum",
            lambda eigenvalues, latent_dim, sigma: _optimal_kl(
                eigenvalues, latent_dim, sigma
            ).sum(),
            "That is the KL of all dimensions together. One number for each is asked for.",
        ),
        Mistake(
            "bits",
            lambda eigenvalues, latent_dim, sigma: (
                _optimal_kl(eigenvalues, latent_dim, sigma) / torch.log(torch.tensor(2.0))
            ),
            "Yours are in bits. Nats have the natural logarithm.",
        ),
        Mistake(
            "squared column lengths",
            lambda eigenvalues, latent_dim, sigma: (
                _largest(eigenvalues, latent_dim) - sigma**2
            ).clamp_min(0),
            "Those are the squared lengths of the decoder's columns. What do they make of the "
            "posterior's variance, and so of the KL?",
        ),
    ),
)
