"""Fill-in 2.a: the standard deviation of a log-variance."""

import torch
from torch import Tensor
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _standard_deviation(log_var: Tensor) -> Tensor:
    return log_var.exp().sqrt()


def _cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(5,), (3, 2)]
    return [(2 * torch.randn(*s, generator=generator, dtype=torch.float64),) for s in shapes]


EXERCISE = Exercise(
    "2.a",
    oracle=_standard_deviation,
    cases=_cases,
    mistakes=(
        Mistake(
            "variance",
            lambda log_var: log_var.exp(),
            "This is σ², the variance. Its square root is wanted.",
        ),
        Mistake(
            "half the log-variance",
            lambda log_var: 0.5 * log_var,
            "This is log σ, and negative where σ is below 1. What undoes a logarithm?",
        ),
        Mistake(
            "half of the variance",
            lambda log_var: 0.5 * log_var.exp(),
            "You halve the variance. The half belongs to the logarithm: log σ is half of log σ².",
        ),
        Mistake(
            "one over sigma",
            lambda log_var: (-0.5 * log_var).exp(),
            "This is 1/σ: the larger the log-variance, the smaller your σ.",
        ),
        Mistake(
            "doubled in place of halved",
            lambda log_var: (2 * log_var).exp(),
            "You double the log-variance before the exponential. Is log σ twice log σ², or half?",
        ),
        Mistake(
            "softplus",
            F.softplus,
            "A softplus makes any number positive, but here the output is log σ² and only its "
            "exponential gives the variance.",
        ),
    ),
)
