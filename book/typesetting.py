"""A small Sphinx extension: how docstrings, captions, descriptions and the entrance become pages.

Docstrings are plain text with `code` in backticks and *emphasis*. Read as reStructuredText,
KL(q || p) would be a broken substitution and a lone * a broken emphasis; here such characters
stand for themselves, and `vae_lib.training.fit` becomes a link.
"""

import html
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

MARKUP = re.compile(
    r"(?P<ticks>``?)(?P<code>[^`]+)(?P=ticks)"
    r"|(?P<emphasis>(?<!\w)\*\w[^*]*\w\*(?!\w))"
    r"|(?P<special>[|*\\]|_(?=\W|$)|(?<=: )[A-Z]\.(?=\n|$))"  # a lone "L." would begin a list
)
BLOCK = re.compile(r"(?<=::\n)((?:\n| +.*\n)+)")  # indented, behind a line that ends in ::
ROLE = re.compile(r":(?:py:)?[a-z]+:`~?")  # in what torch says of a method that ours inherit
# What belongs to a formula within a sentence, before it and behind it.
BEFORE = re.compile(r"[(\[“‘]+$")
BEHIND = re.compile(r"\S{1,4}(?=\s|$)|[.,:;!?)\]’”]+")
CAPTION = re.compile(r"Figure (?:\d+|[IVX]+)\.\d+\.")
DESCRIPTION_LENGTH = 160


def as_restructured_text(found: re.Match[str]) -> str:
    """Escape a special character; make code a literal, or a link where it names our own."""
    code = found["code"]
    if found["emphasis"]:
        return found["emphasis"]
    if code is None:
        return "\\" + found["special"]
    return f":py:obj:`{code}`" if re.fullmatch(r"vae_lib(\.\w+)+", code) else f"``{code}``"


def escape(text: str) -> str:
    """The text as reStructuredText; what a line that ends in :: announces stays as it is."""
    parts = BLOCK.split(text)
    parts[::2] = [MARKUP.sub(as_restructured_text, ROLE.sub("`", part)) for part in parts[::2]]
    return "".join(parts)


def process_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Rewrite the lines in place, as autodoc expects; code may run over the end of a line.

    Of an attribute napoleon would read what stands before a colon within the first line as its
    type, so the line ends there.
    """
    text = escape("\n".join(lines))
    if what in ("attribute", "data", "property"):
        text = re.sub(r"\A(.*?:) ", r"\1\n", text)
    lines[:] = text.split("\n")


def mark_captions(app: Sphinx, doctree: nodes.document) -> None:
    """Give the class `figure-caption` to every paragraph that begins with a bold "Figure 1.2."."""
    for paragraph in doctree.findall(nodes.paragraph):
        # MyST puts an empty text before a word in bold that opens a paragraph.
        first = next((child for child in paragraph.children if child.astext()), None)
        if isinstance(first, nodes.strong) and CAPTION.match(first.astext()):
            paragraph["classes"].append("figure-caption")


def put(text: nodes.Text, parts: list[nodes.Node]) -> None:
    """Put parts in the place of a text. (`replace` takes the first that reads the same.)"""
    parent = text.parent
    place = next(i for i, child in enumerate(parent.children) if child is text)
    parent[place : place + 1] = parts


def unseen(node: nodes.Node) -> bool:
    """Whether it is a comment, such as the expression of the number before it."""
    return isinstance(node, nodes.raw) and node.astext().startswith("<!--")


class KeepTogether(SphinxPostTransform):
    """Ends no line between a formula and the punctuation beside it, as a browser would."""

    default_priority = 20  # after the links
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        for formula in list(self.document.findall(nodes.math)):
            kept, parent = nodes.inline(classes=["together"]), formula.parent
            place = next(i for i, child in enumerate(parent.children) if child is formula)
            after = next((child for child in parent[place + 1 :] if not unseen(child)), formula)
            before, behind = parent[max(place - 1, 0)], after
            opening = isinstance(before, nodes.Text) and BEFORE.search(before.astext())
            closing = isinstance(behind, nodes.Text) and BEHIND.match(behind.astext())
            if not opening and not closing:
                continue
            parent[place] = kept
            kept += formula
            if opening:
                put(before, [nodes.Text(before.astext()[: opening.start()])])
                kept.insert(0, nodes.Text(opening[0]))
            if closing:
                put(behind, [nodes.Text(behind.astext()[closing.end() :])])
                kept += nodes.Text(closing[0])


def add_description(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Describe a page, for search engines and link previews, by its first paragraph."""
    paragraphs = doctree.findall(nodes.paragraph) if doctree is not None else []
    text = next((p.astext() for p in paragraphs), context.get("title") or "Search the book")
    text = re.sub(r"\$[^$]*\$|<[^>]*>", "", text)
    # Formulas come as TeX: q(z \\mid x) reads as q(z | x).
    text = re.sub(r"\\mid\b", "|", text)
    text = " ".join(re.sub(r"\\(?=[A-Za-z])|[{}]", "", text).split())
    if len(text) > DESCRIPTION_LENGTH:
        text = text[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0] + "…"
    tag = f'<meta name="description" content="{html.escape(text, quote=True)}">'
    context["metatags"] = context.get("metatags", "") + "\n" + tag


def mend_roles(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Don't call a list what a screen reader would not find to be one.

    Docutils gives a list of citations children that are no list items, and Sphinx sets the
    parameters of a signature as a list of definitions without terms.
    """
    body = context.get("body", "")
    body = body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    body = body.replace(' role="doc-biblioentry"', "")
    parameters = re.compile(r'<dl>(?=\s*<dd><em class="sig-param")')
    context["body"] = parameters.sub('<dl role="presentation">', body)


class SystemTheme(str):
    """The theme "auto" for the scripts, yet false where the template asks whether it is set.

    Without a theme set, the page has a light one if no script runs; with "auto" it has none.
    """

    def __bool__(self) -> bool:
        return False


def follow_system_theme(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Start in the reader's system's theme. Left empty, the theme's script logs an error."""
    context["default_mode"] = SystemTheme("auto")


ENTRANCE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="0; url={first}">
<title>{title}</title>
<link rel="icon" href="_static/{icon}">
<p><a href="{first}">{title}</a></p>
</html>
"""


def write_entrance(app: Sphinx, failure: Exception | None) -> None:
    """Lead from the bare address to the first page, with the icon that a browser asks for."""
    if failure is None and app.builder.name == "html":
        first = app.builder.get_target_uri(app.config.root_doc)
        title, icon = html.escape(app.config.html_title), Path(app.config.html_favicon).name
        page = ENTRANCE.format(language=app.config.language, first=first, title=title, icon=icon)
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def keep_lines(app: Sphinx, doctree: nodes.document) -> None:
    """Formulas of several lines say themselves how they are aligned.

    Sphinx would put each into a `split` of its own, where MathJax allows no tag.
    """
    for formula in doctree.findall(nodes.math_block):
        text = formula.astext().strip()
        if r"\\" in text and not formula.get("nowrap"):
            formula.children = [nodes.Text(f"\\begin{{equation}}\n{text}\n\\end{{equation}}")]
            formula["nowrap"] = True


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(KeepTogether)
    # Before napoleon, which has priority 500 and adds markup of its own.
    app.connect("autodoc-process-docstring", process_docstring, priority=400)
    app.connect("doctree-read", mark_captions)
    app.connect("doctree-read", keep_lines)
    app.connect("html-page-context", add_description)
    app.connect("html-page-context", mend_roles)
    app.connect("html-page-context", follow_system_theme)
    app.connect("build-finished", write_entrance, priority=400)  # before the one without an icon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
