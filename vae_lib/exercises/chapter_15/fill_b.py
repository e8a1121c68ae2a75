"""Fill-in 15.b: a decoder that turns back what it is given."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake


def _turned(decoder: Callable[[Tensor], Tensor], rotation: Tensor, z: Tensor) -> Tensor:
    # One code at a time, as a column: R⁻¹ z.
    return torch.cat([decoder(torch.linalg.solve(rotation, row)[None]) for row in z])


def _codes(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, latent_dim in ((5, 2), (3, 3)):
        draws = torch.randn(latent_dim, latent_dim, generator=generator, dtype=torch.float64)
        q, r = torch.linalg.qr(draws)
        loc = torch.randn(latent_dim, generator=generator, dtype=torch.float64)
        # Some function of the codes that no rotation leaves alone.
        decoder = td.Normal(loc, 1 + torch.arange(latent_dim), validate_args=False).log_prob
        z = torch.randn(n, latent_dim, generator=generator, dtype=torch.float64)
        cases.append((decoder, q * r.diagonal().sign(), z))
    return cases


EXERCISE = Exercise(
    "15.b",
    oracle=_turned,
    cases=_codes,
    mistakes=(
        Mistake(
            "turned on",
            lambda decoder, rotation, z: decoder(z @ rotation.T),
            "You turn the codes by R once more. The decoder has to turn them back: as a row, "
            "z becomes the transpose of Rᵀ z.",
        ),
        Mistake(
            "not turned",
            lambda decoder, rotation, z: decoder(z),
            "That is the old decoder: it would see turned codes and decode something else.",
        ),
        Mistake(
            "codes only",
            lambda decoder, rotation, z: z @ rotation,
            "These are the right codes. Give them to the decoder.",
        ),
        Mistake(
            "twice turned back",
            lambda decoder, rotation, z: decoder(z @ rotation @ rotation),
            "You turn back twice, by the square of the rotation.",
        ),
    ),
)
