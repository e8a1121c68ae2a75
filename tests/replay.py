"""nbval on the executor's record: its items, tags and comparisons, on outputs that are there.

nbval asks a kernel for the outputs of one cell after another. Here the kernel's place is taken by
the recorded run of the chapter (`book/records.py`), so that a chapter runs once for the site and
the tests together; where there is no record that is still good, the executor runs it first.
With VAE_BOOK_NBVAL=kernel nbval runs the cells itself, in a kernel of its own.
"""

import os
from collections import deque
from functools import partial
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile
from printed_numbers import (
    answers,
    default_dataset,
    numbers_below,
    output_problem,
    prose_problems,
    questions,
)
from records import Outcome, built_in, outcome


def with_a_kernel() -> bool:
    return os.environ.get("VAE_BOOK_NBVAL") == "kernel"


class RecordedKernel:
    """Answers as a kernel would that runs the chapter's cells: what `nbval` needs of one."""

    def __init__(self, known: Outcome) -> None:
        self.findings, self.run = known.findings, known.run
        self.messages: deque[dict] = deque()
        self.position = 0  # of the cell that is asked for, prose included

    def is_alive(self) -> bool:
        return self.run.stopped is None or self.position <= self.run.stopped["cell"]

    def execute_cell_input(self, source: str, allow_stdin: bool = False) -> str:
        """As if the cell were run: its outputs become messages, and then the kernel is idle."""
        message_id, cell = str(self.position), self.run.notebook.cells[self.position]
        assert cell.source == source, "the record is of another cell"
        outputs = list(cell.outputs)
        stopped = self.run.stopped
        if stopped and stopped["cell"] == self.position:
            reason = stopped["reason"]
            error = {"ename": "Stopped", "evalue": reason, "traceback": [reason]}
            outputs.append(NotebookNode(output_type="error", **error))
        contents = [(output["output_type"], output) for output in outputs]
        for kind, content in [*contents, ("status", {"execution_state": "idle"})]:
            header = {"msg_id": message_id}
            self.messages.append({"msg_type": kind, "parent_header": header, "content": content})
        return message_id

    def await_reply(self, message_id: str, timeout: float | None = None) -> None:
        """The run is over."""

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        return self.messages.popleft()

    def await_idle(self, message_id: str, timeout: float) -> None:
        self.messages.clear()

    def of_this_cell(self, kind: str) -> list[dict]:
        return [found for found in self.findings[kind] if found["cell"] == self.position]

    def prose_problems(self) -> list[str]:
        return [found["problem"] for found in self.of_this_cell("prose")]

    def missing_picture(self) -> str | None:
        """What a run must show besides: it raised nothing, and yet is not as it should be."""
        failures = [] if self.run.stopped else self.of_this_cell("failures")
        return failures[0]["reason"] if failures else None


def recorded(notebook: IPyNbFile) -> None:
    """Stands in for nbval's start of a kernel."""
    root, chapter = notebook.config.rootpath, Path(notebook.path)
    dataset = os.environ.get("VAE_BOOK_DATASET", "")
    known = outcome(root, chapter, built_in(root, dataset) / "executed", dataset=dataset)
    failures = known.findings["failures"]
    if failures and failures[0]["cell"] is None:
        pytest.fail(f"{chapter.name} did not run: {failures[0]['reason']}", pytrace=False)
    notebook.kernel = RecordedKernel(known)
    notebook.setup_sanitize_files()


def prepare(item: IPyNbCell) -> None:
    """Give a cell the book's comparison, and its notebook the recorded kernel.

    Two of nbval's habits are met besides. It calls a cell without an execution count unrun and does
    not compare it, but nbstripout removes the counts of the outputs that it keeps. And it lets a
    cell pass that is tagged `nbval-check-output` and stores no output.
    """
    item.cell.execution_count = 0
    item.compare_outputs = partial(compare_outputs, item)
    item.options["check"] = item.options["check"] and default_dataset()
    if not with_a_kernel():
        item.parent.setup = partial(recorded, item.parent)
        item.parent.teardown = lambda: None


def compare_outputs(item: IPyNbCell, fresh: list[NotebookNode], stored: list[NotebookNode]) -> bool:
    """Stands in for nbval's comparison, which knows no tolerance."""
    problem = output_problem(stored, fresh)
    if problem:
        item.raise_cell_error(f"{item.path.name}: {problem}\n`make fix` rewrites it")
    return True


def position_of(item: IPyNbCell) -> int:
    return next(i for i, cell in enumerate(item.parent.nb.cells) if cell is item.cell)


def before(item: IPyNbCell) -> None:
    """Say which cell is meant: two may have the same source."""
    if isinstance(item.parent.kernel, RecordedKernel):
        item.parent.kernel.position = position_of(item)
        stopped = item.parent.kernel.run.stopped
        item.parent.timed_out = bool(stopped) and stopped["cell"] <= position_of(item)


def after(item: IPyNbCell) -> None:
    """After a cell has passed, hold the prose below it against the kernel's state."""
    kernel = item.parent.kernel
    if isinstance(kernel, RecordedKernel):
        problems, missing = kernel.prose_problems(), kernel.missing_picture()
        if missing:
            item.raise_cell_error(f"{item.path.name}: {missing}")
    else:
        numbers = numbers_below(item.parent.nb.cells, position_of(item))
        problems = asked_for(kernel.kc, numbers) if default_dataset() and numbers else []
    if problems:
        listed = "\n".join(problems)
        item.raise_cell_error(
            f"{item.path.name}, the prose below this cell:\n{listed}\n`make fix` rewrites it"
        )


def asked_for(client: object, numbers: list) -> list[str]:
    """What is wrong with the numbers, asked of a kernel that runs."""
    reply = client.execute_interactive(
        "", silent=True, store_history=False, user_expressions=questions(numbers), timeout=60
    )
    return prose_problems(numbers, answers(reply))
