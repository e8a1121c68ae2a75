"""Exercise II.4: how probable a picture is, given the decoder's means."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_2.band import SIGMA

_CONSTANT = -math.log(SIGMA * math.sqrt(2 * math.pi))  # of a value


def _log_likelihood(x_mean: Tensor, x: Tensor) -> Tensor:
    return td.Independent(td.Normal(x_mean, SIGMA), 1).log_prob(x)


def _pictures(generator: torch.Generator) -> list[tuple]:
    cases = []
    for shape in ((3, 5), (4, 12)):
        x = torch.rand(*shape, generator=generator, dtype=torch.float64)
        x_mean = x + 0.3 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        cases.append((x_mean, x))
    return [*cases, (x.clone(), x.clone())]


def _formula(value: Callable[[Tensor], Tensor]) -> Callable:
    """Of each squared error, in units of σ²."""

    def wrong(x_mean: Tensor, x: Tensor) -> Tensor:
        return value(((x - x_mean) / SIGMA).square())

    return wrong


EXERCISE = Exercise(
    "II.4",
    oracle=_log_likelihood,
    cases=_pictures,
    mistakes=(
        Mistake(
            "sign",
            lambda x_mean, x: -_log_likelihood(x_mean, x),
            "Your value has the sign of a loss. A better picture should have the larger one; that "
            "it can be above 0 is no mistake, since it is a density.",
        ),
        Mistake(
            "no constant",
            _formula(lambda squares: -0.5 * squares.sum(-1)),
            "You leave out the normalisation, -log(σ√2π) for each value. Without it the number is "
            "no log-density, and cannot be compared with one for another σ.",
        ),
        Mistake(
            "constant once",
            _formula(lambda squares: -0.5 * squares.sum(-1) + _CONSTANT),
            "You add the normalisation once. Every value of the picture has its own.",
        ),
        Mistake(
            "no one half",
            _formula(lambda squares: (_CONSTANT - squares).sum(-1)),
            "A Gaussian's exponent is the squared error over 2σ²; you divide by σ².",
        ),
        Mistake(
            "σ for σ²",
            _formula(lambda squares: (_CONSTANT - 0.5 * SIGMA * squares).sum(-1)),
            "You divide the squared error by 2σ, and it is 2σ².",
        ),
        Mistake(
            "σ of 1",
            lambda x_mean, x: td.Independent(td.Normal(x_mean, 1.0), 1).log_prob(x),
            "That is the log-density for σ = 1. In this project σ is 0.1.",
        ),
        Mistake(
            "variance for a width",
            lambda x_mean, x: td.Independent(td.Normal(x_mean, SIGMA**2), 1).log_prob(x),
            "You take σ² for the standard deviation.",
        ),
        Mistake(
            "width for a variance",
            lambda x_mean, x: td.Independent(td.Normal(x_mean, SIGMA**0.5), 1).log_prob(x),
            "You take σ for the variance. In this project σ is 0.1, and the variance 0.01.",
        ),
        Mistake(
            "mean over values",
            _formula(lambda squares: (_CONSTANT - 0.5 * squares).mean(-1)),
            "You average over the values of a picture. Densities of independent values multiply, "
            "so their logarithms add up.",
        ),
        Mistake(
            "a number for each value",
            _formula(lambda squares: _CONSTANT - 0.5 * squares),
            "You have one number for each value. One for each picture is asked for: they add up.",
        ),
        Mistake(
            "one number for the batch",
            _formula(lambda squares: (_CONSTANT - 0.5 * squares).sum(-1).mean()),
            "You have one number for the whole batch. One for each picture is asked for.",
        ),
        Mistake(
            "squared error",
            lambda x_mean, x: (x - x_mean).square().sum(-1),
            "That is the squared error. Its log-density is asked for.",
        ),
    ),
)
