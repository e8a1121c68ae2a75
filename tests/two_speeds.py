"""A chapter's two speeds, measured: its parts, words, lines of code and minutes.

    python tests/two_speeds.py [chapters/02_probabilistic_encoder.ipynb ...]

The first reading ends where "Closer" begins; both end at the quiz. Words are those of the prose and
the captions, a formula within a sentence being one; exercises, solutions and references are not
counted. Chapter 0 has one speed, that of somebody to whom every line is new, and a project that of
somebody at work.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
TASK = re.compile(r"# (?:Exercise|Fill-in) [\dIVX]|check\(|quiz\(")
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
STATED = re.compile(r"\*\*(\d+) minutes\*\* for (?:a first reading, \*\*(\d+)\*\* for )?all of it")

WORDS_A_MINUTE, SECONDS_A_LINE, SECONDS_A_FORMULA, MINUTES_A_FILL_IN = 150, 3, 20, 2
SECONDS_A_FIGURE, MINUTES_A_LIVE_FIGURE = 30, 3
SECONDS_A_NEW_LINE, MINUTES_A_QUIZ = 10, 3  # in chapter 0
MINUTES_A_PIECE = 10  # of a project: a guess
FIGURE = re.compile(r"^\*\*Figure [\dIVX]+\.\d+\.\*\*", re.MULTILINE)
NO_PROSE = re.compile(
    r"<details.*?</details>|```.*?```|<!--.*?-->|\$\$.*?\$\$|\{[\w:]+\}`[^`]*`|\]\([^)]*\)|<[^>]+>",
    re.DOTALL,
)
ONE_WORD = re.compile(r"\$[^$]+\$|`[^`]+`")  # a formula or a name within a sentence


@dataclass
class Speed:
    """What one reading takes."""

    words: int = 0
    idea_lines: int = 0
    folded_lines: int = 0
    formulas: int = 0
    figures: int = 0
    live_figures: int = 0
    fill_ins: int = 0
    pieces: int = 0

    def add(self, cell: nbformat.NotebookNode) -> None:
        if cell.cell_type == "markdown":
            text = cell.source
            self.figures += len(FIGURE.findall(text))
            self.formulas += text.count("$$") // 2 + text.count(r"\begin{align")
            prose = ONE_WORD.sub("formula", NO_PROSE.sub(" ", text))
            self.words += len(re.findall(r"[^\W\d_][\w'’-]*", prose))
            return
        self.live_figures += cell.source.startswith("live.") or "\nlive." in cell.source
        lines = sum(1 for line in cell.source.splitlines() if line.strip())
        if TASK.match(cell.source):
            self.fill_ins += cell.source.startswith("# Fill-in")
            self.pieces += cell.source.startswith("# Exercise")
        elif HIDDEN & set(cell.metadata.get("tags", [])):
            self.folded_lines += lines
        else:
            self.idea_lines += lines

    @property
    def minutes(self) -> float:
        seconds = SECONDS_A_LINE * self.idea_lines + SECONDS_A_FORMULA * self.formulas
        seconds += SECONDS_A_FIGURE * self.figures
        hands = MINUTES_A_FILL_IN * self.fill_ins + MINUTES_A_LIVE_FIGURE * self.live_figures
        return self.words / WORDS_A_MINUTE + seconds / 60 + hands

    @property
    def minutes_of_a_newcomer(self) -> float:
        longer = (SECONDS_A_NEW_LINE - SECONDS_A_LINE) * self.idea_lines / 60
        return self.minutes + longer + MINUTES_A_QUIZ


def minutes_of_a_project(speed: Speed) -> float:
    """What the whole of a project takes, every piece of which is written."""
    return speed.minutes + MINUTES_A_PIECE * speed.pieces


def parts(notebook: nbformat.NotebookNode) -> dict[str, list[nbformat.NotebookNode]]:
    """The cells under each heading of the second level; what stands before the first is "".

    A heading that stands in the middle of a cell divides it.
    """
    found, current = {"": []}, ""
    for cell in notebook.cells[1:]:
        if cell.cell_type != "markdown":
            found[current].append(cell)
            continue
        pieces = HEADING.split(NO_CODE.sub(hide, cell.source))
        for i, piece in enumerate(pieces):
            if i % 2:
                current = piece.strip()
                found.setdefault(current, [])
            else:
                found[current].append(nbformat.v4.new_markdown_cell(piece))
    return found


NO_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def hide(fence: re.Match) -> str:
    """A fence without its lines, some of which may look like headings."""
    return "```\n```"


def speeds(notebook: nbformat.NotebookNode) -> tuple[Speed, Speed]:
    """What a first reading takes, and what all of the chapter does."""
    first, all_of_it = Speed(), Speed()
    closer = False
    for heading, cells in parts(notebook).items():
        if heading in ("Check yourself", "Exercises", "References and further reading"):
            continue
        closer |= heading == "Closer"
        for cell in cells:
            all_of_it.add(cell)
            if not closer:
                first.add(cell)
    return first, all_of_it


def main(names: list[str]) -> None:
    for path in map(Path, names) if names else sorted(CHAPTERS.glob("*.ipynb")):
        print(path.stem)
        for name, speed in zip(("first", "all"), speeds(nbformat.read(path, 4)), strict=True):
            print(f"  {name:6}{speed.minutes:5.0f} min  {speed}")


if __name__ == "__main__":
    main(sys.argv[1:])
