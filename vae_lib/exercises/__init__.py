"""Exercises that answer back: check("2.1", my_function) in a notebook, and quiz("2").

A chapter's exercises stand in its notebook (stub, check, solution) and in one package here,
`chapter_NN`: a module an exercise, with what the right answer gives and the mistakes to recognise,
and one for the quiz. Its `EXERCISES` and `QUESTIONS` gather them; a new one is found by its name.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from dataclasses import asdict
from typing import TYPE_CHECKING

from vae_lib.exercises.exercise import Exercise, Mistake, Verdict
from vae_lib.exercises.question import Option, Question

if TYPE_CHECKING:
    from vae_lib.live import LiveFigure

__all__ = [
    "Exercise",
    "Mistake",
    "Option",
    "Question",
    "Verdict",
    "check",
    "exercises",
    "questions",
    "quiz",
]


def check(exercise: str, answer: object) -> None:
    """Say whether `answer` solves the exercise: not attempted yet, correct, or one hint.

    `answer` is the function that the exercise asks for, or the value where it asks for one. It is
    tried on random inputs; whatever it does (an error, a loop without end, a changed random seed)
    stays inside. Shows HTML in a notebook and text in a terminal, and returns nothing.
    """
    # Here, since torch takes seconds to import and `check` should not.
    from vae_lib.exercises.display import show

    show(_verdict(str(exercise), answer))


def quiz(chapter: str) -> LiveFigure:
    """A chapter's questions, to be answered where they are shown: quiz("6") in a notebook.

    Every option has its reason. Nothing is computed by the kernel, and no answer is kept.
    """
    from vae_lib.live import quiz_figure

    name = f"Questions to check yourself, chapter {chapter}"
    return quiz_figure([asdict(question) for question in questions(str(chapter))], name=name)


def questions(chapter: str) -> tuple[Question, ...]:
    """The questions of a chapter ("2")."""
    known = [name.removeprefix("chapter_").lstrip("0") for name in _modules()]
    if chapter not in known:
        listed = ", ".join(f'"{name}"' for name in known)
        raise ValueError(f"There is no quiz for chapter {chapter!r}; there are {listed}.")
    return importlib.import_module(f"{__name__}.chapter_{chapter:0>2}").QUESTIONS


def exercises(chapter: str | None = None) -> dict[str, Exercise]:
    """The exercises by id, in order: of one chapter ("2"), or of all where it has none."""
    names = _modules()
    if chapter is not None and f"chapter_{chapter:0>2}" in names:
        names = [f"chapter_{chapter:0>2}"]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {exercise.id: exercise for module in modules for exercise in module.EXERCISES}


def _modules() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name.startswith("chapter_"))


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
