"""The plain neural networks that the book's models are made of."""

import math
from collections.abc import Callable
from itertools import pairwise

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
        sizes = tuple(count(size, "A size in shape") for size in shape)
        if len(sizes) not in (2, 3):
            raise ValueError(f"shape must be (C, H, W) or (H, W), not {sizes}.")
        self.net = net
        self.shape = (1,) * (3 - len(sizes)) + sizes

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
