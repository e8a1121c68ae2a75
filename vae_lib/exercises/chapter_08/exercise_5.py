"""Exercise 8.5: a page of the latent plane."""

import torch
from scipy import stats
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _plane(n: int) -> Tensor:
    quantiles = stats.norm.ppf([(i + 0.5) / n for i in range(n)]).tolist()
    return torch.tensor([[z_1, z_2] for z_2 in reversed(quantiles) for z_1 in quantiles])


def _equal_steps(n: int) -> Tensor:
    low, high = stats.norm.ppf([0.5 / n, 1 - 0.5 / n])
    axis = torch.linspace(low, high, n)
    return torch.cartesian_prod(axis.flip(0), axis).flip(-1)


def _with_ends(n: int) -> Tensor:
    quantiles = torch.tensor(stats.norm.ppf(torch.linspace(0, 1, n).tolist()))
    return torch.cartesian_prod(quantiles.flip(0), quantiles).flip(-1)


def _without_half_steps(n: int) -> Tensor:
    quantiles = torch.tensor(stats.norm.ppf([(i + 1) / (n + 1) for i in range(n)]))
    return torch.cartesian_prod(quantiles.flip(0), quantiles).flip(-1)


EXERCISE = Exercise(
    "8.5",
    oracle=_plane,
    cases=lambda generator: [(4,), (7,)],
    mistakes=(
        Mistake(
            "equal steps in z",
            _equal_steps,
            "Your codes are at equal steps of z. Equal steps in *probability* come closer "
            "together where the prior is dense: `Normal.icdf`.",
        ),
        Mistake(
            "probabilities",
            lambda n: torch.special.ndtr(_plane(n)),
            "These are the probabilities. The codes are the quantiles there: `Normal.icdf`.",
        ),
        Mistake(
            "both ends",
            _with_ends,
            "The quantiles at probability 0 and 1 are infinite: begin half a step inside.",
        ),
        Mistake(
            "n + 1 steps",
            _without_half_steps,
            "Your probabilities are i / (n + 1): with half a step at either end they are "
            "(i + 1/2) / n, and each image stands for 1 / n of the prior.",
        ),
        Mistake(
            "upside down",
            lambda n: _plane(n) * torch.tensor([1.0, -1.0]),
            "Your page is upside down: the first row is the one with the largest z_2.",
        ),
        Mistake(
            "coordinates exchanged",
            lambda n: _plane(n).flip(-1),
            "Along a row z_1 should grow, but your z_2 changes: the columns are exchanged.",
        ),
        Mistake(
            "columns first",
            lambda n: _plane(n).reshape(n, n, 2).transpose(0, 1).reshape(n * n, 2),
            "You fill the page column by column: the second code belongs to the right of the "
            "first.",
        ),
        Mistake(
            "mirrored",
            lambda n: _plane(n) * torch.tensor([-1.0, 1.0]),
            "Left and right are exchanged: along a row z_1 should grow.",
        ),
    ),
)
