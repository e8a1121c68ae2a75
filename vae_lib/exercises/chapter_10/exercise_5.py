"""Exercise 10.5: a draw from a discretised logistic."""

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake


def _logistic(mu: Tensor, log_scale: Tensor) -> td.Distribution:
    base = td.Uniform(torch.zeros_like(mu), torch.ones_like(mu), validate_args=False)
    maps = [td.SigmoidTransform().inv, td.AffineTransform(mu, log_scale.exp())]
    return td.TransformedDistribution(base, maps, validate_args=False)


def _draw_level(mu: Tensor, log_scale: Tensor, u: Tensor) -> Tensor:
    """The lowest level up to which the probabilities add up to u at least."""
    ends = (torch.arange(255, dtype=mu.dtype) + 0.5) / 255
    up_to = _logistic(mu[..., None], log_scale[..., None]).cdf(ends)
    return torch.searchsorted(up_to, u[..., None]).squeeze(-1)


def _parameters(generator: torch.Generator) -> list[tuple]:
    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)

    return [
        (uniform(-0.1, 1.1, 3, 40), uniform(-5, -1, 3, 40), uniform(0.001, 0.999, 3, 40)),
        (uniform(0.2, 0.8, 5, 7), uniform(-4, -2, 5, 7), uniform(0.01, 0.99, 5, 7)),
    ]


def _place(mu: Tensor, log_scale: Tensor, u: Tensor, *, log_var: bool = False) -> Tensor:
    return mu + (log_scale / 2 if log_var else log_scale).exp() * torch.logit(u)


def _level(x: Tensor) -> Tensor:
    return (255 * x).round().clamp(0, 255)


EXERCISE = Exercise(
    "10.5",
    oracle=_draw_level,
    cases=_parameters,
    mistakes=(
        Mistake(
            "not clamped",
            lambda mu, log_scale, u: (255 * _place(mu, log_scale, u)).round(),
            "Some of your levels are below 0 or above 255. What lies beyond an end belongs to the "
            "end.",
        ),
        Mistake(
            "cut off",
            lambda mu, log_scale, u: (255 * _place(mu, log_scale, u)).floor().clamp(0, 255),
            "About half of your levels are one too low. A level's cell reaches half a step to "
            "either side.",
        ),
        Mistake(
            "256 steps",
            lambda mu, log_scale, u: (256 * _place(mu, log_scale, u)).floor().clamp(0, 255),
            "Many of your levels are off by one: level k stands at k/255, in the middle of its "
            "cell.",
        ),
        Mistake(
            "values from 0 to 1",
            lambda mu, log_scale, u: _level(_place(mu, log_scale, u)) / 255,
            "The draws are right, as numbers from 0 to 1. The level's number is asked for.",
        ),
        Mistake(
            "log-scale for scale",
            lambda mu, log_scale, u: _level(mu + log_scale * torch.logit(u)),
            "Your draws spread the wrong way: `log_scale` is the logarithm of the scale.",
        ),
        Mistake(
            "log-scale taken for a log-variance",
            lambda mu, log_scale, u: _level(_place(mu, log_scale, u, log_var=True)),
            "Your draws spread too far: `log_scale` is the logarithm of the scale itself, not of "
            "its square.",
        ),
        Mistake(
            "a Gaussian",
            lambda mu, log_scale, u: _level(td.Normal(mu, log_scale.exp()).icdf(u)),
            "These are draws from a Gaussian. Which function is inverse to the sigmoid, the "
            "logistic's cumulative distribution function?",
        ),
        Mistake(
            "the sigmoid itself",
            lambda mu, log_scale, u: _level(mu + log_scale.exp() * torch.sigmoid(u)),
            "The sigmoid leads from a place to a probability. You have a probability and want the "
            "place: its inverse.",
        ),
        Mistake(
            "no draw",
            lambda mu, log_scale, u: _level(mu),
            "That is the level nearest to the centre, whatever `u` is.",
        ),
    ),
)
