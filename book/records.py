"""What a chapter's last good run gave: its executed copy, and the record of what was found.

Both are kept under a key of all that the run depended on, so that a chapter runs once for the site
and the tests together until something of it has changed. Prose is no part of the key, but for the
expressions of its verified numbers: it is put into the copy, and held against the run, without one.
A run that failed replaces nothing; a copy, a record or a half of either that a kill left behind, or
that belongs to other sources, is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import execution
import nbformat
from execution import MAY_RAISE, Run
from filelock import FileLock
from nbformat import NotebookNode
from printed_numbers import numbers_below

BOOK = Path(__file__).resolve().parent
DATASET = "VAE_BOOK_DATASET"  # the environment variable: the data set in place of the book's own
EXECUTOR = [BOOK / "execution.py", BOOK / "printed_numbers.py"]
PACKAGES = ("ipykernel", "ipywidgets", "matplotlib", "numpy", "scikit-learn", "scipy", "torch")
SOURCES = {".py", ".js", ".css"}


@dataclass
class Outcome:
    """What is known of a chapter: from a run now, or from the record of an earlier one."""

    chapter: Path
    run: Run | None
    findings: dict[str, list[dict]]
    ran_now: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.findings["failures"])


def built_in(output: Path, dataset: str) -> Path:
    """Where a build keeps what it makes; one on another data set has a folder of its own."""
    return output / "_build" / dataset


def digest(paths: list[Path], *facts: str) -> str:
    """The sha256 of some files' names and contents, and of further facts."""
    total = hashlib.sha256("\0".join(facts).encode())
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def what_runs(notebook: NotebookNode) -> str:
    """The part of a notebook that its outputs depend on: code, and what the prose asks for."""
    asked = []
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            numbers = [(n.expression, n.format_spec) for n in numbers_below(notebook.cells, i)]
            asked.append((cell.source, MAY_RAISE in cell.metadata.get("tags", []), numbers))
    return json.dumps(asked)


def sources_for(name: str, code: str, library: Path) -> list[Path]:
    """The library's files that a chapter can use: all, but for what is another chapter's alone.

    That is its exercises, and the live figures that this chapter's code does not name.
    """
    own = name if name.startswith("project_") else f"chapter_{name.partition('_')[0]}"
    figures = {path.stem for path in (library / "live").glob("*.js")}
    unused = {figure for figure in figures if not re.search(rf"\b{figure}\b", code)} - {"quiz"}
    used = []
    for path in sorted(library.rglob("*")):
        folder, package = path.parent.parent.name, path.parent.name
        others_exercises = folder == "exercises" and package != own
        if path.suffix not in SOURCES or (path.parent.name == "live" and path.stem in unused):
            continue
        if not others_exercises:
            used.append(path)
    return used


def execution_key(name: str, notebook: NotebookNode, library: Path, dataset: str) -> str:
    """What a chapter's outputs depend on: the same key means that they are still good."""
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    runs = what_runs(notebook)
    sources = sources_for(name, runs, library)
    return digest([*EXECUTOR, *sources], runs, platform.python_version(), *versions, dataset)


def store(folder: Path, name: str, key: str, result: Run, found: dict) -> None:
    """Write copy and record; between the two the old record does not fit the new copy."""
    text = nbformat.writes(result.notebook)
    record = {
        "key": key,
        "copy": hashlib.sha256(text.encode()).hexdigest(),
        "seconds": result.seconds,
        "dataset": result.dataset,
        "values": result.values,
        "findings": found,
    }
    _replace(folder / f"{name}.ipynb", text)
    _replace(folder / f"{name}.json", json.dumps(record, ensure_ascii=False, indent=1))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.partial")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def read_record(folder: Path, name: str) -> dict:
    """A chapter's record where it is whole and of the copy beside it; else nothing."""
    try:
        record = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        copy = (folder / f"{name}.ipynb").read_bytes()
        return record if record["copy"] == hashlib.sha256(copy).hexdigest() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def recall(folder: Path, name: str, notebook: NotebookNode, key: str) -> tuple[Run, dict] | None:
    """The recorded run under a key, with the notebook's prose of today, and what it found."""
    record = read_record(folder, name)
    if record.get("key") != key:
        return None
    executed = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    metadata, outputs = executed.metadata, [c for c in executed.cells if c.cell_type == "code"]
    executed.cells = [nbformat.from_dict(cell) for cell in notebook.cells]
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    for cell, ran in zip(code, outputs, strict=True):
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    executed.metadata = metadata
    result = Run(executed, record["dataset"], record["seconds"], record["values"])
    found = execution.findings(result, notebook)
    if found != record["findings"] or nbformat.writes(executed) != (
        folder / f"{name}.ipynb"
    ).read_text(encoding="utf-8"):
        store(folder, name, key, result, found)
    return result, found


def unreadable(chapter: Path, error: Exception) -> Outcome:
    reason = f"the file is no notebook that can be read: {str(error).splitlines()[0]}"
    failure = {"cell": None, "reason": reason}
    return Outcome(chapter, None, {"failures": [failure], "outputs": [], "prose": [], "claims": []})


def outcome(root: Path, chapter: Path, folder: Path, *, dataset: str) -> Outcome:
    """A chapter's recorded run, or a new one; while one process is at it, others wait."""
    name = chapter.stem
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{name}.lock"):
        try:
            notebook = nbformat.read(chapter, as_version=4)
        except Exception as error:
            return unreadable(chapter, error)
        key = execution_key(name, notebook, root / "vae_lib", dataset)
        recalled = recall(folder, name, notebook, key)
        if recalled:
            return Outcome(chapter, *recalled)
        result = execution.run(notebook, dataset=dataset)
        found = execution.findings(result, notebook)
        if not found["failures"]:
            store(folder, name, key, result, found)
        return Outcome(chapter, result, found, ran_now=True)


LONGEST = ("03_probabilistic_decoder", "04_gaussian_likelihood")
"""The chapters that take longest, for a first build: begun last, they would leave a core idle."""


def plan(root: Path, chapters: list[Path], folder: Path, *, dataset: str) -> list[Path]:
    """The chapters that have to run, longest first.

    One that has never run goes before the others, and then `LONGEST`, and then the larger file.
    """
    stale = []
    for chapter in chapters:
        record = read_record(folder, chapter.stem)
        try:
            notebook = nbformat.read(chapter, as_version=4)
            key = execution_key(chapter.stem, notebook, root / "vae_lib", dataset)
        except Exception:
            key = "unreadable"
        if record.get("key") != key:
            seconds = record.get("seconds", float("inf"))
            stale.append((seconds, chapter.stem in LONGEST, chapter.stat().st_size, chapter))
    return [chapter for *_, chapter in sorted(stale, reverse=True)]


def run_all(
    root: Path, chapters: list[Path], folder: Path, *, dataset: str, jobs: int
) -> Iterator[Outcome]:
    """Each chapter's outcome as it comes, side by side and in the given order."""
    calls = [partial(outcome, root, chapter, folder, dataset=dataset) for chapter in chapters]
    return execution.side_by_side(calls, jobs=jobs)
