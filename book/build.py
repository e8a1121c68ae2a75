"""Execute the chapters side by side, then build the site from the executed copies.

    python book/build.py [--dataset NAME] [--jobs N] [--output DIR] [--serve] [--port N]

The chapters run first, the longest first, since Jupyter Book runs them one after the other and
exits with 0 when a cell fails. A chapter is not run again until something that it depends on has
changed (`records.py`), nor the site built again (`staging.py`). On another data set than the
book's own all is made in a folder of its own, _build/NAME (`other_data.py`).
"""

import argparse
import os
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from other_data import refusal
from records import DATASET, Outcome, built_in, plan, run_all
from serve import listen, serve
from staging import build_site, jupyter_book, stage

__all__ = ["build", "jupyter_book", "main", "stage"]

ROOT = Path(__file__).resolve().parents[1]


def begins(outcome: Outcome, cell: int | None) -> str:
    """Which cell, and how it begins; cells are counted from 1, prose included."""
    if cell is None or outcome.run is None:
        return "before its first cell"
    lines = outcome.run.notebook.cells[cell].source.strip().splitlines() or [""]
    return f"in cell {cell + 1}, which begins with `{lines[0]}`"


def verdict(outcome: Outcome) -> str:
    """One line on a run: its first failure, or its seconds and how many numbers are stale."""
    failures = outcome.findings["failures"]
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return f"FAILED {begins(outcome, failures[0]['cell'])}: {failures[0]['reason']}{more}"
    return f"{outcome.run.seconds:.1f} s{stale(outcome)}"


def stale(outcome: Outcome) -> str:
    """What is to be said of printed numbers that the run does not confirm, or nothing."""
    count = len(outcome.findings["outputs"]) + len(outcome.findings["prose"])
    numbers = "1 printed number is" if count == 1 else f"{count} printed numbers are"
    return f", but {numbers} out of date: `make fix` rewrites them" if count else ""


def run_chapters(root: Path, folder: Path, *, jobs: int, dataset: str) -> bool:
    """Execute what has changed, a printed line for each chapter; whether all went well."""
    chapters = sorted((root / "chapters").glob("*.ipynb"))
    folder.mkdir(parents=True, exist_ok=True)
    waiting, failures, ran = plan(root, chapters, folder, dataset=dataset), 0, 0
    print(f"chapters: {len(waiting)} to run, {len(chapters) - len(waiting)} unchanged", flush=True)
    unchanged = [chapter for chapter in chapters if chapter not in waiting]
    outcomes = run_all(root, [*waiting, *unchanged], folder, dataset=dataset, jobs=jobs)
    for outcome in outcomes:
        name = f"chapters/{outcome.chapter.name}"
        ran += outcome.chapter in waiting
        if outcome.chapter in waiting:
            print(f"[{ran}/{len(waiting)}] {name} {verdict(outcome)}", flush=True)
        elif outcome.failed or stale(outcome):
            print(f"{name} {verdict(outcome)}", flush=True)
        failures += outcome.failed
    return failures == 0


@contextmanager
def alone(built: Path) -> object:
    """One build of a folder at a time: a second says so, and waits until the first has ended."""
    built.mkdir(parents=True, exist_ok=True)
    lock = FileLock(built / ".building.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Another build is at work in {built}; this one waits for it.", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def build(root: Path, output: Path, *, jobs: int, dataset: str = "") -> int:
    """Chapters, then site; returns the exit status."""
    built = built_in(output, dataset)
    with alone(built):
        if not run_chapters(root, built / "executed", jobs=jobs, dataset=dataset):
            print("The site was not built: a chapter failed.", file=sys.stderr)
            return 1
        print("building the site", flush=True)
        failure = build_site(root, built, dataset)
    if failure is not None:
        print(f"{failure}\nThe site was not built: Jupyter Book failed.", file=sys.stderr)
        return 1
    print(f"The book is built: open {built / 'html/index.html'}", flush=True)
    return 0


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="chapters at a time")
    own = os.environ.get(DATASET, "")
    parser.add_argument(
        "--dataset", default=own, help=f"another than the book's own, as mnist; or set {DATASET}"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the book's folder")
    parser.add_argument("--serve", action="store_true", help="serve the site, rebuild on change")
    parser.add_argument("--port", type=int, default=8000, help="where to serve it (default: 8000)")
    parser.add_argument("--output", type=Path, help="where to make _build (default: the root)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    root = options.root.resolve()
    output = (options.output or root).resolve()
    dataset = options.dataset
    refused = refusal(dataset) if dataset else None
    if refused:
        print(refused, file=sys.stderr)
        return 1
    rebuild = partial(build, root, output, jobs=max(1, options.jobs), dataset=dataset)
    try:
        if not options.serve:
            return rebuild()
        server = listen(built_in(output, dataset) / "html", options.port)
        if server is None:
            return 1
        # A site that an earlier build left is there to read meanwhile.
        rebuild()
        serve(server, root, rebuild)
    except KeyboardInterrupt:
        print("\nStopped. What is finished is kept.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
