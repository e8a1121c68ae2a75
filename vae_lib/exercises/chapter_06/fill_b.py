"""Fill-in 6.b: the bound in its second form."""

import math

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _elbo_by_entropy(log_joint: Tensor, entropy: Tensor) -> Tensor:
    """One image after the other."""
    pairs = zip(log_joint.unbind(1), entropy, strict=True)
    return torch.stack([sum(column) / len(column) + h for column, h in pairs])


def _cases(generator: torch.Generator) -> list[tuple]:
    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return [(normal(k, b) - 25, 2 * normal(b)) for k, b in ((5, 3), (8, 4))]


EXERCISE = Exercise(
    "6.b",
    oracle=_elbo_by_entropy,
    cases=_cases,
    mistakes=(
        Mistake(
            "entropy subtracted",
            lambda log_joint, entropy: log_joint.mean(0) - entropy,
            "The sign of the entropy: does the bound reward a wide q, or charge for it?",
        ),
        Mistake(
            "no entropy",
            lambda log_joint, entropy: log_joint.mean(0),
            "Your value does not depend on `entropy`. Without it the best q would be a point.",
        ),
        Mistake(
            "logarithm of the mean",
            lambda log_joint, entropy: log_joint.logsumexp(0) - math.log(len(log_joint)) + entropy,
            "The expectation is that of log p(x, z). You average p(x, z), and then take the "
            "logarithm.",
        ),
        Mistake(
            "sum over the draws",
            lambda log_joint, entropy: log_joint.sum(0) + entropy,
            "An expectation under q is a mean over the draws, not their sum.",
        ),
        Mistake(
            "one number",
            lambda log_joint, entropy: log_joint.mean() + entropy,
            "You average log p(x, z) over the images as well. One value for each image, please.",
        ),
    ),
)
