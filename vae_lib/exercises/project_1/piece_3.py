"""Exercise I.3: how probable an image is, given its code."""

from __future__ import annotations

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import is_near, same_summary


def _log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    return td.Independent(td.Bernoulli(logits=logits), 1).log_prob(x)


def _images(generator: torch.Generator) -> list[tuple]:
    cases = []
    for shape in ((3, 5), (4, 7)):
        logits = 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        x = torch.rand(*shape, generator=generator, dtype=torch.float64).round()
        cases.append((logits, x))
    # Confident decoders, wrong about half of their pixels.
    pixels = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0], dtype=x.dtype).expand(2, 8)
    for size in (50.0, 800.0):
        sure = torch.tensor([size, -size, 20.0, -20.0], dtype=x.dtype).repeat(2, 2)
        cases.append((sure, pixels.clone()))
    return cases


def _value_or_verdict(log_px: Tensor, logits: Tensor, x: Tensor) -> Tensor | str:
    """With large logits only whether the value is right: one slip gives nan, inf or 100 a pixel."""
    if logits.abs().max() < 50:
        return log_px
    is_right = is_near(log_px, _log_likelihood(logits, x), rtol=1e-5)
    return "the right value for large logits" if is_right else "another"


def _per_pixel(logits: Tensor, x: Tensor) -> Tensor:
    return td.Bernoulli(logits=logits).log_prob(x)


def _log_of_sigmoid(logits: Tensor, x: Tensor) -> Tensor:
    return td.Bernoulli(probs=torch.sigmoid(logits)).log_prob(x).sum(-1)


def _with_overflow(logits: Tensor, x: Tensor) -> Tensor:
    return (logits * x - torch.log(1 + torch.exp(logits))).sum(-1)


EXERCISE = Exercise(
    "I.3",
    oracle=_log_likelihood,
    cases=_images,
    summarise=_value_or_verdict,
    compare=same_summary,
    mistakes=(
        Mistake(
            "sign",
            lambda logits, x: -_log_likelihood(logits, x),
            "Your value is positive, and the logarithm of a probability is not: the cross-entropy "
            "is minus what is asked for.",
        ),
        Mistake(
            "mean over pixels",
            lambda logits, x: _per_pixel(logits, x).mean(-1),
            "You average over the pixels. The probabilities of independent pixels multiply, so "
            "their logarithms add up.",
        ),
        Mistake(
            "mean over pixels, sign",
            lambda logits, x: -_per_pixel(logits, x).mean(-1),
            "You average over the pixels, and the sign is that of a loss. A sum of "
            "log-probabilities is asked for.",
        ),
        Mistake(
            "one number for each pixel",
            _per_pixel,
            "You have one number for each pixel. One for each image is asked for: they add up.",
        ),
        Mistake(
            "mean of all",
            lambda logits, x: _per_pixel(logits, x).mean(),
            "You average over all pixels of all images. One sum for each image is asked for.",
        ),
        Mistake(
            "mean of all, sign",
            lambda logits, x: -_per_pixel(logits, x).mean(),
            "That is the mean cross-entropy of a pixel, which PyTorch's functions give by default. "
            "One log-probability for each image is asked for.",
        ),
        Mistake(
            "mean over the batch",
            lambda logits, x: _log_likelihood(logits, x).mean(),
            "You average over the batch; that mean comes later, in the loop.",
        ),
        Mistake(
            "sum over the batch",
            lambda logits, x: _log_likelihood(logits, x).sum(),
            "You add up all images of the batch. One number for each, please.",
        ),
        Mistake(
            "sigmoid twice",
            lambda logits, x: _log_likelihood(torch.sigmoid(logits), x),
            "A sigmoid has been applied twice: what takes logits wants them as they are.",
        ),
        Mistake(
            "black pixels only",
            lambda logits, x: (_per_pixel(logits, x) * x).sum(-1),
            "You count the black pixels alone: the white ones have a probability as well.",
        ),
        Mistake(
            "squared error",
            lambda logits, x: -0.5 * (x - torch.sigmoid(logits)).square().sum(-1),
            "That is a squared error, the log-likelihood of a Gaussian up to a constant. These "
            "pixels are 0 or 1.",
        ),
        Mistake(
            "logarithm of a sigmoid",
            _log_of_sigmoid,
            "Right for moderate logits, but not for logits of ±50, of which one sigmoid is rounded "
            "to 1. Use the logits, without the logarithm of a sigmoid.",
        ),
        Mistake(
            "softplus by hand",
            _with_overflow,
            "Right for moderate logits, but not for logits of ±800, whose exponential is infinite "
            "(in float32 that of 89 is). `F.softplus` has a way round it.",
        ),
    ),
)
