"""Exercise II.3: the decoder."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_2.known import labels
from vae_lib.exercises.project_2.networks import (
    Changed,
    is_affine,
    of_convolutions,
    of_network,
)

_GOOD = "every law holds"
_N = 64


def _make_decoder(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    return _by_upsampling(image_shape, n_classes, latent_dim)


def _by_upsampling(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Sequential:
    n_channels, height, width = image_shape
    half = (8, height // 2, width // 2)
    return nn.Sequential(
        nn.Linear(latent_dim + n_classes, math.prod(half)),
        nn.Tanh(),
        nn.Unflatten(1, half),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(8, n_channels, 3, padding=1),
        nn.Flatten(),
    )


def _sizes(generator: torch.Generator) -> list[tuple]:
    return [((3, 16, 16), 3, 4), ((1, 8, 12), 2, 3)]


def _first_broken_law(
    decoder: nn.Module, image_shape: tuple, n_classes: int, latent_dim: int
) -> str:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(_N, latent_dim, generator=generator)
    rows = torch.cat([z, labels(generator, _N, n_classes)], dim=1)
    broken = of_network(decoder, rows, n_classes, math.prod(image_shape))
    if broken:
        return broken
    with torch.no_grad():
        means = decoder(100 * torch.randn(rows.shape, generator=generator))
    if (means <= 0).all():
        return "means that are never positive"
    if is_affine(decoder, rows):
        return "no activation"
    return _of_layout(decoder, rows, image_shape) or _GOOD


@torch.no_grad()
def _of_layout(decoder: nn.Module, rows: Tensor, image_shape: tuple) -> str | None:
    """How the last convolution's pictures are laid out as rows, if that is a known slip."""
    met, means = of_convolutions(decoder, rows), decoder(rows)
    if not met or met[-1][1].numel() != means.numel():
        return None
    images, (c, height, width) = met[-1][1], image_shape
    shape = tuple(images.shape[1:])
    if shape == image_shape and not _follows(means, images):
        is_last = _follows(means, images.permute(0, 2, 3, 1))
        return "channels last" if is_last else None
    is_turned = shape == (c, width, height) != image_shape and _follows(means, images)
    return "height for width" if is_turned else None


def _follows(means: Tensor, images: Tensor) -> bool:
    """Whether the means are the images' values in their order, or a rising function of them."""
    ordered = means.gather(1, images.flatten(1).argsort(dim=1))
    return bool((ordered.diff(dim=1) >= -1e-6).all())


def _changed(after: Callable[[Tensor], object], before: Callable | None = None) -> Callable:
    def wrong(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
        decoder = _by_upsampling(image_shape, n_classes, latent_dim)
        return Changed(decoder, after, before or (lambda rows: rows))

    return wrong


def _images(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    return _by_upsampling(image_shape, n_classes, latent_dim)[:-1]


def _without_label(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    def before(rows: Tensor) -> Tensor:
        return torch.cat([rows[:, :-n_classes], 0 * rows[:, -n_classes:]], dim=1)

    return Changed(_by_upsampling(image_shape, n_classes, latent_dim), before=before)


def _label_alone(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    def before(rows: Tensor) -> Tensor:
        return torch.cat([0 * rows[:, :-n_classes], rows[:, -n_classes:]], dim=1)

    return Changed(_by_upsampling(image_shape, n_classes, latent_dim), before=before)


def _channels_last(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    network = _images(image_shape, n_classes, latent_dim)
    return Changed(network, lambda images: images.permute(0, 2, 3, 1).flatten(1))


def _height_for_width(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    n_channels, height, width = image_shape
    return _by_upsampling((n_channels, width, height), n_classes, latent_dim)


def _perceptron(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    n_inputs = latent_dim + n_classes
    return nn.Sequential(nn.Linear(n_inputs, 16), nn.Tanh(), nn.Linear(16, math.prod(image_shape)))


def _affine(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    layers = _by_upsampling(image_shape, n_classes, latent_dim)
    return nn.Sequential(*[layer for layer in layers if not isinstance(layer, nn.Tanh)])


def _with_scales(image_shape: tuple, n_classes: int, latent_dim: int) -> nn.Module:
    decoder = _by_upsampling(image_shape, n_classes, latent_dim)
    return Changed(decoder, lambda means: (means, torch.ones_like(means)))


EXERCISE = Exercise(
    "II.3",
    oracle=_make_decoder,
    cases=_sizes,
    summarise=_first_broken_law,
    seconds=10.0,
    mistakes=(
        Mistake(
            "images",
            _images,
            "Your decoder gives pictures of height and width. Flatten them to one row for each.",
        ),
        Mistake(
            "a pair",
            _with_scales,
            "Your decoder gives two tensors. The means alone are wanted: σ is fixed.",
        ),
        Mistake(
            "label ignored",
            _without_label,
            "Your decoder's output does not depend on the label, the last numbers of each row.",
        ),
        Mistake(
            "code ignored",
            _label_alone,
            "Your decoder's output depends on the label alone, and not on the code.",
        ),
        Mistake(
            "no convolution",
            _perceptron,
            "Your decoder has no weights of a two-dimensional convolution.",
        ),
        Mistake(
            "no activation",
            _affine,
            "Your decoder is an affine map: is there an activation between its layers?",
        ),
        Mistake(
            "no gradient",
            lambda image_shape, n_classes, latent_dim: _by_upsampling(
                image_shape, n_classes, latent_dim
            ).requires_grad_(False),
            "No weight of your decoder gets a gradient.",
        ),
        Mistake(
            "chance",
            _changed(lambda means: means + 0.1 * torch.randn_like(means)),
            "Your decoder gives other numbers when it is asked again. It gives the mean, and "
            "draws nothing.",
        ),
        Mistake(
            "rows look at each other",
            _changed(lambda means: means - means.mean(0)),
            "In eval mode too, what your decoder draws for a code depends on the others in the "
            "batch. Has a reshape mixed rows and channels, or a mean been taken over the batch?",
        ),
        Mistake(
            "never positive",
            _changed(lambda means: -means.abs()),
            "Your means are never positive, and the pictures' values lie between 0 and 1. Is there "
            "a logarithm at the end?",
        ),
        Mistake(
            "channels last",
            _channels_last,
            "Your rows have the channels of each pixel side by side. In a picture's row all of the "
            "first channel comes first, as `nn.Flatten` lays out (B, channels, height, width).",
        ),
        Mistake(
            "height for width",
            _height_for_width,
            "Your decoder takes the height for the width. `image_shape` is (channels, height, "
            "width), and the two can differ.",
        ),
    ),
)
