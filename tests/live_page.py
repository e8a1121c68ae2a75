"""A page of the book's kind around live figures, without the book: for tests and benchmarks."""

import json
from pathlib import Path

from ipywidgets.embed import dependency_state

from vae_lib.live import LiveFigure, source

HOST = (Path(__file__).resolve().parents[1] / "book" / "live_host.js").read_text(encoding="utf-8")
THEME = """
html[data-theme=dark] { --pst-color-text-base: #dcdfe3; --pst-color-text-muted: #a3abb5;
  --pst-color-background: #121212; }
html { background: var(--pst-color-background, #fff); }
body { margin: 16px; max-width: 720px; }
"""


def page_with(*figures: LiveFigure, theme: str = "light", host: str = HOST) -> str:
    """The HTML of a page that shows the figures with the book's own host, or with another."""
    states = dependency_state(list(figures), drop_defaults=False)
    manager = json.dumps({"version_major": 2, "version_minor": 0, "state": states})
    views = "".join(
        '<div><script type="application/vnd.jupyter.widget-view+json">'
        f"{json.dumps({'model_id': figure.model_id})}</script></div>"
        for figure in figures
    )
    scripts = [source.script(name) for name in sorted({figure.figure for figure in figures})]
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Figures</title>'
        f"<style>{THEME}{source.STYLE}</style></head><body><main><h1>Figures</h1>{views}</main>"
        '<script type="application/vnd.jupyter.widget-state+json">'
        + manager.replace("<", "\\u003c")
        + "</script>"
        + "".join(f"<script>{script}</script>" for script in [*scripts, host])
        + "</body></html>"
    )
