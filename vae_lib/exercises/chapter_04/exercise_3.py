"""Exercise 4.3: mend a loss."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_lib.exercises import Exercise, Mistake


def _elbo(x: Tensor, x_mean: Tensor, mu: Tensor, log_var: Tensor, sigma: float) -> Tensor:
    q_z = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    return Independent(Normal(x_mean, sigma), 1).log_prob(x) - kl_divergence(q_z, prior)


def _kl(mu: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * (1 + log_var - mu**2 - log_var.exp())


def _log_px(x: Tensor, x_mean: Tensor, sigma: float) -> Tensor:
    return Normal(x_mean, sigma).log_prob(x)


def _autoencoded_batches(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, n_pixels, latent_dim, sigma in [(4, 6, 2, 0.3), (3, 7, 5, 1.4)]:
        x, x_mean = torch.randn(2, n, n_pixels, generator=generator, dtype=torch.float64)
        mu, log_var = torch.randn(2, n, latent_dim, generator=generator, dtype=torch.float64)
        cases.append((x, x_mean, mu, log_var, sigma))
    return cases


EXERCISE = Exercise(
    "4.3",
    oracle=_elbo,
    cases=_autoencoded_batches,
    mistakes=(
        Mistake(
            "a loss",
            lambda x, x_mean, mu, log_var, sigma: -_elbo(x, x_mean, mu, log_var, sigma),
            "All is there but the sign: the ELBO is larger for a better model.",
        ),
        Mistake(
            "the original",
            lambda x, x_mean, mu, log_var, sigma: (
                (x - x_mean).square().mean() + _kl(mu, log_var).sum()
            ),
            "This is still one number for the batch, a mean plus a sum. Start by giving "
            "each term one value for each example.",
        ),
        Mistake(
            "the squared error alone",
            lambda x, x_mean, mu, log_var, sigma: (
                -(x - x_mean).square().sum(-1) - _kl(mu, log_var).sum(-1)
            ),
            "The reductions are right, but `sigma` is never used: a squared error without a "
            "factor is the likelihood of one particular σ.",
        ),
        Mistake(
            "no constant",
            lambda x, x_mean, mu, log_var, sigma: (
                -(x - x_mean).square().sum(-1) / (2 * sigma**2) - _kl(mu, log_var).sum(-1)
            ),
            "For a fixed σ this has the right maximum, but it is no bound on log p(x): the "
            "density's normalising constant is missing.",
        ),
        Mistake(
            "mean over pixels",
            lambda x, x_mean, mu, log_var, sigma: (
                _log_px(x, x_mean, sigma).mean(-1) - _kl(mu, log_var).sum(-1)
            ),
            "You average over the pixels but sum over the latents: the same reduction must "
            "serve both, and it is the sum.",
        ),
        Mistake(
            "mean over latents",
            lambda x, x_mean, mu, log_var, sigma: (
                _log_px(x, x_mean, sigma).sum(-1) - _kl(mu, log_var).mean(-1)
            ),
            "The KL of independent dimensions is the sum of theirs, and you average them.",
        ),
        Mistake(
            "KL added",
            lambda x, x_mean, mu, log_var, sigma: (
                _log_px(x, x_mean, sigma).sum(-1) + _kl(mu, log_var).sum(-1)
            ),
            "You add the KL to the log-likelihood, so the model is rewarded for it.",
        ),
        Mistake(
            "KL of the whole batch",
            lambda x, x_mean, mu, log_var, sigma: (
                _log_px(x, x_mean, sigma).sum(-1) - _kl(mu, log_var).sum()
            ),
            "From every example you take the KL of the whole batch: sum it over the latents only.",
        ),
        Mistake(
            "scale for variance",
            lambda x, x_mean, mu, log_var, sigma: (
                _log_px(x, x_mean, sigma**0.5).sum(-1) - _kl(mu, log_var).sum(-1)
            ),
            "You take `sigma` for the variance. It is the scale, and its square the variance.",
        ),
        Mistake(
            "mean over the batch",
            lambda x, x_mean, mu, log_var, sigma: _elbo(x, x_mean, mu, log_var, sigma).mean(),
            "The terms are right. Leave the mean over the examples to `fit`, and return one "
            "value for each.",
        ),
    ),
)
