"""Live figures in a page that nbconvert makes of a notebook: what stands for them is on it."""

import re
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "from vae_lib.live import one_pixel\none_pixel()",
    'from vae_lib.exercises import quiz\nquiz("1")',
)


@pytest.fixture(scope="module")
def executed():
    """A notebook executed as the command in how_to_use.md does it."""
    text = (ROOT / "book" / "how_to_use.md").read_text(encoding="utf-8")
    (option,) = re.findall(r"--ExecutePreprocessor\.(\w+=\w+)", text)
    assert option == "store_widget_state=False"
    notebook = new_notebook(cells=[new_code_cell(source) for source in SOURCES])
    ExecutePreprocessor(timeout=300, store_widget_state=False).preprocess(notebook)
    nbformat.validate(notebook)
    return notebook


def test_pictures_stand_in_the_page_for_the_figures(executed):
    page, _ = HTMLExporter().from_notebook_node(executed)
    assert len(re.findall(r'<img[^>]*src="data:image/png;base64,iVBOR', page)) == 1
    assert page.count("<details") >= 3, "the options of the quiz, each with its reason"
    assert "widget-view+json" not in page
