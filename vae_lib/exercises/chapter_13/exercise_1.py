"""Exercise 13.1: every code with every class."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _styles_by_classes(z: Tensor, n_classes: int) -> Tensor:
    """One entry at a time."""
    result = torch.zeros(len(z), n_classes, z.shape[1] + n_classes, dtype=z.dtype)
    for k, code in enumerate(z):
        for c in range(n_classes):
            result[k, c, : z.shape[1]] = code
            result[k, c, z.shape[1] + c] = 1
    return result


def _cases(generator: torch.Generator) -> list[tuple]:
    return [
        (torch.randn(n, latent_dim, generator=generator, dtype=torch.float64), n_classes)
        for n, latent_dim, n_classes in [(5, 2, 3), (2, 3, 4)]
    ]


def _wrong_order(z: Tensor, n_classes: int) -> Tensor:
    """Rows of classes, each with all codes, forced into the shape that was asked for."""
    by_class = _styles_by_classes(z, n_classes).transpose(0, 1)
    return by_class.reshape(len(z), n_classes, -1)


def _label_first(z: Tensor, n_classes: int) -> Tensor:
    both = _styles_by_classes(z, n_classes)
    return torch.cat([both[..., z.shape[1] :], both[..., : z.shape[1]]], dim=-1)


EXERCISE = Exercise(
    "13.1",
    oracle=_styles_by_classes,
    cases=_cases,
    mistakes=(
        Mistake(
            "classes first",
            lambda z, n_classes: _styles_by_classes(z, n_classes).transpose(0, 1),
            "Your first axis has the classes and your second the codes; it was to be the other "
            "way round.",
        ),
        Mistake(
            "reshaped into place",
            _wrong_order,
            "Your shape is right, but a row mixes codes: the entries were laid out class by "
            "class, and `reshape` does not exchange axes.",
        ),
        Mistake(
            "label first",
            _label_first,
            "You have the class first in each row; the code was to come first.",
        ),
        Mistake(
            "flat",
            lambda z, n_classes: _styles_by_classes(z, n_classes).flatten(0, 1),
            "The rows are right, but in one axis: codes and classes were to have an axis each.",
        ),
        Mistake(
            "class as a number",
            lambda z, n_classes: torch.cat(
                [
                    z[:, None].expand(-1, n_classes, -1),
                    torch.arange(n_classes).to(z.dtype).expand(len(z), -1)[..., None],
                ],
                dim=-1,
            ),
            "You put the class beside the code as one number. It is to be a row of zeros with a "
            "single 1.",
        ),
    ),
)
