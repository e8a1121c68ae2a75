"""Hand-outs: the same code, and no solution left."""

import nbformat
import pytest
from handout import (
    CHAPTERS_FOLDER,
    LEFT,
    WITH,
    WITHOUT,
    chapters_named,
    hand_out,
    without_solutions,
)

CHAPTERS = sorted(CHAPTERS_FOLDER.glob("*.ipynb"))
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def markdown(source):
    return nbformat.v4.new_markdown_cell(source)


def code(notebook):
    """All that decides what a run shows: hence a hand-out's checks say what the chapter's say."""
    return [
        (cell.source, cell.metadata, cell.id) for cell in notebook.cells if cell.cell_type == "code"
    ]


@every_chapter
def test_a_hand_out_has_the_chapters_code_and_none_of_its_solutions(path):
    chapter = nbformat.read(path, as_version=4)
    found = without_solutions(chapter)
    assert code(found) == code(chapter)
    assert found.metadata == chapter.metadata
    texts = [cell.source for cell in found.cells if cell.cell_type == "markdown"]
    assert not [text for text in texts if LEFT.search(text) or not text.strip()]
    n_solutions = sum("<summary>Solution" in cell.source for cell in chapter.cells)
    assert len(chapter.cells) - len(found.cells) == n_solutions > 0
    kept = [cell.source for cell in chapter.cells if "<summary>Solution" not in cell.source]
    assert [cell.source for cell in found.cells] == kept
    nbformat.validate(found)


def test_text_beside_a_solution_stays():
    solution = '<details class="solution">\n\n<summary>Solution 1.1</summary>\n\nx\n\n</details>'
    notebook = nbformat.v4.new_notebook(cells=[markdown(f"Before.\n\n{solution}\n\nAfter.")])
    (cell,) = without_solutions(notebook).cells
    assert cell.source == "Before.\n\nAfter."
    assert "Solution" in notebook.cells[0].source, "the chapter itself is left as it is"


@pytest.mark.parametrize(
    "source",
    [
        "<details><summary>Solution 1.1</summary>x</details>",
        '<details class="solution">\n\n<summary>Solution 1.1</summary>\n\nnever closed',
        "<details>x</details>",
    ],
)
def test_a_solution_of_another_form_is_not_handed_out_unseen(source):
    with pytest.raises(ValueError, match="A solution is left in the cell that begins"):
        without_solutions(nbformat.v4.new_notebook(cells=[markdown(source)]))


def test_both_sets_are_written_and_nothing_is_written_over(tmp_path):
    chapters = chapters_named(["02", "project_1"])
    hand_out(chapters, tmp_path)
    for name in (WITHOUT, WITH):
        found = sorted(path.name for path in (tmp_path / name).iterdir())
        assert found == ["02_probabilistic_encoder.ipynb", "project_1.ipynb"]
    for chapter in chapters:
        assert (tmp_path / WITH / chapter.name).read_bytes() == chapter.read_bytes()
    mine = tmp_path / WITHOUT / "02_probabilistic_encoder.ipynb"
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match="name another folder"):
        hand_out(chapters, tmp_path)
    assert mine.read_text() == "mine"


def test_chapters_are_known_by_number_name_and_path():
    path = CHAPTERS[2]
    assert chapters_named([path.name[:2]]) == chapters_named([str(path)]) == [path]
    assert chapters_named([]) == CHAPTERS
    with pytest.raises(ValueError, match=r"There is no chapter '77'; there are 00_half_an_hour, "):
        chapters_named(["77"])
