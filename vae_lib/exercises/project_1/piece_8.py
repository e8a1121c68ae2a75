"""Exercise I.8: what a VAE is worth on images that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_1 import known
from vae_lib.exercises.trained import tensor

_LIMIT = 7.0  # standard errors of one draw an image, which a right answer passes once in 10¹¹
_GOOD = "the mean ELBO"


def _held_out_elbo(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> float:
    return known.exact_elbo(encoder, decoder, x).mean().item()


def _sets(generator: torch.Generator) -> list[tuple]:
    """Many images with wide codes and some with narrow ones, the least probable ones last."""
    cases = []
    for n, n_pixels, log_var in ((1200, 6, 0.5), (130, 8, -16.0)):
        networks = known.linear_networks(generator, n_pixels, log_var=log_var)
        x = known.images(generator, n, n_pixels)
        about = known.log_px_at(networks[1], known.code_of(networks[0], x).mean, x)
        order = (about - known.exact_kl(networks[0], x)).argsort(descending=True)
        cases.append((*networks, x[order]))
    return cases


def _first_broken_law(value: object, encoder: nn.Module, decoder: nn.Module, x: Tensor) -> str:
    value = tensor(value).double()
    if value.numel() != 1:
        raise ValueError(f"one number is wanted, and its shape is {tuple(value.shape)}.")
    if value.requires_grad:
        return "with a graph"
    value = value.item()
    log_px, variance = known.moments_of_log_px(encoder, decoder, x)
    kl = known.exact_kl(encoder, x).detach()
    error = _LIMIT * math.sqrt(variance.mean().item() / len(x)) + 1e-3
    at_mean = known.log_px_at(decoder, known.code_of(encoder, x).mean, x).detach()
    candidates = _candidates(log_px, kl, at_mean, x.shape[1])
    if abs(value - candidates[0][1]) <= error:
        return _GOOD
    slips = [*candidates[1:], *_by_batches(log_px - kl)]
    far, nearest = min((abs(value - v) / (scale * error), name) for name, v, scale in slips)
    if far <= 1:
        return nearest
    return "more than the ELBO" if value > candidates[0][1] else "less than the ELBO"


def _candidates(
    log_px: Tensor, kl: Tensor, at_mean: Tensor, n_pixels: int
) -> list[tuple[str, float, float]]:
    """What different slips give, each with its multiple of the error of the mean."""
    elbo = log_px - kl
    slips = {
        _GOOD: (elbo, 1),
        "the loss": (-elbo, 1),
        "a sum": (elbo * len(elbo), len(elbo)),
        "a pixel's": (elbo / n_pixels, 1 / n_pixels),
        "no KL": (log_px, 1),
        "the KL added": (log_px + kl, 1),
        "no draw": (at_mean - kl, 0.1),
    }
    return [(name, values.mean().item(), scale) for name, (values, scale) in slips.items()]


def _by_batches(elbo: Tensor) -> list[tuple[str, float, float]]:
    """What comes of the first batch alone, and of a mean over batches of which one is short."""
    found = []
    for size in (16, 32, 50, 64, 100, 128, 200, 256, 500, 512):
        means = torch.stack([part.mean() for part in elbo.split(size)])
        found.append(("the first batch", means[0].item(), math.sqrt(max(len(elbo) / size, 1))))
        found.append(("a mean of means", means.mean().item(), 1))
    return found


def _from_terms(combine: Callable[[Tensor, Tensor], Tensor]) -> Callable:
    def wrong(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> float:
        log_px, _ = known.moments_of_log_px(encoder, decoder, x)
        return combine(log_px, known.exact_kl(encoder, x).detach()).item()

    return wrong


def _mean_of_means(log_px: Tensor, kl: Tensor) -> Tensor:
    return torch.stack([part.mean() for part in (log_px - kl).split(128)]).mean()


def _no_draw(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> float:
    log_px = known.log_px_at(decoder, known.code_of(encoder, x).mean, x)
    return (log_px - known.exact_kl(encoder, x)).mean().item()


def _for_a_pixel(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> float:
    return _held_out_elbo(encoder, decoder, x) / x.shape[1]


def _with_graph(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> Tensor:
    return _held_out_elbo(encoder, decoder, x) + 0 * known.exact_kl(encoder, x).mean()


EXERCISE = Exercise(
    "I.8",
    oracle=_held_out_elbo,
    cases=_sets,
    summarise=_first_broken_law,
    seconds=10.0,
    mistakes=(
        Mistake(
            "loss",
            _from_terms(lambda log_px, kl: (kl - log_px).mean()),
            "That is the loss: the ELBO has the other sign.",
        ),
        Mistake(
            "sum",
            _from_terms(lambda log_px, kl: (log_px - kl).sum()),
            "You add up the images. A mean can be compared between sets of different sizes.",
        ),
        Mistake(
            "no KL",
            _from_terms(lambda log_px, kl: log_px.mean()),
            "That is the log-likelihood at draws from q(z|x) alone. The codes' cost is missing.",
        ),
        Mistake(
            "for a pixel",
            _for_a_pixel,
            "That is the ELBO of a pixel. Nats for a whole image are asked for.",
        ),
        Mistake(
            "first batch",
            _from_terms(lambda log_px, kl: (log_px - kl)[:128].mean()),
            "That is the mean of the first images alone.",
        ),
        Mistake(
            "mean of means",
            _from_terms(_mean_of_means),
            "You average batches of different sizes, and the images of the short one count for "
            "more than the others.",
        ),
        Mistake(
            "KL added",
            _from_terms(lambda log_px, kl: (log_px + kl).mean()),
            "You add the KL. It is a cost.",
        ),
        Mistake(
            "no draw",
            _no_draw,
            "You decode the means of q(z|x). The ELBO averages over draws, and is smaller.",
        ),
        Mistake(
            "with a graph",
            _with_graph,
            "The value is a tensor that still holds its graph: nothing is to be learned here, so "
            "compute it under `torch.no_grad()` and return a number.",
        ),
    ),
)
