"""Notebooks to hand out: python book/handout.py [CHAPTER ...] [--to FOLDER]

Two sets of the chapters that are named, or of all: `to_hand_out`, from which the solutions are
taken, and `with_solutions`, which is the book's own. Their code is the same.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS_FOLDER = ROOT / "chapters"
TO = ROOT / "_build" / "handout"
WITHOUT, WITH = "to_hand_out", "with_solutions"
SOLUTION = re.compile(r'<details class="solution">.*?</details>\s*', re.DOTALL)
LEFT = re.compile(r"<details|<summary>\s*Solution|class=.solution", re.IGNORECASE)


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """A copy of a chapter in which no solution stands; raises ValueError where one would be left.

    A cell that is nothing but a solution is left out, and from any other the solution is taken.
    """
    copy = deepcopy(notebook)
    kept = []
    for cell in copy.cells:
        if cell.cell_type == "markdown" and SOLUTION.search(cell.source):
            cell.source = SOLUTION.sub("", cell.source).rstrip()
            if not cell.source:
                continue
        if cell.cell_type != "code" and LEFT.search(cell.source):
            raise ValueError(f"A solution is left in the cell that begins {cell.source[:60]!r}")
        kept.append(cell)
    copy.cells = kept
    return copy


def chapters_named(names: list[str]) -> list[Path]:
    """The chapters' notebooks; raises ValueError for a name of which there is none."""
    known = sorted(CHAPTERS_FOLDER.glob("*.ipynb"))
    found = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        those = [path for path in known if stem in (path.stem, path.stem.partition("_")[0])]
        if not those:
            listed = ", ".join(path.stem for path in known)
            raise ValueError(f"There is no chapter {name!r}; there are {listed}.")
        found += those
    return found or known


def hand_out(chapters: list[Path], to: Path) -> None:
    """Write both sets; raises FileExistsError rather than write over what is not its own."""
    taken = [to / name for name in (WITHOUT, WITH) if (to / name).exists()]
    if taken and to != TO:
        raise FileExistsError(f"{taken[0]} is there already: name another folder, or move it away.")
    for folder in taken:
        shutil.rmtree(folder)
    for name in (WITHOUT, WITH):
        (to / name).mkdir(parents=True)
    for chapter in chapters:
        notebook = nbformat.read(chapter, as_version=4)
        nbformat.write(without_solutions(notebook), to / WITHOUT / chapter.name)
        shutil.copyfile(chapter, to / WITH / chapter.name)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m book handout", description=__doc__)
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    parser.add_argument("--to", type=Path, default=TO, help="the folder for both sets")
    given = parser.parse_args(arguments)
    try:
        chapters = chapters_named(given.chapters)
        hand_out(chapters, given.to)
    except (FileExistsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(chapters)} chapters without solutions in {given.to / WITHOUT},")
    print(f"and with them in {given.to / WITH}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
