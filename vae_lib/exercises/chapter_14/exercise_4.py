"""Exercise 14.4: the area under the ROC curve of an alarm."""

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _area(normal: Tensor, odd: Tensor) -> Tensor:
    labels = [0] * len(normal) + [1] * len(odd)
    values = torch.cat([-normal, -odd]).tolist()
    return torch.tensor(roc_auc_score(labels, values), dtype=torch.float64)


def _densities(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, m, shift in ((9, 6, 1.0), (5, 11, -0.3)):
        normal = 3 * torch.randn(n, generator=generator, dtype=torch.float64)
        odd = 3 * torch.randn(m, generator=generator, dtype=torch.float64) - 3 * shift
        cases.append((normal, odd))
    # Whole numbers, with ties.
    normal = torch.tensor([3.0, 2.0, 2.0, 5.0], dtype=torch.float64)
    odd = torch.tensor([2.0, 1.0, 5.0], dtype=torch.float64)
    return [*cases, (normal, odd)]


def _wins(normal: Tensor, odd: Tensor, *, tie: float) -> Tensor:
    difference = normal[:, None] - odd[None]
    return ((difference > 0).double() + tie * (difference == 0).double()).mean()


def _of_means(normal: Tensor, odd: Tensor) -> Tensor:
    return (odd < normal.mean()).double().mean()


def _of_rows(normal: Tensor, odd: Tensor) -> Tensor:
    n = min(len(normal), len(odd))
    return (normal[:n] > odd[:n]).double().mean()


EXERCISE = Exercise(
    "14.4",
    oracle=_area,
    cases=_densities,
    mistakes=(
        Mistake(
            "other way round",
            lambda normal, odd: 1 - _area(normal, odd),
            "That is the share of pairs in which the odd image has the higher value.",
        ),
        Mistake(
            "ties lost",
            lambda normal, odd: _wins(normal, odd, tie=0.0),
            "Right where no two values are equal. A tie counts one half.",
        ),
        Mistake(
            "ties won",
            lambda normal, odd: _wins(normal, odd, tie=1.0),
            "You count ties as won. A tie counts one half.",
        ),
        Mistake(
            "number of pairs",
            lambda normal, odd: _area(normal, odd) * len(normal) * len(odd),
            "That is a number of pairs, and not their share.",
        ),
        Mistake(
            "against the mean",
            _of_means,
            "You compare with the mean of the normal values only: take all pairs.",
        ),
        Mistake(
            "row by row",
            _of_rows,
            "You compare the first with the first, the second with the second. Take each normal "
            "value with each odd one.",
        ),
        Mistake(
            "one for each normal image",
            lambda normal, odd: (
                (normal[:, None] > odd[None]).double()
                + 0.5 * (normal[:, None] == odd[None]).double()
            ).mean(1),
            "One share for each normal image: take the mean over these too.",
        ),
        Mistake(
            "one for each odd image",
            lambda normal, odd: (
                (normal[:, None] > odd[None]).double()
                + 0.5 * (normal[:, None] == odd[None]).double()
            ).mean(0),
            "One share for each odd image: take the mean over these too.",
        ),
    ),
)
