"""The order of the book is that of its table of contents."""

from pathlib import Path

import contents
import pytest

TOC = """root: book/intro
parts:
  - caption: Start here
    chapters:
      - file: chapters/00_z
  - caption: "Part I: First: steps"
    chapters:
      - file: chapters/01_a
  - chapters:
      - file: chapters/project_1
  - caption: Part II
    chapters:
      - file: chapters/10_b
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "_toc.yml").write_text(TOC)
    return tmp_path


def test_a_part_without_a_caption_goes_on_with_the_last(root):
    assert [(part.name, part.documents) for part in contents.parts(root)] == [
        ("Start here", ("chapters/00_z",)),
        ("Part I", ("chapters/01_a", "chapters/project_1")),
        ("Part II", ("chapters/10_b",)),
    ]


def test_a_table_that_is_not_divided_is_one_part(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: a\nchapters:\n  - file: chapters/01_a\n")
    assert contents.parts(tmp_path) == [contents.Part("", ("chapters/01_a",))]
    (tmp_path / "_toc.yml").write_text("root: a\n")
    assert contents.parts(tmp_path) == [contents.Part("", ())]


def test_a_project_comes_after_its_part_and_what_is_not_named_comes_last(root):
    names = ["project_9", "10_b", "project_1", "11_new", "00_z", "01_a"]
    paths = [Path("chapters", f"{name}.ipynb") for name in names]
    ordered = [path.stem for path in contents.in_order(paths, root)]
    assert ordered == ["00_z", "01_a", "project_1", "10_b", "11_new", "project_9"]


def test_every_chapter_of_the_book_is_in_its_table_of_contents():
    root = Path(__file__).resolve().parents[1]
    listed = {document for part in contents.parts(root) for document in part.documents}
    written = {f"chapters/{path.stem}" for path in (root / "chapters").glob("*.ipynb")}
    assert written == {document for document in listed if document.startswith("chapters/")}
