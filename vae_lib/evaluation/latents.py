"""What the model uses its latent space for."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vae_lib import checks
from vae_lib.evaluation.judged import judging

if TYPE_CHECKING:
    from vae_lib.models import VAE, ConditionalVAE


def active_units(
    model: "VAE | ConditionalVAE", x: Tensor, *given: Tensor, threshold: float = 0.01
) -> Tensor:
    """Which latent dimensions carry information about x: bool, (L,).

    Dimension l does if E_q[z_l], the mean of q(z|x), has a variance above `threshold` over the
    data, (N, D) with N of 2 or more. A collapsed one has q(z|x) = p(z) for every x. A
    `ConditionalVAE` is `given` what it is conditional on, N rows as well.

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.2.
    """
    if len(x := checks.rows(x, "x")) < 2:
        raise ValueError(f"A variance over the data needs 2 examples or more, not {len(x)}.")
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
