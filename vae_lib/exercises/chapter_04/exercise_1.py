"""Exercise 4.1: the best shared scale."""

import torch
from torch import Tensor
from torch.distributions import Normal

from vae_lib.exercises import Exercise, Mistake


def _best_sigma(x: Tensor, x_mean: Tensor) -> Tensor:
    """By Newton's method on the likelihood as a function of log σ, which knows no formula."""
    log_sigma = torch.zeros((), dtype=x.dtype, requires_grad=True)
    for _ in range(50):
        nll = -Normal(x_mean, log_sigma.exp()).log_prob(x).mean()
        (slope,) = torch.autograd.grad(nll, log_sigma, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, log_sigma)
        log_sigma = (log_sigma - (slope / curvature).clamp(-1, 1)).detach().requires_grad_()
    return log_sigma.exp().detach()


def _biased_reconstructions(generator: torch.Generator) -> list[tuple]:
    """Residuals with a mean of their own, so that their standard deviation is another number."""
    cases = []
    for (n, n_pixels), scale in [((6, 4), 0.4), ((5, 9), 1.6)]:
        x, noise = torch.randn(2, n, n_pixels, generator=generator, dtype=torch.float64)
        cases.append((x, x + scale * (noise + 0.8)))
    return cases


EXERCISE = Exercise(
    "4.1",
    oracle=_best_sigma,
    cases=_biased_reconstructions,
    mistakes=(
        Mistake(
            "variance",
            lambda x, x_mean: (x - x_mean).square().mean(),
            "That is the best σ². Which units should σ have?",
        ),
        Mistake(
            "sum over pixels",
            lambda x, x_mean: (x - x_mean).square().sum(-1).mean().sqrt(),
            "You average over the examples only. One σ is shared by all pixels too.",
        ),
        Mistake(
            "standard deviation of the residuals",
            lambda x, x_mean: (x - x_mean).std(),
            "`std` takes the residuals' own mean away first, but the Gaussian is centred on "
            "`x_mean` and pays for a bias as well.",
        ),
        Mistake(
            "standard deviation of the residuals, divided by n",
            lambda x, x_mean: (x - x_mean).std(correction=0),
            "You measure the residuals from their own mean. The Gaussian measures them from "
            "`x_mean`, and pays for a bias as well.",
        ),
        Mistake(
            "mean absolute error",
            lambda x, x_mean: (x - x_mean).abs().mean(),
            "The mean absolute error is the best scale of a Laplace distribution. A Gaussian "
            "counts squares.",
        ),
        Mistake(
            "mean of roots",
            lambda x, x_mean: (x - x_mean).square().mean(-1).sqrt().mean(),
            "You take a root for every example and average the roots. Average first: one σ "
            "serves them all.",
        ),
        Mistake(
            "one sigma an example",
            lambda x, x_mean: (x - x_mean).square().mean(-1).sqrt(),
            "You return a σ for every example; the exercise asks for one that all share.",
        ),
    ),
)
