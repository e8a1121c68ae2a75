"""Distributions over the levels that a digital image has: k / (K - 1) for k from 0 to K - 1.

torch has none of these. `LevelsCategorical` is torch's own categorical distribution with other
names for its outcomes; `LevelsLogistic` is what becomes of a logistic density when it is rounded to
the levels.
"""

from typing import ClassVar

import torch
from torch import Tensor
from torch import distributions as td
from torch.distributions import Categorical as TorchCategorical
from torch.nn.functional import logsigmoid

NEAR = 0.01
"""How far from a level, in steps between two, a value may lie through rounding and still be it."""


def _nearest(value: Tensor, n_levels: int) -> Tensor:
    """The number k of the nearest level; NaN stays NaN."""
    return (value * (n_levels - 1)).round().clamp(0, n_levels - 1)


def _is_level(value: Tensor, n_levels: int) -> Tensor:
    steps = value * (n_levels - 1)
    return (steps - _nearest(value, n_levels)).abs() <= NEAR


class LevelsCategorical(TorchCategorical):
    """A probability for each level, by `logits` (..., K): torch's own, on 0, 1/(K - 1), ..., 1."""

    support = td.constraints.unit_interval
    has_enumerate_support = False

    @property
    def n_levels(self) -> int:
        return self.logits.shape[-1]

    @property
    def _levels(self) -> Tensor:
        k = torch.arange(self.n_levels, dtype=self.logits.dtype, device=self.logits.device)
        return k / (self.n_levels - 1)

    @property
    def mean(self) -> Tensor:
        return (self.probs * self._levels).sum(-1)

    @property
    def variance(self) -> Tensor:
        return (self.probs * (self._levels - self.mean[..., None]).square()).sum(-1)

    @property
    def mode(self) -> Tensor:
        return self._levels[self.logits.argmax(-1)]

    def is_level(self, value: Tensor) -> Tensor:
        return _is_level(value, self.n_levels)

    def sample(self, sample_shape: torch.Size = torch.Size()) -> Tensor:  # noqa: B008
        return self._levels[super().sample(sample_shape)]

    def log_prob(self, value: Tensor) -> Tensor:
        """Of the level nearest to each value."""
        k = _nearest(value, self.n_levels).nan_to_num().long()
        k, log_p = torch.broadcast_tensors(k[..., None], self.logits)
        return log_p.gather(-1, k[..., :1])[..., 0].masked_fill(value.isnan(), torch.nan)


class LevelsLogistic(td.Distribution):
    """A logistic distribution rounded to K levels; what lies beyond an end belongs to that end.

    P(x) = F(x + h) - F(x - h) with F(x) = sigmoid((x - loc) / scale) and h = 1/(2 (K - 1)), half a
    step; F(0 - h) counts as 0 and F(1 + h) as 1. So the K probabilities sum to one.
    """

    arg_constraints: ClassVar = {"loc": td.constraints.real, "log_scale": td.constraints.real}
    support = td.constraints.unit_interval

    def __init__(
        self,
        loc: Tensor,
        log_scale: Tensor,
        n_levels: int,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.log_scale = torch.broadcast_tensors(loc, log_scale)
        self.n_levels = n_levels
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: torch.Size, _instance: object = None) -> "LevelsLogistic":
        new = self._get_checked_instance(LevelsLogistic, _instance)
        loc, log_scale = self.loc.expand(batch_shape), self.log_scale.expand(batch_shape)
        LevelsLogistic.__init__(new, loc, log_scale, self.n_levels, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _in_steps(self) -> tuple[Tensor, Tensor]:
        """The centre counted in steps between levels, and how many scales a step is long."""
        last = self.n_levels - 1
        return self.loc * last, torch.exp(-self.log_scale) / last

    # Level by level, both: all at once would take K times the memory of the image.

    @property
    def mean(self) -> Tensor:
        """The sum of the probabilities of k and more, over k from 1 on, in steps."""
        centre, per_step = self._in_steps()
        total = torch.zeros_like(self.loc)
        for k in range(1, self.n_levels):
            total = total + torch.sigmoid((centre - (k - 0.5)) * per_step)
        return total / (self.n_levels - 1)

    @property
    def variance(self) -> Tensor:
        mean, total = self.mean, torch.zeros_like(self.loc)
        for k in range(self.n_levels):
            x = torch.full_like(self.loc, k / (self.n_levels - 1))
            total = total + (x - mean).square() * self.log_prob(x).exp()
        return total

    def is_level(self, value: Tensor) -> Tensor:
        return _is_level(value, self.n_levels)

    def sample(self, sample_shape: torch.Size = torch.Size()) -> Tensor:  # noqa: B008
        shape = self._extended_shape(sample_shape)
        with torch.no_grad():
            u = torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device)
            x = self.loc + self.log_scale.exp() * torch.logit(u)
            return _nearest(x, self.n_levels) / (self.n_levels - 1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Of the level nearest to each value.

        With a and b for the ends of its cell, in scales from the centre, sigmoid(b) - sigmoid(a) is
        sigmoid(b) sigmoid(-a) (1 - exp(a - b)): a product, so its logarithm has all its digits and
        a finite gradient however far the cell lies from the centre. A difference would be 0 there.
        """
        # Counted in steps, neighbouring cells share their ends to the last digit.
        k = _nearest(value, self.n_levels)
        centre, per_step = self._in_steps()
        a, b = (k - 0.5 - centre) * per_step, (k + 0.5 - centre) * per_step
        lowest, highest = k == 0, k == self.n_levels - 1
        return (
            logsigmoid(b).masked_fill(highest, 0)
            + logsigmoid(-a).masked_fill(lowest, 0)
            + torch.log(-torch.expm1(-per_step)).masked_fill(lowest | highest, 0)
        )
