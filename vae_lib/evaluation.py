"""How good is the model? Likelihoods, use of the latent space, and distances from draws to data.

Likelihoods are in nats per example, larger is better. The three scores for draws compare two sets
of rows, (N, D) and (M, D), and know nothing of models.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from vae_lib.objectives import log_importance_weights

if TYPE_CHECKING:
    from vae_lib.models import VAE


@torch.no_grad()
def log_likelihood(
    vae: "VAE",
    x: Tensor,
    *,
    n_samples: int = 1000,
    chunk_size: int = 2000,
    progress: bool = False,
    standard_error: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """log p(x) by importance sampling from q(z|x), (N,), in nats per example.

    log (1/K) Σ_k w_k with K = `n_samples`: too small on average, less so the larger K is. Memory
    stays near 3 x chunk_size x D numbers whatever N and K are; the default suits a CPU's cache, a
    GPU wants more. With `standard_error` a pair: also the delta method's standard error,
    sqrt((mean w² / (mean w)² - 1) / (K - 1)), (N,). Where it nears 1, one weight outweighs the
    others, and neither number can be trusted.

    Source: Burda, Grosse and Salakhutdinov (2016); Wu et al. (2017) on its accuracy.
    """
    if n_samples < 1 + standard_error or chunk_size < 1:
        raise ValueError(
            f"chunk_size and n_samples must be 1 or more, and n_samples 2 or more for a standard "
            f"error, not {chunk_size} and {n_samples}."
        )
    log_sums = torch.full((2, len(x)), -math.inf, dtype=torch.float64)  # of w and of w²
    n_images, step = max(1, chunk_size // n_samples), min(n_samples, chunk_size)
    chunks = [(i, k) for i in range(0, len(x), n_images) for k in range(0, n_samples, step)]
    # `disable` is left unsaid where a bar is wanted, so that TQDM_DISABLE is heard.
    bar = tqdm(chunks, leave=False, unit="chunk") if progress else chunks
    with _checked_once(vae, x):
        for i, k in bar:
            images, n = slice(i, i + n_images), min(step, n_samples - k)
            log_w = log_importance_weights(vae, x[images], n_samples=n).cpu().double()
            new = torch.stack([log_w.logsumexp(0), (2 * log_w).logsumexp(0)])
            log_sums[:, images] = torch.logaddexp(log_sums[:, images], new)
    log_mean, log_mean_square = log_sums - math.log(n_samples)
    if not standard_error:
        return log_mean.to(x)
    spread = torch.expm1(log_mean_square - 2 * log_mean).clamp_min(0)
    return log_mean.to(x), (spread / (n_samples - 1)).sqrt().to(x)


@contextmanager
def _checked_once(vae: "VAE", x: Tensor) -> Iterator[None]:
    """Check data and model now, and not again inside, where it would cost time in every chunk."""
    if x.ndim != 2 or 0 in x.shape or not x.isfinite().all():
        raise ValueError(
            f"Expected finite data of shape (N, D), N and D of 1 or more, but got shape "
            f"{tuple(x.shape)}{'' if x.isfinite().all() else ' with NaN or infinity'}."
        )
    # A common allocator (glibc's) gives blocks larger than any freed before back to the system, and
    # fetching their pages again takes longer than filling them. Freeing 32 MB, the most that it
    # learns from, makes it keep them. No page of these is touched.
    torch.empty(8_000_000)
    vae.decoder(vae.prior().mean).log_prob(x)
    if vae.encoder is not None:
        vae.encoder(x[:1])
    modules = [m for m in vae.modules() if getattr(m, "validate_args", None) is True]
    try:
        for module in modules:
            module.validate_args = False
        yield
    finally:
        for module in modules:
            module.validate_args = True


@torch.no_grad()
def exact_log_likelihood(
    vae: "VAE",
    x: Tensor,
    *,
    tolerance: float = 1e-3,
    max_points: int = 200_000,
    radius: float = 7.0,
    error: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """log p(x) = log ∫ p(x|z) p(z) dz by adaptive quadrature, (N,), in nats; latent dim 1 or 2.

    Gauss-Legendre rules on the cells of a grid over [-radius, radius]^L, halved for each image
    until its estimated error is below `tolerance`; with `error` a pair: also that estimate, (N,).
    A standard normal prior has 1e-11 of its mass outside. Cells near q(z|x) are always halved, down
    to its σ: an encoder, where there is one, says where to look, but is no part of the integral. A
    second peak of p(x|z) p(z), much narrower than the first grid's 0.1 between points, may be
    missed where neither the encoder nor the first peak leads to it.

    Raises:
        ValueError: the latent dimension is above 2, or data that are empty or not finite.
        ArithmeticError: an image needs more than `max_points` points. Where p(x|z) is so sharp that
            its rounding shows, vae.double() and x.double() need fewer.

    Taught in chapter 3.
    """
    latent_dim = vae.prior().event_shape[0]
    if latent_dim > 2:
        raise ValueError(
            f"Quadrature needs a latent dimension of 1 or 2, not {latent_dim}: the number of "
            "points grows with its power. Use log_likelihood."
        )
    low = _product(torch.linspace(-radius, radius, 33, dtype=torch.float64)[:-1], latent_dim)
    width = torch.full((len(low),), radius / 16, dtype=torch.float64)
    results = []
    with _checked_once(vae, x):
        for batch in x.split(32):
            q_z = vae.prior().expand([len(batch)]) if vae.encoder is None else vae.encoder(batch)
            mu, sigma = q_z.mean.cpu().double(), q_z.stddev.cpu().double().clamp_min(1e-6)
            # The first cells are the same for all images: decoded once for the batch.
            log_mass = _log_masses(vae, batch[:, None], low, width)
            for i, x_i in enumerate(batch):
                cells = (low, width, log_mass[i], log_mass[i])  # errors as large as the values
                results.append(_refined(vae, x_i, mu[i], sigma[i], cells, tolerance, max_points))
    value, estimated_error = torch.tensor(results, dtype=torch.float64).T.to(x)
    return (value, estimated_error) if error else value


def _refined(
    vae: "VAE",
    x: Tensor,
    mu: Tensor,
    sigma: Tensor,
    cells: tuple[Tensor, ...],
    tolerance: float,
    max_points: int,
) -> tuple[float, float]:
    """log p(x) of one image, (D,), and its estimated error, from cells split where needed."""
    corners = _product(torch.arange(2.0, dtype=torch.float64), len(mu))
    while (split := _to_split(cells, mu, sigma, tolerance)).any():
        low, width, log_mass, _ = (part[split] for part in cells)
        max_points -= len(low) * len(corners) * 4 ** len(mu)
        if max_points < 0:
            raise ArithmeticError(
                f"log p(x) of an image is not yet known to {tolerance:.2g} nats: allow more by "
                "max_points or tolerance, or use vae.double() and x.double()."
            )
        low = (low[:, None] + 0.5 * width[:, None, None] * corners).flatten(0, 1)
        width = 0.5 * width.repeat_interleave(len(corners))
        log_parts = _log_masses(vae, x, low, width)
        log_sum = log_parts.unflatten(0, (-1, len(corners))).logsumexp(1)
        # |whole - sum of the parts| is the error of the whole, and well above that of the parts.
        relative = -torch.expm1(-(log_sum - log_mass).abs()) / len(corners)
        log_error = torch.maximum(log_sum, log_mass) + relative.clamp_min(1e-300).log()
        new = (low, width, log_parts, log_error.repeat_interleave(len(corners)))
        cells = tuple(torch.cat([old[~split], part]) for old, part in zip(cells, new, strict=True))
    total = cells[2].logsumexp(0)
    return total.item(), (cells[3].logsumexp(0) - total).exp().item()


def _to_split(cells: tuple[Tensor, ...], mu: Tensor, sigma: Tensor, tolerance: float) -> Tensor:
    low, width, log_mass, log_error = cells
    high = low + width[:, None]
    # As narrow as q's σ at its mean, and wider in proportion to the distance, counted in σ.
    distance = torch.maximum(low - mu, mu - high).clamp_min(0) / sigma
    split = width > sigma.min() * distance.amax(1).clamp_min(1)
    error, allowed = log_error.logsumexp(0), log_mass.logsumexp(0) + math.log(tolerance)
    if error > allowed:
        # A cell's share of what is allowed, among as many equal ones as would have this error.
        split |= log_error > allowed + (2 * log_error).logsumexp(0) - 2 * error
    if not split.any():
        # A wide cell beside a narrow one with mass may hide the rest of its peak between points.
        peak = log_mass > allowed - 2
        gap = torch.maximum(low[:, None] - high[peak], low[peak] - high[:, None]).amax(-1)
        split = ((gap < 0.5 * width[peak]) & (width[:, None] > 2.5 * width[peak])).any(1)
    return split


def _log_masses(vae: "VAE", x: Tensor, low: Tensor, width: Tensor) -> Tensor:
    """log ∫ p(x|z) p(z) dz over each of P cells, low (P, L), for x (..., D): (..., P)."""
    nodes, weights = (torch.from_numpy(a) / 2 for a in np.polynomial.legendre.leggauss(4))
    nodes = _product(nodes + 0.5, low.shape[1])
    log_weights = _product(weights.log(), low.shape[1]).sum(-1)
    size = max(1, 4096 // (len(nodes) * x[..., 0].numel()))  # fastest on a CPU
    parts = []
    for corner, w in zip(low.split(size), width[:, None].split(size), strict=True):
        z = (corner[:, None] + w[:, None] * nodes).to(x)
        log_joint = vae.decoder(z).log_prob(x[..., None, :]) + vae.prior().log_prob(z)
        # The bound keeps differences of infinities out of the error estimates.
        parts.append((log_joint.cpu().double().clamp_min(-1e30) + log_weights).logsumexp(-1))
    return torch.cat(parts, dim=-1) + low.shape[1] * width.log()


def _product(axis: Tensor, latent_dim: int) -> Tensor:
    return torch.cartesian_prod(*[axis] * latent_dim).reshape(-1, latent_dim)


@torch.no_grad()
def active_units(vae: "VAE", x: Tensor, *, threshold: float = 0.01) -> Tensor:
    """Which latent dimensions carry information about x: bool, (L,).

    Dimension l does if E_q[z_l], the mean of q(z|x), has a variance above `threshold` over the
    data, (N, D) with N of 2 or more. A collapsed one has q(z|x) = p(z) for every x.

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.2.
    """
    if len(x) < 2:
        raise ValueError(f"A variance over the data needs 2 examples or more, not {len(x)}.")
    with _checked_once(vae, x):
        mu = torch.cat([vae.encoder(batch).mean for batch in x.split(2000)])
    return (mu.cpu().double().var(0) > threshold).to(x.device)


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
