"""Fill-in 5.b: a binary draw."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake, laws


def _draw_binary(x: Tensor, u: Tensor) -> Tensor:
    return torch.heaviside(x - u, torch.zeros((), dtype=x.dtype))


def _draw_cases(generator: torch.Generator) -> list[tuple]:
    def uniform(*shape: int) -> Tensor:
        # Without the ends, where `u < x` and `u <= x` differ and sums are rounded up to 2.
        return torch.rand(shape, generator=generator).clamp(1e-6, 1 - 1e-6)

    black_and_white = uniform(2, 5, 30).round()
    # The second half repeats the first: what follows from x and u does, too.
    return [
        (uniform(100, 200).repeat(2, 1), uniform(100, 200).repeat(2, 1)),
        (black_and_white, uniform(2, 5, 30)),
        (uniform(3, 40), uniform(3, 40)),
    ]


def _law(b: Tensor, x: Tensor, u: Tensor) -> tuple:
    """Any draw from u is right whose pixels are 1 with probability x, independent of each other."""
    b = torch.as_tensor(b).detach()
    values = "zeros and ones" if ((b == 0) | (b == 1)).all() else "other values than 0 and 1"
    values += "" if b.is_floating_point() else f" of the type {b.dtype}"
    b = b.double()
    if x.numel() < laws.MIN_ROWS:
        is_certain = (x == 0) | (x == 1)
        return values, "certain" if (b == x)[is_certain].all() else "not certain where x is 0 or 1"
    (b, again), x = b.chunk(2), x.chunk(2)[0]
    # Spread over (0, 1 - x) for a 0 and over (1 - x, 1) for a 1, a right draw is uniform whatever
    # x is, and so is x here.
    spread = torch.rand(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spread = torch.where(b > 0.5, 1 - x + x * spread, (1 - x) * spread)
    pairs = torch.stack([spread, x], dim=-1).flatten(0, -2)
    is_right = laws.are_uniform(pairs) and laws.are_independent_columns(pairs)
    is_independent = laws.are_independent_rows(pairs)
    return (
        values,
        "drawn from `u`" if torch.equal(b, again) else "drawn otherwise",
        torch.stack([b[(x > i / 4) & (x < (i + 1) / 4)].mean() for i in range(4)]),
        "a pixel is 1 with probability x" if is_right else "another probability",
        "independent pixels" if is_independent else "dependent pixels",
    )


EXERCISE = Exercise(
    "5.b",
    oracle=_draw_binary,
    cases=_draw_cases,
    summarise=_law,
    seconds=10.0,  # what judges the law counts as well
    rtol=0.0,
    atol=0.08,  # 8 standard errors of the difference of two shares of 5,000 pixels
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
        Mistake(
            "no draw",
            lambda x, u: x.clone(),
            "You return values between 0 and 1. A pixel of a binary image is 0 or 1: `x` says only "
            "how often it is which.",
        ),
        Mistake(
            "dependent pixels",
            lambda x, u: (u[..., :1] < x).to(x.dtype),
            "Each pixel by itself is drawn rightly, but the pixels depend on each other, as if "
            "several shared a number: each needs its own from `u`.",
        ),
        Mistake(
            "noise of its own",
            lambda x, u: torch.bernoulli(x),
            "Equal `x` and equal `u` give unequal pixels here: you draw noise of your own, and the "
            "noise of this draw is given, as `u`.",
        ),
        Mistake(
            "booleans",
            lambda x, u: u < x,
            "The draw is right, but these are booleans: numbers of the type of `x` are asked for.",
        ),
    ),
)
