"""Fill-in 1.a: the squared error of each image."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _squared_error(x: Tensor, x_reconstructed: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x - x_reconstructed, dim=-1) ** 2


def _batches(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 5), (7, 4)]
    return [tuple(torch.rand(2, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.vector_norm(a[:, None] - b, dim=-1)


EXERCISE = Exercise(
    "1.a",
    oracle=_squared_error,
    cases=_batches,
    mistakes=(
        Mistake(
            "minus sign",
            lambda x, x_reconstructed: -_squared_error(x, x_reconstructed),
            "Your values are below 0: a sum of squares is not. The sign is turned round later, "
            "by the objective.",
        ),
        Mistake(
            "mean over pixels",
            lambda x, x_reconstructed: (x - x_reconstructed).square().mean(-1),
            "Each value is too small by the number of pixels: the book sums over the pixels "
            "of an image.",
        ),
        Mistake(
            "one number for the batch",
            lambda x, x_reconstructed: _squared_error(x, x_reconstructed).mean(),
            "You return one number for the whole batch. Reduce over the last axis only: the "
            "mean over images comes later.",
        ),
        Mistake(
            "one number, averaged over all",
            lambda x, x_reconstructed: (x - x_reconstructed).square().mean(),
            "You average over pixels and images alike. Sum over the last axis only, so that "
            "one value for each image is left.",
        ),
        Mistake(
            "one number, summed over all",
            lambda x, x_reconstructed: (x - x_reconstructed).square().sum(),
            "You sum over the images as well. Which axis holds the pixels of one image?",
        ),
        Mistake(
            "sum over images",
            lambda x, x_reconstructed: (x - x_reconstructed).square().sum(0),
            "You sum over the first axis, which counts the images, so one value for each "
            "pixel is left. Pixels are on the last axis.",
        ),
        Mistake(
            "not summed",
            lambda x, x_reconstructed: (x - x_reconstructed).square(),
            "You still have one value for each pixel: what makes one value for each image of them?",
        ),
        Mistake(
            "distance, not its square",
            lambda x, x_reconstructed: _distances(x, x_reconstructed).diagonal(),
            "That is the distance itself: the error is its square.",
        ),
        Mistake(
            "absolute error",
            lambda x, x_reconstructed: (x - x_reconstructed).abs().sum(-1),
            "You sum the absolute errors: the errors are to be squared before the sum.",
        ),
        Mistake(
            "half of it",
            lambda x, x_reconstructed: _squared_error(x, x_reconstructed) / 2,
            "You take half of the squared error: equation 1.1 has no factor.",
        ),
    ),
)
