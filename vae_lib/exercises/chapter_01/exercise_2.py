"""Exercise 1.2: the energy distance."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.vector_norm(a[:, None] - b, dim=-1)


def _energy_distance(a: Tensor, b: Tensor) -> Tensor:
    return 2 * _distances(a, b).mean() - _distances(a, a).mean() - _distances(b, b).mean()


def _without_own_pairs(a: Tensor, b: Tensor) -> Tensor:
    within = [_distances(x, x).sum() / (len(x) * (len(x) - 1)) for x in (a, b)]
    return 2 * _distances(a, b).mean() - sum(within)


def _samples(generator: torch.Generator) -> list[tuple]:
    def rows(n: int, n_columns: int) -> Tensor:
        return torch.randn(n, n_columns, generator=generator, dtype=torch.float64)

    return [(rows(6, 3), 2 * rows(9, 3) + 1), (rows(8, 2), rows(5, 2) - 2)]


EXERCISE = Exercise(
    "1.2",
    oracle=_energy_distance,
    cases=_samples,
    mistakes=(
        Mistake(
            "no factor 2",
            lambda a, b: (
                _distances(a, b).mean() - _distances(a, a).mean() - _distances(b, b).mean()
            ),
            "Two equal samples would score less than 0. Two distances within are taken away, "
            "so how often must the distance between count?",
        ),
        Mistake(
            "half of it",
            lambda a, b: _energy_distance(a, b) / 2,
            "You have half of it. In equation 1.3 the distance between counts twice, and each "
            "distance within once.",
        ),
        Mistake(
            "squared distances",
            lambda a, b: 2 * (a.mean(0) - b.mean(0)).square().sum(),
            "With squared distances all but the difference of the two means cancels, and a "
            "narrow cloud equals a wide one. Take the root of each squared distance first.",
        ),
        Mistake(
            "pairs of a row with itself left out",
            _without_own_pairs,
            "You leave out the pairs of a row with itself. That removes a bias, and it allows "
            "values under 0; the book's formula averages over all pairs.",
        ),
        Mistake(
            "only one distance within",
            lambda a, b: 2 * _distances(a, b).mean() - 2 * _distances(a, a).mean(),
            "You take the spread of `a` away twice and that of `b` never.",
        ),
        Mistake(
            "sums in place of means",
            lambda a, b: (
                2 * _distances(a, b).sum() - _distances(a, a).sum() - _distances(b, b).sum()
            ),
            "You sum over the pairs, so the result grows with the size of the samples. The "
            "expectations are means.",
        ),
        Mistake(
            "square root of it",
            lambda a, b: _energy_distance(a, b).sqrt(),
            "You take a square root at the end, as some texts do: the book's formula has none.",
        ),
    ),
)
