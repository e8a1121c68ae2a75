"""What is maximised: functions of a model and a batch.

Every objective maps (model, x), x of shape (B, D), to a tensor (B,): one value per example, in
nats, larger is better. Sums run over the dimensions of an example, never means; the only minus
sign and the only mean over examples stand in `vae_lib.training.fit`.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch import distributions as td

if TYPE_CHECKING:
    from vae_lib.models import VAE, Autoencoder


def negative_squared_error(autoencoder: "Autoencoder", x: Tensor) -> Tensor:
    """-||x - g(f(x))||² for every example, (B,): summed over the D pixels.

    It is no log-likelihood yet; chapter 4 shows of which Gaussian it is one, up to a constant.

    Taught in chapter 1.
    """
    _check_batch(x)
    x_reconstructed = autoencoder(x)
    if x_reconstructed.shape != x.shape:
        raise ValueError(
            f"The reconstruction has shape {tuple(x_reconstructed.shape)} but the data "
            f"{tuple(x.shape)}: the decoder's output size must be the data's dimension."
        )
    return -(x - x_reconstructed).square().sum(-1)


def expected_log_likelihood(vae: "VAE", x: Tensor, *, n_samples: int = 1) -> Tensor:
    """E_q[log p(x|z)], estimated with `n_samples` draws of z from q(z|x); (B,), in nats.

    The first term of the ELBO alone. Chapter 2 maximises it to show what goes wrong without the
    second.
    """
    _check_batch(x)
    _check_n_samples(n_samples)
    z = vae.encoder(x).rsample((n_samples,))
    return vae.decoder(z).log_prob(x).mean(0)


def elbo_terms(vae: "VAE", x: Tensor, *, n_samples: int = 1) -> tuple[Tensor, Tensor]:
    """The two terms of the ELBO: E_q[log p(x|z)] and KL(q(z|x) || p(z)), each (B,), in nats.

    The first is a Monte Carlo estimate with `n_samples` reparameterised draws; the second is
    exact where torch knows the pair of distributions, else estimated with the same draws.

    Source: Kingma and Welling (2014), equation 3. Taught in chapter 6.
    """
    _check_batch(x)
    _check_n_samples(n_samples)
    q_z, p_z = vae.encoder(x), vae.prior()
    z = q_z.rsample((n_samples,))
    log_px = vae.decoder(z).log_prob(x).mean(0)
    try:
        kl = td.kl_divergence(q_z, p_z)
    except NotImplementedError:
        kl = (q_z.log_prob(z) - p_z.log_prob(z)).mean(0)
    return log_px, kl


def elbo(vae: "VAE", x: Tensor, *, n_samples: int = 1, beta: float = 1.0) -> Tensor:
    """The evidence lower bound E_q[log p(x|z)] - β KL(q(z|x) || p(z)), (B,), in nats.

    Larger is better; with β = 1 its expectation is at most log p(x).

    Source: Kingma and Welling (2014); β: Higgins et al. (2017). Taught in chapter 6.
    """
    log_px, kl = elbo_terms(vae, x, n_samples=n_samples)
    return log_px - beta * kl


def log_importance_weights(vae: "VAE", x: Tensor, *, n_samples: int) -> Tensor:
    """log w = log p(x|z) + log p(z) - log q(z|x) for K = `n_samples` draws of z; (K, B), in nats.

    The mean of w over many draws is p(x); the mean of log w is the ELBO.

    Source: Burda, Grosse and Salakhutdinov (2016).
    """
    _check_batch(x)
    _check_n_samples(n_samples)
    q_z = vae.encoder(x)
    z = q_z.rsample((n_samples,))
    return vae.decoder(z).log_prob(x) + vae.prior().log_prob(z) - q_z.log_prob(z)


def iwae(vae: "VAE", x: Tensor, *, n_samples: int) -> Tensor:
    """The importance-weighted bound log (1/K) Σ_k w_k, (B,), in nats; K = 1 is the ELBO.

    Source: Burda, Grosse and Salakhutdinov (2016), equation 8.
    """
    log_w = log_importance_weights(vae, x, n_samples=n_samples)
    return torch.logsumexp(log_w, dim=0) - math.log(n_samples)


def _check_batch(x: Tensor) -> None:
    if x.ndim != 2 or x.shape[0] < 1:
        raise ValueError(
            f"Expected a batch of shape (B, D) with B of 1 or more, but got {tuple(x.shape)}. "
            "A single example x needs x[None], images of shape (B, h, w) need x.flatten(1)."
        )


def _check_n_samples(n_samples: int) -> None:
    if n_samples < 1:
        raise ValueError(f"n_samples must be 1 or more, not {n_samples}.")
