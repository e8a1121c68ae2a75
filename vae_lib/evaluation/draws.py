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


def precision_recall(real: Tensor, drawn: Tensor, *, n_neighbors: int = 3) -> tuple[float, float]:
    """The share of draws inside the data's region, and the share of data inside the draws'.

    A sample's region is the union of balls, one round each of its rows, that reach to the row's
    `n_neighbors`-th nearest other row; what lies on a ball's edge is inside. Both shares are
    between 0 and 1. A model that leaves out a part of the data loses recall, one whose draws look
    like no data loses precision, and copies of the data cost neither. Two samples of one
    distribution give less than 1, the less the more dimensions there are: compare with that floor,
    for samples of the same sizes, since balls shrink as samples grow.

    Args:
        real: (N, D), or features of the data in place of pixels.
        drawn: (M, D), the same of draws.
        n_neighbors: 1 or more, and less than N and M. The authors' own code has 3.

    Raises:
        ValueError: what are no finite rows of one length; a count that does not fit.

    Source: Kynkäänniemi et al. (2019). Taught in chapter 14.
    """
    real, drawn = _checked_pair(real, drawn)
    n_neighbors = checks.count(n_neighbors, "n_neighbors")
    if n_neighbors >= min(len(real), len(drawn)):
        raise ValueError(
            f"n_neighbors must be less than the number of rows, {len(real)} and {len(drawn)}, for "
            f"a row is no neighbour of its own, but is {n_neighbors}."
        )
    return _share_inside(drawn, real, n_neighbors), _share_inside(real, drawn, n_neighbors)


def _share_inside(points: Tensor, centres: Tensor, n_neighbors: int) -> float:
    """The share of points in a ball round any centre, up to its n-th nearest other centre."""
    points, centres = points - centres.mean(0), centres - centres.mean(0)
    # Squares come from matrix products, which would put many a copy of the n-th neighbour outside.
    rounding = 1e-12 * max(rows.square().sum(1).max() for rows in (points, centres))
    own = (torch.cdist(rows, centres) for rows in centres.split(1000))
    # Its distance to itself, 0, is the first of n + 1.
    kept = n_neighbors + 1
    radii = torch.cat([d.topk(kept, largest=False).values[:, -1] for d in own])
    reach = radii.square() + rounding
    across = (torch.cdist(rows, centres) for rows in points.split(1000))
    return torch.cat([(d.square() <= reach).any(dim=1) for d in across]).double().mean().item()


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """||μ_a - μ_b||² + Tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½) for the rows of a, (N, D), and of b, (M, D).

    The squared 2-Wasserstein distance between Gaussians with the samples' means and covariances
    (divided by N - 1, M - 1): in the squared units of the data, at least 0, and blind to all that
    means and covariances do not show. On features of an Inception network it is called FID; here
    a and b may be pixels, or features from any network, the same for both.

    It is biased: for two samples of one Gaussian N(μ, σ² I) it is about
    σ² D (D + 5) / 4 (1/N + 1/M), where N and M are much larger than D, and 0 in truth. In general
    its mean is the truth and a term of the order of 1/N, which differs between models, so that of
    two at the same distance the narrower one seems closer. Compare samples of the same sizes, with
    `real_against_real` beside them. Where N is not above D a covariance lacks rank, and the number
    exists but says little.

    Computed in float64 as the sum of the singular values of a product of triangular factors, so
    there is no root of a matrix that might be complex. Rounding is about 1e-15 (Tr Σ_a + Tr Σ_b).

    Raises:
        ValueError: fewer than 2 rows, or what are no finite rows of one length.

    Source: Heusel et al. (2017); Dowson and Landau (1982). Bias: Bińkowski et al. (2018), Chong
    and Forsyth (2020). Taught in chapter 14.
    """
    a, b = _checked_pair(a, b)
    if min(len(a), len(b)) < 2:
        raise ValueError(
            f"A covariance needs 2 rows or more, but a and b have {len(a)} and {len(b)}."
        )
    apart = (a.mean(0) - b.mean(0)).square().sum()
    root_a, root_b = _root_of_covariance(a), _root_of_covariance(b)
    # Tr (Σ_a Σ_b)^½ with Σ = RᵀR is the sum of the singular values of R_a R_bᵀ.
    shared = torch.linalg.svdvals(root_a @ root_b.T).sum()
    squared = apart + root_a.square().sum() + root_b.square().sum() - 2 * shared
    return squared.clamp_min(0).item()


def _root_of_covariance(x: Tensor) -> Tensor:
    """R with RᵀR the covariance of the rows of x, (min(N, D), D)."""
    centred = (x - x.mean(0)) / (len(x) - 1) ** 0.5
    return torch.linalg.qr(centred, mode="r").R


def _checked_pair(a: object, b: object) -> tuple[Tensor, Tensor]:
    a = checks.rows(a, "a")
    b = checks.rows(b, "b", n_columns=a.shape[1])
    # float64, because distances of near-equal rows are differences of large squares; on the CPU,
    # because not every GPU has it.
    return a.cpu().double(), b.cpu().double()
