"""What a code costs and what it leaves to say: the ELBO's two terms as scores."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vae_lib import checks
from vae_lib.evaluation.judged import chunks, judging
from vae_lib.objectives import elbo_terms

if TYPE_CHECKING:
    from vae_lib.models import VAE, ConditionalVAE


def rate_and_distortion(
    model: "VAE | ConditionalVAE",
    x: Tensor,
    *given: Tensor,
    n_samples: int = 100,
    chunk_size: int = 2_000,
) -> tuple[Tensor, Tensor]:
    """R = KL(q(z|x) || p(z)) and D = -E_q[log p(x|z)], each (N,), in nats per example.

    -ELBO = R + D, for every example. R is at least 0, and exact where torch knows the pair of
    distributions. D is a mean over `n_samples` draws of z; it is negative where densities exceed 1,
    as those of continuous data may.

    Args:
        x: (N, D).
        given: what a `ConditionalVAE` is conditional on, N rows as well.
        chunk_size: draws of z at a time; memory goes with it times D, whatever N and `n_samples`.

    Raises:
        ValueError: data that are no finite rows or lie outside the likelihood's support; counts
            below 1.

    Source: Alemi et al. (2018), section 2, whose R and D are means over the data. Taught in
    chapter 12.
    """
    n_samples = checks.count(n_samples, "n_samples")
    chunk_size = checks.count(chunk_size, "chunk_size")
    with judging(model, x, *given) as judged:
        terms = torch.zeros(2, len(judged.x), dtype=torch.float64, device="cpu")
        for rows, k in chunks(len(judged.x), n_samples, chunk_size):
            log_px, kl = elbo_terms(*judged.batch(rows), n_samples=k)
            terms[:, rows] += k / n_samples * torch.stack([kl, -log_px]).cpu().double()
    rate, distortion = terms
    return judged.answer(rate), judged.answer(distortion)
