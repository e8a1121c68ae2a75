"""The verdicts on one hand-in: the checker's own, on answers that are in another process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from grading import wire
from grading.errors import Gone, Unreadable, is_of_an_answer
from grading.handins import HandIn, NotANotebook, chapter_of, code_cells
from grading.isolation import Isolation
from grading.judges_side import Answers

from vae_lib.exercises import Exercise, exercises
from vae_lib.exercises.judging import judge
from vae_lib.exercises.values import holds_opaque, plain, shown

PATIENCE = 3.0  # times what `check` allows, since others compute at the same time
LOADING = 60.0  # seconds for what an answer needs: Project I trains in its own
STATUSES = ("correct", "wrong", "not attempted", "by hand", "not graded")


@dataclass(frozen=True)
class Grade:
    """The verdict on one exercise of a hand-in: one of STATUSES, and a sentence about it."""

    exercise: str
    status: str
    hint: str = ""
    mistake: str | None = None


@dataclass(frozen=True)
class Task:
    """What to grade: a hand-in, of which chapters, in how many seconds altogether.

    `defaults` are the names that the book's checks have for answers, `book` the code of its cells.
    """

    hand_in: HandIn
    number: int
    chapters: tuple[str, ...]
    defaults: dict[str, str]
    book: frozenset[str]
    seconds: float
    isolation: Isolation


def graded(task: Task) -> dict:
    """The grades of a hand-in as plain data; where there are none, its `problem` says why."""
    result = {"student": task.hand_in.student, "file": task.hand_in.name}
    try:
        cells = code_cells(task.hand_in.path)
    except NotANotebook as error:
        return result | {"chapter": None, "problem": f"It {error}.", "grades": []}
    chapter = chapter_of(cells, exercises())
    problem = None
    if chapter is None:
        problem = "It has none of the book's exercises."
    elif task.chapters and chapter not in task.chapters:
        problem = f"It is {in_words(chapter)}, which is not graded here."
    if problem is not None:
        return result | {"chapter": None, "problem": problem, "grades": []}
    grades = [asdict(grade) for grade in _grades(task, cells, chapter)]
    return result | {"chapter": chapter, "problem": None, "grades": grades}


def in_words(chapter: str) -> str:
    return f"chapter {chapter}" if chapter.isdecimal() else f"Project {chapter}"


def _grades(task: Task, cells: list[str], chapter: str) -> Iterator[Grade]:
    own = [source.strip() not in task.book for source in cells]
    answers, end = None, time.monotonic() + task.seconds
    try:
        for exercise in exercises(chapter).values():
            left = end - time.monotonic()
            if left <= 0:
                used = f"The {task.seconds:g} seconds for this hand-in were used up before."
                yield Grade(exercise.id, "not graded", used)
                continue
            if answers is None:
                answers = task.isolation.start(task.number, int(task.seconds))
            given = cells, own, exercise.id, task.defaults[exercise.id], min(left, LOADING)
            yield _grade(answers, exercise, given)
            if answers.busy or answers.has_ended():
                answers.end()
                answers = None
    finally:
        if answers is not None:
            answers.end()


def _grade(answers: Answers, exercise: Exercise, given: tuple) -> Grade:
    *_, default, seconds = given
    try:
        answer = answers.load(*given)
    except Unreadable as error:
        return Grade(exercise.id, "wrong", str(error))
    except Gone:
        return Grade(exercise.id, "wrong", _why_gone(answers, seconds))
    except wire.Refused as error:
        return Grade(exercise.id, "wrong", f"The answer cannot be read: it {error}.")
    except Exception as error:
        if not is_of_an_answer(error):
            raise
        if isinstance(error, NameError) and f"'{default}' is not defined" in str(error):
            return Grade(exercise.id, "not attempted", "Its cell is not in the notebook.")
        hint = f"What the answer needs raises an error: {type(error).__name__}: {error}"
        return Grade(exercise.id, "wrong", shown(hint))
    patient = replace(exercise, seconds=PATIENCE * exercise.seconds)
    answers.longest = patient.seconds + 5
    verdict = judge(patient, answer)
    hint = shown(" ".join([verdict.hint, verdict.printed]), 600)
    if answers.refusal:
        return Grade(exercise.id, "wrong", f"What it returns cannot be read: it {answers.refusal}.")
    if answers.has_ended():
        return Grade(exercise.id, "wrong", _why_gone(answers, seconds))
    if verdict.status == "wrong" and answers.has_objects and _wants_objects(exercise):
        hint = "It returns an object of a kind that cannot be judged from another process."
        return Grade(exercise.id, "by hand", hint)
    status = "not graded" if verdict.status == "not checked" else verdict.status
    return Grade(exercise.id, status, hint, verdict.mistake)


def _why_gone(answers: Answers, seconds: float) -> str:
    if answers.late:
        return f"Stopped after {seconds:.0f} seconds, in what the answer needs: does it ever end?"
    return "Its process has ended: by itself, or because it asked for more than it may have."


def _wants_objects(exercise: Exercise) -> bool:
    """Whether the right answer gives something that is no value, such as a distribution."""
    if exercise.cases is None:
        return exercise.summarise is not None
    import torch

    arguments = exercise.cases(torch.Generator().manual_seed(0))[0]
    return holds_opaque(plain(exercise.oracle(*arguments)))
