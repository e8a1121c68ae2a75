"""The page that lists what the book claims, chapter by chapter, from the records of its runs."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from records import read_record

# What stands below this line in the page's source is replaced by the list.
MARK = "<!-- the list -->"
# What stays in one line of a narrow column.
WHOLE = re.compile(r"\b(?:margin|seeds) [^;]+")
MARKUP = re.compile(r"([\\`*_{}\[\]<>#|$~^])")


def fill(page: Path, chapters: list[Path]) -> None:
    """Put the list of claims into the page, of those executed chapters that have a record."""
    records = {path: record for path in chapters if (record := read_record(path.parent, path.stem))}
    if not page.exists() or not records:
        return
    head, mark, _ = page.read_text(encoding="utf-8").partition(MARK)
    sections = [section(path.stem, title(path), record) for path, record in records.items()]
    page.write_text(f"{head}{mark}\n\n{''.join(sections)}", encoding="utf-8")


def title(chapter: Path) -> str:
    """A chapter's title, from its first heading."""
    cells = nbformat.read(chapter, as_version=4).cells
    headings = (re.match(r"# (.+)", cell.source) for cell in cells)
    return next((found[1] for found in headings if found), chapter.stem)


def section(name: str, heading: str, record: dict) -> str:
    """A chapter's claims as a table."""
    claims = record["findings"]["claims"]
    number = name.partition("_")[0].lstrip("0") or "0"
    what = "chapter" if number.isdecimal() else "project"  # whose title says which it is
    heading = f"Chapter {number}: {heading}" if what == "chapter" else heading
    head = f"## {heading}\n\n[To the {what}](../chapters/{name}.ipynb)"
    if not claims:
        return f"{head}. Its claims are assertions in its cells.\n\n"
    rows = "".join(f"| {plain(c['sentence'])} | {measured(c['numbers'])} |\n" for c in claims)
    return f"{head}.\n\n| What is claimed | What was measured |\n|---|---|\n{rows}\n"


def measured(numbers: str) -> str:
    """The numbers of a claim as markdown, with no line broken within a margin or the seeds."""
    return WHOLE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), plain(numbers))


def plain(text: str) -> str:
    """Text that markdown shows as it is, in one line; code stays code."""
    parts = re.split(r"(`[^`|\n]+`)", " ".join(text.split()))
    return "".join(p if p.startswith("`") else MARKUP.sub(r"\\\1", p) for p in parts)
