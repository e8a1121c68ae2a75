"""log p(x) by adaptive quadrature, where the latent space is a line or a plane."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch import distributions as td

from vae_lib import checks
from vae_lib.evaluation.judged import Judged, judging

if TYPE_CHECKING:
    from vae_lib.models import VAE, ConditionalVAE

BATCH = 32  # images that share the evaluations of the first grid

Cells = tuple[Tensor, Tensor, Tensor, Tensor]
"""Of P cells: lower corners (P, L), widths, log of the mass and log of its error, (P,) each."""


@dataclass(frozen=True)
class Limits:
    tolerance: float
    max_points: int
    radius: float


def exact_log_likelihood(
    model: "VAE | ConditionalVAE",
    x: Tensor,
    *given: Tensor,
    tolerance: float = 1e-3,
    max_points: int = 200_000,
    radius: float = 7.0,
    error: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """log p(x) = log ∫ p(x|z) p(z) dz by adaptive quadrature, (N,), in nats; latent dim 1 or 2.

    Gauss-Legendre rules on the cells of a grid over [-radius, radius]^L, halved for each image
    until its estimated error is below `tolerance`; with `error` a pair: also that estimate, (N,).
    Cells near q(z|x) are always halved, down to its σ: an encoder, where there is one, says where
    to look, but is no part of the integral. A second peak of p(x|z) p(z), much narrower than the
    first grid's 0.1 between points, may be missed where neither the encoder nor the first peak
    leads to it.

    Any prior with a density will do that the grid covers: it is integrated first, and must give 1
    to within `tolerance`. A standard normal has 1e-11 of its mass outside. `given` is what a
    `ConditionalVAE` is conditional on, N rows as well: log p(x|y).

    Raises:
        ValueError: the latent dimension is above 2; a prior with mass outside the grid or too fine
            for it; data that are no finite rows or lie outside the likelihood's support.
        ArithmeticError: an image needs more than `max_points` points, or codes beyond `radius`.
            Where p(x|z) is so sharp that its rounding shows, vae.double() and x.double() need
            fewer points.

    Taught in chapter 3.
    """
    limits = Limits(
        checks.positive(tolerance, "tolerance"),
        checks.count(max_points, "max_points"),
        checks.positive(radius, "radius"),
    )
    results: list[tuple[float, float]] = []
    with judging(model, x, *given) as judged:
        grid = None
        # What is given changes the densities, which then are no longer shared by a batch.
        step = 1 if given else BATCH
        for start in range(0, len(judged.x), step):
            vae, batch = judged.batch(slice(start, start + step))
            if grid is None or vae.prior().batch_shape:
                grid = _first_grid(judged, vae.prior(), limits)
            results += _integrals(judged, vae, batch, grid, limits)
    value, estimated_error = torch.tensor(results, dtype=torch.float64, device="cpu").T
    return (judged.answer(value), judged.answer(estimated_error)) if error else judged.answer(value)


def _first_grid(judged: Judged, p_z: td.Distribution, limits: Limits) -> tuple[Tensor, Tensor]:
    """Cells on which the prior integrates to 1: where all images start. (P, L) and (P,)."""
    n_dims = p_z.event_shape[0] if len(p_z.event_shape) == 1 else 0
    if n_dims not in (1, 2):
        raise ValueError(
            f"Quadrature needs a prior over vectors of latent dimension 1 or 2, not of shape "
            f"{tuple(p_z.event_shape)}: the number of points grows with its power. Use "
            "log_likelihood."
        )
    axis = torch.linspace(-limits.radius, limits.radius, 33, dtype=torch.float64, device="cpu")
    low = _product(axis[:-1], n_dims)
    width = torch.full((len(low),), limits.radius / 16, dtype=torch.float64, device="cpu")
    density = _Density(judged, p_z.log_prob, 1)
    log_mass = density.log_masses(low, width)[:, 0]
    cells = (low, width, log_mass, log_mass)  # errors as large as the values
    if not _is_one(log_mass, limits.tolerance):
        cells = _refined(density, cells, _nowhere(n_dims), limits)
    if not _is_one(cells[2], limits.tolerance):
        raise ValueError(
            f"Over codes from -{limits.radius:g} to {limits.radius:g} the prior integrates to "
            f"{cells[2].logsumexp(0).exp():.10g}, not to 1 within {limits.tolerance:g}. Where it "
            "reaches farther, give a larger radius; one without a density, or with peaks too "
            "narrow for the grid, needs log_likelihood."
        )
    return cells[:2]


def _is_one(log_mass: Tensor, tolerance: float) -> bool:
    return abs(log_mass.logsumexp(0).expm1().item()) <= tolerance


def _integrals(
    judged: Judged, vae: "VAE", x: Tensor, grid: tuple[Tensor, Tensor], limits: Limits
) -> list[tuple[float, float]]:
    """log p(x) of each row, and its estimated error."""
    p_z, results = vae.prior(), []
    places = [_nowhere(grid[0].shape[1])] * len(x)
    if vae.encoder is not None:
        places = list(zip(*_where_to_look(judged, vae.encoder(x)), strict=True))
    joints = [
        _Density(judged, lambda z, x=part: vae.decoder(z).log_prob(x) + p_z.log_prob(z), len(part))
        for part in (x, *x.split(1))
    ]
    # The first cells are the same for all images: decoded once for the batch.
    log_mass = joints[0].log_masses(*grid)
    for i, joint in enumerate(joints[1:]):
        first = (*grid, log_mass[:, i], log_mass[:, i])
        cells = _refined(joint, first, places[i], limits)
        results.append(_total(cells, limits))
    return results


def _where_to_look(judged: Judged, q_z: td.Distribution) -> tuple[Tensor, Tensor]:
    """The mean and σ of q(z|x), (B, L) each; of draws, where the distribution gives neither."""
    try:
        mu, sigma = q_z.mean, q_z.stddev
    except NotImplementedError:
        with checks.seeded(0, judged.device):
            z = q_z.sample((1000,))
        mu, sigma = z.mean(0), z.std(0)
    return mu.cpu().double(), sigma.cpu().double().clamp_min(1e-6)


def _nowhere(n_dims: int) -> tuple[Tensor, Tensor]:
    """A place to look that asks for no finer cells."""
    mu = torch.zeros(n_dims, dtype=torch.float64, device="cpu")
    return mu, torch.full_like(mu, math.inf)


def _refined(
    density: "_Density", cells: Cells, place: tuple[Tensor, Tensor], limits: Limits
) -> Cells:
    """The cells of a density of one image, split where that is needed."""
    points_left, n_dims = limits.max_points, cells[0].shape[1]
    corners = _product(torch.arange(2.0, dtype=torch.float64, device="cpu"), n_dims)
    while (split := _to_split(cells, *place, limits.tolerance)).any():
        low, width, log_mass, _ = (part[split] for part in cells)
        points_left -= len(low) * len(corners) * 4**n_dims
        if points_left < 0:
            raise ArithmeticError(
                f"log p(x) of an image is not yet known to {limits.tolerance:.2g} nats: allow more "
                "by max_points or tolerance, or use vae.double() and x.double()."
            )
        low = (low[:, None] + 0.5 * width[:, None, None] * corners).flatten(0, 1)
        width = 0.5 * width.repeat_interleave(len(corners))
        log_parts = density.log_masses(low, width)[:, 0]
        log_sum = log_parts.unflatten(0, (-1, len(corners))).logsumexp(1)
        # |whole - sum of the parts| is the error of the whole, and well above that of the parts.
        relative = -torch.expm1(-(log_sum - log_mass).abs()) / len(corners)
        log_error = torch.maximum(log_sum, log_mass) + relative.clamp_min(1e-300).log()
        new = (low, width, log_parts, log_error.repeat_interleave(len(corners)))
        cells = tuple(torch.cat([old[~split], part]) for old, part in zip(cells, new, strict=True))
    return cells


def _to_split(cells: Cells, mu: Tensor, sigma: Tensor, tolerance: float) -> Tensor:
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


def _total(cells: Cells, limits: Limits) -> tuple[float, float]:
    """log p(x) of one image and its estimated error."""
    low, width, log_mass, log_error = cells
    total = log_mass.logsumexp(0)
    inside = limits.radius * 15 / 16 + 1e-9
    at_edge = (low < -inside).any(1) | (low + width[:, None] > inside).any(1)
    share = (log_mass[at_edge].logsumexp(0) - total).exp().item()
    if share > limits.tolerance:
        raise ArithmeticError(
            f"{share:.2g} of p(x|z) p(z) of an image lies at codes as far out as the radius, "
            f"{limits.radius:g}, and more of it may lie beyond: give a larger radius."
        )
    return total.item(), (log_error.logsumexp(0) - total).exp().item()


@dataclass(frozen=True)
class _Density:
    """A density over codes for each of B images, and its integral over cells."""

    judged: Judged
    log_prob: Callable[[Tensor], Tensor]
    """Codes (P, 1, L) to (P, B), where the model is."""
    n_images: int
    """B."""

    def log_masses(self, low: Tensor, width: Tensor) -> Tensor:
        """log ∫ over each of P cells, low (P, L), width (P,), by four points an axis; (P, B)."""
        nodes, weights = (torch.from_numpy(a) / 2 for a in np.polynomial.legendre.leggauss(4))
        nodes = _product(nodes + 0.5, low.shape[1])
        log_weights = _product(weights.log(), low.shape[1]).sum(-1)[:, None]
        size = max(1, 4096 // (len(nodes) * self.n_images))  # fastest on a CPU
        parts = []
        for corner, w in zip(low.split(size), width[:, None, None].split(size), strict=True):
            z = (corner[:, None] + w * nodes).flatten(0, 1)[:, None]
            log_p = self.log_prob(checks.moved(z, self.judged.device, self.judged.dtype))
            # The bound keeps differences of infinities out of the error estimates.
            log_p = log_p.cpu().double().clamp_min(-1e30).unflatten(0, (-1, len(nodes)))
            parts.append((log_p + log_weights).logsumexp(1))
        return torch.cat(parts) + (low.shape[1] * width.log())[:, None]


def _product(axis: Tensor, n_dims: int) -> Tensor:
    return torch.cartesian_prod(*[axis] * n_dims).reshape(-1, n_dims)
