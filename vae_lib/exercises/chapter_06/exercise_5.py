"""Exercise 6.5: the ELBO of a linear decoder."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

from vae_lib.exercises import Exercise, Mistake


def _expected_log_px(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    """By Gauss-Hermite quadrature, pixel by pixel: W z is a Gaussian scalar in each of them."""
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.hermite_e.hermegauss(8))
    mean, scale = W @ mu, (W.square() @ sigma.square()).sqrt()
    log_px = Normal(mean[:, None] + scale[:, None] * nodes, s).log_prob(x[:, None])
    return (log_px @ weights).sum() / weights.sum()


def _linear_cases(generator: torch.Generator) -> list[tuple]:
    def case(data_dim: int, latent_dim: int, s: float) -> tuple:
        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        sigma = (0.4 * normal(latent_dim)).exp()
        return normal(data_dim), normal(data_dim, latent_dim), s, normal(latent_dim), sigma

    return [case(5, 2, 0.6), case(4, 3, 1.7)]


def _linear_log_px(trace: Tensor, error: Tensor, s: float, n_pixels: int) -> Tensor:
    squared_error = error.square().sum() + trace
    return -squared_error / (2 * s**2) - 0.5 * n_pixels * math.log(2 * math.pi * s**2)


def _log_px_of_the_mean(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    return _linear_log_px(torch.zeros(()), x - W @ mu, s, len(x))


def _trace_from_sigma(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    return _linear_log_px((W.square() @ sigma).sum(), x - W @ mu, s, len(x))


def _trace_without_decoder(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    return _linear_log_px(sigma.square().sum(), x - W @ mu, s, len(x))


def _columns_added_first(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    return _linear_log_px((W @ sigma).square().sum(), x - W @ mu, s, len(x))


def _whole_bound(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    kl = 0.5 * (mu.square() + sigma.square() - 1).sum() - sigma.log().sum()
    return _expected_log_px(x, W, s, mu, sigma) - kl


def _no_constant(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    constant = 0.5 * len(x) * math.log(2 * math.pi * s**2)
    return _expected_log_px(x, W, s, mu, sigma) + constant


EXERCISE = Exercise(
    "6.5",
    oracle=_expected_log_px,
    cases=_linear_cases,
    mistakes=(
        Mistake(
            "the mean decoded",
            _log_px_of_the_mean,
            "Your value does not depend on `sigma`. The expected square of an error is the "
            "square of its mean plus something else.",
        ),
        Mistake(
            "standard deviation in the trace",
            _trace_from_sigma,
            "Nearly: the spread of z enters by its variance, and `sigma` is its square root.",
        ),
        Mistake(
            "spread not decoded",
            _trace_without_decoder,
            "The spread of z reaches x through `W`: a long column makes it larger.",
        ),
        Mistake(
            "columns added first",
            _columns_added_first,
            "You add the columns, each times its sigma, and square the sum. That would be right if "
            "all latent dimensions had the same noise; theirs is independent.",
        ),
        Mistake(
            "scale as variance",
            lambda x, W, s, mu, sigma: _expected_log_px(x, W, math.sqrt(s), mu, sigma),
            "You use `s` as a variance. It is the standard deviation of a pixel.",
        ),
        Mistake(
            "the whole ELBO",
            _whole_bound,
            "That is the whole ELBO. The reconstruction term alone is asked for, without the KL.",
        ),
        Mistake(
            "mean over pixels",
            lambda x, W, s, mu, sigma: _expected_log_px(x, W, s, mu, sigma) / len(x),
            "You average over the pixels. The log-density of an image is the sum over its pixels.",
        ),
        Mistake(
            "no constant",
            _no_constant,
            "Your value lacks the Gaussian's normalising constant, which depends on `s`.",
        ),
        Mistake(
            "sign",
            lambda x, W, s, mu, sigma: -_expected_log_px(x, W, s, mu, sigma),
            "The sign is that of a loss. A log-likelihood is larger for a better fit.",
        ),
    ),
)
