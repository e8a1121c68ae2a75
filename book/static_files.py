"""Files that the build writes beside the theme's own, into the site's static folder."""

from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx


def write_static(app: Sphinx, texts: Mapping[str, str]) -> None:
    """Write each text into the site's static folder, by its path there."""
    for name, text in texts.items():
        target = Path(app.outdir, "_static", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
