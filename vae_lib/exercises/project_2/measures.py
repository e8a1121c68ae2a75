"""What trained networks are worth, measured from the networks alone."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises.project_2.band import SIGMA
from vae_lib.exercises.trained import Terms, asked, code_by, kl_to_prior

N_CLASSES = 3


class Pictures(NamedTuple):
    """The pictures that a model is judged by, their labels, and each test picture redrawn."""

    train: Tensor
    train_y: Tensor
    test: Tensor
    test_y: Tensor
    versions: Tensor  # (N, 3, D): each test picture as a square, a disc, a triangle


@functools.lru_cache(maxsize=1)
def pictures() -> Pictures:
    from vae_lib.data import load

    dataset = load("shapes")
    labels = [dataset.train_labels, dataset.test_labels]
    train_y, test_y = (nn.functional.one_hot(y, N_CLASSES).float() for y in labels)
    train, n = dataset.train, len(dataset.test)
    x = torch.cat([dataset.test, train])
    other = ("hue", "size", "x", "y")
    kept = torch.stack([torch.cat([dataset.test_factors[f], dataset.factors[f]]) for f in other], 1)
    shape = torch.cat([dataset.test_labels, dataset.train_labels])
    apart = [torch.cdist(kept[:n], kept[shape == k]) for k in range(N_CLASSES)]
    versions = [x[shape == k][apart[k].argmin(1)] for k in range(N_CLASSES)]
    return Pictures(train, train_y, dataset.test, test_y, torch.stack(versions, dim=1))


def code_of(
    encoder: nn.Module, x: Tensor, y: Tensor, *, log_var_per_number: float = 1.0
) -> td.Independent:
    """q(z|x, y); the second half of the encoder's numbers, times a factor, is log σ²."""
    numbers = asked(encoder, torch.cat([x, y], dim=1))
    return code_by(numbers, len(x), "pictures", log_var_per_number=log_var_per_number)


def means_at(decoder: nn.Module, z: Tensor, y: Tensor) -> Tensor:
    return asked(decoder, torch.cat([z.float(), y], dim=1))


def log_gaussian(x_mean: Tensor, x: Tensor) -> Tensor:
    squares = (x - x_mean).square().sum(-1) / SIGMA**2
    return -0.5 * squares + constant(x.shape[-1])


def constant(n_values: int) -> float:
    """What a picture without any error would have."""
    return -n_values * math.log(SIGMA * math.sqrt(2 * math.pi))


def terms(q_z: td.Independent, decoder: nn.Module, x: Tensor, y: Tensor, *, n_draws: int) -> Terms:
    drawn = [log_gaussian(means_at(decoder, q_z.sample(), y), x) for _ in range(n_draws)]
    drawn = torch.stack(drawn)
    return Terms(drawn.mean(0), kl_to_prior(q_z), drawn.std(0, correction=min(n_draws - 1, 1)))


def redrawn(encoder: nn.Module, decoder: nn.Module, data: Pictures) -> float:
    """How many test pictures, asked for in another shape, come nearer to themselves in this one.

    Nearer than what the decoder draws for the same code and the picture's own shape.
    """
    z = code_of(encoder, data.test, data.test_y).mean
    asked_for = data.test_y.roll(1, dims=1)
    wanted = data.versions[torch.arange(len(z)), asked_for.argmax(1)]
    own, new = (
        (means_at(decoder, z, y) - wanted).square().sum(-1) for y in (data.test_y, asked_for)
    )
    return (new < own).double().mean().item()
