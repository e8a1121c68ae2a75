"""Fill-in 0.c: what comes out without the second cost."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "0.c",
    oracle="c",
    compare=same_choice,
    mistakes=(
        Mistake(
            "a",
            "a",
            "As varied they would be if the clouds still filled the same region as the draws. Who "
            "sees to that now?",
        ),
        Mistake(
            "b",
            "b",
            "A point from N(0, I) still lies among clouds or between them, and the decoder has "
            "learned strokes. How many of the clouds are near it, though?",
        ),
    ),
)
