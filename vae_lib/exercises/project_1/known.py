"""Networks whose ELBO is known by quadrature, on which the pieces of the project are tried."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises.trained import kl_to_prior, moments

_LATENT_DIM = 2  # for which the quadrature is two-dimensional


def linear_networks(
    generator: torch.Generator, n_pixels: int, *, log_var: float = -0.5, spread: float = 1.0
) -> tuple[nn.Linear, nn.Linear]:
    """An encoder and a decoder of known weights, whose codes have a log-variance near `log_var`."""
    encoder, decoder = nn.Linear(n_pixels, 2 * _LATENT_DIM), nn.Linear(_LATENT_DIM, n_pixels)
    with torch.no_grad():
        for layer in (encoder, decoder):
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
            layer.bias.copy_(0.5 * torch.randn(layer.bias.shape, generator=generator))
        encoder.weight.mul_(0.5 * spread)
        encoder.weight[_LATENT_DIM:].mul_(0.3)
        encoder.bias[_LATENT_DIM:].copy_(torch.tensor([log_var, log_var - 0.4]))
        decoder.weight.mul_(1.5)
    return encoder, decoder


def images(generator: torch.Generator, n: int, n_pixels: int) -> Tensor:
    return (torch.rand(n, n_pixels, generator=generator) < 0.5).float()


def code_of(encoder: nn.Module, x: Tensor) -> td.Independent:
    """q(z|x) in double precision."""
    mu, log_var = encoder(x).double().chunk(2, dim=-1)
    return td.Independent(td.Normal(mu, log_var.exp().sqrt()), 1)


def log_px_at(decoder: nn.Module, z: Tensor, x: Tensor) -> Tensor:
    """log p(x|z) in double precision: z (..., B, L) and x (B, D) give (..., B)."""
    logits = copy.deepcopy(decoder).double()(z.double())
    return td.Independent(td.Bernoulli(logits=logits), 1).log_prob(x.double())


def exact_kl(encoder: nn.Module, x: Tensor) -> Tensor:
    return kl_to_prior(code_of(encoder, x))


@torch.no_grad()
def moments_of_log_px(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of log p(x|z) over z from q(z|x), for each image, by quadrature."""
    return moments(lambda z: log_px_at(decoder, z, x), code_of(encoder, x))


def exact_elbo(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> Tensor:
    return moments_of_log_px(encoder, decoder, x)[0] - exact_kl(encoder, x).detach()
