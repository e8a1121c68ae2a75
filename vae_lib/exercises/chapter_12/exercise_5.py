"""Exercise 12.5: find the line."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "12.5",
    oracle="c",
    compare=same_choice,
    mistakes=(
        Mistake(
            "line a",
            "a",
            "Line a is right: what `send_one` pushed last was z, under the prior.",
        ),
        Mistake(
            "line b",
            "b",
            "Line b is right: once z is known, so is the table under which x was pushed.",
        ),
        Mistake(
            "line d",
            "d",
            "Line d is right: a stack gives back the last image first, so the list is turned over.",
        ),
    ),
)
