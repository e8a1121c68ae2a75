"""Answers to the exercises of chapter 10."""

import math

import numpy as np
import torch
from torch import distributions as td
from torch import nn
from torch.nn import functional as F


def counted_by_torch(image_shape, channels, n_outputs):
    layers, n_in = [], image_shape[0]
    for n_out in channels:
        layers += [nn.Conv2d(n_in, n_out, 4, 2, 1)]
        n_in = n_out
    left = nn.Sequential(*layers)(torch.zeros(1, *image_shape)).numel()
    layers += [nn.Linear(left, n_outputs)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def counted_in_numpy(image_shape, channels, n_outputs):
    into = np.array([image_shape[0], *channels[:-1]])
    h, w = (np.floor_divide(n, 2 ** len(channels)) for n in image_shape[1:])
    kernels = (np.array(channels) * (16 * into + 1)).sum()
    return kernels + (channels[-1] * h * w + 1) * n_outputs


def halved_exactly(image_shape, channels, n_outputs):
    c, h, w = image_shape
    n = 0
    for k in channels:
        n, c, h, w = n + 16 * c * k + k, k, h / 2, w / 2
    return n + c * h * w * n_outputs + n_outputs


def by_a_window(kernels, strides):
    """From the last unit back to the pixels."""
    width = 1
    for k, s in zip(kernels[::-1], strides[::-1], strict=True):
        width = (width - 1) * s + k
    return width


def by_numpy(kernels, strides):
    apart = np.cumprod([1, *strides[:-1]])
    return 1 + np.sum((np.array(kernels) - 1) * apart)


def painted_in_numpy(x, kernel, stride):
    x, kernel = x.numpy(), kernel.numpy()
    k = len(kernel)
    y = np.zeros([(n - 1) * stride + k for n in x.shape])
    for (i, j), value in np.ndenumerate(x):
        y[i * stride : i * stride + k, j * stride : j * stride + k] += value * kernel
    return y


def painted_by_fold(x, kernel, stride):
    size = [(n - 1) * stride + len(kernel) for n in x.shape]
    patches = (kernel.flatten()[:, None] * x.flatten())[None]
    return F.fold(patches, size, len(kernel), stride=stride)[0, 0]


def one_pixel_short(x, kernel, stride):
    return F.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0, :-1, :-1]


def bits_in_numpy(log_density, levels, u):
    log_p = np.asarray(log_density((levels + u) / 256))
    return 8 - log_p / np.log(2) / levels.shape[-1]


def drawn_by_search(mu, log_s, u):
    ends = (torch.arange(255).double() + 0.5) / 255
    below = torch.sigmoid((ends - mu[..., None]) / log_s.exp()[..., None])
    return (u[..., None] > below).sum(-1)


def drawn_in_numpy(mu, log_s, u):
    mu, log_s, u = (part.numpy() for part in (mu, log_s, u))
    x = mu + np.exp(log_s) * (np.log(u) - np.log1p(-u))
    return np.clip(np.rint(x * 255), 0, 255).astype(int)


def half_up(mu, log_s, u):
    x = mu - log_s.exp() * torch.log(1 / u - 1)
    return (255 * x + 0.5).floor().clamp(0, 255).long()


RIGHT = {
    "10.a": [
        lambda n, k, s, p: math.floor((n + 2 * p - k) / s) + 1,
        lambda n, k, s, p: len(range(0, n + 2 * p - k + 1, s)),
        lambda n, k, s, p: (n + 2 * p - k + s) // s,
        lambda n, k, s, p: torch.tensor((n + 2 * p - k) // s + 1),
    ],
    "10.b": [
        lambda elbo, shape: -elbo / math.log(2) / np.prod(shape),
        lambda elbo, shape: -elbo.numpy() * np.log2(np.e) / math.prod(shape),
        lambda elbo, shape: [
            -e.item() / (shape[0] * shape[1] * math.prod(shape[2:])) / 0.6931472 for e in elbo
        ],
    ],
    "10.1": [counted_by_torch, counted_in_numpy],
    "10.2": [by_a_window, by_numpy, lambda k, s: torch.tensor(by_a_window(k, s))],
    "10.3": [
        painted_in_numpy,
        painted_by_fold,
        lambda x, kernel, stride: painted_by_fold(x.float(), kernel.float(), stride),
    ],
    "10.4": [
        bits_in_numpy,
        lambda f, levels, u: 8 - f((levels + u).div(256)) / (levels.shape[1] * math.log(2)),
        lambda f, levels, u: -(f(levels / 256 + u / 256) / len(levels[0])) / math.log(2) + 8,
    ],
    "10.5": [drawn_by_search, drawn_in_numpy, half_up],
}

WRONG = {
    "10.a": [
        ("rounded up", lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1),
        ("not rounded", lambda n, k, s, p: 1 + (n + 2 * p - k) / s),
        ("no window at the start", lambda n, k, s, p: int((n + 2 * p - k) / s)),
        ("padding on one side", lambda n, k, s, p: (n + p - k) // s + 1),
        ("no padding", lambda n, k, s, p: len(range(0, n - k + 1, s))),
        ("size over stride", lambda n, k, s, p: int(n / s)),
        ("no stride", lambda n, k, s, p: n - k + 1 + 2 * p),
        (None, lambda n, k, s, p: n),
    ],
    "10.b": [
        ("sign", lambda elbo, shape: elbo / (math.prod(shape) * math.log(2))),
        ("nats", lambda elbo, shape: -elbo / np.prod(shape)),
        ("times log 2", lambda elbo, shape: -elbo * 0.6931472 / math.prod(shape)),
        ("bits an image", lambda elbo, shape: -elbo / math.log(2)),
        (
            "pixels, not dimensions",
            lambda elbo, shape: -elbo / (shape[-1] * shape[-2]) / math.log(2),
        ),
        (
            "one number for the batch",
            lambda elbo, shape: -elbo.mean() / math.prod(shape) / math.log(2),
        ),
        (None, lambda elbo, shape: -elbo / math.prod(shape) / math.log(10)),
    ],
    "10.1": [
        ("no biases", lambda s, c, n: counted_in_numpy(s, c, n) - sum(c) - n),
        ("one bias a convolution", lambda s, c, n: counted_in_numpy(s, c, n) - sum(c) + len(c)),
        (
            "no affine map",
            lambda s, c, n: sum(16 * a * b + b for a, b in zip([s[0], *c], c, strict=False)),
        ),
        (
            "size of the image kept",
            lambda s, c, n: (
                sum(16 * a * b + b for a, b in zip([s[0], *c], c, strict=False))
                + n * (c[-1] * s[1] * s[2] + 1)
            ),
        ),
        (None, halved_exactly),
        (None, lambda s, c, n: counted_in_numpy(s, c, n) - n),
        (None, lambda s, c, n: counted_in_numpy(s, c, 2 * n)),
    ],
    "10.2": [
        ("strides left out", lambda k, s: sum(k) - len(k) + 1),
        ("own stride counted", lambda k, s: 1 + int(np.sum((np.array(k) - 1) * np.cumprod(s)))),
        ("product of kernels", lambda k, s: int(np.prod(k))),
        ("sum of kernels", lambda k, s: int(np.sum(np.array(k) * np.cumprod([1, *s[:-1]])))),
        ("area", lambda k, s: by_a_window(k, s) ** 2),
        (None, lambda k, s: sum(k)),
        (None, lambda k, s: by_a_window(k, s) - 1),
        (None, lambda k, s: math.prod(s)),
    ],
    "10.3": [
        ("kernel turned", lambda x, k, s: painted_by_fold(x, k.rot90(2), s)),
        ("kernel mirrored along its diagonal", lambda x, k, s: painted_by_fold(x, k.mT, s)),
        ("stride left out", lambda x, k, s: painted_by_fold(x, k, 1)),
        ("squares of one colour", lambda x, k, s: torch.kron(x, torch.ones(s, s).double())),
        (None, one_pixel_short),
        (None, lambda x, k, s: painted_by_fold(x, k, s) / 2),
        (None, lambda x, k, s: F.conv2d(x[None, None], k[None, None, :1, :1], stride=s)[0, 0]),
    ],
    "10.4": [
        ("no noise", lambda f, x, u: 8 - f(x / 256) / (x.shape[1] * math.log(2))),
        ("middle of the cell", lambda f, x, u: 8 - f((x + 0.5) / 256) / (x.shape[1] * math.log(2))),
        (
            "divided by 255",
            lambda f, x, u: math.log2(255) - f((x + u) / 255) / (x.shape[1] * math.log(2)),
        ),
        ("no volume", lambda f, x, u: -f((x + u) / 256) / (x.shape[1] * math.log(2))),
        ("nats", lambda f, x, u: 8 * math.log(2) - f((x + u) / 256) / x.shape[1]),
        ("one number for the batch", lambda f, x, u: bits_in_numpy(f, x, u).mean()),
        (None, lambda f, x, u: 8 - f((x + u) / 255) / (x.shape[1] * math.log(2))),
        (None, lambda f, x, u: 8 * x.shape[1] - f((x + u) / 256) / math.log(2)),
    ],
    "10.5": [
        ("not clamped", lambda m, s, u: (255 * (m + s.exp() * torch.logit(u))).round()),
        ("cut off", lambda m, s, u: (255 * (m + s.exp() * torch.logit(u))).clamp(0, 255).long()),
        (
            "256 steps",
            lambda m, s, u: (256 * (m + s.exp() * torch.logit(u))).clamp(0, 255).floor(),
        ),
        ("values from 0 to 1", lambda m, s, u: drawn_in_numpy(m, s, u) / 255),
        ("a Gaussian", lambda m, s, u: (255 * td.Normal(m, s.exp()).icdf(u)).round().clamp(0, 255)),
        ("no draw", lambda m, s, u: (m * 255).round().clamp(0, 255)),
        (None, lambda m, s, u: (255 * u).round()),
        (None, lambda m, s, u: 255 - half_up(m, s, u)),
        (None, lambda m, s, u: half_up(m, s, 1 - u)),
    ],
}
