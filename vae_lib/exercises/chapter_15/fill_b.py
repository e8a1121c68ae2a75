"""Fill-in 15.b: a decoder that turns back what it is given."""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


class _Decoder:
    """Some function of the codes that no rotation leaves alone."""

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    def __call__(self, z: Tensor) -> Tensor:
        z = torch.as_tensor(z)  # in whatever the answer computes
        return torch.tanh(z @ self.weights.to(z.dtype)) + z[..., :1]


def _turned(decoder: Callable[[Tensor], Tensor], rotation: Tensor, z: Tensor) -> Tensor:
    # One code at a time, as a column: R⁻¹ z.
    return torch.cat([decoder(torch.linalg.solve(rotation, row)[None]) for row in z])


def _codes(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, latent_dim in ((5, 2), (3, 3)):
        draws = torch.randn(latent_dim, latent_dim, generator=generator, dtype=torch.float64)
        q, r = torch.linalg.qr(draws)
        weights = torch.randn(latent_dim, 4, generator=generator, dtype=torch.float64)
        z = torch.randn(n, latent_dim, generator=generator, dtype=torch.float64)
        cases.append((_Decoder(weights), q * r.diagonal().sign(), z))
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
