"""Exercise 3.2: ancestral sampling."""

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from vae_lib.exercises import Exercise, Mistake


def _ancestral_sample(decoder_mean: nn.Linear, sigma: float, latent_dim: int, n: int) -> Tensor:
    """From p(x) itself, which a linear decoder has in closed form."""
    weight, bias = decoder_mean.weight.detach(), decoder_mean.bias.detach()
    return MultivariateNormal(bias, _covariance(weight, sigma)).sample((n,))


def _covariance(weight: Tensor, sigma: float) -> Tensor:
    return weight @ weight.T + sigma**2 * torch.eye(len(weight))


def _decoder_cases(generator: torch.Generator) -> list[tuple]:
    return [(nn.Linear(2, 3), 0.7, 2, 20_000), (nn.Linear(4, 5), 0.6, 4, 20_000)]


def _sample_moments(
    x: Tensor, decoder_mean: nn.Linear, sigma: float, latent_dim: int, n: int
) -> tuple[Tensor, Tensor]:
    """The covariance, and whether the mean is right: how far off a wrong one is, is chance."""
    is_centred = ((x.mean(0) - decoder_mean.bias).abs() < 0.1).all()
    return x.T.cov(), is_centred.double()


def _decode(decoder_mean: nn.Module, latent_dim: int, n: int) -> Tensor:
    with torch.no_grad():
        return decoder_mean(torch.randn(n, latent_dim))


def _mean_as_sample(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
    return _decode(decoder_mean, latent_dim, n)


def _variance_as_scale(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
    x_mean = _decode(decoder_mean, latent_dim, n)
    return x_mean + sigma**2 * torch.randn_like(x_mean)


def _one_code(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
    x_mean = _decode(decoder_mean, latent_dim, 1).expand(n, -1)
    return x_mean + sigma * torch.randn_like(x_mean)


def _code_at_zero(decoder_mean: nn.Linear, sigma: float, latent_dim: int, n: int) -> Tensor:
    x_mean = decoder_mean.bias.detach().expand(n, -1)
    return x_mean + sigma * torch.randn_like(x_mean)


def _noise_shared_by_pixels(
    decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int
) -> Tensor:
    return _decode(decoder_mean, latent_dim, n) + sigma * torch.randn(n, 1)


EXERCISE = Exercise(
    "3.2",
    oracle=_ancestral_sample,
    cases=_decoder_cases,
    summarise=_sample_moments,
    atol=0.05,
    mistakes=(
        Mistake(
            "mean as sample",
            _mean_as_sample,
            "These are means of p(x|z) for different z, not draws: the spread of p(x|z) itself "
            "is missing.",
        ),
        Mistake(
            "variance as scale",
            _variance_as_scale,
            "Your noise has the wrong size: is it the standard deviation or the variance that "
            "multiplies a standard normal draw?",
        ),
        Mistake(
            "one code for all",
            _one_code,
            "All your draws come from one and the same z: each of them needs its own.",
        ),
        Mistake(
            "the prior's mean as code",
            _code_at_zero,
            "You decode z = 0, the mean of the prior, every time: z has to be drawn too.",
        ),
        Mistake(
            "noise shared by the pixels",
            _noise_shared_by_pixels,
            "Within one image all your pixels get the same noise: given z, they are independent.",
        ),
    ),
)
