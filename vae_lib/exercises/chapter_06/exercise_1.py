"""Exercise 6.1: the KL term."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_lib.exercises import Exercise, Mistake


def _kl_term(mu: Tensor, log_var: Tensor) -> Tensor:
    q_z = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    return kl_divergence(q_z, Independent(Normal(torch.zeros_like(mu), 1.0), 1))


def _kl_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 2), (4, 5)]
    return [tuple(torch.randn(2, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _kl_with_sigma_for_variance(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu.square() + (0.5 * log_var).exp() - 1 - log_var).sum(-1)


def _kl_with_log_sigma(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu.square() + log_var.exp() - 1 - 0.5 * log_var).sum(-1)


EXERCISE = Exercise(
    "6.1",
    oracle=_kl_term,
    cases=_kl_cases,
    mistakes=(
        Mistake(
            "sign",
            lambda mu, log_var: -_kl_term(mu, log_var),
            "Your value is negative, and a divergence never is. In the ELBO it is subtracted; "
            "the term itself is positive.",
        ),
        Mistake(
            "standard deviation for variance",
            _kl_with_sigma_for_variance,
            "The second term of equation 6.4 is the variance. What has to be done to `log_var` "
            "to get that, and what would give the standard deviation?",
        ),
        Mistake(
            "log sigma for log variance",
            _kl_with_log_sigma,
            "Your logarithm is that of the standard deviation: `log_var` is already the one "
            "that equation 6.4 asks for.",
        ),
        Mistake(
            "mean over dimensions",
            lambda mu, log_var: _kl_term(mu, log_var) / mu.shape[-1],
            "You average over the latent dimensions. The divergence of independent dimensions "
            "adds up.",
        ),
        Mistake(
            "mean over the batch",
            lambda mu, log_var: _kl_term(mu, log_var).mean(),
            "One value for each example, please: the mean over examples stands in `fit`.",
        ),
        Mistake(
            "no half",
            lambda mu, log_var: 2 * _kl_term(mu, log_var),
            "Twice too much: which factor stands before the sum in equation 6.4?",
        ),
        Mistake(
            "the other way round",
            lambda mu, log_var: 0.5 * (log_var + (1 + mu.square()) * (-log_var).exp() - 1).sum(-1),
            "That is the divergence from the prior to q. The ELBO has the one from q to the prior.",
        ),
    ),
)
