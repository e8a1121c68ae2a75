"""Fill-in 15.a: the mutual information gap, from a table."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _gap(information: Tensor, entropies: Tensor) -> Tensor:
    gaps = []
    for column, entropy in zip(information.T.tolist(), entropies.tolist(), strict=True):
        second, most = sorted(column)[-2:]
        gaps.append((most - second) / entropy)
    return torch.tensor(sum(gaps) / len(gaps), dtype=information.dtype)


def _ranked(information: Tensor) -> Tensor:
    return information.sort(dim=0, descending=True).values


def _tables(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_dims, n_factors in ((3, 4), (6, 2)):
        entropies = 1 + torch.rand(n_factors, generator=generator, dtype=torch.float64)
        share = torch.rand(n_dims, n_factors, generator=generator, dtype=torch.float64)
        cases.append((share * entropies, entropies))
    # Two dimensions that tell the same of the first factor.
    information = cases[0][0].clone()
    information[:2, 0] = information[:, 0].max() + 0.1
    return [*cases, (information, cases[0][1])]


def _across_factors(information: Tensor, entropies: Tensor) -> Tensor:
    ranked = (information / entropies).sort(dim=1, descending=True).values
    return (ranked[:, 0] - ranked[:, 1]).mean()


EXERCISE = Exercise(
    "15.a",
    oracle=_gap,
    cases=_tables,
    mistakes=(
        Mistake(
            "not normalised",
            lambda information, entropies: (
                _ranked(information)[0] - _ranked(information)[1]
            ).mean(),
            "You leave out the entropies: each factor's gap is counted in units of its own.",
        ),
        Mistake(
            "one for each factor",
            lambda information, entropies: (
                (_ranked(information)[0] - _ranked(information)[1]) / entropies
            ),
            "That is the gap of each factor, and each is right. The score is their mean.",
        ),
        Mistake(
            "sum over factors",
            lambda information, entropies: (
                (_ranked(information)[0] - _ranked(information)[1]) / entropies
            ).sum(),
            "You add the gaps of the factors up; the score is their mean.",
        ),
        Mistake(
            "no second",
            lambda information, entropies: (_ranked(information)[0] / entropies).mean(),
            "That is how much the best dimension tells of each factor. Take away what the second "
            "best tells of the same factor.",
        ),
        Mistake(
            "largest less smallest",
            lambda information, entropies: (
                (_ranked(information)[0] - _ranked(information)[-1]) / entropies
            ).mean(),
            "You take away the least that any dimension tells. It is the second most that counts.",
        ),
        Mistake(
            "along the rows",
            _across_factors,
            "You compare factors for each dimension. Each column is a factor: compare dimensions, "
            "along the rows of the table.",
        ),
        Mistake(
            "total entropy",
            lambda information, entropies: (
                (_ranked(information)[0] - _ranked(information)[1]).sum() / entropies.sum()
            ),
            "You divide the sum of the gaps by the sum of the entropies: divide each gap by its "
            "own factor's entropy, and then take the mean.",
        ),
    ),
)
