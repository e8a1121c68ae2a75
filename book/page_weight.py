"""A small Sphinx extension: pages that are light to load, with nothing on them looking different.

Pictures become lossless WebP, at two fifths of a PNG's size. The theme brings its icons twice, as a
script of half a megabyte and as fonts; the script goes, and of the fonts the pages get the icons
that they use.
"""

import re
from pathlib import Path

from docutils import nodes
from fontTools import subset
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms.images import BaseImageConverter

LARGE = 100_000
"""Bytes above which a picture is packed once more, with all effort, which takes seconds."""

ICON_SCRIPT = "scripts/fontawesome.js"
ICON_FONTS = "vendor/fontawesome/webfonts"
ICON_STYLE = "icons.css"

RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
FACE = re.compile(r"@font-face\{[^}]*?url\(\S*?/([\w-]+)\.woff2\)[^}]*\}")
CODE = re.compile(r'"\\([ef][0-9a-f]{3})"')
NAME = re.compile(r"\bfa-([a-z0-9-]+)")


class LosslessWebP(BaseImageConverter):
    """Puts a WebP of the same pixels in the place of a PNG, where it is smaller."""

    default_priority = 150  # after MyST-NB has chosen the pictures, at 4

    def match(self, node: nodes.image) -> bool:
        return self.app.builder.format == "html" and self.picture(node).suffix == ".png"

    def picture(self, node: nodes.image) -> Path:
        return Path(self.app.srcdir, node.get("candidates", {}).get("*", node["uri"]))

    def handle(self, node: nodes.image) -> None:
        source = self.picture(node)
        target = Path(self.imagedir) / f"{source.stem}.webp"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(source) as picture:
            picture.save(target, lossless=True, quality=80, method=6)
            if target.stat().st_size > LARGE:
                picture.save(target, lossless=True, quality=100, method=6)
        if target.stat().st_size < source.stat().st_size:
            self.env.original_image_uri[str(target)] = node["uri"]
            node["uri"] = node["candidates"]["*"] = str(target)
            self.env.images.add_file(self.env.docname, str(target))


def icons_used(static: Path, pages: list[Path]) -> set[int]:
    """The code points of the icons that pages and scripts name, or that a style puts somewhere."""
    texts = [*pages, *(static / "scripts").glob("*theme.js")]
    named = {name for path in texts for name in NAME.findall(path.read_text(encoding="utf-8"))}
    codes = set()
    for style in static.rglob("*.css"):
        for selectors, body in RULE.findall(style.read_text(encoding="utf-8")):
            defined = NAME.findall(selectors)
            if not defined or named & set(defined):
                codes |= set(CODE.findall(body))
    return {int(code, 16) for code in codes}


def subset_font(source: Path, target: Path, codes: set[int]) -> set[int]:
    """Write a font of just those characters; returns the ones that the font had."""
    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
    with subset.load_font(str(source), options) as font:
        had = codes & set(font.getBestCmap())
        if had:
            subsetter = subset.Subsetter(options)
            subsetter.populate(unicodes=had)
            subsetter.subset(font)
            subset.save_font(font, str(target), options)
    return had


def slim_icons(app: Sphinx, failure: Exception | None) -> None:
    """Empty the icons' script, and let small fonts come before the theme's own.

    A browser takes a character from the last font of a name that declares it, so an icon that were
    missing here would still be found in the theme's font.
    """
    static = Path(app.outdir) / "_static"
    if app.builder.format != "html" or failure or not (static / ICON_FONTS).exists():
        return
    (static / ICON_SCRIPT).write_text("// The icons come from fonts.\n", encoding="utf-8")
    (static / ICON_SCRIPT).with_suffix(".js.map").unlink(missing_ok=True)
    codes = icons_used(
        static, [p for p in Path(app.outdir).rglob("*.html") if static not in p.parents]
    )
    rules = []
    theme = (static / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    for face in FACE.finditer(theme):
        font = f"icons-{face[1]}.woff"
        had = subset_font(static / ICON_FONTS / f"{face[1]}.ttf", static / font, codes)
        if had:
            covered = ",".join(f"U+{code:x}" for code in sorted(had))
            rule = re.sub(
                r"src:[^;}]*", f'src:url({font}) format("woff");unicode-range:{covered}', face[0]
            )
            rules.append(rule)
    (static / ICON_STYLE).write_text("\n".join(rules), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(LosslessWebP)
    app.add_css_file(ICON_STYLE)
    app.connect("build-finished", slim_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
