"""Exercise 7.4: a decoder with the wrong gradient."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "7.4",
    oracle="e",
    compare=same_choice,
    mistakes=(
        Mistake("line a", "a", "Line a is the encoder, as everywhere in the book."),
        Mistake(
            "line b",
            "b",
            "With the score function z is held constant, so `sample` is what is wanted here.",
        ),
        Mistake(
            "line c",
            "c",
            "Line c is right: it is where the decoder's gradient comes from. Follow where "
            "`log_px` is used.",
        ),
        Mistake(
            "line d",
            "d",
            "Line d is the mean over the seven other draws, as it should be. What happens to "
            "it on the way back is decided elsewhere.",
        ),
        Mistake(
            "line f",
            "f",
            "Line f is right: a mean over draws, less an exact KL divergence.",
        ),
    ),
)
