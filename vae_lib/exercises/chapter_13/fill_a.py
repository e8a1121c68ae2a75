"""Fill-in 13.a: the decoder's input, a code and a one-hot label side by side."""

import torch
from torch import Tensor
from torch.nn import functional as F

from vae_lib.exercises import Exercise, Mistake


def _decoder_input(z: Tensor, labels: Tensor, n_classes: int) -> Tensor:
    """Row by row: zeros with a 1 put in its place."""
    result = torch.zeros(len(z), z.shape[1] + n_classes, dtype=z.dtype)
    for row, (code, label) in enumerate(zip(z, labels.tolist(), strict=True)):
        result[row, : z.shape[1]] = code
        result[row, z.shape[1] + label] = 1
    return result


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    # Never the highest class in the second: the number of classes is no matter of the labels.
    for n, latent_dim, n_classes, highest in [(5, 2, 3, 3), (4, 3, 6, 4)]:
        z = torch.randn(n, latent_dim, generator=generator, dtype=torch.float64)
        labels = torch.randint(highest, (n,), generator=generator)
        labels[0] = highest - 1
        cases.append((z, labels, n_classes))
    return cases


def _one_hot(labels: Tensor, n_classes: int, like: Tensor) -> Tensor:
    return F.one_hot(labels, n_classes).to(like.dtype)


EXERCISE = Exercise(
    "13.a",
    oracle=_decoder_input,
    cases=_cases,
    mistakes=(
        Mistake(
            "the label as a number",
            lambda z, labels, n_classes: torch.cat([z, labels[:, None].to(z.dtype)], 1),
            "You put the label beside the code as a single number. A class is a row of "
            "`n_classes` zeros with one 1.",
        ),
        Mistake(
            "the label first",
            lambda z, labels, n_classes: torch.cat([_one_hot(labels, n_classes, z), z], 1),
            "You have the label first; the code was to come first.",
        ),
        Mistake(
            "as many classes as there are in the batch",
            lambda z, labels, n_classes: torch.cat(
                [z, _one_hot(labels, int(labels.max()) + 1, z)], 1
            ),
            "The width of your rows depends on the labels that happen to be in the batch. "
            "`F.one_hot(labels, n_classes)` does not.",
        ),
        Mistake(
            "the label alone",
            lambda z, labels, n_classes: _one_hot(labels, n_classes, z),
            "That is the label alone. The decoder needs the code as well.",
        ),
    ),
)
