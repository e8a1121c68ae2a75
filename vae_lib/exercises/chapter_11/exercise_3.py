"""Exercise 11.3: active units from what an encoder puts out."""

import numpy as np
import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _active(mu: Tensor, log_var: Tensor, threshold: float) -> Tensor:
    return torch.from_numpy(np.var(np.asarray(mu), axis=0, ddof=1) > threshold)


def _outputs(generator: torch.Generator) -> list[tuple]:
    """Units whose means move much, a little, or not at all, with offsets and widths of q."""
    spread = torch.tensor([1.0, 0.14, 0.06, 0.005, 0.07], dtype=torch.float64)
    offset = torch.tensor([0.0, 0.1, 1.5, 0.5, -0.05], dtype=torch.float64)
    log_var = torch.tensor([-3.0, -0.2, 0.0, -6.0, -6.0], dtype=torch.float64)
    cases = []
    for n in (60, 80):
        noise = torch.randn(n, 5, generator=generator, dtype=torch.float64)
        noise = (noise - noise.mean(0)) / noise.std(0)
        cases.append((noise * spread + offset, log_var.expand(n, 5).clone(), 0.01))
    return cases


EXERCISE = Exercise(
    "11.3",
    oracle=_active,
    cases=_outputs,
    summarise=lambda output, mu, log_var, threshold: torch.as_tensor(output).double(),
    mistakes=(
        Mistake(
            "standard deviation",
            lambda mu, log_var, threshold: mu.std(0) > threshold,
            "You compare a standard deviation with the threshold, which is one for variances.",
        ),
        Mistake(
            "mean square",
            lambda mu, log_var, threshold: mu.square().mean(0) > threshold,
            "A mean that is far from 0 but the same for every example says nothing about the "
            "example. Take the variance over the data.",
        ),
        Mistake(
            "variance of q",
            lambda mu, log_var, threshold: log_var.exp().mean(0) > threshold,
            "You look at the variance of q(z|x). The question is how far its mean moves from one "
            "example to the next.",
        ),
        Mistake(
            "narrow q",
            lambda mu, log_var, threshold: log_var.exp().mean(0) < 1 - threshold,
            "You ask whether q is narrower than the prior. A unit is active if the mean of q moves "
            "from one example to the next.",
        ),
        Mistake(
            "inactive ones",
            lambda mu, log_var, threshold: mu.var(0) <= threshold,
            "You mark the inactive units.",
        ),
        Mistake(
            "how many",
            lambda mu, log_var, threshold: (mu.var(0) > threshold).sum(),
            "That is how many are active. Say of each dimension whether it is, shape (L,).",
        ),
        Mistake(
            "over the dimensions",
            lambda mu, log_var, threshold: mu.var(1) > threshold,
            "You take the variance over latent dimensions, and get one answer an example. The data "
            "are the first axis.",
        ),
    ),
)
