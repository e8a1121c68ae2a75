"""Fill-in 0.b: the KL divergence to the prior."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_lib.exercises import Exercise, Mistake


def _kl(mu: Tensor, log_var: Tensor) -> Tensor:
    q_z = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    return kl_divergence(q_z, Independent(Normal(torch.zeros_like(mu), 1.0), 1))


def _clouds(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n in (3, 6):
        mu, log_var = torch.randn(2, n, 2, generator=generator).double()
        log_var[0] = log_var[0].abs()  # of which there is a logarithm, for who takes one
        cases.append((mu, log_var))
    return cases


EXERCISE = Exercise(
    "0.b",
    oracle=_kl,
    cases=_clouds,
    mistakes=(
        Mistake(
            "no half",
            lambda mu, log_var: 2 * _kl(mu, log_var),
            "Twice too much: what stands before the sum in the formula?",
        ),
        Mistake(
            "width for its square",
            lambda mu, log_var: 0.5 * (mu**2 + (log_var / 2).exp() - 1 - log_var).sum(-1),
            "You add σ where the formula has σ². What makes σ² of `log_var`?",
        ),
        Mistake(
            "log-variance for the variance",
            lambda mu, log_var: 0.5 * (mu**2 + log_var**2 - 1 - log_var).sum(-1),
            "`log_var` is log σ², and its square is not σ².",
        ),
        Mistake(
            "log-variance taken for the variance throughout",
            lambda mu, log_var: 0.5 * (mu**2 + log_var - 1 - log_var.log()).sum(-1),
            "You take `log_var` for σ². It is the logarithm already.",
        ),
        Mistake(
            "logarithm of the logarithm",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var.log()).sum(-1),
            "`log_var` is the logarithm already, and you take another, which a negative number "
            "does not have.",
        ),
        Mistake(
            "sign",
            lambda mu, log_var: -_kl(mu, log_var),
            "Your value is negative, and this cost never is: it is 0 for the prior and more for "
            "any other cloud.",
        ),
        Mistake(
            "no 1",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - log_var).sum(-1),
            "The prior itself would cost you 1 nat, 1/2 for each of the two numbers. Which part "
            "of the formula takes that away?",
        ),
        Mistake(
            "mean over the two numbers",
            lambda mu, log_var: _kl(mu, log_var) / 2,
            "Half too small: the formula adds the two numbers of a code up.",
        ),
        Mistake(
            "not summed",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var),
            "You still have one cost for each of the two numbers. The formula adds them up.",
        ),
        Mistake(
            "one number for the batch",
            lambda mu, log_var: _kl(mu, log_var).mean(),
            "One cost for each picture, please: the mean over the batch comes later, in the loop.",
        ),
        Mistake(
            "summed over the batch",
            lambda mu, log_var: _kl(mu, log_var).sum(),
            "You add up all pictures of the batch. One cost for each, please: sum over the last "
            "axis alone.",
        ),
    ),
)
