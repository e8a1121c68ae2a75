"""What the model uses its latent space for."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib import checks
from vae_lib.evaluation.judged import judging

if TYPE_CHECKING:
    from vae_lib.models import VAE, ConditionalVAE

PAIRS_AT_ONCE = 4_000_000
"""Numbers in memory while codes are held against all rows: codes x rows x latent dimensions."""


def active_units(
    model: "VAE | ConditionalVAE", x: Tensor, *given: Tensor, threshold: float = 0.01
) -> Tensor:
    """Which latent dimensions carry information about x: bool, (L,).

    Dimension l does if E_q[z_l], the mean of q(z|x), has a variance above `threshold` over the
    data, (N, D) with N of 2 or more. A collapsed one has q(z|x) = p(z) for every x. A
    `ConditionalVAE` is `given` what it is conditional on, N rows as well.

    Raises:
        ValueError: fewer than 2 rows; a threshold below 0; a model without an encoder, or one whose
            q(z|x) has no mean that torch knows.

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.2. Taught in chapter 11.
    """
    x, threshold = _rows(model, x), checks.positive(threshold, "threshold", or_zero=True)
    with judging(model, x, *given) as judged:
        batches = (judged.batch(slice(i, i + 2000)) for i in range(0, len(x), 2000))
        try:
            mu = torch.cat([vae.encoder(rows).mean.cpu().double() for vae, rows in batches])
        except NotImplementedError as error:
            raise ValueError(
                "active_units needs the mean of q(z|x), which this encoder's distribution does not "
                "give (torch's transformed ones have none)."
            ) from error
    return (mu.var(0) > threshold).to(x.device)


def mutual_information(
    model: "VAE", x: Tensor, *, n_samples: int = 1, standard_error: bool = False
) -> float | tuple[float, float]:
    """I(x; z) under q, in nats: how much a code tells of which of the rows of x it came from.

    The mean over the rows and over `n_samples` draws of z from each row's own q(z|x) of
    log q(z|x) - log q(z), where q(z) is the aggregate posterior of these N rows, the mixture of
    their N distributions. The mean KL is I(x; z) + KL(q(z) || p(z)), so what the KL has beyond
    this is the distance of the aggregate from the prior. With `standard_error` a pair: also the
    standard error over the draws, rows held fixed.

    For these N rows as the whole data the estimate is unbiased, and at most log N, draw by draw.
    For the distribution that they were drawn from it is too small on average: take N well above
    the exponential of the answer. Time grows with N².

    Raises:
        ValueError: fewer than 2 rows; a count below 1; a model without an encoder, or a
            conditional one.

    Source: Hoffman and Johnson (2016). Taught in chapter 11.
    """
    n_samples = checks.count(n_samples, "n_samples", 1 + standard_error)
    with judging(model, _rows(model, x)) as judged:
        vae, rows = judged.batch(slice(None))
        q_z = vae.encoder(rows)
        z = q_z.sample((n_samples,))
        log_ratio = (q_z.log_prob(z) - _log_aggregate(q_z, z)).cpu().double()
    if not standard_error:
        return log_ratio.mean().item()
    return log_ratio.mean().item(), log_ratio.var(0).mean().div(log_ratio.numel()).sqrt().item()


def _rows(model: nn.Module, x: object) -> Tensor:
    # A conditional model may get its encoder only with what it is given.
    if getattr(model, "encoder", model if hasattr(model, "given") else None) is None:
        raise ValueError("This VAE has no encoder, so there is no q(z|x): give it one.")
    if len(x := checks.rows(x, "x")) < 2:
        raise ValueError(f"How codes differ from row to row needs 2 rows or more, not {len(x)}.")
    return x


def _log_aggregate(q_z: td.Distribution, z: Tensor) -> Tensor:
    """log q(z) of the mixture of the N distributions in q_z, for codes (K, N, L): (K, N)."""
    n_rows, codes = q_z.batch_shape[0], z.flatten(0, 1)
    size = max(1, PAIRS_AT_ONCE // (n_rows * z.shape[-1]))
    parts = [q_z.log_prob(some[:, None]).logsumexp(-1) for some in codes.split(size)]
    return torch.cat(parts).unflatten(0, z.shape[:2]) - math.log(n_rows)
