"""Exercise 5.3: the evidence of a Bernoulli decoder."""

import math

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import is_near, same_summary


def _log_evidence(logits: Tensor, x: Tensor) -> Tensor:
    log_px = Independent(Bernoulli(logits=logits), 1).log_prob(x)
    return log_px.logsumexp(0) - math.log(len(logits))


def _log_evidence_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for shape in ((5, 3, 4), (7, 2, 900)):
        logits = 3 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        x = torch.rand(*shape[1:], generator=generator, dtype=torch.float64).round()
        cases.append((logits, x))
    return [*cases, *(_confident_decoder(x.dtype, size) for size in (50.0, 800.0))]


def _confident_decoder(dtype: torch.dtype, size: float) -> tuple[Tensor, Tensor]:
    """Two draws, each far off in six pixels or more of both images."""
    x = torch.tensor([[1, 0] * 8, [0, 1] * 8], dtype=dtype)
    scale = torch.tensor([size] * 8 + [20.0] * 8, dtype=dtype)
    logits = torch.stack([(1 - 2 * x), (2 * x - 1)]) * scale
    logits[1, :, :6] *= -1
    return logits, x


def _value_or_verdict(log_px: Tensor, logits: Tensor, x: Tensor) -> Tensor | str:
    """With large logits only whether the value is right: one slip gives nan, -inf or -100."""
    if logits.abs().max() < 50:
        return log_px
    is_right = is_near(log_px, _log_evidence(logits, x), rtol=1e-5)
    return "the right value for large logits" if is_right else "another"


def _log_px(logits: Tensor, x: Tensor) -> Tensor:
    return Bernoulli(logits=logits).log_prob(x)


def _pixels_averaged_apart(logits: Tensor, x: Tensor) -> Tensor:
    return (_log_px(logits, x).logsumexp(0) - math.log(len(logits))).sum(-1)


def _mean_over_pixels(logits: Tensor, x: Tensor) -> Tensor:
    return _log_px(logits, x).mean(-1).logsumexp(0) - math.log(len(logits))


def _probabilities_for_logits(logits: Tensor, x: Tensor) -> Tensor:
    return _log_evidence(torch.sigmoid(logits), x)


def _log_evidence_by_probabilities(logits: Tensor, x: Tensor) -> Tensor:
    log_px = Independent(Bernoulli(probs=torch.sigmoid(logits)), 1).log_prob(x)
    return log_px.logsumexp(0) - math.log(len(logits))


def _log_evidence_with_overflow(logits: Tensor, x: Tensor) -> Tensor:
    log_px = (logits * x - torch.log(1 + torch.exp(logits))).sum(-1)
    return log_px.logsumexp(0) - math.log(len(logits))


EXERCISE = Exercise(
    "5.3",
    oracle=_log_evidence,
    cases=_log_evidence_cases,
    summarise=_value_or_verdict,
    compare=same_summary,
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
        Mistake(
            "logarithm of a sigmoid",
            _log_evidence_by_probabilities,
            "Right for moderate logits, but not for logits of ±50, of which one sigmoid is "
            "rounded to 1. Compute log p(x|z) from the logits, without the logarithm of a sigmoid.",
        ),
        Mistake(
            "softplus by hand",
            _log_evidence_with_overflow,
            "Right for moderate logits, but not for logits of ±800, whose exponential is infinite "
            "(in float32 that of 89 is). `F.softplus` has a way round it.",
        ),
    ),
)
