"""Exercise II.2: the encoder."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_2.known import labels
from vae_lib.exercises.project_2.networks import Changed, Planes, is_affine, of_network

_GOOD = "every law holds"
_N = 64


def _make_encoder(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    return _with_pool(image_shape, n_classes, latent_dim)


def _with_pool(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Sequential:
    n_channels, height, width = image_shape
    return nn.Sequential(
        Planes(image_shape, n_classes),
        nn.Conv2d(n_channels + n_classes, 8, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * (height // 2) * (width // 2), 2 * latent_dim),
    )


def _sizes(generator: torch.Generator) -> list[tuple]:
    return [((3, 16, 16), 3, 4), ((1, 8, 12), 2, 3)]


def _first_broken_law(
    encoder: nn.Module, image_shape: tuple, n_classes: int, latent_dim: int
) -> str:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(_N, math.prod(image_shape), generator=generator)
    rows = torch.cat([x, labels(generator, _N, n_classes)], dim=1)
    broken = of_network(encoder, rows, n_classes, 2 * latent_dim)
    if broken:
        return broken
    with torch.no_grad():
        log_var = encoder(100 * torch.randn(rows.shape, generator=generator)).chunk(2, dim=1)[1]
    if not (log_var < 0).any():
        return "a log-variance that is never negative"
    return "no activation" if is_affine(encoder, rows) else _GOOD


def _changed(after: Callable[[Tensor], object]) -> Callable:
    def wrong(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
        return Changed(_with_pool(image_shape, n_classes, latent_dim), after)

    return wrong


def _positive(codes: Tensor) -> Tensor:
    mu, log_var = codes.chunk(2, dim=-1)
    return torch.cat([mu, log_var.abs()], dim=-1)


def _sampling(codes: Tensor) -> Tensor:
    mu, log_var = codes.chunk(2, dim=-1)
    return torch.cat([mu + (log_var / 2).exp() * torch.randn_like(mu), log_var], dim=-1)


def _without_label(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    def before(rows: Tensor) -> Tensor:
        return torch.cat([rows[:, :-n_classes], 0 * rows[:, -n_classes:]], dim=1)

    return Changed(_with_pool(image_shape, n_classes, latent_dim), before=before)


def _label_alone(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    def before(rows: Tensor) -> Tensor:
        return torch.cat([0 * rows[:, :-n_classes], rows[:, -n_classes:]], dim=1)

    return Changed(_with_pool(image_shape, n_classes, latent_dim), before=before)


def _perceptron(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    n_inputs = math.prod(image_shape) + n_classes
    return nn.Sequential(nn.Linear(n_inputs, 16), nn.Tanh(), nn.Linear(16, 2 * latent_dim))


def _affine(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    layers = _with_pool(image_shape, n_classes, latent_dim)
    return nn.Sequential(*[layer for layer in layers if not isinstance(layer, nn.Tanh)])


EXERCISE = Exercise(
    "II.2",
    oracle=_make_encoder,
    cases=_sizes,
    summarise=_first_broken_law,
    seconds=10.0,
    mistakes=(
        Mistake(
            "L numbers",
            _changed(lambda codes: codes.chunk(2, dim=-1)[0]),
            "Your encoder gives L numbers a picture. A mean and a log-variance for each latent "
            "dimension are 2 L.",
        ),
        Mistake(
            "a pair",
            _changed(lambda codes: codes.chunk(2, dim=-1)),
            "Your encoder gives two tensors. One is wanted, the means and then the log-variances.",
        ),
        Mistake(
            "label ignored",
            _without_label,
            "Your encoder's output does not depend on the label, the last numbers of each row.",
        ),
        Mistake(
            "picture ignored",
            _label_alone,
            "Your encoder's output depends on the label alone, and not on the picture.",
        ),
        Mistake(
            "no convolution",
            _perceptron,
            "Your encoder has no weights of a two-dimensional convolution.",
        ),
        Mistake(
            "no activation",
            _affine,
            "Your encoder is an affine map: is there an activation between its layers?",
        ),
        Mistake(
            "no gradient",
            lambda image_shape, n_classes, latent_dim: _with_pool(
                image_shape, n_classes, latent_dim
            ).requires_grad_(False),
            "No weight of your encoder gets a gradient.",
        ),
        Mistake(
            "chance",
            _changed(_sampling),
            "Your encoder gives other numbers when it is asked again. The draw comes later.",
        ),
        Mistake(
            "rows look at each other",
            _changed(lambda codes: codes - codes.mean(0)),
            "In eval mode too, what your encoder says of a picture depends on the others in the "
            "batch. Has a reshape mixed rows and channels, or a mean been taken over the batch?",
        ),
        Mistake(
            "positive log-variance",
            _changed(_positive),
            "Your log-variances are never negative, so σ is never below 1. Nothing should follow "
            "the last affine map.",
        ),
    ),
)
