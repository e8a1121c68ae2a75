"""The built pages as one document, in the order of the contents, for a PDF of the whole book.

Identifiers get their page's name before them, and links between pages become links within.
"""

from __future__ import annotations

import html
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

ARTICLE = re.compile(r'<article class="bd-article">(.*)</article>', re.DOTALL)
TAG = re.compile(r"<[a-zA-Z][^>]*>")
ATTRIBUTE = re.compile(r'\b(id|for|aria-labelledby|aria-describedby|href|src)="([^"]*)"')
SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
HEAD = re.compile(
    r'<link[^>]*rel="stylesheet"[^>]*>'
    r"|<script>window\.MathJax = .*?</script>"
    r'|<script[^>]*src="[^"]*/mathjax/[^"]*"[^>]*>\s*</script>'
)
SHUT = re.compile(r'<details(?= class="solution"|><summary>[A-F]\. )')
TITLE = re.compile(r"<h1>(.*?)<a class=\"headerlink\"", re.DOTALL)

PAGE = """<!doctype html>
<html lang="{language}" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
{head}
<style>
  .pdf-page {{ break-before: page; }}
  .pdf-title {{ text-align: center; padding-top: 60mm; }}
  .pdf-title h1 {{ font-size: 30pt !important; }}
  .pdf-contents ol {{ list-style: none; padding: 0; }}
  .pdf-contents a {{ display: flex; gap: 1em; justify-content: space-between; padding: 0.8mm 0; }}
  .pdf-contents h3 {{ margin: 5mm 0 1mm; }}
  .chapter-cards {{ display: none !important; }}
</style>
</head>
<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<article class="bd-article">
<section class="pdf-title"><h1>{title}</h1><p>{author}</p><p>{footer}</p></section>
<nav class="pdf-page pdf-contents"><h2>Contents</h2>
{contents}
</nav>
{pages}
</article></div></div></main></body></html>
"""


@dataclass(frozen=True)
class Part:
    """A part of the book: what it is called, and its pages."""

    caption: str
    pages: tuple[str, ...]


def parts(root: Path) -> list[Part]:
    """The book's parts as its contents have them, with the landing page first.

    One without a caption, which has its own way of numbering, goes on with the one before.
    """
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    listed = [Part("", (contents["root"],))]
    for part in contents["parts"]:
        pages = tuple(entry["file"] for entry in part["chapters"])
        if "caption" in part:
            listed.append(Part(part["caption"], pages))
        else:
            listed[-1] = Part(listed[-1].caption, listed[-1].pages + pages)
    return listed


def name_of(page: str) -> str:
    """What stands before the identifiers of a page."""
    return page.replace("/", "-")


def target(address: str, page: str, known: set[str]) -> str:
    """Where a link leads in the one document; what lies elsewhere stays as it is."""
    split = urlsplit(address)
    if split.scheme or split.netloc:
        return address
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), split.path))
    there = page if not split.path else path.removesuffix(".html")
    if there not in known:
        return path
    return f"#{name_of(there)}" + (f"--{unquote(split.fragment)}" if split.fragment else "")


def rewritten(tag: str, page: str, known: set[str]) -> str:
    """A tag of a page, as it stands in the one document."""

    def attribute(found: re.Match[str]) -> str:
        name, value = found[1], html.unescape(found[2])
        if name in ("href", "src"):
            new = target(value, page, known)
        else:
            new = " ".join(f"{name_of(page)}--{one}" for one in value.split())
        return f'{name}="{html.escape(new)}"'

    return ATTRIBUTE.sub(attribute, tag)


def article(text: str, page: str, known: set[str]) -> str:
    """What a page has to say, for paper: without scripts, with what is folded open."""
    body = SCRIPT.sub("", ARTICLE.search(text)[1])
    body = SHUT.sub("<details open", body)
    body = TAG.sub(lambda found: rewritten(found[0], page, known), body)
    # The styles know two sections by their names.
    for name in ("key-points", "closer"):
        body = body.replace(
            f'id="{name_of(page)}--{name}"', f'id="{name_of(page)}--{name}" class="{name}"'
        )
    return f'<div class="pdf-page" id="{name_of(page)}">{body}</div>'


def heading(text: str) -> str:
    """A page's title as plain text, with its number."""
    found = TITLE.search(ARTICLE.search(text)[1])
    return html.unescape(re.sub(r"<[^>]*>", "", found[1])).strip() if found else ""


def contents(book: list[Part], titles: dict[str, str]) -> str:
    """The list of the pages; the numbers are put in once they are known."""
    lines = []
    for part in book:
        lines.append(f"<h3>{html.escape(part.caption)}</h3>" if part.caption else "")
        entries = (
            f'<li><a href="#{name_of(page)}"><span>{html.escape(titles[page])}</span>'
            f'<span class="pdf-number" data-page="{name_of(page)}"></span></a></li>'
            for page in part.pages
        )
        lines.append(f"<ol>{''.join(entries)}</ol>")
    return "\n".join(lines)


def one_document(root: Path, site: Path) -> str:
    """The whole book as one HTML document, whose addresses are relative to the site's folder."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    book = parts(root)
    known = [page for part in book for page in part.pages]
    texts = {page: (site / f"{page}.html").read_text(encoding="utf-8") for page in known}
    first = next(page for page in known if page.startswith("chapters/"))
    head = "\n".join(HEAD.findall(texts[first])).replace("../_static/", "_static/")
    return PAGE.format(
        language=config["sphinx"]["config"]["language"],
        title=html.escape(config["title"]),
        author=html.escape(config["author"]),
        footer=config["html"]["extra_footer"],
        head=head,
        contents=contents(book, {page: heading(text) for page, text in texts.items()}),
        pages="\n".join(article(texts[page], page, set(known)) for page in known),
    )
