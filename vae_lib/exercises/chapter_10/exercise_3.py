"""Exercise 10.3: a transposed convolution by painting."""

import torch
from torch import Tensor
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _transposed(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """PyTorch's."""
    return F.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]


def _images(generator: torch.Generator) -> list[tuple]:
    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return [(draw(3, 4), draw(4, 4), 2), (draw(2, 5), draw(3, 3), 1), (draw(4, 2), draw(2, 2), 3)]


def _painted(x: Tensor, kernel: Tensor, stride: int, *, over: bool = False) -> Tensor:
    (h, w), k = x.shape, len(kernel)
    y = torch.zeros((h - 1) * stride + k, (w - 1) * stride + k, dtype=x.dtype)
    for i in range(h):
        for j in range(w):
            place = slice(i * stride, i * stride + k), slice(j * stride, j * stride + k)
            y[place] = x[i, j] * kernel + (0 if over else y[place])
    return y


def _cropped(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    return _transposed(x, kernel, stride)[: len(x) * stride, : x.shape[1] * stride]


def _convolved(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    padded = F.pad(x, [len(kernel) - 1] * 4)
    return F.conv2d(padded[None, None], kernel[None, None])[0, 0]


EXERCISE = Exercise(
    "10.3",
    oracle=_transposed,
    cases=_images,
    mistakes=(
        Mistake(
            "painted over",
            lambda x, kernel, stride: _painted(x, kernel, stride, over=True),
            "Where two patches overlap, the later one covers the earlier. They are to be added.",
        ),
        Mistake(
            "kernel turned",
            lambda x, kernel, stride: _transposed(x, kernel.flip(0, 1), stride),
            "Your kernel is turned by half a circle. What a number paints is the kernel as it is.",
        ),
        Mistake(
            "kernel mirrored along its diagonal",
            lambda x, kernel, stride: _transposed(x, kernel.T, stride),
            "Your kernel is transposed. It is the matrix of the whole map that is transposed; the "
            "kernel is painted as it is.",
        ),
        Mistake(
            "stride left out",
            lambda x, kernel, stride: _transposed(x, kernel, 1),
            "Neighbouring numbers paint `stride` pixels apart, and yours one.",
        ),
        Mistake(
            "a convolution",
            _convolved,
            "That is a convolution with the kernel, of the image with zeros around it. Here each "
            "number of `x` is multiplied by the whole kernel.",
        ),
        Mistake(
            "cut off",
            _cropped,
            "Right and bottom are cut off, or left over, at `stride` times the size. The last "
            "patch begins at (h - 1) stride, and is as wide as the kernel.",
        ),
        Mistake(
            "squares of one colour",
            lambda x, kernel, stride: x.repeat_interleave(stride, 0).repeat_interleave(stride, 1),
            "You enlarge each number to a square. The kernel says what it paints.",
        ),
    ),
)
