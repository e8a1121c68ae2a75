"""The machinery that verifies notebooks, tried on small notebooks with known faults.

Cases that need a kernel share one run of nbval, once on the executor's record and once in a kernel.
"""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mend
import nbformat
import pytest
import test_notebooks
from mend import stripped
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from printed_numbers import close, finer, prose_numbers, texts_agree

ROOT = Path(__file__).resolve().parents[1]
TAGS = {"tags": ["nbval-check-output", "keep_output"]}
PI = "import math\nprint(f'pi is {math.pi:.6f} to 6 places')"


CLAIM = f"from vae_lib.claims import claim\n{PI}\nclaim('pi is above three', math.pi, above=3)"


def printing(source, stored):
    outputs = [new_output("stream", name="stdout", text=stored)] if stored else []
    return new_code_cell(source, metadata=TAGS, outputs=outputs)


def prose(text):
    return [new_code_cell("a = {'b': [-23.14, 1797]}"), new_markdown_cell(text)]


# One case each: its cells, of which the first is code, and what its failure must say (None: it
# passes). All of them are cells of one notebook, since a kernel takes a second or two to start.
CASES = {
    "good": ([printing(PI, "pi is 3.141593 to 6 places\n")], None),
    "jitter": ([printing(PI, "pi is 3.141599  to 6 places\n")], None),
    "stale_float": ([printing(PI, "pi is 3.151593 to 6 places\n")], "3.151593"),
    "stale_integer": ([printing("print(100_000)", "100001\n")], "100001"),
    "stale_word": ([printing(PI, "tau is 3.141593 to 6 places\n")], "tau is"),
    "not_stored": ([printing(PI, "")], "no output is stored"),
    # A claim in a verified cell is shown and recorded, and is no part of what is stored.
    "claimed": ([printing(CLAIM, "pi is 3.141593 to 6 places\n")], None),
    "false_claim": (
        [new_code_cell("claim('pi is three', math.pi, equals=3)")],
        "misses by 0.1416",
    ),
    "raises": ([new_code_cell("1 / 0")], "ZeroDivisionError"),
    "may_raise": ([new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})], None),
    "good_prose": (
        prose("ELBO −23.2<!-- =a['b'][0]:.1f -->, N = 1,797<!-- =a['b'][1:][0]:, -->"),
        None,
    ),
    "stale_prose": (
        prose("It is -24.1<!-- =a['b'][0]:.1f --> nats"),
        "-24.1<!-- =a['b'][0]:.1f --> is out of date: the run gives -23.1",
    ),
    "stale_count": (prose("There are 1,796<!-- =a['b'][1]:, -->"), "the run gives 1,797"),
    "misspelt": (prose("It is 2.0<!-- =elbow:.1f -->"), "name 'elbow' is not defined"),
    "no_number": (prose("It is nothing <!-- =a['b'][0]:.1f -->"), "no number right before it"),
}
MENDED_BY_FIX = ["stale_float", "stale_integer", "stale_word", "not_stored"]
MENDED_BY_FIX += ["stale_prose", "stale_count"]


def write_notebook(folder, names):
    shutil.copy(ROOT / "conftest.py", folder)
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT / 'book'} {ROOT / 'tests'}\n")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [copy.deepcopy(cell) for name in names for cell in CASES[name][0]]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "chapter.ipynb")
    return folder / "chapter.ipynb"


def run_in(folder, *command, **environment):
    settings = {"VAE_BOOK_DATASET": "", "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )


def nbval(folder, **environment):
    flags = ["--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider", "--color=no", "-rA"]
    return run_in(folder, "-m", "pytest", *flags, "chapter.ipynb", **environment).stdout


def fix(folder, *options):
    """As `make fix` does, in this process; the exit status."""
    return mend.main(["--root", str(folder), *options, str(folder / "chapter.ipynb")])


@pytest.fixture(scope="module", params=["", "kernel"], ids=["recorded", "kernel"])
def report(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nbval")
    write_notebook(folder, CASES)
    return nbval(folder, VAE_BOOK_NBVAL=request.param)


@pytest.mark.parametrize("name", CASES)
def test_nbval_passes_what_is_true_and_names_the_fault_of_the_rest(report, name):
    cell, complaint = f"chapter.ipynb::Cell {list(CASES).index(name)}", CASES[name][1]
    if complaint is None:
        assert f"PASSED {cell}\n" in report, report
    else:
        assert f"FAILED {cell} " in report or f"FAILED {cell}\n" in report, report
        section = report.split(f"_ {cell} _")[1].split("\n____")[0]
        assert complaint in section
        assert "chapter.ipynb" in section or name in ("raises", "false_claim")


def test_fix_mends_what_is_stale_and_nbval_then_passes(tmp_path):
    chapter = write_notebook(tmp_path, ["good", "claimed", *MENDED_BY_FIX])
    before = chapter.read_text()

    assert fix(tmp_path, "--check") == 1
    assert chapter.read_text() == before
    (record,) = (tmp_path / "_build" / "executed").glob("*.json")
    run = json.loads(record.read_text())
    assert len(run["findings"]["outputs"]) + len(run["findings"]["prose"]) == len(MENDED_BY_FIX)
    assert [claim["sentence"] for claim in run["findings"]["claims"]] == ["pi is above three"]

    assert fix(tmp_path) == 0
    old, new = nbformat.reads(before, as_version=4), nbformat.read(chapter, as_version=4)
    nbformat.validate(new)
    assert stripped(new) == new
    assert [cell.id for cell in new.cells] == [cell.id for cell in old.cells]
    assert new.cells[:2] == old.cells[:2]
    assert "-23.1<!-- =a['b'][0]:.1f -->" in chapter.read_text()
    assert "FAILED" not in nbval(tmp_path)
    after = json.loads(record.read_text())
    assert after["seconds"] == run["seconds"], "prose and stored output are mended without a run"
    assert after["findings"]["outputs"] == after["findings"]["prose"] == []


def test_fix_leaves_a_true_notebook_as_it_is_and_a_misspelt_expression_alone(tmp_path, capsys):
    chapter = write_notebook(tmp_path, ["good", "jitter", "good_prose", "misspelt"])
    before = chapter.read_text()
    assert fix(tmp_path) == 1
    assert chapter.read_text() == before
    said = capsys.readouterr().out
    assert "name 'elbow' is not defined" in said and "0 rewritten, 1 wrong" in said


def test_a_claim_that_a_notebook_was_saved_with_is_not_stored():
    metadata = {"vae_book": {"claim": {}}}
    shown = new_output("display_data", data={"text/plain": "✓"}, metadata=metadata)
    cell = printing(PI, "pi\n")
    cell.outputs.append(shown)
    assert len(stripped(chapter_of(cell)).cells[0].outputs) == 1


def test_on_another_data_set_the_cells_run_but_numbers_are_not_compared(tmp_path, monkeypatch):
    write_notebook(tmp_path, ["stale_float", "stale_prose", "raises"])
    report = nbval(tmp_path, VAE_BOOK_DATASET="mnist")
    assert "2 passed" in report and "FAILED chapter.ipynb::Cell 2" in report, report
    monkeypatch.setenv("VAE_BOOK_DATASET", "mnist")
    with pytest.raises(SystemExit) as stopped:
        fix(tmp_path)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("printed", "computed", "agree"),
    [
        ("-23.1", "-23.2", True),
        ("-23.1", "-23.3", False),
        ("−23.1", "-23.1", True),
        ("23.1", "-23.1", False),
        ("-23", "-23.4", False),  # printed more coarsely than its format says
        ("1,797", "1,796", True),
        ("1,797", "1,795", False),
        ("1.2e-5", "1.3e-05", True),
        ("1.2e-5", "1.2e-04", False),
        (r"1.2 \times 10^{-5}", "1.1e-05", True),
        (r"1.2 × 10^{−5}", "1.2e-06", False),
    ],
)
def test_a_unit_of_the_last_digit(printed, computed, agree):
    assert close(printed, computed) is agree


@pytest.mark.parametrize(
    ("printed", "format_spec", "computed", "right"),
    [
        ("4", ".0f", 4.49, True),
        ("4", ".0f", 4.7, True),  # a quarter of a unit is for the machine
        ("5", ".0f", 4.2, False),
        ("5", ".0f", 4.0, False),
        ("20.6", ".1f", 20.7, True),  # half a per cent
        ("2.3", ".1f", 2.4, False),
        ("106", ".0f", 104.4, False),
        ("-23", ".1f", -23.4, False),  # printed more coarsely than its format says
        ("−23.1", ".1f", -23.06, True),
        ("−23.1", ".1f", -22.94, False),
        ("12", ".0%", 0.1249, True),
        ("12", ".0%", 0.132, False),
        ("1.2e-5", ".1e", 1.24e-5, True),
        ("1.2e-5", ".1e", 1.3e-5, False),
        ("1,797", ",", 1797, True),
        ("1,797", ",", 1796, False),
    ],
)
def test_a_number_in_prose_is_the_run_s_rounded(printed, format_spec, computed, right):
    (number,) = prose_numbers(f"It is {printed}<!-- =x:{format_spec} -->.")
    assert (number.problem(format(computed, finer(format_spec))) is None) is right


@pytest.mark.parametrize(
    ("stored", "printed", "agree"),
    [
        ("elbo: -95.1234 nats", "elbo:  -95.1244 nats", True),  # 1e-4 of it is 0.0095
        ("elbo: -95.1234 nats", "elbo: -95.2 nats", False),
        ("epoch 3 of 10", "epoch 3 of 11", False),
        ("tensor([0.1000, 2.0])", "tensor([0.1001, 2.0])", True),
        ("tensor([0.1000, 2.0])", "tensor([0.1000, 2.0, 1.0])", False),
        ("0.5", "nan", False),
        ("8x8 images", "8x9 images", False),
        ("-0.00", "0.00", True),
    ],
)
def test_words_exactly_and_numbers_within_a_tolerance(stored, printed, agree):
    assert texts_agree(stored, printed) is agree


@pytest.mark.parametrize(
    ("markdown", "printed", "expression", "format_spec"),
    [
        ("-23.1<!-- =elbo:.1f -->", "-23.1", "elbo", ".1f"),
        ("12 %<!--=share:.0%-->", "12", "share", ".0%"),
        ("**0.75**<!-- =x[1:2].mean():.2f -->", "0.75", "x[1:2].mean()", ".2f"),
        (r"$2.2 \times 10^{-16}$<!-- =eps:.1e -->", r"2.2 \times 10^{-16}", "eps", ".1e"),
        ("3-5<!-- =k:d -->", "5", "k", "d"),
        ("a plain -1.5 and 7<!-- =k:d -->", "7", "k", "d"),
    ],
)
def test_a_prose_number_is_read_with_its_expression(markdown, printed, expression, format_spec):
    (number,) = prose_numbers(markdown)
    assert (number.printed, number.expression) == (printed, expression)
    assert number.format_spec == format_spec
    assert markdown[number.start :].startswith(printed)


@pytest.mark.parametrize(
    ("markdown", "computed", "rewritten"),
    [
        ("−23.1<!-- =x:.1f -->", "-24.013", "−24.0"),
        ("12 %<!-- =x:.0% -->", "14.12%", "14"),
        (r"$2.2 \times 10^{-16}$<!-- =x:.1e -->", "1.512e-08", r"1.5 \times 10^{-8}"),
    ],
)
def test_a_rewrite_keeps_the_typography(markdown, computed, rewritten):
    (number,) = prose_numbers(markdown)
    assert number.rewritten(computed) == rewritten


def chapter_of(*cells):
    return new_notebook(cells=list(cells))


def test_an_image_left_in_a_notebook_breaks_the_rule():
    image = new_output("display_data", data={"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"})
    left = new_code_cell("plt.plot([1, 2])", outputs=[image])
    with pytest.raises(AssertionError, match="make fix"):
        test_notebooks.test_nothing_is_stored_but_verified_text(chapter_of(left))
    left.metadata = TAGS
    with pytest.raises(AssertionError, match="image/png"):
        test_notebooks.test_nothing_is_stored_but_verified_text(chapter_of(left))


@pytest.mark.parametrize(
    ("markdown", "loose"),
    [
        ("The ELBO is -23.1 nats.", ["23.1"]),
        ("The ELBO is -23.1<!-- =elbo:.1f --> nats, the KL 4.5.", ["4.5"]),
        ("Take $\\sigma = 0.1$, `lr=0.001` and\n$$x = 2.5$$\n```python\nx = 3.5\n```\n", []),
        ("## 2.1 Why\n\nSee Figures 1.2 and 1.3, [it](https://a.org/v1.2), arXiv:1312.6114.", []),
        ("| a | 3.5 {cite}`kingma2014` |\n| b | 4.5 |", ["4.5"]),
        ("<summary>Solution 2.1</summary>", []),
    ],
)  # fmt: skip
def test_a_result_in_prose_needs_a_comment(markdown, loose):
    assert test_notebooks.unverified_decimals(markdown) == loose


def test_a_function_that_reads_a_notebook_variable_is_named():
    source = """import math
scale = 2.0
class Net: pass
def area(r): return math.pi * r**2
def scaled(r, n=3):
    width = [area(r) for r in range(n)]
    return scale * max(width) + Net().x
doubled = sorted([1], key=lambda r: r * scale)
"""
    found = test_notebooks.globals_read(chapter_of(new_code_cell(source)))
    assert found == [("scaled", "scale")]


def test_a_figure_is_found_through_the_function_that_draws_it():
    cells = [
        new_code_cell("plots.use_book_style()"),
        new_code_cell("def draw(x):\n    fig, ax = plt.subplots()\n    ax.plot(x)"),
        new_code_cell("draw([1, 2])"),
        new_code_cell("for x in (1, 2):\n    plots.images(x, (8, 8));"),
    ]
    assert test_notebooks.figure_positions(chapter_of(*cells)) == [2, 3]
