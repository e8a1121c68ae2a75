"""log p(x) by importance sampling, and its units."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from vae_lib import checks
from vae_lib.evaluation.judged import Judged, chunks, judging
from vae_lib.objectives import log_importance_weights

if TYPE_CHECKING:
    from vae_lib.models import VAE, ConditionalVAE


def log_likelihood(
    model: "VAE | ConditionalVAE",
    x: Tensor,
    *given: Tensor,
    n_samples: int = 1000,
    chunk_size: int | None = None,
    progress: bool = False,
    standard_error: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """log p(x) by importance sampling from q(z|x), (N,), in nats per example.

    log (1/K) Σ_k w_k with K = `n_samples`: too small on average, less so the larger K is. With
    `standard_error` a pair: also the delta method's standard error,
    sqrt((mean w² / (mean w)² - 1) / (K - 1)), (N,). Where it nears 1, one weight outweighs the
    others, and neither number can be trusted.

    Args:
        x: (N, D).
        given: what a `ConditionalVAE` is conditional on, y with N rows: log p(x|y). Rows of x and
            y travel together.
        chunk_size: draws of z at a time. Memory stays near 3 x chunk_size x W numbers whatever N
            and K are, W being the most that a layer of the model puts out for one row: D, or
            for convolutions many times D. The default is 2,000 on a CPU, whose cache they fit
            where W is 784. A GPU waits between chunks, so there it is 500,000, or fewer where W
            is above 800 (for 5 GB at most).

    Raises:
        ValueError: data that are no finite rows or lie outside the likelihood's support, whatever
            torch's own flag for that says; a model whose log p(x|z) is NaN; counts below 1.

    Source: Burda, Grosse and Salakhutdinov (2016); Wu et al. (2017) on its accuracy.
    """
    n_samples = checks.count(n_samples, "n_samples", 1 + standard_error)
    if chunk_size is not None:
        chunk_size = checks.count(chunk_size, "chunk_size")
    with judging(model, x, *given) as judged:
        chunk_size = chunk_size or _default_chunk_size(judged)
        log_sums = _log_sums(judged, n_samples, chunk_size, progress)
    log_mean, log_mean_square = log_sums - math.log(n_samples)
    if not standard_error:
        return judged.answer(log_mean)
    spread = torch.expm1(log_mean_square - 2 * log_mean).clamp_min(0)
    return judged.answer(log_mean), judged.answer((spread / (n_samples - 1)).sqrt())


def _default_chunk_size(judged: Judged) -> int:
    if judged.device.type == "cpu":
        return 2_000
    return max(1, min(500_000, 400_000_000 // _widest(judged)))


def _widest(judged: Judged) -> int:
    """The most numbers that a part of the model puts out for one row and one draw, or D."""
    widths = [judged.x.shape[1]]

    def see(part: nn.Module, given: object, out: object) -> None:
        if isinstance(out, Tensor):
            widths.append(out.numel())

    hooks = [part.register_forward_hook(see) for part in judged.model.modules()]
    try:
        with checks.seeded(0, judged.device):
            log_importance_weights(*judged.batch(slice(1)), n_samples=1)
    finally:
        for hook in hooks:
            hook.remove()
    return max(widths)


def _log_sums(judged: Judged, n_samples: int, chunk_size: int, progress: bool) -> Tensor:
    """log Σ w and log Σ w² over K draws for each row, (2, N), in float64 on the CPU."""
    log_sums = torch.full((2, len(judged.x)), -math.inf, dtype=torch.float64, device="cpu")
    parts = chunks(len(judged.x), n_samples, chunk_size)
    # `disable` is left unsaid, so that the environment variable TQDM_DISABLE is heard.
    for rows, k in tqdm(parts, leave=False, unit="chunk") if progress else parts:
        log_w = log_importance_weights(*judged.batch(rows), n_samples=k)
        # Summed where they are, so that two numbers a row leave a GPU and not K.
        largest = log_w.amax(0).clamp_min(torch.finfo(log_w.dtype).min)
        w = (log_w - largest).exp()
        sums = torch.stack([w.sum(0), w.square().sum(0), largest]).cpu().double()
        new = sums[:2].log() + torch.stack([sums[2], 2 * sums[2]])
        log_sums[:, rows] = torch.logaddexp(log_sums[:, rows], new)
    return log_sums


def bits_per_dim(nats: Tensor, n_dims: int) -> Tensor:
    """Log-likelihoods in nats per example as -log₂ p per dimension: smaller is better.

    `nats` of any shape, one number too; `n_dims` is D. A gradient goes through.
    """
    n_dims = checks.count(n_dims, "n_dims")
    nats = nats if isinstance(nats, Tensor) else checks.as_tensor(nats, "nats")
    return -(nats if nats.dtype == torch.float64 else nats.float()) / (n_dims * math.log(2))
