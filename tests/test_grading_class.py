"""A class is graded in one command, while half of what was handed in attacks the grader."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from handed_in import WRONG, can_lock, hand_in_a_class

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = list(WRONG)
pytestmark = [
    pytest.mark.grading,
    pytest.mark.skipif(not can_lock(), reason="this system has no namespaces to lock answers in"),
]


def processes():
    """Python processes that run the answers' program, of whatever user."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if b"answers_side.py" in command:
                found.add(folder.name)
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class's folder, what lay in it before, the finished command, and the results."""
    folder, to = (tmp_path_factory.mktemp(name) for name in ("handed_in", "grades"))
    hand_in_a_class(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    running = processes()
    line = [sys.executable, "book/grade.py", folder, "--to", to, "--jobs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert processes() <= running, "what the answers have started is still there"
    results = {r["student"]: r for r in json.loads((to / "grades.json").read_text())}
    return folder, to, before, done, results


def verdicts(result):
    return {grade["exercise"]: grade["status"] for grade in result["grades"]}


def test_who_is_right_or_wrong_or_has_not_tried_gets_that_verdict(graded):
    *_, results = graded
    assert verdicts(results["anna"]) == dict.fromkeys(NUMBERS, "correct")
    assert verdicts(results["ben"]) == dict.fromkeys(NUMBERS, "wrong")
    assert verdicts(results["dora"]) == dict.fromkeys(NUMBERS, "not attempted")
    mixed = dict.fromkeys(NUMBERS, "not attempted")
    assert verdicts(results["chris"]) == mixed | {
        "2.a": "correct",
        "2.1": "wrong",
        "2.3": "correct",
    }
    named = {grade["exercise"]: grade["mistake"] for grade in results["ben"]["grades"]}
    assert named["2.2"] == "variance as scale"


def test_an_error_in_one_cell_costs_that_exercise_alone(graded):
    *_, results = graded
    emil = results["emil"]
    assert verdicts(emil) == dict.fromkeys(NUMBERS, "correct") | {"2.2": "wrong"}
    hints = {grade["exercise"]: grade["hint"] for grade in emil["grades"]}
    assert hints["2.2"].startswith("Line 2 of the cell is not Python")


@pytest.mark.parametrize("student", ["fork", "gib", "hack", "ida", "jan", "kim"])
def test_an_attack_costs_the_attacker_that_exercise_alone(graded, student):
    *_, results = graded
    expected = dict.fromkeys(NUMBERS, "correct") | {"2.a": "wrong"}
    assert verdicts(results[student]) == expected, results[student]


def test_what_is_no_notebook_is_said_to_be_none(graded):
    *_, results = graded
    assert results["lea"]["problem"] == "It is not a notebook: it cannot be read as one."


def test_nothing_has_been_harmed(graded):
    folder, _, before, _, _ = graded
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert (ROOT / "chapters" / "02_probabilistic_encoder.ipynb").exists()


def test_what_answers_say_is_text_wherever_it_is_shown(graded):
    _, to, _, done, _ = graded
    page = (to / "grades.html").read_text()
    assert "&lt;script&gt;alert(4)" in page
    assert "<script" not in page and "<img" not in page
    assert "\x1b" not in done.stdout + page
    with open(to / "grades.csv", encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+-@")]


def test_a_student_has_a_row_and_an_exercise_a_column(graded):
    *_, done, results = graded
    assert len(results) == 12
    assert "student  2.a" in done.stdout
    assert ["anna", "✓", "✓", "✓", "✓", "✓", "✓", "6", "of", "6"] in [
        line.split() for line in done.stdout.splitlines()
    ]
