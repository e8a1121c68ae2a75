"""Exercises of chapter 14, judging a generative model."""

from vae_lib.exercises.chapter_14 import (
    exercise_1,
    exercise_2,
    exercise_3,
    exercise_4,
    fill_a,
    fill_b,
)
from vae_lib.exercises.chapter_14.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    fill_a.EXERCISE,
    fill_b.EXERCISE,
    exercise_1.EXERCISE,
    exercise_2.EXERCISE,
    exercise_3.EXERCISE,
    exercise_4.EXERCISE,
)
