"""What is maximised: functions of a model and a batch.

Every objective maps (model, x), x of shape (B, D), to a tensor (B,): one value per example, in
nats, larger is better. Sums run over the dimensions of an example, never means; the only minus
sign and the only mean over examples stand in `vae_lib.training.fit`. What else a model needs to
know of the examples comes after x, as in `conditional_elbo`.

Whatever would broadcast to a wrong number without a word is refused with a `ValueError`: a q(z|x)
that is not one distribution an example, (B,), over the latent space of p(z), or a p(x|z) that is
not one over the D dimensions of x. These checks read shapes only, so they cost nothing.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.checks import called, count, positive

if TYPE_CHECKING:
    from vae_lib.models import VAE, Autoencoder, ConditionalVAE


def negative_squared_error(autoencoder: "Autoencoder", x: Tensor) -> Tensor:
    """-||x - g(f(x))||² for every example, (B,): summed over the D pixels.

    It is no log-likelihood yet; chapter 4 shows of which Gaussian it is one, up to a constant.

    Taught in chapter 1.
    """
    _check_batch(x)
    x_reconstructed = called(autoencoder, x)
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
    z = _draws(_posterior(vae, x), n_samples)
    return _log_likelihood(vae, z, x).mean(0)


def elbo_terms(vae: "VAE", x: Tensor, *, n_samples: int = 1) -> tuple[Tensor, Tensor]:
    """The two terms of the ELBO: E_q[log p(x|z)] and KL(q(z|x) || p(z)), each (B,), in nats.

    The first is a Monte Carlo estimate with `n_samples` reparameterised draws; the second is
    exact where torch knows the pair of distributions, else estimated with the same draws.

    A q(z|x) that cannot be differentiated through its draws (categorical, say) is refused where a
    gradient would be wanted of it.

    Source: Kingma and Welling (2014), equation 3. Taught in chapter 6.
    """
    q_z = _posterior(vae, x)
    p_z = _prior(vae, q_z)
    z = _draws(q_z, n_samples)
    log_px = _log_likelihood(vae, z, x).mean(0)
    try:
        kl = td.kl_divergence(q_z, p_z)
    except NotImplementedError:
        kl = (q_z.log_prob(z) - p_z.log_prob(z)).mean(0)
    _check_one_per_example(kl, x.shape[:1], "KL(q(z|x) || p(z))")
    return log_px, kl


def elbo(vae: "VAE", x: Tensor, *, n_samples: int = 1, beta: float = 1.0) -> Tensor:
    """The evidence lower bound E_q[log p(x|z)] - β KL(q(z|x) || p(z)), (B,), in nats.

    Larger is better; with β = 1 its expectation is at most log p(x).

    Source: Kingma and Welling (2014); β: Higgins et al. (2017). Taught in chapter 6.
    """
    log_px, kl = elbo_terms(vae, x, n_samples=n_samples)
    return log_px - beta * kl


def free_bits(vae: "VAE", x: Tensor, *, floor: float, n_samples: int = 1) -> Tensor:
    """E_q[log p(x|z)] - Σ_l max(floor, mean over the batch of KL_l), (B,), in nats.

    KL_l is that of latent dimension l alone, KL(q(z_l|x) || p(z_l)). Below `floor` nats, on
    average over the batch, a dimension costs `floor` whatever it does, so nothing pushes it
    further down. The objective is a property of the batch. Shared out among its examples, a
    dimension above the floor counts with each example's own KL, and one below with `floor`: the
    mean of the values is the objective. It is not the ELBO, and not above it in expectation:
    judge with `elbo`. Its value depends on the size of the batch, and where several processes
    share one, each looks at its own part. With `floor` 0 it is the ELBO.

    Raises:
        ValueError: a floor below 0 or not finite; a q(z|x) or p(z) that are not independent over
            dimensions, or whose KL torch does not know in closed form.

    Source: Kingma et al. (2016), whose floor is for the KL of a group of dimensions, averaged over
    the batch in the same way: here each dimension is a group. Taught in chapter 11.
    """
    floor = positive(floor, "floor, in nats for each latent dimension,", or_zero=True)
    q_z = _posterior(vae, x)
    kl = _kl_by_dimension(q_z, _prior(vae, q_z))
    log_px = _log_likelihood(vae, _draws(q_z, n_samples), x).mean(0)
    return log_px - torch.where(kl.mean(0) > floor, kl, floor).sum(-1)


def kl_by_dimension(vae: "VAE", x: Tensor) -> Tensor:
    """KL(q(z_l|x) || p(z_l)) of each latent dimension, (B, L), in nats: they add up to the KL.

    Raises:
        ValueError: as `free_bits`.

    Taught in chapter 11.
    """
    q_z = _posterior(vae, x)
    return _kl_by_dimension(q_z, _prior(vae, q_z))


def conditional_elbo(
    cvae: "ConditionalVAE", x: Tensor, y: Tensor, *, n_samples: int = 1, beta: float = 1.0
) -> Tensor:
    """The ELBO of p(x|y): that of the VAE `cvae.given(y)`, for x (B, D) and y (B, C); (B,), nats.

    As the objective of `fit` it wants data=(x, y), whose rows travel together. Every other
    objective is made conditional in the same way, by `cvae.given(y)` in place of the model.

    Source: Sohn, Lee and Yan (2015), whose x is our y. Taught in chapter 13.
    """
    return elbo(cvae.given(y), x, n_samples=n_samples, beta=beta)


def log_importance_weights(vae: "VAE", x: Tensor, *, n_samples: int) -> Tensor:
    """log w = log p(x|z) + log p(z) - log q(z|x) for K = `n_samples` draws of z; (K, B), in nats.

    The mean of w over many draws is p(x); the mean of log w is the ELBO.

    Source: Burda, Grosse and Salakhutdinov (2016).
    """
    q_z = _posterior(vae, x)
    p_z = _prior(vae, q_z)
    z = _draws(q_z, n_samples)
    log_w = _log_likelihood(vae, z, x) + p_z.log_prob(z) - q_z.log_prob(z)
    _check_one_per_example(log_w, (n_samples, len(x)), "log w")
    return log_w


def iwae(vae: "VAE", x: Tensor, *, n_samples: int) -> Tensor:
    """The importance-weighted bound log (1/K) Σ_k w_k, (B,), in nats; K = 1 is the ELBO.

    Source: Burda, Grosse and Salakhutdinov (2016), equation 8.
    """
    log_w = log_importance_weights(vae, x, n_samples=n_samples)
    return torch.logsumexp(log_w, dim=0) - math.log(n_samples)


def _check_batch(x: Tensor) -> None:
    if not isinstance(x, Tensor):
        raise ValueError(
            f"Expected a batch as a tensor (B, D), but got a {type(x).__name__}: pass "
            "torch.as_tensor(x, dtype=torch.float32)."
        )
    if x.ndim != 2 or x.shape[0] < 1:
        raise ValueError(
            f"Expected a batch of shape (B, D) with B of 1 or more, but got {tuple(x.shape)}. "
            "A single example x needs x[None], images of shape (B, h, w) need x.flatten(1)."
        )
    if not x.is_floating_point():
        raise ValueError(
            f"Expected a batch of floating-point numbers, but got {x.dtype}: pass x.float(), and "
            "pixels of 0 to 255 as x / 255."
        )


def _posterior(vae: "VAE", x: Tensor) -> td.Distribution:
    """q(z|x), with batch_shape (B,)."""
    _check_batch(x)
    if vae.encoder is None:
        raise ValueError("This VAE has no encoder, so there is no q(z|x): give it one.")
    q_z = _distribution(called(vae.encoder, x), "encoder")
    if q_z.batch_shape != x.shape[:1]:
        raise ValueError(
            f"q(z|x) must be one distribution for each of the {len(x)} examples, batch_shape "
            f"({len(x)},), but is {_described(q_z)}.{_independent(q_z)}"
        )
    return q_z


def _prior(vae: "VAE", q_z: td.Distribution) -> td.Distribution:
    """p(z), over the space that q(z|x) is over."""
    p_z = _distribution(vae.prior(), "prior")
    if p_z.event_shape != q_z.event_shape:
        raise ValueError(
            f"q(z|x) and p(z) must have one event_shape, but q(z|x) is {_described(q_z)}, and p(z) "
            f"is {_described(p_z)}. Give both the same latent dimension.{_independent(p_z)}"
        )
    return p_z


def _kl_by_dimension(q_z: td.Distribution, p_z: td.Distribution) -> Tensor:
    if not all(isinstance(d, td.Independent) and len(d.event_shape) == 1 for d in (q_z, p_z)):
        raise ValueError(
            "A KL for each latent dimension needs q(z|x) and p(z) that are independent over "
            f"dimensions, torch.distributions.Independent(..., 1), but they are {_described(q_z)} "
            f"and {_described(p_z)}."
        )
    try:
        return td.kl_divergence(q_z.base_dist, p_z.base_dist)
    except NotImplementedError as error:
        raise ValueError(
            "torch knows no closed form of the KL between one dimension of q(z|x), a "
            f"{type(q_z.base_dist).__name__}, and of p(z), a {type(p_z.base_dist).__name__}: "
            "use elbo, which estimates it from draws."
        ) from error


def _distribution(value: object, part: str) -> td.Distribution:
    if not isinstance(value, td.Distribution):
        raise ValueError(
            f"The {part} must return a torch.distributions object, but returned a "
            f"{type(value).__name__}: put the network into a conditional, such as "
            "DiagonalGaussian(net) or Bernoulli(net)."
        )
    return value


def _draws(q_z: td.Distribution, n_samples: int) -> Tensor:
    """z from q(z|x), (K, B, L), through which the gradient reaches q where there is one."""
    shape = (count(n_samples, "n_samples"),)
    if q_z.has_rsample:
        return q_z.rsample(shape)
    z = q_z.sample(shape)
    if torch.is_grad_enabled() and q_z.log_prob(z).requires_grad:
        raise ValueError(
            f"Draws from q(z|x), a {type(q_z).__name__}, pass no gradient to the encoder, which "
            "would silently learn nothing from them. Use a distribution with an rsample (relaxed "
            "or straight-through, such as OneHotCategoricalStraightThrough; one of your own says "
            "so by has_rsample = True), sum z out of the objective, or, where nothing is to be "
            "learned, write `with torch.no_grad():`."
        )
    return z


def _log_likelihood(vae: "VAE", z: Tensor, x: Tensor) -> Tensor:
    """log p(x|z) for z (K, B, L) and x (B, D): (K, B)."""
    p_x = _distribution(vae.decoder(z), "decoder")
    if p_x.event_shape != x.shape[1:]:
        raise ValueError(
            f"p(x|z) must be a distribution over the {x.shape[1]} dimensions of x, event_shape "
            f"({x.shape[1]},), but is {_described(p_x)}. Give the decoder as many outputs."
            f"{_independent(p_x)}"
        )
    log_px = p_x.log_prob(x)
    _check_one_per_example(log_px, (len(z), len(x)), "log p(x|z)")
    return log_px


def _check_one_per_example(value: Tensor, shape: tuple[int, ...], name: str) -> None:
    if value.shape != shape:
        raise ValueError(
            f"{name} must have shape {tuple(shape)}, one value for each example and sample, but "
            f"has {tuple(value.shape)}: look at the batch_shape of what the model's parts return."
        )


def _described(distribution: td.Distribution) -> str:
    batch, event = tuple(distribution.batch_shape), tuple(distribution.event_shape)
    return f"a {type(distribution).__name__} with batch_shape {batch} and event_shape {event}"


def _independent(distribution: td.Distribution) -> str:
    if distribution.event_shape:
        return ""
    return " torch.distributions.Independent(..., 1) makes the last axis of a batch one event."
