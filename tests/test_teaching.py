"""The page for teachers says what the chapters say: their minutes, and the mistakes they know."""

import re
from pathlib import Path

import contents
import nbformat
import pytest

from vae_lib.exercises import exercises

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
STATED = re.compile(r"(\d+) minutes for (?:a first reading, (\d+) for )?all of it")
ROW = re.compile(r"^\| (\d+) \| (.+) \| (\d+) \|$", re.MULTILINE)
TABLES = re.findall(r"^### ([\w ]+ sessions)$(.+?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
LENGTHS = {"two": 2, "four": 4, "six": 6, "twelve": 12}
MISTAKE = re.compile(r"<!-- ([\dI]+\.\w+): (.+?) -->")


def minutes(path):
    """What a chapter's head says: for a first reading (None where there is none), and for all."""
    text = nbformat.read(path, as_version=4).cells[1].source.replace("*", "")
    first, rest = STATED.search(text).groups()
    return (int(first), int(rest)) if rest else (None, int(first))


CHAPTERS = {
    str(int(path.name[:2])): minutes(path) for path in (ROOT / "chapters").glob("[0-9]*.ipynb")
}
PROJECTS = {
    name: minutes(ROOT / "chapters" / f"{file}.ipynb")[1]
    for name, file in {"Project I": "project_1", "Project II": "project_2"}.items()
}


def chapters_of(part):
    """The numbers of a part's chapters; chapter 0, which stands before the first, is its own."""
    numbers = [str(int(d[9:11])) for d in part.documents if re.match(r"chapters/\d", d)]
    return [] if numbers == ["0"] else ["0", *numbers] if numbers[:1] == ["1"] else numbers


def planned(text):
    """The minutes that a cell of a timetable comes to, and the chapters that it names."""
    total, named = 0, []
    for part in text.split("; "):
        numbers = re.findall(r"\d+", part)
        if part.removeprefix("half of ") in PROJECTS:
            total += PROJECTS[part.removeprefix("half of ")] // (1 + part.startswith("half"))
        elif re.match(r"first readings? of chapters? \d", part):
            total += sum(CHAPTERS[number][0] for number in numbers)
        else:
            assert re.fullmatch(r"(all of )?chapter \d+", part), part
            total += sum(CHAPTERS[number][1] for number in numbers)
        named += numbers
    return total, named


@pytest.mark.parametrize(("sessions", "table"), TABLES, ids=[name for name, _ in TABLES])
def test_a_timetable_adds_up_what_the_chapters_say(sessions, table):
    rows = ROW.findall(table)
    n_sessions = LENGTHS[sessions.split()[-2].lower()]
    assert [int(number) for number, *_ in rows] == list(range(1, n_sessions + 1))
    for number, what, stated in rows:
        assert planned(what)[0] == int(stated), f"session {number} of {sessions}"


def test_each_part_has_its_timetables_and_what_they_leave_out_is_said():
    named = {name: [n for row in ROW.findall(t) for n in planned(row[1])[1]] for name, t in TABLES}
    first, *further = (chapters_of(part) for part in contents.parts(ROOT) if chapters_of(part))
    assert named["Six sessions"] == named["Twelve sessions"] == first
    assert sorted(set(first) - set(named["Two sessions"])) == ["4", "7", "9"]
    read = [n for name, numbers in named.items() if name.startswith("Part") for n in numbers]
    assert read == [n for numbers in further for n in numbers]


def test_every_chapter_with_a_first_figure_to_open_with_is_there():
    figures = re.search(r"^## A figure to open with$(.+?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1]
    opened = re.findall(r"Figure (\d+)\.1\b", figures)
    assert opened == sorted(set(CHAPTERS) - {"0"}, key=int)


def test_every_misconception_is_a_mistake_that_the_checker_knows():
    known = {(id_, m.name) for id_, exercise in exercises().items() for m in exercise.mistakes}
    found = MISTAKE.findall(PAGE)
    assert len(found) > 12
    assert set(found) <= known, set(found) - known


def test_an_exercise_is_named_before_each_mistake_of_its():
    for line in PAGE.splitlines():
        for id_, _ in MISTAKE.findall(line):
            assert re.search(rf"(?:Exercise|Fill-in) {re.escape(id_)}<!-- {re.escape(id_)}:", line)


def test_find_the_line_exercises_are_those_that_are_listed():
    listed = re.search(r"^Exercises ([\d., and]+) are of another kind", PAGE, re.MULTILINE)[1]
    by_letter = {
        id_
        for id_, e in exercises().items()
        if e.cases is None and isinstance(e.oracle, str) and re.fullmatch(r"\d+\.\d+", id_)
    }
    assert set(re.findall(r"\d+\.\d+", listed)) == by_letter
