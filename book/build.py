"""Execute the chapters side by side, then build the site from the executed copies.

    python book/build.py [--jobs N] [--output DIR] [--serve]

The chapters run first, in a pool of processes and the longest first, since Jupyter Book runs them
one after the other and exits with 0 when a cell fails. A chapter is not run again until it, the
library, a numerical package or VAE_BOOK_DATASET changes.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from importlib.metadata import version
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from serve import serve
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
CELL_TIMEOUT = 300
NUMERICAL_PACKAGES = ("matplotlib", "numpy", "scikit-learn", "torch")
STAGED_FILES = ("_config.yml", "_toc.yml")


def digest(paths: list[Path], *facts: str) -> str:
    """The sha256 of some files' names and contents, and of further facts."""
    total = hashlib.sha256("\0".join(facts).encode())
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def execution_key(chapter: Path, library: Path) -> str:
    """What a chapter's outputs depend on: the same key means that they are still good."""
    sources = [p for p in sorted(library.rglob("*")) if p.suffix in {".py", ".js"}]
    versions = [f"{package} {version(package)}" for package in NUMERICAL_PACKAGES]
    return digest([chapter, *sources], *versions, os.environ.get("VAE_BOOK_DATASET", ""))


def failure_report(notebook: nbformat.NotebookNode, index: int, error: Exception) -> str:
    """Which cell failed, how it begins, and why; cells are counted from 1, prose included."""
    lines = notebook.cells[index].source.strip().splitlines() or [""]
    if isinstance(error, CellExecutionError):
        reason = f"{error.ename}: {error.evalue}"
    elif isinstance(error, CellTimeoutError):
        reason = f"the cell ran for more than {CELL_TIMEOUT} s"
    else:
        reason = f"{type(error).__name__}: {error}"
    return f"cell {index + 1}, which begins with `{lines[0]}`: {reason}"


def own_sockets(folder: str) -> Config:
    """Let a kernel be reached by files in a folder, where there are Unix sockets.

    Kernels that start side by side are else given the same free port once in a while.
    """
    if os.name != "posix":
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})


def execute(chapter: Path, executed: Path) -> tuple[float, str | None]:
    """Run one notebook and write the executed copy; returns the seconds and a failure's report.

    A cell with the tag `raises-exception` may raise. The kernel works in a folder of its own, so
    that a chapter cannot lean on a file that lies beside it: in Colab there is none.
    """
    notebook = nbformat.read(chapter, as_version=4)
    started_cell = [0]
    start = time.perf_counter()
    temporary = tempfile.TemporaryDirectory
    with temporary() as folder, temporary() as sockets:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": folder}},
            config=own_sockets(sockets),
            extra_arguments=["--log-level=ERROR"],
            on_cell_start=lambda cell, cell_index: started_cell.__setitem__(0, cell_index),
        )
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            report = failure_report(notebook, started_cell[0], error)
            return time.perf_counter() - start, report
    executed.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, executed)
    return time.perf_counter() - start, missing_picture(notebook)


def missing_picture(notebook: nbformat.NotebookNode) -> str | None:
    """Which cell has a text for a picture (alt) but has drawn none; None if every one drew."""
    for index, cell in enumerate(notebook.cells):
        drawn = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        if "image" in cell.metadata.get("mystnb", {}) and not drawn:
            return f"cell {index + 1} has an alternative text but shows no picture"
    return None


def read_record(executed: Path) -> dict:
    """The key and the seconds of a chapter's last good run, or nothing."""
    record = executed.with_suffix(".json")
    return json.loads(record.read_text()) if record.exists() and executed.exists() else {}


def plan(chapters: list[Path], library: Path, folder: Path) -> list[tuple[Path, str]]:
    """The chapters that have to run, with their keys, longest first.

    One that has never run goes before the others, the larger file first.
    """
    stale = []
    for chapter in chapters:
        key, record = execution_key(chapter, library), read_record(folder / chapter.name)
        if record.get("key") != key:
            seconds = record.get("seconds", float("inf"))
            stale.append(((seconds, chapter.stat().st_size), chapter, key))
    stale.sort(key=lambda item: item[0], reverse=True)
    return [(chapter, key) for _, chapter, key in stale]


def execute_all(
    stale: list[tuple[Path, str]], folder: Path, *, jobs: int
) -> Iterator[tuple[str, float, str | None]]:
    """Run the planned chapters; yields each one's name, seconds and failure as it ends."""
    # One thread a kernel: with more threads than free cores a 2 s cell was seen to take 73 s.
    # Progress bars would be printed on the page.
    os.environ.update(OMP_NUM_THREADS="1", TQDM_DISABLE="1")
    os.environ.pop("MPLBACKEND", None)  # the kernel's own draws in the page
    if not stale:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(stale)), mp_context=context) as pool:
        running = {
            pool.submit(execute, chapter, folder / chapter.name): (chapter, key)
            for chapter, key in stale
        }
        for future in as_completed(running):
            chapter, key = running[future]
            seconds, failure = future.result()
            if failure is None:
                record = {"key": key, "seconds": round(seconds, 1)}
                (folder / chapter.name).with_suffix(".json").write_text(json.dumps(record))
            yield chapter.name, seconds, failure


def stage(root: Path, chapters: Path, target: Path) -> None:
    """Copy what the site is built from: configuration, pages, and the notebooks in `chapters`.

    In the copy Jupyter Book executes nothing, since the notebooks come with their outputs.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in STAGED_FILES:
        shutil.copy2(root / name, target / name)
    shutil.copytree(root / "book", target / "book", ignore=shutil.ignore_patterns("__pycache__"))
    (target / "chapters").mkdir()
    for notebook in sorted((root / "chapters").glob("*.ipynb")):
        shutil.copy2(chapters / notebook.name, target / "chapters" / notebook.name)
    config = yaml.safe_load((target / "_config.yml").read_text())
    config["execute"] = {"execute_notebooks": "off"}
    (target / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True))


def jupyter_book(source: Path, output: Path) -> str | None:
    """Build the site in `output`/_build/html; returns what was printed if it failed."""
    program = "from jupyter_book.cli.main import main; main()"
    arguments = ["build", str(source), "--path-output", str(output)]
    strict = ["--quiet", "-W", "--keep-going", "--all"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, *strict],
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout if done.returncode else None


def build_site(root: Path, output: Path) -> str | None:
    """Stage and build, unless nothing has changed since the last good build."""
    built = output / "_build"
    stage(root, built / "executed", built / "source")
    sources = [p for p in sorted((built / "source").rglob("*")) if p.is_file()]
    library = sorted((root / "vae_lib").rglob("*.py"))
    key = digest(sources + library, version("jupyter-book"), version("sphinx-book-theme"))
    record = built / "site.key"
    if record.exists() and record.read_text() == key and (built / "html/index.html").exists():
        return None
    record.unlink(missing_ok=True)
    shutil.rmtree(built / "html", ignore_errors=True)
    failure = jupyter_book(built / "source", output)
    if failure is None:
        record.write_text(key)
    return failure


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="chapters at a time")
    parser.add_argument("--root", type=Path, default=ROOT, help="the book's folder")
    parser.add_argument("--serve", action="store_true", help="serve the site, rebuild on change")
    parser.add_argument("--output", type=Path, help="where to make _build (default: the root)")
    return parser.parse_args(arguments)


def run_chapters(root: Path, folder: Path, *, jobs: int) -> bool:
    """Execute what has changed, a printed line for each chapter; whether all went well."""
    chapters, library = sorted((root / "chapters").glob("*.ipynb")), root / "vae_lib"
    folder.mkdir(parents=True, exist_ok=True)
    stale, failures = plan(chapters, library, folder), 0
    print(f"chapters: {len(stale)} to run, {len(chapters) - len(stale)} unchanged", flush=True)
    runs = execute_all(stale, folder, jobs=jobs)
    for i, (name, seconds, failure) in enumerate(runs, start=1):
        verdict = f"FAILED in {failure}" if failure else f"{seconds:.1f} s"
        print(f"[{i}/{len(stale)}] chapters/{name} {verdict}", flush=True)
        failures += failure is not None
    return failures == 0


def build(root: Path, output: Path, *, jobs: int) -> int:
    """Chapters, then site; returns the exit status."""
    if not run_chapters(root, output / "_build" / "executed", jobs=jobs):
        print("The site was not built: a chapter failed.", file=sys.stderr)
        return 1
    print("building the site", flush=True)
    failure = build_site(root, output)
    if failure is not None:
        print(f"{failure}\nThe site was not built: Jupyter Book failed.", file=sys.stderr)
        return 1
    print(f"The book is built: open {output / '_build/html/index.html'}", flush=True)
    return 0


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    root = options.root.resolve()
    output = (options.output or root).resolve()
    rebuild = partial(build, root, output, jobs=max(1, options.jobs))
    status = rebuild()
    if options.serve and status == 0:
        serve(root, output / "_build" / "html", rebuild)
    return status


if __name__ == "__main__":
    sys.exit(main())
