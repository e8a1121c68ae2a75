"""Fill-in 13.b: the class summed out of the bound."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _sum_out(bounds: Tensor, log_q_y: Tensor) -> Tensor:
    """The expectation of L, and the entropy of q(y|x) by torch.distributions."""
    q_y = torch.distributions.Categorical(logits=log_q_y)
    return torch.einsum("bc,bc->b", q_y.probs, bounds) + q_y.entropy()


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, n_classes in [(4, 3), (3, 5)]:
        numbers = torch.randn(2, n, n_classes, generator=generator, dtype=torch.float64)
        cases.append((3 * numbers[0] - 25, numbers[1].log_softmax(1)))
    return cases


EXERCISE = Exercise(
    "13.b",
    oracle=_sum_out,
    cases=_cases,
    mistakes=(
        Mistake(
            "no entropy",
            lambda bounds, log_q_y: (log_q_y.exp() * bounds).sum(-1),
            "You average L(x, y) alone. In equation 13.3 log q(y|x) is subtracted as well.",
        ),
        Mistake(
            "entropy subtracted",
            lambda bounds, log_q_y: (log_q_y.exp() * (bounds + log_q_y)).sum(-1),
            "The sign of log q(y|x): it is subtracted from L(x, y), as log q(z|x) is in log w.",
        ),
        Mistake(
            "classes not weighted",
            lambda bounds, log_q_y: (bounds - log_q_y).sum(-1),
            "You add the classes up as if each were certain. Every class counts with its "
            "probability q(y|x).",
        ),
        Mistake(
            "plain mean over classes",
            lambda bounds, log_q_y: (bounds - log_q_y).mean(-1),
            "You give every class the same weight. The expectation is under q(y|x).",
        ),
        Mistake(
            "log q as the weight",
            lambda bounds, log_q_y: (log_q_y * (bounds - log_q_y)).sum(-1),
            "You weight the classes by log q(y|x), which is negative. The weights are q(y|x).",
        ),
        Mistake(
            "sum over the images",
            lambda bounds, log_q_y: (log_q_y.exp() * (bounds - log_q_y)).sum(0),
            "You sum over the images, and get one value for each class. Which axis has the "
            "classes?",
        ),
        Mistake(
            "one number",
            lambda bounds, log_q_y: _sum_out(bounds, log_q_y).mean(),
            "One value for each image, please: the mean over images stands in `fit`.",
        ),
        Mistake(
            "the best that U can be",
            lambda bounds, log_q_y: bounds.logsumexp(-1),
            "Your value does not depend on `log_q_y`. It is what the bound would be with the best "
            "q(y|x), not with this one.",
        ),
    ),
)
