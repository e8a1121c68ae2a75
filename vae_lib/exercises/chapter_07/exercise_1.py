"""Exercise 7.1: pathwise gradients by hand."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _pathwise_gradients(slope: Tensor, log_var: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """By autograd through the draw; the mean is 0, since the slopes are given."""
    mu = torch.zeros_like(log_var).requires_grad_()
    log_var = log_var.detach().clone().requires_grad_()
    z = mu + torch.diag_embed(log_var.exp().sqrt()).matmul(eps.unsqueeze(-1)).squeeze(-1)
    return torch.autograd.grad((slope * z).sum() / len(eps), (mu, log_var))


def _pathwise_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, n_images, latent_dim in [(5, 3, 2), (4, 2, 6)]:
        shape = 2 * n_draws + 1, n_images, latent_dim
        numbers = torch.randn(*shape, generator=generator, dtype=torch.float64)
        cases.append((numbers[:n_draws], 1.5 * numbers[-1], numbers[n_draws:-1]))
    return cases


def _pathwise_with(
    slope: Tensor, log_var: Tensor, eps: Tensor, *, half: float, power: float
) -> tuple[Tensor, Tensor]:
    return slope.mean(0), (slope * half * (power * log_var).exp() * eps).mean(0)


EXERCISE = Exercise(
    "7.1",
    oracle=_pathwise_gradients,
    cases=_pathwise_cases,
    mistakes=(
        Mistake(
            "gradient for σ",
            lambda slope, log_var, eps: (slope.mean(0), (slope * eps).mean(0)),
            "Your second gradient is the one for σ. One more link of the chain leads from σ "
            "to log σ².",
        ),
        Mistake(
            "no half",
            lambda slope, log_var, eps: _pathwise_with(slope, log_var, eps, half=1, power=0.5),
            "Your second gradient is twice what it should be: it is the one for log σ.",
        ),
        Mistake(
            "gradient for σ²",
            lambda slope, log_var, eps: _pathwise_with(slope, log_var, eps, half=0.5, power=-0.5),
            "Your second gradient is the one for the variance. What is asked for is the one "
            "for its logarithm.",
        ),
        Mistake(
            "variance as scale",
            lambda slope, log_var, eps: _pathwise_with(slope, log_var, eps, half=0.5, power=1),
            "`log_var.exp()` is σ², and a draw moves in proportion to σ.",
        ),
        Mistake(
            "variance as scale, differentiated",
            lambda slope, log_var, eps: _pathwise_with(slope, log_var, eps, half=1, power=1),
            "These are the gradients of the draw `mu + log_var.exp() * eps`, whose noise is "
            "scaled by the variance.",
        ),
        Mistake(
            "sum over draws",
            lambda slope, log_var, eps: tuple(
                len(eps) * g for g in _pathwise_gradients(slope, log_var, eps)
            ),
            "An expectation is estimated by the mean over the K draws; you have their sum.",
        ),
        Mistake(
            "no reduction",
            lambda slope, log_var, eps: (slope, slope * 0.5 * (0.5 * log_var).exp() * eps),
            "These are the K estimates, one for each draw. What is left to do with them?",
        ),
    ),
)
