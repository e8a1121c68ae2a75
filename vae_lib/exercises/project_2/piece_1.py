"""Exercise II.1: what a strided convolution leaves of a side."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _conv_size(size: int, kernel: int, stride: int, padding: int) -> int:
    line = F.pad(torch.zeros(size), (padding, padding))
    return len(line.unfold(0, kernel, stride))  # one window for each output


def _layers(generator: torch.Generator) -> list[tuple]:
    cases = [(16, 4, 2, 1), (28, 4, 2, 1), (7, 4, 2, 1), (16, 5, 1, 2), (5, 5, 3, 0), (17, 3, 2, 0)]
    for _ in range(20):
        draws = torch.randint(0, 100, (4,), generator=generator).tolist()
        kernel = 1 + draws[1] % 7
        cases.append((kernel + draws[0] % 40, kernel, 1 + draws[2] % 4, draws[3] % kernel))
    return cases


def _formula(combine: Callable[[int, int, int, int], float]) -> Callable:
    def wrong(size: int, kernel: int, stride: int, padding: int) -> float:
        return combine(size, kernel, stride, padding)

    return wrong


EXERCISE = Exercise(
    "II.1",
    oracle=_conv_size,
    cases=_layers,
    mistakes=(
        Mistake(
            "no plus one",
            _formula(lambda n, k, s, p: (n + 2 * p - k) // s),
            "You count the strides, and the window has one place more than it makes strides.",
        ),
        Mistake(
            "padding once",
            _formula(lambda n, k, s, p: (n + p - k) // s + 1),
            "You add the padding once. It is added on both sides.",
        ),
        Mistake(
            "no padding",
            _formula(lambda n, k, s, p: (n - k) // s + 1),
            "You leave out the padding.",
        ),
        Mistake(
            "rounded up",
            _formula(lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1),
            "You round up. A window that hangs over the edge is no output.",
        ),
        Mistake(
            "not rounded",
            _formula(lambda n, k, s, p: (n + 2 * p - k) / s + 1),
            "You do not round. Where the last stride does not fit, it is not made.",
        ),
        Mistake(
            "no stride",
            _formula(lambda n, k, s, p: n + 2 * p - k + 1),
            "You count the places of a window that moves by one. It moves by the stride.",
        ),
        Mistake(
            "transposed",
            _formula(lambda n, k, s, p: (n - 1) * s - 2 * p + k),
            "That is the size after a transposed convolution, which goes the other way.",
        ),
        Mistake(
            "size over stride",
            _formula(lambda n, k, s, p: n // s),
            "You divide the size by the stride. That fits some kernels and paddings, such as 4 and "
            "1 with a stride of 2, and not others.",
        ),
    ),
)
