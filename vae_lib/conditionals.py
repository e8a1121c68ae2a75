"""Conditional distributions: modules that map a tensor to a `torch.distributions` object.

Each takes a network and returns a distribution with event_shape (D,), so `log_prob` sums over the
D dimensions of one example. The distributions are torch's own; what is added here is that their
`log_prob` refuses data outside the support, or of a shape that would broadcast silently, with a
message that names the remedy. A conditional's `validate_args = False` turns looking at values off;
it is the library's own flag, whatever torch's process-wide one says.

A network is any map from rows (N, D_in) to rows (N, D_out). Conditionals take (..., D_in), hand it
rows, and give the leading axes back, so it never meets samples and examples as separate axes.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.checks import HALVES, called, count

LOG_VAR_RANGE = (-20.0, 20.0)
"""The range to which log-variances are clamped, so that σ stays between 4.5e-5 and 2.2e4."""

MAX_LOGIT = 12.0
"""Where the continuous Bernoulli's logits are clamped. torch computes the normalising constant
from λ; closer to 1, float32 rounds λ so coarsely that the density would no longer integrate to 1
(by 1 percent at a logit of 15, by half at 30)."""


SUPPORTS: dict[type, tuple[Callable[[Tensor], Tensor], str]] = {
    td.Normal: (
        torch.isfinite,
        "A Gaussian needs finite real values: look for NaN or infinity in the data and in the "
        "network's weights.",
    ),
    td.Bernoulli: (
        lambda value: (value == 0) | (value == 1),
        "A Bernoulli likelihood needs every value to be 0 or 1. Make the data binary with "
        "vae_lib.data.binarize, or use ContinuousBernoulli for values between 0 and 1.",
    ),
    td.ContinuousBernoulli: (
        lambda value: (value >= 0) & (value <= 1),
        "A continuous Bernoulli needs values between 0 and 1. Rescale the data, or use Gaussian "
        "for real values.",
    ),
}
"""For each of torch's distributions in use, where its density lives, and what else to do."""


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
        if not (allowed := inside(value)).all():
            first = value[~allowed].flatten()[0].item()
            raise ValueError(f"Got the value {first!r}. {remedy}")


def _over_rows(net: nn.Module, x: Tensor) -> Tensor:
    """The network's outputs for x (..., D_in), as (..., D_out), in float32 at least.

    The network sees rows (N, D_in): samples and examples are one axis to it, so that batch norm
    averages over both and a convolution finds its axes where it expects them.
    """
    rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    outputs = called(net, rows)
    if not isinstance(outputs, Tensor) or outputs.ndim != 2 or len(outputs) != len(rows):
        came = f"a {type(outputs).__name__}"
        came = tuple(outputs.shape) if isinstance(outputs, Tensor) else came
        raise ValueError(
            f"A network must give a row of numbers for each row of its input, ({len(rows)}, D) for "
            f"{tuple(rows.shape)}, but gave {came}. For images write vae_lib.networks.OverRows("
            "net, (C, H, W)), which turns rows into images for the network and back."
        )
    if outputs.dtype in HALVES:
        outputs = outputs.float()  # 8 bits of a log-density would say little
    return outputs if x.ndim == 2 else outputs.reshape(*x.shape[:-1], outputs.shape[-1])


class DiagonalGaussian(nn.Module):
    """N(μ(x), diag σ²(x)): the network gives the mean and the log-variance of every dimension.

    `net` maps rows (N, D_in) to (N, 2 D); the first D outputs are μ, the last D are log σ².
    Returns a distribution with batch_shape (...) and event_shape (D,). log σ² is clamped to
    `log_var_range`, outside of which it gets no gradient; the lower end is also the cure when a
    decoder's per-pixel σ would collapse.

    The book's encoder, and its decoder with a scale for every pixel. Source: Kingma and Welling
    (2014), appendix C.2. Taught in chapters 2 and 4.
    """

    def __init__(self, net: nn.Module, log_var_range: tuple[float, float] = LOG_VAR_RANGE) -> None:
        super().__init__()
        if not log_var_range[0] < log_var_range[1]:
            raise ValueError(
                f"log_var_range must be (low, high) with low < high, not {log_var_range}."
            )
        self.net = net
        self.log_var_range = log_var_range
        self.validate_args = True

    def forward(self, x: Tensor) -> td.Independent:
        outputs = _over_rows(self.net, x)
        if outputs.shape[-1] % 2:
            raise ValueError(
                f"The network of a DiagonalGaussian must have an even number of outputs, a mean "
                f"and a log-variance for each dimension, but has {outputs.shape[-1]}. "
                "Give its last layer 2 D units."
            )
        mu, log_var = outputs.chunk(2, dim=-1)
        sigma = torch.exp(0.5 * log_var.clamp(*self.log_var_range))
        normal = td.Normal(mu, sigma, validate_args=False)
        return OverDimensions(normal, looks=self.validate_args)


class Gaussian(nn.Module):
    """N(μ(z), σ² I): the network gives the mean, and one scale σ is shared by all dimensions.

    `net` maps rows (N, L) to (N, D). `sigma` is either a fixed positive number, in the units of the
    data, or "learned": one parameter, `log_var`, trained with the network from σ = 1. The scale in
    force is `.sigma`: what is learned is clamped to `LOG_VAR_RANGE`, what is fixed is used as it
    was given. With σ fixed, -log p = SSE / 2σ² + (D/2) log 2πσ². A scale for every dimension is a
    `DiagonalGaussian`.

    Source: Rybkin, Daniilidis and Levine (2021) for the learned scale. Taught in chapter 4.
    """

    def __init__(self, net: nn.Module, sigma: float | Literal["learned"] = 0.1) -> None:
        super().__init__()
        self.net = net
        self.validate_args = True
        if sigma == "learned":
            self.given_log_var, self.log_var = None, nn.Parameter(torch.zeros(()))
        elif isinstance(sigma, str) or not 0 < sigma < math.inf:
            raise ValueError(f'sigma must be a positive finite number or "learned", not {sigma!r}.')
        else:
            self.given_log_var = 2 * math.log(sigma)
            self.register_buffer("log_var", torch.tensor(self.given_log_var))

    @property
    def sigma(self) -> Tensor:
        """The shared scale σ, a scalar tensor."""
        learned = self.given_log_var is None
        log_var = self.log_var.clamp(*LOG_VAR_RANGE) if learned else self.log_var
        return torch.exp(0.5 * (log_var.float() if log_var.dtype in HALVES else log_var))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Gaussian":
        """What `.to`, `.double` and the like call: here with all the digits of a fixed σ.

        Converted like a weight, it would have 7 of them in float64, and 2 in bfloat16 for good.
        """
        held = self.log_var
        super()._apply(fn, recurse)
        if self.given_log_var is None or held.is_meta or self.log_var.dtype == held.dtype:
            return self
        # A state dict may have brought another σ than the one that was given.
        as_given = held.item() == torch.tensor(self.given_log_var, dtype=held.dtype).item()
        value = self.given_log_var if as_given else held.item()
        dtype = torch.promote_types(self.log_var.dtype, torch.float32)
        self.log_var = torch.full_like(self.log_var, value, dtype=dtype)
        return self

    def forward(self, z: Tensor) -> td.Independent:
        normal = td.Normal(_over_rows(self.net, z), self.sigma, validate_args=False)
        return OverDimensions(normal, looks=self.validate_args)


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
        bernoulli = td.Bernoulli(logits=_over_rows(self.net, z), validate_args=False)
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
        logits = _over_rows(self.net, z).clamp(-MAX_LOGIT, MAX_LOGIT)
        base = td.ContinuousBernoulli(logits=logits, validate_args=False)
        return OverDimensions(base, looks=self.validate_args)


class StandardNormal(nn.Module):
    """The prior p(z) = N(0, I) in `latent_dim` dimensions: a module called with no argument.

    It is a module so that `.to(device)` moves it with the rest of the model. Draws are made in
    float32 at least.
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        latent_dim = count(latent_dim, "latent_dim")
        self.validate_args = True
        self.register_buffer("mu", torch.zeros(latent_dim), persistent=False)
        self.register_buffer("sigma", torch.ones(latent_dim), persistent=False)

    def forward(self) -> td.Independent:
        mu, sigma = self.mu, self.sigma
        if mu.dtype in HALVES:
            mu, sigma = mu.float(), sigma.float()
        normal = td.Normal(mu, sigma, validate_args=False)
        return OverDimensions(normal, looks=self.validate_args)
