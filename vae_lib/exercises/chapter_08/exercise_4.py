"""Exercise 8.4: find what is wrong."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "8.4",
    oracle="d",
    compare=same_choice,
    mistakes=(
        Mistake("line a", "a", "Line a is right: a fresh permutation, cut into batches."),
        Mistake("line b", "b", "Line b is right: every batch is binarised afresh."),
        Mistake("line c", "c", "Line c is right: the encoder looks at what is to be explained."),
        Mistake(
            "line e",
            "e",
            "Line e is right: one value for each image. Ask which parameters it depends on.",
        ),
        Mistake(
            "line f",
            "f",
            "Line f is right, and it is all that the encoder learns from. What should reach it "
            "besides?",
        ),
        Mistake("line g", "g", "Line g is minus the ELBO, averaged: the signs are right."),
    ),
)
