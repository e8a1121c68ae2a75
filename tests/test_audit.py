"""The seed audit: other seeds everywhere, none lost, and every assertion that fails is listed."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import audit
import execution
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[1]

DRAWS = """
import random
import numpy as np
import torch
from sklearn.utils import check_random_state
from vae_lib import data, training
torch.manual_seed(0); np.random.seed(0); random.seed(0)
model = torch.nn.Linear(1, 1, bias=False)
with torch.no_grad(): model.weight.fill_(1)
def objective(model, x): return (model(x) * torch.rand_like(x)).sum(-1)
def draws():
    yield "torch", torch.rand(1).item()
    yield "generator", torch.rand(1, generator=torch.Generator().manual_seed(0)).item()
    yield "numpy", np.random.rand()
    yield "rng", np.random.default_rng(0).random()
    yield "state", np.random.RandomState(0).rand()
    yield "sklearn", check_random_state(0).rand()
    yield "random", random.random()
    yield "seed=", training.evaluate(model, objective, torch.ones(50, 1), seed=0)
    yield "data", data.load("patches").train[:5].sum().item()
for name, value in draws(): print(name, repr(float(value)))
"""

FAILS = """
from vae_lib.claims import claim
def smaller(a, b):
    assert a < b and a == 1, "a message"
torch.manual_seed(0)
a = torch.rand(1)
smaller(1, 0.5)
assert all(x > 1 for x in [0])
torch.testing.assert_close(torch.tensor(1.0), torch.tensor(2.0))
claim("each is large", [1.0, 3.0], above=2, seeds=[0, 1])
claim("each is small", [1.0, 3.0], below=4)
"""

CELLS = [
    new_code_cell(DRAWS),
    new_markdown_cell("Prose"),
    new_code_cell(FAILS),
    new_code_cell("gone"),
    new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
    new_code_cell("gone again".replace(" ", "_")),
]


def notebook(cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def runs():
    """The draws with a shift of nought, and all cells with one."""
    cells = {0: CELLS[:1], 1: CELLS}
    before = audit.before_first_cell
    return {shift: execution.run(notebook(cells[shift]), before=before(shift)) for shift in cells}


@pytest.fixture(scope="module")
def plain():
    """What is drawn where nothing was made in the kernel; seeds draw the same in any process."""
    text = io.StringIO()
    with redirect_stdout(text):
        exec(DRAWS, {})
    return draws(text.getvalue())


def drawn(run):
    return draws(run.notebook.cells[0].outputs[0].text)


def draws(text):
    return dict(line.split() for line in text.splitlines())


def test_a_shift_of_nought_is_the_ordinary_run(runs, plain):
    assert len(plain) == 9
    assert drawn(runs[0]) == plain


def test_every_way_to_seed_is_shifted_and_a_data_set_is_not(runs, plain):
    moved = drawn(runs[1])
    assert [name for name in plain if moved[name] == plain[name]] == ["data"]


def test_each_assertion_that_fails_is_listed_with_both_sides_and_the_cell_goes_on(runs):
    found = audit.faults("01_a", 1, runs[1])
    listed = [(fault.cell, fault.kind, fault.asserts, fault.by) for fault in found]
    assert listed == [
        (3, "assertion", "assert a < b and a == 1, 'a message'", "1 < 0.5"),
        (3, "assertion", "assert all((x > 1 for x in [0]))", ""),
        (3, "assertion", listed[2][2], listed[2][3]),
        (3, "claim", "each is large", "seed 0: 1, not above 2: misses by 1"),
        (4, "error", "the cell runs", "NameError: name 'gone' is not defined"),
        (6, "consequence", "the cell runs", "NameError: name 'gone_again' is not defined"),
    ]
    assert listed[2][2].startswith("torch.testing.assert_close")
    assert "Absolute difference: 1.0" in listed[2][3]


def test_the_table_names_chapter_cell_assertion_shifts_and_the_amount(runs):
    found = audit.faults("01_a", 1, runs[1]) + audit.faults("01_a", 2, runs[1])
    table = audit.table(found, [1, 2, 3])
    assert (
        "| 01_a | 3 `from vae_lib.claims import claim` | claim: `each is large` | 1, 2 (2 of 3) |"
        in table
    )
    assert "gone_again" not in table and "01_a cell 6" in table
    assert "holds under each of 3 shifts" in audit.table([], [1, 2, 3])


def test_the_command_writes_its_list_and_fails_if_anything_does(tmp_path):
    chapter = tmp_path / "01_a.ipynb"
    good = new_code_cell("import random; random.seed(0); assert random.random() < 1")
    chance = new_code_cell("random.seed(0); assert random.random() > 0.84")  # true of that seed
    nbformat.write(notebook([good, chance]), chapter)
    before = chapter.read_bytes()
    command = [sys.executable, ROOT / "book" / "audit.py", "--seeds", "1", "--output", tmp_path]
    done = subprocess.run([*command, chapter], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    faults = json.loads((tmp_path / "audit.json").read_text())
    assert {fault["cell"] for fault in faults} == {2} and faults[0]["by"].endswith("> 0.84")
    assert (tmp_path / "audit.md").read_text() in done.stdout
    assert chapter.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["01_a.ipynb", "audit.json", "audit.md"]
