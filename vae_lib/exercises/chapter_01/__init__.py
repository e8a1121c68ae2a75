"""Exercises of chapter 1, the autoencoder and what it lacks."""

from vae_lib.exercises.chapter_01 import (
    exercise_1,
    exercise_2,
    exercise_3,
    exercise_4,
    fill_a,
    fill_b,
)
from vae_lib.exercises.chapter_01.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    fill_a.EXERCISE,
    fill_b.EXERCISE,
    exercise_1.EXERCISE,
    exercise_2.EXERCISE,
    exercise_3.EXERCISE,
    exercise_4.EXERCISE,
)
