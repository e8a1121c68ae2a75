"""What a chapter says of itself where it begins: its title, its question, and its minutes."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from sphinx.errors import ExtensionError
from targets import chapter

TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
QUESTION = re.compile(r"^> (.+)$", re.MULTILINE)
# The numbers are bold in a notebook, and no longer marked in a page's text.
MINUTES = re.compile(r"(\d+) minutes for (?:a first reading, (\d+) for )?all of it")


@dataclass(frozen=True)
class Card:
    """What the landing page says of a chapter."""

    docname: str
    title: str
    question: str
    minutes: str

    @property
    def number(self) -> str:
        """A chapter's; a project has its own in its title."""
        kind, number = chapter(self.docname) or ("", "")
        return number if kind == "chapter" else ""


def in_minutes(text: str) -> str:
    """How long a chapter takes, in a few words, from its opening; nothing if that says nothing."""
    found = MINUTES.search(text.replace("*", ""))
    if found is None:
        return ""
    first, all_of_it = found.groups()
    return f"{first} minutes, or {all_of_it} for all of it" if all_of_it else f"{first} minutes"


def read_card(path: Path) -> Card:
    """The card of a notebook, from its first prose."""
    cells = nbformat.read(path, as_version=4).cells
    text = next((cell.source for cell in cells if cell.cell_type == "markdown"), "")
    title, question, minutes = TITLE.search(text), QUESTION.search(text), in_minutes(text)
    if not (title and question and minutes):
        raise ExtensionError(
            f"chapters/{path.name} does not open with a title, a question and the minutes that it "
            "takes, as the other chapters do"
        )
    docname = f"{path.parent.name}/{path.stem}"
    return Card(docname, title[1].strip(), question[1].strip(), minutes)
