"""Exercise I.7: new images, and their means."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake, laws
from vae_lib.exercises.trained import tensor

_N = 2 * laws.MIN_ROWS
_GOOD = "means of codes from the prior, and draws at them"


def _sample(decoder: nn.Module, latent_dim: int, n: int) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        x_mean = torch.sigmoid(decoder(torch.randn(n, latent_dim)))
    return torch.bernoulli(x_mean), x_mean


def _decoders(generator: torch.Generator) -> list[tuple]:
    """Decoders from whose logits the codes can be read."""
    cases, earlier = [], []
    for latent_dim, n_pixels, n in ((3, 3, _N), (3, 3, _N), (2, 5, _N), (4, 6, 7)):
        decoder = nn.Linear(latent_dim, n_pixels)
        weight = torch.linalg.qr(torch.randn(n_pixels, latent_dim, generator=generator))[0]
        with torch.no_grad():
            decoder.weight.copy_(1.5 * weight)
            decoder.bias.copy_(0.5 * torch.randn(n_pixels, generator=generator))
        decoder.earlier = earlier
        cases.append((decoder, latent_dim, n))
    return cases


def _first_broken_law(images: object, decoder: nn.Linear, latent_dim: int, n: int) -> str:
    x, x_mean = (tensor(part).detach().double() for part in images)
    shape = (n, decoder.out_features)
    for part in (x, x_mean):
        if part.shape != shape:
            raise ValueError(f"shape {shape} is wanted for both, and one has {tuple(part.shape)}.")
    return _of_kinds(x, x_mean) or (n == _N and _of_laws(x, x_mean, decoder)) or _GOOD


def _of_kinds(x: Tensor, x_mean: Tensor) -> str | None:
    is_binary = [((part == 0) | (part == 1)).all() for part in (x, x_mean)]
    if is_binary == [False, True]:
        return "the means first"
    if is_binary[1]:
        return "draws twice"
    if not ((x_mean >= 0) & (x_mean <= 1)).all():
        return "logits for means"
    if is_binary[0]:
        return None
    return "means twice" if torch.equal(x, x_mean) else "draws that are not 0 or 1"


def _of_laws(x: Tensor, x_mean: Tensor, decoder: nn.Linear) -> str | None:
    logits = torch.logit(x_mean.clamp(1e-9, 1 - 1e-9))
    codes = (logits - decoder.bias.detach()) @ torch.linalg.pinv(decoder.weight.detach().double()).T
    if not torch.allclose(
        codes @ decoder.weight.detach().double().T + decoder.bias, logits, atol=0.01
    ):
        return "codes from elsewhere"
    u = torch.special.ndtr(codes)
    if len((1e4 * u[:, 0]).round().unique()) < len(u) / 3:
        return "codes that repeat"
    if not (laws.are_uniform(u) and laws.are_independent_columns(u)):
        return "codes from elsewhere"
    if not laws.are_independent_rows(u):
        return "codes that repeat"
    is_fresh = laws.are_independent_calls(u, decoder.earlier)
    decoder.earlier.append(u)
    return _of_draws(x, x_mean) if is_fresh else "the same codes again"


def _of_draws(x: Tensor, x_mean: Tensor) -> str | None:
    if torch.equal(x, (x_mean > 0.5).double()):
        return "thresholds"
    # 0 on average, with variance 1, and unrelated to each other, where x is drawn at its mean
    residual = (x - x_mean) / (x_mean * (1 - x_mean)).sqrt()
    limit = 1.25 * laws.LIMIT / math.sqrt(len(x))  # rare pixels have heavy tails
    related = torch.stack([residual.mean(0), 2 * (residual * (x_mean - 0.5)).mean(0)])
    if not (related.abs() < limit).all():
        return "draws at other means"
    among = (residual.T @ residual / len(x)).fill_diagonal_(0)
    return None if (among.abs() < 2 * limit).all() else "one draw for all pixels"


def _changed(change: Callable[[Tensor], tuple]) -> Callable:
    def wrong(decoder: nn.Module, latent_dim: int, n: int) -> tuple:
        return change(_sample(decoder, latent_dim, n)[1])

    return wrong


def _from(draw: Callable[[int, int], Tensor]) -> Callable:
    def wrong(decoder: nn.Module, latent_dim: int, n: int) -> tuple:
        x_mean = torch.sigmoid(decoder(draw(n, latent_dim)))
        return torch.bernoulli(x_mean), x_mean

    return wrong


def _other_codes(decoder: nn.Module, latent_dim: int, n: int) -> tuple:
    return _sample(decoder, latent_dim, n)[0], _sample(decoder, latent_dim, n)[1]


def _seeded(n: int, latent_dim: int) -> Tensor:
    return torch.randn(n, latent_dim, generator=torch.Generator().manual_seed(0))


def _one_uniform(x_mean: Tensor) -> tuple:
    return (torch.rand(len(x_mean), 1) < x_mean).float(), x_mean


EXERCISE = Exercise(
    "I.7",
    oracle=_sample,
    cases=_decoders,
    summarise=_first_broken_law,
    seconds=10.0,
    mistakes=(
        Mistake(
            "means first",
            _changed(lambda x_mean: (x_mean, torch.bernoulli(x_mean))),
            "Your means come first: the draws first, then their means.",
        ),
        Mistake(
            "draws twice",
            _changed(lambda x_mean: (torch.bernoulli(x_mean), torch.bernoulli(x_mean))),
            "Your means are 0 or 1 themselves: the mean of a pixel is a probability.",
        ),
        Mistake(
            "means twice",
            _changed(lambda x_mean: (x_mean, x_mean)),
            "You return the means twice. A draw is an image of zeros and ones.",
        ),
        Mistake(
            "logits for means",
            _changed(lambda x_mean: (torch.bernoulli(x_mean), torch.logit(x_mean))),
            "Your means are not all between 0 and 1. What makes probabilities of logits?",
        ),
        Mistake(
            "not 0 or 1",
            _changed(lambda x_mean: (x_mean + 0.1 * torch.randn_like(x_mean), x_mean)),
            "Your draws are not all 0 or 1.",
        ),
        Mistake(
            "thresholds",
            _changed(lambda x_mean: ((x_mean > 0.5).float(), x_mean)),
            "Your draws are black exactly where the mean exceeds one half: nothing is drawn there.",
        ),
        Mistake(
            "draws at other means",
            _other_codes,
            "Your draws do not go with your means: for both, the same codes are to be decoded.",
        ),
        Mistake(
            "one draw for all pixels",
            _changed(_one_uniform),
            "The pixels of one of your draws go together more than independent ones would.",
        ),
        Mistake(
            "codes that repeat",
            _from(lambda n, latent_dim: torch.randn(1, latent_dim).expand(n, -1)),
            "Your codes repeat: every image needs a draw of its own from the prior.",
        ),
        Mistake(
            "codes from elsewhere",
            _from(torch.rand),
            "Your means are not what this decoder makes of draws from the prior N(0, I).",
        ),
        Mistake(
            "same codes again",
            _from(_seeded),
            "A second call gives the same codes as the first: do you set a seed inside?",
        ),
    ),
)
