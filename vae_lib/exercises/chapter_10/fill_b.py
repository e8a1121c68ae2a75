"""Fill-in 10.b: from nats an image to bits per dimension."""

import math

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _bits(elbo: Tensor, image_shape: tuple) -> Tensor:
    """By the base of the logarithm: each factor of 2 in the image's probability is a bit."""
    return -elbo * torch.tensor(math.e, dtype=elbo.dtype).log2() / torch.zeros(image_shape).numel()


def _elbos(generator: torch.Generator) -> list[tuple]:
    return [
        (-3000 * torch.rand(4, generator=generator), (3, 16, 16)),
        (-500 * torch.rand(3, generator=generator), (28, 28)),
        (-9000 * torch.rand(5, generator=generator), (3, 32, 20)),
    ]


EXERCISE = Exercise(
    "10.b",
    oracle=_bits,
    cases=_elbos,
    mistakes=(
        Mistake(
            "sign",
            lambda elbo, image_shape: -_bits(elbo, image_shape),
            "The size is right and the sign is not: the logarithm of a probability is below 0, and "
            "a length in bits above.",
        ),
        Mistake(
            "nats",
            lambda elbo, image_shape: -elbo / math.prod(image_shape),
            "These are nats per dimension. How many nats are a bit?",
        ),
        Mistake(
            "times log 2",
            lambda elbo, image_shape: -elbo * math.log(2) / math.prod(image_shape),
            "A bit is less than a nat, so there are more bits than nats. You have multiplied by "
            "log 2: which way round is it?",
        ),
        Mistake(
            "bits an image",
            lambda elbo, image_shape: -elbo / math.log(2),
            "These are the bits of the whole image. Divide by the number of its dimensions.",
        ),
        Mistake(
            "pixels, not dimensions",
            lambda elbo, image_shape: -elbo / (math.prod(image_shape[-2:]) * math.log(2)),
            "You divide by the number of pixels, and a pixel in colour has three numbers. A "
            "dimension is one number: one pixel in one channel.",
        ),
        Mistake(
            "one number for the batch",
            lambda elbo, image_shape: _bits(elbo, image_shape).mean(),
            "You average over the images. One value for each of them is asked for.",
        ),
    ),
)
