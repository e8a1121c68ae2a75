"""Exercises that answer back: check("2.1", my_function) in a notebook, and quiz("2").

A chapter's exercises stand in its notebook (stub, check, solution) and in one package here,
`chapter_NN`: a module an exercise, with what the right answer gives and the mistakes to recognise,
as its `EXERCISE`, and one for the quiz, `questions`. Those beside the text, done in a minute, are
its fill-ins: "2.a" and "2.b". A new module is found by what it holds, a new package by its name. A
project ends a part, and has no quiz: the pieces of Project I are "I.1", "I.2", ..., in `project_1`.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
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
    "verdict",
]

_NOTHING = object()
_NUMBER = re.compile(
    r"\s*(?:exercise|fill-in)?\s*(\d+(?:\.(?:\d+|[a-z]))*|[ivx]+\.\d+)\s*", re.IGNORECASE
)
_PROJECTS = {"I": "project_1", "II": "project_2", "III": "project_3"}


def check(exercise: object = None, answer: object = _NOTHING) -> None:
    """Say whether `answer` solves the exercise: not attempted yet, correct, or one hint.

    `exercise` is its number, "2.1"; `answer` is the function that the exercise asks for, or the
    value where it asks for one. It is tried on random inputs; what it raises, prints, sets or
    changes stays inside, and a loop without end is stopped. Shows HTML in a notebook and text in
    a terminal, and returns nothing: `verdict` returns what is shown here.
    """
    # Here, since torch takes seconds to import and `check` should not.
    from vae_lib.exercises.display import show

    show(verdict(exercise, answer))


def verdict(exercise: object = None, answer: object = _NOTHING) -> Verdict:
    """What `check` shows, as data: the status, the hint, the mistake's name, what was printed.

    The status is "correct", "wrong", "not attempted", or "not checked" where there is no such
    exercise. Raises nothing but the user's own interrupt.
    """
    number = None
    try:
        number = _number(exercise)
        if number is None and (swapped := _number(answer)) is not None:
            return _unchecked(f'The exercise comes first: check("{swapped}", your_answer).')
        if number is None and type(exercise) is not str:
            example = 'check("2.1", your_answer)'
            return _unchecked(f"There is no such exercise: give its number, as in {example}.")
        number = number or exercise.strip()
        if answer is _NOTHING:
            return _unchecked("There is no answer to check: give it after the number.", number)
        return _judged(number, answer)
    except Exception as error:
        # A fault of the book's must not stop the notebook either.
        hint = f"The book failed to check it ({type(error).__name__}: {error}). Please report this."
        return _unchecked(hint, number)


def quiz(chapter: str) -> LiveFigure:
    """A chapter's questions, to be answered where they are shown: quiz("6") in a notebook.

    Every option has its reason. Nothing is computed by the kernel, and no answer is kept.
    """
    from vae_lib.live import quiz_figure

    name = f"Questions to check yourself, chapter {chapter}"
    return quiz_figure([asdict(question) for question in questions(str(chapter))], name=name)


def questions(chapter: str) -> tuple[Question, ...]:
    """The questions of a chapter ("2")."""
    numbers = (name.removeprefix("chapter_") for name in _modules())
    known = [str(int(number)) for number in numbers if number.isdecimal()]
    if chapter not in known:
        listed = ", ".join(f'"{name}"' for name in known)
        raise ValueError(f"There is no quiz for chapter {chapter!r}; there are {listed}.")
    return importlib.import_module(f"{__name__}.{_package(chapter)}.questions").QUESTIONS


def exercises(chapter: str | None = None) -> dict[str, Exercise]:
    """The exercises by id, in order: of a chapter ("2") or a project ("I"), or else of all."""
    names = _modules()
    if chapter is not None and _package(chapter) in names:
        names = [_package(chapter)]
    return {exercise.id: exercise for name in names for exercise in _exercises_of(name)}


def _exercises_of(package: str) -> list[Exercise]:
    """Those of a chapter or a project: the fill-ins, and then what has numbers."""
    found = importlib.import_module(f"{__name__}.{package}")
    names = (f"{found.__name__}.{module.name}" for module in pkgutil.iter_modules(found.__path__))
    modules = map(importlib.import_module, names)
    return sorted((m.EXERCISE for m in modules if hasattr(m, "EXERCISE")), key=_place)


def _place(exercise: Exercise) -> tuple[int, str]:
    """By "2.b", 0 and the letter; by "2.10", the number."""
    last = exercise.id.rpartition(".")[2]
    return (int(last), "") if last.isdecimal() else (0, last)


def _modules() -> list[str]:
    """The packages of the chapters, and then those of the projects."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if name.startswith(("chapter_", "project_")))


def _package(chapter: str) -> str:
    return _PROJECTS.get(chapter, f"chapter_{chapter:0>2}")


def _judged(number: str, answer: object) -> Verdict:
    from vae_lib.exercises.judging import judge

    chapter = number.partition(".")[0]
    known = list(exercises(chapter=chapter))  # their numbers alone: see `judge`
    if number in known:
        return judge(exercises(chapter=chapter)[number], answer)
    nearest = difflib.get_close_matches(number, known, n=1, cutoff=0.0)
    hint = "There is no such exercise." + "".join(f' Do you mean "{id_}"?' for id_ in nearest)
    return _unchecked(hint, number)


def _unchecked(hint: str, number: str | None = None) -> Verdict:
    return Verdict(number or "", "not checked", hint)


def _number(exercise: object) -> str | None:
    """The number of an exercise, however it is written ("2.1", 2.1, " exercise 2.1"), or None."""
    if type(exercise) not in (str, int, float):
        return None
    match = _NUMBER.fullmatch(str(exercise))
    return match and (match[1].lower() if match[1][0].isdecimal() else match[1].upper())
