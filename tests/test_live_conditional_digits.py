"""Chapter 13's figure: styles and labels, and the sums that fill a digit's gaps in."""

import json

import numpy as np
import pytest
import torch
from browser import (
    centre,
    drag,
    mouse_drag,
    next_frame,
    press,
    readout,
    scrolls_sideways,
    section,
    sweep,
    touch_drag,
    values,
)
from built_site import MOST_STATE
from figures import (
    CLASSES,
    assert_conditional,
    close,
    conditional_figure,
    filled_exactly,
    labelled_images,
    random_cvae,
)
from test_live_figures import state_as_json
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.data import binarize
from vae_lib.live import conditional_digits
from vae_lib.live.figure import rounded
from vae_lib.models import ConditionalVAE
from vae_lib.networks import mlp
from vae_lib.objectives import conditional_elbo
from vae_lib.training import fit

# Of the plane's shade: the share of its cells that are shaded at all, and the darkest one's colour.
SHADE = """() => {
  const sheet = document.querySelector("canvas.vae-live-underlay");
  const { data } = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
  let [n, top, colour, at] = [0, 0, null, 0];
  for (let k = 0; k < data.length; k += 4) {
    if (data[k + 3] > 2) n += 1;
    if (data[k + 3] > top) [top, colour, at] = [data[k + 3], [...data.slice(k, k + 3)], k / 4];
  }
  const ends = [at % sheet.width, sheet.height - 1 - Math.floor(at / sheet.width)];
  return { share: (4 * n) / data.length, colour, darkest: ends };
}"""
BARS = """() => [...document.querySelectorAll("rect.bar")].map((bar) => (
  { height: Number(bar.getAttribute("height")), colour: getComputedStyle(bar).fill }))"""


@pytest.fixture(scope="module")
def cvae():
    return random_cvae()


@pytest.fixture(scope="module")
def figure(cvae):
    return conditional_figure(cvae)


@pytest.fixture(scope="module")
def trained(digits):
    """On the small digits, for as long as it takes until digits are to be seen."""
    torch.manual_seed(0)
    parts = DiagonalGaussian(mlp(74, 64, 4)), Bernoulli(mlp(12, 64, 64)), StandardNormal(2)
    cvae = ConditionalVAE(*parts)
    y = nn.functional.one_hot(digits.train_labels, 10).float()
    data = binarize(digits.train, threshold=0.5), y
    settings = {"lr": 4e-3, "one_cycle": True, "device": "cpu", "progress": False}
    fit(cvae, conditional_elbo, data, epochs=60, **settings)
    return cvae


def digit_figure(cvae, digits, **options):
    x = binarize(digits.test, threshold=0.5)
    return conditional_digits(cvae, x, digits.test_labels, image_shape=(8, 8), **options)


def turn_to_gaps(page):
    page.get_by_role("button", name="Erase and fill in").click()
    next_frame(page)


def pad(page):
    return page.get_by_role("application", name="Erase pixels")


def erase(page, *pixels):
    """With the keys, one pixel after the other, from where the rubber is at first."""
    row, column = 1, 2  # of images of 3 by 4
    for to in pixels:
        keys = [("ArrowDown", "ArrowUp")[to // 4 < row]] * abs(to // 4 - row)
        keys += [("ArrowRight", "ArrowLeft")[to % 4 < column]] * abs(to % 4 - column)
        press(pad(page), *keys, "Space")
        row, column = divmod(to, 4)
    next_frame(page)


def gone(page):
    return np.flatnonzero(values(page)["erased"]).tolist()


# Styles and labels


def test_each_label_is_a_button_with_its_digit_and_its_colour(page_of, figure, cvae):
    page = page_of(figure)
    colours = set()
    for label in range(CLASSES):
        button = page.get_by_role("button", name=str(label), exact=True)
        press(button, "Enter")
        shown = values(page)
        assert shown["label"] == label and f"label {label}" in readout(page)
        assert_conditional(shown, cvae)
        pressed = page.locator("[aria-label='The label y'] [aria-pressed=true]").all_inner_texts()
        assert [text.strip() for text in pressed] == [str(label)]
        colours.add(button.evaluate("(one) => getComputedStyle(one).borderBottomColor"))
    assert len(colours) == CLASSES


def test_the_style_is_dragged_and_the_label_stays(page_of, figure, cvae):
    for touch, move in ((False, drag), (True, touch_drag)):
        page = page_of(figure, touch=touch, width=390)
        before = values(page)
        move(page.get_by_role("slider", name="The code z"), -30, -20)
        shown = values(page)
        assert shown["z"][0] < before["z"][0] and shown["z"][1] > before["z"][1]
        assert shown["label"] == before["label"]
        assert_conditional(shown, cvae)


def test_it_starts_where_styles_differ_most(cvae):
    """Among all within two standard deviations, and beyond the first ring."""
    start = torch.tensor(conditional_figure(cvae).state["start"])
    assert 1 < start.norm() <= 2 + 1e-6
    assert conditional_figure(cvae, start=(0.5, -1.0)).state["start"] == [0.5, -1.0]


# Gaps


def test_pixels_are_erased_one_by_one_and_come_back(page_of, figure, cvae):
    page = page_of(figure)
    turn_to_gaps(page)
    press(page.get_by_role("button", name="Restore"), "Enter")
    assert gone(page) == []
    page.get_by_role("button", name="Restore").blur()
    erase(page, 6, 0, 11)
    assert gone(page) == [0, 6, 11]
    assert_conditional(values(page), cvae)
    assert "3 of 12 pixels" in readout(page)
    press(pad(page), "Delete")
    assert gone(page) == []
    press(page.get_by_role("button", name="Lower half"), "Enter")
    assert gone(page) == [8, 9, 10, 11]  # of three rows the lower one


def test_with_nothing_left_all_labels_are_alike_and_it_says_so(page_of, figure):
    page = page_of(figure)
    turn_to_gaps(page)
    press(page.get_by_role("button", name="Restore"), "Enter")
    assert "By what is left, its label is" in readout(page)
    erase(page, *range(12))
    assert gone(page) == list(range(12))
    np.testing.assert_allclose(values(page)["p_y"], 1 / CLASSES, atol=1e-6)
    assert "With nothing left, each label has" in readout(page)


@pytest.mark.parametrize("touch", [False, True])
def test_a_line_over_the_pad_erases_what_it_crosses(page_of, figure, cvae, touch):
    page = page_of(figure, touch=touch, width=390, height=844)
    turn_to_gaps(page)
    page.get_by_role("button", name="Restore").click()
    box = pad(page).bounding_box()
    if touch:
        touch_drag(pad(page), box["width"] / 4, 0)
    else:
        mouse_drag(page, centre(pad(page)), box["width"] / 4, 0, steps=1)
        next_frame(page)
    found = set(gone(page))
    assert {6, 7} <= found <= {5, 6, 7}, "of the middle row, from its middle to its last pixel"
    assert_conditional(values(page), cvae)
    assert not scrolls_sideways(page)


def test_every_image_and_every_set_of_gaps_is_summed_exactly(page_of, figure, cvae):
    page = page_of(figure)
    turn_to_gaps(page)
    for image in range(CLASSES):
        for half in ("Lower half", "Restore"):
            (shown,) = sweep(page, [{"a real": str(image), half: None}])
            assert shown["image"] == image
            assert_conditional(shown, cvae)
    close(shown["x_filled"], labelled_images()[0][CLASSES - 1])


def test_a_pixel_is_filled_in_with_the_ratio_of_two_evidences(page_of, figure):
    """p(x_d = 1 | x_o) = p(x_d = 1, x_o) / p(x_o), both as the figure itself tells them."""
    page = page_of(figure)
    turn_to_gaps(page)
    sweep(page, [{"a real": "2", "Restore": None}])
    whole = values(page)
    for pixel in (6, 3, 8):
        sweep(page, [{"Restore": None}])
        page.get_by_role("button", name="Restore").focus()
        press(pad(page), "ArrowUp", "ArrowDown")
        erase_at(page, pixel)
        shown = values(page)
        assert gone(page) == [pixel]
        p = shown["x_filled"][pixel]
        of_its_value = p if whole["x_filled"][pixel] == 1 else 1 - p
        assert np.exp(whole["log_px"] - shown["log_px"]) == pytest.approx(of_its_value, abs=1e-5)


def erase_at(page, pixel):
    """With one click."""
    box = pad(page).bounding_box()
    row, column = divmod(pixel, 4)
    x = box["x"] + box["width"] * (column + 0.5) / 4
    page.mouse.click(x, box["y"] + box["height"] * (row + 0.5) / 3)
    next_frame(page)


def test_with_nothing_left_all_is_as_before_any_pixel(page_of, figure, cvae):
    page = page_of(figure)
    turn_to_gaps(page)
    page.get_by_role("button", name="Restore").click()
    for pixel in range(12):
        erase_at(page, pixel)
    shown = values(page)
    assert shown["n_gaps"] == 12
    np.testing.assert_allclose(shown["p_y"], 1 / CLASSES, atol=1e-9)
    np.testing.assert_allclose(shown["z_mean"], 0, atol=1e-9)
    assert shown["log_px"] == pytest.approx(0, abs=1e-3)  # the grid's sum of N(0, I)
    assert_conditional(shown, cvae)
    sums = [bar["height"] for bar in page.evaluate(BARS)]
    np.testing.assert_allclose(sums, sums[0])


def test_bars_and_cloud_show_the_posterior_in_the_labels_colours(page_of, figure, cvae):
    page = page_of(figure)
    assert page.evaluate(SHADE)["share"] == 0
    turn_to_gaps(page)
    page.get_by_role("button", name="Restore").click()
    shown, shade, bars = values(page), page.evaluate(SHADE), page.evaluate(BARS)
    heights = np.array([bar["height"] for bar in bars])
    np.testing.assert_allclose(heights / heights.sum(), shown["p_y"], atol=1e-6)
    assert 0 < shade["share"] < 0.9
    likeliest = bars[int(np.argmax(shown["p_y"]))]["colour"]
    if max(shown["p_y"]) > 0.9:
        assert likeliest == "rgb({}, {}, {})".format(*shade["colour"])
    place = -4 + 8 * np.array(shade["darkest"]) / 24
    assert np.linalg.norm(place - shown["z_mean"]) < 1.5
    page.get_by_role("button", name="Style and label").click()
    next_frame(page)
    assert page.evaluate(SHADE)["share"] == 0


def test_the_style_waits_while_gaps_are_filled(page_of, figure):
    page = page_of(figure)
    z = values(page)["z"]
    knob = page.get_by_role("slider", name="The code z", include_hidden=True)
    turn_to_gaps(page)
    assert not knob.is_visible()
    where = page.locator(".vae-live-main").bounding_box()
    told = values(page)
    mouse_drag(page, (where["x"] + 100, where["y"] + 80), 40, 30)
    next_frame(page)
    assert values(page) == told
    page.get_by_role("button", name="Style and label").click()
    next_frame(page)
    assert values(page)["z"] == z and knob.is_visible()


@pytest.mark.parametrize("gain", [1e-3, 2000.0])
def test_flat_and_extreme_decoders_stay_numbers(page_of, gain):
    cvae = random_cvae(gain=gain)
    page = page_of(conditional_figure(cvae))
    assert_conditional(values(page), cvae)
    turn_to_gaps(page)
    for half in ("Lower half", "Restore"):
        (shown,) = sweep(page, [{half: None}])
        assert sum(shown["p_y"]) == pytest.approx(1, abs=1e-9)
        assert all(0 <= p <= 1 for p in shown["x_filled"])
        assert np.isfinite(shown["log_px"])
        assert "NaN" not in section(page).evaluate("(node) => node.outerHTML")
    if gain < 1:
        assert_conditional(shown, cvae)


@torch.no_grad()
def test_the_grid_is_fine_enough_for_digits(page_of, trained, digits):
    """Against 161 x 161 styles from -6 to 6: labels and pixels within a percent."""
    figure = digit_figure(trained, digits)
    page = page_of(figure)
    turn_to_gaps(page)
    x = binarize(digits.test, threshold=0.5)
    first = [int((digits.test_labels == label).nonzero()[0]) for label in range(10)]
    z = torch.cartesian_prod(*2 * [torch.linspace(-6, 6, 161, dtype=torch.float64)])
    y = torch.eye(10, dtype=torch.float64)
    net = rounded(trained.decoder.net) if "step" in first_weight(figure) else trained.decoder.net
    inputs = torch.cat([z.repeat_interleave(10, 0), y.repeat(len(z), 1)], 1)
    logits = net.double()(inputs).reshape(len(z), 10, 64)
    for image, of in enumerate(first):
        for half in ("Lower half", "Restore"):
            (shown,) = sweep(page, [{"a real": str(image), half: None}])
            seen = ~torch.tensor(shown["erased"]).bool()
            log_w = torch.distributions.Bernoulli(logits=logits).log_prob(x[of].double())
            log_w = log_w[..., seen].sum(-1) - z.square().sum(-1, keepdim=True) / 2
            w = log_w.flatten().softmax(0).reshape(len(z), 10)
            np.testing.assert_allclose(shown["p_y"], w.sum(0), atol=0.01)
            mean = torch.einsum("sc,scd->d", w, logits.sigmoid())
            np.testing.assert_allclose(np.array(shown["x_filled"])[~seen], mean[~seen], atol=0.01)
    trained.float()


def first_weight(figure):
    return figure.state["decoder"]["layers"][0]["weight"]


def test_a_trained_model_knows_digits_from_what_is_left_of_them(page_of, trained, digits):
    """The figure is about something: by chance two of twenty would be right."""
    page = page_of(digit_figure(trained, digits))
    turn_to_gaps(page)
    halves = [
        {"a real": str(image), half: None}
        for half in ("Restore", "Lower half")
        for image in range(10)
    ]
    told = sweep(page, halves)
    right = [int(np.argmax(shown["p_y"])) == shown["image"] for shown in told]
    assert sum(right) >= 8, right


def test_large_images_take_a_larger_rubber_and_fewer_styles(page_of):
    torch.manual_seed(0)
    cvae = ConditionalVAE(nn.Identity(), Bernoulli(mlp(5, 8, 784)), StandardNormal(2))
    x = (torch.rand(6, 784) < 0.3).float()
    figure = conditional_digits(
        cvae, x, torch.arange(6) % 3, image_shape=(28, 28), n_classes=3, label=0
    )
    assert figure.state["n_grid"] == 21
    page = page_of(figure)
    turn_to_gaps(page)
    page.get_by_role("button", name="Restore").click()
    mouse_drag(page, centre(pad(page)), 1, 0, steps=1)
    next_frame(page)
    assert 9 <= values(page)["n_gaps"] <= 25


def test_the_state_is_light(trained, digits):
    figure = digit_figure(trained, digits)
    assert len(state_as_json(figure)) < MOST_STATE
    assert figure.state["n_grid"] == 25
    torch.manual_seed(0)
    wide = ConditionalVAE(nn.Identity(), Bernoulli(mlp(12, 64, 784)), StandardNormal(2))
    x, labels = torch.ones(300, 784), torch.arange(300) % 10
    figure = conditional_digits(wide, x, labels, image_shape=(28, 28))
    assert len(state_as_json(figure)) < MOST_STATE
    net, sent = rounded(wide.decoder.net), first_weight(figure)
    levels = np.frombuffer(sent["data"], "u1").reshape(sent["shape"])
    close(sent["low"] + sent["step"] * levels, net[0].weight.detach())
    json.dumps(figure.state, default=lambda data: "")


def test_bad_input_is_named(cvae):
    x, labels = labelled_images()
    of_y = random_cvae()
    of_y.prior_takes_y = True
    narrow = random_cvae()
    narrow.decoder.net = mlp(2 + CLASSES, 4, 11)
    short = random_cvae()
    short.decoder.net = mlp(CLASSES, 4, 12)
    good = {"cvae": cvae, "x": x, "labels": labels, "image_shape": (3, 4), "n_classes": CLASSES}
    for change, message in [
        ({"x": x / 2}, "binary"),
        ({"x": x[:0], "labels": labels[:0]}, r"shape \(N, 12\)"),
        ({"labels": labels[:3]}, r"their labels, \(N,\)"),
        ({"image_shape": (4, 4)}, r"shape \(N, 16\)"),
        ({"labels": labels + 1}, r"0 to 3, but there are \[0, 1, 2, 3, 4\]"),
        ({"label": 4}, r"0 to 3, but there are \[0, 1, 2, 3, 4\]"),
        ({"n_classes": 11}, "2 to 10 classes, not for 11"),
        ({"cvae": of_y}, r"does not depend on y"),
        ({"cvae": narrow}, r"gives 12 logits.*\(1, 11\)"),
        ({"cvae": short}, r"must take 6 numbers, z \(2\) and y \(4\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            conditional_digits(**{"label": 0, **good, **change})


def test_the_oracle_is_a_probability(cvae):
    """Over all values of four pixels, with the others erased, p sums to one, on a fine grid too."""
    for half, n in ((4.0, 25), (6.0, 121)):
        total = 0.0
        for code in range(16):
            x = torch.zeros(12)
            x[:4] = torch.tensor([float(code >> k & 1) for k in range(4)])
            erased = torch.arange(12) >= 4
            total += np.exp(filled_exactly(cvae, x, erased, half, n)["log_px"])
        assert total == pytest.approx(1, abs=1e-3)
