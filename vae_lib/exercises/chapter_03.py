"""Exercises of chapter 3, the probabilistic decoder."""

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _log_marginal(log_px: Tensor) -> Tensor:
    return torch.from_numpy(logsumexp(log_px.numpy(), axis=0, b=1 / len(log_px)))


def _log_marginal_cases(generator: torch.Generator) -> list[tuple]:
    # Far below -745, where the exponential of a double becomes 0.
    shapes_and_levels = [((50, 3), -1500.0), ((7, 4), -1900.0)]
    return [
        (level + 10 * torch.randn(shape, generator=generator, dtype=torch.float64),)
        for shape, level in shapes_and_levels
    ]


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


def _importance_estimate(log_px: Tensor, p_z: Distribution, q_z: Distribution, z: Tensor) -> Tensor:
    log_pz = norm.logpdf(z.numpy()).sum(-1)
    log_qz = norm.logpdf(z.numpy(), q_z.mean.numpy(), q_z.stddev.numpy()).sum(-1)
    weight_of_draw = np.full((len(z), 1), 1 / len(z))
    return torch.from_numpy(logsumexp(log_px.numpy() + log_pz - log_qz, axis=0, b=weight_of_draw))


def _importance_cases(generator: torch.Generator) -> list[tuple]:
    def case(n_draws: int, batch_size: int, latent_dim: int) -> tuple:
        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        mu, sigma = normal(batch_size, latent_dim), (0.4 * normal(batch_size, latent_dim)).exp()
        z = mu + sigma * normal(n_draws, batch_size, latent_dim)
        zero = torch.zeros(latent_dim, dtype=torch.float64)
        p_z = Independent(Normal(zero, zero + 1), 1)
        return 4 * normal(n_draws, batch_size) - 900, p_z, Independent(Normal(mu, sigma), 1), z

    return [case(20, 3, 2), case(6, 4, 5)]


def _importance_mistake(log_weight: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The right average of wrong weights, from log p(x|z), log p(z) and log q(z)."""

    def wrong(log_px: Tensor, p_z: Distribution, q_z: Distribution, z: Tensor) -> Tensor:
        log_w = log_weight(log_px, p_z.log_prob(z), q_z.log_prob(z))
        return torch.logsumexp(log_w, dim=0) - math.log(len(z))

    return wrong


def _log_weights(log_px: Tensor, p_z: Distribution, q_z: Distribution, z: Tensor) -> Tensor:
    return log_px + p_z.log_prob(z) - q_z.log_prob(z)


def _effective_sample_size(log_w: Tensor) -> Tensor:
    return 1 / torch.softmax(log_w, dim=0).square().sum(0)


def _log_weight_cases(generator: torch.Generator) -> list[tuple]:
    shapes_and_levels = [((40, 3), -1200.0), ((9, 5), 1000.0)]
    return [
        (level + 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64),)
        for shape, level in shapes_and_levels
    ]


EXERCISES = (
    Exercise(
        "3.1",
        oracle=_log_marginal,
        cases=_log_marginal_cases,
        mistakes=(
            Mistake(
                "mean of the logarithms",
                lambda log_px: log_px.mean(0),
                "You average logarithms, which by Jensen's inequality gives something smaller than "
                "the logarithm of the average: which of the two is equation 3.4?",
            ),
            Mistake(
                "sum in place of the mean",
                lambda log_px: torch.logsumexp(log_px, dim=0),
                "Your value grows with the number of draws: an average divides by K. What does "
                "that become on the scale of logarithms?",
            ),
            Mistake(
                "division outside the logarithm",
                lambda log_px: torch.logsumexp(log_px, dim=0) / len(log_px),
                "You divide the logarithm of the sum by K, but it is the sum that is divided, "
                "inside the logarithm.",
            ),
            Mistake(
                "underflow",
                lambda log_px: log_px.exp().mean(0).log(),
                "Right on paper, but exp(-1000) is 0 in floating point and its logarithm -inf. "
                "Which function of torch does all three steps without leaving the logarithms?",
            ),
        ),
    ),
    Exercise(
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
                "Within one image all your pixels get the same noise: given z, they are "
                "independent.",
            ),
        ),
    ),
    Exercise(
        "3.3",
        oracle="c",
        mistakes=(
            Mistake(
                "line a",
                "a",
                "Line a is the naive Monte Carlo estimate, as in exercise 3.1. Look for what "
                "should shrink as K grows and does not.",
            ),
            Mistake(
                "line b",
                "b",
                "Line b divides each density by the mean of all of them, so these weights have "
                "mean 1. What is done with them next?",
            ),
            Mistake(
                "line d",
                "d",
                "Line d is the relative difference p / p_estimate - 1, on the scale on which the "
                "estimate is an average. With what is it compared?",
            ),
        ),
    ),
    Exercise(
        "3.4",
        oracle=_importance_estimate,
        cases=_importance_cases,
        mistakes=(
            Mistake(
                "no proposal density",
                _importance_mistake(lambda log_px, log_pz, log_qz: log_px + log_pz),
                "The draws favour where q is large, and nothing in your weight pays that back.",
            ),
            Mistake(
                "no prior",
                _importance_mistake(lambda log_px, log_pz, log_qz: log_px - log_qz),
                "This estimates the integral of p(x|z) over all z: which factor of equation 3.1 is "
                "missing?",
            ),
            Mistake(
                "sign of the log-ratio",
                _importance_mistake(lambda log_px, log_pz, log_qz: log_px - log_pz + log_qz),
                "Your ratio of p(z) and q(z) is upside down: a draw that q makes too often must "
                "weigh less.",
            ),
            Mistake(
                "product in place of the ratio",
                _importance_mistake(lambda log_px, log_pz, log_qz: log_px + log_pz + log_qz),
                "You multiply by q(z): a draw that q makes too often must weigh less, not more.",
            ),
            Mistake(
                "likelihood alone",
                _importance_mistake(lambda log_px, log_pz, log_qz: log_px),
                "You average p(x|z) as if z had been drawn from the prior, but it comes from q.",
            ),
            Mistake(
                "mean of the log-weights",
                lambda log_px, p_z, q_z, z: _log_weights(log_px, p_z, q_z, z).mean(0),
                "The weights are right, but you average their logarithms: that is a lower bound on "
                "log p(x), not an estimate of it.",
            ),
            Mistake(
                "underflow",
                lambda log_px, p_z, q_z, z: _log_weights(log_px, p_z, q_z, z).exp().mean(0).log(),
                "The weights are right on paper, but their exponentials are 0 in floating point: "
                "average them by `logsumexp`, as in exercise 3.1.",
            ),
            Mistake(
                "sum in place of the mean",
                lambda log_px, p_z, q_z, z: _log_weights(log_px, p_z, q_z, z).logsumexp(0),
                "The weights are right, but you sum them: the estimate is their average over K.",
            ),
        ),
    ),
    Exercise(
        "3.5",
        oracle=_effective_sample_size,
        cases=_log_weight_cases,
        mistakes=(
            Mistake(
                "weights exponentiated",
                lambda log_w: log_w.exp().sum(0).square() / log_w.exp().square().sum(0),
                "Right on paper, but the weights leave the range of floating point, and 0 / 0 or "
                "inf / inf is nan. Form both sums by `logsumexp` and exponentiate last.",
            ),
            Mistake(
                "logarithms as weights",
                lambda log_w: log_w.sum(0).square() / log_w.square().sum(0),
                "You apply the formula to the logarithms of the weights instead of the weights.",
            ),
            Mistake(
                "square of the logarithm",
                lambda log_w: torch.exp(2 * log_w.logsumexp(0) - log_w.square().logsumexp(0)),
                "The logarithm of w squared is not the square of log w.",
            ),
            Mistake(
                "logarithm of the result",
                lambda log_w: 2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0),
                "This is the logarithm of the effective sample size.",
            ),
            Mistake(
                "share of the draws",
                lambda log_w: _effective_sample_size(log_w) / len(log_w),
                "This is the share of the draws that count; the effective sample size is their "
                "number, between 1 and K.",
            ),
            Mistake(
                "inverse",
                lambda log_w: 1 / _effective_sample_size(log_w),
                "Your ratio is upside down: equal weights must give K, not 1 / K.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "A decoder for images of 784 pixels is p(x|z) = N(g(z), 0.1² I). How far from g(z), "
        "in Euclidean distance, does a draw of x typically lie?",
        options=(
            Option(
                "Close to 0, where the density is highest",
                "The density is high there, but there is next to no volume. In 784 dimensions "
                "practically all draws lie on a thin shell round the mean, far from it.",
            ),
            Option(
                "About 0.1",
                "That is how far off one pixel is. The squares of 784 such errors add up.",
            ),
            Option(
                "About 2.8",
                "σ√D = 0.1 · 28. The squared distance has a relative spread of √(2/784), some "
                "5 per cent, so that no draw is anywhere near the mean, or looks like it.",
                right=True,
            ),
            Option(
                "About 7.8",
                "7.84 is Dσ², the squared distance. Its root is asked for.",
            ),
        ),
    ),
    Question(
        "log p(x) is estimated by the logarithm of the mean of K values p(x|z), with z drawn "
        "from the prior. This is repeated very often, for K = 10 and for K = 1,000. Where do "
        "the averages of the estimates lie?",
        options=(
            Option(
                "Both at log p(x); with K = 10 the estimates only scatter more",
                "Unbiased is the mean inside the logarithm. The logarithm is concave: it "
                "loses more by a mean that is too small than it gains by one that is as much "
                "too large.",
            ),
            Option(
                "Both below log p(x), that of K = 10 further",
                "By Jensen's inequality E[log p̂] ≤ log E[p̂] = log p(x), and the less p̂ "
                "scatters the less is lost.",
                right=True,
            ),
            Option(
                "Both below log p(x), and equally far",
                "The bias is due to the scatter of the mean inside the logarithm, so it "
                "shrinks as the scatter does: for large K like 1/K.",
            ),
            Option(
                "Both above log p(x), since lucky draws count most",
                "They do dominate the mean, but most sets of draws contain none and end far "
                "below. The logarithm takes that more seriously than a lucky set.",
            ),
        ),
    ),
    Question(
        "The posterior of z is N(0, 1). Importance sampling estimates p(x) with draws either "
        "from q = N(0, 0.5²) or from q = N(0, 2²). Which is the better proposal, and why?",
        options=(
            Option(
                "The narrow one: all its draws fall where the posterior is high",
                "What it hardly ever visits it cannot count. Outwards the posterior exceeds q "
                "by more and more, and those rare draws carry weights without limit.",
            ),
            Option(
                "The wide one: the narrow one's estimate is biased",
                "A Gaussian is positive everywhere, so both estimates are unbiased. What the "
                "narrow one lacks is a finite variance.",
            ),
            Option(
                "Neither: both are wrong by a factor of two",
                "The two errors are not alike. Too wide costs a factor in the number of "
                "draws; too narrow, and the integral for the variance diverges.",
            ),
            Option(
                "The wide one: the narrow one's weights have an infinite variance",
                "The wide one wastes a third of its draws, since ρ = 4/√7 ≈ 1.5. The narrow "
                "one, below 1/√2 of the posterior's width, looks stable until a rare draw "
                "upsets everything.",
                right=True,
            ),
        ),
    ),
)
