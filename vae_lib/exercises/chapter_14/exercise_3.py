"""Exercise 14.3: find the line that makes a comparison unfair."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "14.3",
    oracle="c",
    compare=same_choice,
    mistakes=(
        Mistake(
            "line a",
            "a",
            "Line a is right: the score of the draws against held-out images, 400 and 400.",
        ),
        Mistake(
            "line b",
            "b",
            "Line b is right: it shuffles, so that the choice is random.",
        ),
        Mistake(
            "line d",
            "d",
            "Line d is right about what it is given: real images against held-out ones. But "
            "look at how many there are.",
        ),
        Mistake(
            "line e",
            "e",
            "Line e is right: the score less its floor.",
        ),
    ),
)
