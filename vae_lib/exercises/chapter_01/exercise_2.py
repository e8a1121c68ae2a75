"""Exercise 1.2: a path between two codes."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _interpolate(z_a: Tensor, z_b: Tensor, n: int) -> Tensor:
    return torch.stack([torch.lerp(z_a, z_b, i / (n - 1)) for i in range(n)])


def _code_pairs(generator: torch.Generator) -> list[tuple]:
    sizes = [(2, 5), (3, 8)]
    codes = [torch.randn(2, size, generator=generator, dtype=torch.float64) for size, _ in sizes]
    return [(*pair, n) for pair, (_, n) in zip(codes, sizes, strict=True)]


EXERCISE = Exercise(
    "1.2",
    oracle=_interpolate,
    cases=_code_pairs,
    mistakes=(
        Mistake(
            "reversed",
            lambda z_a, z_b, n: _interpolate(z_b, z_a, n),
            "Your path starts at `z_b`. Which of the two codes gets the weight `t`, if `t` "
            "grows from 0 to 1?",
        ),
        Mistake(
            "both ends left out",
            lambda z_a, z_b, n: _interpolate(z_a, z_b, n + 2)[1:-1],
            "Both ends are missing: the first of the `n` points is `z_a` and the last is `z_b`.",
        ),
        Mistake(
            "last end left out",
            lambda z_a, z_b, n: _interpolate(z_a, z_b, n + 1)[:-1],
            "You stop one step short of `z_b`: `n` points have `n - 1` steps between them.",
        ),
        Mistake(
            "n steps in place of n points",
            lambda z_a, z_b, n: _interpolate(z_a, z_b, n + 1),
            "You take `n` steps, which makes `n + 1` points. The ends are two of the `n`.",
        ),
        Mistake(
            "transposed",
            lambda z_a, z_b, n: _interpolate(z_a, z_b, n).T,
            "Your points are the columns: a decoder takes one code a row, shape (n, L).",
        ),
    ),
)
