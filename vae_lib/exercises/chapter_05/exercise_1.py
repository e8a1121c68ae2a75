"""Exercise 5.1: a binary draw."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _draw_binary(x: Tensor, u: Tensor) -> Tensor:
    return torch.heaviside(x - u, torch.zeros((), dtype=x.dtype))


def _draw_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 40), (2, 5, 30)]
    return [tuple(torch.rand(2, *s, generator=generator, dtype=torch.float64)) for s in shapes]


EXERCISE = Exercise(
    "5.1",
    oracle=_draw_binary,
    cases=_draw_cases,
    mistakes=(
        Mistake(
            "a threshold",
            lambda x, u: (x > 0.5).to(x.dtype),
            "This is thresholding: a pixel of 0.3 always turns white. It should turn black "
            "three times in ten, and `u` says when.",
        ),
        Mistake(
            "black and white exchanged",
            lambda x, u: (u > x).to(x.dtype),
            "Dark pixels turn white and light ones black: how likely is a uniform number to "
            "be smaller than 0.9, and how likely to be larger?",
        ),
        Mistake(
            "x is not used",
            lambda x, u: (u > 0.5).to(x.dtype),
            "Every pixel turns black half of the time, whatever its grey value: where does "
            "`x` come in?",
        ),
    ),
)
