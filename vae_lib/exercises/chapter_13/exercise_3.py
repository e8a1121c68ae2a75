"""Exercise 13.3: the best q(y|x), from conditional bounds."""

import numpy as np
import torch
from scipy.special import logsumexp
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _best_q_y(elbos: Tensor, p_y: Tensor) -> Tensor:
    """Bayes' rule in scipy's logarithms."""
    joint = elbos.numpy() + np.log(p_y.numpy())
    return torch.from_numpy(np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, n_classes, level in [(4, 3, -12.0), (3, 5, -3000.0)]:
        elbos = level + torch.randn(n, n_classes, generator=generator, dtype=torch.float64)
        p_y = torch.rand(n_classes, generator=generator, dtype=torch.float64) + 0.1
        cases.append((elbos, p_y / p_y.sum()))
    return cases


def _underflow(elbos: Tensor, p_y: Tensor) -> Tensor:
    joint = elbos.exp() * p_y
    return joint / joint.sum(1, keepdim=True)


EXERCISE = Exercise(
    "13.3",
    oracle=_best_q_y,
    cases=_cases,
    mistakes=(
        Mistake(
            "underflow",
            _underflow,
            "Right on paper, but exp(−3000) is 0 in floating point, and 0 / 0 is no number. Stay "
            "in the logarithms until the last step.",
        ),
        Mistake(
            "p(y) left out",
            lambda elbos, p_y: elbos.softmax(1),
            "Your value does not depend on `p_y`. L(x, y) is the conditional bound and log p(y).",
        ),
        Mistake(
            "p(y) not in logarithms",
            lambda elbos, p_y: (elbos + p_y).softmax(1),
            "You add p(y) itself to a bound on a logarithm.",
        ),
        Mistake(
            "multiplied after the softmax",
            lambda elbos, p_y: elbos.softmax(1) * p_y,
            "Your rows do not add up to 1: after the multiplication by p(y) they have to be "
            "normalised again.",
        ),
        Mistake(
            "over the images",
            lambda elbos, p_y: (elbos + p_y.log()).softmax(0),
            "Your columns add up to 1. It is over the classes, in each row, that q(y|x) does.",
        ),
        Mistake(
            "logarithms",
            lambda elbos, p_y: (elbos + p_y.log()).log_softmax(1),
            "That is log q(y|x). The probabilities themselves were asked for.",
        ),
        Mistake(
            "only the winner",
            lambda elbos, p_y: torch.nn.functional.one_hot(
                (elbos + p_y.log()).argmax(1), len(p_y)
            ).to(elbos.dtype),
            "You put all on the most probable class. The best q(y|x) is the posterior, which "
            "leaves the others their share.",
        ),
        Mistake(
            "the joint",
            lambda elbos, p_y: elbos + p_y.log(),
            "That is L(x, y). What makes probabilities over the classes of it?",
        ),
    ),
)
