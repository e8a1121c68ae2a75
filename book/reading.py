"""A small Sphinx extension: what a chapter's cells say of its form becomes visible on the page.

The opening (question, outcomes, minutes) is one card. A fill-in or an exercise, three cells in the
notebook, is one unit, and where the notebook says "not attempted yet", the page, on which nothing
can be attempted, says where it can be. In code nothing is shown that speaks to a linter alone.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from live_figures import STANDS_IN
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from opening import in_minutes
from sphinx.application import Sphinx
from static_files import write_static
from typesetting import CAPTION

STUB = re.compile(r"# (Exercise|Fill-in) ((?:\d+|[IVX]+)\.\w+)")
CHECK = re.compile(r"check\(")
END = "</details>"
NOT_ATTEMPTED = "not attempted yet"
FOR_LINTERS = re.compile(r"[ \t]*# noqa\b.*$", re.MULTILINE)
SCRIPTS = ("page.js", "progress.js", "search_text.js")
STYLES = ("reading.css", "print.css")
# A block of code as Pygments sets it, each of whose spans ends in the line in which it begins.
CODE = re.compile(
    r'(<div class="([^"]*)\bhighlight-[^"]*"><div class="highlight"><pre)>(.*?)(?=</pre>)',
    re.DOTALL,
)
# Names, punctuation and space, which both styles leave in the colour of the rest: in chapter 6 they
# are two thirds of the pieces and a quarter of the page's bytes.
PLAIN = re.compile(r'<span(?: class="(?:n|nn|p|w)")?>([^<]*)</span>')
# What names a line, "# a", and the space that puts it below the names of others.
LABEL = re.compile(r'( {2,})(<span class="c1"># \w</span>)')
IN_ITS_PLACE = r'<span class="before-label">\1</span>\2'
WIDEST = 80  # letters of what has been printed that small screens show in small letters
DEEPEST = 16  # letters by which the rest of a broken line is moved in, at most
# MyST-NB names every summary alike, whatever it says.
UNNAMED, SUMMARY = '<summary aria-label="Toggle hidden content">', "<summary>"


def gather(nodes_: list[nodes.Node], *classes: str) -> nodes.container:
    """Put neighbours into a container of their own, where the first of them stands."""
    parent, place = nodes_[0].parent, nodes_[0].parent.index(nodes_[0])
    kept = nodes.container(classes=list(classes))
    for node in nodes_:
        parent.remove(node)
    kept += nodes_
    parent.insert(place, kept)
    return kept


def mark_opening(doctree: nodes.document) -> None:
    """A chapter's question, outcomes, needs and minutes, from its first quotation on."""
    for section in doctree.findall(nodes.section):
        after = section.children[1:]
        if after and isinstance(after[0], nodes.block_quote):
            for i, node in enumerate(after):
                if in_minutes(node.astext()):
                    after[0]["classes"].append("chapter-question")
                    gather(after[: i + 1], "chapter-opening")
                    break
        return  # the first section is the chapter


def source_of(node: nodes.Node) -> str:
    """The code of a cell, or nothing where the node is none."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "cell_code":
        return ""
    return next((block.astext() for block in node.findall(nodes.literal_block)), "")


def is_folded(node: nodes.Node | None) -> bool:
    return source_of(node) != "" and node.get("hide_mode") == "input"


def shows_something(cell: nodes.container) -> bool:
    """Whether a cell has an output; a widget that needs a kernel, a progress bar, is none."""
    for output in cell.children[-1].children if len(cell.children) > 1 else ():
        if output.get("nb_element") != "mime_bundle":
            return True  # what has been printed
        kinds = {child["mime_type"] for child in output.children}
        if WIDGET_VIEW_MIMETYPE not in kinds or kinds & set(STANDS_IN):
            return True
    return False


def let_captions_follow(doctree: nodes.document) -> None:
    """Put what else a cell shows above its picture, where the picture's caption comes next."""
    for caption in list(doctree.findall(nodes.paragraph)):
        cell = caption.parent[max(caption.parent.index(caption) - 1, 0)]
        if CAPTION.match(caption.astext()) and source_of(cell) and len(cell.children) > 1:
            shown = cell.children[-1]
            shown.children.sort(key=lambda output: any(output.findall(nodes.image)))


def join_folds(doctree: nodes.document) -> None:
    """Fold code that stands together together: a cell without an output, and the one after it."""
    for cell in [node for node in doctree.findall(nodes.container) if is_folded(node)]:
        above = cell.parent.children[cell.parent.index(cell) - 1]
        if above is not cell and is_folded(above) and not shows_something(above):
            cell.children[0].insert(0, above.children[0].children)
            cell.parent.remove(above)


def ends_solution(node: nodes.Node) -> bool:
    return isinstance(node, nodes.raw) and END in node.astext()


def attempts(doctree: nodes.document) -> Iterator[tuple[re.Match, list[nodes.Node]]]:
    """Each stub with what belongs to it: its check, and its solution to the end."""
    cells = [node for node in doctree.findall(nodes.container) if source_of(node)]
    for cell in cells:
        found = STUB.match(source_of(cell))
        if found is None:
            continue
        parts = [cell]
        for node in cell.parent.children[cell.parent.index(cell) + 1 :]:
            if isinstance(node, nodes.section) or STUB.match(source_of(node)):
                break
            parts.append(node)
            if ends_solution(node):
                yield found, parts
                break


def links_to_notebook(app: Sphinx, docname: str) -> tuple[str, str]:
    """Where a chapter opens in Colab, and where its notebook can be had."""
    theme = app.config.html_theme_options
    slug = theme.get("repository_url", "").partition("github.com/")[2]
    colab = theme.get("launch_buttons", {}).get("colab_url", "https://colab.research.google.com")
    ref = app.config.notebooks_ref or theme.get("repository_branch", "main")
    folders = [ref, theme.get("path_to_docs", ""), docname]
    path = "/".join(part.strip("/") for part in folders if part.strip("/"))
    above = "../" * docname.count("/")
    return f"{colab}/github/{slug}/blob/{path}.ipynb", f"{above}_sources/{docname}.ipynb"


TO_TRY = """<div class="to-try"><span class="to-try-name">{name}</span>
<a class="to-try-colab" href="{colab}">Try it in Colab<span class="visually-hidden">:
{name}</span></a>
<a href="{notebook}" download>Download the notebook</a></div>"""


def say_where_to_try(app: Sphinx, docname: str, name: str, parts: list[nodes.Node]) -> None:
    """In the place of a verdict on nothing, the ways to a notebook."""
    colab, notebook = (html.escape(link) for link in links_to_notebook(app, docname))
    for cell in parts:
        if not CHECK.match(source_of(cell)) or NOT_ATTEMPTED not in cell.astext():
            continue
        for output in list(cell.children):
            if isinstance(output, nodes.container) and output["nb_element"] == "cell_code_output":
                text = TO_TRY.format(name=name, colab=colab, notebook=notebook)
                output.children = []
                output += nodes.raw("", text, format="html")


def shape(app: Sphinx, doctree: nodes.document) -> None:
    """Give a page's parts their places; most pages have none of them."""
    mark_opening(doctree)
    join_folds(doctree)
    let_captions_follow(doctree)
    for found, parts in list(attempts(doctree)):
        kind, number = found.groups()
        say_where_to_try(app, app.env.docname, f"{kind} {number}", parts)
        gather(parts, "attempt", kind.lower())
    for block in doctree.findall(nodes.literal_block):
        code = block.astext()
        if "# noqa" in code:
            block.rawsource = FOR_LINTERS.sub("", code)
            block.children = []
            block += nodes.Text(block.rawsource)


def one_line(line: str) -> str:
    """A line of code in an element of its own, which knows how far it is moved in."""
    text = html.unescape(re.sub(r"<[^>]*>", "", line))
    depth = min(len(text) - len(text.lstrip(" ")), DEEPEST)
    style = f' style="--depth: {depth}"' if depth and text.strip() else ""
    return f'<span class="line"{style}>{line}</span>'


def in_lines(found: re.Match[str]) -> str:
    """A block of code line by line; what a cell has printed says how many letters wide it is."""
    opening, kind, code = found.groups()
    code = LABEL.sub(IN_ITS_PLACE, PLAIN.sub(r"\1", code))
    lines = re.findall(r"[^\n]*\n|[^\n]+", code)
    width = max(len(html.unescape(re.sub(r"<[^>]*>", "", line)).rstrip()) for line in lines or [""])
    is_short = "output" in kind and width <= WIDEST
    style = f' style="--letters: {width}"' if is_short else ""
    return f"{opening}{style}>{''.join(map(one_line, lines))}"


def finish(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Call folded code what its line says, and let a line of code know where it begins."""
    body = context.get("body", "").replace(UNNAMED, SUMMARY)
    context["body"] = CODE.sub(in_lines, body)


def write_scripts(app: Sphinx) -> None:
    """Write the pages' own scripts into the site, beside the static files."""
    here = Path(__file__).parent
    write_static(app, {name: (here / name).read_text(encoding="utf-8") for name in SCRIPTS})


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Load them, before MathJax; what mends the search's results, where these stand."""
    for name in SCRIPTS if page == "search" else SCRIPTS[:2]:
        app.add_js_file(name, loading_method="defer", priority=400 if name == "page.js" else 500)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", shape, priority=600)  # after all that looks for its parts
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", finish)
    app.connect("html-page-context", add_scripts)
    for name in STYLES:  # after the book's own, which the configuration names
        app.add_css_file(name, priority=810)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
