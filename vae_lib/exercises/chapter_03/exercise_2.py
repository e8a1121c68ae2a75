"""Exercise 3.2: ancestral sampling."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from vae_lib.exercises import Exercise, Mistake, laws

_N = laws.MIN_ROWS


def _ancestral_sample(decoder_mean: nn.Linear, sigma: float, latent_dim: int, n: int) -> Tensor:
    """From p(x) itself, which a linear decoder has in closed form."""
    return MultivariateNormal(decoder_mean.bias.detach(), _covariance(decoder_mean, sigma)).sample(
        (n,)
    )


def _covariance(decoder_mean: nn.Linear, sigma: float) -> Tensor:
    weight = decoder_mean.weight.detach()
    return weight @ weight.T + sigma**2 * torch.eye(len(weight))


def _decoder_cases(generator: torch.Generator) -> list[tuple]:
    """Decoders that mix codes and noise, and others that show one of the two alone."""
    weights_and_sigmas = [
        (torch.tensor([[1.2, 0.4], [-0.5, 0.9], [0.0, 0.0]]), 0.7),
        (torch.diag(torch.tensor([1.0, 1.3, 1.6, 1.9, 0.0]))[:, :4], 0.2),
        (torch.tensor([[1.0, 0.0], [0.0, 1.5]]), 1e-4),
        (torch.zeros(2, 3), 1.0),
    ]
    decoders = [(_decoder(weight), sigma, weight.shape[1]) for weight, sigma in weights_and_sigmas]
    return [
        *((*decoder, _N) for decoder in [*decoders, decoders[0]]),
        *((*decoder, n) for decoder, n in zip(decoders, (1, 7), strict=False)),
    ]


def _decoder(weight: Tensor) -> nn.Linear:
    decoder = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        decoder.weight.copy_(weight)
    decoder.calls = []  # what its draws were in earlier calls
    return decoder


def _law(x: Tensor, decoder_mean: nn.Linear, sigma: float, latent_dim: int, n: int) -> tuple:
    """What is wrong with the draws once they are turned into independent standard normals."""
    x = torch.as_tensor(x).detach().double()
    if n < _N:
        return x.isfinite(), "a draw or a few"
    variances, directions = torch.linalg.eigh(_covariance(decoder_mean, sigma).double())
    white = (x - decoder_mean.bias.detach()) @ directions / variances.sqrt()
    standard = laws.standardised(white)
    u = torch.special.ndtr(standard)
    is_centred = (white.mean(0).abs() < laws.LIMIT / math.sqrt(n)).all()
    # Where several codes are mixed with noise in a pixel, all shapes come near to a Gaussian.
    shows_shape = ((decoder_mean.weight != 0).sum(1) <= 1).all()
    is_gaussian = not shows_shape or (
        laws.are_uniform(u) and laws.are_independent_columns(u) and _have_gaussian_tails(standard)
    )
    is_fresh = laws.are_independent_calls(u, decoder_mean.calls)
    decoder_mean.calls.append(u)
    return (
        white.T.cov(),
        "centred" if is_centred else "off centre",
        "Gaussian" if is_gaussian else "not Gaussian",
        "independent draws" if laws.are_independent_rows(u) else "dependent draws",
        "other draws in every call" if is_fresh else "the same draws again in the next call",
    )


def _have_gaussian_tails(standard: Tensor) -> bool:
    """Whether as many entries lie far out as do of a standard normal: of clamped ones none do.

    By Chernoff's inequality a right answer falls short by 6.5 standard errors once in 10^9 tests.
    """
    for far, columns in ((2.2, standard), (2.7, standard.reshape(-1, 1))):
        share = math.erfc(far / math.sqrt(2))
        least = share - 6.5 * math.sqrt(share / len(columns))
        if ((columns.abs() > far).double().mean(0) < least).any():
            return False
    return True


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


def _uniform_codes(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
    x_mean = decoder_mean(torch.rand(n, latent_dim)).detach()
    return x_mean + sigma * torch.randn_like(x_mean)


def _uniform_noise(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
    x_mean = _decode(decoder_mean, latent_dim, n)
    return x_mean + sigma * torch.rand_like(x_mean)


def _uniform(*shape: int) -> Tensor:
    """Uniform numbers with the mean and the variance of a standard normal."""
    return math.sqrt(12) * (torch.rand(shape) - 0.5)


def _of_other_shape(*, codes: Callable[..., Tensor], noise: Callable[..., Tensor]) -> Callable:
    def wrong(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
        x_mean = decoder_mean(codes(n, latent_dim)).detach()
        return x_mean + sigma * noise(*x_mean.shape)

    return wrong


def _repeated_codes(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
    x_mean = _decode(decoder_mean, latent_dim, n // 2 + 1).repeat(2, 1)[:n]
    return x_mean + sigma * torch.randn_like(x_mean)


def _seed_inside(decoder_mean: nn.Module, sigma: float, latent_dim: int, n: int) -> Tensor:
    torch.manual_seed(0)
    x_mean = _decode(decoder_mean, latent_dim, n)
    return x_mean + sigma * torch.randn_like(x_mean)


EXERCISE = Exercise(
    "3.2",
    oracle=_ancestral_sample,
    cases=_decoder_cases,
    summarise=_law,
    seconds=10.0,  # what judges the law counts as well
    rtol=0.0,
    atol=0.25,  # 8 standard errors of the difference of two variances of 4,000 draws
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
        Mistake(
            "uniform codes",
            _uniform_codes,
            "Your codes have the mean and the spread of `torch.rand`: the prior is `torch.randn`.",
        ),
        Mistake(
            "uniform noise",
            _uniform_noise,
            "Your noise has the mean and the spread of `torch.rand`: p(x|z) is a Gaussian, whose "
            "noise is `torch.randn`.",
        ),
        Mistake(
            "codes of another shape",
            _of_other_shape(codes=_uniform, noise=torch.randn),
            "Means and covariances are right, but your codes are not Gaussian. From which "
            "distribution is z to be drawn?",
        ),
        Mistake(
            "noise of another shape",
            _of_other_shape(codes=torch.randn, noise=_uniform),
            "Means and covariances are right, but your noise is not Gaussian. Which distribution "
            "is p(x|z)?",
        ),
        Mistake(
            "codes and noise of another shape",
            _of_other_shape(codes=_uniform, noise=_uniform),
            "Means and covariances are right, but neither your codes nor your noise are Gaussian.",
        ),
        Mistake(
            "draws that depend on each other",
            _repeated_codes,
            "Each draw by itself is right, but they depend on each other, as if several shared a "
            "code or their noise.",
        ),
        Mistake(
            "the same in every call",
            _seed_inside,
            "A second call returns what the first did. Whoever calls the function sets the seed.",
        ),
    ),
)
