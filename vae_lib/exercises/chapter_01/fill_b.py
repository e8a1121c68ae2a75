"""Fill-in 1.b: points on the way from one code to another."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _way(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return torch.stack([torch.lerp(z_a, z_b, step) for step in t.tolist()])


def _code_pairs(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_dims, n_points in [(2, 5), (3, 8), (4, 1)]:
        codes = torch.randn(2, n_dims, generator=generator, dtype=torch.float64)
        t = torch.rand(n_points, generator=generator, dtype=torch.float64)
        cases.append((*codes, t))
    return cases


EXERCISE = Exercise(
    "1.b",
    oracle=_way,
    cases=_code_pairs,
    mistakes=(
        Mistake(
            "reversed",
            lambda z_a, z_b, t: _way(z_b, z_a, t),
            "Your way starts at `z_b`. Which of the two codes gets the weight `t`, if `t` "
            "grows from 0 to 1?",
        ),
        Mistake(
            "transposed",
            lambda z_a, z_b, t: _way(z_a, z_b, t).T,
            "Your points are the columns: a decoder takes one code a row, shape (n, L).",
        ),
        Mistake(
            "weight of the first code left out",
            lambda z_a, z_b, t: z_a + t[:, None] * z_b,
            "You keep the whole of `z_a` on the way. At t = 1 only `z_b` may be left, so what "
            "is the weight of `z_a`?",
        ),
        Mistake(
            "steps from the origin",
            lambda z_a, z_b, t: t[:, None] * (z_b - z_a),
            "Your way has the right direction and starts at the origin. At t = 0 it must be "
            "at `z_a`.",
        ),
        Mistake(
            "steps of equal size in place of t",
            lambda z_a, z_b, t: _way(z_a, z_b, torch.linspace(0, 1, len(t))),
            "You take equal steps from end to end: use the positions in `t`, whatever they are.",
        ),
    ),
)
