"""Every command of the book, on any system: python -m book NAME, or, the same, make NAME.

It needs Python 3.11 or newer and a package index; everything else goes into .venv. In an
environment that has everything already, such as conda's, `python -m book --here NAME` uses that
one and makes none. What follows the name is handed on: python -m book serve --port 8001
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from book.processes import call, python_of

# Nothing but the standard library, and nothing newer than Python 3.8: this runs before anything is
# installed, and has to say so where Python is too old.
ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
REQUIREMENTS = ("pyproject.toml", "constraints.txt")
EXTRAS = ".[book,test]"
BUILT = (".venv", ".venv-bench", "_build", "build", ".pytest_cache", ".ruff_cache", ".coverage")

PYTHON, MORE = object(), object()  # in a step: the environment's Python, what follows the name
SUITE = ["-m", "pytest", "-n", "auto", "--cov=vae_lib", "--cov-report=term:skip-covered"]
SUITE += ["--cov-fail-under=90", "chapters", "tests"]
LONG = ["-m", "pytest", "-n", "auto", "-m", "long"]
ON_MNIST = ["-m", "pytest", "-m", "mnist", "tests/test_on_mnist.py", "tests/test_faq.py"]
IN_COLAB = ["-m", "pytest", "-n", "auto", "-m", "colab", "tests/test_colab.py"]
ON_GRADING = ["-m", "pytest", "-m", "grading", "tests/test_grading_class.py"]
ON_GRADING += ["tests/test_grading_locks.py", "tests/test_handout_runs.py"]

# What each command is for, and its steps: a sentence to print, or a program to run.
COMMANDS = {
    "help": ("this list", []),
    "install": ("makes .venv with everything that the others need; they all begin with it", []),
    "book": (
        "installs, runs every chapter, builds the site and says where; --dataset mnist for MNIST",
        [[PYTHON, "book/build.py", MORE]],
    ),
    "pdf": (
        "the whole book in one file, _build/book.pdf; needs a Chromium on the path",
        [[PYTHON, "book/pdf.py", MORE]],
    ),
    "zip": (
        "the site in one file, _build/book-site.zip, to read without a network",
        [[PYTHON, "book/build.py"], [PYTHON, "book/dist.py", "--site-only"]],
    ),
    "test": (
        "installs, checks style, runs every test, the chapters cell by cell among them",
        [
            "Checking style ...",
            [PYTHON, "-m", "ruff", "check", "--quiet", "."],
            [PYTHON, "-m", "ruff", "format", "--quiet", "--check", "."],
            "Running the chapters, cell by cell, and the tests ...",
            [PYTHON, *SUITE, MORE],
            [PYTHON, "book/release.py", "--tested", MORE],
        ],
    ),
    "long": (
        "the tests that take longest: every page in a browser, JupyterLab, compiled training",
        [[PYTHON, *LONG, MORE]],
    ),
    "mnist": (
        "builds the book on MNIST, as book --dataset mnist does, and looks at what has come of it",
        [[PYTHON, "book/build.py", "--dataset", "mnist"], [PYTHON, *ON_MNIST, MORE]],
    ),
    "colab": (
        "runs every chapter as Colab would, alone, with the versions that Colab has",
        [[PYTHON, "tests/colab.py"], [PYTHON, *IN_COLAB, MORE]],
    ),
    "oldest": (
        "runs the library's tests and some chapters at the oldest versions that it accepts",
        [[PYTHON, "book/versions.py", "oldest", MORE]],
    ),
    "newest": (
        "the same at the newest that pip finds, whatever constraints.txt says",
        [[PYTHON, "book/versions.py", "newest", MORE]],
    ),
    "lab": (
        "JupyterLab on chapters of your own, in my_answers, which no update touches",
        [[PYTHON, "book/answers.py", MORE]],
    ),
    "serve": (
        "the site on this machine, rebuilt when a file changes; --port 8001 for another port",
        [[PYTHON, "book/build.py", "--serve", MORE]],
    ),
    "handout": (
        "notebooks without solutions, and a set with them, in _build/handout; of some chapters",
        [[PYTHON, "book/handout.py", MORE]],
    ),
    "grade": (
        "a folder of handed-in notebooks: a table of verdicts; the answers run locked in",
        [[PYTHON, "book/grade.py", MORE]],
    ),
    "grading": (
        "grades a made-up class, with hand-ins that attack the grader; some minutes",
        [[PYTHON, *ON_GRADING, MORE]],
    ),
    "audit": (
        "the chapters under other seeds: which claims fail; --seeds 5, or some chapters' paths",
        [[PYTHON, "book/audit.py", MORE]],
    ),
    "bench": (
        "the benchmarks: training, evaluation, live figures",
        [
            [PYTHON, "benchmarks/run.py", MORE],
            [PYTHON, "benchmarks/evaluation.py"],
            [PYTHON, "book/build.py"],
            [PYTHON, "benchmarks/frames.py"],
        ],
    ),
    "fix": (
        "formats, and rewrites the verified numbers in the chapters, or in those named",
        [
            [PYTHON, "-m", "ruff", "check", "--quiet", "--fix", "."],
            [PYTHON, "-m", "ruff", "format", "--quiet", "."],
            [PYTHON, "book/mend.py", MORE],
        ],
    ),
    "address": (
        "gives a fork its own address everywhere: address https://github.com/you/your-fork",
        [[PYTHON, "book/set_repository.py", MORE]],
    ),
    "dist": (
        "what a release carries, in _build/dist: the library's wheel, the PDF, the site",
        [[PYTHON, "book/build.py"], [PYTHON, "book/dist.py"]],
    ),
    "release": (
        "writes a version everywhere, commits, and makes its tag: release 0.2.0",
        [[PYTHON, "book/release.py", MORE]],
    ),
    "clean": ("removes what was built and installed here, not your answers nor the data", []),
}


def show_help(prefix: str) -> None:
    for name, (what, _) in COMMANDS.items():
        print(f"{prefix} {name:<9} {what}")


def is_ready(root: Path) -> bool:
    """Whether .venv was installed after the last change of what it is to hold."""
    ready = root / ".venv" / ".ready"
    if not ready.exists():
        return False
    return all(ready.stat().st_mtime >= (root / name).stat().st_mtime for name in REQUIREMENTS)


def install(root: Path) -> int:
    """Make .venv where it is not up to date; returns the exit status."""
    if is_ready(root):
        return 0
    print("Installing into .venv (torch is large: this takes a few minutes) ...", flush=True)
    python = python_of(root / ".venv")
    if not has_pip(python):  # there is none, or its making was interrupted
        making = [sys.executable, "-m", "venv", "--clear", ".venv"]
        status = call(making, cwd=root)
        if status:
            return status
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    what = ["--constraint", "constraints.txt", "--editable", EXTRAS]
    status = call([*pip, *what], cwd=root)
    if status == 0:
        (root / ".venv" / ".ready").touch()
    return status


def has_pip(python: Path) -> bool:
    if not python.exists():
        return False
    asked = [str(python), "-m", "pip", "--version"]
    return (
        subprocess.run(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    )


def clean(root: Path) -> None:
    for path in [*(root / name for name in BUILT), *root.glob("*.egg-info")]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.exists() or path.is_symlink():
            path.unlink()


def filled_in(step: list, python: str, more: list[str]) -> list[str]:
    """A step's command line."""
    line = []
    for part in step:
        line += [python] if part is PYTHON else more if part is MORE else [part]
    return line


def run(name: str, root: Path, python: str, more: list[str]) -> int:
    """A command's steps, up to the first that fails; returns the exit status."""
    environment = {
        # Kernels and workers run side by side: with more threads than cores each would crawl.
        "OMP_NUM_THREADS": "1",
        "PYTHONUTF8": "1",  # what Windows would else read and write in an encoding of its own
        **os.environ,
    }
    for step in COMMANDS[name][1]:
        if isinstance(step, str):
            print(step, flush=True)
            continue
        line = filled_in(step, python, more)
        status = call(line, cwd=root, env=environment)
        if status:
            return status
    return 0


def main(arguments: list[str]) -> int:
    here = arguments[:1] == ["--here"]
    name, *more = arguments[here:] or ["help"]
    if name in ("help", "-h", "--help"):
        # make tells those whom it runs how deep it is.
        show_help("make" if "MAKELEVEL" in os.environ else "python -m book")
        return 0
    if name not in COMMANDS:
        print(f"There is no command {name!r}. These are there:", file=sys.stderr)
        show_help("python -m book")
        return 2
    if name == "clean":
        clean(ROOT)
        return 0
    if sys.version_info < OLDEST:
        return too_old()
    status = 0 if here else install(ROOT)
    python = sys.executable if here else str(python_of(ROOT / ".venv"))
    return status or run(name, ROOT, python, more)


def too_old() -> int:
    version = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, OLDEST))
    print(
        f"The book needs Python {oldest} or newer, but this is {version}. Name another: "
        "python3.12 -m book book, or make book PYTHON=python3.12",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
