"""Fill-in 8.b: the epoch that the validation images choose."""

import itertools

import torch

from vae_lib.exercises import Exercise, Mistake


def _best_epoch(validation: list[float]) -> int:
    return max(range(1, len(validation) + 1), key=lambda epoch: validation[epoch - 1])


def _curves(generator: torch.Generator) -> list[tuple]:
    """Lists that rise to a peak and fall, one that rises to its end, and one with several peaks."""
    cases = []
    for n, peak in ((6, 3), (11, 7)):
        noise = torch.rand(n, generator=generator, dtype=torch.float64).tolist()
        curve = [-30 - abs(i - peak) + 0.4 * noise[i] for i in range(n)]
        cases.append(([*curve[:peak], -29.0, *curve[peak + 1 :]],))
    several = [-32.0, -29.5, -30.1, -28.4, -27.2, -27.9, -27.5]
    return [*cases, ([-31.0, -28.5, -27.0, -26.8],), (several,)]


def _first_fall(validation: list[float]) -> int:
    rises = [b >= a for a, b in itertools.pairwise(validation)]
    return 1 + [*rises, False].index(False)


def _last_rise(validation: list[float]) -> int:
    rises = [b > a for a, b in itertools.pairwise(validation)]
    return max((i + 2 for i, rise in enumerate(rises) if rise), default=1)


EXERCISE = Exercise(
    "8.b",
    oracle=_best_epoch,
    cases=_curves,
    mistakes=(
        Mistake(
            "counted from 0",
            lambda validation: _best_epoch(validation) - 1,
            "You are one too low: lists count from 0, epochs here from 1.",
        ),
        Mistake(
            "smallest",
            lambda validation: 1 + validation.index(min(validation)),
            "That is the epoch with the lowest ELBO. An ELBO is to be large.",
        ),
        Mistake(
            "smallest, counted from 0",
            lambda validation: validation.index(min(validation)),
            "That is the place of the lowest ELBO, and an ELBO is to be large; epochs count from "
            "1.",
        ),
        Mistake(
            "last",
            lambda validation: len(validation),
            "That is the last epoch, whatever the curve does.",
        ),
        Mistake(
            "the first fall",
            _first_fall,
            "You stop at the epoch before the first fall. A noisy curve may fall once and rise "
            "higher later.",
        ),
        Mistake(
            "the last rise",
            _last_rise,
            "That is the last epoch with a higher ELBO than the one before it, which need not be "
            "the highest of all.",
        ),
        Mistake(
            "the value",
            lambda validation: max(validation),
            "That is the best ELBO. The epoch at which it was reached is asked for.",
        ),
    ),
)
