"""Fill-in 12.a: rate and distortion from draws."""

import numpy as np
import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _from_draws(log_px: Tensor, log_q: Tensor, log_p: Tensor) -> tuple[Tensor, Tensor]:
    """In NumPy, as averages with weights of 1."""
    log_px, log_q, log_p = (t.numpy() for t in (log_px, log_q, log_p))
    rate = np.average(log_q, axis=0) - np.average(log_p, axis=0)
    return torch.from_numpy(rate), torch.from_numpy(-np.average(log_px, axis=0))


def _draws(generator: torch.Generator) -> list[tuple]:
    options = {"generator": generator, "dtype": torch.float64}
    return [
        (
            -30 + 4 * torch.randn(shape, **options),
            2 + torch.randn(shape, **options),
            -9 + torch.randn(shape, **options),
        )
        for shape in ((6, 3), (2, 5))
    ]


EXERCISE = Exercise(
    "12.a",
    oracle=_from_draws,
    cases=_draws,
    mistakes=(
        Mistake(
            "sign of the distortion",
            lambda log_px, log_q, log_p: ((log_q - log_p).mean(0), log_px.mean(0)),
            "The rate is right. The distortion is a cost: the less probable the image, the "
            "larger it is.",
        ),
        Mistake(
            "sign of the rate",
            lambda log_px, log_q, log_p: ((log_p - log_q).mean(0), -log_px.mean(0)),
            "The distortion is right. The rate is a KL divergence, whose expectation is at least "
            "0: which logarithm comes first?",
        ),
        Mistake(
            "signs of both",
            lambda log_px, log_q, log_p: ((log_p - log_q).mean(0), log_px.mean(0)),
            "Both have the wrong sign: these add up to the ELBO, and costs add up to minus it.",
        ),
        Mistake(
            "the other way round",
            lambda log_px, log_q, log_p: (-log_px.mean(0), (log_q - log_p).mean(0)),
            "Both are right, but the rate comes first.",
        ),
        Mistake(
            "over the images",
            lambda log_px, log_q, log_p: ((log_q - log_p).mean(1), -log_px.mean(1)),
            "You average over images, and get one value for each draw. Which axis has the draws?",
        ),
        Mistake(
            "over everything",
            lambda log_px, log_q, log_p: ((log_q - log_p).mean(), -log_px.mean()),
            "Those are means over draws and images. One value for each image is asked for.",
        ),
        Mistake(
            "sum over the draws",
            lambda log_px, log_q, log_p: ((log_q - log_p).sum(0), -log_px.sum(0)),
            "You sum over the draws. An expectation is estimated by their mean.",
        ),
        Mistake(
            "without the prior",
            lambda log_px, log_q, log_p: (log_q.mean(0), -log_px.mean(0)),
            "Your rate has no prior in it. What does the KL divergence compare q with?",
        ),
        Mistake(
            "without q",
            lambda log_px, log_q, log_p: (-log_p.mean(0), -log_px.mean(0)),
            "Your rate is what sending z would cost without a refund. Where is log q?",
        ),
        Mistake(
            "no mean",
            lambda log_px, log_q, log_p: (log_q - log_p, -log_px),
            "Those are the costs draw by draw. Expectations under q are means over the draws.",
        ),
    ),
)
