"""Conditionals for pixels that are black or white, and for shades between them."""

from torch import Tensor, nn
from torch import distributions as td

from vae_lib.conditionals.over_dimensions import OverDimensions
from vae_lib.conditionals.over_rows import over_rows

MAX_LOGIT = 12.0
"""Where the continuous Bernoulli's logits are clamped. torch computes the normalising constant
from λ; closer to 1, float32 rounds λ so coarsely that the density would no longer integrate to 1
(by 1 percent at a logit of 15, by half at 30)."""


class Bernoulli(nn.Module):
    """A product of Bernoullis for binary data: the network gives the logit of every pixel.

    `net` maps rows (N, L) to (N, D). log p(x|z) is minus the binary cross-entropy, summed over the
    D pixels and computed from the logits, so it stays finite however sure the network is.

    Taught in chapter 5.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.validate_args = True

    def forward(self, z: Tensor) -> td.Independent:
        bernoulli = td.Bernoulli(logits=over_rows(self.net, z), validate_args=False)
        return OverDimensions(bernoulli, looks=self.validate_args)


class ContinuousBernoulli(nn.Module):
    """A density on [0, 1] for grey pixels: p(x) = C(λ) λ^x (1 - λ)^(1 - x), integrating to 1.

    `net` maps rows (N, L) to (N, D) and gives the logits of λ, clamped to ±12. λ is a shape
    parameter: the mean of the distribution is another, larger or smaller, number.

    Source: Loaiza-Ganem and Cunningham (2019). Taught in chapter 5.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.validate_args = True

    def forward(self, z: Tensor) -> td.Independent:
        logits = over_rows(self.net, z).clamp(-MAX_LOGIT, MAX_LOGIT)
        base = td.ContinuousBernoulli(logits=logits, validate_args=False)
        return OverDimensions(base, looks=self.validate_args)
