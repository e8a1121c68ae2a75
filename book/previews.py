"""What a link leads to, in small: the figure and its caption, a formula, a definition, a task.

Each page of the site gets a script, _static/previews/<page>.js, with the previews of its own
targets by their anchors. A reader's browser asks for it when a link to that page is pointed at
(`previews.js`), from this site and from a folder alike, and no page is heavier for it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path, PurePosixPath

from docutils import nodes
from opening import in_minutes
from sphinx import addnodes
from sphinx.application import Sphinx
from static_files import write_static
from targets import TargetCollector, glossary_terms, is_part

SCRIPT = Path(__file__).parent / "previews.js"
FOLDER = "previews"
TAGS = {
    nodes.emphasis: "em",
    nodes.strong: "strong",
    nodes.literal: "code",
    nodes.paragraph: "p",
    nodes.literal_block: "pre",
}
Preview = dict[str, str]


def markup(node: nodes.Node) -> str:
    """A node as HTML of the plainest kind: no links, no anchors, formulas as TeX."""
    if isinstance(node, nodes.Text):
        return html.escape(node.astext(), quote=False)
    if isinstance(node, nodes.math | nodes.math_block):
        opening, closing = ("\\(", "\\)") if isinstance(node, nodes.math) else ("\\[", "\\]")
        if node.get("nowrap"):  # it is an environment
            opening = closing = ""
        tex = re.sub(r"\\tag\{[^}]*\}", "", node.astext()).strip()
        return f'<span class="math">{opening}{html.escape(tex, quote=False)}{closing}</span>'
    if isinstance(node, nodes.raw | nodes.image | nodes.label | nodes.system_message):
        return ""
    inside = "".join(markup(child) for child in node.children)
    tag = next((tag for kind, tag in TAGS.items() if isinstance(node, kind)), None)
    return f"<{tag}>{inside}</{tag}>" if tag else inside


def with_title(title: str, *parts: nodes.Node | str) -> Preview:
    body = "".join(part if isinstance(part, str) else markup(part) for part in parts)
    return {"html": f"<p><strong>{title}</strong></p>{body}"}


def of_page(doctree: nodes.document) -> Preview:
    """A chapter's question and minutes, or how another page begins."""
    title = doctree.next_node(nodes.title)
    quote, paragraph = doctree.next_node(nodes.block_quote), doctree.next_node(nodes.paragraph)
    question = quote.children[0] if quote and "?" in quote.astext() else paragraph
    minutes = (in_minutes(paragraph.astext()) for paragraph in doctree.findall(nodes.paragraph))
    told = next((f"<p>{words}</p>" for words in minutes if words), "")
    return with_title(markup_inside(title), question or "", told)


def markup_inside(node: nodes.Element | None) -> str:
    return "".join(map(markup, node.children)) if node is not None else ""


def of_figure(node: nodes.Element, images: dict[str, str]) -> Preview:
    """The caption, and the picture that stands above it."""
    if isinstance(node, nodes.paragraph):
        return {"html": markup(node)}
    cell = node.parent
    caption = cell.parent.children[cell.parent.index(cell) + 1]
    preview = {"html": markup(caption)}
    for picture in node.findall(nodes.image):  # the last one, and one for the dark beside it
        kind = "dark" if "only-dark" in picture["classes"] else "image"
        preview[kind] = PurePosixPath(images.get(picture["uri"], picture["uri"])).name
    return preview


def of_task(node: nodes.Element) -> Preview:
    """What an exercise asks: the words above its cell, or those with which the cell begins."""
    if is_part(node, "cell_code"):
        code = node.children[0].astext().strip().splitlines()
        lines = list(takewhile(lambda line: line.startswith("#"), code))
        words = html.escape(" ".join(line.lstrip("# ") for line in lines[1:]), quote=False)
        return with_title(lines[0].lstrip("# "), f"<p>{words}</p>")
    is_section = isinstance(node, nodes.section)
    parts = node.children[1:] if is_section else node.parent.children[node.parent.index(node) :]
    words = "".join(map(markup, takewhile(lambda part: not is_part(part, "cell_code"), parts)))
    return with_title(markup_inside(node.children[0]), words) if is_section else {"html": words}


def of_targets(app: Sphinx, docname: str, doctree: nodes.document) -> Iterator[tuple[str, Preview]]:
    """The previews of what the page was found to have when it was read."""
    found = {name: node for node in doctree.findall(nodes.Element) for name in node.get("ids", ())}
    for (kind, number), anchor in TargetCollector.pages(app.env)[docname].anchors:
        node = found.get(anchor)
        if node is None:
            continue
        if kind == "figure":
            yield anchor, of_figure(node, app.builder.images)
        elif kind == "equation":
            yield anchor, with_title(f"Equation {number}", node)
        elif kind in ("exercise", "fill-in"):
            yield anchor, of_task(node)


def of_entries(doctree: nodes.document) -> Iterator[tuple[str, Preview]]:
    """The previews of the glossary's entries, the bibliography's, and the library's."""
    for names in glossary_terms(doctree):
        definition = names[0].parent.children[-1]
        for name in names:
            yield name["ids"][0], with_title(markup_inside(name), definition)
    for citation in doctree.findall(nodes.citation):
        for name in citation["ids"]:
            yield name, {"html": markup(citation)}
    for described in doctree.findall(addnodes.desc):
        signature, content = described.children[0], described.children[-1]
        words = content.next_node(nodes.paragraph) if content.children else None
        title = f"<code>{html.escape(signature.get('fullname', ''))}</code>"
        for name in signature["ids"]:
            yield name, with_title(title, words or "")


def write_previews(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Write the page's script: its previews by their anchors, and its own under the empty one."""
    if doctree is None or app.builder.name != "html":
        return
    entries = dict([("", of_page(doctree)), *of_targets(app, page, doctree), *of_entries(doctree)])
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    write_static(app, {f"{FOLDER}/{page}.js": f"bookPreviews[{json.dumps(page)}]={text};\n"})


def install(app: Sphinx) -> None:
    """Write the script of all pages into the site, and load it with its style."""
    write_static(app, {SCRIPT.name: SCRIPT.read_text(encoding="utf-8")})
    app.add_js_file(SCRIPT.name, loading_method="defer")
    app.add_css_file("links.css")
