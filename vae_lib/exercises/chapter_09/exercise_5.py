"""Exercise 9.5: mend a mixture prior."""

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vae_lib.exercises import Exercise, Mistake


def _log_prior(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    components = Independent(Normal(means, (0.5 * log_vars).exp()), 1)
    return MixtureSameFamily(Categorical(probs=weights), components).log_prob(z)


def _mixture_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, n_components, latent_dim in ((5, 3, 2), (4, 2, 6)):
        shape = (n_components, latent_dim)
        z = 1.5 * torch.randn(n, latent_dim, generator=generator, dtype=torch.float64)
        means = 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        log_vars = torch.randn(*shape, generator=generator, dtype=torch.float64)
        weights = torch.rand(n_components, generator=generator, dtype=torch.float64) + 0.2
        cases.append((z, means, log_vars, weights / weights.sum()))
    return cases


def _by_component(z: Tensor, means: Tensor, log_vars: Tensor) -> Tensor:
    """log-densities of every component and dimension, (C, B, L)."""
    return Normal(means[:, None], (0.5 * log_vars).exp()[:, None]).log_prob(z)


def _dimension_by_dimension(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    log_p = _by_component(z, means, log_vars) + weights.log()[:, None, None]
    return log_p.logsumexp(0).sum(-1)


def _weight_for_each_dimension(
    z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor
) -> Tensor:
    log_p = _by_component(z, means, log_vars) + weights.log()[:, None, None]
    return log_p.sum(-1).logsumexp(0)


def _log_of_each(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    log_p = _by_component(z, means, log_vars).sum(-1)
    return (weights[:, None] * log_p).sum(0)


def _without_weights(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    return _by_component(z, means, log_vars).sum(-1).logsumexp(0)


EXERCISE = Exercise(
    "9.5",
    oracle=_log_prior,
    cases=_mixture_cases,
    mistakes=(
        Mistake(
            "dimension by dimension",
            _dimension_by_dimension,
            "A component is still chosen afresh for every dimension: in which order are the "
            "sum over dimensions and the `logsumexp` over components taken?",
        ),
        Mistake(
            "a weight for each dimension",
            _weight_for_each_dimension,
            "The order is right, but the weight has been counted once for each dimension. One "
            "choice of a component has one probability.",
        ),
        Mistake(
            "mean of logarithms",
            _log_of_each,
            "You average log-densities. A mixture averages densities: `logsumexp` of the "
            "log-density plus the log-weight.",
        ),
        Mistake(
            "no weights",
            _without_weights,
            "Without the weights the density integrates to the number of components.",
        ),
        Mistake(
            "weight not in logarithms",
            lambda z, means, log_vars, weights: (
                _by_component(z, means, log_vars).sum(-1) + weights[:, None]
            ).logsumexp(0),
            "Inside the `logsumexp` everything is a logarithm: a factor becomes the addition "
            "of its logarithm.",
        ),
        Mistake(
            "variance as scale",
            lambda z, means, log_vars, weights: _log_prior(z, means, 2 * log_vars, weights),
            "`Normal` takes the standard deviation, the exponential of half the log-variance.",
        ),
        Mistake(
            "mean over dimensions",
            lambda z, means, log_vars, weights: (
                _by_component(z, means, log_vars).mean(-1) + weights.log()[:, None]
            ).logsumexp(0),
            "The logarithm of a product over dimensions is a sum of logarithms, not a mean.",
        ),
    ),
)
