"""Exercises of chapter 15, disentanglement."""

from vae_lib.exercises.chapter_15 import (
    exercise_1,
    exercise_2,
    exercise_3,
    exercise_4,
    fill_a,
    fill_b,
)
from vae_lib.exercises.chapter_15.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    fill_a.EXERCISE,
    fill_b.EXERCISE,
    exercise_1.EXERCISE,
    exercise_2.EXERCISE,
    exercise_3.EXERCISE,
    exercise_4.EXERCISE,
)
