"""Fill-in 7.a: score-function estimates, one for each draw."""

import torch
from torch import Tensor
from torch.distributions import Normal

from vae_lib.exercises import Exercise, Mistake


def _score_estimates(f_z: Tensor, z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    """f times the slope of log q, which autograd finds at each draw."""
    mus = mu.detach().expand(len(z)).clone().requires_grad_()
    (score,) = torch.autograd.grad(Normal(mus, sigma).log_prob(z).sum(), mus)
    return f_z * score


def _draws(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws in (6, 4):
        numbers = torch.randn(2 * n_draws + 2, generator=generator, dtype=torch.float64)
        mu, sigma = numbers[0], (0.5 + 0.3 * numbers[1].abs()).exp()
        z = mu + sigma * numbers[2 : n_draws + 2]
        cases.append((1 + numbers[n_draws + 2 :], z, mu, sigma))
    return cases


EXERCISE = Exercise(
    "7.a",
    oracle=_score_estimates,
    cases=_draws,
    mistakes=(
        Mistake(
            "noise as score",
            lambda f_z, z, mu, sigma: f_z * (z - mu) / sigma,
            "You multiply f by ε = (z - μ)/σ. The score is ε/σ.",
        ),
        Mistake(
            "no σ",
            lambda f_z, z, mu, sigma: f_z * (z - mu),
            "You multiply f by z - μ, whatever σ is. The score is ε/σ, with ε = (z - μ)/σ.",
        ),
        Mistake(
            "score of σ",
            lambda f_z, z, mu, sigma: f_z * (((z - mu) / sigma) ** 2 - 1) / sigma,
            "These are the estimates for σ. Those for μ are asked for.",
        ),
        Mistake(
            "sign",
            lambda f_z, z, mu, sigma: f_z * (mu - z) / sigma**2,
            "The sign is reversed: where f is positive, a draw right of μ must push μ right.",
        ),
        Mistake(
            "score alone",
            lambda f_z, z, mu, sigma: (z - mu) / sigma**2,
            "These are the scores. Each is to be multiplied by the f of its draw.",
        ),
        Mistake(
            "log q in place of the score",
            lambda f_z, z, mu, sigma: f_z * Normal(mu, sigma).log_prob(z),
            "You multiply f by log q itself. The score is its derivative.",
        ),
        Mistake(
            "averaged",
            lambda f_z, z, mu, sigma: (f_z * (z - mu) / sigma**2).mean(),
            "You have averaged the estimates. One for each draw is asked for.",
        ),
        Mistake(
            "slope of the density",
            lambda f_z, z, mu, sigma: (
                f_z * Normal(mu, sigma).log_prob(z).exp() * (z - mu) / sigma**2
            ),
            "You multiply f by the slope of q. Draws from q already count as often as q says, so "
            "what is left is the slope of log q.",
        ),
    ),
)
