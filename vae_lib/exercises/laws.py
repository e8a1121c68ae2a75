"""Judge draws by their law, not by two moments: are these numbers uniform, and independent?

Whatever distribution draws should have, its cumulative distribution function turns them into
uniform numbers u. Of those, √2 cos(πku) has mean 0 and variance 1 for k = 1, 2, ..., and so has the
product of two of them, for two draws, two dimensions or two calls that are independent. Each test
is the mean of such a product over n rows, which a right answer keeps within a few times 1/√n
(Neyman's smooth tests, 1937; the products do for dependence what they do for shape).

The limit is 8 standard errors. The products are at most 2, so by Bernstein's inequality a right
answer passes it by chance with a probability below 3e-13 in a test of 4,000 rows or more. The
200,000 tests that the largest exercise makes together refuse a right answer once in 10 million.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

MIN_ROWS = 4000
LIMIT = 8.0  # standard errors


def are_uniform(u: Tensor) -> bool:
    """Whether each column of `u`, (n, D) with n >= MIN_ROWS, is uniform on [0, 1]."""
    # Atoms spread over all orders; Kolmogorov's distance sees them. By Massart's inequality
    # (1990) a right answer passes 4/√n with a probability of at most 3e-14.
    distance = (u.sort(dim=0).values - torch.linspace(0, 1, len(u))[:, None]).abs().max()
    is_near = bool(distance * math.sqrt(len(u)) <= 4)
    return is_near and _small(_cosines(u, orders=8).mean(0), len(u))


def are_independent_columns(u: Tensor) -> bool:
    """Whether the columns of `u`, (n, D), are pairwise independent, whatever shape each has."""
    cosines = _centred(_cosines(u, orders=3))
    products = torch.einsum("nik,njl->ijkl", cosines, cosines) / len(u)
    return _small(products[~torch.eye(u.shape[1], dtype=torch.bool)], len(u))


def are_independent_rows(u: Tensor) -> bool:
    """Whether the rows of `u`, (n, D), are independent of each other, at every distance."""
    # Rows that are repeated in disorder are at no distance in particular, but fall into the same
    # cell of a grid in which independent ones share a cell once in a thousand.
    cells_along = math.ceil((1000 * len(u)) ** (1 / u.shape[1]))
    place = cells_along ** torch.arange(u.shape[1])
    if len(((u * cells_along).long() * place).sum(1).unique()) < 0.99 * len(u):
        return False
    spectra = torch.fft.rfft(_centred(_cosines(u, orders=2)), dim=0).abs().square()
    return _small(torch.fft.irfft(spectra, n=len(u), dim=0)[1:] / len(u), len(u))


def are_independent_calls(u: Tensor, earlier: Sequence[Tensor]) -> bool:
    """Whether `u` is independent of what earlier calls of the same size returned, row by row."""
    cosines = _centred(_cosines(u, orders=2))
    products = [
        torch.einsum("nik,njl->ijkl", cosines, _centred(_cosines(other, orders=2))) / len(u)
        for other in earlier
        if other.shape == u.shape
    ]
    return all(_small(product, len(u)) for product in products)


def standardised(u: Tensor) -> Tensor:
    """Each column of `u` less its mean, over its standard deviation; zeros where that is 0."""
    return (u - u.mean(0)) / u.std(0).clamp(min=1e-12)


def _cosines(u: Tensor, *, orders: int) -> Tensor:
    """√2 cos(πku), shape (n, D, orders)."""
    k = torch.arange(1, orders + 1, dtype=torch.float64)
    return math.sqrt(2) * torch.cos(math.pi * u.double()[..., None] * k)


def _centred(cosines: Tensor) -> Tensor:
    """With mean 0 and variance 1 of their own, so that dependence shows apart from the shape."""
    cosines = cosines - cosines.mean(0)
    return cosines / cosines.square().mean(0).sqrt().clamp(min=1e-6)


def _small(means: Tensor, n: int) -> bool:
    # Written so that a nan is not small.
    return bool((means.abs() * math.sqrt(n) <= LIMIT).all())
