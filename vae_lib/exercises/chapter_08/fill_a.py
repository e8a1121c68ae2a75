"""Fill-in 8.a: the one number of a batch, from the two terms of the ELBO."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _batch_loss(log_px: Tensor, kl: Tensor) -> Tensor:
    return -(log_px.sum() - kl.sum()) / len(kl)


def _terms(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, level in ((5, -20), (8, 40)):  # a density of grey pixels may exceed 1
        log_px = level - 10 * torch.rand(n, generator=generator, dtype=torch.float64)
        kl = 2 + 6 * torch.rand(n, generator=generator, dtype=torch.float64)
        cases.append((log_px, kl))
    return cases


EXERCISE = Exercise(
    "8.a",
    oracle=_batch_loss,
    cases=_terms,
    mistakes=(
        Mistake(
            "sign",
            lambda log_px, kl: (log_px - kl).mean(),
            "That is the ELBO itself, which is to be large. The optimiser makes its number small.",
        ),
        Mistake(
            "KL subtracted",
            lambda log_px, kl: -(log_px + kl).mean(),
            "Your loss falls when the KL grows. In minus the ELBO the KL has a plus sign.",
        ),
        Mistake(
            "log-likelihood with a plus",
            lambda log_px, kl: (log_px + kl).mean(),
            "Your loss falls when log p(x|z) falls: the images would become improbable.",
        ),
        Mistake(
            "not averaged",
            lambda log_px, kl: kl - log_px,
            "One loss an image, and each is right. The optimiser wants one number: their mean.",
        ),
        Mistake(
            "sum",
            lambda log_px, kl: (kl - log_px).sum(),
            "You sum over the images, so the size of a step would depend on the batch size.",
        ),
        Mistake(
            "mean absolute value",
            lambda log_px, kl: (log_px - kl).abs().mean(),
            "Right only while log p(x|z) is smaller than the KL. The log of a density may be "
            "positive: then the loss is a negative number, and rightly so.",
        ),
        Mistake(
            "KL alone",
            lambda log_px, kl: kl.mean(),
            "That is the KL alone: the ELBO has two terms.",
        ),
        Mistake(
            "no KL",
            lambda log_px, kl: -log_px.mean(),
            "That is minus the first term alone: the ELBO has two.",
        ),
    ),
)
