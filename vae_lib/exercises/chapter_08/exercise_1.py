"""Exercise 8.1: the loss of a batch."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import is_near, same_summary


def _terms(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    q_z = td.Independent(td.Normal(mu, log_var.exp().sqrt()), 1)
    p_z = td.Independent(td.Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    log_px = td.Independent(td.Bernoulli(logits=logits), 1).log_prob(x)
    return log_px, td.kl_divergence(q_z, p_z)


def _batch_loss(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl - log_px).mean()


def _batches(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_examples, latent_dim, data_dim in ((3, 2, 5), (4, 6, 7)):
        mu, log_var = torch.randn(
            2, n_examples, latent_dim, generator=generator, dtype=torch.float64
        )
        shape = (n_examples, data_dim)
        logits = 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        x = torch.rand(*shape, generator=generator, dtype=torch.float64).round()
        cases.append((mu, log_var, logits, x))
    # Confident decoders, wrong about half of their pixels.
    pixels = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0], dtype=x.dtype).expand(2, 8)
    for size in (50.0, 800.0):
        sure = torch.tensor([size, -size, 20.0, -20.0], dtype=x.dtype).repeat(2, 2)
        cases.append((mu[:2], log_var[:2], sure, pixels.clone()))
    return cases


def _value_or_verdict(
    loss: Tensor, mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor
) -> Tensor | str:
    """With large logits only whether the value is right: one slip gives nan, inf or 100 a pixel."""
    if logits.abs().max() < 50:
        return loss
    is_right = is_near(loss, _batch_loss(mu, log_var, logits, x), rtol=1e-5)
    return "the right value for large logits" if is_right else "another"


def _log_of_sigmoid(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    _, kl = _terms(mu, log_var, logits, x)
    log_px = td.Bernoulli(probs=torch.sigmoid(logits)).log_prob(x).sum(-1)
    return (kl - log_px).mean()


def _with_overflow(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    _, kl = _terms(mu, log_var, logits, x)
    return (kl - (logits * x - torch.log(1 + torch.exp(logits))).sum(-1)).mean()


def _sigma_for_variance(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, _ = _terms(mu, log_var, logits, x)
    kl = 0.5 * (mu.square() + (0.5 * log_var).exp() - 1 - log_var).sum(-1)
    return (kl - log_px).mean()


def _sigmoid_of_logits(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    return _batch_loss(mu, log_var, torch.sigmoid(logits), x)


def _combined(log_px_weight: float, kl_weight: float) -> Callable[..., Tensor]:
    def wrong(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
        log_px, kl = _terms(mu, log_var, logits, x)
        return (kl_weight * kl + log_px_weight * log_px).mean()

    return wrong


def _mean_over_pixels(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl - log_px / x.shape[-1]).mean()


def _mean_over_latents(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl / mu.shape[-1] - log_px).mean()


def _first_term_summed(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return kl.mean() - log_px.sum()


def _mean_over_both(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl / mu.shape[-1] - log_px / x.shape[-1]).mean()


def _not_averaged(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return kl - log_px


def _summed(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    return _not_averaged(mu, log_var, logits, x).sum()


EXERCISE = Exercise(
    "8.1",
    oracle=_batch_loss,
    cases=_batches,
    summarise=_value_or_verdict,
    compare=same_summary,
    mistakes=(
        Mistake(
            "sign",
            _combined(1.0, -1.0),
            "That is the ELBO itself. Adam makes its number small, so what should it be given?",
        ),
        Mistake(
            "KL subtracted",
            _combined(-1.0, -1.0),
            "You reward the KL divergence: in minus the ELBO it has a plus sign.",
        ),
        Mistake(
            "reconstruction with the wrong sign",
            _combined(1.0, 1.0),
            "Minimising this would make the images improbable: which sign does log p(x|z) "
            "have in minus the ELBO?",
        ),
        Mistake(
            "no KL",
            _combined(-1.0, 0.0),
            "That is the reconstruction term alone; chapter 2 showed what becomes of sigma.",
        ),
        Mistake(
            "mean over pixels",
            _mean_over_pixels,
            "You average the log-likelihood over pixels and sum the KL over latent dimensions: "
            "the KL weighs D times too much. Sum over both.",
        ),
        Mistake(
            "mean over latent dimensions",
            _mean_over_latents,
            "You average the KL over latent dimensions: it weighs L times too little. The "
            "divergence of independent dimensions is a sum.",
        ),
        Mistake(
            "means over both",
            _mean_over_both,
            "You average over pixels and over latent dimensions. Both are sums over the "
            "dimensions of an example; the only mean is over the batch.",
        ),
        Mistake(
            "first term summed over the batch",
            _first_term_summed,
            "You sum the log-likelihood over the images of the batch and average the KL: the KL "
            "weighs B times too little.",
        ),
        Mistake(
            "KL without its half",
            _combined(-1.0, 2.0),
            "Your KL is twice the KL. What stands before the sum in equation 8.1?",
        ),
        Mistake(
            "standard deviation for variance",
            _sigma_for_variance,
            "Your KL has sigma where it should have its square: what does `exp(log_var)` give?",
        ),
        Mistake(
            "a sigmoid too many",
            _sigmoid_of_logits,
            "A sigmoid has been applied twice: `logits` go into the softplus form as they are.",
        ),
        Mistake(
            "not averaged",
            _not_averaged,
            "One loss for each image, and each is right: `backward` needs one number.",
        ),
        Mistake(
            "sum over the batch",
            _summed,
            "You sum over the batch, so the size of a step would depend on the batch size.",
        ),
        Mistake(
            "logarithm of a sigmoid",
            _log_of_sigmoid,
            "Right for moderate logits, but not for logits of ±50, of which one sigmoid is "
            "rounded to 1. Compute log p(x|z) from the logits, without the logarithm of a sigmoid.",
        ),
        Mistake(
            "softplus by hand",
            _with_overflow,
            "Right for moderate logits, but not for logits of ±800, whose exponential is infinite "
            "(in float32 that of 89 is). `F.softplus` has a way round it.",
        ),
    ),
)
