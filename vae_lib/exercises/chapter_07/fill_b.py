"""Fill-in 7.b: pathwise estimates, one for each draw."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _pathwise_estimates(slope: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """By autograd through z = μ + σ ε, with a μ and a σ of its own for every draw."""
    mu = torch.zeros_like(eps).requires_grad_()
    sigma = torch.ones_like(eps).requires_grad_()
    return torch.autograd.grad(mu + sigma * eps, (mu, sigma), grad_outputs=slope)


def _draws(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws in (6, 4):
        numbers = torch.randn(2, n_draws, generator=generator, dtype=torch.float64)
        cases.append((1 + numbers[0], numbers[1]))
    return cases


EXERCISE = Exercise(
    "7.b",
    oracle=_pathwise_estimates,
    cases=_draws,
    mistakes=(
        Mistake(
            "the wrong way round",
            lambda slope, eps: (slope * eps, slope),
            "You have both, the one for σ first. The one for μ should come first.",
        ),
        Mistake(
            "noise alone",
            lambda slope, eps: (torch.ones_like(eps), eps),
            "That is how far a draw moves when μ or σ grows. By how much does f change then?",
        ),
        Mistake(
            "noise without the slope",
            lambda slope, eps: (slope, eps),
            "Your second estimate is how far the draw moves. The slope says what f makes of it.",
        ),
        Mistake(
            "slope twice",
            lambda slope, eps: (slope, slope),
            "You let σ move every draw by as much as μ does. Look at z = μ + σε again.",
        ),
        Mistake(
            "noise in both",
            lambda slope, eps: (slope * eps, slope * eps),
            "Your second estimate is right. A shift of μ moves every draw by as much, whatever "
            "its ε.",
        ),
        Mistake(
            "a score",
            lambda slope, eps: (slope * eps, slope * (eps**2 - 1)),
            "You multiply the slope by scores. This answer has no scores: how far does a draw "
            "move?",
        ),
        Mistake(
            "size of the noise",
            lambda slope, eps: (slope, slope * eps.abs()),
            "You multiply by the size of ε. A draw left of μ moves left when σ grows.",
        ),
        Mistake(
            "averaged",
            lambda slope, eps: (slope.mean(), (slope * eps).mean()),
            "You have averaged the estimates. One for each draw is asked for.",
        ),
    ),
)
