"""Numbers in the answers to frequent questions: computed, or the same as a chapter's run gives.

`2.3<!-- =03 joint_mean - rival_mean:.1f -->` repeats the number that chapter 3 prints in its prose
with the same expression; `=on mnist 08 gap_of_bound:.1f` is what this expression gave when chapter
8 ran on MNIST; without a chapter the expression is computed here.
"""

import math
import re
from pathlib import Path

import nbformat
import pytest
from printed_numbers import finer, numbers_below, prose_numbers
from records import built_in, read_record

ROOT = Path(__file__).resolve().parents[1]
OF_A_RUN = re.compile(r"(on mnist )?(\d\d) (.+)")
NUMBERS = prose_numbers((ROOT / "book" / "faq.md").read_text(encoding="utf-8"))
QUOTED = {
    number: OF_A_RUN.fullmatch(number.expression).groups()
    for number in NUMBERS
    if OF_A_RUN.fullmatch(number.expression)
}
COMPUTED = [number for number in NUMBERS if number not in QUOTED]
OF_THE_BOOK = [number for number, (elsewhere, *_) in QUOTED.items() if not elsewhere]
ON_MNIST = [number for number in QUOTED if number not in OF_THE_BOOK]


def asked(number):
    """A quoted number's chapter, as a path, and its expression."""
    _, chapter, expression = QUOTED[number]
    (path,) = (ROOT / "chapters").glob(f"{chapter}_*.ipynb")
    return path, expression


def verified(path):
    """The numbers in a chapter's prose, each with its code cell's place among the code cells."""
    cells = nbformat.read(path, as_version=4).cells
    code = [i for i, cell in enumerate(cells) if cell.cell_type == "code"]
    return [numbers_below(cells, i) for i in code]


def text(number):
    return f"{number.printed}, {number.expression}"


@pytest.mark.parametrize("number", COMPUTED, ids=text)
def test_a_number_that_needs_no_run_is_what_its_expression_gives(number):
    value = format(eval(number.expression, {"math": math}), finer(number.format_spec))
    assert number.problem(value) is None


@pytest.mark.parametrize("number", OF_THE_BOOK, ids=text)
def test_a_number_of_a_chapter_is_one_that_its_run_verifies(number):
    path, expression = asked(number)
    found = [n for below in verified(path) for n in below if n.expression == expression]
    assert found, f"{path.stem} verifies no number by {expression!r}"
    assert {n.printed.replace("−", "-") for n in found} == {number.printed.replace("−", "-")}


@pytest.mark.mnist
@pytest.mark.parametrize("number", ON_MNIST, ids=text)
def test_a_number_on_mnist_is_what_the_chapter_gave_there(number):
    path, expression = asked(number)
    record = read_record(built_in(ROOT, "mnist") / "executed", path.stem)
    assert record, "the book is not built on MNIST: make mnist builds it first"
    values = [
        value
        for below, given in zip(verified(path), record["values"], strict=True)
        for n, value in zip(below, given, strict=True)
        if n.expression == expression
    ]
    # The chapter's record may have more digits than are told here.
    values = [f"{float(value):{finer(number.format_spec)}}" for value in values]
    assert values and all(number.problem(value) is None for value in values)


def test_there_are_numbers_of_each_kind():
    assert COMPUTED and OF_THE_BOOK and ON_MNIST
