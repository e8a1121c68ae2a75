"""Exercise 14.1: precision by nearest neighbours."""

import math

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _radii(rows: Tensor, n_neighbors: int, *, with_itself: bool = False) -> list[float]:
    radii = []
    for i, row in enumerate(rows.tolist()):
        others = [
            math.dist(row, other) for j, other in enumerate(rows.tolist()) if with_itself or j != i
        ]
        radii.append(sorted(others)[n_neighbors - 1])
    return radii


def _inside(points: Tensor, centres: Tensor, radii: list[float]) -> Tensor:
    found = [
        any(math.dist(p, c) <= r + 1e-9 for c, r in zip(centres.tolist(), radii, strict=True))
        for p in points.tolist()
    ]
    return torch.tensor(sum(found) / len(found), dtype=torch.float64)


def _precision(real: Tensor, drawn: Tensor, n_neighbors: int) -> Tensor:
    return _inside(drawn, real, _radii(real, n_neighbors))


def _samples(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_real, n_drawn, n_neighbors in ((14, 25, 2), (20, 30, 3)):
        real = torch.randn(n_real, 3, generator=generator, dtype=torch.float64)
        drawn = 1.4 * torch.randn(n_drawn, 3, generator=generator, dtype=torch.float64)
        real[:4] += 6  # of which no draw is like
        cases.append((real, drawn, n_neighbors))
    # Whole numbers on a line: exact distances, and a draw on the edge of a ball.
    real = torch.tensor([[0.0], [1.0], [3.0], [7.0]], dtype=torch.float64)
    drawn = torch.tensor([[-1.0], [-2.0], [4.5], [11.0], [12.0]], dtype=torch.float64)
    return [*cases, (real, drawn, 1)]


def _smallest_ball(real: Tensor, drawn: Tensor, n_neighbors: int) -> Tensor:
    radius = sum(_radii(real, n_neighbors)) / len(real)
    return _inside(drawn, real, [radius] * len(real))


def _strictly(real: Tensor, drawn: Tensor, n_neighbors: int) -> Tensor:
    radii = torch.tensor(_radii(real, n_neighbors), dtype=torch.float64)
    return (torch.cdist(drawn, real) < radii - 1e-9).any(1).double().mean()


def _share_of_balls(real: Tensor, drawn: Tensor, n_neighbors: int) -> Tensor:
    # Of each real image, whether any draw is in its ball.
    radii = _radii(real, n_neighbors)
    full = [
        any(math.dist(p, c) <= r + 1e-9 for p in drawn.tolist())
        for c, r in zip(real.tolist(), radii, strict=True)
    ]
    return torch.tensor(sum(full) / len(full), dtype=torch.float64)


def _share_of_pairs(real: Tensor, drawn: Tensor, n_neighbors: int) -> Tensor:
    radii = torch.tensor(_radii(real, n_neighbors), dtype=torch.float64)
    return (torch.cdist(drawn, real) <= radii + 1e-9).double().mean()


EXERCISE = Exercise(
    "14.1",
    oracle=_precision,
    cases=_samples,
    mistakes=(
        Mistake(
            "itself a neighbour",
            lambda real, drawn, n_neighbors: _inside(
                drawn, real, _radii(real, n_neighbors, with_itself=True)
            ),
            "You count an image as its own first neighbour, so every ball is one neighbour short.",
        ),
        Mistake(
            "one neighbour too many",
            lambda real, drawn, n_neighbors: _inside(drawn, real, _radii(real, n_neighbors + 1)),
            "Your balls reach one neighbour too far.",
        ),
        Mistake(
            "recall",
            lambda real, drawn, n_neighbors: _inside(real, drawn, _radii(drawn, n_neighbors)),
            "That is the recall: balls round the draws, and the share of real images in them.",
        ),
        Mistake(
            "balls round draws",
            lambda real, drawn, n_neighbors: torch.tensor(
                sum(
                    any(math.dist(p, r) <= radius + 1e-9 for r in real.tolist())
                    for p, radius in zip(drawn.tolist(), _radii(drawn, n_neighbors), strict=True)
                )
                / len(drawn),
                dtype=torch.float64,
            ),
            "Your balls lie round the draws. Precision asks for draws inside balls of the real "
            "images.",
        ),
        Mistake(
            "nearest neighbour",
            lambda real, drawn, n_neighbors: _inside(drawn, real, _radii(real, 1)),
            "Your balls reach to the nearest neighbour, whatever `n_neighbors` says.",
        ),
        Mistake(
            "one radius",
            _smallest_ball,
            "You give all balls one radius, the mean; each has its own.",
        ),
        Mistake(
            "share of balls",
            _share_of_balls,
            "That is the share of balls that have a draw in them. Ask of each draw whether any "
            "ball holds it.",
        ),
        Mistake(
            "share of pairs",
            _share_of_pairs,
            "That is the share of pairs. A draw counts once, in however many balls it lies.",
        ),
        Mistake(
            "number of draws",
            lambda real, drawn, n_neighbors: len(drawn) * _precision(real, drawn, n_neighbors),
            "That is how many draws are inside, and not their share.",
        ),
        Mistake(
            "outside",
            lambda real, drawn, n_neighbors: 1 - _precision(real, drawn, n_neighbors),
            "That is the share of draws outside the region.",
        ),
        Mistake(
            "edge",
            _strictly,
            "Right but for draws on the edge of a ball, which count as inside.",
        ),
    ),
)
