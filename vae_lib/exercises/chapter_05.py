"""Exercises of chapter 5, the Bernoulli likelihood."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _draw_binary(x: Tensor, u: Tensor) -> Tensor:
    return torch.heaviside(x - u, torch.zeros((), dtype=x.dtype))


def _draw_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 40), (2, 5, 30)]
    return [tuple(torch.rand(2, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _floor(x: Tensor) -> Tensor:
    return Independent(Bernoulli(probs=x, validate_args=False), 1).entropy()


def _floor_cases(generator: torch.Generator) -> list[tuple]:
    grey = torch.rand(4, 7, generator=generator, dtype=torch.float64)
    with_ends = torch.rand(3, 5, generator=generator, dtype=torch.float64)
    with_ends[:, 0], with_ends[1, 2:4] = 0.0, 1.0
    return [(grey,), (with_ends,)]


def _floor_without_limit(x: Tensor) -> Tensor:
    return -(x * x.log() + (1 - x) * (1 - x).log()).sum(-1)


def _log_evidence(logits: Tensor, x: Tensor) -> Tensor:
    log_px = Independent(Bernoulli(logits=logits), 1).log_prob(x)
    return log_px.logsumexp(0) - math.log(len(logits))


def _log_evidence_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for shape in ((5, 3, 4), (7, 2, 900)):
        logits = 3 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        x = torch.rand(*shape[1:], generator=generator, dtype=torch.float64).round()
        cases.append((logits, x))
    return cases


def _log_px(logits: Tensor, x: Tensor) -> Tensor:
    return Bernoulli(logits=logits).log_prob(x)


def _pixels_averaged_apart(logits: Tensor, x: Tensor) -> Tensor:
    return (_log_px(logits, x).logsumexp(0) - math.log(len(logits))).sum(-1)


def _mean_over_pixels(logits: Tensor, x: Tensor) -> Tensor:
    return _log_px(logits, x).mean(-1).logsumexp(0) - math.log(len(logits))


def _probabilities_for_logits(logits: Tensor, x: Tensor) -> Tensor:
    return _log_evidence(torch.sigmoid(logits), x)


def _log_normaliser(logits: Tensor) -> Tensor:
    # -log of the integral of λ^x (1 - λ)^(1 - x), by Gauss-Legendre quadrature over [0, 1].
    nodes, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(400))
    exponent = logits[..., None].double() * (nodes + 1) / 2 - F.softplus(logits[..., None].double())
    return -torch.logsumexp(exponent + (weights / 2).log(), dim=-1)


def _log_normaliser_cases(generator: torch.Generator) -> list[tuple]:
    some = 4 * torch.randn(2, 6, generator=generator, dtype=torch.float64)
    return [(some,), (torch.tensor([-200.0, -50.0, -1.0, 0.0, 2.5, 120.0], dtype=torch.float64),)]


def _without_limit(logits: Tensor) -> Tensor:
    return torch.log(logits / torch.tanh(logits / 2))


def _through_lambda(logits: Tensor) -> Tensor:
    centred = 1 - 2 * torch.sigmoid(logits)
    log_c = torch.log(2 * torch.atanh(centred) / centred)
    return torch.where(logits == 0, math.log(2), log_c)


def _through_lambda_without_limit(logits: Tensor) -> Tensor:
    centred = 1 - 2 * torch.sigmoid(logits)
    return torch.log(2 * torch.atanh(centred) / centred)


EXERCISES = (
    Exercise(
        "5.1",
        oracle=_draw_binary,
        cases=_draw_cases,
        mistakes=(
            Mistake(
                "a threshold",
                lambda x, u: (x > 0.5).to(x.dtype),
                "This is thresholding: a pixel of 0.3 always turns white. It should turn black "
                "three times in ten, and `u` says when.",
            ),
            Mistake(
                "black and white exchanged",
                lambda x, u: (u > x).to(x.dtype),
                "Dark pixels turn white and light ones black: how likely is a uniform number to "
                "be smaller than 0.9, and how likely to be larger?",
            ),
            Mistake(
                "x is not used",
                lambda x, u: (u > 0.5).to(x.dtype),
                "Every pixel turns black half of the time, whatever its grey value: where does "
                "`x` come in?",
            ),
        ),
    ),
    Exercise(
        "5.2",
        oracle=_floor,
        cases=_floor_cases,
        mistakes=(
            Mistake(
                "0 log 0",
                _floor_without_limit,
                "An image with a wholly white or black pixel gives nan: in floating point 0 log 0 "
                "is nan, where the limit, and the entropy, is 0.",
            ),
            Mistake(
                "bits",
                lambda x: _floor(x) / math.log(2),
                "Your floor is in bits, too large by a factor of 1.4427. The book counts in nats.",
            ),
            Mistake(
                "mean over pixels",
                lambda x: _floor(x) / x.shape[-1],
                "The floor of an image is the sum over its pixels, as its cross-entropy is.",
            ),
            Mistake(
                "black half only",
                lambda x: torch.special.entr(x).sum(-1),
                "A pixel can also come out white: what does that outcome add to the entropy?",
            ),
            Mistake(
                "sign",
                lambda x: -_floor(x),
                "An entropy is never negative: where is the minus sign?",
            ),
        ),
    ),
    Exercise(
        "5.3",
        oracle="d",
        mistakes=(
            Mistake("line a", "a", "Line a is right: a fresh draw of 0s and 1s for every batch."),
            Mistake(
                "line b",
                "b",
                "Line b is right: the encoder looks at the binary image that is to be explained.",
            ),
            Mistake(
                "line c",
                "c",
                "Line c does what its name says: the sigmoid of a logit is a probability. Follow "
                "that value to where it is used.",
            ),
            Mistake(
                "line e",
                "e",
                "Line e is right: both terms are sums over dimensions, one value per example, "
                "larger is better.",
            ),
        ),
    ),
    Exercise(
        "5.4",
        oracle=_log_evidence,
        cases=_log_evidence_cases,
        mistakes=(
            Mistake(
                "mean of logarithms",
                lambda logits, x: _log_px(logits, x).sum(-1).mean(0),
                "You average log p(x|z) over the draws, but p(x) is the average of p(x|z): "
                "average first, then take the logarithm.",
            ),
            Mistake(
                "sum over draws",
                lambda logits, x: _log_px(logits, x).sum(-1).logsumexp(0),
                "Too large by log K for every image: a mean over K draws divides by K.",
            ),
            Mistake(
                "underflow",
                lambda logits, x: _log_px(logits, x).sum(-1).exp().mean(0).log(),
                "Right in small images, and -inf in large ones: p(x|z) of 900 pixels is too small "
                "for floating point. Stay in logarithms; `logsumexp` is made for this.",
            ),
            Mistake(
                "pixels averaged apart",
                _pixels_averaged_apart,
                "You average over z for each pixel alone. The pixels are independent only given "
                "the same z: form p(x|z) of the whole image for each draw first.",
            ),
            Mistake(
                "mean over pixels",
                _mean_over_pixels,
                "The logarithm of a product over pixels is their sum, not their mean.",
            ),
            Mistake(
                "probabilities for logits",
                _probabilities_for_logits,
                "A sigmoid has been applied once too often: `logits` go straight into the softplus "
                "form (or into a function that ends in `_with_logits`).",
            ),
        ),
    ),
    Exercise(
        "5.5",
        oracle=_log_normaliser,
        cases=_log_normaliser_cases,
        mistakes=(
            Mistake(
                "no limit at 0",
                _without_limit,
                "At a logit of 0 your formula is 0 / 0 = nan. What is the limit there? Use "
                "`torch.where`, and see that the branch not taken is finite too.",
            ),
            Mistake(
                "through λ",
                _through_lambda,
                "Infinite at large logits: the sigmoid has rounded λ to 0 or 1. Express the "
                "formula in the logit before you compute anything.",
            ),
            Mistake(
                "through λ, no limit",
                _through_lambda_without_limit,
                "nan at a logit of 0 and infinite at large ones. Express 1 - 2λ in the logit, "
                "which cures the second, and give the limit at 0, which cures the first.",
            ),
            Mistake(
                "sign",
                lambda logits: -_log_normaliser(logits),
                "That is the logarithm of the integral. The normaliser divides by it, so that "
                "log C is at least log 2.",
            ),
            Mistake(
                "no logarithm",
                lambda logits: _log_normaliser(logits).exp(),
                "This is C, not log C.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "All 100 pixels of an image have the grey value 0.5, and the decoder reproduces them "
        "perfectly, π = 0.5. What is the binary cross-entropy of the image?",
        options=(
            Option(
                "0 nats, as for every perfect reconstruction",
                "For binary pixels that would be so. For a grey one the formula is smallest "
                "at π = x, and its value there is an entropy, not 0.",
            ),
            Option(
                "35 nats",
                "That is the part −x log π. The other, −(1 − x) log(1 − π), costs as much again.",
            ),
            Option(
                "69 nats",
                "100 · log 2, the entropy of 100 tosses of a fair coin: a floor, under which "
                "no model gets.",
                right=True,
            ),
            Option(
                "That depends on how the image is binarised",
                "Nothing is drawn here, the grey values themselves enter the formula. Its "
                "value is the average over all the binarisations, computed exactly.",
            ),
        ),
    ),
    Question(
        "A binary pixel is 0, and the decoder's logit for it is 40. Computed from the logit "
        "in the stable way, what is the gradient of the cross-entropy with respect to the "
        "logit?",
        options=(
            Option(
                "About 1",
                "It is π − x. However wrong the network is, and however sure, this neither "
                "vanishes nor explodes.",
                right=True,
            ),
            Option(
                "About 0, since the sigmoid is flat there",
                "The sigmoid is, and a squared error behind it would hardly learn. The "
                "logarithm of the likelihood undoes the flatness.",
            ),
            Option(
                "About 40, as large as the loss",
                "The loss is 40 because it grows along a straight line as the logit does. Its "
                "slope is another matter.",
            ),
            Option(
                "Infinite, or `nan`",
                "That comes from taking the logarithm of a rounded probability, for in single "
                "precision the sigmoid of 40 is exactly 1. From the logit no probability need "
                "be formed.",
            ),
        ),
    ),
    Question(
        "A VAE is scored by minus the binary cross-entropy of grey pixels, less the KL. With "
        "which score of other VAEs, on the same test images, can this be compared?",
        options=(
            Option(
                "The ELBO with a Gaussian likelihood, on the grey pixels",
                "That is a log-density. It depends on the units of grey, can be positive, and "
                "bounds the logarithm of another kind of thing.",
            ),
            Option(
                "The ELBO with a continuous Bernoulli, on the grey pixels",
                "The two formulas look alike. But what they differ by, log C(λ), depends on "
                "the decoder and is at least log 2 nats for every pixel.",
            ),
            Option(
                "The ELBO with a Bernoulli, on the thresholded pixels",
                "Thresholding takes away the coin tosses at the edges, which cost nats that "
                "no model can save. It makes another data set.",
            ),
            Option(
                "The ELBO with a Bernoulli, on dynamically binarised pixels",
                "The cross-entropy is linear in x, so on grey pixels it is the average over "
                "all their binarisations. Add the note that the encoder saw grey.",
                right=True,
            ),
        ),
    ),
)
