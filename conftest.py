"""Makes nbval compare the chapters' verified numbers.

Two of nbval's habits are met here. It calls a cell without an execution count unrun and does not
compare it, but nbstripout removes the counts of the outputs that it keeps. And it lets a cell
pass that is tagged `nbval-check-output` and stores no output.
"""

import functools
import os
import re
from collections.abc import Generator

import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell
from notebook_numbers import default_dataset, output_problem, prose_below, prose_problems
from xdist.scheduler import LoadScopeScheduling

# Several kernels run side by side: with more threads than free cores each would crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mnist: runs chapters on MNIST, some minutes each")
    config.addinivalue_line("markers", "lab: starts a JupyterLab and drives it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests that take minutes."""
    items.sort(key=lambda item: item.get_closest_marker("mnist") is None)


class ByFile(LoadScopeScheduling):
    """Keeps each file's tests, or a notebook's cells, in one worker.

    Two files are divided: that of the chapters on MNIST, by chapter, and that of the site, by page.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        if path.endswith("test_mnist_chapters.py"):
            return nodeid
        page = re.search(r"\[.*?((?:book|chapters)/\w+)", test)
        return page[1] if page and path.endswith("test_browser_site.py") else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    if not isinstance(item, IPyNbCell):
        return
    item.cell.execution_count = 0
    item.compare_outputs = functools.partial(compare_outputs, item)
    item.options["check"] = item.options["check"] and default_dataset()


def compare_outputs(item: IPyNbCell, fresh: list[NotebookNode], stored: list[NotebookNode]) -> bool:
    """Stands in for nbval's comparison, which knows no tolerance."""
    problem = output_problem(stored, fresh)
    if problem:
        item.raise_cell_error(f"{item.path.name}: {problem}\n`make fix` rewrites it")
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """After a notebook's cell has passed, hold the prose below it against the kernel's state."""
    result = yield
    if isinstance(item, IPyNbCell) and default_dataset():
        cells = item.parent.nb.cells
        position = next(i for i, cell in enumerate(cells) if cell is item.cell)
        problems = prose_problems(item.parent.kernel.kc, prose_below(cells, position))
        if problems:
            listed = "\n".join(problems)
            item.raise_cell_error(
                f"{item.path.name}, the prose below this cell:\n{listed}\n`make fix` rewrites it"
            )
    return result
