"""The pieces and the whole of Project I, a VAE of one's own."""

from vae_lib.exercises.project_1 import (
    piece_1,
    piece_2,
    piece_3,
    piece_4,
    piece_5,
    piece_6,
    piece_7,
    piece_8,
    whole,
)

__all__ = ["EXERCISES"]

EXERCISES = (
    piece_1.EXERCISE,
    piece_2.EXERCISE,
    piece_3.EXERCISE,
    piece_4.EXERCISE,
    piece_5.EXERCISE,
    piece_6.EXERCISE,
    piece_7.EXERCISE,
    piece_8.EXERCISE,
    whole.EXERCISE,
)
