"""Exercise 11.4: mutual information from a table of log-densities."""

import math

import numpy as np
import torch
from scipy.special import logsumexp
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _information(log_q: Tensor) -> float:
    """As an entropy's difference: log N less the surprise at where each code came from."""
    table = np.asarray(log_q)
    log_posterior = table - logsumexp(table, axis=1, keepdims=True)
    return float(math.log(len(table)) + np.diag(log_posterior).mean())


def _tables(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, spread in ((7, 1.0), (12, 0.4)):
        x = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        z = x + spread * torch.randn(n, 2, generator=generator, dtype=torch.float64)
        distance = (z[:, None] - x).square().sum(-1)
        cases.append((-distance / (2 * spread**2) - math.log(2 * math.pi * spread**2) - 2.0,))
    return cases


def _log_mean(log_q: Tensor, axis: int) -> Tensor:
    return torch.logsumexp(log_q, axis) - math.log(len(log_q))


EXERCISE = Exercise(
    "11.4",
    oracle=_information,
    cases=_tables,
    mistakes=(
        Mistake(
            "sum in place of the mean",
            lambda log_q: (log_q.diagonal() - torch.logsumexp(log_q, 1)).mean(),
            "Yours is too small by log N: the aggregate posterior is the mean of the N densities, "
            "not their sum.",
        ),
        Mistake(
            "over the wrong axis",
            lambda log_q: (log_q.diagonal() - _log_mean(log_q, 0)).mean(),
            "You average over codes. The aggregate posterior at one code averages over examples: "
            "the second axis.",
        ),
        Mistake(
            "mean of the logarithms",
            lambda log_q: (log_q.diagonal() - log_q.mean(1)).mean(),
            "You average log-densities. A mixture averages densities, inside the logarithm.",
        ),
        Mistake(
            "without its own",
            lambda log_q: (
                log_q.diagonal()
                - (log_q.logsumexp(1).exp() - log_q.diagonal().exp()).log()
                + math.log(len(log_q) - 1)
            ).mean(),
            "You leave the code's own example out of the mixture. The aggregate posterior of these "
            "N examples has all N in it.",
        ),
        Mistake(
            "sign",
            lambda log_q: (_log_mean(log_q, 1) - log_q.diagonal()).mean(),
            "Yours is negative. Information is how much more probable a code is under its own "
            "example than under all of them.",
        ),
        Mistake(
            "for each code",
            lambda log_q: log_q.diagonal() - _log_mean(log_q, 1),
            "That is one number for each code. Their mean is asked for.",
        ),
        Mistake(
            "all pairs",
            lambda log_q: (log_q - _log_mean(log_q, 1)[:, None]).mean(),
            "You average over all pairs. A code is drawn from its own example's q: only the "
            "diagonal counts in the first term.",
        ),
        Mistake(
            "bits",
            lambda log_q: (log_q.diagonal() - _log_mean(log_q, 1)).mean() / math.log(2),
            "Yours is in bits. Nats have the natural logarithm.",
        ),
    ),
)
