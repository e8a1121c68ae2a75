"""A small Sphinx extension: links from plain text, so that notebooks read well wherever they open.

On the site "chapter 4", "Figure 2.3", "equation 3.5", "Exercise 2.1", "Kingma and Welling (2014)",
the first use of each term of the glossary in a chapter and `vae_lib.objectives.elbo` are links, and
`previews.py` shows beside each what it leads to. A mention of what does not exist is a warning, and
so ends the build; the comment <!-- no link --> behind it says that it is no reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from citations import Bibliography
from docutils import nodes
from mentions import Span, belongs_elsewhere, mentions
from previews import install, write_previews
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from targets import TargetCollector, all_places, all_works, chapter, is_caption, is_part, label
from terms import Glossary, library_name
from typesetting import put

logger = logging.getLogger(__name__)

NO_LINK = "<!-- no link -->"
# Nothing inside of these is looked at.
OPAQUE = (
    nodes.FixedTextElement,
    nodes.citation,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.reference,
    nodes.term,
    nodes.title,
    addnodes.desc_signature,
    addnodes.pending_xref,
)


class Book:
    """What mentions lead to, once all pages are read."""

    def __init__(self, env: BuildEnvironment) -> None:
        pages = TargetCollector.pages(env)
        self.places = all_places(env)
        self.bibliography = Bibliography(all_works(env))
        self.glossary = Glossary(entry for page in pages.values() for entry in page.glossary)
        self.entries = {where[1] for (kind, _), where in self.places.items() if kind == "citation"}
        self.imported = {docname: page.imported for docname, page in pages.items()}


def is_transparent(node: nodes.Node) -> bool:
    opaque = isinstance(node, OPAQUE) or is_part(node, "cell_code")
    is_label = isinstance(node, nodes.strong) and label(node.parent) is not None
    return not opaque and not (is_label and node is first_child(node.parent))


def first_child(node: nodes.Element) -> nodes.Node | None:
    return next((child for child in node.children if child.astext()), None)


def elements(node: nodes.Element) -> Iterator[nodes.Element]:
    """The elements that text is looked at in, in the order in which they are read."""
    yield node
    for child in list(node.children):
        if isinstance(child, nodes.Element) and is_transparent(child):
            yield from elements(child)


def join_texts(element: nodes.Element) -> None:
    """Make one text of neighbouring ones: MyST ends one at the end of each line."""
    children = []
    for is_text, group in groupby(element.children, lambda child: isinstance(child, nodes.Text)):
        group = list(group)
        if is_text and len(group) > 1:
            group = [nodes.Text("".join(text.astext() for text in group))]
        children += group
    if len(children) < len(element.children):
        element.children = []
        element.extend(children)


class LinkMentions(SphinxPostTransform):
    """Puts the links in, after those that roles have made (at 10) are there to be left alone."""

    default_priority = 12

    def run(self, **kwargs: object) -> None:
        self.book, self.docname = self.app.book, self.env.docname
        self.is_chapter = chapter(self.docname) is not None
        self.used: set[str] = set()
        for element in list(elements(self.document)):
            join_texts(element)
            for child in list(element.children):
                if isinstance(child, nodes.Text):
                    self.link_text(child)
                elif type(child) is nodes.literal:
                    self.link_name(child)

    def link_text(self, text: nodes.Text) -> None:
        """Replace a text by itself with links in it."""
        plain, parts, position = text.astext(), [], 0
        for span in self.spans(text, plain):
            place = self.place(span, text, plain)
            if place is not None:
                words = nodes.Text(plain[span.start : span.end])
                parts += [nodes.Text(plain[position : span.start]), self.link(span, place, words)]
                position = span.end
        if parts:
            rest = nodes.Text(plain[position:])
            put(text, [part for part in [*parts, rest] if part.astext()])

    def spans(self, text: nodes.Text, plain: str) -> list[Span]:
        """What the text mentions, in order; not what a comment behind it says to be none."""
        after = text.next_node(descend=False, siblings=True)
        cited = list(self.book.bibliography.citations(plain))
        work = cited + [Span(len(plain), len(plain), None)] * self.cites(after)
        found = cited + [s for s in mentions(plain) if not belongs_elsewhere(plain, s, work)]
        if self.is_chapter and not is_caption(text.parent):
            found += self.book.glossary.first_uses(plain, self.used, found)
        found.sort(key=lambda span: span.start)
        if isinstance(after, nodes.raw) and after.astext() == NO_LINK and found:
            last = found[-1]
            if len(plain) - last.end <= 1:
                self.used.discard(last.target[1] if last.target else "")
                found.pop()
        return found

    def cites(self, node: nodes.Node | None) -> bool:
        """Whether it is a citation made by a role."""
        links = node.findall(nodes.reference) if node is not None else ()
        return any(link.get("refuri", "").partition("#")[2] in self.book.entries for link in links)

    def place(self, span: Span, text: nodes.Text, plain: str) -> tuple[str, str] | None:
        """Where the link leads: nowhere for a page's mention of itself, or of what is not there."""
        place = self.book.places.get(span.target)
        if place is None:
            what = " ".join(plain[span.start : span.end].split())
            reason = span.reason or "there is none in the book"
            message = "'%s': %s. If it is no reference, write %s behind it"
            logger.warning(message, what, reason, NO_LINK, location=text.parent, type="linking")
        return None if place == (self.docname, "") else place

    def link(self, span: Span, place: tuple[str, str], node: nodes.Node) -> nodes.Node:
        page, anchor = place
        uri = self.app.builder.get_relative_uri(self.docname, page) if page != self.docname else ""
        address = f"{uri}#{anchor}" if anchor else uri
        kind = f"to-{span.target[0]}"
        return nodes.reference("", "", node, internal=True, refuri=address, classes=[kind])

    def link_name(self, literal: nodes.literal) -> None:
        """Lead from a full name to the library's page; from a short one where it is first used."""
        code = literal.astext()
        imported = self.book.imported.get(self.docname, {}) if self.is_chapter else {}
        name = library_name(code, imported)
        place = self.book.places.get(("name", name))
        if place is None or (not code.startswith("vae_lib.") and name in self.used):
            return
        self.used.add(name)
        parent, index = literal.parent, literal.parent.index(literal)
        parent.remove(literal)
        parent.insert(index, self.link(Span(0, len(code), ("name", name)), place, literal))


def gather(app: Sphinx, env: BuildEnvironment) -> None:
    app.book = Book(env)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_env_collector(TargetCollector)
    app.connect("env-updated", gather, priority=600)  # after the bibliography's own
    app.add_post_transform(LinkMentions)
    app.connect("builder-inited", install)
    app.connect("html-page-context", write_previews)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
