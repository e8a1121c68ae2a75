"""Exercise II.11: what went wrong in the training of three models."""

from __future__ import annotations

import re

from vae_lib.exercises import Exercise, Mistake

_RIGHT = {"A": "b", "B": "d", "C": "a"}
_GOOD = "all three"

# By the model and the wrong diagnosis of it.
_HINTS = {
    "A": {
        "a": "If the label had not reached A's decoder, another label would change nothing that it "
        "draws. Try it.",
        "c": "With the log-likelihood averaged, the KL has the upper hand, and codes hold nothing. "
        "What is the KL of A?",
        "d": "With σ = 1 errors cost a hundredth, so that codes have little to save and hold few "
        "nats. Compare A's KL with your own model's.",
        "e": "Whoever has learned a hundred pictures knows others less well. Compare A's ELBO on "
        "these hundred, the first of `x_train`, with that on the test pictures.",
    },
    "B": {
        "a": "If the label had not reached B's decoder, another label would change nothing at all "
        "in what it draws. Try it with one code and two labels.",
        "b": "With the KL averaged a nat costs next to nothing, and codes come to hold many. What "
        "is the KL of B, beside your own model's?",
        "c": "That would leave B with a KL of 0, and with one picture for all codes of a label. "
        "Look at what it reconstructs: does it know where the shape is?",
        "e": "Whoever has learned a hundred pictures reconstructs these sharply. Look at how B "
        "draws the first of `x_train`.",
    },
    "C": {
        "b": "With the KL averaged, codes come to hold many nats. Is C's KL above that of your own "
        "model?",
        "c": "That would leave C with a KL of 0. What is it?",
        "d": "With σ = 1 errors cost a hundredth, and the codes would save little. Is C's KL so "
        "small?",
        "e": "Whoever has learned a hundred pictures knows others less well. Compare C's ELBO on "
        "these hundred, the first of `x_train`, with that on the test pictures.",
    },
}


def _first_wrong(answer: object) -> str:
    """Which of the models is the first to be called by a wrong letter, and by which."""
    if isinstance(answer, dict):
        answer = [answer.get(model) for model in _RIGHT]
    said = answer if isinstance(answer, str) else "".join(map(str, answer))
    letters = re.findall(r"\w", said.lower())
    if len(letters) != len(_RIGHT) or not set(letters) <= set("abcde"):
        raise ValueError('three of the letters a to e are wanted, for A, B and C, such as "abc".')
    for (model, right), letter in zip(_RIGHT.items(), letters, strict=True):
        if letter != right:
            return f"{model} for {letter}"
    return _GOOD


EXERCISE = Exercise(
    "II.11",
    oracle=_GOOD,
    summarise=_first_wrong,
    mistakes=tuple(
        Mistake(f"{model} for {letter}", f"{model} for {letter}", hint)
        for model, hints in _HINTS.items()
        for letter, hint in hints.items()
    ),
)
