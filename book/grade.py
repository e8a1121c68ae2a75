"""Grade handed-in notebooks: python book/grade.py FOLDER [--chapters CHAPTER ...]

Each entry of the folder is a student's: a notebook, or a folder with notebooks. The answers run
locked in, in a process that knows no oracle; another one judges them. The verdicts are printed and
written, by student and by exercise, as grades.csv, grades.json, grades.html and grades.txt.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from grading import tables
from grading.classroom import cores, grade_all
from grading.errors import Gone
from grading.handins import handed_in
from grading.isolation import Isolation, missing_protections
from grading.judging import Task

from vae_lib.exercises import exercises

ROOT = Path(__file__).resolve().parents[1]
TO = ROOT / "_build" / "grades"
SECONDS = 300.0
EXAMPLE = "make grade FOLDER=handed_in, or python -m book grade handed_in"
WANTED = f"Say which folder holds what was handed in: {EXAMPLE}."
CHECK = re.compile(r'check\("([^"]+)", (\w+)\)')


def chapter_named(text: str) -> str:
    """The chapter of "2", "02_probabilistic_encoder", "chapters/project_1.ipynb" or "I"."""
    known = {number.partition(".")[0] for number in exercises()}
    stem = Path(text).name.removesuffix(".ipynb")
    number = stem.partition("_")[0]
    if stem.startswith("project_"):
        number = {"1": "I", "2": "II", "3": "III"}.get(stem.removeprefix("project_"), stem)
    number = str(int(number)) if number.isdecimal() else number
    if number not in known:
        listed = ", ".join(sorted(known, key=lambda n: (not n.isdecimal(), n.zfill(3))))
        raise argparse.ArgumentTypeError(f"there is no chapter {text!r}; there are {listed}")
    return number


def of_the_book() -> tuple[dict[str, str], frozenset[str]]:
    """What the book's own checks are given, by the exercise's number, and the code of its cells."""
    paths = sorted((ROOT / "chapters").glob("*.ipynb"))
    cells = [cell for path in paths for cell in nbformat.read(path, as_version=4).cells]
    sources = [cell.source.strip() for cell in cells if cell.cell_type == "code"]
    found = filter(None, map(CHECK.match, sources))
    return {check[1]: check[2] for check in found}, frozenset(sources)


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m book grade", description=__doc__)
    # Without a value make's FOLDER is an empty one, which as a path would be this folder.
    parser.add_argument("folder", nargs="?", default="", help="what was handed in")
    parser.add_argument("--chapters", nargs="+", type=chapter_named, default=[], metavar="CHAPTER")
    parser.add_argument("--to", type=Path, default=TO, help="the folder for the tables")
    parser.add_argument("--jobs", type=int, default=cores(), help="so many at a time")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="for a hand-in, all exercises together"
    )
    parser.add_argument(
        "--unprotected", action="store_true", help="go on where the system lacks protections"
    )
    given = parser.parse_args(arguments)
    if not given.folder:
        parser.exit(2, f"{WANTED}\n")
    given.folder = Path(given.folder)
    if not given.folder.is_dir():
        parser.exit(2, f"There is no folder {given.folder}. {WANTED}\n")
    return given


def is_protected_enough(isolation: Isolation, unprotected: bool) -> bool:
    """Say what an answer could do here, and whether to go on all the same."""
    try:
        missing = missing_protections(isolation)
    except Gone:
        print("No process for answers could be started, so nothing can be graded.", flush=True)
        return False
    if not missing:
        print("Answers are locked in: tried out, and all was refused.", flush=True)
        return True
    print(f"On this system nothing keeps an answer from trying to {'; '.join(missing)}.")
    if not unprotected:
        print(
            "Grade on Linux, in a virtual machine for instance, where all of this can be refused. "
            "If you trust whoever wrote the notebooks, --unprotected goes on all the same.",
            flush=True,
        )
    return unprotected


def grade(given: argparse.Namespace, isolation: Isolation) -> list[dict]:
    """The results in the order of the folder; a line is printed for each as it comes."""
    (defaults, book), chapters = of_the_book(), tuple(given.chapters)
    tasks = [
        Task(hand_in, number, chapters, defaults, book, given.seconds, isolation)
        for number, hand_in in enumerate(handed_in(given.folder), start=1)
    ]
    results = []
    for result in grade_all(tasks, max(1, given.jobs)):
        results.append(result)
        right = sum(entry["status"] == "correct" for entry in result["grades"])
        told = result["problem"] or f"{right} of {len(result['grades'])} correct"
        print(f"[{len(results)}/{len(tasks)}] {result['file']}: {told}", flush=True)
    order = {task.hand_in.name: task.number for task in tasks}
    return sorted(results, key=lambda result: order[result["file"]])


def write(results: list[dict], to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("grades.csv", "\ufeff" + tables.as_csv(results)),  # by which a spreadsheet knows UTF-8
        ("grades.json", tables.as_json(results)),
        ("grades.html", tables.as_html(results)),
        ("grades.txt", tables.as_text(results)),
    ):
        (to / name).write_text(text, encoding="utf-8", newline="")


def main(arguments: list[str]) -> int:
    given = read_arguments(arguments)
    with tempfile.TemporaryDirectory(prefix="grading-") as work:
        isolation = Isolation(Path(work).resolve(), hidden=(given.folder.resolve(),))
        isolation.prepare()
        if not is_protected_enough(isolation, given.unprotected):
            return 1
        results = grade(given, isolation)
    if not results:
        print(f"There is nothing in {given.folder}.")
        return 1
    write(results, given.to)
    print(f"\n{tables.as_text(results)}\nWritten to {given.to}: grades.csv, .json, .html and .txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
