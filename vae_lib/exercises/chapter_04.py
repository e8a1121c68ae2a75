"""Exercises of chapter 4, the Gaussian likelihood."""

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _gaussian_nll(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    return -Independent(Normal(mu, sigma), 1).log_prob(x)


def _terms(x: Tensor, mu: Tensor) -> tuple[Tensor, int]:
    return (x - mu).square().sum(-1), x.shape[-1]


def _sigma_for_variance(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma) + n_pixels / 2 * math.log(2 * math.pi * sigma**2)


def _log_sigma_for_log_variance(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma**2) + n_pixels / 2 * math.log(2 * math.pi * sigma)


def _no_half_before_logarithm(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma**2) + n_pixels * math.log(2 * math.pi * sigma**2)


def _no_half_before_error(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / sigma**2 + n_pixels / 2 * math.log(2 * math.pi * sigma**2)


def _constant_for_one_pixel(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, _ = _terms(x, mu)
    return sse / (2 * sigma**2) + 0.5 * math.log(2 * math.pi * sigma**2)


def _without_logarithm(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    return _terms(x, mu)[0] / (2 * sigma**2)


def _without_two_pi(x: Tensor, mu: Tensor, sigma: float) -> Tensor:
    sse, n_pixels = _terms(x, mu)
    return sse / (2 * sigma**2) + n_pixels / 2 * math.log(sigma**2)


def _batches_and_scales(generator: torch.Generator) -> list[tuple]:
    shapes, scales = [(3, 5), (4, 7)], [0.3, 1.7]
    pairs = [torch.randn(2, *s, generator=generator, dtype=torch.float64) for s in shapes]
    return [(*pair, sigma) for pair, sigma in zip(pairs, scales, strict=True)]


def _best_sigma(x: Tensor, x_mean: Tensor) -> Tensor:
    """By Newton's method on the likelihood as a function of log σ, which knows no formula."""
    log_sigma = torch.zeros((), dtype=x.dtype, requires_grad=True)
    for _ in range(50):
        nll = -Normal(x_mean, log_sigma.exp()).log_prob(x).mean()
        (slope,) = torch.autograd.grad(nll, log_sigma, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, log_sigma)
        log_sigma = (log_sigma - (slope / curvature).clamp(-1, 1)).detach().requires_grad_()
    return log_sigma.exp().detach()


def _biased_reconstructions(generator: torch.Generator) -> list[tuple]:
    """Residuals with a mean of their own, so that their standard deviation is another number."""
    cases = []
    for (n, n_pixels), scale in [((6, 4), 0.4), ((5, 9), 1.6)]:
        x, noise = torch.randn(2, n, n_pixels, generator=generator, dtype=torch.float64)
        cases.append((x, x + scale * (noise + 0.8)))
    return cases


def _implied_sigma(n_pixels: int, kl_weight: float) -> float:
    """The ELBO's exchange rate, ∂/∂SSE over ∂/∂KL = 1/2σ², read off the loss by autograd."""
    sse = torch.ones(n_pixels, dtype=torch.float64).requires_grad_()
    kl = torch.ones((), dtype=torch.float64, requires_grad=True)
    (sse.mean() + kl_weight * kl).backward()
    return (2 * sse.grad[0] / kl.grad).rsqrt().item()


def _elbo(x: Tensor, x_mean: Tensor, mu: Tensor, log_var: Tensor, sigma: float) -> Tensor:
    q_z = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    return Independent(Normal(x_mean, sigma), 1).log_prob(x) - kl_divergence(q_z, prior)


def _kl(mu: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * (1 + log_var - mu**2 - log_var.exp())


def _log_px(x: Tensor, x_mean: Tensor, sigma: float) -> Tensor:
    return Normal(x_mean, sigma).log_prob(x)


def _autoencoded_batches(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, n_pixels, latent_dim, sigma in [(4, 6, 2, 0.3), (3, 7, 5, 1.4)]:
        x, x_mean = torch.randn(2, n, n_pixels, generator=generator, dtype=torch.float64)
        mu, log_var = torch.randn(2, n, latent_dim, generator=generator, dtype=torch.float64)
        cases.append((x, x_mean, mu, log_var, sigma))
    return cases


def _bits_per_pixel(log_p: Tensor, n_pixels: int, n_levels: int) -> Tensor:
    """By changing units first: in units of one grey level, a level's mass is about the density."""
    log_p_in_levels = log_p + n_pixels * math.log(1 / n_levels)
    return -torch.log2(torch.exp(log_p_in_levels / n_pixels))


def _log_densities(generator: torch.Generator) -> list[tuple]:
    log_p = 20 * torch.randn(2, 3, generator=generator, dtype=torch.float64)
    return [(log_p[0], 12, 16), (log_p[1] + 40, 30, 256)]


EXERCISES = (
    Exercise(
        "4.1",
        oracle=_gaussian_nll,
        cases=_batches_and_scales,
        mistakes=(
            Mistake(
                "sigma for variance in the error",
                _sigma_for_variance,
                "The squared error is divided by something in the same, squared, units.",
            ),
            Mistake(
                "sigma for variance in the logarithm",
                _log_sigma_for_log_variance,
                "With D/2 in front, what stands in the logarithm is the variance.",
            ),
            Mistake(
                "no half before the logarithm",
                _no_half_before_logarithm,
                "The normalising constant of one pixel is the root of 2πσ²: what does a root "
                "become under a logarithm?",
            ),
            Mistake(
                "no half before the error",
                _no_half_before_error,
                "The error term is too large by a factor of 2: look at the exponent of the "
                "density again.",
            ),
            Mistake(
                "constant of one pixel",
                _constant_for_one_pixel,
                "Every pixel has a normalising constant of its own. How many pixels are there?",
            ),
            Mistake(
                "no logarithm",
                _without_logarithm,
                "Without the term in log σ an infinite σ would be best: your density does not "
                "integrate to 1.",
            ),
            Mistake(
                "no 2π",
                _without_two_pi,
                "Your density integrates to (2π)^(D/2), not to 1: a constant is missing.",
            ),
            Mistake(
                "mean over pixels",
                lambda x, mu, sigma: _gaussian_nll(x, mu, sigma) / x.shape[-1],
                "The logarithm of a product over the pixels is a sum, not a mean.",
            ),
            Mistake(
                "wrong sign",
                lambda x, mu, sigma: -_gaussian_nll(x, mu, sigma),
                "That is log p. The exercise asks for minus log p, which is smaller where x is "
                "nearer to its mean.",
            ),
        ),
    ),
    Exercise(
        "4.2",
        oracle=_best_sigma,
        cases=_biased_reconstructions,
        mistakes=(
            Mistake(
                "variance",
                lambda x, x_mean: (x - x_mean).square().mean(),
                "That is the best σ². Which units should σ have?",
            ),
            Mistake(
                "sum over pixels",
                lambda x, x_mean: (x - x_mean).square().sum(-1).mean().sqrt(),
                "You average over the examples only. One σ is shared by all pixels too.",
            ),
            Mistake(
                "standard deviation of the residuals",
                lambda x, x_mean: (x - x_mean).std(),
                "`std` takes the residuals' own mean away first, but the Gaussian is centred on "
                "`x_mean` and pays for a bias as well.",
            ),
            Mistake(
                "standard deviation of the residuals, divided by n",
                lambda x, x_mean: (x - x_mean).std(correction=0),
                "You measure the residuals from their own mean. The Gaussian measures them from "
                "`x_mean`, and pays for a bias as well.",
            ),
            Mistake(
                "mean absolute error",
                lambda x, x_mean: (x - x_mean).abs().mean(),
                "The mean absolute error is the best scale of a Laplace distribution. A Gaussian "
                "counts squares.",
            ),
            Mistake(
                "mean of roots",
                lambda x, x_mean: (x - x_mean).square().mean(-1).sqrt().mean(),
                "You take a root for every example and average the roots. Average first: one σ "
                "serves them all.",
            ),
            Mistake(
                "one sigma an example",
                lambda x, x_mean: (x - x_mean).square().mean(-1).sqrt(),
                "You return a σ for every example; the exercise asks for one that all share.",
            ),
        ),
    ),
    Exercise(
        "4.3",
        oracle=_implied_sigma,
        cases=lambda generator: [(12, 0.3), (784, 1.0), (12_288, 2.5e-4)],
        mistakes=(
            Mistake(
                "variance",
                lambda n_pixels, kl_weight: n_pixels * kl_weight / 2,
                "That is σ². The exercise asks for σ.",
            ),
            Mistake(
                "no half",
                lambda n_pixels, kl_weight: math.sqrt(n_pixels * kl_weight),
                "The ELBO divides the squared error by 2σ², not by σ².",
            ),
            Mistake(
                "mean taken for a sum",
                lambda n_pixels, kl_weight: math.sqrt(kl_weight / 2),
                "That would be right if the squared error were summed over the pixels. Here it is "
                "averaged.",
            ),
            Mistake(
                "weight the wrong way round",
                lambda n_pixels, kl_weight: math.sqrt(n_pixels / (2 * kl_weight)),
                "A larger weight on the KL must mean a larger σ. By what do you divide the loss so "
                "that its KL has weight 1?",
            ),
            Mistake(
                "pixels the wrong way round",
                lambda n_pixels, kl_weight: math.sqrt(kl_weight / (2 * n_pixels)),
                "A mean over more pixels makes each squared error count for less, so it must mean "
                "a larger σ.",
            ),
        ),
    ),
    Exercise(
        "4.4",
        oracle=_elbo,
        cases=_autoencoded_batches,
        mistakes=(
            Mistake(
                "a loss",
                lambda x, x_mean, mu, log_var, sigma: -_elbo(x, x_mean, mu, log_var, sigma),
                "All is there but the sign: the ELBO is larger for a better model.",
            ),
            Mistake(
                "the original",
                lambda x, x_mean, mu, log_var, sigma: (
                    (x - x_mean).square().mean() + _kl(mu, log_var).sum()
                ),
                "This is still one number for the batch, a mean plus a sum. Start by giving "
                "each term one value for each example.",
            ),
            Mistake(
                "the squared error alone",
                lambda x, x_mean, mu, log_var, sigma: (
                    -(x - x_mean).square().sum(-1) - _kl(mu, log_var).sum(-1)
                ),
                "The reductions are right, but `sigma` is never used: a squared error without a "
                "factor is the likelihood of one particular σ.",
            ),
            Mistake(
                "no constant",
                lambda x, x_mean, mu, log_var, sigma: (
                    -(x - x_mean).square().sum(-1) / (2 * sigma**2) - _kl(mu, log_var).sum(-1)
                ),
                "For a fixed σ this has the right maximum, but it is no bound on log p(x): the "
                "density's normalising constant is missing.",
            ),
            Mistake(
                "mean over pixels",
                lambda x, x_mean, mu, log_var, sigma: (
                    _log_px(x, x_mean, sigma).mean(-1) - _kl(mu, log_var).sum(-1)
                ),
                "You average over the pixels but sum over the latents: the same reduction must "
                "serve both, and it is the sum.",
            ),
            Mistake(
                "mean over latents",
                lambda x, x_mean, mu, log_var, sigma: (
                    _log_px(x, x_mean, sigma).sum(-1) - _kl(mu, log_var).mean(-1)
                ),
                "The KL of independent dimensions is the sum of theirs, and you average them.",
            ),
            Mistake(
                "KL added",
                lambda x, x_mean, mu, log_var, sigma: (
                    _log_px(x, x_mean, sigma).sum(-1) + _kl(mu, log_var).sum(-1)
                ),
                "You add the KL to the log-likelihood, so the model is rewarded for it.",
            ),
            Mistake(
                "mean over the batch",
                lambda x, x_mean, mu, log_var, sigma: _elbo(x, x_mean, mu, log_var, sigma).mean(),
                "The terms are right. Leave the mean over the examples to `fit`, and return one "
                "value for each.",
            ),
        ),
    ),
    Exercise(
        "4.5",
        oracle=_bits_per_pixel,
        cases=_log_densities,
        mistakes=(
            Mistake(
                "density for probability",
                lambda log_p, n_pixels, n_levels: -log_p / (n_pixels * math.log(2)),
                "This takes the density for a probability. How wide is the cell of one grey level, "
                "and what does that make of the logarithm?",
            ),
            Mistake(
                "nats",
                lambda log_p, n_pixels, n_levels: -log_p / n_pixels + math.log(n_levels),
                "These are nats per pixel. A bit is log 2 nats.",
            ),
            Mistake(
                "width the wrong way round",
                lambda log_p, n_pixels, n_levels: (
                    (-log_p / n_pixels - math.log(n_levels)) / math.log(2)
                ),
                "A finer grey scale must cost more bits, not fewer: check the sign of the term "
                "with the number of levels.",
            ),
            Mistake(
                "width of one pixel",
                lambda log_p, n_pixels, n_levels: (
                    (-log_p + math.log(n_levels)) / (n_pixels * math.log(2))
                ),
                "Every one of the D pixels has a cell of its own, so the cell of an image has the "
                "volume of D widths multiplied.",
            ),
            Mistake(
                "bits per image",
                lambda log_p, n_pixels, n_levels: (
                    (-log_p + n_pixels * math.log(n_levels)) / math.log(2)
                ),
                "These are the bits of a whole image: how many are they for each pixel?",
            ),
            Mistake(
                "wrong sign",
                lambda log_p, n_pixels, n_levels: (
                    (log_p / n_pixels - math.log(n_levels)) / math.log(2)
                ),
                "Bits are a cost, minus a logarithm: smaller is better.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "A decoder is off by +1 in one pixel and by +3 in another. Which shared σ² makes "
        "these two pixels most probable?",
        options=(
            Option(
                "1",
                "That is the variance of the errors about their own mean. The Gaussian is "
                "centred on the reconstruction, so the common bias of +2 has to be paid for "
                "too.",
            ),
            Option(
                "4",
                "The mean was taken before the square. By that rule, errors of +3 and −3 "
                "would count as none.",
            ),
            Option(
                "5",
                "(1² + 3²)/2, the mean squared error: there, and nowhere else, the derivative "
                "of SSE/2σ² + (D/2) log 2πσ² vanishes.",
                right=True,
            ),
            Option(
                "10",
                "That is the sum. A variance describes one pixel, and the two share it.",
            ),
        ),
    ),
    Question(
        "A VAE is trained with a fixed σ = 0.1 and the KL weighted by β = 4. Which σ makes an "
        "ordinary VAE, with β = 1, have the same best encoder and the same best decoder mean?",
        options=(
            Option(
                "0.05",
                "β = 4 makes the KL count for more. A smaller σ does the opposite: it makes "
                "errors dearer.",
            ),
            Option(
                "0.2",
                "Only the product βσ² matters for these two, and 4 · 0.1² = 0.2². As "
                "densities the models still differ: this one expects errors twice as large.",
                right=True,
            ),
            Option(
                "0.4",
                "Four times σ is sixteen times σ², and it is σ² that β goes with.",
            ),
            Option(
                "None: β changes the KL and σ the reconstruction",
                "They turn the same balance from its two ends. Divide the objective by β, "
                "which moves no optimum, and the weight stands in front of the "
                "reconstruction.",
            ),
        ),
    ),
    Question(
        "The pixels of a data set are multiplied by 255, and so are a decoder's mean and its "
        "σ. What becomes of log p(x|z) for an image of 64 pixels?",
        options=(
            Option(
                "It falls by 355 nats",
                "By 64 · log 255: the same probability is spread over 255⁶⁴ times the volume. "
                "Log-densities can be compared in the same units only.",
                right=True,
            ),
            Option(
                "It falls by 5.5 nats",
                "log 255 ≈ 5.5 is what each single pixel loses, and there are 64.",
            ),
            Option(
                "It stays as it is, since the model is the same",
                "The model is, and so are all its probabilities. But a density is probability "
                "per unit of x, and there are now more units.",
            ),
            Option(
                "It rises by 355 nats",
                "The volume has grown, and the density must integrate to 1 over it: it has to "
                "become lower.",
            ),
        ),
    ),
)
