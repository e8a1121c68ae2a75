"""One switch scales the book: chapters run on MNIST with their assertions intact.

`make mnist` runs these, `make test` does not: they take minutes. Where the folder that VAE_LIB_DATA
names has no mnist/ in it, the images are downloaded.
"""

from pathlib import Path

import pytest
from build import begins
from records import outcome

ROOT = Path(__file__).resolve().parents[1]
# The longest first, each in the next free worker.
LONGEST = ("08", "00", "06", "04", "01", "02", "03")
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
CHAPTERS.sort(key=lambda name: [*LONGEST, name[:2]].index(name[:2]))


@pytest.mark.mnist
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_on_mnist(chapter):
    """Through the executor, with records of its own: what has not changed is not run again."""
    path, folder = ROOT / "chapters" / f"{chapter}.ipynb", ROOT / "_build" / "executed_mnist"
    known = outcome(ROOT, path, folder, dataset="mnist")
    for failure in known.findings["failures"]:
        where = begins(known, failure["cell"])
        pytest.fail(f"{chapter} on MNIST fails {where}: {failure['reason']}", pytrace=False)
