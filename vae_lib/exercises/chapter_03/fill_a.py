"""Fill-in 3.a: p(x) as an average over codes."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _density(prior: Tensor, p_x_given_z: Tensor) -> Tensor:
    return torch.einsum("k,kn->n", prior, p_x_given_z)


def _tables(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_codes, n_images in ((3, 4), (5, 2)):
        prior = torch.rand(n_codes, generator=generator, dtype=torch.float64) + 0.1
        densities = 3 * torch.rand(n_codes, n_images, generator=generator, dtype=torch.float64)
        cases.append((prior / prior.sum(), densities + 0.1))
    return cases


EXERCISE = Exercise(
    "3.a",
    oracle=_density,
    cases=_tables,
    mistakes=(
        Mistake(
            "plain mean",
            lambda prior, p_x_given_z: p_x_given_z.mean(0),
            "You take every code as equally probable. `prior` says how probable each of them is.",
        ),
        Mistake(
            "plain sum",
            lambda prior, p_x_given_z: p_x_given_z.sum(0),
            "You add up the densities as they are. Each counts with the probability of its code.",
        ),
        Mistake(
            "not summed",
            lambda prior, p_x_given_z: prior[:, None] * p_x_given_z,
            "These are the contributions of the single codes. What makes p(x) of them?",
        ),
        Mistake(
            "mean of the contributions",
            lambda prior, p_x_given_z: (prior[:, None] * p_x_given_z).mean(0),
            "You divide by the number of codes as well: the probabilities add up to 1 already.",
        ),
        Mistake(
            "sum over images",
            lambda prior, p_x_given_z: (prior[:, None] * p_x_given_z).sum(1),
            "You add up over the images. Codes are on the first axis.",
        ),
        Mistake(
            "one number",
            lambda prior, p_x_given_z: (prior[:, None] * p_x_given_z).sum(),
            "You add up over images as well, and every image has a density of its own.",
        ),
        Mistake(
            "largest contribution",
            lambda prior, p_x_given_z: (prior[:, None] * p_x_given_z).amax(0),
            "You keep the code that contributes most. The others could have given the image too.",
        ),
        Mistake(
            "densities at the mean code only",
            lambda prior, p_x_given_z: p_x_given_z[prior.argmax()],
            "You use the most probable code only. The others could have given the image too.",
        ),
        Mistake(
            "logarithm",
            lambda prior, p_x_given_z: _density(prior, p_x_given_z).log(),
            "That is log p(x), where p(x) itself is asked for.",
        ),
    ),
)
