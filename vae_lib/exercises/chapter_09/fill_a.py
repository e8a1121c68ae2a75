"""Fill-in 9.a: the variance that a mean squared error implies."""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _implied_variance(n_pixels: int, weight: float) -> float:
    """From the loss's own gradients: in x_mean they fix 1/σ², once the KL's has weight 1."""
    generator = torch.Generator().manual_seed(0)
    options = {"generator": generator, "dtype": torch.float64}
    x, x_mean = torch.rand(2, 3, n_pixels, **options)
    mu = torch.randn(3, 4, **options).requires_grad_()
    x_mean.requires_grad_()
    loss = F.mse_loss(x_mean, x) + weight * (0.5 * mu**2).sum(-1).mean()
    in_mean, in_mu = torch.autograd.grad(loss, (x_mean, mu))
    of_kl = (in_mu / mu).mean()
    return (of_kl * (x_mean - x).sum() / in_mean.sum()).item()


def _sizes(generator: torch.Generator) -> list[tuple]:
    return [(64, 1.0), (784, 0.01), (35, 4.0)]


def _instead(formula: Callable[[int, float], float]) -> Callable[[int, float], float]:
    def wrong(n_pixels: int, weight: float) -> float:
        return formula(n_pixels, weight)

    return wrong


EXERCISE = Exercise(
    "9.a",
    oracle=_implied_variance,
    cases=_sizes,
    mistakes=(
        Mistake(
            "half forgotten",
            _instead(lambda d, w: w * d),
            "That is twice too much. The loss has a whole squared error: how many halves are that?",
        ),
        Mistake(
            "half counted the wrong way",
            _instead(lambda d, w: 2 * w * d),
            "That is four times too much. A whole squared error makes a = 2/D, and a stands "
            "below in b/a.",
        ),
        Mistake(
            "error summed",
            _instead(lambda d, w: w / 2),
            "That would be right for a sum over pixels. By what does the mean divide a?",
        ),
        Mistake(
            "upside down",
            _instead(lambda d, w: 2 / (w * d)),
            "This is the reciprocal: σ² = b/a, and a larger weight must give a larger σ.",
        ),
        Mistake(
            "standard deviation",
            _instead(lambda d, w: (w * d / 2) ** 0.5),
            "That is σ. Its square is asked for.",
        ),
        Mistake(
            "weight forgotten",
            _instead(lambda d, w: d / 2),
            "The reductions are right. Where is `weight`?",
        ),
        Mistake(
            "weight on the error",
            _instead(lambda d, w: d / (2 * w)),
            "The weight multiplies the KL, so it belongs to b, which stands above in b/a.",
        ),
        Mistake(
            "divided by the pixels",
            _instead(lambda d, w: w / (2 * d)),
            "The mean over pixels makes a smaller, and σ² = b/a larger.",
        ),
    ),
)
