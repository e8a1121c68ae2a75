"""Exercise 6.3: a bound that exceeds the evidence."""

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.comparing import same_choice

EXERCISE = Exercise(
    "6.3",
    oracle="c",
    compare=same_choice,
    mistakes=(
        Mistake(
            "line a",
            "a",
            "Line a is right: draws from q(z|x), written so that gradients pass through them.",
        ),
        Mistake(
            "line b",
            "b",
            "Line b is right: log p(x|z) for every draw and image, shape (K, B).",
        ),
        Mistake(
            "line d",
            "d",
            "Line d is right: the divergence from q to the prior, in this order.",
        ),
    ),
)
