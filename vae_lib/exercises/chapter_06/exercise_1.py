"""Exercise 6.1: the KL term for a prior that is not standard."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_lib.exercises import Exercise, Mistake


def _gaussian(mu: Tensor, log_var: Tensor) -> Independent:
    return Independent(Normal(mu, (0.5 * log_var).exp()), 1)


def _kl_term(mu: Tensor, log_var: Tensor, prior_mu: Tensor, prior_log_var: Tensor) -> Tensor:
    prior = _gaussian(prior_mu.expand_as(mu), prior_log_var.expand_as(mu))
    return kl_divergence(_gaussian(mu, log_var), prior)


def _reversed(mu: Tensor, log_var: Tensor, prior_mu: Tensor, prior_log_var: Tensor) -> Tensor:
    prior = _gaussian(prior_mu.expand_as(mu), prior_log_var.expand_as(mu))
    return kl_divergence(prior, _gaussian(mu, log_var))


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_images, latent_dim in [(3, 2), (4, 5)]:
        shape = 2 * n_images + 2, latent_dim
        numbers = torch.randn(shape, generator=generator, dtype=torch.float64)
        cases.append((numbers[:n_images], numbers[n_images:-2], numbers[-2], numbers[-1]))
    return cases


def _terms(
    mu: Tensor,
    log_var: Tensor,
    prior_mu: Tensor,
    prior_log_var: Tensor,
    *,
    divisor: float = 1.0,
    own: float = 1.0,
    logarithm: float = 1.0,
) -> Tensor:
    """The formula with a power of the prior's variance, of q's, and a weight on its logarithm."""
    distance = (mu - prior_mu).square() / (divisor * prior_log_var).exp()
    ratio = (own * log_var - prior_log_var).exp()
    return 0.5 * (distance + ratio - 1 - log_var + logarithm * prior_log_var).sum(-1)


def _to_standard(mu: Tensor, log_var: Tensor, *_: Tensor) -> Tensor:
    return _kl_term(mu, log_var, torch.zeros_like(mu[0]), torch.zeros_like(mu[0]))


EXERCISE = Exercise(
    "6.1",
    oracle=_kl_term,
    cases=_cases,
    mistakes=(
        Mistake(
            "sign",
            lambda *given: -_kl_term(*given),
            "Your value is negative, and a divergence never is. In the ELBO it is subtracted; "
            "the term itself is positive.",
        ),
        Mistake(
            "the standard prior",
            _to_standard,
            "That is equation 6.4, the divergence to N(0, I). Your value does not depend on the "
            "prior that is given.",
        ),
        Mistake(
            "difference of two divergences",
            lambda mu, log_var, m, v: _to_standard(mu, log_var) - _to_standard(m[None], v[None]),
            "That is the divergence of q from N(0, I) less that of the prior from N(0, I). "
            "Divergences are no lengths that could be subtracted: begin with log q - log p.",
        ),
        Mistake(
            "distance not scaled",
            lambda *given: _terms(*given, divisor=0.0),
            "Your distance of the means is the same for a wide and a narrow prior. What stands "
            "below (z - m)² in the prior's density?",
        ),
        Mistake(
            "distance scaled by the standard deviation",
            lambda *given: _terms(*given, divisor=0.5),
            "You divide the squared distance of the means by the prior's standard deviation. In "
            "its density stands the variance.",
        ),
        Mistake(
            "standard deviation for variance",
            lambda *given: _terms(*given, own=0.5),
            "In the ratio of the variances you have q's standard deviation. What makes a "
            "variance of `log_var`?",
        ),
        Mistake(
            "the prior's logarithm is missing",
            lambda *given: _terms(*given, logarithm=0.0),
            "For a q that is the prior your value is not 0: the prior's density has a "
            "log-variance too.",
        ),
        Mistake(
            "the prior's logarithm subtracted",
            lambda *given: _terms(*given, logarithm=-1.0),
            "The sign of the prior's log-variance: in log p it has a minus, and log p is "
            "subtracted.",
        ),
        Mistake(
            "the other way round",
            _reversed,
            "That is the divergence from the prior to q. The ELBO has the one from q to the prior.",
        ),
        Mistake(
            "no half",
            lambda *given: 2 * _kl_term(*given),
            "Twice too much: which factor stands before the sum in equation 6.4?",
        ),
        Mistake(
            "mean over dimensions",
            lambda mu, *rest: _kl_term(mu, *rest) / mu.shape[-1],
            "You average over the latent dimensions. The divergence of independent dimensions "
            "adds up.",
        ),
        Mistake(
            "mean over the batch",
            lambda *given: _kl_term(*given).mean(),
            "One value for each example, please: the mean over examples stands in `fit`.",
        ),
    ),
)
