"""The page of claims: made from the records, whatever a sentence holds."""

import claims_page
import execution
import nbformat
import pytest
import records
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

STUB = f"# Claims\n\nHow it is made.\n\n{claims_page.MARK}\n\nNothing was run yet.\n"


def recorded(folder, name, *claims):
    """A chapter's copy and record, as a run leaves them, with one output for each claim."""
    outputs = [
        new_output(
            "display_data",
            data={"text/plain": f"✓ {claim}"},
            metadata={"vae_book": {"claim": {"sentence": claim, "numbers": "1: above 0"}}},
        )
        for claim in claims
    ]
    cells = [new_markdown_cell("# The title"), new_code_cell("claim()", outputs=outputs)]
    run = execution.Run(new_notebook(cells=cells), values=[[]])
    records.store(folder, name, "key", run, execution.findings(run, run.notebook))


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "claims.md"
    page.write_text(STUB)
    return page


def test_it_lists_each_claim_of_each_chapter_with_its_numbers_and_a_link(page, tmp_path):
    recorded(tmp_path, "01_a", "all is well", "a | b, *c* and `code_x`\nin <i>two</i> lines $x$")
    recorded(tmp_path, "02_b")
    claims_page.fill(page, sorted(tmp_path.glob("*.ipynb")))
    text = page.read_text()
    assert "How it is made." in text and "Nothing was run yet" not in text
    assert "## Chapter 1: The title" in text and "(../chapters/01_a.ipynb)" in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "claimed" not in line]
    assert rows == [
        "| all is well | 1: above 0 |",
        r"| a \| b, \*c\* and `code_x` in \<i\>two\</i\> lines \$x\$ | 1: above 0 |",
    ]
    assert "Its claims are assertions" in text.partition("02_b")[2]


def test_a_margin_and_the_seeds_break_over_no_line():
    numbers = "0.5 to 1: each below its own bar; margin 0.25; seeds 0, 1, 2"
    kept = "margin 0.25; seeds 0, 1, 2".replace(" ", "\N{NO-BREAK SPACE}").replace(
        ";\N{NO-BREAK SPACE}", "; "
    )
    assert claims_page.measured(numbers) == f"0.5 to 1: each below its own bar; {kept}"


def test_a_project_is_called_by_its_title(page, tmp_path):
    recorded(tmp_path, "project_1", "it is in its band", "5: between -20 and -18")
    claims_page.fill(page, sorted(tmp_path.glob("*.ipynb")))
    text = page.read_text()
    assert "## The title" in text and "[To the project](../chapters/project_1.ipynb)" in text


def test_before_any_run_the_page_says_how_it_is_made(page, tmp_path):
    nbformat.write(new_notebook(), tmp_path / "01_a.ipynb")
    claims_page.fill(page, sorted(tmp_path.glob("*.ipynb")))
    assert page.read_text() == STUB
