"""Fill-in 2.b: the KL divergence of two distributions over a few outcomes."""

import torch
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from vae_lib.exercises import Exercise, Mistake


def _kl(q: Tensor, p: Tensor) -> Tensor:
    return kl_divergence(Categorical(probs=q), Categorical(probs=p))


def _cases(generator: torch.Generator) -> list[tuple]:
    numbers = [torch.randn(2, k, generator=generator, dtype=torch.float64) for k in (2, 6, 4)]
    return [tuple(pair.softmax(-1)) for pair in numbers]


EXERCISE = Exercise(
    "2.b",
    oracle=_kl,
    cases=_cases,
    mistakes=(
        Mistake(
            "exchanged",
            lambda q, p: _kl(p, q),
            "This is KL(p || q). The mean is to be taken over draws of q.",
        ),
        Mistake(
            "weighted by p",
            lambda q, p: -_kl(p, q),
            "You weight the leads of q by p. Draws come from q, so each lead counts with its "
            "probability under q.",
        ),
        Mistake(
            "sign",
            lambda q, p: -_kl(q, p),
            "The sign is turned: a KL divergence is never negative, and the lead is log q − log p.",
        ),
        Mistake(
            "bits",
            lambda q, p: (q * (q.log2() - p.log2())).sum(),
            "These are bits: you take logarithms to base 2. A nat has the natural logarithm.",
        ),
        Mistake(
            "leads unweighted",
            lambda q, p: (q.log() - p.log()).sum(),
            "You add the leads of all outcomes as they are. A mean over draws of q weights each "
            "by its probability under q.",
        ),
        Mistake(
            "mean of the leads",
            lambda q, p: (q.log() - p.log()).mean(),
            "You take the plain mean of the leads, as if all outcomes were equally probable. "
            "Under q they are not.",
        ),
        Mistake(
            "mean of the terms",
            lambda q, p: _kl(q, p) / len(q),
            "Your terms are right and you take their mean. They carry the weights already: add "
            "them.",
        ),
        Mistake(
            "not added",
            lambda q, p: q * (q.log() - p.log()),
            "These are the terms of the right sum, one for each outcome. What is wanted is one "
            "number.",
        ),
        Mistake(
            "cross-entropy",
            lambda q, p: -(q * p.log()).sum(),
            "This is −E[log p] over draws of q; log q is missing, so equal distributions do not "
            "get 0.",
        ),
    ),
)
