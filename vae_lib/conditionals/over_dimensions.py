"""What every conditional returns: one distribution for each dimension, which knows its support."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.conditionals.on_levels import LevelsCategorical, LevelsLogistic

LEVELS = (
    lambda p, value: p.is_level(value),
    "A likelihood of levels needs each value to be one of its n_levels levels, k / (n_levels - 1) "
    "for a whole number k: 0, 1/255, 2/255 to 1 for 256 of them. Write (255 * x).round() / 255 for "
    "pixels in [0, 1] and x / 255 for those from 0 to 255, or use Gaussian for real values.",
)

SUPPORTS: dict[type, tuple[Callable[[td.Distribution, Tensor], Tensor], str]] = {
    td.Normal: (
        lambda _, value: value.isfinite(),
        "A Gaussian needs finite real values: look for NaN or infinity in the data and in the "
        "network's weights.",
    ),
    td.Bernoulli: (
        lambda _, value: (value == 0) | (value == 1),
        "A Bernoulli likelihood needs every value to be 0 or 1. Make the data binary with "
        "vae_lib.data.binarize, or use ContinuousBernoulli for values between 0 and 1.",
    ),
    td.ContinuousBernoulli: (
        lambda _, value: (value >= 0) & (value <= 1),
        "A continuous Bernoulli needs values between 0 and 1. Rescale the data, or use Gaussian "
        "for real values.",
    ),
    LevelsCategorical: LEVELS,
    LevelsLogistic: LEVELS,
}
"""For each distribution in use, which values have a density under it, and what else to do."""


class OverDimensions(td.Independent):
    """One distribution for each of D dimensions, independent of each other: event_shape (D,).

    torch's own, whose `log_prob` refuses a last dimension that would broadcast and, while `looks`
    is True, values that the support lacks. torch's flag for that is off here: it is one for the
    whole process, and torch.compile switches it off.
    """

    def __init__(self, base: td.Distribution, *, looks: bool) -> None:
        super().__init__(base, 1, validate_args=False)
        self.looks = looks

    def expand(self, batch_shape: torch.Size, _instance: object = None) -> "OverDimensions":
        expanded = super().expand(batch_shape, self.__new__(type(self)))
        expanded.looks = self.looks
        return expanded

    def log_prob(self, value: Tensor) -> Tensor:
        if value.shape[-1:] != self.event_shape:
            raise ValueError(
                f"Expected values with a last dimension of {self.event_shape[0]}, one for each "
                f"dimension of the distribution, but got shape {tuple(value.shape)}, which would "
                "broadcast silently. Reshape the values or change the network's output size."
            )
        if self.looks:
            self._look_at(value)
        return super().log_prob(value)

    def _look_at(self, value: Tensor) -> None:
        inside, remedy = SUPPORTS[type(self.base_dist)]
        if not (allowed := inside(self.base_dist, value)).all():
            first = value[~allowed].flatten()[0].item()
            raise ValueError(f"Got the value {first!r}. {remedy}")
