"""A small Sphinx extension: photographs whose paper is dark in the dark theme.

In the dark the style sheet inverts the lightness of a plot (book.css). A picture of class
"photograph" holds images that `vae_lib.plots.images` drew and that have to stay as they are, with
words, axes and paper about them, which no style sheet can tell from the images. Of such a picture
the page gets a second one for the dark, in which only what is no image has been inverted.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms.images import BaseImageConverter

GAP = (0xDD, 0xE3, 0xEA)  # vae_lib.plots.GAP, which stands between the images of a sheet
LEAST = 0.02  # of a picture's width: what is gap in every row of a sheet of two columns or more
PHOTOGRAPH = "photograph"
HALF_TURN = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])


def inverted(pixels: np.ndarray) -> np.ndarray:
    """Colours (..., 3) in [0, 1] as `filter: invert(0.93) hue-rotate(180deg)` shows them."""
    return ((0.93 - 0.86 * pixels) @ HALF_TURN.T).clip(0, 1)


def sheets(pixels: np.ndarray) -> list[tuple[slice, slice]]:
    """Where sheets of images lie in a picture (H, W, 3) of bytes: rows and columns of each."""
    is_gap = (pixels == GAP).all(-1)
    in_sheet = np.pad(is_gap.mean(1) >= LEAST, 1).astype(int)
    ends = np.flatnonzero(np.diff(in_sheet))
    found = []
    for top, bottom in list(pairwise(ends))[::2]:
        columns = np.flatnonzero(is_gap[top:bottom].any(0))
        found.append((slice(top, bottom), slice(columns[0], columns[-1] + 1)))
    return found


def in_the_dark(picture: Image.Image) -> Image.Image | None:
    """The picture with all inverted but the images of its sheets; None where it has none."""
    pixels = np.asarray(picture.convert("RGB"))
    found = sheets(pixels)
    if not found:
        return None
    dark = (255 * inverted(pixels / 255)).round().astype(np.uint8)
    for rows, columns in found:
        sheet = pixels[rows, columns]
        is_gap = (sheet == GAP).all(-1)
        # An image may have a pixel of that colour, but no row or column from edge to edge.
        is_gap = is_gap.all(0) | is_gap.all(1, keepdims=True)
        dark[rows, columns] = np.where(is_gap[..., None], dark[rows, columns], sheet)
    return Image.fromarray(dark)


class DarkPhotographs(BaseImageConverter):
    """Puts its picture for the dark before each photograph; the theme shows one of the two."""

    default_priority = 140  # after MyST-NB has chosen the pictures, before they become WebP

    def match(self, node: nodes.image) -> bool:
        kinds = set(node["classes"]) & {PHOTOGRAPH, "only-light", "only-dark"}
        is_png = self.picture(node).suffix == ".png"
        return self.app.builder.format == "html" and kinds == {PHOTOGRAPH} and is_png

    def picture(self, node: nodes.image) -> Path:
        return Path(self.app.srcdir, node.get("candidates", {}).get("*", node["uri"]))

    def handle(self, node: nodes.image) -> None:
        source = self.picture(node)
        with Image.open(source) as picture:
            inverted_about = in_the_dark(picture)
        if inverted_about is None:
            return
        target = Path(self.imagedir) / f"{source.stem}-dark.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        inverted_about.save(target)
        dark = node.deepcopy()
        dark["uri"] = str(target)
        dark["candidates"] = {"*": str(target)}
        dark["classes"] = [*node["classes"], "only-dark"]
        node["classes"] = [*node["classes"], "only-light"]
        node.parent.insert(node.parent.index(node), dark)
        self.env.images.add_file(self.env.docname, str(target))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(DarkPhotographs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
