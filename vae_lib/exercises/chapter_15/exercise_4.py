"""Exercise 15.4: whether a dimension serves one factor."""

import math

import torch
from scipy import stats
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _scores(importance: Tensor) -> tuple[Tensor, Tensor]:
    """1 - H / log K of each row that is not empty, and the row's share of the whole."""
    rows = [row for row in importance.numpy() if row.sum() > 0]
    scores = [1 - stats.entropy(row, base=importance.shape[1]) for row in rows]
    shares = [row.sum() / importance.sum().item() for row in rows]
    return torch.tensor(scores), torch.tensor(shares)


def _disentanglement(importance: Tensor) -> Tensor:
    scores, shares = _scores(importance)
    return scores @ shares


def _tables(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_dims, n_factors in ((4, 3), (3, 5)):
        shape = (n_dims, n_factors)
        importance = torch.rand(*shape, generator=generator, dtype=torch.float64).square()
        cases.append((importance,))
    one_factor, unused = cases[0][0].clone(), cases[0][0].clone()
    one_factor[0] = torch.tensor([0.0, 2.0, 0.0], dtype=one_factor.dtype)
    unused[2] = 0.0
    return [*cases, (one_factor,), (unused,)]


def _by_hand(importance: Tensor, *, safe: bool) -> Tensor:
    share = importance / importance.sum(1, keepdim=True)
    log = share.clamp(min=1e-300).log() if safe else share.log()
    score = 1 + (share * log).sum(1) / math.log(importance.shape[1])
    return (score * importance.sum(1)).sum() / importance.sum()


EXERCISE = Exercise(
    "15.4",
    oracle=_disentanglement,
    cases=_tables,
    mistakes=(
        Mistake(
            "not weighted",
            lambda importance: _scores(importance)[0].mean(),
            "You take the plain mean over the dimensions; each counts by its share of the table.",
        ),
        Mistake(
            "completeness",
            lambda importance: _disentanglement(importance.T.contiguous()),
            "That is the completeness, which looks along the columns: whether a factor is served "
            "by one dimension. Here the rows are distributions.",
        ),
        Mistake(
            "entropy itself",
            lambda importance: 1 - _disentanglement(importance),
            "That is the mean entropy, which is large where a dimension serves many factors.",
        ),
        Mistake(
            "entropy not normalised",
            lambda importance: (
                1 - (1 - _disentanglement(importance)) * math.log(importance.shape[1])
            ),
            "Divide the entropy by its largest value, log K: else the score is not between 0 and "
            "1.",
        ),
        Mistake(
            "logarithm of L",
            lambda importance: (
                1
                - (1 - _disentanglement(importance))
                * math.log(importance.shape[1])
                / math.log(importance.shape[0])
            ),
            "A row has K entries, so its entropy is at most log K; you divide by log L.",
        ),
        Mistake(
            "zeros",
            lambda importance: _by_hand(importance, safe=False),
            "NaN comes from zeros in the table: 0 log 0 counts as 0, and a row of zeros has the "
            "weight 0.",
        ),
        Mistake(
            "empty rows",
            lambda importance: _by_hand(importance, safe=True),
            "A row of zeros cannot be divided by its sum. Its weight is 0: leave it out.",
        ),
        Mistake(
            "sum",
            lambda importance: _scores(importance)[0].sum(),
            "You add the dimensions' scores up; what is asked for is their weighted mean.",
        ),
    ),
)
