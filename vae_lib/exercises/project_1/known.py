"""Networks whose ELBO is known by quadrature, on which the pieces of the project are tried."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises.values import as_tensor

_LATENT_DIM = 2  # for which the quadrature is two-dimensional


def tensor(value: object) -> Tensor:
    """An output of an answer as a tensor, whatever holds its numbers."""
    found = as_tensor(value)
    if found is None:
        raise ValueError("tensors are wanted.")
    return found


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
    q_z = code_of(encoder, x)
    p_z = td.Independent(td.Normal(torch.zeros_like(q_z.mean), 1.0), 1)
    return td.kl_divergence(q_z, p_z)


@torch.no_grad()
def moments_of_log_px(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of log p(x|z) over z from q(z|x), for each image, by quadrature."""
    nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(14))
    grid = torch.cartesian_prod(nodes, nodes)[:, None]  # (196, 1, 2)
    shares = torch.outer(weights, weights).flatten() / weights.sum() ** 2
    q_z = code_of(encoder, x)
    log_px = log_px_at(decoder, q_z.mean + q_z.stddev * grid, x)
    mean = shares @ log_px
    return mean, shares @ (log_px - mean).square()


def exact_elbo(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> Tensor:
    return moments_of_log_px(encoder, decoder, x)[0] - exact_kl(encoder, x).detach()


def gradients(value: Tensor, *parameters: Tensor) -> list[Tensor]:
    """Of the sum of `value`; zeros where none flows."""
    if not value.requires_grad:
        return [torch.zeros_like(p) for p in parameters]
    found = torch.autograd.grad(value.sum(), parameters, retain_graph=True, allow_unused=True)
    pairs = zip(found, parameters, strict=True)
    return [torch.zeros_like(p) if gradient is None else gradient for gradient, p in pairs]
