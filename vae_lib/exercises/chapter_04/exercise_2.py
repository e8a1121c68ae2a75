"""Exercise 4.2: the scale that a loss implies."""

import math

import torch

from vae_lib.exercises import Exercise, Mistake


def _implied_sigma(n_pixels: int, kl_weight: float) -> float:
    """The ELBO's exchange rate, ∂/∂SSE over ∂/∂KL = 1/2σ², read off the loss by autograd."""
    sse = torch.ones(n_pixels, dtype=torch.float64).requires_grad_()
    kl = torch.ones((), dtype=torch.float64, requires_grad=True)
    (sse.mean() + kl_weight * kl).backward()
    return (2 * sse.grad[0] / kl.grad).rsqrt().item()


EXERCISE = Exercise(
    "4.2",
    oracle=_implied_sigma,
    cases=lambda generator: [(12, 0.3), (784, 1.0), (12_288, 2.5e-4)],
    mistakes=(
        Mistake(
            "variance",
            lambda n_pixels, kl_weight: n_pixels * kl_weight / 2,
            "That is σ². The exercise asks for σ.",
        ),
        Mistake(
            "no half",
            lambda n_pixels, kl_weight: math.sqrt(n_pixels * kl_weight),
            "The ELBO divides the squared error by 2σ², not by σ².",
        ),
        Mistake(
            "mean taken for a sum",
            lambda n_pixels, kl_weight: math.sqrt(kl_weight / 2),
            "That would be right if the squared error were summed over the pixels. Here it is "
            "averaged.",
        ),
        Mistake(
            "weight the wrong way round",
            lambda n_pixels, kl_weight: math.sqrt(n_pixels / (2 * kl_weight)),
            "A larger weight on the KL must mean a larger σ. By what do you divide the loss so "
            "that its KL has weight 1?",
        ),
        Mistake(
            "pixels the wrong way round",
            lambda n_pixels, kl_weight: math.sqrt(kl_weight / (2 * n_pixels)),
            "A mean over more pixels makes each squared error count for less, so it must mean "
            "a larger σ.",
        ),
    ),
)
