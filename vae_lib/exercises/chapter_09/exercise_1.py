"""Exercise 9.1: find the line."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "9.1",
    oracle="b",
    compare=same_choice,
    mistakes=(
        Mistake(
            "line a",
            "a",
            "Line a is right: the last axis is cut in two, and the first half is the mean.",
        ),
        Mistake(
            "line c",
            "c",
            "The arithmetic of line c is right, with its half. What are the shapes of the "
            "three things that it combines?",
        ),
        Mistake(
            "line d",
            "d",
            "Line d is right: logits go in, and the pixels of one example are summed.",
        ),
        Mistake(
            "line e",
            "e",
            "Line e is right: compare it with `gaussian_kl`, term by term. It is never negative.",
        ),
    ),
)
