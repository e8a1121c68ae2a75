"""Exercise 2.4: how much two images overlap."""

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_lib.exercises import Exercise, Mistake


def _overlap(mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor) -> Tensor:
    """By quadrature: ∫ √(q_a q_b) dz is a product of integrals over one dimension each."""
    z = torch.linspace(-60, 60, 40_001, dtype=mu_a.dtype).reshape(-1, 1, 1)
    log_a = Normal(mu_a, (0.5 * log_var_a).exp()).log_prob(z)
    log_b = Normal(mu_b, (0.5 * log_var_b).exp()).log_prob(z)
    return torch.trapezoid((0.5 * (log_a + log_b)).exp(), z, dim=0).prod(-1)


def _overlap_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(4, 2), (2, 3)]
    return [tuple(torch.randn(4, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _log_overlap_of_means(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor, factor: float = 0.25
) -> Tensor:
    return -factor * (mu_a - mu_b).square() / (log_var_a.exp() + log_var_b.exp())


def _log_overlap_of_widths(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    geometric_mean = 0.5 * (log_var_a + log_var_b)
    return 0.5 * (geometric_mean + math.log(2) - torch.logaddexp(log_var_a, log_var_b))


def _overlap_without_widths(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    return _log_overlap_of_means(mu_a, log_var_a, mu_b, log_var_b).sum(-1).exp()


def _overlap_halved_twice(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    means = _log_overlap_of_means(mu_a, log_var_a, mu_b, log_var_b, factor=0.125)
    return (means + _log_overlap_of_widths(mu_a, log_var_a, mu_b, log_var_b)).sum(-1).exp()


def _overlap_with_variance_as_scale(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    return _overlap_of_gaussians(mu_a, 2 * log_var_a, mu_b, 2 * log_var_b).prod(-1)


def _overlap_averaged(mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor) -> Tensor:
    return _overlap_of_gaussians(mu_a, log_var_a, mu_b, log_var_b).mean(-1)


def _overlap_without_root(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    scale = 0.5 * torch.logaddexp(log_var_a, log_var_b)
    return Independent(Normal(mu_b, scale.exp()), 1).log_prob(mu_a).exp()


def _logarithm_of_overlap(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    return _overlap_of_gaussians(mu_a, log_var_a, mu_b, log_var_b).prod(-1).log()


def _overlap_of_gaussians(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    means = _log_overlap_of_means(mu_a, log_var_a, mu_b, log_var_b)
    return (means + _log_overlap_of_widths(mu_a, log_var_a, mu_b, log_var_b)).exp()


EXERCISE = Exercise(
    "2.4",
    oracle=_overlap,
    cases=_overlap_cases,
    mistakes=(
        Mistake(
            "means alone",
            _overlap_without_widths,
            "Two Gaussians about the same mean get an overlap of 1 from you even if one is "
            "far wider than the other: the factor with the widths is missing.",
        ),
        Mistake(
            "halved twice",
            _overlap_halved_twice,
            "Your exponent is half of what it should be. Is the width you divide by the sum "
            "of the two variances, or their mean?",
        ),
        Mistake(
            "variance as scale",
            _overlap_with_variance_as_scale,
            "The formula wants σ². You square `log_var.exp()` once more, as if it were σ.",
        ),
        Mistake(
            "mean over dimensions",
            _overlap_averaged,
            "An integral of a product over independent dimensions is a product of integrals; "
            "you take the mean of them.",
        ),
        Mistake(
            "no square root",
            _overlap_without_root,
            "You integrate q_a q_b. Without the square root, two equal Gaussians do not get "
            "the overlap 1.",
        ),
        Mistake(
            "logarithm",
            _logarithm_of_overlap,
            "This is the logarithm of the overlap: an overlap lies between 0 and 1.",
        ),
    ),
)
