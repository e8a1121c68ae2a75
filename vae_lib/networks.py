"""The plain neural networks that the book's models are made of."""

from collections.abc import Callable
from itertools import pairwise

from torch import nn


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
