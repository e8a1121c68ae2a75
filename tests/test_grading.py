"""What grading is made of: reading what was handed in, finding what an answer needs, the tables.

That answers are locked in is tried out in test_grading_class.py, which takes minutes.
"""

import ast
import csv
import io
import json
import os
import pickle
import re
import struct
from pathlib import Path

import grade
import pytest
import torch
from grading import handins, slicing, tables, wire
from grading.handins import NotANotebook, chapter_of, code_cells, handed_in
from grading.isolation import ON_THE_OTHER_SIDE, Isolation
from grading.unpacking import Unpacker
from handed_in import one_cell
from torch import distributions as td

from vae_lib.exercises import exercises

ROOT = Path(__file__).resolve().parents[1]

# The command


@pytest.mark.parametrize("given", [[], [""], ["--jobs", "1"], ["nowhere"]])
def test_without_a_folder_the_command_says_in_a_sentence_what_it_takes(capsys, given):
    with pytest.raises(SystemExit) as ended:
        grade.read_arguments(given)
    said = capsys.readouterr().err
    assert ended.value.code == 2 and "make grade FOLDER=handed_in" in said
    assert said.count("\n") == 1 and ("nowhere." in said) == ("nowhere" in given)


# Reading


def test_each_entry_is_a_students_a_notebook_or_a_folder_of_them(tmp_path):
    (tmp_path / "ben").mkdir()
    (tmp_path / "ben" / "02.ipynb").write_text(one_cell("x = 1"))
    (tmp_path / "ben" / "notes.txt").write_text("not to be graded")
    (tmp_path / "anna.ipynb").write_text(one_cell("x = 2"))
    (tmp_path / "chris").mkdir()
    (tmp_path / ".hidden").mkdir()
    found = [(h.student, h.name.replace("\\", "/")) for h in handed_in(tmp_path)]
    assert found == [("anna", "anna.ipynb"), ("ben", "ben/02.ipynb"), ("chris", "chris")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"an essay",
        b"[]",
        b"[" * 100_000,
        b'{"cells": 3}',
        b'{"cells": [{"cell_type": "code"}]}',
        b'{"cells": [{"cell_type": "code", "source": 3}]}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_notebook_is_said_to_be_none(tmp_path, content):
    (tmp_path / "a.ipynb").write_bytes(content)
    with pytest.raises(NotANotebook, match="is not a notebook"):
        code_cells(tmp_path / "a.ipynb")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "a.ipynb", "wb") as file:
        file.truncate(2**30)  # which takes no room on the disk
    with pytest.raises(NotANotebook, match="larger than 20 MiB"):
        code_cells(tmp_path / "a.ipynb")


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are made otherwise there")
def test_links_and_pipes_are_not_followed(tmp_path):
    (tmp_path / "secret").write_text(one_cell("x = 1"))
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "file.ipynb").symlink_to(tmp_path / "secret")
    (inside / "folder").symlink_to(tmp_path)
    os.mkfifo(inside / "pipe.ipynb")
    found = handed_in(inside)
    assert [h.student for h in found] == ["file", "folder", "pipe"]
    for hand_in in found:
        with pytest.raises(NotANotebook, match="no plain file"):
            code_cells(hand_in.path)


def test_names_of_files_are_shown_without_what_controls_a_terminal(tmp_path):
    (tmp_path / "a\x1b[31m\u202eb.ipynb").write_text(one_cell("x = 1"))
    (found,) = handed_in(tmp_path)
    assert found.student.isprintable() and found.name.isprintable()


def test_the_chapter_is_that_of_most_of_the_exercises():
    cells = ["# Exercise 2.1\nx", 'check("2.1", f)', 'check("3.1", f)', "# Fill-in 9.z"]
    assert chapter_of(cells, exercises()) == "2"
    assert chapter_of(["# Exercise I.3"], exercises()) == "I"
    assert chapter_of(["print('Exercise 2.1')"], exercises()) is None


# Which statements an answer needs

IMPORTS = "import math\nimport torch\nfrom os import path"


def chosen(*cells, own=True, number="2.1", default="f"):
    statements, expression = slicing.needed(cells, [own] * len(cells), number, default)
    return [ast.unparse(node) for _, node in statements], expression


def test_an_answer_takes_with_it_what_it_names_and_nothing_else():
    found, expression = chosen(
        IMPORTS,
        "RATE = 2\nmodel = torch.train(RATE)",
        "def helper(x):\n    return math.exp(x) + RATE",
        "# Exercise 2.1\ndef f(model):\n    return helper(model)",
        'check("2.1", f)',
        "model.more()",
    )
    assert found == [
        "import math",
        "RATE = 2",
        "def helper(x):\n    return math.exp(x) + RATE",
        "def f(model):\n    return helper(model)",
    ]
    assert expression == "f"


def test_two_exercises_with_a_function_of_one_name_keep_apart():
    cells = [
        "def f():\n    return 1",
        'check("2.a", f)',
        "def f():\n    return 2",
        'check("2.1", f)',
    ]
    assert chosen(*cells, number="2.a")[0] == ["def f():\n    return 1"]
    assert chosen(*cells, number="2.1")[0] == ["def f():\n    return 2"]


def test_a_function_finds_what_is_defined_below_it():
    found, _ = chosen("def f():\n    return late()", 'check("2.1", f)', "def late():\n    return 1")
    assert found == ["def f():\n    return late()", "def late():\n    return 1"]


def test_what_a_learner_does_to_something_that_is_needed_counts():
    cells = ["net = [0]\ntrain(net)\nnet.append(1)\nprint(2)", "vae = net", 'check("2.1", vae)']
    assert chosen(*cells)[0] == ["net = [0]", "train(net)", "net.append(1)", "vae = net"]
    assert chosen(*cells, own=False)[0] == ["net = [0]", "vae = net"]
    cells = ["x = {}\nx['a'] = 1\nx['a'] += 2\nfor i in x:\n    i.b = 1", 'check("2.1", x)']
    assert len(chosen(*cells, own=False)[0]) == 3


def test_commands_of_ipython_are_left_out():
    found, _ = chosen(
        "%pip install x\n!rm -rf /\nimport math", "def f():\n    return math.pi", "f?"
    )
    assert found == ["import math", "def f():\n    return math.pi"]


def test_the_checks_own_argument_is_the_answer_and_the_books_name_without_one():
    assert chosen('check("2.1", lambda x: x)')[1] == "lambda x: x"
    assert chosen('check(" exercise 2.1", g)', "check('2.1', h)")[1] == "h"
    assert chosen("x = 1")[1] == "f"


def test_a_cell_that_is_not_python_costs_its_own_exercise_alone():
    cells = ["# Exercise 2.2\ndef g(:", "def f():\n    return 1"]
    assert chosen(*cells)[0] == ["def f():\n    return 1"]
    with pytest.raises(slicing.Unreadable, match="Line 2 of the cell is not Python"):
        chosen(*cells, number="2.2", default="g")


# What passes between the processes


def there_and_back(value):
    packer = wire.Packer(keep=lambda value: 0)
    tree = json.loads(json.dumps(packer.pack(value)))
    return Unpacker(None, bytes(packer.blob)).unpack(tree)


@pytest.mark.parametrize("value", [None, ..., True, 3, 2.5, "text", 1 + 2j, (1, [2.0, "a"]), []])
def test_values_come_back_as_they_were(value):
    found = there_and_back(value)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("dtype", wire._TYPES.values(), ids=wire._TYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
def test_tensors_come_back_as_they_were(dtype, shape):
    value = (10 * torch.rand(shape)).to(dtype)
    found = there_and_back(value)
    assert found.dtype == dtype and torch.equal(found, value)


def test_distributions_come_back_as_they_were():
    x = torch.randn(5, 3)
    q_z = td.Independent(td.Normal(x, x.exp()), 1)
    assert torch.equal(there_and_back(q_z).log_prob(x), q_z.log_prob(x))


GOOD = {"tensor": "float32", "shape": [2], "at": [0, 8], "graph": False}


@pytest.mark.parametrize(
    "change",
    [
        {"tensor": "object"},
        {"tensor": ["float32"]},
        {"shape": [3]},
        {"shape": [-2]},
        {"shape": [2**40, 0]},
        {"shape": "ab"},
        {"shape": [2.0]},
        {"at": [4, 8]},
        {"at": [-8, 8]},
        {"at": [0]},
        {"at": None},
    ],
)
def test_a_tensor_of_another_size_than_it_says_is_refused(change):
    assert wire.tensor_from(GOOD, bytes(8)).shape == (2,)
    with pytest.raises(wire.Refused):
        wire.tensor_from(GOOD | change, bytes(8))


@pytest.mark.parametrize(
    "message",
    [
        struct.pack("<QQ", 2**40, 0),
        struct.pack("<QQ", 4, 2**62),
        struct.pack("<QQ", 4, 0) + b"nope",
        struct.pack("<QQ", 2, 0) + b"[]",
        struct.pack("<QQ", 60_000, 0) + b"[" * 60_000,
    ],
)
def test_a_message_that_is_none_is_refused_and_never_read_whole(message):
    with pytest.raises(wire.Refused):
        wire.receive(io.BytesIO(message))


class Harms:
    """What does something when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def test_what_is_pickled_is_no_message_and_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(Harms())
    with pytest.raises(wire.Refused):
        wire.receive(io.BytesIO(struct.pack("<QQ", len(content), 0) + content))
    assert not (tmp_path / "unpickled").exists()


def test_the_judge_opens_nothing_that_could_carry_code():
    """Its modules make pickles, for the answers; those that open them run on the other side."""
    for path in sorted((ROOT / "book" / "grading").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tree.body = [n for n in tree.body if getattr(n, "name", "") != "_function"]
        used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        opens = {name for name in used if re.search(r"\.(loads?|Unpickler|unsafe_load)$", name)}
        opens -= {"json.loads", "self.load", "answers.load"}
        assert not opens or path.name == "answers_side.py", f"{path.name}: {opens}"


def test_what_an_exercise_gives_arrives_as_a_function():
    weights = torch.randn(3, 2)
    given = (lambda z: torch.tanh(z @ weights), [torch.nn.Linear(2, 1)])
    function, _ = pickle.loads(wire.for_answers(given))
    z = torch.randn(4, 3)
    assert torch.equal(function(z), torch.tanh(z @ weights))


# The library on the other side


def test_the_other_side_has_no_oracles_and_all_that_it_needs(tmp_path):
    Isolation(tmp_path).prepare()
    names = {str(path.relative_to(tmp_path / "library")) for path in tmp_path.rglob("*.py")}
    assert not [name for name in names if re.search(r"chapter_|project_|trained", name)]
    assert {os.path.join("grading", name) for name in ON_THE_OTHER_SIDE} <= names
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "library").rglob("*.py"))
    hints = {m.hint for exercise in exercises().values() for m in exercise.mistakes}
    assert not [hint for hint in hints if hint in text]


# The tables

RESULTS = [
    {
        "student": "=1+1",
        "file": "<b>.ipynb",
        "chapter": "2",
        "problem": None,
        "grades": [
            {"exercise": "2.a", "status": "correct", "hint": "", "mistake": None},
            {"exercise": "2.1", "status": "wrong", "hint": "@x </td><script>", "mistake": "-sign"},
        ],
    },
    {"student": "b", "file": "b", "chapter": None, "problem": "It is none.", "grades": []},
]


def test_a_spreadsheet_takes_nothing_for_a_formula():
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(RESULTS))))
    assert [row["verdict"] for row in rows] == ["correct", "wrong", "not graded"]
    assert (rows[1]["student"], rows[1]["mistake"]) == ("'=1+1", "'-sign")
    assert rows[1]["note"] == "'@x </td><script>"


def test_markup_is_text_in_the_page():
    """In a hint, in a student's name, and in that of a file that was not graded."""
    page = tables.as_html([each | {"student": "<img>", "file": "<svg>"} for each in RESULTS])
    assert "@x &lt;/td&gt;&lt;script&gt;" in page
    assert "&lt;img&gt;" in page and "&lt;svg&gt;" in page
    assert not re.search("<(script|img|svg)", page)


def test_a_table_counts_by_student_and_by_exercise():
    lines = [line.split() for line in tables.as_text(RESULTS).splitlines()]
    assert ["student", "2.a", "2.1", "correct"] in lines
    assert ["=1+1", "✓", "✗", "1", "of", "2"] in lines
    assert ["correct", "1", "of", "1", "0", "of", "1"] in lines
    assert ["b:", "It", "is", "none."] in lines
    assert json.loads(tables.as_json(RESULTS)) == RESULTS


def test_the_limit_of_a_hand_in_leaves_room_for_an_executed_chapter():
    assert handins.LARGEST >= 5 * 2**20
