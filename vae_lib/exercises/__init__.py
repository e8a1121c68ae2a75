"""Exercises that answer back: check("2.1", my_function) in a notebook.

A chapter's exercises stand in its notebook (stub, check, solution) and in one module here,
`chapter_NN.py`, whose `EXERCISES` holds what the right answer gives and the mistakes to recognise.
A new module is found by its name.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from vae_lib.exercises.exercise import Exercise, Mistake, Verdict

__all__ = ["Exercise", "Mistake", "Verdict", "check", "exercises"]


def check(exercise: str, answer: object) -> None:
    """Say whether `answer` solves the exercise: not attempted yet, correct, or one hint.

    `answer` is the function that the exercise asks for, or the value where it asks for one. It is
    tried on random inputs; whatever it does (an error, a loop without end, a changed random seed)
    stays inside. Shows HTML in a notebook and text in a terminal, and returns nothing.
    """
    # Here, since torch takes seconds to import and `check` should not.
    from vae_lib.exercises.display import show

    show(_verdict(str(exercise), answer))


def exercises(chapter: str | None = None) -> dict[str, Exercise]:
    """The exercises by id, in order: of one chapter ("2"), or of all where it has none."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name.startswith("chapter_"))
    if chapter is not None and f"chapter_{chapter:0>2}" in names:
        names = [f"chapter_{chapter:0>2}"]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {exercise.id: exercise for module in modules for exercise in module.EXERCISES}


def _verdict(name: str, answer: object) -> Verdict:
    from vae_lib.exercises.judging import judge

    try:
        known = exercises(chapter=name.partition(".")[0])
        if name in known:
            return judge(known[name], answer)
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
        hint = "There is no such exercise." + "".join(f' Do you mean "{id_}"?' for id_ in nearest)
        return Verdict(name, "not checked", hint)
    except Exception as error:
        # A fault of the book's must not stop the notebook either.
        hint = f"The book failed to check it ({type(error).__name__}: {error}). Please report this."
        return Verdict(name, "not checked", hint)
