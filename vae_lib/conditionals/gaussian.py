"""Gaussian conditionals, the book's encoder among them, and the standard normal prior."""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.checks import HALVES, count
from vae_lib.conditionals.over_dimensions import OverDimensions
from vae_lib.conditionals.over_rows import over_rows
from vae_lib.conditionals.ranges import checked_range

LOG_VAR_RANGE = (-20.0, 20.0)
"""The range to which log-variances are clamped, so that σ stays between 4.5e-5 and 2.2e4."""


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
        self.net = net
        self.log_var_range = checked_range(log_var_range, "log_var_range")
        self.validate_args = True

    def forward(self, x: Tensor) -> td.Independent:
        outputs = over_rows(self.net, x)
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
        normal = td.Normal(over_rows(self.net, z), self.sigma, validate_args=False)
        return OverDimensions(normal, looks=self.validate_args)


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
