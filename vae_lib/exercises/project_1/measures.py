"""What trained networks are worth, measured from the networks alone."""

from __future__ import annotations

import contextlib
import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises.trained import Terms, asked, code_by, kl_to_prior

_ROWS = 50_000  # decoded at once
_NAMES = {64: "digits", 784: "mnist"}
_MOST_JUDGED, _MOST_BOUNDED, _MOST_TRAINED = 10_000, 500, 2000  # images


class Images(NamedTuple):
    """The images that a model is judged by: binary ones, and the grey ones that they come from."""

    train: Tensor
    test: Tensor
    grey: Tensor


@functools.lru_cache(maxsize=2)
def images(n_pixels: int) -> Images:
    """Those of the data set with so many pixels, made binary as the project does."""
    from vae_lib.data import binarize, load

    dataset = load(_NAMES[n_pixels])
    train, grey = dataset.train[:_MOST_TRAINED], dataset.test[:_MOST_JUDGED]
    return Images(binarize(train, threshold=0.5), binarize(grey, threshold=0.5), grey)


def n_pixels_of(encoder: nn.Module, device: torch.device) -> int:
    """Which of the data sets' images the encoder takes."""
    for n_pixels in _NAMES:
        with contextlib.suppress(RuntimeError, ValueError):
            encoder(torch.zeros(2, n_pixels, device=device))
            return n_pixels
    raise ValueError("your encoder takes rows of neither 64 nor 784 pixels.")


def code_of(encoder: nn.Module, x: Tensor, *, log_var_per_number: float = 1.0) -> td.Independent:
    """q(z|x); the second half of the encoder's numbers, times a factor, is log σ²."""
    device = next(encoder.parameters()).device
    numbers = encoder(x.to(device)).cpu().double()
    return code_by(numbers, len(x), "images", log_var_per_number=log_var_per_number)


def logits_at(decoder: nn.Module, z: Tensor) -> Tensor:
    logits = asked(decoder, z.reshape(-1, z.shape[-1]), at_once=_ROWS)
    return logits.reshape(*z.shape[:-1], -1)


def log_bernoulli(logits: Tensor, x: Tensor) -> Tensor:
    """x log λ + (1 - x) log(1 - λ), summed over pixels; x may be grey, as a slip would have it."""
    return (logits * x - nn.functional.softplus(logits)).sum(-1)


def terms(q_z: td.Independent, decoder: nn.Module, x: Tensor, *, n_draws: int) -> Terms:
    drawn = torch.stack(
        [log_bernoulli(logits_at(decoder, q_z.sample()), x.double()) for _ in range(n_draws)]
    )
    return Terms(drawn.mean(0), kl_to_prior(q_z), drawn.std(0))


def weighted_bound(encoder: nn.Module, decoder: nn.Module, x: Tensor, *, n_draws: int) -> float:
    """The mean importance-weighted bound, which is above the ELBO and below log p(x)."""
    x = x[:_MOST_BOUNDED]
    q_z, log_w = code_of(encoder, x), []
    p_z = td.Independent(td.Normal(torch.zeros_like(q_z.mean), 1.0), 1)
    for _ in range(n_draws):
        z = q_z.sample()
        log_px = log_bernoulli(logits_at(decoder, z), x.double())
        log_w.append(log_px + p_z.log_prob(z) - q_z.log_prob(z))
    return (torch.logsumexp(torch.stack(log_w), 0) - math.log(n_draws)).mean().item()
