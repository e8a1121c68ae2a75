"""Chapter 0's live figure: a pen that writes until it is touched, and what becomes of a drawing."""

import numpy as np
import pytest
import torch
from browser import drag, next_frame, press, readout, section, values
from figures import assert_first, first_figure
from handwriting import DIGITS, draw, pad_of
from sklearn.neighbors import KNeighborsClassifier
from torch.nn import functional as F

from vae_lib.live import first_vae
from vae_lib.networks import mlp

N_REAL = 600


@pytest.fixture(scope="module")
def networks(digits):
    """As the chapter's, trained for a shorter time."""
    torch.manual_seed(0)
    encoder, decoder = mlp(64, 128, 64, 4), mlp(2, 64, 128, 64)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=4e-3, fused=True)
    for _ in range(1200):
        x = digits.train[torch.randint(len(digits.train), (256,))]
        mu, log_var = encoder(x + 0.3 * torch.randn_like(x)).chunk(2, dim=-1)
        logits = decoder(mu + torch.exp(log_var / 2) * torch.randn_like(mu))
        bce = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum()
        optimiser.zero_grad()
        ((bce + kl) / len(x)).backward()
        optimiser.step()
    return encoder, decoder


@pytest.fixture(scope="module")
def trained_figure(digits, networks):
    encoder, decoder = networks
    images, labels = digits.train[:N_REAL], digits.train_labels[:N_REAL]
    with torch.no_grad():
        codes = encoder(images)[:, :2]
    settings = {"images": images, "image_shape": (8, 8), "drawing": "box"}
    return first_vae(encoder, decoder, codes, labels, **settings)


def moves(page):
    """Whether what the figure shows changes by itself."""
    before = values(page)["z"]
    page.wait_for_function(
        "before => document.querySelector('section.vae-live').dataset.values.includes(before)"
        " === false",
        arg=f'"z":{str(before).replace(" ", "")}',
        timeout=6000,
    )
    return True


def frames_in(page, ms):
    page.evaluate("() => { window.drawn = 0; }")
    page.evaluate("addEventListener('vae-live-frame', () => { drawn += 1; }, true)")
    page.wait_for_timeout(ms)
    return page.evaluate("drawn")


def test_a_pen_writes_and_its_numbers_are_torchs_all_along(page_of, digits):
    figure, *networks = first_figure()
    page = page_of(figure)
    seen = []
    for _ in range(6):
        assert moves(page)
        shown = values(page)
        assert_first(shown, *networks, digits.test[:60])
        assert shown["source"] == "pen"
        seen.append(tuple(shown["z"]))
    assert len(set(seen)) == 6
    assert "A pen writes digits" in readout(page)


def on_the_pad(page):
    pad_of(page).click(position={"x": 60, "y": 60})


def on_the_plane(page):
    drag(page.get_by_role("slider"), 20, 10)


def with_keys(page):
    press(page.get_by_role("slider"), "ArrowLeft")


def on_the_button(page):
    page.get_by_role("button", name="Stop pen").click()


def on_the_picture(page):
    page.get_by_role("img").last.click()


@pytest.mark.parametrize(
    "touch", [on_the_pad, on_the_plane, with_keys, on_the_button, on_the_picture]
)
def test_the_first_touch_stops_the_pen_for_good(page_of, digits, touch):
    page = page_of(first_figure()[0])
    moves(page)
    touch(page)
    next_frame(page)
    assert "A pen writes" not in readout(page)
    assert frames_in(page, 250) == 0
    page.get_by_role("button", name="Write one").click()
    assert moves(page)


def test_it_keeps_still_where_motion_is_unwelcome(page_of, digits):
    figure, *networks = first_figure()
    page = page_of(figure, still=True)
    first = values(page)
    assert first["source"] == "pen" and first["z"] == first["q"]["mu"]
    assert "The pen's digit is encoded" in readout(page)
    assert frames_in(page, 250) == 0
    page.get_by_role("button", name="Write one").click()
    second = values(page)
    assert second["x"] != first["x"] and second["z"] == second["q"]["mu"]
    assert_first(second, *networks, digits.test[:60])
    assert frames_in(page, 250) == 0


def test_it_rests_while_it_is_out_of_view(page_of, digits):
    page = page_of(first_figure()[0])
    moves(page)  # so it is not at rest after a digit
    page.evaluate("document.body.style.paddingTop = '3000px'")
    page.wait_for_timeout(150)
    assert frames_in(page, 250) == 0
    page.evaluate("document.body.style.paddingTop = '0'")
    assert moves(page)


def test_a_drawing_takes_the_pens_place_and_nothing_of_it_is_left(page_of, digits):
    figure, *networks = first_figure()
    page = page_of(figure)
    moves(page)
    draw(page, DIGITS[4])
    on_top = values(page)
    assert on_top["source"] == "drawing" and on_top["z"] == on_top["q"]["mu"]
    assert_first(on_top, *networks, digits.test[:60])
    press(pad_of(page), "Delete")
    cleared = values(page)
    assert cleared["x"] is None and cleared["q"] is None and cleared["z"] == on_top["z"]
    assert "Nothing is drawn" in readout(page)
    assert not any(ring.is_visible() for ring in page.locator("ellipse.ellipse").all())
    draw(page, DIGITS[4])
    np.testing.assert_allclose(values(page)["x"], on_top["x"], atol=1 / 16 + 1e-9)


def test_the_point_leaves_the_cloud_and_a_new_stroke_brings_it_back(page_of, digits):
    page = page_of(first_figure()[0])
    draw(page, DIGITS[3])
    drawn = values(page)
    press(page.get_by_role("slider"), "ArrowLeft")
    moved = values(page)
    assert moved["source"] == "hand" and moved["q"] == drawn["q"]
    assert moved["z"] == pytest.approx([drawn["z"][0] - 0.05, drawn["z"][1]])
    draw(page, [[(0.1, 0.1), (0.2, 0.1)]])
    again = values(page)
    assert again["source"] == "drawing" and again["z"] == again["q"]["mu"] != drawn["q"]["mu"]


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (900, "light")])
def test_pad_plane_and_pictures_are_in_view_together(page_of, digits, width, theme):
    page = page_of(first_figure()[0], width=width, height=844, theme=theme, still=True)
    shown = section(page)
    shown.scroll_into_view_if_needed()
    boxes = [pad_of(page).bounding_box(), shown.locator("svg").bounding_box()]
    boxes += [image.bounding_box() for image in page.get_by_role("img").all()]
    top = min(box["y"] for box in boxes)
    assert max(box["y"] + box["height"] for box in boxes) - top < 700
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    if width == 900:
        assert len({round(box["y"] / 100) for box in (boxes[0], boxes[1], boxes[3])}) == 1


def test_it_redraws_in_time(page_of, trained_figure):
    page = page_of(trained_figure)
    page.evaluate("() => { window.spent = []; }")
    page.evaluate("addEventListener('vae-live-frame', (e) => spent.push(e.detail), true)")
    page.wait_for_function("spent.length > 30", timeout=10_000)
    assert np.quantile(page.evaluate("spent"), 0.2) < 8  # of what others on the machine leave it


def test_most_drawn_digits_come_back_as_themselves(page_of, digits, networks, trained_figure):
    """By the kind of the real digits nearest to what is decoded; by chance it would be one."""
    judge = KNeighborsClassifier(5).fit(digits.train, digits.train_labels)
    page = page_of(trained_figure)
    came_back = {}
    for digit, strokes in DIGITS.items():
        press(pad_of(page), "Delete")
        draw(page, strokes)
        shown = values(page)
        assert_first(shown, *networks, digits.train[:N_REAL])
        (came_back[digit],) = judge.predict([shown["x_mean"]])
    assert sum(digit == found for digit, found in came_back.items()) >= 6, came_back


def test_it_works_on_larger_images_too(page_of):
    torch.manual_seed(0)
    encoder, decoder, images = mlp(784, 8, 4), mlp(2, 8, 784), torch.rand(20, 784)
    settings = {"images": images, "image_shape": (28, 28), "drawing": "mass"}
    figure = first_vae(encoder, decoder, torch.randn(20, 2), torch.arange(20) % 10, **settings)
    page = page_of(figure, still=True)
    draw(page, DIGITS[6])
    assert_first(values(page), encoder, decoder, images)


def test_bad_input_is_named(digits):
    torch.manual_seed(0)
    good = {
        "encoder": mlp(64, 4),
        "decoder": mlp(2, 64),
        "codes": torch.randn(5, 2),
        "labels": torch.arange(5),
        "images": digits.test[:5],
        "image_shape": (8, 8),
        "drawing": "box",
    }
    bad = [
        ({"codes": torch.randn(5, 3)}, r"codes of shape \(N, 2\)"),
        ({"images": digits.test[:4]}, "4 images and 5 codes"),
        ({"images": 16 * digits.test[:5]}, r"pixels in \[0, 1\]"),
        ({"drawing": "MNIST"}, '"box", as in the UCI digits, or "mass", as in MNIST'),
        ({"encoder": mlp(64, 6)}, "64 to 4"),
        ({"decoder": mlp(3, 64)}, "2 to 64"),
    ]
    for change, message in bad:
        with pytest.raises(ValueError, match=message):
            first_vae(**{**good, **change})
