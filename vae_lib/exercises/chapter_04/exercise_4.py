"""Exercise 4.4: from nats to bits per pixel."""

import math

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _bits_per_pixel(log_p: Tensor, n_pixels: int, n_levels: int) -> Tensor:
    """By changing units first: in units of one grey level, a level's mass is about the density."""
    log_p_in_levels = log_p + n_pixels * math.log(1 / n_levels)
    return -torch.log2(torch.exp(log_p_in_levels / n_pixels))


def _log_densities(generator: torch.Generator) -> list[tuple]:
    log_p = 20 * torch.randn(2, 3, generator=generator, dtype=torch.float64)
    return [(log_p[0], 12, 16), (log_p[1] + 40, 30, 256)]


EXERCISE = Exercise(
    "4.4",
    oracle=_bits_per_pixel,
    cases=_log_densities,
    mistakes=(
        Mistake(
            "density for probability",
            lambda log_p, n_pixels, n_levels: -log_p / (n_pixels * math.log(2)),
            "This takes the density for a probability. How wide is the cell of one grey level, "
            "and what does that make of the logarithm?",
        ),
        Mistake(
            "nats",
            lambda log_p, n_pixels, n_levels: -log_p / n_pixels + math.log(n_levels),
            "These are nats per pixel. A bit is log 2 nats.",
        ),
        Mistake(
            "width the wrong way round",
            lambda log_p, n_pixels, n_levels: (
                (-log_p / n_pixels - math.log(n_levels)) / math.log(2)
            ),
            "A finer grey scale must cost more bits, not fewer: check the sign of the term "
            "with the number of levels.",
        ),
        Mistake(
            "width of one pixel",
            lambda log_p, n_pixels, n_levels: (
                (-log_p + math.log(n_levels)) / (n_pixels * math.log(2))
            ),
            "Every one of the D pixels has a cell of its own, so the cell of an image has the "
            "volume of D widths multiplied.",
        ),
        Mistake(
            "bits per image",
            lambda log_p, n_pixels, n_levels: (
                (-log_p + n_pixels * math.log(n_levels)) / math.log(2)
            ),
            "These are the bits of a whole image: how many are they for each pixel?",
        ),
        Mistake(
            "wrong sign",
            lambda log_p, n_pixels, n_levels: (log_p / n_pixels - math.log(n_levels)) / math.log(2),
            "Bits are a cost, minus a logarithm: smaller is better.",
        ),
    ),
)
