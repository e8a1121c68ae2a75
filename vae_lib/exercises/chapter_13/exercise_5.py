"""Exercise 13.5: the log-probability of the missing pixels given those seen."""

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import bernoulli
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _log_px(logits: Tensor, x: Tensor) -> np.ndarray:
    """log p(x_d|z_k) for every draw and pixel, (K, D), by scipy."""
    return bernoulli(torch.sigmoid(logits).numpy()).logpmf(x.numpy().astype(int))


def _log_p_missing(logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    """By the posterior weights of the codes given what is seen."""
    log_px, known = _log_px(logits, x), seen.numpy()
    log_w = log_px[:, known].sum(1)
    log_w = log_w - logsumexp(log_w)
    return torch.tensor(logsumexp(log_w + log_px[:, ~known].sum(1)))


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    # The second has so many seen pixels that their probability underflows.
    for n, seen in [(6, [True, False, True, True, False]), (5, [True] * 1500 + [False] * 4)]:
        shape = n, len(seen)
        logits = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
        x = torch.randint(2, (len(seen),), generator=generator).double()
        cases.append((logits, x, torch.tensor(seen)))
    return cases


def _of(logits: Tensor, x: Tensor, pixels: Tensor) -> Tensor:
    """log p of some pixels, an average over the prior."""
    log_px = _log_px(logits, x)[:, pixels.numpy()].sum(1)
    return torch.tensor(logsumexp(log_px) - np.log(len(logits)))


def _everything(logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    return _of(logits, x, torch.ones_like(seen))


def _best_code(logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    log_px, known = _log_px(logits, x), seen.numpy()
    return torch.tensor(log_px[log_px[:, known].sum(1).argmax(), ~known].sum())


def _mean_of_logarithms(logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    log_px, known = _log_px(logits, x), seen.numpy()
    log_w = log_px[:, known].sum(1)
    return torch.tensor(np.exp(log_w - logsumexp(log_w)) @ log_px[:, ~known].sum(1))


def _by_pixel_means(logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    log_w = _log_px(logits, x)[:, seen.numpy()].sum(1)
    w = torch.from_numpy(np.exp(log_w - logsumexp(log_w)))
    mean = w @ torch.sigmoid(logits)[:, ~seen]
    return torch.distributions.Bernoulli(mean).log_prob(x[~seen]).sum()


def _underflow(logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    px = torch.from_numpy(_log_px(logits, x))
    return (px.sum(1).exp().mean() / px[:, seen].sum(1).exp().mean()).log()


EXERCISE = Exercise(
    "13.5",
    oracle=_log_p_missing,
    cases=_cases,
    mistakes=(
        Mistake(
            "the missing pixels alone",
            lambda logits, x, seen: _of(logits, x, ~seen),
            "That is log p(x_m) under the prior: your value does not depend on the pixels that "
            "are seen.",
        ),
        Mistake(
            "all pixels",
            _everything,
            "That is log p(x), the seen pixels included. They are known, and cost nothing.",
        ),
        Mistake(
            "the seen pixels",
            lambda logits, x, seen: _of(logits, x, seen),
            "That is log p(x_o), of the pixels that are seen.",
        ),
        Mistake(
            "seen and missing exchanged",
            lambda logits, x, seen: _log_p_missing(logits, x, ~seen),
            "That is log p(x_o | x_m). It is the seen pixels that are known.",
        ),
        Mistake(
            "sign",
            lambda *given: -_log_p_missing(*given),
            "Your value is positive, and no probability is above 1. Which is divided by which?",
        ),
        Mistake(
            "the best code",
            _best_code,
            "You decode one code, that which explains the seen pixels best. The others have "
            "weights too.",
        ),
        Mistake(
            "mean of the logarithms",
            _mean_of_logarithms,
            "You average log p(x_m|z) with the right weights. The average belongs inside the "
            "logarithm.",
        ),
        Mistake(
            "pixel by pixel",
            _by_pixel_means,
            "You average each missing pixel's probability first, and multiply after: so the "
            "pixels become independent. They are only so once the code is known.",
        ),
        Mistake(
            "underflow",
            _underflow,
            "Right on paper, but the probability of very many pixels is 0 in floating point. "
            "`logsumexp` stays in the logarithms.",
        ),
    ),
)
