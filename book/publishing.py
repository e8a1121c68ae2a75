"""A small Sphinx extension: what the site says of itself to who links to it or lists it.

The site's address follows from that of the repository, which stands in `_config.yml`, unless
`baseurl` there gives another: GitHub serves github.com/owner/name as owner.github.io/name. With
`notebooks_ref` chapters open in Colab and Binder as they are at that tag, so that one installs the
library that it was written with; edits go to the branch all the same.
"""

import html
import re
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

REPOSITORY = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+)/?$")
NOT_LISTED = {"search", "genindex", "py-modindex"}
DESCRIPTION = re.compile(r'<meta name="description" content="([^"]*)">')

NOT_FOUND = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="description" content="There is no such page in this book.">
<base href="{base}">
<title>No such page: {title}</title>
<link rel="icon" href="_static/{icon}">
<style>body {{ font: 1.1rem/1.6 system-ui, sans-serif; margin: 15vh auto; max-width: 34rem;
padding: 0 1.5rem; }}</style>
<h1>There is no such page</h1>
<p>Perhaps it has moved, or the address has a slip in it.</p>
<ul>
<li><a href="{first}">To the beginning: {title}</a></li>
<li><a href="search.html">Search the book</a></li>
</ul>
</html>
"""


def address_of(repository: str) -> str:
    """Where GitHub serves a repository's pages, or nothing where it is not on GitHub."""
    found = REPOSITORY.match(repository)
    if found is None:
        return ""
    owner, name = found[1].lower(), found[2]
    host = f"https://{owner}.github.io/"
    return host if name.lower() == f"{owner}.github.io" else f"{host}{name}/"


def set_address(app: Sphinx, config: Config) -> None:
    """Take the site's address from the repository's, where nothing else is said."""
    repository = config.html_theme_options.get("repository_url", "")
    config.html_baseurl = config.html_baseurl or address_of(repository)


def open_notebooks_at_ref(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Have the theme's buttons open the notebooks of a release, and not what the branch has now."""
    ref, branch = app.config.notebooks_ref, app.config.html_theme_options.get("repository_branch")
    if not ref or not branch:
        return
    at_branch = re.compile(
        rf"(?<=/blob/){re.escape(branch)}(?=/)|{re.escape(branch)}(?=\?urlpath=)"
    )
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            for button in group["buttons"]:
                button["url"] = at_branch.sub(ref, button["url"])


def first_picture(app: Sphinx, doctree: nodes.document | None) -> str:
    """The address of a page's first picture, or nothing; the builder has given it its place."""
    images = doctree.findall(nodes.image) if doctree is not None else []
    light = (image for image in images if "only-dark" not in image["classes"])
    places = (PurePosixPath(image["uri"]) for image in light)
    found = (p for p in places if p.parent.name == app.builder.imagedir and p.suffix != ".svg")
    name = next((f"{app.builder.imagedir}/{place.name}" for place in found), "")
    return urljoin(app.config.html_baseurl, name) if name else ""


def add_tags(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """What a preview of a link to this page shows; after its description has been written."""
    described = DESCRIPTION.search(context.get("metatags", ""))
    title = re.sub(r"<[^>]*>", "", context.get("title") or "")
    tags = {
        "og:type": "website" if page == app.config.root_doc else "article",
        "og:site_name": app.config.html_title,
        "og:title": html.unescape(title),
        "og:description": html.unescape(described[1]) if described else "",
    }
    if app.config.html_baseurl:
        tags["og:url"] = urljoin(app.config.html_baseurl, app.builder.get_target_uri(page))
        tags["og:image"] = first_picture(app, doctree)
    lines = [
        f'<meta property="{name}" content="{html.escape(text, quote=True)}">'
        for name, text in tags.items()
        if text
    ]
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def introduce_entrance(app: Sphinx, failure: Exception | None) -> None:
    """Give the bare address, which only leads on, the tags of the page that it leads to."""
    entrance, base = Path(app.outdir) / "index.html", app.config.html_baseurl
    if failure or app.builder.name != "html" or not base:
        return
    first = app.builder.get_target_uri(app.config.root_doc)
    text = (Path(app.outdir) / first).read_text(encoding="utf-8")
    tags = re.findall(r'<meta (?:property="og:|name="description")[^>]*>', text)
    tags.append(f'<link rel="canonical" href="{urljoin(base, first)}">')
    page = entrance.read_text(encoding="utf-8")
    page = page.replace("<title>", "\n".join([*tags, "<title>"]), 1)
    entrance.write_text(page, encoding="utf-8")


def write_sitemap(app: Sphinx, failure: Exception | None) -> None:
    """List the pages for search engines, and have a page for addresses that lead nowhere."""
    if failure or app.builder.name != "html" or not app.config.html_baseurl:
        return
    base, out = app.config.html_baseurl, Path(app.outdir)
    pages = sorted(app.env.found_docs - NOT_LISTED)
    urls = [urljoin(base, app.builder.get_target_uri(page)) for page in pages]
    listed = "".join(f"<url><loc>{html.escape(url)}</loc></url>\n" for url in urls)
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    text = f'{head}<urlset xmlns="{space}">\n{listed}</urlset>\n'
    (out / "sitemap.xml").write_text(text, encoding="utf-8")
    missing = NOT_FOUND.format(
        language=app.config.language,
        base=urlsplit(base).path,
        title=html.escape(app.config.html_title),
        icon=Path(app.config.html_favicon).name,
        first=app.builder.get_target_uri(app.config.root_doc),
    )
    (out / "404.html").write_text(missing, encoding="utf-8")
    (out / ".nojekyll").touch()  # GitHub would leave out folders that begin with an underscore


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("notebooks_ref", "", "html", str)
    app.connect("config-inited", set_address)
    app.connect("html-page-context", open_notebooks_at_ref, priority=900)  # after the theme's
    app.connect("html-page-context", add_tags, priority=600)
    app.connect("build-finished", write_sitemap)
    app.connect("build-finished", introduce_entrance, priority=450)  # after it has been written
    return {"parallel_read_safe": True, "parallel_write_safe": True}
