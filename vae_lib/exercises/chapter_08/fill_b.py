"""Fill-in 8.b: the epoch that the validation images choose."""

import torch

from vae_lib.exercises import Exercise, Mistake


def _best_epoch(validation: list[float]) -> int:
    return max(range(1, len(validation) + 1), key=lambda epoch: validation[epoch - 1])


def _curves(generator: torch.Generator) -> list[tuple]:
    """Lists that rise to a peak and fall, and one that rises to its end."""
    cases = []
    for n, peak in ((6, 3), (11, 7)):
        noise = torch.rand(n, generator=generator, dtype=torch.float64).tolist()
        curve = [-30 - abs(i - peak) + 0.4 * noise[i] for i in range(n)]
        cases.append(([*curve[:peak], -29.0, *curve[peak + 1 :]],))
    return [*cases, ([-31.0, -28.5, -27.0, -26.8],)]


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
            "the value",
            lambda validation: max(validation),
            "That is the best ELBO. The epoch at which it was reached is asked for.",
        ),
    ),
)
