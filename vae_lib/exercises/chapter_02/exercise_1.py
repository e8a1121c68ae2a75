"""Exercise 2.1: the log density."""

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_lib.exercises import Exercise, Mistake


def _log_density(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return Independent(Normal(mu, (0.5 * log_var).exp()), 1).log_prob(z)


def _log_density_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 2), (4, 5), (2, 7)]
    return [tuple(torch.randn(3, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _variance_as_scale(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return Independent(Normal(mu, log_var.exp()), 1).log_prob(z)


def _whole_log_variance(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) - 0.5 * log_var.sum(-1)


def _without_log_variance(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) + 0.5 * log_var.sum(-1)


def _without_constant(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) + 0.5 * z.shape[-1] * math.log(2 * math.pi)


def _one_constant(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _without_constant(z, mu, log_var) - 0.5 * math.log(2 * math.pi)


def _mean_over_dimensions(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) / z.shape[-1]


def _per_dimension(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return Normal(mu, (0.5 * log_var).exp()).log_prob(z)


EXERCISE = Exercise(
    "2.1",
    oracle=_log_density,
    cases=_log_density_cases,
    mistakes=(
        Mistake(
            "variance as scale",
            _variance_as_scale,
            "You use `log_var.exp()` as if it were σ. What is σ, if `log_var` is log σ²?",
        ),
        Mistake(
            "whole log-variance",
            _whole_log_variance,
            "Your normalising term is log σ² where it should be log σ: which factor relates "
            "the two?",
        ),
        Mistake(
            "no log-variance",
            _without_log_variance,
            "A wide Gaussian must be lower at its centre than a narrow one, yet at z = μ your "
            "density does not depend on σ.",
        ),
        Mistake(
            "no constant",
            _without_constant,
            "Your density does not integrate to 1: which term depends on neither z, μ nor σ?",
        ),
        Mistake(
            "one constant",
            _one_constant,
            "You count the constant once for an image. How many one-dimensional densities are "
            "multiplied, and how many constants does that make?",
        ),
        Mistake(
            "mean over dimensions",
            _mean_over_dimensions,
            "The logarithm of a product is the sum of the logarithms, not their mean.",
        ),
        Mistake(
            "one value per dimension",
            _per_dimension,
            "These are the right one-dimensional log densities, (B, L). The density of the "
            "whole z is one number an image, (B,): how do they combine?",
        ),
    ),
)
