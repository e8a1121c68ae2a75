"""Exercise I.4: what a code costs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake


def _kl_to_prior(mu: Tensor, log_var: Tensor) -> Tensor:
    """By quadrature: the mean of log q(z) - log p(z) over q, one latent dimension at a time."""
    nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(20))
    q, p = td.Normal(mu[..., None], log_var.exp().sqrt()[..., None]), td.Normal(0.0, 1.0)
    z = q.mean + q.stddev * nodes
    return ((q.log_prob(z) - p.log_prob(z)) @ (weights / weights.sum())).sum(-1)


def _codes(generator: torch.Generator) -> list[tuple]:
    cases = [
        tuple(torch.randn(2, n, latent_dim, generator=generator).double())
        for n, latent_dim in ((3, 2), (4, 5))
    ]
    # The prior itself, and codes that are far from it.
    zeros = torch.zeros(2, 3, dtype=torch.float64)
    return [*cases, (zeros, zeros.clone()), (4 + zeros, -6 + zeros)]


def _formula(
    square: Callable[[Tensor], Tensor] = torch.square,
    variance: Callable[[Tensor], Tensor] = torch.exp,
    log: Callable[[Tensor], Tensor] = lambda log_var: log_var,
    one: float = 1.0,
) -> Callable:
    def wrong(mu: Tensor, log_var: Tensor) -> Tensor:
        return 0.5 * (square(mu) + variance(log_var) - one - log(log_var)).sum(-1)

    return wrong


def _reversed(mu: Tensor, log_var: Tensor) -> Tensor:
    q = td.Normal(mu, log_var.exp().sqrt())
    return td.kl_divergence(td.Normal(torch.zeros_like(mu), 1.0), q).sum(-1)


EXERCISE = Exercise(
    "I.4",
    oracle=_kl_to_prior,
    cases=_codes,
    mistakes=(
        Mistake(
            "σ for σ²",
            _formula(variance=lambda log_var: (log_var / 2).exp()),
            "You add σ where the formula has σ². What makes σ² of `log_var`?",
        ),
        Mistake(
            "log_var for σ²",
            _formula(variance=lambda log_var: log_var, log=lambda log_var: log_var.abs().log()),
            "You take `log_var` for σ². It is the logarithm already.",
        ),
        Mistake(
            "log_var for σ",
            _formula(variance=torch.square, log=lambda log_var: log_var.square().log()),
            "You take `log_var` for σ. It is the logarithm of σ².",
        ),
        Mistake(
            "log σ for log σ²",
            _formula(variance=lambda log_var: (2 * log_var).exp(), log=lambda log_var: 2 * log_var),
            "You take `log_var` for log σ. It is the logarithm of σ².",
        ),
        Mistake(
            "square of log_var",
            _formula(variance=torch.square),
            "`log_var` is log σ², and its square is not σ².",
        ),
        Mistake(
            "no square",
            _formula(square=lambda mu: mu),
            "The mean enters by its square: a code at -2 is as far from the prior as one at 2.",
        ),
        Mistake(
            "no 1",
            _formula(one=0.0),
            "The prior itself would cost you 1/2 nat a dimension, and it costs nothing.",
        ),
        Mistake(
            "no half",
            lambda mu, log_var: 2 * _kl_to_prior(mu, log_var),
            "Twice too much: what stands before the sum?",
        ),
        Mistake(
            "sign",
            lambda mu, log_var: -_kl_to_prior(mu, log_var),
            "Your values are negative, and a KL divergence never is.",
        ),
        Mistake(
            "mean over latent dimensions",
            lambda mu, log_var: _kl_to_prior(mu, log_var) / mu.shape[-1],
            "You average over latent dimensions. The costs of independent dimensions add up.",
        ),
        Mistake(
            "one for each dimension",
            lambda mu, log_var: _kl_to_prior(mu[..., None], log_var[..., None]),
            "You still have one cost for each latent dimension. They add up.",
        ),
        Mistake(
            "mean over the batch",
            lambda mu, log_var: _kl_to_prior(mu, log_var).mean(),
            "You average over the batch; that mean comes later, in the loop.",
        ),
        Mistake(
            "sum over the batch",
            lambda mu, log_var: _kl_to_prior(mu, log_var).sum(),
            "You add up all codes of the batch. One cost for each, please.",
        ),
        Mistake(
            "reversed",
            _reversed,
            "That is the divergence of the prior from q. The expectation is to be over q.",
        ),
    ),
)
