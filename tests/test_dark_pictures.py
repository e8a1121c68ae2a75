"""Photographs in the dark theme: their paper and words are inverted, their images are not."""

import io
import re
import subprocess
import sys
from base64 import b64encode

import dark_pictures
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from built_site import ROOT
from matplotlib.colors import to_rgb
from PIL import Image

from vae_lib import plots

PAPER = (0x12, 0x12, 0x12)  # the dark theme's background
FULL = [(0, 0), (0, 5), (0, 10), (5, 0), (5, 5)]  # where images of 4 x 4 stand in a sheet of 9 x 14
COLOURS = [(255, 255, 255), (0, 0, 0), dark_pictures.GAP, (31, 119, 180), (214, 39, 40)]
CONF = """
import sys
sys.path.insert(0, {book!r})
extensions = ["myst_nb", "dark_pictures"]
root_doc, nb_execution_mode = "index", "off"
"""


def drawn(*, sheets=1, table=False):
    """A picture with sheets of five coloured images, one below the other, and perhaps a table."""
    plots.use_book_style()
    n_axes = sheets + table
    fig, axes = plt.subplots(n_axes, 1, figsize=(4, 2.5 * n_axes), squeeze=False)
    for ax in axes[:sheets, 0]:
        x = torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
        x[1, :, 2, 2] = torch.tensor(to_rgb(plots.GAP))
        plots.images(x.flatten(1), (3, 4, 4), n_columns=3, titles=["a", "b"], ax=ax)
    if table:
        axes[-1, 0].imshow([[0.0, 0.5], [1.0, 0.2]], cmap="Blues")
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=120)
    plt.close(fig)
    return Image.open(file)


def pixels(picture):
    return np.asarray(picture.convert("RGB")).astype(int)


def image_at(sheet, row, column):
    """The pixels of an image in the sheet, without those at its edges."""
    (height, width), (high, wide) = sheet.shape[:2], (sheet.shape[0] / 9, sheet.shape[1] / 14)
    assert abs(high - wide) < 0.5, (height, width)
    rows = slice(round(row * high) + 2, round((row + 4) * high) - 2)
    return sheet[rows, round(column * wide) + 2 : round((column + 4) * wide) - 2]


def test_the_gaps_colour_is_that_of_the_library():
    assert tuple(round(255 * part) for part in to_rgb(plots.GAP)) == dark_pictures.GAP


@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("sheets", [1, 2])
def test_all_but_the_images_is_inverted(sheets, table):
    picture = drawn(sheets=sheets, table=table)
    before, after = pixels(picture), pixels(dark_pictures.in_the_dark(picture))
    places = dark_pictures.sheets(before)
    assert len(places) == sheets
    outside = np.ones(before.shape[:2], bool)
    for place in places:
        outside[place] = False
        for row, column in FULL:
            image = image_at(before[place], row, column)
            np.testing.assert_array_equal(image, image_at(after[place], row, column))
        assert (image_at(before[place], 0, 5) == dark_pictures.GAP).all(-1).any()
        gap_row = round(4.5 * before[place].shape[0] / 9)
        assert after[place][gap_row].max() < 60
    white = outside & (before == 255).all(-1)
    assert white.mean() > 0.05 and (after[white] == PAPER).all()
    black = outside & (before < 40).all(-1)  # in letters, whose edges are grey
    assert black.any() and (after[black] > 200).all()


def test_a_picture_without_a_sheet_is_left_alone():
    assert dark_pictures.in_the_dark(Image.new("RGB", (40, 30), "white")) is None


def test_it_inverts_as_the_style_sheet_does(open_page):
    rule = "filter: invert(0.93) hue-rotate(180deg);"
    assert rule in (ROOT / "book" / "assets" / "book.css").read_text(encoding="utf-8")
    page = open_page(width=600)
    block = "<div style='width: 20px; height: 20px; background: rgb{}'></div>"
    blocks = "".join(map(block.format, COLOURS))
    page.set_content(f"<body style='margin: 0'><div style='{rule}'>{blocks}</div></body>")
    shown = pixels(Image.open(io.BytesIO(page.screenshot())))[10 : 20 * len(COLOURS) : 20, 10]
    np.testing.assert_allclose(255 * dark_pictures.inverted(np.array(COLOURS) / 255), shown, atol=3)


def test_a_page_has_a_photograph_twice_and_a_plot_once(tmp_path):
    file = io.BytesIO()
    drawn().save(file, "PNG")
    picture = {"image/png": b64encode(file.getvalue()).decode()}
    cells = []
    for name, classes in (("photograph", {"classes": "photograph"}), ("plot", {})):
        shown = nbformat.v4.new_output("display_data", picture)
        metadata = {"mystnb": {"image": {"alt": f"A {name}", **classes}}}
        cells.append(nbformat.v4.new_code_cell("draw()", metadata=metadata, outputs=[shown]))
    title = nbformat.v4.new_markdown_cell("# A page")
    language = {"name": "python", "pygments_lexer": "ipython3"}
    notebook = nbformat.v4.new_notebook(cells=[title, *cells], metadata={"language_info": language})
    nbformat.write(notebook, tmp_path / "index.ipynb")
    conf = CONF.format(book=str(ROOT / "book"))
    (tmp_path / "conf.py").write_text(conf, encoding="utf-8")
    html = tmp_path / "html"
    subprocess.run([sys.executable, "-m", "sphinx", "-q", "-W", tmp_path, html], check=True)
    images = re.findall("<img[^>]*>", (html / "index.html").read_text(encoding="utf-8"))
    classes = [re.findall(r'class="([^"]*)"', image) for image in images]
    assert classes[:2] == [["photograph only-dark"], ["photograph only-light"]]
    assert len(images) == 3 and not re.search("only-|photograph", images[2].split(" src=")[0][9:])
    sources = [html / re.search(r'src="([^"]*)"', image)[1] for image in images]
    corners = [pixels(Image.open(source))[0, 0].tolist() for source in sources]
    assert corners == [[18] * 3, [255] * 3, [255] * 3]
