"""Where everything is that text may mention: found when a page is read, and kept for all pages.

A figure is the output above its caption, which begins with a bold "Figure 2.3."; an equation is a
displayed formula with \\tag{3.5}; an exercise is the section, or the paragraph that begins with a
bold "Exercise 2.1.", above the cell in which it is done, or else that cell. A project is numbered
in Roman numerals, and so is what it has: "Figure I.1", "Exercise I.1".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from citations import Work, lettered
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.util import logging
from terms import imported_names

logger = logging.getLogger(__name__)

CHAPTER = re.compile(r"(?:.*/)?chapters/(?:0*(\d+)_|project_([1-4])$)")
ROMAN = ("", "I", "II", "III", "IV")
LABEL = re.compile(r"(Figure|Exercise|Fill-in) ((?:\d+|[IVX]+)\.\w+)\b")
TAG = re.compile(r"\\tag\{((?:\d+|[IVX]+)\.\d+)\}")
TASK = re.compile(r"# (Exercise|Fill-in) ((?:\d+|[IVX]+)\.\w+)")

Target = tuple[str, str]  # a kind and a number, a term, a key or a name
Place = tuple[str, str]  # a page and an anchor on it, which is empty for the whole page


@dataclass
class Page:
    """What one page has: the anchors of its targets, its glossary, the names that it imports."""

    anchors: list[tuple[Target, str]] = field(default_factory=list)
    glossary: list[tuple[str, ...]] = field(default_factory=list)
    imported: dict[str, str] = field(default_factory=dict)


def chapter(docname: str) -> Target | None:
    """Which chapter a page is, ("chapter", "4"), or which project, ("project", "I")."""
    found = CHAPTER.match(docname)
    if found is None:
        return None
    return ("chapter", found[1]) if found[1] else ("project", ROMAN[int(found[2])])


def label(paragraph: nodes.Node) -> Target | None:
    """What a paragraph is the caption or the task of, by the bold words with which it begins."""
    # MyST puts an empty text before a word in bold that opens a paragraph.
    first = next((child for child in paragraph.children if child.astext()), None)
    found = LABEL.match(first.astext()) if isinstance(first, nodes.strong) else None
    return (found[1].lower(), found[2]) if found else None


def is_caption(paragraph: nodes.Node) -> bool:
    return (label(paragraph) or ("",))[0] == "figure"


def is_part(node: nodes.Node, name: str) -> bool:
    """Whether MyST-NB has made the node as this part of a notebook: "cell_code", say."""
    return isinstance(node, nodes.container) and node.get("nb_element") == name


def anchored(node: nodes.Element, name: str) -> str:
    """The node's anchor; a new one of this name where it has none."""
    if name not in node["ids"] and not isinstance(node, nodes.section):
        node["ids"].append(name)
    return name if name in node["ids"] else node["ids"][0]


def figures(doctree: nodes.document) -> Iterator[tuple[Target, nodes.Element]]:
    for paragraph in doctree.findall(nodes.paragraph):
        if is_caption(paragraph):
            above = paragraph.parent.children[: paragraph.parent.index(paragraph)]
            cell = above[-1] if above and is_part(above[-1], "cell_code") else None
            outputs = [part for part in cell or () if is_part(part, "cell_code_output")]
            yield label(paragraph), outputs[-1] if outputs else paragraph


def equations(doctree: nodes.document) -> Iterator[tuple[Target, nodes.Element]]:
    for formula in doctree.findall(nodes.math_block):
        for number in TAG.findall(formula.astext()):
            yield ("equation", number), formula


def tasks(doctree: nodes.document) -> Iterator[tuple[Target, nodes.Element]]:
    for cell in doctree.findall(lambda node: is_part(node, "cell_code")):
        found = TASK.match(cell.astext().lstrip())
        if found:
            target = found[1].lower(), found[2]
            yield target, task_above(cell, target) or cell


def task_above(cell: nodes.Element, target: Target) -> nodes.Element | None:
    """The paragraph, or the section, that begins with the name of the exercise."""
    for above in reversed(cell.parent.children[: cell.parent.index(cell)]):
        if label(above) == target:
            return above
        if isinstance(above, nodes.title):
            found = LABEL.match(above.astext())
            return above.parent if found and (found[1].lower(), found[2]) == target else None
    return None


def glossary_terms(doctree: nodes.document) -> Iterator[list[nodes.term]]:
    """The names of each entry."""
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            yield [child for child in item.children if isinstance(child, nodes.term)]


def page_of(docname: str, doctree: nodes.document) -> Page:
    """What a page has. Whatever has no anchor yet is given one."""
    page = Page()
    if found := chapter(docname):
        page.anchors.append((found, ""))
    for finder in (figures, equations, tasks):
        for (kind, number), node in finder(doctree):
            name = f"{kind}-{number.replace('.', '-')}"
            page.anchors.append(((kind, number), anchored(node, name)))
    for names in glossary_terms(doctree):
        page.glossary.append(tuple(name.astext() for name in names))
        page.anchors.append((("term", names[0].astext()), names[0]["ids"][0]))
    sources = (
        cell.children[0].astext()
        for cell in doctree.findall(lambda node: is_part(node, "cell_code"))
        if cell.children
    )
    page.imported = imported_names(sources)
    return page


class TargetCollector(EnvironmentCollector):
    """Keeps what each page has in `env.book_pages`."""

    @staticmethod
    def pages(env: BuildEnvironment) -> dict[str, Page]:
        if not hasattr(env, "book_pages"):
            env.book_pages = {}
        return env.book_pages

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        self.pages(env).pop(docname, None)

    def merge_other(
        self, app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
    ) -> None:
        self.pages(env).update({name: self.pages(other)[name] for name in docnames})

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        self.pages(app.env)[app.env.docname] = page_of(app.env.docname, doctree)


def all_places(env: BuildEnvironment) -> dict[Target, Place]:
    """Where every target of the book is; one that is in two places is reported."""
    places = {}
    for docname, page in sorted(TargetCollector.pages(env).items()):
        for target, anchor in page.anchors:
            if target in places and target[0] != "term":
                there = f"{places[target][0]} as well as {docname}"
                logger.warning("%s %s is in %s", *target, there, location=docname)
            places.setdefault(target, (docname, anchor))
    for citation in env.get_domain("cite").citations:
        places["citation", citation.key] = citation.bibliography_key.docname, citation.citation_id
    for name, entry in env.get_domain("py").objects.items():
        places["name", name] = entry.docname, entry.node_id
    return places


def all_works(env: BuildEnvironment) -> list[Work]:
    """The bibliography's entries, in its order."""
    works = []
    for citation in env.get_domain("cite").citations:
        people = citation.entry.persons.get("author", citation.entry.persons.get("editor", []))
        surnames = tuple(
            " ".join(map(str, [*person.rich_prelast_names, *person.rich_last_names]))
            for person in people
        )
        works.append((citation.key, surnames, citation.entry.fields.get("year", "")))
    return lettered(works)
