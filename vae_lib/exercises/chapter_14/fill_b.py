"""Fill-in 14.b: the share of draws inside a region of balls."""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _share(distance: Tensor, radii: Tensor) -> Tensor:
    n_inside = 0
    for row in distance.tolist():
        n_inside += any(d <= r for d, r in zip(row, radii.tolist(), strict=True))
    return torch.tensor(n_inside / len(distance), dtype=torch.float64)


def _pairs(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, n_real in ((12, 7), (9, 15)):
        distance = 1 + torch.rand(n_draws, n_real, generator=generator, dtype=torch.float64)
        radii = 1.02 + 0.2 * torch.rand(n_real, generator=generator, dtype=torch.float64)
        distance[0], distance[1, :3] = 3.0, 1.01  # in no ball, and in three at least
        distance[2] = 3.0
        distance[2, 1] = radii[1]  # on an edge
        distance[3], radii[2] = 3.0, 1.5  # nearest to one real image, in another's ball
        distance[3, 0], distance[3, 2] = radii[0] + 0.1, 1.45
        cases.append((distance, radii))
    return cases


def _by_balls(reduce: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda distance, radii: reduce(distance <= radii)


EXERCISE = Exercise(
    "14.b",
    oracle=_share,
    cases=_pairs,
    mistakes=(
        Mistake(
            "share of pairs",
            _by_balls(lambda inside: inside.double().mean()),
            "That is the share of pairs. A draw counts once, in however many balls it lies.",
        ),
        Mistake(
            "share of balls",
            _by_balls(lambda inside: inside.any(dim=0).double().mean()),
            "That is the share of balls that have a draw in them. Ask of each draw, a row, "
            "whether any ball holds it.",
        ),
        Mistake(
            "inside all",
            _by_balls(lambda inside: inside.all(dim=1).double().mean()),
            "You ask for draws that lie in every ball; one ball is enough.",
        ),
        Mistake(
            "number of draws",
            _by_balls(lambda inside: inside.any(dim=1).double().sum()),
            "That is how many draws are inside. A share is between 0 and 1.",
        ),
        Mistake(
            "balls a draw",
            _by_balls(lambda inside: inside.double().sum(1).mean()),
            "You count how many balls hold a draw; a draw counts once.",
        ),
        Mistake(
            "outside",
            _by_balls(lambda inside: 1 - inside.any(dim=1).double().mean()),
            "That is the share outside.",
        ),
        Mistake(
            "edge",
            lambda distance, radii: (distance < radii).any(dim=1).double().mean(),
            "Right but for a draw on the edge of a ball, which counts as inside.",
        ),
        Mistake(
            "nearest ball only",
            lambda distance, radii: (distance.amin(1) <= radii[distance.argmin(1)]).double().mean(),
            "You ask only the nearest real image. A ball that is farther away may be larger, and "
            "hold the draw.",
        ),
        Mistake(
            "each draw's verdict",
            _by_balls(lambda inside: inside.any(dim=1)),
            "One verdict for each draw, and each is right: take the share of those inside.",
        ),
    ),
)
