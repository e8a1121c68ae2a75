"""How the tests run: notebooks on the executor's record, the longest first, each file together."""

import os
import re
from collections.abc import Generator

import pytest
import replay
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

# Several kernels run side by side: with more threads than free cores each would crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mnist: looks at the book as built on MNIST")
    config.addinivalue_line("markers", "colab: runs chapters as Colab would, some minutes in all")
    config.addinivalue_line("markers", "long: takes seconds, and is no part of `make test`")
    config.addinivalue_line("markers", "grading: grades a class, hostile hand-ins among it")


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, IPyNbCell):
        replay.prepare(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    if not isinstance(item, IPyNbCell):
        return (yield)
    replay.before(item)
    result = yield
    replay.after(item)
    return result


# What goes first: the chapters, the landing page, for which the site is built from them, then files
# that take long and need no site, so that nobody waits for it, and its other pages. The rest
# follows, and fills the gaps.
FIRST = (
    re.compile(r"\S+\.ipynb"),
    re.compile(r"test_browser_site\.py \S*\[book/intro"),
    re.compile(r"test_(live|training|jupyterlab|audit|executor|notebook_machinery)"),
    re.compile(r"test_(browser_)?site\.py"),
)


def rank(item: pytest.Item) -> tuple[int, int]:
    """Where an item's file stands; of two notebooks the larger goes first."""
    where = f"{item.path.name} {item.name}"
    found = (place for place, those in enumerate(FIRST) if those.match(where))
    size = item.path.stat().st_size if item.path.suffix == ".ipynb" else 0
    return next(found, len(FIRST)), -size


# What counts no lines for the coverage, since tests beside it run the same ones: counting makes
# Python half as slow again. The checks of a project run nowhere else.
UNCOUNTED = re.compile(r"test_(chapter_exercises|devices|house|notebooks|quizzes|site)\.py")
IN_A_BROWSER = {"chromium", "page_of", "open_page", "borrow_page", "lib", "modules"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=rank)
    for item in items:
        asked_for = set(getattr(item, "fixturenames", ()))
        is_uncounted = UNCOUNTED.match(item.path.name) and "[project_" not in item.name
        if is_uncounted or asked_for & IN_A_BROWSER:
            item.add_marker("no_cover")


class ByFile(LoadScopeScheduling):
    """Keeps each file's tests, or a notebook's cells, in one worker.

    Three files are divided: those of the chapters in Colab and of the hand-outs by chapter, that of
    the site by page.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        if path.endswith(("test_colab.py", "test_handout_runs.py")):
            return nodeid.partition("[")[2] or path
        page = re.search(r"\[.*?((?:book|chapters)/\w+)", test)
        return page[1] if page and path.endswith("test_browser_site.py") else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)
