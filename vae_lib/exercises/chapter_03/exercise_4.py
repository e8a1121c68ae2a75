"""Exercise 3.4: importance sampling."""

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from vae_lib.exercises import Exercise, Mistake


def _importance_estimate(log_px: Tensor, p_z: Distribution, q_z: Distribution, z: Tensor) -> Tensor:
    log_pz = norm.logpdf(z.numpy()).sum(-1)
    log_qz = norm.logpdf(z.numpy(), q_z.mean.numpy(), q_z.stddev.numpy()).sum(-1)
    weight_of_draw = np.full((len(z), 1), 1 / len(z))
    return torch.from_numpy(logsumexp(log_px.numpy() + log_pz - log_qz, axis=0, b=weight_of_draw))


def _importance_cases(generator: torch.Generator) -> list[tuple]:
    def case(n_draws: int, batch_size: int, latent_dim: int, level: float = -900.0) -> tuple:
        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        mu, sigma = normal(batch_size, latent_dim), (0.4 * normal(batch_size, latent_dim)).exp()
        z = mu + sigma * normal(n_draws, batch_size, latent_dim)
        zero = torch.zeros(latent_dim, dtype=torch.float64)
        p_z = Independent(Normal(zero, zero + 1), 1)
        return 4 * normal(n_draws, batch_size) + level, p_z, Independent(Normal(mu, sigma), 1), z

    # The first shows what is right on paper, the others what floating point makes of it.
    return [case(8, 2, 3, level=-20.0), case(20, 3, 2), case(6, 4, 5)]


def _importance_mistake(log_weight: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The right average of wrong weights, from log p(x|z), log p(z) and log q(z)."""

    def wrong(log_px: Tensor, p_z: Distribution, q_z: Distribution, z: Tensor) -> Tensor:
        log_w = log_weight(log_px, p_z.log_prob(z), q_z.log_prob(z))
        return torch.logsumexp(log_w, dim=0) - math.log(len(z))

    return wrong


def _log_weights(log_px: Tensor, p_z: Distribution, q_z: Distribution, z: Tensor) -> Tensor:
    return log_px + p_z.log_prob(z) - q_z.log_prob(z)


EXERCISE = Exercise(
    "3.4",
    oracle=_importance_estimate,
    cases=_importance_cases,
    mistakes=(
        Mistake(
            "no proposal density",
            _importance_mistake(lambda log_px, log_pz, log_qz: log_px + log_pz),
            "The draws favour where q is large, and nothing in your weight pays that back.",
        ),
        Mistake(
            "no prior",
            _importance_mistake(lambda log_px, log_pz, log_qz: log_px - log_qz),
            "This estimates the integral of p(x|z) over all z: which factor of equation 3.2 is "
            "missing?",
        ),
        Mistake(
            "sign of the log-ratio",
            _importance_mistake(lambda log_px, log_pz, log_qz: log_px - log_pz + log_qz),
            "Your ratio of p(z) and q(z) is upside down: a draw that q makes too often must "
            "weigh less.",
        ),
        Mistake(
            "product in place of the ratio",
            _importance_mistake(lambda log_px, log_pz, log_qz: log_px + log_pz + log_qz),
            "You multiply by q(z): a draw that q makes too often must weigh less, not more.",
        ),
        Mistake(
            "likelihood alone",
            _importance_mistake(lambda log_px, log_pz, log_qz: log_px),
            "You average p(x|z) as if z had been drawn from the prior, but it comes from q.",
        ),
        Mistake(
            "divided by the sum of the ratios",
            lambda log_px, p_z, q_z, z: (
                _log_weights(log_px, p_z, q_z, z).logsumexp(0)
                - _log_weights(0 * log_px, p_z, q_z, z).logsumexp(0)
            ),
            "You divide by the sum of the ratios p(z) / q(z), which is K on average only. "
            "Equation 3.9 divides by K itself, and is right on average for any K.",
        ),
        Mistake(
            "mean of the log-weights",
            lambda log_px, p_z, q_z, z: _log_weights(log_px, p_z, q_z, z).mean(0),
            "The weights are right, but you average their logarithms: that is a lower bound on "
            "log p(x), not an estimate of it.",
        ),
        Mistake(
            "underflow",
            lambda log_px, p_z, q_z, z: _log_weights(log_px, p_z, q_z, z).exp().mean(0).log(),
            "The weights are right on paper, but their exponentials are 0 in floating point: "
            "average them by `logsumexp`, as in exercise 3.1.",
        ),
        Mistake(
            "sum in place of the mean",
            lambda log_px, p_z, q_z, z: _log_weights(log_px, p_z, q_z, z).logsumexp(0),
            "The weights are right, but you sum them: the estimate is their average over K.",
        ),
    ),
)
