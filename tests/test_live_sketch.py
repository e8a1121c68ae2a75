"""The pad of the live figures, and what becomes of a drawing before a network sees it.

Images of simple lines are compared with bitmaps worked out here, those of digits with the data.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import centre, next_frame, press, scrolls_sideways, touch_drag, values
from handwriting import DIGITS, draw, pad_of
from torch import nn

from vae_lib.data import load
from vae_lib.live import posterior_ellipse, source
from vae_lib.networks import mlp

MODULE = source.FOLDER / "shared" / "drawn.js"


@pytest.fixture
def prepared(open_page):
    """A function from strokes and a rule to the image that the page makes of them, or None."""
    page = open_page()
    parts = {}
    source._collect(MODULE.resolve(), parts)
    page.add_script_tag(content="\n".join(parts.values()))

    def run(strokes, rule):
        image = page.evaluate(
            "([strokes, rule]) => { const image = drawnImage(strokes, rule);"
            " return image && Array.from(image); }",
            [strokes, rule],
        )
        return None if image is None else np.array(image).reshape(rule["image_shape"])

    return run


def box(ink=0.305, image_shape=(8, 8)):
    return {"name": "box", "image_shape": list(image_shape), "ink": ink}


MASS = {"name": "mass", "image_shape": [28, 28]}


@pytest.mark.parametrize("rule", [box(), MASS], ids=["box", "mass"])
def test_neither_the_place_nor_the_size_of_a_drawing_matters(prepared, rule):
    rng = np.random.default_rng(0)
    for strokes in DIGITS.values():
        image = prepared(strokes, rule)
        scale, shift = rng.uniform(0.1, 300), rng.uniform(-50, 50, 2)
        moved = [(scale * np.array(stroke) + shift).tolist() for stroke in strokes]
        # A pixel just at the edge of the pen may fall to either side by rounding.
        difference = np.abs(prepared(moved, rule) - image)
        assert difference.max() <= (1 / 16 if rule["name"] == "box" else 1e-6) + 1e-9
        assert np.count_nonzero(difference > 1e-9) <= 2


def distances(top, bottom, shape):
    """From each pixel's middle to an upright line through the middle of all pixels."""
    rows, columns = np.indices(shape) + 0.5
    beyond = np.maximum(np.maximum(top - rows, rows - bottom), 0)
    return np.hypot(columns - shape[1] / 2, beyond)


def counted(bitmap):
    """The share of ink in each block of 4 x 4 pixels."""
    return bitmap.reshape(8, 4, 8, 4).sum((1, 3)) / 16


@pytest.mark.parametrize("ink", [0.12, 0.2, 0.25])
def test_an_upright_line_becomes_a_bar_of_full_height(prepared, ink):
    image = prepared([[(3, 10), (3, 20)]], box(ink))
    bars = [
        counted(distances(radius, 32 - radius, (32, 32)) <= radius)
        for radius in np.arange(1, 5, 0.001)
    ]
    assert any(np.abs(image - bar).max() < 1e-6 for bar in bars)
    assert image.sum() * 16 == pytest.approx(ink * 1024, abs=2 * 32)  # a column on each side
    assert image[0].any() and image[-1].any()


def test_the_pen_is_never_thicker_than_a_real_one(prepared):
    image = prepared([[(0, 0), (0, 1)]], box(ink=0.9))
    np.testing.assert_allclose(image, counted(distances(5, 27, (32, 32)) <= 5), atol=1e-9)


def test_a_wide_drawing_is_narrowed_by_half_at_most(prepared):
    square = [[(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]]
    image = prepared(square, box(ink=0.2))
    assert image[0].any() and image[-1].any(), "a square fills the height"
    assert image[:, [0, 7]].sum() == 0 and image[:, [1, 6]].all(0).any()
    dash = prepared([[(0, 0), (1, 0.02)]], box(ink=0.1))
    assert dash[:2].sum() == dash[-2:].sum() == 0, "a dash stays a dash"
    assert dash[:, 1].any() and dash[:, 6].any()


def test_mass_images_are_20_pixels_high_and_centred_by_mass(prepared):
    for strokes in DIGITS.values():
        image = prepared(strokes, MASS)
        rows, columns = np.indices((28, 28)) + 0.5
        assert (rows * image).sum() / image.sum() == pytest.approx(14, abs=0.1)
        assert (columns * image).sum() / image.sum() == pytest.approx(14, abs=0.1)
        height, width = (np.ptp(np.nonzero(image.sum(axis))[0]) + 1 for axis in (1, 0))
        assert 20 <= max(height, width) <= 22


def test_a_mass_image_is_grey_by_the_pens_distance(prepared):
    image = prepared([[(0, 0), (0, 5)]], MASS)
    to_line = distances(4 + 1.25, 24 - 1.25, (28, 28))
    np.testing.assert_allclose(image, np.clip(1.25 + 0.5 - to_line, 0, 1), atol=1e-5)


def test_prepared_digits_resemble_the_data(prepared, digits):
    rule = box(ink=digits.train.mean().item())
    images = {label: prepared(strokes, rule) for label, strokes in DIGITS.items()}
    recognised = 0
    for label, image in images.items():
        of_class = digits.train[digits.train_labels == label].sum(1)
        low, high = of_class.quantile(torch.tensor([0.05, 0.95])).tolist()
        assert low < image.sum() < high
        assert image[0].any() and image[-1].any()
        distance = (digits.train - torch.tensor(image.ravel(), dtype=torch.float32)).norm(dim=1)
        nearest = digits.train_labels[distance.topk(5, largest=False).indices]
        recognised += int(nearest.mode().values) == label
    assert recognised >= 8


@pytest.mark.skipif(
    not Path(os.environ.get("VAE_LIB_DATA") or "nowhere", "mnist").is_dir(),
    reason="VAE_LIB_DATA names no folder that holds mnist/: the real MNIST is not here",
)
def test_prepared_digits_resemble_mnist(prepared):
    mnist = load("mnist")
    images = {label: prepared(strokes, MASS) for label, strokes in DIGITS.items()}
    for label, image in images.items():
        of_class = mnist.train[mnist.train_labels == label].sum(1)
        low, high = of_class.quantile(torch.tensor([0.02, 0.98])).tolist()
        assert low < image.sum() < high


def test_no_line_is_no_image_and_a_dot_is_one(prepared):
    assert prepared([], box()) is None
    assert prepared([[]], MASS) is None
    for rule in (box(), MASS):
        image = prepared([[(0.2, 0.9)]], rule)
        assert np.isfinite(image).all() and image.sum() > 1
        np.testing.assert_allclose(image, image[::-1, ::-1], atol=1e-9)


def test_an_unknown_rule_is_refused(prepared):
    with pytest.raises(Exception, match='"box" or "mass", not circle'):
        prepared([[(0, 0)]], {"name": "circle", "image_shape": [8, 8]})


@pytest.fixture
def figure(digits):
    torch.manual_seed(0)
    return posterior_ellipse(
        mlp(64, 8, 4),
        nn.Linear(2, 64),
        torch.randn(20, 2),
        torch.arange(20) % 10,
        images=digits.test[:3],
        image_labels=digits.test_labels[:3],
        image_shape=(8, 8),
        drawing="box",
    )


def x_of(page):
    x = values(page)["x"]
    return None if x is None else np.array(x).reshape(8, 8)


def test_mouse_keys_and_finger_draw_the_same(page_of, prepared, figure):
    rule = dict(figure.state["drawing"])
    expected = prepared([[(0.5, 0.2), (0.5, 0.8)]], rule)
    page = page_of(figure)
    draw(page, [[(0.5, 0.2), (0.5, 0.5), (0.5, 0.8)]])
    np.testing.assert_allclose(x_of(page), expected, atol=1e-9)

    page.get_by_role("button", name="Clear").click()
    assert x_of(page) is None
    press(pad_of(page), "Space", *["ArrowDown"] * 12)
    np.testing.assert_allclose(x_of(page), expected, atol=1e-9)

    page = page_of(figure, touch=True, width=390)
    touch_drag(pad_of(page), dy=70)
    np.testing.assert_allclose(x_of(page), expected, atol=1e-9)


def test_the_page_does_not_scroll_under_a_drawing_finger(page_of, figure):
    page = page_of(figure, touch=True, width=390, height=400)
    centre(pad_of(page))  # which brings it into view
    next_frame(page)
    before = centre(pad_of(page)), page.evaluate("scrollY")
    touch_drag(pad_of(page), dx=-20, dy=-80)
    assert (centre(pad_of(page)), page.evaluate("scrollY")) == before
    assert x_of(page) is not None


def test_the_pen_moves_without_drawing_until_it_is_put_down(page_of, prepared, figure):
    page = page_of(figure)
    pad = pad_of(page)
    press(pad, "Delete", "ArrowRight", "ArrowRight")
    assert x_of(page) is None
    press(pad, "Enter", *["ArrowRight"] * 5, "Enter", *["ArrowDown"] * 5)
    assert "pen up" in page.locator(".vae-live-padnote").inner_text()
    press(pad, " ", *["Shift+ArrowLeft"] * 2)
    assert "pen down" in page.locator(".vae-live-padnote").inner_text()
    (x, y), step = (0.3 + 2 * 0.04, 0.2), 0.04
    first = [(x, y), (x + 5 * step, y)]
    second = [(x + 5 * step, y + 5 * step), (x - step, y + 5 * step)]
    expected = prepared([first, second], dict(figure.state["drawing"]))
    np.testing.assert_allclose(x_of(page), expected, atol=1 / 16 + 1e-9)
    for key in ("Escape", "Backspace"):
        press(pad, key)
        assert x_of(page) is None
        press(pad, "Space")
        assert x_of(page) is not None


def test_two_arrow_keys_at_once_draw_aslant(page_of, prepared, figure):
    page = page_of(figure)
    press(pad_of(page), "Space")
    page.keyboard.down("ArrowRight")
    for _ in range(9):
        page.keyboard.press("ArrowDown")
    page.keyboard.up("ArrowRight")
    next_frame(page)
    x, y = 0.3 + 0.04, 0.2
    expected = prepared(
        [[(0.3, y), (x, y), (x + 9 * 0.04, y + 9 * 0.04)]], dict(figure.state["drawing"])
    )
    np.testing.assert_allclose(x_of(page), expected, atol=1 / 16 + 1e-9)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_lines_are_seen_in_the_themes_ink(page_of, figure, theme):
    page = page_of(figure, theme=theme)
    pixel = """canvas => Array.from(canvas.getContext("2d").getImageData(180, 180, 1, 1).data)"""
    draw(page, [[(0.5, 0.1), (0.5, 0.9)]])
    red, _, _, alpha = pad_of(page).evaluate(pixel)
    assert alpha == 255 and (red > 180 if theme == "dark" else red < 80)
    page.get_by_role("button", name="Clear").click()
    next_frame(page)


def test_the_pad_shows_its_focus_and_lets_go_of_it(page_of, figure):
    page = page_of(figure)
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Shift+Tab")
    pad = pad_of(page)
    assert pad.evaluate("node => node === document.activeElement")
    assert pad.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    press(pad, "Space", "ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Clear"
    press(pad, "ArrowDown")
    np.testing.assert_array_equal(x_of(page).any(), True)
    assert "pen up" in page.locator(".vae-live-padnote").inner_text()


def test_a_second_finger_and_a_right_click_draw_nothing(page_of, figure):
    page = page_of(figure)
    pad = pad_of(page)
    press(pad, "Delete")
    pad.click(button="right")
    pad.dispatch_event("pointerdown", {"isPrimary": False, "pointerId": 7, "button": 0})
    assert x_of(page) is None


def test_a_phone_shows_it_whole(page_of, figure):
    assert not scrolls_sideways(page_of(figure, width=390))


def test_a_long_scribble_gives_a_finite_image(page_of, figure):
    page = page_of(figure)
    scribble = np.random.default_rng(1).uniform(0.05, 0.95, (250, 2)).tolist()
    draw(page, [scribble])
    assert np.isfinite(x_of(page)).all()
