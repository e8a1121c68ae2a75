"""Exercises of chapter 9, the loss-audit workshop."""

import math

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _score(batches: list[Tensor]) -> float:
    return math.fsum(value for batch in batches for value in batch.tolist()) / sum(
        len(batch) for batch in batches
    )


def _as_tensor(score: Tensor | float) -> Tensor:
    return torch.as_tensor(score, dtype=torch.float64)


def _score_cases(generator: torch.Generator) -> list[tuple]:
    """Batches whose values differ in level, so that the ways to average differ clearly."""
    cases = []
    for lengths in ((5, 5, 2), (4, 7, 3, 1)):
        levels = 10 * torch.randn(len(lengths), generator=generator, dtype=torch.float64)
        noise = torch.randn(len(lengths), 7, generator=generator, dtype=torch.float64)
        rows = zip(lengths, levels, noise, strict=True)
        cases.append(([level - 90 + some[:n] for n, level, some in rows],))
    return cases


def _n_examples(batches: list[Tensor]) -> int:
    return sum(len(batch) for batch in batches)


def _implied_beta(batch_size: int, n_pixels: int, latent_dim: int, weight: float) -> float:
    """From the gradients of the loss itself: in the logits they fix a, in mu they fix b."""
    generator = torch.Generator().manual_seed(0)
    shape = {"generator": generator, "dtype": torch.float64}
    x = torch.rand(batch_size, n_pixels, **shape).round()
    logits = torch.randn(batch_size, n_pixels, **shape).requires_grad_()
    mu = torch.randn(batch_size, latent_dim, **shape).requires_grad_()
    kl = -0.5 * torch.sum(1 - mu**2 - 1, dim=0)
    loss = F.binary_cross_entropy_with_logits(logits, x) + weight * kl.mean()
    in_logits, in_mu = torch.autograd.grad(loss, (logits, mu))
    a = (in_logits / (torch.sigmoid(logits) - x)).mean()
    return ((in_mu / mu).mean() / a).item()


def _sizes(generator: torch.Generator) -> list[tuple]:
    return [(6, 35, 4, 1.0), (10, 12, 3, 5.0), (7, 50, 9, 0.02)]


def _moments(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    whitened = torch.linalg.solve(torch.diag((0.5 * log_var).exp()), (z - mu).T)
    return torch.stack([torch.outer(u, u) for u in whitened.T]).mean(0)


def _moment_cases(generator: torch.Generator) -> list[tuple]:
    """Draws with a wrong mean, a wrong scale and correlation: every term of the matrix counts."""
    cases = []
    for n_draws, latent_dim in ((9, 2), (12, 4)):
        mu, log_var = torch.randn(2, latent_dim, generator=generator, dtype=torch.float64)
        eps = torch.randn(n_draws, latent_dim, generator=generator, dtype=torch.float64)
        eps = eps + 0.7 * eps[:, :1] + 0.5
        cases.append((mu + 1.3 * (0.5 * log_var).exp() * eps, mu, log_var))
    return cases


def _outer_mean(u: Tensor) -> Tensor:
    return u.T @ u / len(u)


def _log_prior(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    components = Independent(Normal(means, (0.5 * log_vars).exp()), 1)
    return MixtureSameFamily(Categorical(probs=weights), components).log_prob(z)


def _mixture_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, n_components, latent_dim in ((5, 3, 2), (4, 2, 6)):
        shape = (n_components, latent_dim)
        z = 1.5 * torch.randn(n, latent_dim, generator=generator, dtype=torch.float64)
        means = 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        log_vars = torch.randn(*shape, generator=generator, dtype=torch.float64)
        weights = torch.rand(n_components, generator=generator, dtype=torch.float64) + 0.2
        cases.append((z, means, log_vars, weights / weights.sum()))
    return cases


def _by_component(z: Tensor, means: Tensor, log_vars: Tensor) -> Tensor:
    """log-densities of every component and dimension, (C, B, L)."""
    return Normal(means[:, None], (0.5 * log_vars).exp()[:, None]).log_prob(z)


def _dimension_by_dimension(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    log_p = _by_component(z, means, log_vars) + weights.log()[:, None, None]
    return log_p.logsumexp(0).sum(-1)


def _weight_for_each_dimension(
    z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor
) -> Tensor:
    log_p = _by_component(z, means, log_vars) + weights.log()[:, None, None]
    return log_p.sum(-1).logsumexp(0)


def _log_of_each(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    log_p = _by_component(z, means, log_vars).sum(-1)
    return (weights[:, None] * log_p).sum(0)


def _without_weights(z: Tensor, means: Tensor, log_vars: Tensor, weights: Tensor) -> Tensor:
    return _by_component(z, means, log_vars).sum(-1).logsumexp(0)


EXERCISES = (
    Exercise(
        "9.1",
        oracle="b",
        mistakes=(
            Mistake(
                "line a",
                "a",
                "Line a is right: the last axis is cut in two, and the first half is the mean.",
            ),
            Mistake(
                "line c",
                "c",
                "The arithmetic of line c is right, with its half. What are the shapes of the "
                "three things that it combines?",
            ),
            Mistake(
                "line d",
                "d",
                "Line d is right: logits go in, and the pixels of one example are summed.",
            ),
            Mistake(
                "line e",
                "e",
                "Line e is right: compare it with `gaussian_kl`, term by term. It is never "
                "negative.",
            ),
        ),
    ),
    Exercise(
        "9.2",
        oracle=_score,
        cases=_score_cases,
        summarise=lambda score, batches: _as_tensor(score),
        mistakes=(
            Mistake(
                "mean of means",
                lambda batches: torch.stack([batch.mean() for batch in batches]).mean(),
                "Every batch counts the same here, so an example in a small batch counts for more "
                "than one in a large batch. Every example should count the same.",
            ),
            Mistake(
                "first batch",
                lambda batches: batches[0].mean(),
                "This is the score of the first batch. The test set is all of them.",
            ),
            Mistake(
                "last batch",
                lambda batches: batches[-1].mean(),
                "This is the score of the last batch. The test set is all of them.",
            ),
            Mistake(
                "sum over batches",
                lambda batches: sum(batch.sum() for batch in batches) / len(batches),
                "The sum over examples is divided by the number of batches: how many things have "
                "you added up?",
            ),
            Mistake(
                "means over examples",
                lambda batches: sum(batch.mean() for batch in batches) / _n_examples(batches),
                "Batch means are added and divided by the number of examples, so the score "
                "shrinks as batches grow. Either sum values and count examples, or neither.",
            ),
            Mistake(
                "no division",
                lambda batches: sum(batch.sum() for batch in batches),
                "This is the sum over the test set. A score is a mean over its examples.",
            ),
        ),
    ),
    Exercise(
        "9.3",
        oracle=_implied_beta,
        cases=_sizes,
        mistakes=(
            Mistake(
                "the batch cancels",
                lambda batch_size, n_pixels, latent_dim, weight: weight * n_pixels / latent_dim,
                "You have divided both terms by the batch size. `dim=0` is the axis of examples: "
                "what does the KL do over it?",
            ),
            Mistake(
                "KL summed over latents",
                lambda batch_size, n_pixels, latent_dim, weight: weight * batch_size * n_pixels,
                "What is left after the sum over `dim=0` has one entry for each latent, and "
                "`kl.mean()` averages over those.",
            ),
            Mistake(
                "usual reductions",
                lambda batch_size, n_pixels, latent_dim, weight: weight * n_pixels,
                "That would be right if the KL were summed over latents and averaged over the "
                "batch. Which axis does each reduction of the KL run over?",
            ),
            Mistake(
                "cross-entropy summed",
                lambda batch_size, n_pixels, latent_dim, weight: weight / latent_dim,
                "You have taken the cross-entropy for a sum. Without `reduction=`, the function "
                "takes the mean over every element.",
            ),
            Mistake(
                "cross-entropy summed over pixels",
                lambda batch_size, n_pixels, latent_dim, weight: weight * batch_size / latent_dim,
                "The cross-entropy's mean runs over the pixels as well as over the batch.",
            ),
            Mistake(
                "upside down",
                lambda batch_size, n_pixels, latent_dim, weight: (
                    latent_dim / (weight * batch_size * n_pixels)
                ),
                "This is the reciprocal: a larger `weight` must give a larger β.",
            ),
            Mistake(
                "weight forgotten",
                lambda batch_size, n_pixels, latent_dim, weight: batch_size * n_pixels / latent_dim,
                "The ratio of the reductions is right. Where is `weight`?",
            ),
        ),
    ),
    Exercise(
        "9.4",
        oracle=_moments,
        cases=_moment_cases,
        mistakes=(
            Mistake(
                "variance as scale",
                lambda z, mu, log_var: _outer_mean((z - mu) / log_var.exp()),
                "You divide by the variance. Standardised draws are divided by the standard "
                "deviation, the square root of it.",
            ),
            Mistake(
                "no exponential",
                lambda z, mu, log_var: _outer_mean((z - mu) / log_var),
                "You divide by the logarithm of the variance, which may even be negative.",
            ),
            Mistake(
                "covariance",
                lambda z, mu, log_var: torch.cov(((z - mu) / (0.5 * log_var).exp()).T),
                "`torch.cov` subtracts the sample's own mean and divides by K - 1. A sampler with "
                "a wrong mean would pass: take plain second moments.",
            ),
            Mistake(
                "covariance over K",
                lambda z, mu, log_var: torch.cov(
                    ((z - mu) / (0.5 * log_var).exp()).T, correction=0
                ),
                "The sample's own mean has been subtracted, so a sampler with a wrong mean would "
                "pass: take plain second moments.",
            ),
            Mistake(
                "correlation",
                lambda z, mu, log_var: torch.corrcoef(z.T),
                "A correlation is scaled by the sample itself and has ones on its diagonal "
                "whatever the sampler does. Use the `mu` and `log_var` that are claimed.",
            ),
            Mistake(
                "diagonal only",
                lambda z, mu, log_var: torch.diag(
                    ((z - mu) / (0.5 * log_var).exp()).square().mean(0)
                ),
                "The variances are right, but noise shared between dimensions shows off the "
                "diagonal only: all products of two dimensions are wanted.",
            ),
            Mistake(
                "not divided by K",
                lambda z, mu, log_var: len(z) * _outer_mean((z - mu) / (0.5 * log_var).exp()),
                "This is a sum over the draws; a moment is their mean.",
            ),
        ),
    ),
    Exercise(
        "9.5",
        oracle=_log_prior,
        cases=_mixture_cases,
        mistakes=(
            Mistake(
                "dimension by dimension",
                _dimension_by_dimension,
                "A component is still chosen afresh for every dimension: in which order are the "
                "sum over dimensions and the `logsumexp` over components taken?",
            ),
            Mistake(
                "a weight for each dimension",
                _weight_for_each_dimension,
                "The order is right, but the weight has been counted once for each dimension. One "
                "choice of a component has one probability.",
            ),
            Mistake(
                "mean of logarithms",
                _log_of_each,
                "You average log-densities. A mixture averages densities: `logsumexp` of the "
                "log-density plus the log-weight.",
            ),
            Mistake(
                "no weights",
                _without_weights,
                "Without the weights the density integrates to the number of components.",
            ),
            Mistake(
                "weight not in logarithms",
                lambda z, means, log_vars, weights: (
                    _by_component(z, means, log_vars).sum(-1) + weights[:, None]
                ).logsumexp(0),
                "Inside the `logsumexp` everything is a logarithm: a factor becomes the addition "
                "of its logarithm.",
            ),
            Mistake(
                "variance as scale",
                lambda z, means, log_vars, weights: _log_prior(z, means, 2 * log_vars, weights),
                "`Normal` takes the standard deviation, the exponential of half the log-variance.",
            ),
            Mistake(
                "mean over dimensions",
                lambda z, means, log_vars, weights: (
                    _by_component(z, means, log_vars).mean(-1) + weights.log()[:, None]
                ).logsumexp(0),
                "The logarithm of a product over dimensions is a sum of logarithms, not a mean.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "A loss is `F.binary_cross_entropy_with_logits(logits, x)`, with its default "
        "reduction, plus the KL, summed over 20 latents and averaged over the batch. The "
        "images have 784 pixels. Of which β-weighted ELBO is this the negative, up to a "
        "factor?",
        options=(
            Option(
                "β = 1/784",
                "The mean over pixels makes the reconstruction term smaller. It is the KL "
                "that gains weight by that.",
            ),
            Option(
                "β = 1, since both terms are means over the batch",
                "Over the batch they are. But the first is a mean over the pixels of an image "
                "as well, and the second is no mean over its latents.",
            ),
            Option(
                "β = 39.2",
                "784/20 would come out if the KL were averaged over its latents, as the "
                "cross-entropy is over its pixels.",
            ),
            Option(
                "β = 784",
                "The default mean divides an image's cross-entropy by 784, which is as good "
                "as multiplying its KL by that. At such a price hardly any code is worth "
                "sending.",
                right=True,
            ),
        ),
    ),
    Question(
        "On a linear-Gaussian model with known evidence, an objective by the name of ELBO "
        "comes out 0.9 nats above log p(x), averaged over 4,000 images with a standard error "
        "of 0.02. What is it?",
        options=(
            Option(
                "Noise: an estimate from one draw may exceed log p(x)",
                "For a single image it may, and often does. The mean over 4,000 of them is 45 "
                "standard errors away.",
            ),
            Option(
                "No lower bound: some part of it is computed wrongly",
                "In expectation no q gets past log p(x). Perhaps the decoder is shown less "
                "noise than the KL has been charged for.",
                right=True,
            ),
            Option(
                "A bound that is nearly tight, and all the better for it",
                "It would be tight from below. A wrong objective need not look worse, and "
                "this one flatters.",
            ),
            Option(
                "A sign that q is better than the true posterior",
                "With the true posterior the ELBO is log p(x) on average, and that is its "
                "maximum over q.",
            ),
        ),
    ),
    Question(
        "A sampler returns `mu + log_var.exp() * eps`, without halving `log_var`. It is "
        "tested: the standardised draws (z − μ)/σ must have mean 0 and variance 1. With which "
        "values does the bug pass the test?",
        options=(
            Option(
                "μ = −1.5 and log σ² = 0",
                "At log σ² = 0 both σ and σ² are 1, so that the missing half does nothing. "
                "Test with numbers that have no special place.",
                right=True,
            ),
            Option(
                "μ = 0 and log σ² = −2",
                "The variance comes out as e⁻² in place of 1. That μ is 0 would hide a wrong "
                "shift, not a wrong scale.",
            ),
            Option(
                "μ = 1.7 and log σ² = 1",
                "The variance comes out as e in place of 1, and fails.",
            ),
            Option(
                "With none: the test catches it everywhere",
                "There is one scale at which a variance and its root are the same number.",
            ),
        ),
    ),
)
