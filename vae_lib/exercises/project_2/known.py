"""Conditional networks whose ELBO is known by quadrature, on which the pieces are tried."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises.project_2.band import SIGMA
from vae_lib.exercises.trained import kl_to_prior, moments

LATENT_DIM = 2  # for which the quadrature is two-dimensional


def linear_networks(
    generator: torch.Generator, n_values: int, n_classes: int
) -> tuple[nn.Linear, nn.Linear]:
    """Of known weights, with which codes, labels and pictures all matter."""
    encoder = nn.Linear(n_values + n_classes, 2 * LATENT_DIM)
    decoder = nn.Linear(LATENT_DIM + n_classes, n_values)
    with torch.no_grad():
        for layer in (encoder, decoder):
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
            layer.bias.copy_(0.3 * torch.randn(layer.bias.shape, generator=generator))
        encoder.weight.mul_(0.5)
        encoder.weight[LATENT_DIM:].mul_(0.5)
        encoder.bias[LATENT_DIM:].copy_(torch.tensor([-1.0, -1.6]))
        decoder.weight.mul_(0.1)
    return encoder, decoder


def labels(generator: torch.Generator, n: int, n_classes: int) -> Tensor:
    """One of each class in turn, in an order of their own, as rows of zeros and ones."""
    order = torch.randperm(n, generator=generator)
    return nn.functional.one_hot(order % n_classes, n_classes).float()


@torch.no_grad()
def drawn(generator: torch.Generator, decoder: nn.Linear, y: Tensor) -> Tensor:
    """Pictures from the model itself, so that an error of a draw's width counts."""
    z = 0.5 * torch.randn(len(y), LATENT_DIM, generator=generator)
    x_mean = decoder(beside(z, y))
    return x_mean + SIGMA * torch.randn(x_mean.shape, generator=generator)


def beside(first: Tensor, y: Tensor) -> Tensor:
    """Rows of both, (..., B, D) and (B, C)."""
    return torch.cat([first, y.to(first.dtype).expand(*first.shape[:-1], -1)], dim=-1)


def code_of(encoder: nn.Module, x: Tensor, y: Tensor) -> td.Independent:
    """q(z|x, y) in double precision."""
    mu, log_var = encoder(beside(x, y)).double().chunk(2, dim=-1)
    return td.Independent(td.Normal(mu, log_var.exp().sqrt()), 1)


def log_px_at(decoder: nn.Module, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """log p(x|z, y) in double precision: z (..., B, L), x (B, D) and y (B, C) give (..., B)."""
    x_mean = copy.deepcopy(decoder).double()(beside(z.double(), y))
    return td.Independent(td.Normal(x_mean, SIGMA), 1).log_prob(x.double())


def exact_kl(encoder: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return kl_to_prior(code_of(encoder, x, y))


@torch.no_grad()
def moments_of_log_px(
    encoder: nn.Module,
    decoder: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    decoded_with: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Mean and variance of log p(x|z, y) over z from q(z|x, y), for each picture, by quadrature.

    `decoded_with` are labels for the decoder, where they are not to be the encoder's.
    """
    shown = y if decoded_with is None else decoded_with
    return moments(lambda z: log_px_at(decoder, z, x, shown), code_of(encoder, x, y))


def exact_elbo(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return moments_of_log_px(encoder, decoder, x, y)[0] - exact_kl(encoder, x, y).detach()
