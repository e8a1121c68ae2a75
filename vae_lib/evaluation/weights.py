"""Whether importance weights can be trusted: how many draws count, and how heavy the tail is."""

import math

import torch
from torch import Tensor

from vae_lib import checks

COLUMNS_AT_ONCE = 500


def effective_sample_size(log_w: Tensor) -> Tensor:
    """(Σ w)² / Σ w², between 1 and K: how many of K weighted draws do the work. (K, B) to (B,).

    From the draws alone, so it does not notice a region that none of them has met; `pareto_shape`
    does where it begins to be felt among the draws. The squared standard error of
    `log_likelihood` is (K / this - 1) / (K - 1).

    Args:
        log_w: (K, B), as `log_importance_weights` gives them, or (K,) for one
            example. A constant added to all changes nothing; -inf is a weight of 0.

    Raises:
        ValueError: NaN, +inf, or an example whose weights are all 0.

    Source: Owen (2013), chapter 9. Taught in chapter 3.
    """
    columns = _checked(log_w)
    size = torch.exp(2 * columns.logsumexp(0) - (2 * columns).logsumexp(0))
    return _answer(size.clamp(1, len(columns)), log_w)


def pareto_shape(log_w: Tensor) -> Tensor:
    """The shape k of the tail of the weights, estimated from the largest of them; (K, B) to (B,).

    Weights have finite moments up to the order 1/k: for k above 1/2 their variance is infinite,
    and above 1 so is the mean, as far as the largest weights tell. The source smooths these and
    trusts its estimate only if k is below min(1 - 1 / log10 K, 0.7). It warns, and does not vouch:
    of a part of the posterior that is not felt at all where the draws are, no function of the
    weights can tell.

    A generalised Pareto distribution is fitted to the M = min(K / 5, 3 √K) largest weights, less
    the next smaller, and k is drawn towards 1/2 as if by 10 more of them. Where these are equal to
    the rounding of log_w there is no tail: -inf (other software says inf). Where the largest is so
    large that in float64 most of the M are 0 beside it, k is inf.

    Args:
        log_w: (K, B) or (K,), as in `effective_sample_size`, with K of 25 or more.

    Raises:
        ValueError: as `effective_sample_size`, and fewer than 25 draws.

    Source: Vehtari et al. (2024); the fit: Zhang and Stephens (2009), whose k is -k here, on a
    grid of 30 + √M points for their 20 + √M. Taught in chapter 14.
    """
    columns = _checked(log_w)
    if len(columns) < 25:
        raise ValueError(f"A tail needs 25 draws or more, but log_w has {len(columns)}.")
    n_tail = math.ceil(min(len(columns) / 5, 3 * math.sqrt(len(columns))))
    largest = (columns - columns.amax(0)).topk(n_tail + 1, dim=0).values.exp().flip(0)
    tail = largest[1:] - largest[0]
    shape = torch.cat([_fitted_shape(part) for part in tail.split(COLUMNS_AT_ONCE, dim=1)])
    rounding = 64 * _precision(log_w) * columns.amax(0).abs().clamp_min(1)
    return _answer(torch.where(tail[-1] > rounding, shape, -math.inf), log_w)


def _fitted_shape(tail: Tensor) -> Tensor:
    """k for each column of exceedances, (M, B), sorted from small to large."""
    n, at_quarter = len(tail), int(len(tail) / 4 + 0.5) - 1
    fits = tail[at_quarter] > 0
    x = torch.where(fits, tail, torch.linspace(0.1, 1, n, dtype=tail.dtype)[:, None])
    n_points = 30 + int(math.sqrt(n))
    steps = 1 - (n_points / (torch.arange(n_points, dtype=tail.dtype) + 0.5)).sqrt()
    b = 1 / x[-1] + steps[:, None] / (3 * x[at_quarter])
    k = torch.log1p(-b[:, None] * x).mean(1)
    posterior = (n * ((-b / k).log() - k - 1)).softmax(0)
    k = torch.log1p(-(posterior * b).sum(0) * x).mean(0)
    return torch.where(fits, (n * k + 10 * 0.5) / (n + 10), math.inf)


def _precision(log_w: object) -> float:
    dtype = checks.as_tensor(log_w, "log_w").dtype
    return torch.finfo(dtype if dtype.is_floating_point else torch.float64).eps


def _checked(log_w: object) -> Tensor:
    """log w as (K, B), in float64 on the CPU."""
    log_w = checks.as_tensor(log_w, "log_w")
    if log_w.ndim not in (1, 2) or 0 in log_w.shape or log_w.is_complex():
        raise ValueError(
            f"log_w must be real numbers of shape (K, B) or (K,), one for each draw of each "
            f"example, but has shape {tuple(log_w.shape)} and is {log_w.dtype}."
        )
    columns = log_w.cpu().double().reshape(len(log_w), -1)
    if columns.isnan().any() or (columns.amax(0).isinf()).any():
        raise ValueError(
            "log_w has NaN or inf, or an example all of whose weights are 0 (-inf): look at the "
            "model's log p(x|z) at draws from q(z|x)."
        )
    return columns


def _answer(values: Tensor, log_w: object) -> Tensor:
    log_w = checks.as_tensor(log_w, "log_w")
    dtype = log_w.dtype if log_w.dtype == torch.float64 else torch.float32
    return checks.moved(values, log_w.device, dtype).reshape(log_w.shape[1:])
