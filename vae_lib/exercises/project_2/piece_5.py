"""Exercise II.5: the two terms of the conditional ELBO."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake, laws
from vae_lib.exercises.project_2 import known
from vae_lib.exercises.project_2.band import SIGMA
from vae_lib.exercises.trained import gradients, tensor

_N_DIFFERENT, _N_DRAWS = 4, 1500  # different pictures, and how often each stands in the batch
_LIMIT = 7.0  # standard errors, which a right answer passes once in 10¹¹
_GOOD = "the two terms, with their gradients"


def _elbo_terms(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor) -> tuple:
    return _terms(encoder, decoder, x, y)


def _terms(
    encoder: nn.Module,
    decoder: nn.Module,
    x: Tensor,
    y: Tensor,
    draw: Callable[[td.Independent], Tensor] = td.Independent.rsample,
) -> tuple[Tensor, Tensor]:
    mu, log_var = encoder(torch.cat([x, y], dim=1)).chunk(2, dim=-1)
    q_z = td.Independent(td.Normal(mu, log_var.exp().sqrt()), 1)
    p_z = td.Independent(td.Normal(torch.zeros_like(mu), 1.0), 1)
    p_x = td.Independent(td.Normal(decoder(torch.cat([draw(q_z), y], dim=1)), SIGMA), 1)
    return p_x.log_prob(x), td.kl_divergence(q_z, p_z)


def _batches(generator: torch.Generator) -> list[tuple]:
    cases, earlier = [], []
    for n_values, n_classes, n_times in ((6, 3, _N_DRAWS), (9, 2, _N_DRAWS), (6, 3, 1)):
        networks = known.linear_networks(generator, n_values, n_classes)
        networks[0].earlier = earlier
        y = known.labels(generator, _N_DIFFERENT, n_classes)
        x = known.drawn(generator, networks[1], y)
        cases.append((*networks, x.repeat(n_times, 1), y.repeat(n_times, 1)))
    return cases


def _first_broken_law(
    terms: object, encoder: nn.Linear, decoder: nn.Linear, x: Tensor, y: Tensor
) -> str:
    log_px, kl = (tensor(term) for term in terms)
    if log_px.shape != (len(x),) or kl.shape != (len(x),):
        if log_px.numel() == kl.numel() == 1:
            return "one number for the batch"
        shapes = f"{tuple(log_px.shape)} and {tuple(kl.shape)}"
        raise ValueError(f"a number of each for every picture is wanted; the shapes are {shapes}.")
    return (
        _of_kl(kl, log_px, encoder, x, y)
        or (len(x) > _N_DIFFERENT and _of_log_px(log_px, encoder, decoder, x, y))
        or _of_gradients(log_px, kl, encoder, decoder)
        or _GOOD
    )


def _of_kl(kl: Tensor, log_px: Tensor, encoder: nn.Linear, x: Tensor, y: Tensor) -> str | None:
    exact = known.exact_kl(encoder, x, y)
    if _near(kl, exact):
        return None
    mu, log_var = encoder(known.beside(x, y)).chunk(2, dim=-1)
    swapped = td.kl_divergence(td.Normal(log_var, (mu / 2).exp()), td.Normal(0.0, 1.0)).sum(-1)
    slips = {
        "the other order": (log_px, exact),
        "the halves swapped": (kl, swapped),
        "no label for the encoder": (kl, known.exact_kl(encoder, x, 0 * y)),
        "a mean over latent dimensions": (known.LATENT_DIM * kl, exact),
        "a KL averaged over values": (x.shape[1] * kl, exact),
    }
    found = [name for name, (got, expected) in slips.items() if _near(got, expected)]
    each = (kl - exact).detach().double().reshape(-1, _N_DIFFERENT)
    if len(each) > 1 and each.std(0).min() > 1e-3 and _agrees(each, 0.0, each.var(0)):
        return "a KL by draws"
    return found[0] if found else "another KL"


def _near(got: Tensor, expected: Tensor) -> bool:
    return torch.allclose(got.double(), expected.double(), rtol=1e-3, atol=1e-4)


def _of_log_px(
    log_px: Tensor, encoder: nn.Linear, decoder: nn.Linear, x: Tensor, y: Tensor
) -> str | None:
    each = log_px.detach().double().reshape(-1, _N_DIFFERENT)  # draws of each picture
    x, y = x[:_N_DIFFERENT], y[:_N_DIFFERENT]
    mean, variance = known.moments_of_log_px(encoder, decoder, x, y)
    if each.std(0).max() < 1e-4:
        at_mean = known.log_px_at(decoder, known.code_of(encoder, x, y).mean, x, y)
        return "no draw" if _near(each[0], at_mean) else "one draw for all"
    if _agrees(each, mean, variance):
        together = (each - mean).sum(1).var() / variance.sum()  # 1 where pictures share no noise
        if together >= 1 + _LIMIT * math.sqrt(4 / len(each)):
            return "one draw for all"
        encoder.earlier.append(each.argsort(0).argsort(0) / len(each))  # ranks, uniform
        *earlier, ranks = encoder.earlier
        return None if laws.are_independent_calls(ranks, earlier) else "the same draws again"
    slips = {
        "minus the log-likelihood": -each,
        "a mean over values": x.shape[1] * each,
        "no constant": each - x.shape[1] * math.log(SIGMA * math.sqrt(2 * math.pi)),
    }
    found = [name for name, values in slips.items() if _agrees(values, mean, variance)]
    unlabelled = known.moments_of_log_px(encoder, decoder, x, y, decoded_with=0 * y)
    if _agrees(each, *unlabelled):
        found.append("no label for the decoder")
    return found[0] if found else "another log-likelihood"


def _agrees(each: Tensor, mean: Tensor | float, variance: Tensor) -> bool:
    error = (each.mean(0) - mean).abs()
    return bool((error <= 1.3 * _LIMIT * (variance / len(each)).sqrt()).all())


def _of_gradients(log_px: Tensor, kl: Tensor, encoder: nn.Linear, decoder: nn.Linear) -> str | None:
    to_encoder, to_decoder = gradients(log_px, encoder.weight, decoder.weight)
    of_kl = gradients(kl, encoder.weight)[0].chunk(2)
    if not to_encoder.any() and not of_kl[0].any() and not to_decoder.any():
        return "no gradient"
    if not all(half.any() for half in to_encoder.chunk(2)):
        return "no gradient to the encoder"
    if not all(half.any() for half in of_kl):
        return "no gradient of the KL"
    return None if to_decoder.any() else "no gradient to the decoder"


def _changed(change: Callable[[Tensor, Tensor, int], tuple]) -> Callable:
    """By the two terms, and the number of values of a picture."""

    def wrong(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor) -> tuple:
        return change(*_terms(encoder, decoder, x, y), x.shape[1])

    return wrong


def _drawn(draw: Callable[[td.Independent], Tensor]) -> Callable:
    def wrong(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor) -> tuple:
        return _terms(encoder, decoder, x, y, draw)

    return wrong


def _seeded(q_z: td.Independent) -> Tensor:
    noise = torch.randn(q_z.mean.shape, generator=torch.Generator().manual_seed(0))
    return q_z.mean + q_z.stddev * noise


EXERCISE = Exercise(
    "II.5",
    oracle=_elbo_terms,
    cases=_batches,
    summarise=_first_broken_law,
    seconds=15.0,
    mistakes=(
        Mistake(
            "the other order",
            _changed(lambda log_px, kl, n: (kl, log_px)),
            "Your KL comes first: the log-likelihood first, then the KL.",
        ),
        Mistake(
            "halves swapped",
            lambda encoder, decoder, x, y: _terms(
                lambda rows: encoder(rows).roll(known.LATENT_DIM, -1), decoder, x, y
            ),
            "You take the second half of the encoder's numbers for the means and the first for the "
            "log-variances.",
        ),
        Mistake(
            "encoder untold",
            lambda encoder, decoder, x, y: _terms(
                lambda rows: encoder(known.beside(rows[:, : x.shape[1]], 0 * y)), decoder, x, y
            ),
            "Your KL is that of an encoder that is given zeros for the label. It is to be told.",
        ),
        Mistake(
            "mean over latent dimensions",
            _changed(lambda log_px, kl, n: (log_px, kl / known.LATENT_DIM)),
            "Your KL is averaged over latent dimensions. It is their sum.",
        ),
        Mistake(
            "KL by draws",
            _changed(lambda log_px, kl, n: (log_px, kl + torch.randn_like(kl))),
            "Your KL is right on average over many draws, and each value has noise. That of two "
            "Gaussians is known without a draw (chapter 6).",
        ),
        Mistake(
            "another KL",
            _changed(lambda log_px, kl, n: (log_px, 2 * kl)),
            "Your second part is not the KL of the codes that this encoder gives to these pictures "
            "and labels. Does y stand behind x, is the second half log σ² to you, and is the one "
            "half there?",
        ),
        Mistake(
            "one number for the batch",
            _changed(lambda log_px, kl, n: (log_px.mean(), kl.mean())),
            "Each of your terms is one number for the whole batch. One for every picture is asked "
            "for; the mean comes later, in the loop.",
        ),
        Mistake(
            "no draw",
            _drawn(lambda q_z: q_z.mean),
            "You decode the mean of q(z|x, y). The expectation is over draws of z.",
        ),
        Mistake(
            "one draw for all",
            _drawn(lambda q_z: q_z.mean + q_z.stddev * torch.randn(q_z.mean.shape[-1])),
            "The rows of a batch share their noise. Every row needs its own.",
        ),
        Mistake(
            "the same again",
            _drawn(_seeded),
            "Every call draws the same noise. Is there a seed inside the function?",
        ),
        Mistake(
            "decoder untold",
            lambda encoder, decoder, x, y: _terms(
                encoder,
                lambda rows: decoder(known.beside(rows[:, : known.LATENT_DIM], 0 * y)),
                x,
                y,
            ),
            "Your first part is that of a decoder that is given zeros for the label. It is to be "
            "told.",
        ),
        Mistake(
            "minus the log-likelihood",
            _changed(lambda log_px, kl, n: (-log_px, kl)),
            "Your first part is minus the log-likelihood: it has the sign of a loss.",
        ),
        Mistake(
            "mean over values",
            _changed(lambda log_px, kl, n: (log_px / n, kl)),
            "Your first part is averaged over the values of a picture. It is a sum, in nats for "
            "the whole picture.",
        ),
        Mistake(
            "KL over values",
            _changed(lambda log_px, kl, n: (log_px, kl / n)),
            "Your KL is divided by the number of values of a picture. It is a sum over latent "
            "dimensions, in nats, and divided by nothing.",
        ),
        Mistake(
            "no constant",
            _changed(
                lambda log_px, kl, n: (log_px + n * math.log(SIGMA * math.sqrt(2 * math.pi)), kl)
            ),
            "Your first part lacks the normalisation of the Gaussian. Is it `log_likelihood`?",
        ),
        Mistake(
            "another log-likelihood",
            _changed(lambda log_px, kl, n: (log_px / 2, kl)),
            "Your first part is not log p(x|z, y) at draws from q(z|x, y), averaged over many "
            "draws. Are z and y beside each other in the order that the decoder wants, and is the "
            "draw's width σ?",
        ),
        Mistake(
            "no gradient",
            _changed(lambda log_px, kl, n: (log_px.detach(), kl.detach())),
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
            _changed(lambda log_px, kl, n: (log_px, kl.detach())),
            "The values are right, but the KL has no gradient: nothing would keep the codes near "
            "the prior.",
        ),
    ),
)
