"""Fill-in 5.a: the binary cross-entropy of each image."""

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent

from vae_lib.exercises import Exercise, Mistake


def _cross_entropy(pi: Tensor, x: Tensor) -> Tensor:
    return -Independent(Bernoulli(probs=pi), 1).log_prob(x)


def _binary_images(generator: torch.Generator) -> list[tuple]:
    cases = []
    for shape in ((3, 5), (6, 4)):
        pi = 0.05 + 0.9 * torch.rand(*shape, generator=generator, dtype=torch.float64)
        cases.append((pi, torch.rand(*shape, generator=generator, dtype=torch.float64).round()))
    return cases


def _per_pixel(pi: Tensor, x: Tensor) -> Tensor:
    return -Bernoulli(probs=pi).log_prob(x)


EXERCISE = Exercise(
    "5.a",
    oracle=_cross_entropy,
    cases=_binary_images,
    mistakes=(
        Mistake(
            "sign",
            lambda pi, x: -_cross_entropy(pi, x),
            "That is log p itself, which is below 0. The cost is minus that.",
        ),
        Mistake(
            "mean over pixels",
            lambda pi, x: _per_pixel(pi, x).mean(-1),
            "Each value is too small by the number of pixels. The logarithm of a product over "
            "pixels is their sum.",
        ),
        Mistake(
            "one number for the batch",
            lambda pi, x: _per_pixel(pi, x).sum(),
            "You sum over the images as well. Which axis holds the pixels of one image?",
        ),
        Mistake(
            "one number, averaged over all",
            lambda pi, x: _per_pixel(pi, x).mean(),
            "You average over pixels and images alike. One value for each image is asked for, "
            "the sum over its pixels.",
        ),
        Mistake(
            "one number, averaged over images",
            lambda pi, x: _cross_entropy(pi, x).mean(),
            "The sums over pixels are right, and then you average over the images. One value for "
            "each image is asked for.",
        ),
        Mistake(
            "not summed",
            _per_pixel,
            "These are the costs of the single pixels: what makes one cost for each image of them?",
        ),
        Mistake(
            "sum over images",
            lambda pi, x: _per_pixel(pi, x).sum(0),
            "You sum over the first axis, which counts the images. Pixels are on the last axis.",
        ),
        Mistake(
            "black pixels only",
            lambda pi, x: -(x * pi.log()).sum(-1),
            "White pixels cost nothing here. One of them had the probability 1 - π: what is its "
            "term?",
        ),
        Mistake(
            "black and white exchanged",
            lambda pi, x: _cross_entropy(1 - pi, x),
            "Black pixels are charged as if they were white, and white ones as black: π is the "
            "probability of a 1.",
        ),
        Mistake(
            "probability",
            lambda pi, x: _cross_entropy(pi, x).neg().exp(),
            "That is the probability of each image. The cost is minus its logarithm.",
        ),
    ),
)
