"""Exercise II.7: pictures of the classes that are asked for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake, laws
from vae_lib.exercises.project_2 import known
from vae_lib.exercises.trained import tensor

_N, _LATENT_DIM, _N_CLASSES = 2 * laws.MIN_ROWS, 3, 3
_GOOD = "means at codes from the prior, each with the label that was asked for"


def _sample(decoder: nn.Module, y: Tensor, latent_dim: int) -> Tensor:
    return _at(torch.randn(len(y), latent_dim), decoder, y)


def _at(z: Tensor, decoder: nn.Module, y: Tensor) -> Tensor:
    with torch.no_grad():
        return decoder(torch.cat([z, y], dim=1))


def _decoders(generator: torch.Generator) -> list[tuple]:
    """Decoders from whose means both codes and labels can be read."""
    cases, earlier = [], []
    for n_values, n in ((6, _N), (6, _N), (8, 7)):
        decoder = nn.Linear(_LATENT_DIM + _N_CLASSES, n_values)
        square = torch.randn(n_values, n_values, generator=generator)
        with torch.no_grad():
            decoder.weight.copy_(torch.linalg.qr(square)[0][:, : _LATENT_DIM + _N_CLASSES])
            decoder.bias.copy_(0.5 * torch.randn(n_values, generator=generator))
        decoder.earlier = earlier
        cases.append((decoder, known.labels(generator, n, _N_CLASSES), _LATENT_DIM))
    return cases


def _first_broken_law(x_mean: object, decoder: nn.Linear, y: Tensor, latent_dim: int) -> str:
    x_mean = tensor(x_mean).detach().double()
    shape = (len(y), decoder.out_features)
    if x_mean.shape != shape:
        raise ValueError(f"shape {shape} is wanted, and yours is {tuple(x_mean.shape)}.")
    inputs = (x_mean - decoder.bias.detach()) @ decoder.weight.detach().double()
    again = inputs @ decoder.weight.detach().double().T + decoder.bias.detach()
    if not torch.allclose(again, x_mean, atol=1e-3):
        return "no means of the decoder's"
    z, told = inputs[:, :latent_dim], inputs[:, latent_dim:]
    return _of_labels(z, told, y) or (len(y) == _N and _of_codes(z, decoder)) or _GOOD


def _of_labels(z: Tensor, told: Tensor, y: Tensor) -> str | None:
    if torch.allclose(told, y.double(), atol=1e-3):
        return None
    if torch.allclose(z, y.double(), atol=1e-3):
        return "the label first"
    if told.abs().max() < 1e-3:
        return "no label"
    is_one_hot = ((told - told.round()).abs() < 1e-3).all() and (told.round().sum(1) == 1).all()
    return "other labels" if is_one_hot else "no labels at all"


def _of_codes(z: Tensor, decoder: nn.Linear) -> str | None:
    if z.std(0).max() < 1e-4:
        return "no draw" if z.abs().max() < 1e-4 else "one code for all"
    u, standard = torch.special.ndtr(z), (z[:, 0] - z[:, 0].mean()) / z[:, 0].std()
    if len((1e4 * torch.special.ndtr(standard)).round().unique()) < len(u) / 3:
        return "codes that repeat"
    if not (laws.are_uniform(u) and laws.are_independent_columns(u)):
        return "codes from elsewhere"
    if not laws.are_independent_rows(u):
        return "codes that repeat"
    is_fresh = laws.are_independent_calls(u, decoder.earlier)
    decoder.earlier.append(u)
    return None if is_fresh else "the same codes again"


def _from(draw: Callable[[Tensor, int], Tensor]) -> Callable:
    def wrong(decoder: nn.Module, y: Tensor, latent_dim: int) -> Tensor:
        return _at(draw(y, latent_dim), decoder, y)

    return wrong


def _told(change: Callable[[Tensor], Tensor]) -> Callable:
    def wrong(decoder: nn.Module, y: Tensor, latent_dim: int) -> Tensor:
        return _sample(decoder, change(y), latent_dim)

    return wrong


def _label_first(decoder: nn.Module, y: Tensor, latent_dim: int) -> Tensor:
    with torch.no_grad():
        return decoder(torch.cat([y, torch.randn(len(y), latent_dim)], dim=1))


def _noisy(decoder: nn.Module, y: Tensor, latent_dim: int) -> Tensor:
    x_mean = _sample(decoder, y, latent_dim)
    return torch.cat([x_mean, x_mean])[: len(y)] + 0.1 * torch.randn_like(x_mean)


def _seeded(y: Tensor, latent_dim: int) -> Tensor:
    return torch.randn(len(y), latent_dim, generator=torch.Generator().manual_seed(0))


def _repeated(y: Tensor, latent_dim: int) -> Tensor:
    return torch.randn(_N // 8, latent_dim).repeat(8, 1)[: len(y)]


EXERCISE = Exercise(
    "II.7",
    oracle=_sample,
    cases=_decoders,
    summarise=_first_broken_law,
    seconds=10.0,
    mistakes=(
        Mistake(
            "label first",
            _label_first,
            "Your decoder is given the label first. It takes the code and then the label.",
        ),
        Mistake(
            "no label",
            _told(torch.zeros_like),
            "Your decoder is given zeros for the label: nothing is asked of it.",
        ),
        Mistake(
            "other labels",
            _told(lambda y: y.roll(1, dims=1)),
            "Your decoder is given labels, and not those of `y` row by row.",
        ),
        Mistake(
            "no draw",
            _from(lambda y, latent_dim: torch.zeros(len(y), latent_dim)),
            "You decode the prior's mean each time. A code is to be drawn.",
        ),
        Mistake(
            "one code for all",
            _from(lambda y, latent_dim: torch.randn(1, latent_dim).expand(len(y), -1)),
            "All your pictures have one code. Each row of `y` needs a draw of its own.",
        ),
        Mistake(
            "repeated",
            _from(_repeated),
            "Some of your codes stand in several rows. Each row needs a draw of its own.",
        ),
        Mistake(
            "another law",
            _from(lambda y, latent_dim: torch.rand(len(y), latent_dim)),
            "Your codes do not come from the prior: independent standard normal numbers.",
        ),
        Mistake(
            "the same again",
            _from(_seeded),
            "Every call gives the same codes. Is there a seed inside the function?",
        ),
        Mistake(
            "no means",
            _noisy,
            "What you return are not the decoder's means. Has noise been added, or has something "
            "been clipped?",
        ),
    ),
)
