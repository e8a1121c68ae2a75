"""A small Sphinx extension: what the landing page takes from the chapters.

    ```{live-figure} chapters/02_probabilistic_encoder
    (what stands here where the chapter has not been executed)
    ```

shows a chapter's live figure once more (`:nth: 2` the second; a quiz is none), of several chapters
that of the first that has one;

    ```{chapter-cards}
    ```

gives each chapter, and each project, a card with its question and its minutes, read from its
opening, in the order of the table of contents; with the names of parts behind it ("Start here, Part
I") only those of these parts;

    ```{reading-order} Part II
    ```

is a table of a part's chapters and what each needs, as they say it themselves;

    ```{start}
    [How to use this book](how_to_use.md)
    ```

is a button that leads to the first chapter, with other ways to begin beside it.
"""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import contents
import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.render import WIDGET_STATE_MIMETYPE, WIDGET_VIEW_MIMETYPE
from myst_nb.sphinx_ import NbMetadataCollector
from opening import in_minutes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from targets import chapter

PICTURES = "_live_pictures"
QUESTION = re.compile(r"^> (.+)$", re.MULTILINE)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
NEEDED = re.compile(r"You need (.+?)\. \*\*\d", re.DOTALL)


# A chapter's opening


@dataclass(frozen=True)
class Card:
    """What a chapter says of itself."""

    docname: str
    title: str
    question: str
    minutes: str
    needed: str

    @property
    def number(self) -> str:
        """A chapter's; a project has its own in its title."""
        kind, number = chapter(self.docname) or ("", "")
        return number if kind == "chapter" else ""


def read_card(path: Path) -> Card:
    """The card of a notebook, from its first prose."""
    cells = nbformat.read(path, as_version=4).cells
    text = next((cell.source for cell in cells if cell.cell_type == "markdown"), "")
    title, question, minutes = TITLE.search(text), QUESTION.search(text), in_minutes(text)
    if not (title and question and minutes):
        raise ExtensionError(
            f"chapters/{path.name} does not open as the others do: with a title, a question, and "
            "the minutes that it takes"
        )
    docname = f"{path.parent.name}/{path.stem}"
    needed = NEEDED.search(text)
    said = needed[1].strip() if needed else ""
    return Card(docname, title[1].strip(), question[1].strip(), minutes, said)


def all_cards(env: BuildEnvironment, of_parts: str = "") -> list[Card]:
    """The book's chapters in their order; of some parts only, "Start here, Part I"."""
    root = Path(env.srcdir)
    wanted = [name.strip() for name in of_parts.split(",")] if of_parts else None
    found = contents.parts(root)
    if wanted and (unknown := set(wanted) - {part.name for part in found}):
        raise ExtensionError(f"_toc.yml has no part {', '.join(sorted(unknown))}")
    documents = [d for part in found if not wanted or part.name in wanted for d in part.documents]
    chapters = [root / f"{document}.ipynb" for document in documents if chapter(document)]
    for path in chapters:
        env.note_dependency(str(path))
    return [read_card(path) for path in chapters]


def link_to(card: Card, text: str) -> nodes.reference:
    """A link from a page of book/ to a chapter."""
    return nodes.reference("", text, internal=True, refuri=f"../{card.docname}.html")


class Start(SphinxDirective):
    """A button that leads to the first chapter, and what stands beside it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        card = next(iter(all_cards(self.env)))
        title = re.sub(r"^(An?|The)(?= )", lambda found: found[1].lower(), card.title)
        button = nodes.paragraph("", "", link_to(card, f"Start: {title}"))
        beside = self.parse_content_to_nodes()
        return [nodes.container("", button, *beside, classes=["start"])]


class ChapterCards(SphinxDirective):
    """A card a chapter, in their order."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        cards = nodes.bullet_list(classes=["chapter-cards"])
        cards += [self.card(card) for card in all_cards(self.env, *self.arguments)]
        return [cards]

    def card(self, card: Card) -> nodes.list_item:
        item = nodes.list_item(classes=["chapter-card"])
        head = nodes.paragraph(classes=["chapter-card-title"])
        if card.number:
            head += nodes.inline("", card.number, classes=["chapter-card-number"])
            head += nodes.Text(" ")
        head += link_to(card, card.title)
        item += head
        said, messages = self.parse_inline(card.question)
        item += [nodes.paragraph("", "", *said, classes=["chapter-card-question"]), *messages]
        item += nodes.paragraph("", card.minutes, classes=["chapter-card-minutes"])
        return item


class ReadingOrder(SphinxDirective):
    """A table: a part's chapters, and what each needs."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        cards = all_cards(self.env, *self.arguments)
        rows = [f"| {named(card)} | {card.needed} |\n" for card in cards]
        head = "| To read | you need |\n|---|---|\n"
        return self.parse_text_to_nodes(head + "".join(rows))


def named(card: Card) -> str:
    """A chapter by its number and its title, with a link; a project by its title."""
    title = f"{card.number} {card.title}" if card.number else card.title
    return f"[{title}](../{card.docname}.ipynb)"


# A live figure


@dataclass(frozen=True)
class Shown:
    """A live figure in an executed notebook."""

    model_id: str
    widget: dict
    picture: bytes | None
    alt: str


def live_figures(notebook: nbformat.NotebookNode) -> list[Shown]:
    """The live figures of an executed notebook, in the order of its outputs; a quiz is none."""
    states = notebook.metadata.get("widgets", {}).get(WIDGET_STATE_MIMETYPE, {}).get("state", {})
    found = []
    for cell in notebook.cells:
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            view = data.get(WIDGET_VIEW_MIMETYPE)
            widget = states.get(view["model_id"]) if view else None
            if widget and widget["state"].get("figure") not in (None, "quiz"):
                picture = base64.b64decode(data["image/png"]) if "image/png" in data else None
                image = cell.metadata.get("mystnb", {}).get("image", {})
                alt = image.get("alt", widget["state"]["name"])
                found.append(Shown(view["model_id"], widget, picture, alt))
    return found


class LiveFigure(SphinxDirective):
    """A chapter's live figure on another page."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar = {"nth": directives.positive_int}

    def run(self) -> list[nodes.Node]:
        nth = self.options.get("nth", 1)
        for name in self.arguments[0].split():
            path = Path(self.env.srcdir, f"{name}.ipynb")
            self.env.note_dependency(str(path))
            figures = live_figures(nbformat.read(path, as_version=4)) if path.exists() else []
            if len(figures) >= nth:
                return [self.shown(path.stem, figures[nth - 1])]
        return self.parse_content_to_nodes()  # none has been executed

    def shown(self, name: str, figure: Shown) -> nodes.container:
        """What MyST-NB would put here: a view, what stands in for it, and the page's state."""
        states = {figure.model_id: figure.widget}
        manager = {"version_major": 2, "version_minor": 0, "state": states}
        attributes = {"type": WIDGET_STATE_MIMETYPE, "body": json.dumps(manager)}
        key = "ipywidgets_state"
        NbMetadataCollector.add_js_file(self.env, self.env.docname, key, None, attributes)
        view = json.dumps({"version_major": 2, "version_minor": 0, "model_id": figure.model_id})
        text = f'<script type="{WIDGET_VIEW_MIMETYPE}">{view}</script>'
        kept = nodes.container(classes=["vae-live-placeholder"])
        if figure.picture:
            kept += self.picture(name, figure)
        return nodes.container("", nodes.raw("", text, format="html"), kept, classes=["live-again"])

    def picture(self, name: str, figure: Shown) -> nodes.image:
        folder = Path(self.env.srcdir, PICTURES)
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.png").write_bytes(figure.picture)
        return nodes.image(uri=f"/{PICTURES}/{name}.png", alt=figure.alt)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("chapter-cards", ChapterCards)
    app.add_directive("live-figure", LiveFigure)
    app.add_directive("reading-order", ReadingOrder)
    app.add_directive("start", Start)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
