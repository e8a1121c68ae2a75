"""Chapter 2's live figure, against torch, and with a network that is really trained."""

import json
import math

import numpy as np
import pytest
import torch
from browser import press, readout, scrolls_sideways, section, values
from figures import assert_ellipse, ellipse_figure
from handwriting import DIGITS, draw, pad_of
from torch import nn

from vae_lib.conditionals import DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.live import posterior_ellipse
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo
from vae_lib.training import fit

IMAGE_SHAPE = (8, 8)


@pytest.fixture(scope="module")
def vae(digits):
    """Chapter 2's two-dimensional model, trained as there."""
    torch.manual_seed(0)
    encoder = DiagonalGaussian(mlp(64, 128, 64, 4))
    vae = VAE(encoder, Gaussian(mlp(2, 64, 128, 64), sigma=0.2), StandardNormal(2))
    fit(vae, elbo, digits.train, epochs=80, device="cpu")
    return vae


@pytest.fixture(scope="module")
def trained_figure(digits, vae):
    with torch.no_grad():
        codes = vae.encoder(digits.train[:400]).mean
    return posterior_ellipse(
        vae.encoder.net,
        vae.decoder.net,
        codes,
        digits.train_labels[:400],
        images=digits.test[:10],
        image_labels=digits.test_labels[:10],
        image_shape=IMAGE_SHAPE,
        drawing="box",
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_numbers_are_torchs_for_chosen_and_drawn_digits(page_of, digits, seed):
    figure, encoder, decoder = ellipse_figure(seed=seed, start=3)
    page = page_of(figure)
    shown = values(page)
    np.testing.assert_allclose(shown["x"], digits.test[60])
    assert_ellipse(shown, encoder, decoder)
    draw(page, DIGITS[5])
    shown = values(page)
    assert shown["source"] == "drawing" and max(shown["x"]) <= 1
    assert_ellipse(shown, encoder, decoder)


def test_log_variances_are_clamped_as_the_library_does(page_of, digits):
    figure, encoder, _ = ellipse_figure(seed=4, gain=500)
    page = page_of(figure)
    widths = set()
    for i in range(len(digits.test[::20])):
        page.get_by_label("show").select_option(str(i))
        shown = values(page)
        with torch.no_grad():
            q_z = DiagonalGaussian(encoder)(digits.test[20 * i])
        np.testing.assert_allclose(shown["sigma"], q_z.stddev, rtol=1e-5)
        widths |= {round(math.log(sigma)) for sigma in shown["sigma"]}
    assert {-10, 10} <= widths


def test_the_encoders_own_range_is_kept(page_of, digits):
    figure, *_ = ellipse_figure(gain=500, log_var_range=(-1.0, 0.5))
    sigma = np.array(values(page_of(figure))["sigma"])
    bounds = np.exp(0.5 * np.array([-1.0, 0.5]))
    assert np.abs(sigma[:, None] - bounds).min(1) == pytest.approx(0, abs=1e-9)


def ring(page, n):
    """Middle and half-axes of the n-th ellipse, in the plot's pixels."""
    found = page.locator("ellipse.ellipse").nth(n)
    return np.array([float(found.get_attribute(name)) for name in ("cx", "cy", "rx", "ry")])


def test_the_ellipses_lie_where_the_numbers_say(page_of, digits):
    figure, *_ = ellipse_figure()
    page = page_of(figure)
    shown = values(page)
    one, two = ring(page, 0), ring(page, 1)
    np.testing.assert_allclose(two, [one[0], one[1], 2 * one[2], 2 * one[3]])
    # Two other digits tell how many pixels a unit is long; it is the same along both axes.
    page.get_by_label("show").select_option("7")
    other, moved = values(page), ring(page, 0)
    unit = (moved[0] - one[0]) / (other["mu"][0] - shown["mu"][0])
    assert (one[1] - moved[1]) / (other["mu"][1] - shown["mu"][1]) == pytest.approx(unit)
    np.testing.assert_allclose(one[2:] / unit, shown["sigma"])


def test_the_slider_scales_sigma_and_nothing_else(page_of, digits):
    figure, encoder, decoder = ellipse_figure()
    page = page_of(figure)
    before, narrow = values(page), ring(page, 0)
    press(page.get_by_role("slider"), "End")
    after, wide = values(page), ring(page, 0)
    assert after["scale"] == 4 and "4.00 times as wide" in readout(page)
    assert (after["mu"], after["sigma"]) == (before["mu"], before["sigma"])
    np.testing.assert_allclose(wide, narrow * [1, 1, 4, 4])
    assert_ellipse(after, encoder, decoder)


def test_without_a_drawing_there_is_no_posterior(page_of, digits):
    figure, *_ = ellipse_figure()
    page = page_of(figure)
    page.get_by_label("show").select_option("drawing")
    assert values(page) == {"source": "drawing", "scale": 1, "x": None}
    assert "Nothing is drawn" in readout(page)
    marks = page.locator("ellipse.ellipse, circle.fill-ink")
    assert marks.count() == 7 and not any(mark.is_visible() for mark in marks.all())
    assert "NaN" not in section(page).evaluate("node => node.outerHTML")
    draw(page, DIGITS[8])
    assert values(page)["x"] is not None and all(mark.is_visible() for mark in marks.all())
    press(pad_of(page), "Delete")
    assert values(page)["x"] is None


def test_the_ellipse_moves_while_drawing(page_of, trained_figure):
    page = page_of(trained_figure)
    pad_of(page).scroll_into_view_if_needed()
    box, means = pad_of(page).bounding_box(), []
    (stroke,) = DIGITS[3]
    for i, (x, y) in enumerate(stroke):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if i == 0:
            page.mouse.down()
        if i % 12 == 11:
            means.append(tuple(values(page)["mu"]))
    assert len(set(means)) == len(means) == 4


def test_choosing_a_digit_puts_the_drawing_away(page_of, digits):
    figure, *_ = ellipse_figure()
    page = page_of(figure)
    draw(page, DIGITS[2])
    assert page.get_by_label("show").input_value() == "drawing"
    press(page.get_by_label("show"), "ArrowDown")
    shown = values(page)
    assert shown["source"] == 0
    np.testing.assert_allclose(shown["x"], digits.test[0])
    page.get_by_label("show").select_option("drawing")
    assert values(page)["x"] is None


def correlation(a, b):
    return np.corrcoef(a, b)[0, 1]


@torch.no_grad()
def test_a_drawn_3_is_placed_among_threes_and_decoded_like_one(
    page_of, digits, vae, trained_figure
):
    page = page_of(trained_figure, theme="dark", width=390)
    draw(page, DIGITS[3])
    assert not scrolls_sideways(page)
    shown = values(page)
    mu, x, decoded = torch.tensor(shown["mu"]), shown["x"], shown["decoded"][0]

    q_z = vae.encoder(digits.test)
    distances = (q_z.mean - mu).norm(dim=1)
    nearest = digits.test_labels[distances.topk(9, largest=False).indices]
    assert (nearest == 3).sum() >= 5, f"the nearest codes of held-out digits are {nearest}"
    assert shown["near"]["label"] == 3 and "belong to 3s" in readout(page)

    # The distribution is no wider than those of real digits are, nor narrower.
    low, high = q_z.stddev.quantile(torch.tensor([0.01, 0.99]))
    assert all(low < sigma < high for sigma in shown["sigma"])

    assert correlation(decoded, x) > 0.75
    x_mean = vae.decoder(q_z.mean).mean
    for label in set(range(10)) - {3}:
        others = x_mean[digits.test_labels == label]
        assert correlation(decoded, x) > 0.05 + np.mean([correlation(o, x) for o in others])


def test_it_works_on_larger_images_too(page_of):
    torch.manual_seed(0)
    encoder, decoder = mlp(784, 8, 4), mlp(2, 8, 784)
    figure = posterior_ellipse(
        encoder,
        decoder,
        torch.randn(20, 2),
        torch.arange(20) % 10,
        images=torch.rand(2, 784),
        image_labels=torch.tensor([3, 3]),
        image_shape=(28, 28),
        drawing="mass",
    )
    page = page_of(figure)
    assert page.get_by_role("option").all_inner_texts() == [
        "my drawing",
        "a held-out 3",
        "a held-out 3, no. 2",
    ]
    draw(page, DIGITS[6])
    shown = values(page)
    assert len(shown["x"]) == 784
    assert_ellipse(shown, encoder, decoder)


def test_the_state_is_light_and_the_picture_there(trained_figure):
    n_bytes = sum(len(part["data"]) for part in packed_parts(trained_figure.state))
    text = json.dumps(trained_figure.state, default=lambda value: "")
    assert 4 / 3 * n_bytes + len(text) < 300_000
    data, _ = trained_figure._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")


def packed_parts(part):
    """All arrays in a state, however deep."""
    if isinstance(part, dict):
        return [part] if "data" in part else [p for v in part.values() for p in packed_parts(v)]
    return [p for v in part for p in packed_parts(v)] if isinstance(part, list) else []


def test_bad_input_is_named(digits):
    torch.manual_seed(0)
    good = {
        "encoder": mlp(64, 4),
        "decoder": mlp(2, 64),
        "codes": torch.randn(5, 2),
        "labels": torch.arange(5),
        "images": digits.test[:3],
        "image_labels": digits.test_labels[:3],
        "image_shape": IMAGE_SHAPE,
        "drawing": "box",
    }
    bad = [
        ({"codes": torch.randn(5, 3)}, r"codes of shape \(N, 2\)"),
        ({"labels": torch.arange(4)}, "their labels"),
        ({"images": digits.test[:3, :9]}, r"images of shape \(K, 64\)"),
        ({"images": 16 * digits.test[:3]}, r"pixels in \[0, 1\]"),
        ({"image_labels": digits.test_labels[:2]}, "their labels"),
        ({"drawing": "MNIST"}, '"box", as in the UCI digits, or "mass", as in MNIST'),
        ({"start": 3}, "one of the 3 images"),
        ({"encoder": nn.Conv1d(1, 1, 1)}, "Conv1d"),
        ({"encoder": mlp(64, 6)}, "64 to 4"),
        ({"decoder": mlp(3, 64)}, "2 to 64"),
    ]
    for change, message in bad:
        with pytest.raises(ValueError, match=message):
            posterior_ellipse(**{**good, **change})
