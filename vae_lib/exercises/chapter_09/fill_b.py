"""Fill-in 9.b: a mean difference in standard errors."""

import math

import numpy as np
import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _in_standard_errors(values: Tensor, log_px: Tensor) -> float:
    difference = (values - log_px).numpy()
    return difference.mean() / (np.std(difference, ddof=1) / math.sqrt(len(difference)))


def _pairs(generator: torch.Generator) -> list[tuple]:
    """Values that move with log p(x), some above it on average and some below."""
    cases = []
    for n, shift in ((12, 0.5), (40, -0.8), (25, 2.0)):
        log_px = -12 + 3 * torch.randn(n, generator=generator, dtype=torch.float64)
        noise = torch.randn(n, generator=generator, dtype=torch.float64)
        cases.append((log_px + shift + noise, log_px))
    return cases


def _over(difference: Tensor, error: Tensor) -> Tensor:
    return difference.mean() / error


EXERCISE = Exercise(
    "9.b",
    oracle=_in_standard_errors,
    cases=_pairs,
    summarise=lambda found, values, log_px: torch.as_tensor(found, dtype=torch.float64),
    rtol=0.05,  # N or N - 1 in the variance: both are standard errors
    mistakes=(
        Mistake(
            "standard deviation",
            lambda values, log_px: _over(values - log_px, (values - log_px).std()),
            "You divide by the standard deviation of one difference. The mean of N of them is "
            "more certain, by the root of N.",
        ),
        Mistake(
            "divided by N",
            lambda values, log_px: _over(values - log_px, (values - log_px).std() / len(values)),
            "You divide the standard deviation by N. A mean of N values is more certain by "
            "the root of N only.",
        ),
        Mistake(
            "not paired",
            lambda values, log_px: _over(
                values - log_px, ((values.var() + log_px.var()) / len(values)).sqrt()
            ),
            "You add the variances of the two, as if they had nothing to do with each other. "
            "Take the difference image by image first.",
        ),
        Mistake(
            "spread of the values",
            lambda values, log_px: _over(values - log_px, values.std() / math.sqrt(len(values))),
            "You take the spread of `values`, which is mostly that of the images. What is "
            "wanted is the spread of the difference.",
        ),
        Mistake(
            "reversed",
            lambda values, log_px: -_in_standard_errors(values, log_px),
            "The sign is turned: an objective that exceeds log p(x) must give a positive number.",
        ),
        Mistake(
            "mean only",
            lambda values, log_px: (values - log_px).mean(),
            "That is the mean difference in nats. Divide it by its standard error.",
        ),
        Mistake(
            "standard error only",
            lambda values, log_px: (values - log_px).std() / math.sqrt(len(values)),
            "That is the standard error, the unit. How many of them is the mean?",
        ),
        Mistake(
            "each difference",
            lambda values, log_px: (values - log_px) / (values - log_px).std(),
            "You still have one number for each image. What is asked for is one for their mean.",
        ),
        Mistake(
            "variance",
            lambda values, log_px: _over(
                values - log_px, (values - log_px).var() / math.sqrt(len(values))
            ),
            "You use the variance of the difference where its root, the standard deviation, "
            "belongs.",
        ),
    ),
)
