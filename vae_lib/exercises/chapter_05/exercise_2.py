"""Exercise 5.2: an objective that stops too early."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "5.2",
    oracle="d",
    compare=same_choice,
    mistakes=(
        Mistake("line a", "a", "Line a is right: a fresh draw of 0s and 1s for every batch."),
        Mistake(
            "line b",
            "b",
            "Line b is right: the encoder looks at the binary image that is to be explained.",
        ),
        Mistake(
            "line c",
            "c",
            "Line c makes what its name says: the sigmoid of a logit is a probability. Which "
            "function is given that value and takes it for something else?",
        ),
        Mistake(
            "line e",
            "e",
            "Line e is right: both terms are sums over dimensions, one value per example, "
            "larger is better.",
        ),
    ),
)
