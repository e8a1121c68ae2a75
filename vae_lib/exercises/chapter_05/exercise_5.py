"""Exercise 5.5: a categorical distribution over grey levels."""

import math

import torch
from torch import Tensor
from torch.distributions import Categorical

from vae_lib.exercises import Exercise, Mistake


def _level(x: Tensor, n_levels: int) -> Tensor:
    return (x.double() * (n_levels - 1)).round().long()


def _log_p(logits: Tensor, x: Tensor) -> Tensor:
    """log P of each pixel's level."""
    return Categorical(logits=logits).log_prob(_level(x, logits.shape[-1]))


def _log_probability(logits: Tensor, x: Tensor) -> Tensor:
    return _log_p(logits, x).sum(-1)


def _grey_images(generator: torch.Generator) -> list[tuple]:
    # Of 100 levels in float32 eight come out a little too small when they are multiplied again.
    cases = []
    for n_images, n_pixels, n_levels in ((3, 40, 17), (2, 300, 100)):
        levels = torch.randint(n_levels, (n_images, n_pixels), generator=generator)
        levels[:, 0], levels[:, 1] = 0, n_levels - 1
        logits = 2 * torch.randn(n_images, n_pixels, n_levels, generator=generator)
        cases.append((logits + 1, levels.float() / (n_levels - 1)))
    return cases


def _truncated(logits: Tensor, x: Tensor) -> Tensor:
    level = (x * (logits.shape[-1] - 1)).long()
    return Categorical(logits=logits).log_prob(level).sum(-1)


def _one_too_far(logits: Tensor, x: Tensor) -> Tensor:
    level = (x * logits.shape[-1]).round().long().clamp(max=logits.shape[-1] - 1)
    return Categorical(logits=logits).log_prob(level).sum(-1)


def _unnormalised(logits: Tensor, x: Tensor) -> Tensor:
    return logits.gather(-1, _level(x, logits.shape[-1])[..., None])[..., 0].sum(-1)


EXERCISE = Exercise(
    "5.5",
    oracle=_log_probability,
    cases=_grey_images,
    rtol=1e-4,
    mistakes=(
        Mistake(
            "cut off",
            _truncated,
            "A pixel here and there gets the level below its own: in single precision 7/99 times "
            "99 is 6.9999995, and a conversion to whole numbers cuts that off. Round first.",
        ),
        Mistake(
            "as many steps as levels",
            _one_too_far,
            "The darker half of the pixels gets the level above its own. Levels 0 to K - 1 were "
            "divided by K - 1: by what do you multiply?",
        ),
        Mistake(
            "not normalised",
            _unnormalised,
            "You add up the logits themselves. What makes probabilities of K logits, which add up "
            "to 1 over the levels?",
        ),
        Mistake(
            "mean over pixels",
            lambda logits, x: _log_p(logits, x).mean(-1),
            "The logarithm of a product over pixels is their sum, not their mean.",
        ),
        Mistake(
            "not summed",
            _log_p,
            "These are the log-probabilities of the single pixels. What makes the image's of them?",
        ),
        Mistake(
            "sign",
            lambda logits, x: -_log_probability(logits, x),
            "That is a cost, and positive. The logarithm of a probability is asked for.",
        ),
        Mistake(
            "bits",
            lambda logits, x: _log_probability(logits, x) / math.log(2),
            "These are bits. Nats are asked for: the natural logarithm.",
        ),
        Mistake(
            "probabilities for logits",
            lambda logits, x: _log_probability(torch.softmax(logits, -1), x),
            "The softmax has been applied twice: what you normalise are probabilities already.",
        ),
    ),
)
