"""A small Sphinx extension: pages with live figures get the figures' scripts and a host for them.

The widgets' state is on the page already, by MyST-NB. Here it is trimmed of what only a notebook
needs, the picture of each figure's first state is kept beside it for readers without JavaScript,
and the scripts of just those figures that a page shows are loaded, from this site.
"""

import json
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from static_files import write_static

from vae_lib.live import source

HOST = Path(__file__).parent / "live_host.js"
FOLDER = "live"
STATE = "ipywidgets_state"
STANDS_IN = ("text/html", "image/png")  # for a live figure, the first that there is
FOR_NOTEBOOKS = ("_esm", "_css")


class KeepPictures(SphinxPostTransform):
    """Beside a live figure, keep what stands in for it until it runs."""

    default_priority = 3  # MyST-NB keeps one mime type of each output at 4

    def run(self, **kwargs: object) -> None:
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            by_type = {child["mime_type"]: child for child in bundle.children}
            view = by_type.get(WIDGET_VIEW_MIMETYPE)
            stand_in = next((by_type[name] for name in STANDS_IN if name in by_type), None)
            if view is not None and stand_in is not None:
                kept = nodes.container(classes=["vae-live-placeholder"])
                kept += stand_in.children
                view += kept


def write_scripts(app: Sphinx) -> None:
    """Write host, style and all figures' scripts into the site, beside the static files."""
    texts = {"host.js": HOST.read_text(encoding="utf-8"), "live.css": source.STYLE}
    texts |= {f"{name}.js": source.script(name) for name in source.figures()}
    write_static(app, {f"{FOLDER}/{name}": text for name, text in texts.items()})


def trimmed(state: str) -> tuple[str, list[str]]:
    """The widgets' state without what a page does not use, and the figures that it shows."""
    manager = json.loads(state)
    widgets = {
        key: widget for key, widget in manager["state"].items() if widget["state"].get("figure")
    }
    for widget in widgets.values():
        for name in FOR_NOTEBOOKS:
            widget["state"].pop(name, None)
    text = json.dumps({**manager, "state": widgets}, separators=(",", ":"))
    # Inside a script nothing may end it, nor open a comment that hides its end.
    text = text.replace("<", "\\u003c")
    return text, sorted({widget["state"]["figure"] for widget in widgets.values()})


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Load what the page's figures need; runs before MyST-NB puts the state on the page."""
    files = NbMetadataCollector.get_js_files(app.env, page)
    if STATE not in files:
        return
    _, attributes = files[STATE]
    attributes["body"], shown = trimmed(attributes["body"])
    app.add_css_file(f"{FOLDER}/live.css")
    for name in [*shown, "host"]:
        app.add_js_file(f"{FOLDER}/{name}.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", add_scripts, priority=400)
    app.add_post_transform(KeepPictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
