"""Chapter 8's live figure, against torch, and with a VAE that is really trained."""

import json

import numpy as np
import pytest
import torch
from browser import (
    drag,
    press,
    readout,
    scrolls_sideways,
    section,
    sweep,
    touch_drag,
    values,
)
from figures import ONE_OF_EACH, assert_explored, decoded, explorer_figure, random_vae
from handwriting import DIGITS, pad_of
from handwriting import draw as draw_there
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.data import binarize
from vae_lib.live import explorer
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo
from vae_lib.training import fit


@pytest.fixture(scope="module")
def vae(digits):
    """Chapter 8's model with two latent dimensions, trained as there."""
    torch.manual_seed(0)
    encoder = DiagonalGaussian(mlp(64, 256, 4))
    vae = VAE(encoder, Bernoulli(mlp(2, 256, 64)), StandardNormal(2))
    settings = {"lr": 4e-3, "one_cycle": True, "transform": binarize, "device": "cpu"}
    fit(vae, elbo, digits.train, epochs=100, **settings)
    return vae


@pytest.fixture(scope="module")
def figure(vae, digits):
    return explorer_figure(vae)


@torch.no_grad()
def means(vae, images, threshold=0.5):
    """The means of q(z|x) for binarised images, in double precision."""
    x = binarize(images, threshold=threshold).double()
    return DiagonalGaussian(vae.encoder.net.double())(x).mean


def draw(page, strokes):
    """Draw, on the part of the figure that is for it."""
    page.get_by_role("button", name="Draw", exact=True).click()
    draw_there(page, strokes)


def knob(page):
    return page.get_by_role("slider", name="The code z")


def position(page):
    return page.get_by_role("slider", name="t", exact=True)


@pytest.mark.parametrize(("seed", "activation"), [(0, nn.ReLU), (1, nn.Tanh)])
def test_every_number_of_a_drawing_is_torchs(page_of, digits, seed, activation):
    vae = random_vae(seed, activation)
    page = page_of(explorer_figure(vae))
    draw(page, DIGITS[4])
    shown = values(page)
    assert shown["source"] == "drawing" and shown["z"] == shown["own"]["mu"]
    assert_explored(shown, vae)


@pytest.mark.parametrize("threshold", [0.25, 0.5])
def test_the_walk_is_straight_between_posterior_means(page_of, digits, threshold):
    vae = random_vae()
    page = page_of(explorer_figure(vae, walk=(2, 7), threshold=threshold))
    ends = means(vae, digits.test[ONE_OF_EACH], threshold)
    for keys, t in (([], 0.0), (["PageUp"] * 3, 0.3), (["End"], 1.0)):
        press(position(page), *keys)
        shown = values(page)
        assert (shown["source"], shown["t"]) == ("walk", pytest.approx(t))
        np.testing.assert_allclose(shown["z"], torch.lerp(ends[2], ends[7], t), atol=1e-5)
        assert_explored(shown, vae)
    page.get_by_label("walk from a").select_option(index=0)
    page.get_by_label("to a").select_option(index=9)
    press(position(page), "Home", "ArrowRight")
    np.testing.assert_allclose(values(page)["z"], torch.lerp(ends[0], ends[9], 0.01), atol=1e-5)
    labels = digits.test_labels[ONE_OF_EACH].tolist()
    assert f"from the {labels[0]} to the {labels[9]}" in readout(page)


def test_the_plane_is_dragged_by_mouse_finger_and_keys(page_of, figure, vae):
    page = page_of(figure)
    start = values(page)["z"]
    drag(knob(page), 40, -30)
    shown = values(page)
    assert shown["source"] == "plane"
    assert shown["z"][0] > start[0] and shown["z"][1] > start[1]
    assert_explored(shown, vae)
    press(knob(page), "ArrowLeft", "ArrowUp")
    moved = np.array(values(page)["z"]) - shown["z"]
    np.testing.assert_allclose(moved, [-0.05, 0.05], atol=1e-9)

    page = page_of(figure, touch=True, width=390)
    touch_drag(knob(page), dx=-30, dy=20)
    shown = values(page)
    assert shown["source"] == "plane" and shown["z"][0] < start[0]
    assert_explored(shown, vae)


def test_extreme_logits_stay_probabilities(page_of, digits):
    vae = random_vae()
    with torch.no_grad():
        vae.decoder.net[-1].weight.mul_(5000)
    page = page_of(explorer_figure(vae))
    press(knob(page), "Shift+ArrowRight", "Shift+ArrowUp")
    shown = values(page)
    assert min(shown["x_mean"]) == 0 and max(shown["x_mean"]) == 1
    settled = np.isin(shown["x_mean"], (0, 1))
    np.testing.assert_array_equal(
        np.array(shown["x_draw"])[settled], np.array(shown["x_mean"])[settled]
    )
    assert_explored(shown, vae)


def test_new_draws_have_the_distributions_that_they_claim(page_of, figure, vae):
    page = page_of(figure)
    draw(page, DIGITS[3])
    own = values(page)["own"]
    drawn = sweep(page, 400 * [{"New draws": None}])
    n = len(drawn)
    p, draws = np.array(drawn[0]["x_mean"]), np.array([one["x_draw"] for one in drawn])
    assert all(one["z"] == own["mu"] for one in drawn), "new draws leave z where it is"
    z_scores = (draws.mean(0) - p) / np.sqrt(p * (1 - p) / n + 1e-4)
    assert np.abs(z_scores).max() < 4.5 and 0.5 < np.sqrt((z_scores**2).mean()) < 1.3

    eps = (np.array([one["own"]["z"] for one in drawn]) - own["mu"]) / own["sigma"]
    assert np.abs(eps.mean(0)).max() < 4 / np.sqrt(n)
    assert np.abs(eps.var(0) - 1).max() < 4 * np.sqrt(2 / n)
    assert abs((eps[:, 0] * eps[:, 1]).mean()) < 4 / np.sqrt(n)
    expected = decoded(vae, [one["own"]["z"] for one in drawn])
    residual = np.array([one["own"]["resampled"] for one in drawn]) - expected
    error = np.sqrt((expected * (1 - expected)).mean(0) / n + 1e-4)
    assert np.abs(residual.mean(0) / error).max() < 4.5


def test_only_z_changes_a_draw_until_new_ones_are_asked_for(page_of, figure):
    page = page_of(figure)
    first = values(page)
    press(knob(page), "Shift+ArrowRight")
    press(position(page), "ArrowRight", "Home")
    again = values(page)
    assert again["z"] == first["z"] and again["x_draw"] == first["x_draw"]
    press(page.get_by_role("button", name="New draws"), "Enter")
    assert values(page)["x_draw"] != first["x_draw"]


WALKED = """window.walked = [];
addEventListener("vae-live-frame", ({ target }) => {
  walked.push(JSON.parse(target.dataset.values).t);
}, true);"""


def walked_beyond(page, t):
    """Wait until the walk has come farther than t; the least t of the frames on the way."""
    page.wait_for_function("(t) => walked.at(-1) > t", arg=t)
    return page.evaluate("Math.min(...walked)")


def test_the_walk_plays_and_stops(page_of, figure):
    page = page_of(figure)
    page.evaluate(WALKED)
    play = page.get_by_role("button", name="Play the walk")
    play.scroll_into_view_if_needed()
    where_it_was = play.bounding_box()
    play.click()
    walked_beyond(page, 0)
    playing = page.get_by_role("button", name="Stop")
    assert playing.bounding_box() == where_it_was, "it moved away under the pointer"
    playing.click()
    stopped = values(page)["t"]
    assert 0 < stopped < 1 and position(page).input_value() != "0"
    page.wait_for_timeout(150)
    assert values(page)["t"] == stopped
    page.evaluate("walked.length = 0")
    page.get_by_role("button", name="Play the walk").click()
    assert walked_beyond(page, stopped) >= stopped, "it goes on from where it was"
    press(knob(page), "ArrowUp")
    where = values(page)["z"]
    page.wait_for_timeout(150)
    assert values(page)["source"] == "plane" and values(page)["z"] == where


def test_without_motion_the_walk_jumps_to_its_end(page_of, figure, vae, digits):
    page = page_of(figure, still=True)
    page.get_by_role("button", name="Play the walk").click()
    shown = values(page)
    assert shown["t"] == 1 and page.get_by_role("button", name="Stop").count() == 0
    np.testing.assert_allclose(
        shown["z"], means(vae, digits.test[ONE_OF_EACH])[1], rtol=1e-5, atol=1e-5
    )


def test_one_part_is_shown_at_a_time_and_drawing_ends_the_walk(page_of, figure):
    page = page_of(figure)
    parts = [page.get_by_role("button", name=name, exact=True) for name in ("Walk", "Draw")]
    assert position(page).is_visible() and not pad_of(page).is_visible()
    page.get_by_role("button", name="Play the walk").click()
    press(parts[1], "Enter")
    assert pad_of(page).is_visible() and not position(page).is_visible()
    stopped = values(page)["t"]
    page.wait_for_timeout(100)
    assert values(page)["t"] == stopped
    assert [part.get_attribute("aria-pressed") for part in parts] == ["false", "true"]
    parts[0].click()
    assert position(page).is_visible() and not pad_of(page).is_visible()


def test_without_real_images_there_is_none_to_compare_with(page_of):
    page = page_of(explorer_figure(random_vae(), real=None))
    assert values(page)["nearest"] is None
    assert page.get_by_role("img", name="nearest real digit").count() == 0


def test_without_a_drawing_there_is_no_posterior(page_of, figure):
    page = page_of(figure)
    assert values(page)["own"] is None and "Your drawing" not in readout(page)
    marks = page.locator("ellipse.ellipse.ink, path.line.ink")
    assert marks.count() == 3 and not any(mark.is_visible() for mark in marks.all())
    draw(page, DIGITS[0])
    assert values(page)["own"] and all(mark.is_visible() for mark in marks.all())
    z = values(page)["z"]
    press(pad_of(page), "Delete")
    shown = values(page)
    assert shown["own"] is None and shown["source"] == "plane" and shown["z"] == z
    assert not any(mark.is_visible() for mark in marks.all())
    assert "NaN" not in section(page).evaluate("node => node.outerHTML")


def correlation(a, b):
    return np.corrcoef(a, b)[0, 1]


@torch.no_grad()
def test_a_drawn_3_is_placed_among_threes_and_reconstructed(page_of, figure, vae, digits):
    page = page_of(figure, theme="dark", width=390)
    draw(page, DIGITS[3])
    assert not scrolls_sideways(page)
    own = values(page)["own"]
    mu, reconstruction = torch.tensor(own["mu"]), own["reconstruction"]

    clear = binarize(digits.test, threshold=0.5)
    z = means(vae, digits.test)
    medians = torch.stack([z[digits.test_labels == c].median(0).values for c in range(10)])
    assert (medians - mu).norm(dim=1).argmin() == 3
    distances = (means(vae, digits.train) - mu).norm(dim=1)
    nearest = digits.train_labels[distances.topk(25, largest=False).indices]
    assert (nearest == 3).sum() > 25 / 2, f"the nearest codes belong to {nearest}"

    # It resembles the drawing about as well as reconstructions of real threes resemble theirs.
    x_mean = decoded(vae, z)
    threes = digits.test_labels == 3
    typical = [correlation(a, b) for a, b in zip(x_mean[threes], clear[threes], strict=True)]
    assert correlation(reconstruction, own["x"]) > max(0.6, np.quantile(typical, 0.1))
    for label in set(range(10)) - {3}:
        others = x_mean[digits.test_labels == label]
        mean_of_others = np.mean([correlation(other, own["x"]) for other in others])
        assert correlation(reconstruction, own["x"]) > 0.03 + mean_of_others


def test_the_state_is_light_and_the_picture_there(figure):
    networks = [figure.state[name]["layers"] for name in ("encoder", "decoder")]
    arrays = [layer[part] for net in networks for layer in net for part in ("weight", "bias")]
    arrays += [figure.state[name] for name in ("codes", "labels", "images", "image_labels", "real")]
    text = json.dumps(figure.state, default=lambda value: "")
    assert 4 / 3 * sum(len(array["data"]) for array in arrays) + len(text) < 300_000
    data, _ = figure._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")


def test_bad_input_is_named(digits):
    vae = random_vae()
    wide = random_vae()
    wide.encoder.net = mlp(64, 8, 40)
    bad = [
        (vae, {"walk": (0, 10)}, "two of the 10 images"),
        (vae, {"threshold": 1.0}, r"\[0, 1\)"),
        (vae, {"drawing": "circle"}, '"box", as in the UCI digits'),
        (vae, {"image_shape": (28, 28)}, r"images of shape \(K, 784\)"),
    ]
    for model, change, message in bad:
        with pytest.raises(ValueError, match=message):
            explorer_figure(model, **change)
    with pytest.raises(ValueError, match="two latent dimensions"):
        explorer(
            wide.encoder.net,
            vae.decoder.net,
            torch.randn(5, 2),
            torch.arange(5),
            images=digits.test[:3],
            image_labels=digits.test_labels[:3],
            image_shape=(8, 8),
            drawing="box",
        )
