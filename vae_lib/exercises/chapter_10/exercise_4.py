"""Exercise 10.4: bits of levels from a density, by dequantisation."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake

Density = Callable[[Tensor], Tensor]


def _log_densities() -> list[Density]:
    # Smooth on the scale of a level, and of another scale in each dimension.
    wide = td.Independent(td.Normal(torch.linspace(0.2, 0.7, 5).double(), 0.02), 1)
    narrow = td.Independent(td.Laplace(torch.linspace(0.4, 0.6, 3).double(), 0.05), 1)
    return [wide.log_prob, narrow.log_prob]


def _dequantised_bits(log_density: Density, levels: Tensor, u: Tensor) -> Tensor:
    """In units of a level, where a cell has volume 1: the density of 256 x is p(x) / 256^D."""
    to_unit = td.AffineTransform(0.0, 1 / 256, event_dim=1)
    y = levels.double() + u
    x = to_unit(y)
    log_p = log_density(x) + to_unit.log_abs_det_jacobian(y, x)
    return -log_p / levels.shape[-1] * math.log2(math.e)


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for log_density, n_dims in zip(_log_densities(), (5, 3), strict=True):
        levels = torch.randint(60, 180, (4, n_dims), generator=generator)
        u = torch.rand(4, n_dims, generator=generator, dtype=torch.float64)
        cases.append((log_density, levels, u))
    return cases


def _wrong(
    *,
    noise: float = 1.0,
    shift: float = 0.0,
    divisor: float = 256,
    volume: bool = True,
    unit: float = 1.0,
) -> object:
    def bits(log_density: Density, levels: Tensor, u: Tensor) -> Tensor:
        n_dims = levels.shape[-1]
        log_p = log_density((levels.double() + noise * u + shift) / divisor)
        log_p = log_p - volume * n_dims * math.log(divisor)
        return -log_p / (n_dims * math.log(2)) * unit

    return bits


EXERCISE = Exercise(
    "10.4",
    oracle=_dequantised_bits,
    cases=_cases,
    mistakes=(
        Mistake(
            "no noise",
            _wrong(noise=0.0),
            "That is the density at the levels themselves, which a narrow one can make as large as "
            "it likes. Where does the noise come in?",
        ),
        Mistake(
            "middle of the cell",
            _wrong(noise=0.0, shift=0.5),
            "That is the density in the middle of each cell. A place in the cell is to be drawn, "
            "by `u`, afresh for every image.",
        ),
        Mistake(
            "divided by 255",
            _wrong(divisor=255),
            "With the noise there are 256 cells side by side. Divided by 255 the topmost would "
            "reach beyond 1, and the cells have another volume than you were told.",
        ),
        Mistake(
            "no volume",
            _wrong(volume=False),
            "The density has been turned into bits as if it were a probability. It needs the "
            "volume of a cell, (1/256)^D.",
        ),
        Mistake(
            "nats",
            _wrong(unit=math.log(2)),
            "These are nats per dimension: how many nats are a bit?",
        ),
        Mistake(
            "sign",
            _wrong(unit=-1.0),
            "A length in bits is minus the logarithm of a probability.",
        ),
        Mistake(
            "one number for the batch",
            lambda log_density, levels, u: _dequantised_bits(log_density, levels, u).mean(),
            "You average over the images. One value for each of them is asked for.",
        ),
        Mistake(
            "noise added after the division",
            lambda log_density, levels, u: _wrong(noise=0.0)(
                lambda x: log_density(x + u), levels, u
            ),
            "Your noise is as wide as the whole range. It is to be as wide as one level: add it "
            "before you divide.",
        ),
    ),
)
