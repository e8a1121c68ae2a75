"""Rewrite the numbers that a chapter prints, in its prose and in its stored outputs, after a run.

    python book/mend.py [--check] [chapters/01_autoencoder.ipynb ...]

The run is the one that the site and the tests use, recorded or new; what is written is stripped of
all that is not verified. With `--check` nothing is written. `make fix` calls it.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from build import DATASET, ROOT, verdict
from execution import Run
from nbformat import NotebookNode
from nbstripout import strip_output
from printed_numbers import (
    CHECKED,
    Value,
    is_checked,
    is_claim,
    output_problem,
    printed_text,
    prose_below,
    prose_numbers,
)
from records import Outcome, run_all

# Besides nbstripout's own: what an editor writes into a notebook and a reader has no use for.
STRIPPED_KEYS = [
    "metadata.language_info",
    "metadata.widgets",
    "metadata.signature",
    "cell.metadata.collapsed",
    "cell.metadata.ExecuteTime",
    "cell.metadata.execution",
    "cell.metadata.heading_collapsed",
    "cell.metadata.hidden",
    "cell.metadata.scrolled",
]

# What is folded on the page is folded in JupyterLab.
HIDDEN = {"hide-input", "hide-cell", "remove-input"}


def stripped(notebook: NotebookNode) -> NotebookNode:
    """A copy as it is to be stored: no output but the verified ones, no counts, ids kept."""
    bare = strip_output(
        copy.deepcopy(notebook),
        keep_output=None,
        keep_count=False,
        keep_id=True,
        extra_keys=STRIPPED_KEYS,
    )
    for cell in bare.cells:
        cell.metadata.pop("jupyter", None)
        if HIDDEN & set(cell.metadata.get("tags", [])):
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_claim(output)]
    return bare


@dataclass
class Mended:
    """What was found: numbers that a rewrite mends, and mistakes that only an author can."""

    out_of_date: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def mend_prose(cell: NotebookNode, values: list[Value], mended: Mended) -> None:
    """Replace the numbers of a markdown cell that are out of date."""
    numbers = prose_numbers(cell.source)
    # From the end, so that the places of the earlier numbers still hold.
    for number, computed in reversed(list(zip(numbers, values, strict=True))):
        problem = number.problem(computed)
        if problem is None:
            continue
        if not number.is_mendable(computed):
            mended.wrong.append(problem)
            continue
        mended.out_of_date.append(problem)
        before, after = cell.source[: number.start], cell.source[number.start :]
        cell.source = before + number.rewritten(computed) + after.removeprefix(number.printed)


def mend_output(cell: NotebookNode, fresh: list[NotebookNode], mended: Mended) -> None:
    """Replace a checked cell's stored output where it is missing or out of date."""
    problem = output_problem(cell.outputs, fresh)
    if problem is None:
        return
    first_line = cell.source.partition("\n")[0]
    if not printed_text(fresh):
        mended.wrong.append(f"{first_line!r}: tagged {CHECKED}, but it prints nothing")
        return
    mended.out_of_date.append(f"{first_line!r}: {problem}")
    cell.outputs = []
    for output in fresh:
        if is_claim(output):
            continue
        if output["output_type"] == "stream" and output["name"] == "stdout":
            cell.outputs.append(output)
        elif "text/plain" in output.get("data", {}):
            text = {"text/plain": output["data"]["text/plain"]}
            cell.outputs.append(nbformat.v4.new_output(output["output_type"], data=text))


def mend(notebook: NotebookNode, result: Run) -> Mended:
    """Make a notebook's numbers those of the run, in place."""
    mended = Mended()
    positions = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for i, values in zip(positions, result.values, strict=True):
        cell, rest = notebook.cells[i], list(values)
        if is_checked(cell):
            mend_output(cell, result.notebook.cells[i].outputs, mended)
        for below in prose_below(notebook.cells, i):
            count = len(prose_numbers(below.source))
            mend_prose(below, rest[:count], mended)
            rest = rest[count:]
    return mended


def mend_chapter(outcome: Outcome, *, check: bool) -> bool:
    """Say what a run found; unless it is only to be checked, write the chapter mended."""
    path = outcome.chapter
    if outcome.failed:
        print(f"{path.name}: {verdict(outcome)}")
        return False
    notebook = nbformat.read(path, as_version=4)
    mended = mend(notebook, outcome.run)
    if not check:
        notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
        text = nbformat.writes(stripped(notebook)).rstrip("\n") + "\n"
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
    done = "out of date" if check else "rewritten"
    print(f"{path.name}: {len(mended.out_of_date)} {done}, {len(mended.wrong)} wrong")
    for problem in mended.out_of_date + mended.wrong:
        print(f"  {problem}")
    return not mended.wrong and (not check or not mended.out_of_date)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="the book's folder")
    options = parser.parse_args(arguments)
    if os.environ.get(DATASET):
        parser.error(f"the printed numbers are of the default data; unset {DATASET}")
    chapters = options.chapters or sorted((options.root / "chapters").glob("*.ipynb"))
    folder, jobs = options.root / "_build" / "executed", os.cpu_count() or 1
    outcomes = list(run_all(options.root, chapters, folder, dataset="", jobs=jobs))
    outcomes.sort(key=lambda outcome: outcome.chapter)
    return 0 if all([mend_chapter(outcome, check=options.check) for outcome in outcomes]) else 1


if __name__ == "__main__":
    sys.exit(main())
