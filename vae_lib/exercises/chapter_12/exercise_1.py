"""Exercise 12.1: rate and distortion of a table."""

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake


def _of_table(q: Tensor, p: Tensor, log_px: Tensor) -> tuple[Tensor, Tensor]:
    """By torch's KL of categorical distributions, and a loop over images."""
    rates = td.kl_divergence(td.Categorical(q), td.Categorical(p))
    costs = [-(q_n[q_n > 0] @ log_n[q_n > 0]) for q_n, log_n in zip(q, log_px.T, strict=True)]
    return rates.mean(), torch.stack(costs).mean()


def _tables(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, k in ((4, 3), (3, 5)):
        q, p = torch.rand(n, k, generator=generator), torch.rand(k, generator=generator)
        q, p = q.double(), 0.2 + p.double()
        q[0, 1] = 0.0  # a code that this image never draws
        log_px = -8 + 2 * torch.randn(k, n, generator=generator, dtype=torch.float64)
        cases.append((q / q.sum(1, keepdim=True), p / p.sum(), log_px))
    return cases


def _rate(q: Tensor, p: Tensor) -> Tensor:
    return (torch.xlogy(q, q) - q * p.log()).sum(1)


def _distortion(q: Tensor, log_px: Tensor) -> Tensor:
    return -(q * log_px.T).sum(1)


def _reversed(q: Tensor, p: Tensor, log_px: Tensor) -> tuple[Tensor, Tensor]:
    return (p * (p / q).log()).sum(1).mean(), _distortion(q, log_px).mean()


def _nan(q: Tensor, p: Tensor, log_px: Tensor) -> tuple[Tensor, Tensor]:
    return (q * (q / p).log()).sum(1).mean(), _distortion(q, log_px).mean()


def _information(q: Tensor, p: Tensor, log_px: Tensor) -> tuple[Tensor, Tensor]:
    return _rate(q, q.mean(0)).mean(), _distortion(q, log_px).mean()


def _evidence_like(q: Tensor, p: Tensor, log_px: Tensor) -> tuple[Tensor, Tensor]:
    return _rate(q, p).mean(), -(q * log_px.T.exp()).sum(1).log().mean()


EXERCISE = Exercise(
    "12.1",
    oracle=_of_table,
    cases=_tables,
    mistakes=(
        Mistake(
            "0 log 0",
            _nan,
            "Your rate is NaN where `q` has a zero: 0 * log 0 is NaN in floating point. Its limit "
            "is 0, which `torch.xlogy(q, q)` knows.",
        ),
        Mistake(
            "KL the other way round",
            _reversed,
            "You take the KL divergence from p to q. The average goes over what q draws.",
        ),
        Mistake(
            "sum over the images",
            lambda q, p, log_px: (_rate(q, p).sum(), _distortion(q, log_px).sum()),
            "You sum over images. All are equally frequent, and means are asked for.",
        ),
        Mistake(
            "one for each image",
            lambda q, p, log_px: (_rate(q, p), _distortion(q, log_px)),
            "That is right for each image. Means over the images are asked for, two scalars.",
        ),
        Mistake(
            "mean over the codes",
            lambda q, p, log_px: (
                (torch.xlogy(q, q) - q * p.log()).mean(),
                -(q * log_px.T).mean(),
            ),
            "You average over codes as well. An expectation under q is a sum: q holds the weights.",
        ),
        Mistake(
            "information for rate",
            _information,
            "Your rate compares q with its mean over the images. That is the mutual information; "
            "the rate compares it with the prior `p`.",
        ),
        Mistake(
            "entropy left out",
            lambda q, p, log_px: (-(q * p.log()).sum(1).mean(), _distortion(q, log_px).mean()),
            "Your rate is what pushing z costs, without the refund: log q is missing.",
        ),
        Mistake(
            "sign of the distortion",
            lambda q, p, log_px: (_rate(q, p).mean(), -_distortion(q, log_px).mean()),
            "The rate is right. The distortion is minus an expected log-likelihood.",
        ),
        Mistake(
            "distortion under the prior",
            lambda q, p, log_px: (_rate(q, p).mean(), -(p @ log_px).mean()),
            "Your distortion draws codes from the prior. The codes of an image come from its q.",
        ),
        Mistake(
            "logarithm of a mean",
            _evidence_like,
            "Your distortion takes the logarithm of a mean of likelihoods. It is the mean of "
            "their logarithms.",
        ),
        Mistake(
            "the other way round",
            lambda q, p, log_px: (_distortion(q, log_px).mean(), _rate(q, p).mean()),
            "Both are right, but the rate comes first.",
        ),
    ),
)
