"""Exercise 10.2: the receptive field of a stack of convolutions."""

import math
from itertools import accumulate

import torch
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _width_seen(kernels: list, strides: list) -> int:
    """How many inputs a unit's gradient reaches, in one dimension, all weights being 1."""
    row = torch.ones(1, 1, 400, dtype=torch.float64, requires_grad=True)
    output = row
    for kernel, stride in zip(kernels, strides, strict=True):
        output = F.conv1d(output, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride)
    (slope,) = torch.autograd.grad(output[0, 0, 0], row)
    return int((slope != 0).sum())


def _stacks(generator: torch.Generator) -> list[tuple]:
    third = torch.randint(4, 7, (3,), generator=generator).tolist()
    return [
        ([4, 4, 4], [2, 2, 2]),
        ([3, 5], [1, 3]),
        (third, [3, 2, 2]),
        ([5], [2]),
        ([3, 4], [3, 1]),
    ]


def _jumps(strides: list) -> list[int]:
    """The distance in pixels of neighbouring units, before each layer."""
    return [1, *accumulate(strides, lambda a, b: a * b)][:-1]


EXERCISE = Exercise(
    "10.2",
    oracle=_width_seen,
    cases=_stacks,
    mistakes=(
        Mistake(
            "strides left out",
            lambda kernels, strides: 1 + sum(k - 1 for k in kernels),
            "That would be right with strides of 1. Behind a stride of 2, neighbouring units are "
            "two pixels apart.",
        ),
        Mistake(
            "own stride counted",
            lambda kernels, strides: (
                1
                + sum(
                    (k - 1) * j * s
                    for k, j, s in zip(kernels, _jumps(strides), strides, strict=True)
                )
            ),
            "A layer's own stride spreads its outputs, not its inputs. Which strides come before "
            "it?",
        ),
        Mistake(
            "sum of kernels",
            lambda kernels, strides: sum(
                k * j for k, j in zip(kernels, _jumps(strides), strict=True)
            ),
            "Neighbouring windows overlap. A unit sees all that its first input sees, and each of "
            "its k - 1 other inputs adds as much as the window moves on.",
        ),
        Mistake(
            "product of kernels",
            lambda kernels, strides: math.prod(kernels),
            "That is right only for windows that don't overlap. How far apart are two neighbouring "
            "inputs of a layer, in pixels?",
        ),
        Mistake(
            "last layer alone",
            lambda kernels, strides: kernels[-1] * _jumps(strides)[-1],
            "That is how far the last layer's inputs reach, had each of them seen as many pixels "
            "as it stands from the next. Each sees more than that: go through all layers.",
        ),
        Mistake(
            "only the last stride before",
            lambda kernels, strides: (
                1 + sum((k - 1) * s for k, s in zip(kernels, [1, *strides[:-1]], strict=True))
            ),
            "You use the stride of the layer just before. Strides multiply: behind two strides of "
            "2 neighbouring units are four pixels apart.",
        ),
        Mistake(
            "area",
            lambda kernels, strides: _width_seen(kernels, strides) ** 2,
            "That is how many pixels it sees in all. Its width is asked for.",
        ),
    ),
)
