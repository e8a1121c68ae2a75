"""Draws against data: distances between two sets of rows. No model is ever seen here."""

import math

import torch
from torch import Tensor

from vae_lib import checks


def energy_distance(a: Tensor, b: Tensor) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| between the rows of a, (N, D), and of b, (M, D).

    At least 0, in the units of the data, and 0 only if the two samples are the same. Two samples
    of one distribution differ by chance: compare with that floor.

    Source: Székely and Rizzo (2013). Taught in chapter 1.
    """
    a, b = _checked_pair(a, b)
    between = torch.cdist(a, b).mean()
    return (2 * between - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


def nearest_distance(a: Tensor, b: Tensor) -> float:
    """The mean Euclidean distance from each row of a, (N, D), to the nearest row of b, (M, D).

    From draws to data it grows when draws look like nothing in the data; from data to draws, when
    there are data that no draw looks like.

    Taught in chapter 1.
    """
    a, b = _checked_pair(a, b)
    return torch.cdist(a, b).amin(dim=1).mean().item()


def two_sample_accuracy(a: Tensor, b: Tensor, *, n_neighbors: int = 5) -> float:
    """How often a row's nearest neighbours tell which of two samples it came from.

    Each row of a or b, both (N, D), is given to the sample that most of its `n_neighbors` nearest
    other rows come from. About 0.5 for large, independent samples of one distribution, 1 where
    neighbours always tell: compare with what two samples of data give, which may be less than 0.5.

    Source: Lopez-Paz and Oquab (2017), with one row held out at a time. Schilling (1986) takes the
    share of neighbours from a row's own sample, without a vote. Taught in chapter 1.
    """
    a, b = _checked_pair(a, b)
    if len(a) != len(b):
        raise ValueError(
            f"The samples must have the same size, or 0.5 would not mean chance, but have "
            f"{len(a)} and {len(b)} rows: take as many rows of each."
        )
    n_neighbors = checks.count(n_neighbors, "n_neighbors, an odd number,")
    if n_neighbors % 2 == 0 or n_neighbors >= 2 * len(a):
        raise ValueError(
            f"n_neighbors must be odd and between 1 and {2 * len(a) - 1}, not {n_neighbors}."
        )
    rows = torch.cat([a, b])
    from_b = torch.arange(len(rows)) >= len(a)
    distance = torch.cdist(rows, rows).fill_diagonal_(math.inf)
    nearest = distance.topk(n_neighbors, largest=False).indices
    votes_b = from_b[nearest].float().mean(dim=1) > 0.5
    return (votes_b == from_b).float().mean().item()


def _checked_pair(a: object, b: object) -> tuple[Tensor, Tensor]:
    a = checks.rows(a, "a")
    b = checks.rows(b, "b", n_columns=a.shape[1])
    # float64, because distances of near-equal rows are differences of large squares; on the CPU,
    # because not every GPU has it.
    return a.cpu().double(), b.cpu().double()
