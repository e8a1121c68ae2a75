"""Each hand-out runs from top to bottom, as it is and solved; both are graded as what they are.

A learner's notebook is made of it: below each check stands the solution of the other set, and the
check once more. So one run shows what both sets say.
"""

import argparse
import re

import execution
import grade
import nbformat
import pytest
from grading.isolation import Isolation
from handed_in import CHAPTERS, can_lock, filled_in, solutions
from handout import WITH, WITHOUT, chapters_named, hand_out
from nbformat.v4 import new_code_cell

NAMES = sorted(path.stem for path in CHAPTERS.glob("*.ipynb"))
CHECK = re.compile(r'check\("([^"]+)", ')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Both sets of all chapters."""
    folder = tmp_path_factory.mktemp("handout")
    hand_out(chapters_named([]), folder)
    return folder


def read(folder, name):
    return nbformat.read(folder / f"{name}.ipynb", as_version=4)


def tried_twice(notebook, right):
    """A notebook in which each exercise is checked, solved, and checked again; and the numbers."""
    cells, numbers = [], []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code" and (check := CHECK.match(cell.source)):
            numbers.append(check[1])
            cells += [new_code_cell(right[check[1]]), new_code_cell(cell.source)]
    notebook.cells = cells
    return notebook, numbers


def said(notebook):
    """Of each check, its exercise and its verdict, in the order of the notebook."""
    told = [
        output.metadata["vae_book"]
        for cell in notebook.cells
        if cell.cell_type == "code" and CHECK.match(cell.source)
        for output in cell.outputs
        if "vae_book" in output.get("metadata", {})
    ]
    return [(each["exercise"], each["verdict"]) for each in told]


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_hand_out_says_not_attempted_and_then_correct(folder, name):
    right = solutions(read(folder / WITH, name))
    notebook, numbers = tried_twice(read(folder / WITHOUT, name), right)
    run = execution.run(notebook)
    assert execution.findings(run, notebook)["failures"] == []
    verdicts = ("not attempted", "correct")
    assert said(run.notebook) == [(number, v) for number in numbers for v in verdicts]
    assert sorted(numbers) == sorted(right)


@pytest.mark.grading
@pytest.mark.skipif(not can_lock(), reason="this system has no namespaces to lock answers in")
def test_hand_outs_of_every_chapter_are_graded_as_what_they_are(folder, tmp_path):
    isolation = Isolation(tmp_path / "work")
    for made in (isolation.work, tmp_path / "in"):
        made.mkdir()
    isolation.prepare()
    for name in NAMES:
        untouched, right = read(folder / WITHOUT, name), solutions(read(folder / WITH, name))
        for state, answers in (("untouched", {}), ("solved", right)):
            nbformat.write(filled_in(untouched, answers), tmp_path / "in" / f"{state} {name}.ipynb")
    given = argparse.Namespace(folder=tmp_path / "in", chapters=[], seconds=300.0, jobs=1)
    results = grade.grade(given, isolation)
    assert len(results) == 2 * len(NAMES)
    expected = {"untouched": "not attempted", "solved": "correct"}
    for result in results:
        wanted = expected[result["student"].partition(" ")[0]]
        others = [entry for entry in result["grades"] if entry["status"] != wanted]
        assert result["grades"] and not others, f"{result['file']}: {others}"
