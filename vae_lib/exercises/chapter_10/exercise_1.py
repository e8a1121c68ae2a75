"""Exercise 10.1: the weights of a convolutional encoder."""

import math

import torch

from vae_lib.exercises import Exercise, Mistake
from vae_lib.networks import convolutional_encoder


def _n_weights(image_shape: tuple, channels: tuple, n_outputs: int) -> int:
    """Counted, in a network that is made."""
    encoder = convolutional_encoder(image_shape, channels, n_outputs)
    return sum(weights.numel() for weights in encoder.parameters())


def _encoders(generator: torch.Generator) -> list[tuple]:
    width = int(torch.randint(3, 9, (), generator=generator))
    return [
        ((3, 16, 16), (12, 24), 20),
        ((1, 28, 28), (8, 16, 32), 40),
        ((3, 30, 21), (width, 2 * width), 10),
        ((2, 9, 12), (5,), 7),
    ]


def _layers(image_shape: tuple, channels: tuple) -> tuple[list[tuple[int, int]], int, int]:
    """Channels in and out of each convolution, and the height and width that are left."""
    n_layers = len(channels)
    pairs = list(zip((image_shape[0], *channels), channels, strict=False))
    return pairs, image_shape[1] // 2**n_layers, image_shape[2] // 2**n_layers


def _counted(
    bias: bool = True, area: int = 16, per_channel: bool = True, pooled: bool = False
) -> object:
    def count(image_shape: tuple, channels: tuple, n_outputs: int) -> int:
        pairs, h, w = _layers(image_shape, channels)
        n = sum(b * (a * area if per_channel else area) + b * bias for a, b in pairs)
        n_in = channels[-1] * (1 if pooled else h * w)
        return n + (n_in + bias) * n_outputs

    return count


def _one_bias_a_layer(image_shape: tuple, channels: tuple, n_outputs: int) -> int:
    return _counted(bias=False)(image_shape, channels, n_outputs) + len(channels) + n_outputs


def _not_shared(image_shape: tuple, channels: tuple, n_outputs: int) -> int:
    pairs, h, w = _layers(image_shape, channels)
    n, (height, width) = 0, image_shape[1:]
    for n_in, n_out in pairs:
        height, width = height // 2, width // 2
        n += height * width * n_out * (16 * n_in + 1)
    return n + (channels[-1] * h * w + 1) * n_outputs


def _size_kept(image_shape: tuple, channels: tuple, n_outputs: int) -> int:
    n_pixels = math.prod(image_shape[1:])
    n = sum(b * (16 * a + 1) for a, b in _layers(image_shape, channels)[0])
    return n + (channels[-1] * n_pixels + 1) * n_outputs


def _convolutions_only(image_shape: tuple, channels: tuple, n_outputs: int) -> int:
    return sum(b * (16 * a + 1) for a, b in _layers(image_shape, channels)[0])


EXERCISE = Exercise(
    "10.1",
    oracle=_n_weights,
    cases=_encoders,
    mistakes=(
        Mistake(
            "no biases",
            _counted(bias=False),
            "The kernels are all counted, the biases not: one for each channel that a convolution "
            "gives, and one for each output.",
        ),
        Mistake(
            "one bias a convolution",
            _one_bias_a_layer,
            "A convolution has a bias for each channel that it gives, not one in all.",
        ),
        Mistake(
            "a kernel of one row",
            _counted(area=4),
            "A kernel is 4 pixels wide and 4 high: how many weights is that for each channel that "
            "it reads?",
        ),
        Mistake(
            "one channel read",
            _counted(per_channel=False),
            "Each channel that a convolution gives reads all the channels that come in, with "
            "weights of their own.",
        ),
        Mistake(
            "one pixel left",
            _counted(pooled=True),
            "The affine map at the end reads every pixel that is left of every channel, not one.",
        ),
        Mistake(
            "weights for every place",
            _not_shared,
            "You count a kernel for every place of the output. Where are they shared?",
        ),
        Mistake(
            "size of the image kept",
            _size_kept,
            "The convolutions are right. By the time of the affine map each of them has halved "
            "height and width.",
        ),
        Mistake(
            "no affine map",
            _convolutions_only,
            "The convolutions are right. After them comes an affine map from all that is left to "
            "the outputs.",
        ),
    ),
)
