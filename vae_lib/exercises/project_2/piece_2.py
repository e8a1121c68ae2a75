"""Exercise II.2: the encoder."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_2.known import labels
from vae_lib.exercises.project_2.networks import (
    Changed,
    Planes,
    is_affine,
    of_convolutions,
    of_network,
)

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
    if is_affine(encoder, rows):
        return "no activation"
    return _of_layout(encoder, rows, image_shape) or _GOOD


def _of_layout(encoder: nn.Module, rows: Tensor, image_shape: tuple) -> str | None:
    """How the first convolution is given the rows, if that is a known slip.

    Whatever else it is given may be right: a picture less its mean, with a border, and so on.
    """
    met = of_convolutions(encoder, rows)
    if not met:
        return None
    seen, n_values = met[0][0], math.prod(image_shape)
    x, y = rows.split([n_values, rows.shape[1] - n_values], dim=1)
    c, height, width = image_shape
    mixed = y.repeat(1, height * width).reshape(len(y), -1, height, width)
    if _has(seen, x.reshape(-1, *image_shape)):
        return "planes of several numbers" if _has(seen, mixed) else None
    slips = {
        "the label first": rows[:, -n_values:].reshape(-1, *image_shape),
        "channels last": x.reshape(-1, height, width, c).permute(0, 3, 1, 2),
        "height for width": x.reshape(-1, c, width, height),
    }
    return next((name for name, wrong in slips.items() if _has(seen, wrong)), None)


def _has(seen: Tensor, planes: Tensor) -> bool:
    """Whether these planes are among the channels seen, beside each other."""
    n = planes.shape[1]
    if seen.shape[2:] != planes.shape[2:] or len(seen) != len(planes):
        return False
    starts = range(seen.shape[1] - n + 1)
    return any(torch.allclose(seen[:, i : i + n], planes.to(seen.dtype)) for i in starts)


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


def _label_first(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    network = _with_pool(image_shape, n_classes, latent_dim)
    return Changed(network, before=lambda rows: rows.roll(-n_classes, dims=1))


def _channels_last(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    n_channels, height, width = image_shape

    def before(rows: Tensor) -> Tensor:
        x = rows[:, :-n_classes].reshape(-1, height, width, n_channels).permute(0, 3, 1, 2)
        return torch.cat([x.flatten(1), rows[:, -n_classes:]], dim=1)

    return Changed(_with_pool(image_shape, n_classes, latent_dim), before=before)


def _height_for_width(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    n_channels, height, width = image_shape
    return _with_pool((n_channels, width, height), n_classes, latent_dim)


def _mixed_planes(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    def mixed(images: Tensor) -> Tensor:
        y = images[:, -n_classes:, 0, 0].repeat(1, images[0, 0].numel())
        x = images[:, :-n_classes]
        return torch.cat([x, y.reshape(len(x), -1, *x.shape[2:])], dim=1)

    planes, *layers = _with_pool(image_shape, n_classes, latent_dim)
    return nn.Sequential(Changed(planes, mixed), *layers)


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
        Mistake(
            "label first",
            _label_first,
            "Your encoder takes the last D numbers of a row for the picture. The picture comes "
            "first, and the label behind it.",
        ),
        Mistake(
            "channels last",
            _channels_last,
            "Your encoder reads a row as if the channels of each pixel stood side by side. All "
            "of the first channel comes first: reshape to (channels, height, width).",
        ),
        Mistake(
            "height for width",
            _height_for_width,
            "Your encoder takes the height for the width. `image_shape` is (channels, height, "
            "width), and the two can differ.",
        ),
        Mistake(
            "mixed planes",
            _mixed_planes,
            "Your planes hold the numbers of the label in turn. Each should have one of them "
            "everywhere: is there a `repeat` where an `expand` is wanted?",
        ),
    ),
)
