"""An exercise for tests of the checker: the log density of a diagonal Gaussian."""

import math

import torch
from torch.distributions import Normal

from vae_lib.exercises import Exercise, Mistake


def log_density(x, mean, log_var):
    return Normal(mean, (0.5 * log_var).exp()).log_prob(x).sum(-1)


def by_hand(x, mean, log_var):
    return -0.5 * (math.log(2 * math.pi) + log_var + (x - mean) ** 2 / log_var.exp()).sum(-1)


def without_constant(x, mean, log_var):
    return -0.5 * (log_var + (x - mean) ** 2 / log_var.exp()).sum(-1)


def mean_over_dimensions(x, mean, log_var):
    return log_density(x, mean, log_var) / x.shape[-1]


def cases(generator):
    return [
        tuple(torch.randn(3, *shape, generator=generator, dtype=torch.float64))
        for shape in [(3, 2), (4, 5)]
    ]


DENSITY = Exercise(
    "2.1",
    oracle=log_density,
    cases=cases,
    seconds=10.0,  # for right answers on a busy machine; BRIEF is for those that never end
    mistakes=(
        Mistake("no constant", without_constant, "Which term depends on neither x nor `mean`?"),
        Mistake("mean over dimensions", mean_over_dimensions, "A sum, not a mean."),
    ),
)
