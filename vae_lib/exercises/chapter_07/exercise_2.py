"""Exercise 7.2: the score-function estimate."""

import torch
from torch import Tensor
from torch.distributions import Normal

from vae_lib.exercises import Exercise, Mistake


def _score_gradient(f_z: Tensor, z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    """By autograd of the surrogate f log q."""
    mu = mu.detach().clone().requires_grad_()
    log_q = Normal(mu, sigma).log_prob(z).sum(-1)
    return torch.autograd.grad((f_z * log_q).mean(), mu)[0]


def _score_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, latent_dim in [(7, 3), (5, 2)]:
        numbers = torch.randn(n_draws + 2, latent_dim, generator=generator, dtype=torch.float64)
        mu, sigma = numbers[0], (0.7 * numbers[1]).exp()
        f_z = 2 + torch.randn(n_draws, generator=generator, dtype=torch.float64)
        cases.append((f_z, mu + sigma * numbers[2:], mu, sigma))
    return cases


def _weighted_scores(
    f_z: Tensor, z: Tensor, mu: Tensor, sigma: Tensor, *, power: int = 2, total: bool = False
) -> Tensor:
    products = f_z[:, None] * (z - mu) / sigma**power
    return products.sum(0) if total else products.mean(0)


def _score_with_baseline(f_z: Tensor, z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return _weighted_scores(f_z - f_z.mean(), z, mu, sigma)


EXERCISE = Exercise(
    "7.2",
    oracle=_score_gradient,
    cases=_score_cases,
    mistakes=(
        Mistake(
            "noise as score",
            lambda f_z, z, mu, sigma: _weighted_scores(f_z, z, mu, sigma, power=1),
            "You multiply by ε = (z - μ)/σ. Differentiate log q(z) with respect to μ again: "
            "which power of σ is left?",
        ),
        Mistake(
            "no σ",
            lambda f_z, z, mu, sigma: _weighted_scores(f_z, z, mu, sigma, power=0),
            "Your score does not depend on σ, but the exponent of a Gaussian does.",
        ),
        Mistake(
            "score of σ",
            lambda f_z, z, mu, sigma: (f_z[:, None] * (((z - mu) / sigma) ** 2 - 1) / sigma).mean(
                0
            ),
            "This is the estimate for σ. The one for μ is asked for.",
        ),
        Mistake(
            "log q in place of the score",
            lambda f_z, z, mu, sigma: (f_z[:, None] * Normal(mu, sigma).log_prob(z)).mean(0),
            "You multiply f by log q itself. The score is its derivative.",
        ),
        Mistake(
            "no reduction",
            lambda f_z, z, mu, sigma: f_z[:, None] * (z - mu) / sigma**2,
            "These are the K estimates, one for each draw. What is left to do with them?",
        ),
        Mistake(
            "sign",
            lambda f_z, z, mu, sigma: -_weighted_scores(f_z, z, mu, sigma),
            "The sign is reversed: a large f to the right of μ must push μ to the right.",
        ),
        Mistake(
            "sum over draws",
            lambda f_z, z, mu, sigma: _weighted_scores(f_z, z, mu, sigma, total=True),
            "An expectation is estimated by the mean over the K draws; you have their sum.",
        ),
        Mistake(
            "score alone",
            lambda f_z, z, mu, sigma: ((z - mu) / sigma**2).mean(0),
            "This is the mean score, whose expectation is zero whatever f is.",
        ),
        Mistake(
            "covariance",
            _score_with_baseline,
            "This is the covariance of f and the score: the mean of one of the two has been "
            "subtracted. That is no part of the task, and it shrinks the estimate by (K - 1)/K.",
        ),
        Mistake(
            "covariance over K - 1",
            lambda f_z, z, mu, sigma: (
                _score_with_baseline(f_z, z, mu, sigma) * len(z) / (len(z) - 1)
            ),
            "This is the covariance of f and the score, divided by K - 1, which is also what a "
            "leave-one-out baseline gives. The estimate without a baseline is asked for.",
        ),
        Mistake(
            "product of the means",
            lambda f_z, z, mu, sigma: f_z.mean() * ((z - mu) / sigma**2).mean(0),
            "You multiply the mean of f by the mean score. Each draw's f belongs to its own score: "
            "multiply first, then average.",
        ),
    ),
)
