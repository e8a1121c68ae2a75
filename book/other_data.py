"""The book on another data set than its own: what is asked of the data, and said on the pages.

The sentences of a chapter, and the numbers in them, are those of the book's own data. On the page
that is said once, below its opening; and where the run gives another number than the sentence, this
one stands behind it in brackets.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode
from opening import in_minutes
from printed_numbers import COMMENT, NUMBER, ProseNumber, Value, prose_below, prose_numbers
from records import read_record

REMEDY = "Without --dataset, and with VAE_BOOK_DATASET unset, it is built on data of its own, which"
REMEDY += " need no network."
ASKED = 'os.environ.get("VAE_BOOK_DATASET", '  # so a chapter takes the data that are asked for
ON_CHAPTERS = """:::{{admonition}} Built on another data set
:class: note
Where this chapter uses the book's images, what cells print, the figures and the claims are of the
data set `{name}` ({title}). The sentences, and the numbers in them, are of the data that come with
the book: small digits, or patches of photographs. Where the run behind this page gives another
number it follows in brackets, so: 0.75{example}. What is said of sizes, of single images and of how
many seeds there were need not fit, and claims that are made of the book's own data alone are
missing. {owed}
:::"""
ON_ITS_OWN = """:::{{admonition}} On data of its own
:class: note
This site was built on the data set `{name}`. This chapter keeps the data that it comes with,
whichever is asked for.
:::"""
ON_CLAIMS = """:::{{admonition}} Built on another data set
:class: note
The numbers of this list were measured on `{name}` ({title}), except in chapters that keep data of
their own. Claims that are made of the book's own data alone are not in it.
:::"""


def refusal(name: str) -> str | None:
    """Why the book cannot be built on a data set, or nothing: it is loaded, downloaded if need be.

    The chapters need classes, and images that a reader can draw like.
    """
    from vae_lib.data import load  # with torch, which a build on the book's own data can do without

    try:
        dataset = load(name)
    except (OSError, ValueError) as error:
        return f"The book cannot be built on {name!r}: {error}\n{REMEDY}"
    if dataset.train_labels is None or dataset.drawing is None:
        return (
            f"The book cannot be built on {name!r}: its chapters need images with classes, such as "
            f"digits, of a kind that a reader can draw. Try mnist. {REMEDY}"
        )
    return None


def facts(name: str) -> dict[str, str]:
    """What the notes say of a data set."""
    from vae_lib.data import DATASETS

    entry = DATASETS[name]
    owed = f"The data: {entry.citation}; {entry.licence}."
    return {"name": name, "title": entry.title, "owed": owed, "example": bracketed("0.31")}


def below_opening(markdown: str, note: str) -> str:
    """A page with a note under its opening, which ends with the minutes; else under its title."""
    parts = markdown.split("\n\n")
    end = 1 + next((i for i, part in enumerate(parts) if in_minutes(part)), 0)
    return "\n\n".join([*parts[:end], note, *parts[end:]])


def annotate(executed: Path, target: Path, name: str) -> None:
    """Copy an executed chapter, with the note and with the run's numbers in its prose."""
    notebook = nbformat.read(executed, as_version=4)
    add_numbers(notebook, read_record(executed.parent, executed.stem).get("values", []))
    opening = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
    note = ON_CHAPTERS if any(ASKED in cell.source for cell in notebook.cells) else ON_ITS_OWN
    opening.source = below_opening(opening.source, note.format(**facts(name)))
    nbformat.write(notebook, target)


def annotate_claims(page: Path, name: str) -> None:
    """Say on the page of claims of which data they are."""
    text = page.read_text(encoding="utf-8")
    page.write_text(below_opening(text, ON_CLAIMS.format(**facts(name))), encoding="utf-8")


def add_numbers(notebook: NotebookNode, values: list[list[Value]]) -> None:
    """Put what the run gave behind each verified number of the prose that is another here."""
    positions = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for i, given in zip(positions, values, strict=False):
        left = list(given)
        for cell in prose_below(notebook.cells, i):
            numbers = prose_numbers(cell.source)
            cell.source = with_numbers(cell.source, numbers, left[: len(numbers)])
            left = left[len(numbers) :]


def with_numbers(markdown: str, numbers: list[ProseNumber], values: list[Value]) -> str:
    parts, end = [], 0
    for comment, number, value in zip(COMMENT.finditer(markdown), numbers, values, strict=False):
        parts += [markdown[end : comment.end()], beside(number, value)]
        end = comment.end()
    return "".join([*parts, markdown[end:]])


def beside(number: ProseNumber, value: Value) -> str:
    """The run's number as it stands on the page; nothing where there is none, or the same."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value.strip().rstrip("%")):
        return ""
    return bracketed(number.rounded(value)) if number.problem(value) else ""


def bracketed(value: str) -> str:
    """A number as Python formats it, in brackets and in the page's typography."""
    mantissa, _, exponent = value.strip().replace("-", "−").partition("e")
    power = f" × 10<sup>{exponent.replace('+', '').replace('−0', '−').lstrip('0')}</sup>"
    number = f"{mantissa}{power}" if exponent else mantissa
    return f'<span class="here">\N{NARROW NO-BREAK SPACE}[{number}]</span>'
