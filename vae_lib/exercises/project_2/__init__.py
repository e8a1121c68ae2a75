"""The pieces and the whole of Project II, a conditional VAE of pictures, and its three cases."""

from vae_lib.exercises.project_2 import (
    diagnosis,
    piece_1,
    piece_2,
    piece_3,
    piece_4,
    piece_5,
    piece_6,
    piece_7,
    piece_9,
    piece_10,
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
    whole.EXERCISE,
    piece_9.EXERCISE,
    piece_10.EXERCISE,
    diagnosis.EXERCISE,
)
