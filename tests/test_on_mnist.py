"""The book as `make mnist` has built it on MNIST: what the chapters' assertions do not say.

`make test` leaves these out: the chapters take minutes there. They ran for the site, and run no
second time.
"""

import json
import re

import pytest
from built_site import MOST_STATE, ROOT
from records import built_in

CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
STATE = re.compile(r'<script type="[\w./]+widget-state\+json">(.*?)</script>', re.DOTALL)


@pytest.fixture(params=CHAPTERS)
def page(request):
    """A chapter's page."""
    html = built_in(ROOT, "mnist") / "html" / "chapters" / f"{request.param}.html"
    assert html.exists(), "the book is not built on MNIST: make mnist builds it first"
    return html.read_text(encoding="utf-8")


@pytest.mark.mnist
def test_a_page_says_of_which_data_it_is(page):
    said = [page.count(title) for title in ("Built on another data set", "On data of its own")]
    assert sum(said) == 1
    assert "MNIST: 70,000" in page or said == [0, 1]


@pytest.mark.mnist
def test_a_figures_state_is_small_at_28_by_28_pixels(page):
    found = STATE.search(page)
    for state in json.loads(found[1])["state"].values() if found else ():
        figure, size = state["state"].get("figure"), len(json.dumps(state, separators=(",", ":")))
        assert not figure or size < MOST_STATE, f"{figure}: {size:,} bytes"


@pytest.mark.mnist
def test_numbers_of_the_run_stand_behind_those_of_the_text():
    pages = sorted((built_in(ROOT, "mnist") / "html" / "chapters").glob("*.html"))
    found = {page.stem: page.read_text("utf-8").count('class="here"') for page in pages}
    # One is the example in the note; chapters 0 and 7 and the project print few numbers or none.
    assert sum(count > 5 for count in found.values()) >= 7, found
