"""Fill-ins of chapter 0, a VAE in half an hour."""

from vae_lib.exercises.chapter_00 import fill_a, fill_b, fill_c
from vae_lib.exercises.chapter_00.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (fill_a.EXERCISE, fill_b.EXERCISE, fill_c.EXERCISE)
