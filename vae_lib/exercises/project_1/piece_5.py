"""Exercise I.5: the two terms of the ELBO."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_1 import known
from vae_lib.exercises.trained import gradients, tensor

_N_IMAGES, _N_DRAWS = 4, 1500  # different images, and how often each stands in the batch
_LIMIT = 7.0  # standard errors, which a right answer passes once in 10¹¹
_GOOD = "the two terms, with their gradients"


def _elbo_terms(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    return _terms(encoder, decoder, x)


def _terms(
    encoder: nn.Module,
    decoder: nn.Module,
    x: Tensor,
    draw: Callable[[td.Independent], Tensor] = td.Independent.rsample,
) -> tuple[Tensor, Tensor]:
    mu, log_var = encoder(x).chunk(2, dim=-1)
    q_z = td.Independent(td.Normal(mu, log_var.exp().sqrt()), 1)
    p_z = td.Independent(td.Normal(torch.zeros_like(mu), 1.0), 1)
    log_px = td.Independent(td.Bernoulli(logits=decoder(draw(q_z))), 1).log_prob(x)
    return log_px, td.kl_divergence(q_z, p_z)


def _batches(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_pixels, n_times in ((6, _N_DRAWS), (9, _N_DRAWS), (6, 1)):
        networks = known.linear_networks(generator, n_pixels)
        x = known.images(generator, _N_IMAGES, n_pixels)
        cases.append((*networks, x.repeat(n_times, 1)))
    return cases


def _first_broken_law(terms: object, encoder: nn.Linear, decoder: nn.Linear, x: Tensor) -> str:
    log_px, kl = (tensor(term) for term in terms)
    if log_px.shape != (len(x),) or kl.shape != (len(x),):
        both = log_px.numel() == kl.numel() == 1
        return "one number for the batch" if both else _shapes(log_px, kl)
    return (
        _of_kl(kl, log_px, encoder, x)
        or (len(x) > _N_IMAGES and _of_log_px(log_px, encoder, decoder, x))
        or _of_gradients(log_px, kl, encoder, decoder)
        or _GOOD
    )


def _shapes(log_px: Tensor, kl: Tensor) -> str:
    shapes = f"{tuple(log_px.shape)} and {tuple(kl.shape)}"
    raise ValueError(f"one number of each for every image is wanted, and the shapes are {shapes}.")


def _of_kl(kl: Tensor, log_px: Tensor, encoder: nn.Linear, x: Tensor) -> str | None:
    exact = known.exact_kl(encoder, x)
    if _near(kl, exact):
        return None
    if _near(log_px, exact):
        return "the other order"
    mu, log_var = encoder(x).chunk(2, dim=-1)
    swapped = td.kl_divergence(td.Normal(log_var, (mu / 2).exp()), td.Normal(0.0, 1.0)).sum(-1)
    return "the halves swapped" if _near(kl, swapped) else "another KL"


def _near(got: Tensor, expected: Tensor) -> bool:
    return torch.allclose(got.double(), expected.double(), rtol=1e-3, atol=1e-4)


def _of_log_px(log_px: Tensor, encoder: nn.Linear, decoder: nn.Linear, x: Tensor) -> str | None:
    each = log_px.detach().double().reshape(-1, _N_IMAGES)  # draws of each image
    different = x[:_N_IMAGES]
    mean, variance = known.moments_of_log_px(encoder, decoder, different)
    if each.std(0).max() < 1e-4:
        at_mean = known.log_px_at(decoder, known.code_of(encoder, different).mean, different)
        return "no draw" if _near(each[0], at_mean) else "one draw for all"
    error = (variance / len(each)).sqrt()
    if ((each.mean(0) - mean).abs() <= _LIMIT * error).all():
        together = (each - mean).sum(1).var() / variance.sum()  # 1 where images share no noise
        return None if together < 1 + _LIMIT * math.sqrt(2 / len(each)) else "one draw for all"
    if ((each.mean(0) + mean).abs() <= _LIMIT * error).all():
        return "minus the log-likelihood"
    scaled = x.shape[1] * each.mean(0)
    return (
        "a mean over pixels"
        if ((scaled.abs() + mean).abs() <= _LIMIT * error * 2).all()
        else "another log-likelihood"
    )


def _of_gradients(log_px: Tensor, kl: Tensor, encoder: nn.Linear, decoder: nn.Linear) -> str | None:
    (to_encoder,) = gradients(log_px, encoder.weight)
    to_mu, to_log_var = to_encoder.chunk(2)
    of_kl = gradients(kl, encoder.weight)[0].chunk(2)
    to_decoder = gradients(log_px, decoder.weight)[0]
    if not to_encoder.any() and not of_kl[0].any() and not to_decoder.any():
        return "no gradient"
    if not to_mu.any() or not to_log_var.any():
        return "no gradient to the encoder"
    if not of_kl[0].any() or not of_kl[1].any():
        return "no gradient of the KL"
    return None if to_decoder.any() else "no gradient to the decoder"


def _changed(change: Callable[[Tensor, Tensor], tuple]) -> Callable:
    def wrong(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> tuple:
        return change(*_terms(encoder, decoder, x))

    return wrong


def _halves_swapped(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> tuple:
    return _terms(lambda x: encoder(x).roll(encoder(x).shape[-1] // 2, -1), decoder, x)


def _drawn(draw: Callable[[td.Independent], Tensor]) -> Callable:
    def wrong(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> tuple:
        return _terms(encoder, decoder, x, draw)

    return wrong


def _one_draw(q_z: td.Independent) -> Tensor:
    return q_z.mean + q_z.stddev * torch.randn(q_z.mean.shape[-1])


def _sigmoid_twice(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> tuple:
    return _terms(encoder, lambda z: torch.sigmoid(decoder(z)), x)


EXERCISE = Exercise(
    "I.5",
    oracle=_elbo_terms,
    cases=_batches,
    summarise=_first_broken_law,
    seconds=10.0,
    mistakes=(
        Mistake(
            "the other order",
            _changed(lambda log_px, kl: (kl, log_px)),
            "Your KL comes first: the log-likelihood first, then the KL.",
        ),
        Mistake(
            "halves swapped",
            _halves_swapped,
            "You take the second half of `encoder(x)` for the means and the first for the "
            "log-variances.",
        ),
        Mistake(
            "another KL",
            _changed(lambda log_px, kl: (log_px, 2 * kl)),
            "Your second part is not the KL of the codes that this encoder gives. Is it "
            "`kl_to_prior` of the `mu` and `log_var` of `encoder(x)`, with the encoder that is "
            "passed?",
        ),
        Mistake(
            "one number for the batch",
            _changed(lambda log_px, kl: (log_px.mean(), kl.mean())),
            "Each of your terms is one number for the whole batch. One for every image is asked "
            "for; the mean comes later, in the loop.",
        ),
        Mistake(
            "no draw",
            _drawn(lambda q_z: q_z.mean),
            "You decode the mean of q(z|x). The expectation is over draws of z.",
        ),
        Mistake(
            "one draw for all",
            _drawn(_one_draw),
            "Equal images get equal noise in one call. Every row of the batch needs its own.",
        ),
        Mistake(
            "minus the log-likelihood",
            _changed(lambda log_px, kl: (-log_px, kl)),
            "Your first part is minus the log-likelihood: it has the sign of a loss.",
        ),
        Mistake(
            "mean over pixels",
            lambda encoder, decoder, x: _changed(lambda a, b: (a / x.shape[1], b))(
                encoder, decoder, x
            ),
            "Your first part is averaged over pixels. It is a sum, in nats for the whole image.",
        ),
        Mistake(
            "another log-likelihood",
            _sigmoid_twice,
            "Your first part is not log p(x|z) at draws from q(z|x), averaged over many draws. Do "
            "the decoder's logits go into `log_likelihood` as they are, and is the draw's width σ?",
        ),
        Mistake(
            "no gradient",
            _changed(lambda log_px, kl: (log_px.detach(), kl.detach())),
            "The values are right, but no gradient flows: is there a `no_grad` or a `detach`?",
        ),
        Mistake(
            "no gradient to the encoder",
            _drawn(td.Independent.sample),
            "The values are right, but the log-likelihood gives means or log-variances no "
            "gradient: the draw is to pass it on.",
        ),
        Mistake(
            "no gradient of the KL",
            _changed(lambda log_px, kl: (log_px, kl.detach())),
            "The values are right, but the KL has no gradient: nothing would keep the codes near "
            "the prior.",
        ),
    ),
)
