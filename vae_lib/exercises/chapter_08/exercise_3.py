"""Exercise 8.3: the way round."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _arc(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    # By turning in the plane of the two codes, each length apart: |z_a| and |z_b| scale the two
    # unit arcs that start at a and end at b.
    a, b = z_a / z_a.norm(), z_b / z_b.norm()
    across = b - (a @ b) * a
    across = across / across.norm()
    omega = torch.atan2(b @ across, b @ a)
    basis = torch.stack([a, across])  # (2, L)
    on_circle = torch.stack([torch.cos(t * omega), torch.sin(t * omega)], dim=-1)
    # A unit arc's point is u a + v b; its two weights then go to z_a and z_b themselves.
    weights = on_circle @ torch.linalg.pinv(torch.stack([a, b]) @ basis.T)
    return weights @ torch.stack([z_a, z_b])


def _code_pairs(generator: torch.Generator) -> list[tuple]:
    cases = []
    for latent_dim, n in ((3, 5), (8, 4)):
        z_a, z_b = torch.randn(2, latent_dim, generator=generator, dtype=torch.float64)
        t = torch.rand(n, generator=generator, dtype=torch.float64)
        # Short enough for arccos to take the scalar product of codes that were not normalised.
        cases.append((1.4 * z_a / z_a.norm(), 0.6 * z_b / z_b.norm(), t))
    return cases


def _straight(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return z_a + t[:, None] * (z_b - z_a)


def _not_normalised(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return _by_weights(z_a, z_b, t, torch.arccos(z_a @ z_b))


def _by_weights(z_a: Tensor, z_b: Tensor, t: Tensor, omega: Tensor) -> Tensor:
    t = t[:, None]
    return (torch.sin((1 - t) * omega) * z_a + torch.sin(t * omega) * z_b) / torch.sin(omega)


def _cosine_for_angle(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return _by_weights(z_a, z_b, t, torch.cosine_similarity(z_a, z_b, dim=0))


def _unit_codes(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return _arc(z_a / z_a.norm(), z_b / z_b.norm(), t)


EXERCISE = Exercise(
    "8.3",
    oracle=_arc,
    cases=_code_pairs,
    mistakes=(
        Mistake(
            "a straight line",
            _straight,
            "That is the straight line: the weights are sines of parts of the angle.",
        ),
        Mistake(
            "scalar product without normalising",
            _not_normalised,
            "The scalar product is the cosine of the angle only for codes of length 1.",
        ),
        Mistake(
            "cosine for angle",
            _cosine_for_angle,
            "You use the cosine of the angle where the angle itself belongs.",
        ),
        Mistake(
            "codes of length 1",
            _unit_codes,
            "The normalised codes give the angle; the codes that are weighted keep their lengths.",
        ),
        Mistake(
            "not divided by the sine",
            lambda z_a, z_b, t: (
                _arc(z_a, z_b, t) * torch.sin(torch.acos(torch.cosine_similarity(z_a, z_b, dim=0)))
            ),
            "At t = 0 you are not at `z_a`: both weights are divided by the sine of the angle.",
        ),
        Mistake(
            "reversed",
            lambda z_a, z_b, t: _arc(z_b, z_a, t),
            "At t = 0 you are at `z_b`.",
        ),
        Mistake(
            "transposed",
            lambda z_a, z_b, t: _arc(z_a, z_b, t).T,
            "Your codes are columns: a decoder takes one code a row, shape (n, L).",
        ),
    ),
)
