"""A build on another data set: refused at once where it cannot be, and kept apart from the book."""

import os
import re
import subprocess
import sys
from pathlib import Path

import build
import nbformat
import other_data
import pytest
import staging
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from printed_numbers import prose_numbers

ROOT = Path(__file__).resolve().parents[1]
OPENING = "# A chapter\n\n> Why?\n\nYou need nothing. **5 minutes** for all of it."
PROSE = "There are 64<!-- =n:d --> pixels, 10<!-- =kinds:d --> kinds, 2<!-- =gone:d --> ways."


@pytest.fixture
def book(tmp_path):
    """A book of one chapter, whose numbers are not those of digits but for one."""
    for name in ("chapters", "book", "vae_lib"):
        (tmp_path / name).mkdir()
    cells = [
        new_markdown_cell(f"{OPENING}\n\nIt begins."),
        new_code_cell(
            'import os\nprint(os.environ.get("VAE_BOOK_DATASET", "?"))\nn, kinds = 784, 10'
        ),
        new_markdown_cell(PROSE),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "chapters" / "01_a.ipynb")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/claims\n")
    (tmp_path / "_config.yml").write_text("sphinx:\n  config:\n    html_title: Book\n")
    (tmp_path / "book" / "claims.md").write_text("# Claims\n\nBelow.\n")
    return tmp_path


def run_build(root, *options, **environment):
    nowhere = "http://127.0.0.1:9"  # no server is there, and the refusal comes at once
    no_network = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere)
    home = {"HOME": str(root), "XDG_CACHE_HOME": str(root / "cache"), "VAE_LIB_DATA": ""}
    line = [sys.executable, ROOT / "book" / "build.py", "--root", root, *options]
    environment = {**os.environ, "VAE_BOOK_DATASET": "", **no_network, **home, **environment}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="the cache's folder is set as on Linux")
@pytest.mark.parametrize("by", ["option", "variable"])
def test_without_the_data_a_build_stops_before_any_chapter_and_says_what_to_do(book, by):
    asked = ["--dataset", "mnist"] if by == "option" else []
    done = run_build(book, *asked, VAE_BOOK_DATASET="" if asked else "mnist")
    assert done.returncode == 1 and done.stdout == ""
    said = "cannot be built on 'mnist'", "Check the network", "VAE_LIB_DATA", "Without --dataset"
    assert all(words in done.stderr for words in said) and "Traceback" not in done.stderr
    assert not (book / "_build").exists()


@pytest.mark.parametrize(
    ("name", "reason"), [("minst", "Did you mean 'mnist'"), ("patches", "images with classes")]
)
def test_a_data_set_that_cannot_carry_the_chapters_is_refused(name, reason):
    assert reason in other_data.refusal(name)


def test_digits_can_carry_them():
    assert other_data.refusal("digits") is None


def test_what_is_made_on_other_data_is_made_in_a_folder_of_its_own(book, monkeypatch):
    made = []
    monkeypatch.setattr(build, "run_chapters", lambda root, folder, **_: made.append(folder) or 1)
    monkeypatch.setattr(build, "build_site", lambda root, built, name: made.append(built))
    for options in ([], ["--dataset", "digits"]):
        assert build.main(["--root", str(book), *options]) == 0
    own, other = book / "_build", book / "_build" / "digits"
    assert made == [own / "executed", own, other / "executed", other]


def test_a_page_says_so_and_shows_the_runs_numbers_behind_those_of_the_text(book):
    executed, staged = book / "executed", book / "staged"
    assert build.run_chapters(book, executed, jobs=1, dataset="digits")
    staging.stage(book, executed, staged, "digits")
    opening, code, prose = nbformat.read(staged / "chapters" / "01_a.ipynb", as_version=4).cells
    assert opening.source.startswith(f"{OPENING}\n\n:::{{admonition}} Built on another data set\n")
    assert "`digits` (1,797 handwritten digits" in opening.source and "CC BY 4.0" in opening.source
    assert opening.source.endswith(":::\n\nIt begins.")
    assert code.outputs[0].text == "digits\n"
    shown = other_data.bracketed("784")
    assert prose.source == PROSE.replace("=n:d -->", f"=n:d -->{shown}")
    assert "of `digits`" not in (book / "book" / "claims.md").read_text()
    assert "measured on `digits`" in (staged / "book" / "claims.md").read_text()
    assert "Book, on digits" in (staged / "_config.yml").read_text()
    assert nbformat.read(executed / "01_a.ipynb", as_version=4).cells[2].source == PROSE


def test_a_chapter_that_keeps_its_data_says_that_it_does(tmp_path):
    cells = [new_markdown_cell(OPENING), new_code_cell('dataset = load("shapes")')]
    nbformat.write(new_notebook(cells=cells), tmp_path / "15_b.ipynb")
    other_data.annotate(tmp_path / "15_b.ipynb", tmp_path / "staged.ipynb", "digits")
    opening, _ = nbformat.read(tmp_path / "staged.ipynb", as_version=4).cells
    assert "Built on another data set" not in opening.source
    assert "keeps the data that it comes with" in opening.source


def test_chapters_that_keep_their_data_are_those_that_say_so():
    kept = set()
    for path in (ROOT / "chapters").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        if not any(other_data.ASKED in c.source for c in cells if c.cell_type == "code"):
            kept.add(
                path.stem.partition("_")[0].lstrip("0") if path.stem[0].isdigit() else path.stem
            )
    page = (ROOT / "book" / "how_to_use.md").read_text(encoding="utf-8")
    (said,) = re.findall("Two chapters keep data of their own.+", page)
    assert kept == {*re.findall(r"Chapter (\d+) needs", said), "project_2"}
    assert kept >= {"10", "15"} and "Project II" in said


def test_on_its_own_data_a_page_says_nothing(book, monkeypatch):
    monkeypatch.setenv("VAE_BOOK_DATASET", "")
    chapter = book / "chapters" / "01_a.ipynb"
    staging.stage(book, chapter.parent, book / "staged")
    assert (book / "staged" / "chapters" / "01_a.ipynb").read_bytes() == chapter.read_bytes()


@pytest.mark.parametrize(
    ("printed", "format_spec", "value", "shown"),
    [
        ("2.5", ".1f", "2.541", None),
        ("2.5", ".1f", "2.570", None),  # within three quarters of the last digit: the same
        ("2.5", ".1f", "-3.120", "−3.1"),
        ("12", ".0%", "15.21%", "15%"),
        ("1.0e-3", ".1e", "3.123e-05", "3.1 × 10<sup>−5</sup>"),
        ("10", ".0e", "1.00e+12", "1 × 10<sup>12</sup>"),
        ("2.5", ".1f", "nan", None),
        ("2.5", ".1f", {"error": "NameError: x"}, None),
    ],
)
def test_only_another_number_is_shown(printed, format_spec, value, shown):
    (number,) = prose_numbers(f"It is {printed}<!-- =x:{format_spec} -->.")
    expected = "" if shown is None else f'<span class="here">\u202f[{shown}]</span>'
    assert other_data.beside(number, value) == expected
