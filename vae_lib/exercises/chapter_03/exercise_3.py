"""Exercise 3.3: a check that cannot fail."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "3.3",
    oracle="c",
    compare=same_choice,
    mistakes=(
        Mistake(
            "line a",
            "a",
            "Line a is the naive Monte Carlo estimate, as in exercise 3.1. Look for what "
            "should shrink as K grows and does not.",
        ),
        Mistake(
            "line b",
            "b",
            "Line b divides each density by the mean of all of them, so these weights have "
            "mean 1. What is done with them next?",
        ),
        Mistake(
            "line d",
            "d",
            "Line d is the relative difference p / p_estimate - 1, on the scale on which the "
            "estimate is an average. With what is it compared?",
        ),
    ),
)
