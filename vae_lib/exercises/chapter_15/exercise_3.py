"""Exercise 15.3: find what is wrong."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "15.3",
    oracle="d",
    compare=same_choice,
    mistakes=(
        Mistake(
            "line a",
            "a",
            "Line a is right: each factor's column in units of its own entropy, (L, K) / (K,).",
        ),
        Mistake(
            "line b", "b", "Line b is right: the most that any dimension tells of each factor."
        ),
        Mistake(
            "line c", "c", "Line c is right: without the copy the next line would change `share`."
        ),
        Mistake(
            "line e",
            "e",
            "Line e is right about `others`. Ask what is still in it when two dimensions tell the "
            "same.",
        ),
        Mistake("line f", "f", "Line f is right: the mean over factors of the difference."),
    ),
)
