"""Conditionals for pixels as they are stored: one of 256 levels, each with a probability."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.checks import HALVES, count
from vae_lib.conditionals.on_levels import LevelsCategorical, LevelsLogistic
from vae_lib.conditionals.over_dimensions import OverDimensions
from vae_lib.conditionals.over_rows import over_rows
from vae_lib.conditionals.ranges import checked_range

LOG_SCALE_RANGE = (-10.0, 10.0)
"""The range to which the log-scales of a `DiscretisedLogistic` are clamped, in units of the data,
where white is 1. At its lower end a step of 1/255 is 86 scales long: one level has all the
probability, and being a level off costs 43 nats."""


class Categorical(nn.Module):
    """A probability for each of K levels of every pixel: the network gives their logits.

    `net` maps rows (N, L) to (N, K D): D logits of the level 0, then D of 1/(K - 1), and so on to
    1, as `convolutional_decoder(..., n_per_value=K)` gives them. Nothing ties neighbouring levels
    to each other. Returns a distribution with event_shape (D,) that has probabilities, no density:
    log p(x|z) is at most 0, in nats, and in bits the length of a message that tells the image.

    Args:
        net: the network.
        n_levels: K, 2 or more: 256 for 8-bit pixels as k/255.

    Raises:
        ValueError: outputs that are no multiple of K; in `log_prob`, values that are no level.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu (2016), section 2.2. Taught in chapter 10.
    """

    def __init__(self, net: nn.Module, n_levels: int = 256) -> None:
        super().__init__()
        self.net = net
        self.n_levels = count(n_levels, "n_levels", at_least=2)
        self.validate_args = True

    def forward(self, z: Tensor) -> td.Independent:
        outputs = over_rows(self.net, z)
        if outputs.shape[-1] % self.n_levels:
            raise ValueError(
                f"The network of a Categorical must give {self.n_levels} logits, one for each "
                f"level, for every dimension, but has {outputs.shape[-1]} outputs. Give its last "
                f"layer {self.n_levels} D units."
            )
        logits = outputs.unflatten(-1, (self.n_levels, -1)).transpose(-1, -2)
        levels = LevelsCategorical(logits=logits, validate_args=False)
        return OverDimensions(levels, looks=self.validate_args)


class DiscretisedLogistic(nn.Module):
    """A logistic density rounded to K levels: the network gives its centre, and perhaps its scale.

    `net` maps rows (N, L) to (N, 2 D): D centres μ, then D logarithms of scales s, both in units
    of the data; with `scale="learned"` to (N, D), and one parameter `log_scale` is shared by all
    pixels. P(x) = F(x + h) - F(x - h), F(x) = sigmoid((x - μ)/s) and h half a step between
    levels; the lowest and the highest level have what lies beyond them as well. So neighbouring
    levels have nearly the same probability, and two numbers do for 256. log s is clamped to
    `log_scale_range`, outside of which it gets no gradient.

    Returns a distribution with event_shape (D,) that has probabilities, no density: log p(x|z) is
    at most 0. Its mean lies in [0, 1] and is not μ, which may lie anywhere.

    Args:
        net: the network.
        n_levels: K, 2 or more: 256 for 8-bit pixels as k/255.
        scale: "per value", by the network, or "learned", from exp(-2).
        log_scale_range: the lowest and the highest log s.

    Raises:
        ValueError: an odd number of outputs; in `log_prob`, values that are no level.

    Source: Kingma and others (2016); Salimans and others (2017). Taught in chapter 10.
    """

    def __init__(
        self,
        net: nn.Module,
        n_levels: int = 256,
        scale: Literal["per value", "learned"] = "per value",
        log_scale_range: tuple[float, float] = LOG_SCALE_RANGE,
    ) -> None:
        super().__init__()
        if scale not in ("per value", "learned"):
            raise ValueError(f'scale must be "per value" or "learned", not {scale!r}.')
        self.net = net
        self.n_levels = count(n_levels, "n_levels", at_least=2)
        self.log_scale = nn.Parameter(torch.tensor(-2.0)) if scale == "learned" else None
        self.log_scale_range = checked_range(log_scale_range, "log_scale_range")
        self.validate_args = True

    def forward(self, z: Tensor) -> td.Independent:
        outputs = over_rows(self.net, z)
        if self.log_scale is not None:
            loc, log_scale = outputs, self.log_scale
            log_scale = log_scale.float() if log_scale.dtype in HALVES else log_scale
        elif outputs.shape[-1] % 2:
            raise ValueError(
                f"The network of a DiscretisedLogistic must have an even number of outputs, a "
                f"centre and a log-scale for each dimension, but has {outputs.shape[-1]}. Give its "
                'last layer 2 D units, or the conditional scale="learned".'
            )
        else:
            loc, log_scale = outputs.chunk(2, dim=-1)
        log_scale = log_scale.clamp(*self.log_scale_range)
        levels = LevelsLogistic(loc, log_scale, self.n_levels, validate_args=False)
        return OverDimensions(levels, looks=self.validate_args)
