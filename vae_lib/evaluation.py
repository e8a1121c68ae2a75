"""How good is the model? Likelihoods, and distances between draws and held-out data.

Likelihoods are in nats per example, larger is better. The three scores for draws compare two sets
of rows, (N, D) and (M, D), and know nothing of models.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vae_lib.objectives import log_importance_weights

if TYPE_CHECKING:
    from vae_lib.models import VAE


@torch.no_grad()
def log_likelihood(
    vae: "VAE", x: Tensor, *, n_samples: int = 1000, chunk_size: int = 100_000
) -> Tensor:
    """log p(x) by importance sampling from q(z|x), (N,), in nats per example.

    log (1/K) Σ_k w_k with K = `n_samples`: too small on average, less so the larger K is. At most
    `chunk_size` weights are held at a time, so memory stays bounded whatever N and K are.

    Source: Burda, Grosse and Salakhutdinov (2016); Wu et al. (2017) on its accuracy.
    """
    if n_samples < 1 or chunk_size < 1:
        raise ValueError(
            f"n_samples and chunk_size must be 1 or more, not {n_samples} and {chunk_size}."
        )
    chunks = []
    for batch in x.split(max(1, min(len(x), chunk_size // n_samples))):
        k_chunk = min(n_samples, chunk_size)
        ks = [min(k_chunk, n_samples - done) for done in range(0, n_samples, k_chunk)]
        log_w = [log_importance_weights(vae, batch, n_samples=k).logsumexp(0) for k in ks]
        chunks.append(torch.stack(log_w).logsumexp(0) - math.log(n_samples))
    return torch.cat(chunks)


@torch.no_grad()
def exact_log_likelihood(
    vae: "VAE", x: Tensor, *, tolerance: float = 1e-3, max_points: int = 2048, radius: float = 7.0
) -> Tensor:
    """log p(x) = log ∫ p(x|z) p(z) dz by quadrature, (N,), in nats; latent dimension 1 or 2.

    The trapezoid rule over [-radius, radius]^L, with the points on each axis doubled until no
    value moves by more than `tolerance`. A standard normal prior has 1e-11 of its mass outside.

    Raises:
        ValueError: the latent dimension is above 2.
        ArithmeticError: `max_points` an axis were not enough. A decoder whose p(x|z) changes
            sharply with z needs more of them.

    Taught in chapter 3.
    """
    latent_dim = vae.prior().event_shape[0]
    if latent_dim > 2:
        raise ValueError(
            f"Quadrature needs a latent dimension of 1 or 2, not {latent_dim}: the number of "
            "points grows with its power. Use log_likelihood."
        )
    n_points, change = 32, math.inf
    value = _trapezoid(vae, x, n_points, latent_dim, radius)
    while n_points < max_points and change > tolerance:
        n_points *= 2
        previous, value = value, _trapezoid(vae, x, n_points, latent_dim, radius)
        change = (value - previous).abs().max().item()
    if not change <= tolerance:
        raise ArithmeticError(
            f"With {n_points} points an axis log p(x) still moves by {change:.2g} nats, more than "
            f"the tolerance of {tolerance:.2g}. Allow more by max_points."
        )
    return value


def _trapezoid(vae: "VAE", x: Tensor, n_points: int, latent_dim: int, radius: float) -> Tensor:
    # The integrand is 0 to all digits at the ends, so the rule's halved end weights don't matter.
    axis = torch.linspace(-radius, radius, n_points, dtype=x.dtype, device=x.device)
    grid = torch.cartesian_prod(*[axis] * latent_dim).reshape(-1, latent_dim)
    log_cell = latent_dim * math.log(2 * radius / (n_points - 1))
    log_prior = vae.prior().log_prob(grid) + log_cell
    parts = []
    # Chunks bound the memory: (points, N, D) log-densities would not fit.
    size = max(1, 20_000_000 // x.numel())
    for z, log_pz in zip(grid.split(size), log_prior.split(size), strict=True):
        log_px = vae.decoder(z[:, None]).log_prob(x)
        parts.append((log_px + log_pz[:, None]).logsumexp(0))
    return torch.stack(parts).logsumexp(0)


def bits_per_dim(nats: Tensor, n_dims: int) -> Tensor:
    """A log-likelihood in nats per example as -log₂ p per dimension: smaller is better."""
    if n_dims < 1:
        raise ValueError(f"n_dims must be 1 or more, not {n_dims}.")
    return -nats / (n_dims * math.log(2))


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
    other rows come from. 0.5: the samples cannot be told apart; 1: always.

    Source: Schilling (1986); Lopez-Paz and Oquab (2017). Taught in chapter 1.
    """
    a, b = _checked_pair(a, b)
    if len(a) != len(b):
        raise ValueError(
            f"The samples must have the same size, or 0.5 would not mean chance, but have "
            f"{len(a)} and {len(b)} rows: take as many rows of each."
        )
    if n_neighbors % 2 == 0 or not 0 < n_neighbors < 2 * len(a):
        raise ValueError(
            f"n_neighbors must be odd and between 1 and {2 * len(a) - 1}, not {n_neighbors}."
        )
    rows = torch.cat([a, b])
    from_b = torch.arange(len(rows)) >= len(a)
    distance = torch.cdist(rows, rows).fill_diagonal_(math.inf)
    nearest = distance.topk(n_neighbors, largest=False).indices
    votes_b = from_b[nearest].float().mean(dim=1) > 0.5
    return (votes_b == from_b).float().mean().item()


def _checked_pair(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    for rows in (a, b):
        if rows.ndim != 2 or 0 in rows.shape or not rows.isfinite().all():
            raise ValueError(
                f"Expected finite rows of shape (N, D), N and D of 1 or more, but got shape "
                f"{tuple(rows.shape)}{'' if rows.isfinite().all() else ' with NaN or infinity'}."
            )
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"The samples have {a.shape[1]} and {b.shape[1]} columns: compare like.")
    # float64, because distances of near-equal rows are differences of large squares; on the CPU,
    # because not every GPU has it.
    return a.detach().cpu().double(), b.detach().cpu().double()
