"""Every chapter is read at two speeds, chapter 0 at one, and says truly what each takes.

A project is read once, and then done: it sets a task, has stubs, and ends in open questions.
"""

import ast
import re
from pathlib import Path

import contents
import nbformat
import pytest
from two_speeds import STATED, minutes_of_a_project, parts, speeds

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in CHAPTERS}

every_chapter = pytest.mark.parametrize("chapter", NOTEBOOKS)
chapter_0 = pytest.mark.parametrize("chapter", [name for name in NOTEBOOKS if name[:2] == "00"])
PROJECTS = [name for name in NOTEBOOKS if name.startswith("project_")]
with_closer = pytest.mark.parametrize(
    "chapter", [name for name in NOTEBOOKS if name[:2] != "00" and name not in PROJECTS]
)
project = pytest.mark.parametrize("chapter", PROJECTS)


def code(chapter):
    cells = [cell for cell in NOTEBOOKS[chapter].cells[1:] if cell.cell_type == "code"]
    for cell in cells:
        yield cell, ast.parse(re.sub(r"^%.*$", "", cell.source, flags=re.MULTILINE))


@every_chapter
def test_it_opens_with_a_question_what_one_can_do_afterwards_and_the_minutes(chapter):
    opening = NOTEBOOKS[chapter].cells[1].source
    question = re.search(r"^> (.+\?)$", opening, re.MULTILINE)
    assert question, "the question: a line that starts with > and ends with a question mark"
    outcomes = re.findall(r"^- .+$", opening, re.MULTILINE)
    assert 3 <= len(outcomes) <= 4, "three or four things that the reader can do afterwards"
    assert "You need" in opening
    assert STATED.search(opening), "**30 minutes** for a first reading, **75** for all of it"


@with_closer
def test_the_first_reading_ends_with_key_points_and_the_rest_follows(chapter):
    headings = list(parts(NOTEBOOKS[chapter]))
    order = ["Key points", "Closer", "Check yourself", "Exercises"]
    places = [headings.index(heading) for heading in order]
    assert places == sorted(places)
    assert places[1] == places[0] + 1
    last = "".join(cell.source for cell in parts(NOTEBOOKS[chapter])["Key points"])
    assert "](#exercises)" in last, "where a first reader goes on"


@with_closer
def test_it_is_no_longer_than_its_speeds_allow(chapter):
    first, all_of_it = speeds(NOTEBOOKS[chapter])
    assert first.words <= 1800
    assert all_of_it.words <= 3600
    assert first.minutes <= 35.5
    assert first.fill_ins >= 2
    assert all_of_it.idea_lines <= all_of_it.folded_lines


@chapter_0
def test_chapter_0_is_half_an_hour(chapter):
    assert "Closer" not in parts(NOTEBOOKS[chapter])
    headings = list(parts(NOTEBOOKS[chapter]))
    assert headings[-3:] == ["Key points", "Check yourself", "References and further reading"]
    first, all_of_it = speeds(NOTEBOOKS[chapter])
    assert first == all_of_it
    assert first.words <= 1500
    assert 30 <= first.idea_lines <= 50, "some forty lines"
    assert first.fill_ins >= 2
    minutes, rest = STATED.search(NOTEBOOKS[chapter].cells[1].source).groups()
    assert rest is None and 30 <= int(minutes) <= 35
    assert abs(int(minutes) - first.minutes_of_a_newcomer) <= 0.15 * int(minutes) + 1, first


@with_closer
def test_the_minutes_that_it_states_are_those_that_it_takes(chapter):
    stated = STATED.search(NOTEBOOKS[chapter].cells[1].source)
    assert stated[2], "**30 minutes** for a first reading, **75** for all of it"
    for minutes, speed in zip(map(int, stated.groups()), speeds(NOTEBOOKS[chapter]), strict=True):
        assert abs(minutes - speed.minutes) <= 0.15 * speed.minutes + 1, speed


@project
def test_a_project_sets_a_task_and_ends_in_open_questions(chapter):
    """The brief is read in some minutes; the rest of the time is the learner's own work."""
    headings = list(parts(NOTEBOOKS[chapter]))
    assert headings == ["", "The task", "The pieces", "The whole", "Going on"]
    brief, all_of_it = speeds(NOTEBOOKS[chapter])
    assert brief == all_of_it
    assert 600 <= brief.words <= 1100  # what is asked of each piece counts too
    assert brief.pieces >= 6 and brief.fill_ins == 0
    assert brief.idea_lines <= 30, "what is given; the learner writes the rest"
    questions = "".join(cell.source for cell in parts(NOTEBOOKS[chapter])["Going on"])
    assert len(re.findall(r"^\d\. .+\?", questions, re.MULTILINE)) == 3
    minutes, rest = STATED.search(NOTEBOOKS[chapter].cells[1].source).groups()
    taken = minutes_of_a_project(brief)
    assert rest is None and abs(int(minutes) - taken) <= 0.15 * taken, taken


def test_the_first_readings_of_a_part_take_five_hours_at_most():
    for part in contents.parts(ROOT):
        chapters = [Path(document).name for document in part.documents]
        chapters = [name for name in chapters if name in NOTEBOOKS and name not in PROJECTS]
        stated = [STATED.search(NOTEBOOKS[name].cells[1].source) for name in chapters]
        assert sum(int(minutes[1]) for minutes in stated) <= 300, part.name


@every_chapter
def test_what_it_asserts_stands_in_words(chapter):
    """A claim shows what was verified; an assertion would be a line that nobody reads."""
    for cell, tree in code(chapter):
        names = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        silent = any(isinstance(node, ast.Assert) for node in ast.walk(tree))
        silent |= "torch.testing.assert_close" in names
        assert not silent, f"`claim` in place of an assertion in {cell.source!r}"


@every_chapter
def test_a_claim_over_runs_names_its_seeds_or_the_run(chapter):
    for cell, tree in code(chapter):
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "claim"):
                continue
            assert isinstance(node.args[0], ast.Constant | ast.JoinedStr), cell.source
            seeds = next((word.value for word in node.keywords if word.arg == "seeds"), None)
            if isinstance(seeds, ast.Call) and ast.unparse(seeds.func) == "range":
                assert ast.literal_eval(seeds.args[0]) >= 5, "five seeds at least"
