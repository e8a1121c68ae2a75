"""Exercise 12.4: whole numbers for a coder."""

import numpy as np
import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_summary


def _one_by_one(p: Tensor, total: int) -> Tensor:
    """Largest remainders: shares rounded down, the rest to those that lost most by it."""
    shares = p.double().numpy() * (total - len(p))
    table = 1 + np.floor(shares).astype(int)
    lost = np.argsort(np.floor(shares) - shares)
    table[lost[: total - table.sum()]] += 1
    return torch.from_numpy(table)


def _probabilities(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, total in ((5, 256), (40, 4096), (3, 65536), (2, 16)):
        p = torch.rand(n, generator=generator, dtype=torch.float64) ** 6 + 1e-9
        p = p.sort(descending=True).values
        p[-1] = 1e-9 * p[0]
        cases.append((p / p.sum(), total))
    return cases


def _judged(table: object, p: Tensor, total: int) -> list[bool]:
    """What is asked for: whole, of the right number, none below 1, the sum, the shares."""
    table = torch.as_tensor(table).double().flatten()
    if len(table) != len(p):
        return [False] * 4
    share = p * total
    generous = (table >= 0.9 * share) | (share < 10)
    return [
        bool((table == table.round()).all()),
        bool((table >= 1).all()),
        bool(table.sum() == total),
        bool(generous.all()),
    ]


def _at_least_one(p: Tensor, total: int) -> Tensor:
    return (p * total).round().clamp_min(1)


def _rest_to_the_first_zero(p: Tensor, total: int) -> Tensor:
    table = (p * total).floor()
    table[p.argmax()] += total - table.sum()
    return table


def _equal(p: Tensor, total: int) -> Tensor:
    table = torch.full_like(p, total // len(p))
    table[0] += total - table.sum()
    return table


EXERCISE = Exercise(
    "12.4",
    oracle=_one_by_one,
    cases=_probabilities,
    summarise=_judged,
    compare=same_summary,
    mistakes=(
        Mistake(
            "zeros",
            _rest_to_the_first_zero,
            "The sum is right, but a symbol that is possible has a frequency below 1, and could "
            "never be sent.",
        ),
        Mistake(
            "sum",
            _at_least_one,
            "No frequency is below 1, but for some `p` they do not sum to `total`. Who pays for "
            "those that were raised to 1?",
        ),
        Mistake(
            "not whole",
            lambda p, total: p * total,
            "These are no whole numbers.",
        ),
        Mistake(
            "equal shares",
            _equal,
            "These are valid tables, but nearly the same for all symbols: the message would be "
            "long. Each symbol needs nine tenths of its share.",
        ),
        Mistake(
            "rounded",
            lambda p, total: (p * total).floor(),
            "Some frequencies are 0, and they do not sum to `total`: rounding down alone loses "
            "what it cuts off.",
        ),
    ),
)
