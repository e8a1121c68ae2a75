"""Fill-in 10.a: the size of a convolution's output."""

import math

import torch
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _size_after(n: int, kernel: int, stride: int, padding: int) -> int:
    """Counted, by a convolution of a row of n zeros."""
    row = torch.zeros(1, 1, n)
    return F.conv1d(row, torch.zeros(1, 1, kernel), stride=stride, padding=padding).shape[-1]


def _sizes(generator: torch.Generator) -> list[tuple]:
    fixed = [(28, 4, 2, 1), (7, 4, 2, 1), (32, 3, 1, 0), (16, 5, 3, 2), (30, 7, 4, 3), (9, 9, 5, 0)]
    more = torch.randint(8, 40, (6,), generator=generator).tolist()
    return fixed + [(n, 2 + i, 1 + i % 3, i % 2) for i, n in enumerate(more)]


EXERCISE = Exercise(
    "10.a",
    oracle=_size_after,
    cases=_sizes,
    mistakes=(
        Mistake(
            "rounded up",
            lambda n, kernel, stride, padding: math.ceil((n + 2 * padding - kernel) / stride) + 1,
            "Where a step is left over you count it. A window that would reach beyond the padded "
            "image is left out: round down.",
        ),
        Mistake(
            "not rounded",
            lambda n, kernel, stride, padding: (n + 2 * padding - kernel) / stride + 1,
            "Sizes come out with fractions. Windows are whole: how many whole steps fit in?",
        ),
        Mistake(
            "no window at the start",
            lambda n, kernel, stride, padding: (n + 2 * padding - kernel) // stride,
            "You count the steps. There is one window more than steps, the one at the start.",
        ),
        Mistake(
            "padding on one side",
            lambda n, kernel, stride, padding: (n + padding - kernel) // stride + 1,
            "The image is padded at both ends: how much longer does that make it?",
        ),
        Mistake(
            "no padding",
            lambda n, kernel, stride, padding: (n - kernel) // stride + 1,
            "The zeros round the image count as places too: where does `padding` come in?",
        ),
        Mistake(
            "size over stride",
            lambda n, kernel, stride, padding: n // stride,
            "That is the size divided by the stride, which happens to be right for a kernel of 4, "
            "a stride of 2 and a padding of 1. How does the kernel's width come in?",
        ),
        Mistake(
            "no stride",
            lambda n, kernel, stride, padding: n + 2 * padding - kernel + 1,
            "That is how many windows there are with a stride of 1. Of these, only every "
            "stride-th is taken, beginning with the first.",
        ),
    ),
)
