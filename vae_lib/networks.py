"""The plain neural networks that the book's models are made of.

`mlp` sees a row of numbers. `convolutional_encoder` and `convolutional_decoder` see an image, and
take and give rows as `mlp` does, so that they can stand wherever it can.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from vae_lib.checks import count


def mlp(*sizes: int, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """A multilayer perceptron: affine maps with an activation between each two of them.

    Nothing follows the last affine map, so the output can be any real number: a code, a logit, a
    mean, a log-variance.

    Args:
        sizes: the width of every layer from input to output, `mlp(64, 256, 2)` for (..., 64) to
            (..., 2) through 256 hidden units; two at least, each 1 or more.
        activation: makes the activation, e.g. `nn.Tanh`.

    Taught in chapter 1.
    """
    if len(sizes) < 2 or any(size < 1 for size in sizes):
        raise ValueError(
            f"mlp needs an input and an output size, each 1 or more, but was given {sizes}; "
            "write for example mlp(64, 256, 2)."
        )
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


class OverRows(nn.Module):
    """A network of images, made one of rows: (N, D) to (N, C, H, W), through `net`, and back.

    Data and distributions are rows in the whole book. A network of convolutions wants images, and
    gives images; here the one is turned into the other, with D = C x H x W. So
    `OverRows(net, dataset.image_shape)` can stand wherever an `mlp` can, and for a decoder that
    begins with a transposed convolution `OverRows(net, (latent_dim, 1, 1))`.

    Args:
        net: maps (N, C, H, W) to (N, ...), anything that flattens to one row an example.
        shape: (C, H, W), or (H, W) for one channel.

    Raises:
        ValueError: a shape that is none; rows of another length than C x H x W; a network that
            does not give one result an example.
    """

    def __init__(self, net: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.net = net
        self.shape = _shape(shape)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C x H x W) to (..., D_out)."""
        if x.ndim == 0 or x.shape[-1] != math.prod(self.shape):
            c, h, w = self.shape
            raise ValueError(
                f"Images of shape {self.shape} need rows of {c} x {h} x {w} = {c * h * w} numbers, "
                f"but the input has shape {tuple(x.shape)}. Give OverRows the shape of the data, "
                "or flatten the images to rows."
            )
        images = x.reshape(-1, *self.shape)
        outputs = self.net(images)
        if outputs.ndim < 2 or len(outputs) != len(images):
            raise ValueError(
                f"The network must give one result for each image, ({len(images)}, ...) for "
                f"{tuple(images.shape)}, but gave {tuple(outputs.shape)}."
            )
        return outputs.reshape(*x.shape[:-1], math.prod(outputs.shape[1:]))


def conv_sizes(
    size: int, n_layers: int, *, kernel: int = 4, stride: int = 2, padding: int = 1
) -> list[int]:
    """The height, or width, of an image before the first and after each of `n_layers` convolutions.

    One convolution makes (size + 2 padding - kernel) // stride + 1 of size; by default it halves,
    rounding down, and so [28, 14, 7, 3] stands for three of them.

    Raises:
        ValueError: an image that is too small for that many layers; the message says how large it
            must be, and how many layers it bears.

    Taught in chapter 10.
    """
    n_layers = count(n_layers, "n_layers", at_least=0)
    kernel, stride, padding = _geometry(kernel, stride, padding)
    sizes = [count(size, "size")]
    for _ in range(n_layers):
        if sizes[-1] + 2 * padding < kernel:
            smallest = 1
            for _ in range(n_layers):
                smallest = (smallest - 1) * stride - 2 * padding + kernel
            raise ValueError(
                f"{size} pixels are too few for {n_layers} convolutions with kernel={kernel}, "
                f"stride={stride} and padding={padding}: {smallest} or more are needed. "
                f"So few pixels bear {len(sizes) - 1} of them: give fewer channels, or a smaller "
                "kernel or stride."
            )
        sizes.append((sizes[-1] + 2 * padding - kernel) // stride + 1)
    return sizes


def convolutional_encoder(
    image_shape: tuple[int, ...],
    channels: Sequence[int],
    n_outputs: int,
    *,
    kernel: int = 4,
    stride: int = 2,
    padding: int = 1,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> OverRows:
    """From an image, as a row (N, C x H x W), to (N, n_outputs): convolutions, then an affine map.

    Each convolution is followed by an activation; nothing follows the affine map. For a
    `DiagonalGaussian` over L latent dimensions `n_outputs` is 2 L.

    Args:
        image_shape: (C, H, W) or (H, W), H and W of 4 or more with two layers: `conv_sizes` says
            what becomes of each.
        channels: how many channels each convolution gives: (16, 32) for two of them.
        n_outputs: numbers for each image.
        kernel, stride, padding: of every convolution; by default it halves height and width.
        activation: makes the activation, e.g. `nn.SiLU`.

    Raises:
        ValueError: no channels, or an image that is too small for so many convolutions.

    Source: LeCun and others (1998); Radford, Metz and Chintala (2016), for convolutions with a
    stride in the place of pooling. Taught in chapter 10.
    """
    n_channels, height, width = _shape(image_shape)
    widths, (kernel, stride, padding) = _channels(channels), _geometry(kernel, stride, padding)
    h, w = (
        conv_sizes(size, len(widths), kernel=kernel, stride=stride, padding=padding)[-1]
        for size in (height, width)
    )
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise([n_channels, *widths]):
        layers += [nn.Conv2d(n_in, n_out, kernel, stride, padding), activation()]
    last = nn.Linear(widths[-1] * h * w, count(n_outputs, "n_outputs"))
    return OverRows(nn.Sequential(*layers, nn.Flatten(), last), (n_channels, height, width))


def convolutional_decoder(
    latent_dim: int,
    channels: Sequence[int],
    image_shape: tuple[int, ...],
    *,
    n_per_value: int = 1,
    kernel: int = 4,
    stride: int = 2,
    padding: int = 1,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> OverRows:
    """From a code (N, L) to an image's row: an affine map, then transposed convolutions.

    It undoes the sizes of the `convolutional_encoder` with as many channels: an affine map makes
    the smallest image, with `channels[0]` channels, and each transposed convolution takes it one
    size up, to H x W exactly. An activation stands between each two; nothing follows the last.

    Args:
        latent_dim: L.
        channels: of what each transposed convolution is given, (32, 16) for two of them.
        image_shape: (C, H, W) or (H, W).
        n_per_value: how many numbers are given for each of the D = C x H x W values: 1 for a
            `Bernoulli` or a `Gaussian`, 2 for a `DiagonalGaussian`, K for a `Categorical`. The
            rows are (N, n_per_value D): first D numbers, an image each, then D more.
        kernel, stride, padding, activation: as for the encoder.

    Raises:
        ValueError: no channels, or an image that is too small for so many of them.

    Source: Radford, Metz and Chintala (2016). Taught in chapter 10.
    """
    n_channels, *size = _shape(image_shape)
    latent_dim, widths = count(latent_dim, "latent_dim"), _channels(channels)
    kernel, stride, padding = _geometry(kernel, stride, padding)
    sizes = [
        conv_sizes(side, len(widths), kernel=kernel, stride=stride, padding=padding)[::-1]
        for side in size
    ]
    smallest = (widths[0], sizes[0][0], sizes[1][0])
    first = nn.Linear(latent_dim, math.prod(smallest))
    layers: list[nn.Module] = [nn.Flatten(), first, nn.Unflatten(1, smallest)]
    widths.append(count(n_per_value, "n_per_value") * n_channels)
    # Strides leave pixels over that a convolution never reached: they are added at the end.
    left_over = [[(n + 2 * padding - kernel) % stride for n in side[1:]] for side in sizes]
    for (n_in, n_out), *more in zip(pairwise(widths), *left_over, strict=True):
        up = nn.ConvTranspose2d(n_in, n_out, kernel, stride, padding, output_padding=tuple(more))
        layers += [activation(), up]
    return OverRows(nn.Sequential(*layers), (latent_dim, 1, 1))


class WithPlanes(nn.Module):
    """A network of images that is told C numbers more: as planes beside the image's own channels.

    A convolution looks at a place and its neighbours, so what is known of the whole image must be
    there at every place: each of the numbers becomes a channel that has one value everywhere. So
    rows (N, D + C), an image and then C numbers, such as a class as zeros and ones, are what it
    takes, and it is an encoder's network for a `vae_lib.models.ConditionalVAE`. A decoder needs
    none: its numbers stand beside z.

    Args:
        net: of images with C channels more than the data's own, by its `shape`:
            `convolutional_encoder((1 + 10, 28, 28), (16, 32), 2 * 8)` for ten classes.
        n_numbers: C.

    Raises:
        ValueError: a network with too few channels, or rows of another length than D + C.

    Conditional models are taught in chapter 13.
    """

    def __init__(self, net: OverRows, n_numbers: int) -> None:
        super().__init__()
        if not isinstance(net, OverRows):
            raise ValueError(
                f"net must take images, as convolutional_encoder(...) and OverRows(net, shape) do, "
                f"but is a {type(net).__name__}."
            )
        self.net = net
        self.n_numbers = count(n_numbers, "n_numbers")
        if (n_channels := net.shape[0] - self.n_numbers) < 1:
            raise ValueError(
                f"net takes images of {net.shape[0]} channels, but must take the data's own and "
                f"{self.n_numbers} more, one for each number: at least {self.n_numbers + 1}."
            )
        self.image_shape = (n_channels, *net.shape[1:])

    def forward(self, x: Tensor) -> Tensor:
        """(..., D + C) to (..., D_out)."""
        n_values = math.prod(self.image_shape)
        if x.shape[-1:] != (n_values + self.n_numbers,):
            raise ValueError(
                f"An image of shape {self.image_shape} and {self.n_numbers} numbers are rows of "
                f"{n_values} + {self.n_numbers}, but the input has shape {tuple(x.shape)}."
            )
        image, numbers = x[..., :n_values], x[..., n_values:]
        planes = numbers.repeat_interleave(math.prod(self.image_shape[1:]), dim=-1)
        return self.net(torch.cat([image, planes], dim=-1))


def _shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(C, H, W) from that or (H, W)."""
    if not isinstance(shape, Sequence) or len(shape) not in (2, 3):
        raise ValueError(f"shape must be (C, H, W) or (H, W), not {shape!r}.")
    sizes = tuple(count(size, "A size in shape") for size in shape)
    return (1,) * (3 - len(sizes)) + sizes


def _geometry(kernel: int, stride: int, padding: int) -> tuple[int, int, int]:
    kernel, stride = count(kernel, "kernel"), count(stride, "stride")
    if (padding := count(padding, "padding", at_least=0)) >= kernel:
        raise ValueError(f"padding must be less than kernel, {kernel}, but is {padding}.")
    return kernel, stride, padding


def _channels(channels: Sequence[int]) -> list[int]:
    if not isinstance(channels, Sequence) or not channels:
        raise ValueError(
            f"channels must be a sequence with one number for each convolution, such as (16, 32), "
            f"not {channels!r}."
        )
    return [count(n, "A number of channels") for n in channels]
