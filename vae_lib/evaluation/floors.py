"""What a score of two samples gives by chance: for real data, and from one sample to the next.

A score here is any function of two sets of rows, (N, D) and (M, D), that returns a number or a
tuple of numbers: those in `vae_lib.evaluation`, or one of your own.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_lib import checks

Score = Callable[[Tensor, Tensor], float | tuple[float, ...]]


def real_against_real(
    score: Score,
    data: Tensor,
    *,
    sizes: tuple[int, int] | None = None,
    n_repeats: int = 20,
    seed: int = 0,
) -> Tensor:
    """What the score gives for data against other data: the floor for draws from a model.

    Each time, two samples without a common row are taken from the data. If the model is right, a
    score of as many draws and data is one more number like these. The samples of different
    repeats share rows, so repeats are not independent, and more of them add ever less.

    Args:
        data: (N, D), for a model's draws best data that it was not trained on.
        sizes: how many rows the two samples have, N together at most; by default half of N each.
            Scores depend on sizes: take those for which you want the floor.
        n_repeats: R.
        seed: of the choice of rows; the global random state is left alone.

    Returns:
        (R,) in float64, or (R, S) for a score of S numbers.

    Raises:
        ValueError: data that are no finite rows, or fewer rows than the samples take together.

    Taught in chapter 14.
    """
    data, generator = checks.rows(data, "data"), torch.Generator().manual_seed(seed)
    n_repeats = checks.count(n_repeats, "n_repeats")
    n_a, n_b = sizes or (len(data) // 2, len(data) // 2)
    n_a, n_b = checks.count(n_a, "The first of sizes"), checks.count(n_b, "The second of sizes")
    if n_a + n_b > len(data):
        raise ValueError(
            f"Samples of {n_a} and {n_b} rows without a common one need {n_a + n_b} rows, but data "
            f"has {len(data)}: pass smaller sizes."
        )
    values = []
    for _ in range(n_repeats):
        chosen = torch.randperm(len(data), generator=generator)[: n_a + n_b].to(data.device)
        values.append(score(data[chosen[:n_a]], data[chosen[n_a:]]))
    return torch.tensor(values, dtype=torch.float64)


def jackknife_error(
    score: Score, a: Tensor, b: Tensor, *, n_groups: int = 20, seed: int = 0
) -> Tensor:
    """The standard error of score(a, b), by leaving out one of G groups of rows at a time.

    sqrt((G - 1)/G Σ_g (s_g - s̄)²), where s_g lacks the g-th group of both a and b: how much the
    score would vary over new samples of these sizes. A bootstrap would draw rows twice, and to a
    score of nearest neighbours these are copies. On average the jackknife gives too much rather
    than too little: up to twice as much for scores of nearest neighbours, and for distances where
    both samples come from one distribution. By chance it is off by a share of about
    1 / sqrt(2 (G - 1)). It says nothing of a bias.

    Args:
        a, b: (N, D) and (M, D), with `n_groups` rows or more each.
        n_groups: G, 2 or more.
        seed: of the division into groups, which is random so that sorted rows do no harm.

    Returns:
        a float64 tensor without axes, or (S,) for a score of S numbers.

    Raises:
        ValueError: what are no finite rows of one length, or fewer of them than groups.

    Source: Efron and Stein (1981), who show where it errs. Taught in chapter 14.
    """
    a = checks.rows(a, "a")
    b = checks.rows(b, "b", n_columns=a.shape[1])
    n_groups = checks.count(n_groups, "n_groups", 2)
    if n_groups > min(len(a), len(b)):
        raise ValueError(
            f"n_groups must be {min(len(a), len(b))}, the smaller number of rows, at most, so that "
            f"no group is empty, but is {n_groups}."
        )
    generator = torch.Generator().manual_seed(seed)
    in_a, in_b = (_groups(len(rows), n_groups, generator).to(rows.device) for rows in (a, b))
    left_out = [score(a[in_a != g], b[in_b != g]) for g in range(n_groups)]
    spread = torch.tensor(left_out, dtype=torch.float64).var(0, correction=0)
    return ((n_groups - 1) * spread).sqrt()


def _groups(n: int, n_groups: int, generator: torch.Generator) -> Tensor:
    """A group for each of n rows, at random and of as equal sizes as may be."""
    return torch.randperm(n, generator=generator) % n_groups
