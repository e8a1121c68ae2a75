"""Exercise 5.1: the floor of the cross-entropy."""

import math

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent

from vae_lib.exercises import Exercise, Mistake


def _floor(x: Tensor) -> Tensor:
    return Independent(Bernoulli(probs=x, validate_args=False), 1).entropy()


def _floor_cases(generator: torch.Generator) -> list[tuple]:
    grey = torch.rand(4, 7, generator=generator, dtype=torch.float64)
    with_ends = torch.rand(3, 5, generator=generator, dtype=torch.float64)
    with_ends[:, 0], with_ends[1, 2:4] = 0.0, 1.0
    return [(grey,), (with_ends,)]


def _floor_without_limit(x: Tensor) -> Tensor:
    return -(x * x.log() + (1 - x) * (1 - x).log()).sum(-1)


EXERCISE = Exercise(
    "5.1",
    oracle=_floor,
    cases=_floor_cases,
    mistakes=(
        Mistake(
            "0 log 0",
            _floor_without_limit,
            "An image with a wholly white or black pixel gives nan: in floating point 0 times an "
            "infinite logarithm is nan, where the limit, and the entropy, is 0.",
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
)
