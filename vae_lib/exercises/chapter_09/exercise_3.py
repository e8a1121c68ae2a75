"""Exercise 9.3: the weight that a loss implies."""

import torch
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _implied_beta(batch_size: int, n_pixels: int, latent_dim: int, weight: float) -> float:
    """From the gradients of the loss itself: in the logits they fix a, in mu they fix b."""
    generator = torch.Generator().manual_seed(0)
    shape = {"generator": generator, "dtype": torch.float64}
    x = torch.rand(batch_size, n_pixels, **shape).round()
    logits = torch.randn(batch_size, n_pixels, **shape).requires_grad_()
    mu = torch.randn(batch_size, latent_dim, **shape).requires_grad_()
    kl = -0.5 * torch.sum(1 - mu**2 - 1, dim=0)
    loss = F.binary_cross_entropy_with_logits(logits, x) + weight * kl.mean()
    in_logits, in_mu = torch.autograd.grad(loss, (logits, mu))
    a = (in_logits / (torch.sigmoid(logits) - x)).mean()
    return ((in_mu / mu).mean() / a).item()


def _sizes(generator: torch.Generator) -> list[tuple]:
    return [(6, 35, 4, 1.0), (10, 12, 3, 5.0), (7, 50, 9, 0.02)]


EXERCISE = Exercise(
    "9.3",
    oracle=_implied_beta,
    cases=_sizes,
    mistakes=(
        Mistake(
            "the batch cancels",
            lambda batch_size, n_pixels, latent_dim, weight: weight * n_pixels / latent_dim,
            "You have divided both terms by the batch size. `dim=0` is the axis of examples: "
            "what does the KL do over it?",
        ),
        Mistake(
            "KL summed over latents",
            lambda batch_size, n_pixels, latent_dim, weight: weight * batch_size * n_pixels,
            "What is left after the sum over `dim=0` has one entry for each latent, and "
            "`kl.mean()` averages over those.",
        ),
        Mistake(
            "usual reductions",
            lambda batch_size, n_pixels, latent_dim, weight: weight * n_pixels,
            "That would be right if the KL were summed over latents and averaged over the "
            "batch. Which axis does each reduction of the KL run over?",
        ),
        Mistake(
            "cross-entropy summed",
            lambda batch_size, n_pixels, latent_dim, weight: weight / latent_dim,
            "You have taken the cross-entropy for a sum. Without `reduction=`, the function "
            "takes the mean over every element.",
        ),
        Mistake(
            "cross-entropy summed over pixels",
            lambda batch_size, n_pixels, latent_dim, weight: weight * batch_size / latent_dim,
            "The cross-entropy's mean runs over the pixels as well as over the batch.",
        ),
        Mistake(
            "upside down",
            lambda batch_size, n_pixels, latent_dim, weight: (
                latent_dim / (weight * batch_size * n_pixels)
            ),
            "This is the reciprocal: a larger `weight` must give a larger β.",
        ),
        Mistake(
            "weight forgotten",
            lambda batch_size, n_pixels, latent_dim, weight: batch_size * n_pixels / latent_dim,
            "The ratio of the reductions is right. Where is `weight`?",
        ),
    ),
)
