"""Exercise 1.1: a decoder for codes that were moved."""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _undone(z_moved: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
    """Row by row by Cramer's rule, where the solution inverts or solves."""
    columns = []
    for i in range(matrix.shape[0]):
        replaced = matrix.repeat(len(z_moved), 1, 1)
        replaced[:, :, i] = z_moved - shift
        columns.append(torch.linalg.det(replaced) / torch.linalg.det(matrix))
    return torch.stack(columns, dim=1)


def _decode_moved(
    decoder: Callable[[Tensor], Tensor], z_moved: Tensor, matrix: Tensor, shift: Tensor
) -> Tensor:
    return decoder(_undone(z_moved, matrix, shift))


def _decoder(n_dims: int, n_pixels: int, generator: torch.Generator) -> Callable:
    weights = torch.randn(n_dims, n_pixels, generator=generator, dtype=torch.float64)
    return lambda z: torch.tanh(0.4 * torch.as_tensor(z).to(weights) @ weights + 0.2)


def _moved_codes(generator: torch.Generator) -> list[tuple]:
    """Moves that stretch, turn and shear, and are well conditioned."""
    moves = [[[2.0, 0.0], [1.0, 0.5]], [[0.6, -1.6], [1.2, 0.9]]]
    cases = []
    for move, n_codes in zip(moves, (6, 3), strict=True):
        matrix = torch.tensor(move, dtype=torch.float64)
        shift = torch.tensor([1.5, -0.7], dtype=torch.float64)
        z = torch.randn(n_codes, 2, generator=generator, dtype=torch.float64)
        cases.append((_decoder(2, 5, generator), z @ matrix.T + shift, matrix, shift))
    return cases


EXERCISE = Exercise(
    "1.1",
    oracle=_decode_moved,
    cases=_moved_codes,
    mistakes=(
        Mistake(
            "moved once more",
            lambda decoder, z_moved, matrix, shift: decoder(z_moved @ matrix.T + shift),
            "You move the codes a second time. The decoder knows the codes as they were before "
            "they were moved.",
        ),
        Mistake(
            "not undone",
            lambda decoder, z_moved, matrix, shift: decoder(z_moved),
            "You decode the moved codes as they are. Undo the move first.",
        ),
        Mistake(
            "shift undone last",
            lambda decoder, z_moved, matrix, shift: decoder(
                _undone(z_moved, matrix, torch.zeros_like(shift)) - shift
            ),
            "Both parts of the move are undone, in the wrong order: the shift came last, so it "
            "has to go first.",
        ),
        Mistake(
            "shift left",
            lambda decoder, z_moved, matrix, shift: decoder(
                _undone(z_moved, matrix, torch.zeros_like(shift))
            ),
            "The matrix is undone and the shift is still there.",
        ),
        Mistake(
            "matrix left",
            lambda decoder, z_moved, matrix, shift: decoder(z_moved - shift),
            "The shift is undone and the matrix is not.",
        ),
        Mistake(
            "inverse on the wrong side",
            lambda decoder, z_moved, matrix, shift: decoder(
                (z_moved - shift) @ torch.linalg.inv(matrix)
            ),
            "Your inverse is right for codes that are columns. The codes are rows, moved by "
            "`z @ matrix.T`, so it is the inverse of `matrix.T` that undoes it.",
        ),
        Mistake(
            "transpose for inverse",
            lambda decoder, z_moved, matrix, shift: decoder((z_moved - shift) @ matrix),
            "The transpose undoes a matrix only if it does no more than turn and mirror. This "
            "one stretches as well: take the inverse.",
        ),
        Mistake(
            "entries divided",
            lambda decoder, z_moved, matrix, shift: decoder((z_moved - shift) / matrix.diagonal()),
            "You divide by the diagonal, which would do if the other entries were 0.",
        ),
    ),
)
