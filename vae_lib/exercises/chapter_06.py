"""Exercises of chapter 6, the evidence lower bound."""

import math

import numpy as np
import torch
from scipy.special import logsumexp
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _kl_term(mu: Tensor, log_var: Tensor) -> Tensor:
    q_z = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    return kl_divergence(q_z, Independent(Normal(torch.zeros_like(mu), 1.0), 1))


def _kl_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 2), (4, 5)]
    return [tuple(torch.randn(2, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _kl_with_sigma_for_variance(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu.square() + (0.5 * log_var).exp() - 1 - log_var).sum(-1)


def _kl_with_log_sigma(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu.square() + log_var.exp() - 1 - 0.5 * log_var).sum(-1)


def _gap_estimate(log_w: Tensor) -> Tensor:
    """The logarithm of the mean weight relative to the geometric mean of the weights."""
    relative = (log_w - log_w.mean(0)).numpy()
    return torch.from_numpy(logsumexp(relative, axis=0, b=1 / len(log_w)))


def _log_weight_cases(generator: torch.Generator) -> list[tuple]:
    shapes_and_levels = [((40, 3), -1200.0), ((9, 5), -60.0)]
    return [
        (level + 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64),)
        for shape, level in shapes_and_levels
    ]


def _log_mean_weight(log_w: Tensor) -> Tensor:
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))


def _best_diagonal_variances(S: Tensor) -> Tensor:
    """Var(z_i | the other coordinates), by conditioning: S_ii - S_io S_oo⁻¹ S_oi."""
    variances = []
    for i in range(len(S)):
        others = [j for j in range(len(S)) if j != i]
        explained = S[i, others] @ torch.linalg.solve(S[others][:, others], S[others, i])
        variances.append(S[i, i] - explained)
    return torch.stack(variances)


def _covariance_cases(generator: torch.Generator) -> list[tuple]:
    roots = [torch.randn(n, n, generator=generator, dtype=torch.float64) for n in (2, 4)]
    return [(0.7 * root @ root.T + 0.3 * torch.eye(len(root)),) for root in roots]


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


def _no_constant(x: Tensor, W: Tensor, s: float, mu: Tensor, sigma: Tensor) -> Tensor:
    constant = 0.5 * len(x) * math.log(2 * math.pi * s**2)
    return _expected_log_px(x, W, s, mu, sigma) + constant


EXERCISES = (
    Exercise(
        "6.1",
        oracle=_kl_term,
        cases=_kl_cases,
        mistakes=(
            Mistake(
                "sign",
                lambda mu, log_var: -_kl_term(mu, log_var),
                "Your value is negative, and a divergence never is. In the ELBO it is subtracted; "
                "the term itself is positive.",
            ),
            Mistake(
                "standard deviation for variance",
                _kl_with_sigma_for_variance,
                "The second term of equation 6.4 is the variance. What has to be done to `log_var` "
                "to get that, and what would give the standard deviation?",
            ),
            Mistake(
                "log sigma for log variance",
                _kl_with_log_sigma,
                "Your logarithm is that of the standard deviation: `log_var` is already the one "
                "that equation 6.4 asks for.",
            ),
            Mistake(
                "mean over dimensions",
                lambda mu, log_var: _kl_term(mu, log_var) / mu.shape[-1],
                "You average over the latent dimensions. The divergence of independent dimensions "
                "adds up.",
            ),
            Mistake(
                "mean over the batch",
                lambda mu, log_var: _kl_term(mu, log_var).mean(),
                "One value for each example, please: the mean over examples stands in `fit`.",
            ),
            Mistake(
                "no half",
                lambda mu, log_var: 2 * _kl_term(mu, log_var),
                "Twice too much: which factor stands before the sum in equation 6.4?",
            ),
        ),
    ),
    Exercise(
        "6.2",
        oracle=_gap_estimate,
        cases=_log_weight_cases,
        mistakes=(
            Mistake(
                "sign",
                lambda log_w: -_gap_estimate(log_w),
                "Your gap is negative. Which of the two estimates is the larger one?",
            ),
            Mistake(
                "sum of the weights",
                lambda log_w: torch.logsumexp(log_w, dim=0) - log_w.mean(0),
                "Your value is too large by the logarithm of the number of draws: inside the "
                "logarithm stands a mean, not a sum.",
            ),
            Mistake(
                "the evidence alone",
                _log_mean_weight,
                "That is the estimate of log p(x). The gap is what is left when the estimate of "
                "the ELBO has been subtracted.",
            ),
            Mistake(
                "the ELBO alone",
                lambda log_w: log_w.mean(0),
                "That is the estimate of the ELBO. The gap is its distance from log p(x).",
            ),
        ),
    ),
    Exercise(
        "6.3",
        oracle="c",
        mistakes=(
            Mistake(
                "line a",
                "a",
                "Line a is right: draws from q(z|x), written so that gradients pass through them.",
            ),
            Mistake(
                "line b",
                "b",
                "Line b is right: log p(x|z) for every draw and image, shape (K, B).",
            ),
            Mistake(
                "line d",
                "d",
                "Line d is right: the divergence from q to the prior, in this order.",
            ),
        ),
    ),
    Exercise(
        "6.4",
        oracle=_best_diagonal_variances,
        cases=_covariance_cases,
        mistakes=(
            Mistake(
                "marginal variances",
                lambda S: S.diagonal(),
                "Those are the posterior's marginal variances, and a q with them is too wide: it "
                "puts mass where a correlated posterior has none. Equation 6.5 has another matrix.",
            ),
            Mistake(
                "precisions",
                lambda S: torch.linalg.inv(S).diagonal(),
                "Those are the right precisions. What is the variance of a Gaussian with that "
                "precision?",
            ),
            Mistake(
                "inverse of the marginal variances",
                lambda S: 1 / S.diagonal(),
                "The diagonal of an inverse matrix is not one over the diagonal: which comes "
                "first?",
            ),
            Mistake(
                "standard deviations",
                lambda S: _best_diagonal_variances(S).sqrt(),
                "Those are the right standard deviations; the variances were asked for.",
            ),
        ),
    ),
    Exercise(
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
    ),
)

QUESTIONS = (
    Question(
        "For an image, log p(x) is −90 nats and the ELBO is −93, in which KL(q(z|x) ‖ p(z)) "
        "is 12. What is KL(q(z|x) ‖ p(z|x)), the divergence to the true posterior?",
        options=(
            Option(
                "3 nats",
                "log p(x) = ELBO + KL to the posterior, whatever q is. The 12 nats to the "
                "prior are inside the ELBO, next to a reconstruction term of −81.",
                right=True,
            ),
            Option(
                "9 nats",
                "The two divergences have no part in common that could be subtracted: the one "
                "goes to the prior, the other to the posterior, and the latter is the whole "
                "gap.",
            ),
            Option(
                "12 nats",
                "That is the divergence to the prior, which is no error of the bound. If it "
                "were 0, the code would tell the decoder nothing.",
            ),
            Option(
                "It cannot be told without the reconstruction term",
                "That term follows from the numbers given, −93 + 12 = −81, and it is not "
                "needed: the gap is what the bound falls short of log p(x).",
            ),
        ),
    ),
    Question(
        "The decoder is frozen and the encoder is trained on, until the ELBO of the images "
        "has risen by 2 nats. What has happened to their log p(x)?",
        options=(
            Option(
                "It has risen by 2 nats",
                "log p(x) is made of the decoder and the prior, and neither has moved. The "
                "encoder does not occur in it.",
            ),
            Option(
                "It has risen too, but nobody knows by how much",
                "A lower bound that rises need not push up what it bounds. Here there is a "
                "ceiling, and the bound has come closer to it.",
            ),
            Option(
                "Nothing: q has come closer to the posterior by 2 nats",
                "In log p(x) = ELBO + KL(q ‖ posterior) the left side has no encoder in it, "
                "so what one part gains the other loses.",
                right=True,
            ),
        ),
    ),
    Question(
        "A data set consists of two images. Their q(z|x) are narrow and far apart, each 20 "
        "nats from the prior. How many nats does a code tell about which image it came from?",
        options=(
            Option(
                "20 nats",
                "So much the encoder pays. What it can tell about N images is log N at most, "
                "however much it pays.",
            ),
            Option(
                "19.3 nats",
                "This part of the 20 is the distance of all the codes together, q(z), from "
                "the prior. It is loss, and tells nothing about the image.",
            ),
            Option(
                "None, since the codes do not follow the prior",
                "Whether they do is the other part of the KL. Information asks only if the "
                "codes of different images can be told apart, and these can.",
            ),
            Option(
                "0.7 nats",
                "log 2: the code settles a question with two equally probable answers. The "
                "remaining 19.3 nats are the distance of q(z) from the prior.",
                right=True,
            ),
        ),
    ),
)
