"""Exercise 1.4: the share of neighbours from a row's own sample."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _neighbours(a: Tensor, b: Tensor, n_neighbors: int, own: bool = False) -> list[tuple]:
    """For each row its own sample's number and those of its neighbours, by sorting distances."""
    rows = [(0, row) for row in a.tolist()] + [(1, row) for row in b.tolist()]
    found = []
    for i, (sample, row) in enumerate(rows):
        others = sorted(
            (sum((p - q) ** 2 for p, q in zip(row, other, strict=True)), theirs)
            for j, (theirs, other) in enumerate(rows)
            if own or j != i
        )
        found.append((sample, [theirs for _, theirs in others[:n_neighbors]]))
    return found


def _mean(values: list) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).mean()


def _share(a: Tensor, b: Tensor, n_neighbors: int) -> Tensor:
    found = _neighbours(a, b, n_neighbors)
    return _mean([theirs == own for own, near in found for theirs in near])


def _with_itself(a: Tensor, b: Tensor, n_neighbors: int) -> Tensor:
    found = _neighbours(a, b, n_neighbors, own=True)
    return _mean([theirs == own for own, near in found for theirs in near])


def _majority(a: Tensor, b: Tensor, n_neighbors: int) -> Tensor:
    found = _neighbours(a, b, n_neighbors)
    return _mean([2 * near.count(own) > n_neighbors for own, near in found])


def _of_the_first(a: Tensor, b: Tensor, n_neighbors: int) -> Tensor:
    found = _neighbours(a, b, n_neighbors)
    return _mean([theirs == own for own, near in found for theirs in near if own == 0])


def _from_the_first(a: Tensor, b: Tensor, n_neighbors: int) -> Tensor:
    found = _neighbours(a, b, n_neighbors)
    return _mean([theirs == 0 for _, near in found for theirs in near])


def _samples(generator: torch.Generator) -> list[tuple]:
    def rows(n: int, n_columns: int) -> Tensor:
        return torch.randn(n, n_columns, generator=generator, dtype=torch.float64)

    return [
        (rows(14, 2), rows(14, 2) + 1, 3),
        (rows(20, 3), 0.5 * rows(20, 3) + 0.8, 5),
        (rows(9, 2), rows(15, 2) - 1, 5),
    ]


EXERCISE = Exercise(
    "1.4",
    oracle=_share,
    cases=_samples,
    mistakes=(
        Mistake(
            "a row as its own neighbour",
            _with_itself,
            "A row is nearest to itself, and you count it among its own neighbours, which "
            "raises the share. Leave it out.",
        ),
        Mistake(
            "majority vote",
            _majority,
            "You let the neighbours of a row vote and count the rows: that is the accuracy of a "
            "nearest-neighbour classifier. Schilling counts the neighbours themselves.",
        ),
        Mistake(
            "neighbours from the other sample",
            lambda a, b, n_neighbors: 1 - _share(a, b, n_neighbors),
            "You count the neighbours that come from the other sample: the share falls where "
            "the samples separate.",
        ),
        Mistake(
            "rows of the first sample only",
            _of_the_first,
            "You ask the rows of `a` only. The rows of `b` have neighbours as well.",
        ),
        Mistake(
            "neighbours from the first sample",
            _from_the_first,
            "You count the neighbours that come from `a`, whatever row they are neighbours of. "
            "What counts is whether both are from one sample.",
        ),
        Mistake(
            "a number in place of a share",
            lambda a, b, n_neighbors: _share(a, b, n_neighbors) * n_neighbors * (len(a) + len(b)),
            "You count the neighbours from the same sample: divide by how many there are.",
        ),
        Mistake(
            "a number for each row",
            lambda a, b, n_neighbors: _share(a, b, n_neighbors) * n_neighbors,
            "Your result is how many of a row's neighbours are from its own sample, on average. "
            "Divide by the number of neighbours.",
        ),
    ),
)
