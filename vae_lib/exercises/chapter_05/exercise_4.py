"""Exercise 5.4: the continuous Bernoulli's normaliser."""

import functools
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import is_near, same_summary


@functools.cache
def _quadrature() -> tuple[Tensor, ...]:
    return tuple(map(torch.from_numpy, np.polynomial.legendre.leggauss(400)))


def _log_normaliser(logits: Tensor) -> Tensor:
    # -log of the integral of λ^x (1 - λ)^(1 - x), by Gauss-Legendre quadrature over [0, 1].
    nodes, weights = _quadrature()
    exponent = logits[..., None].double() * (nodes + 1) / 2 - F.softplus(logits[..., None].double())
    return -torch.logsumexp(exponent + (weights / 2).log(), dim=-1)


def _log_normaliser_cases(generator: torch.Generator) -> list[tuple]:
    # In float32, the chapter's precision, in which exp(200) is infinite.
    some = 4 * torch.randn(2, 6, generator=generator)
    large_and_0 = torch.tensor([-200.0, -50.0, -1.0, 0.0, 2.5, 120.0])
    near_0 = torch.tensor([1e-5, 1e-4, 1e-3, 8e-3, 0.02, 0.05, 0.1, 0.3])
    return [(some,), (large_and_0,), (torch.cat([near_0, -near_0]),)]


def _value_or_verdict(log_c: Tensor, logits: Tensor) -> Tensor | str:
    """Near 0 only whether the value is right: what comes of a constant there depends on how far."""
    if logits.abs().max() > 0.5:
        return log_c
    is_right = is_near(log_c, _log_normaliser(logits), atol=2e-6)
    return "the right values at logits near 0" if is_right else "others"


def _constant_near_zero(logits: Tensor) -> Tensor:
    near_zero = logits.abs() < 0.06
    l = torch.where(near_zero, 1.0, logits)  # noqa: E741
    return torch.where(near_zero, math.log(2), torch.log(l / torch.tanh(l / 2)))


def _without_limit(logits: Tensor) -> Tensor:
    return torch.log(logits / torch.tanh(logits / 2))


def _through_lambda(logits: Tensor) -> Tensor:
    centred = 1 - 2 * torch.sigmoid(logits)
    log_c = torch.log(2 * torch.atanh(centred) / centred)
    return torch.where(logits == 0, math.log(2), log_c)


def _through_lambda_without_limit(logits: Tensor) -> Tensor:
    centred = 1 - 2 * torch.sigmoid(logits)
    return torch.log(2 * torch.atanh(centred) / centred)


EXERCISE = Exercise(
    "5.4",
    oracle=_log_normaliser,
    cases=_log_normaliser_cases,
    summarise=_value_or_verdict,
    compare=same_summary,
    mistakes=(
        Mistake(
            "no limit at 0",
            _without_limit,
            "At a logit of 0 your formula is 0 / 0 = nan. What is the limit there? Use "
            "`torch.where`, and see that the branch not taken is finite too.",
        ),
        Mistake(
            "through λ",
            _through_lambda,
            "Infinite at large logits: the sigmoid has rounded λ to 0 or 1. Express the "
            "formula in the logit before you compute anything.",
        ),
        Mistake(
            "through λ, no limit",
            _through_lambda_without_limit,
            "nan at a logit of 0 and infinite at large ones. Express 1 - 2λ in the logit, "
            "which cures the second, and give the limit at 0, which cures the first.",
        ),
        Mistake(
            "sign",
            lambda logits: -_log_normaliser(logits),
            "That is the logarithm of the integral. The normaliser divides by it, so that "
            "log C is at least log 2.",
        ),
        Mistake(
            "no logarithm",
            lambda logits: _log_normaliser(logits).exp(),
            "This is C, not log C.",
        ),
        Mistake(
            "not right near 0",
            _constant_near_zero,
            "Right at 0 and far from it, but not close to 0, where the value moves away from log 2 "
            "like l²/12 and subtractions lose digits. Take one more term of the series.",
        ),
    ),
)
