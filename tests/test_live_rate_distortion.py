"""Chapter 12's figure: the point is on a model, the lines have their slopes, the bars add up."""

import copy
import re

import numpy as np
import pytest
import torch
from browser import centre, mouse_drag, next_frame, press, readout, sweep, values
from built_site import MOST_STATE
from figures import BETAS, assert_on_curve, carried, curve_figure, curve_models
from test_live_figures import state_as_json

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.live import rate_distortion
from vae_lib.live.figure import rounded
from vae_lib.models import VAE
from vae_lib.networks import mlp

LAST = len(BETAS) - 1
EVERY = [{"β": i} for i in range(len(BETAS))]
# Where the plot's lines and its point are, in its own pixels, upwards.
DRAWN = """() => {
  const plot = document.querySelector(".vae-live-plot");
  const pairs = (text) =>
    [...text.matchAll(/(-?[\\d.]+),(-?[\\d.]+)/g)].map(([, x, y]) => [Number(x), -Number(y)]);
  const line = (kind) => pairs(plot.querySelector(`path.line.${kind}`).getAttribute("d"));
  const dots = [...plot.querySelectorAll(".marks > circle")];
  return {
    point: pairs(plot.querySelector(".handle").getAttribute("transform"))[0],
    dots: dots.map((dot) => [Number(dot.getAttribute("cx")), -Number(dot.getAttribute("cy"))]),
    tangent: line("green"),
    equal: line("ink"),
  };
}"""
BAR = """() => {
  const rects = [...document.querySelectorAll("rect.bar")];
  return rects.map((one) => [Number(one.getAttribute("x")), Number(one.getAttribute("width"))]);
}"""
WORDS = """() => [...document.querySelectorAll(".vae-live-plot :is(.marks, .axes) text")]
  .map((one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect();
    return { text: one.textContent, left, right, top: top + 2, bottom: bottom - 2 };
  })"""


NAMES = """() => [...document.querySelectorAll(".vae-live-plot .marks text.tick")]
  .map((one) => {
    const { x, y, width, height } = one.getBBox();
    return { text: one.textContent, box: [x, x + width, -y - height, -y] };
  })"""
# As chapter 12 measures them: the line of equal ELBO runs close above the curve.
OF_DIGITS = {
    "betas": [0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8],
    "rates": [9.44, 7.73, 6.15, 4.46, 2.85, 1.54, 0.56],
    "distortions": [15.96, 16.72, 17.67, 19.17, 20.94, 23.04, 25.32],
}


@pytest.fixture(scope="module")
def models():
    return curve_models()


@pytest.fixture(scope="module")
def figure(models):
    return curve_figure(models)


def knob(page):
    return page.get_by_role("slider", name="The model, on the curve")


def choose(page, model):
    sweep(page, [{"β": model}])
    next_frame(page)


def slope(line):
    (a, b), (c, d) = line
    return (d - b) / (c - a)


def test_the_lines_go_through_the_point_with_slopes_of_minus_beta_and_minus_one(page_of, figure):
    """A nat is as long on either axis, so slopes in pixels are slopes in nats."""
    page = page_of(figure)
    for i, beta in enumerate(BETAS):
        choose(page, i)
        drawn = page.evaluate(DRAWN)
        np.testing.assert_allclose(drawn["point"], drawn["dots"][i], atol=0.01)
        for line, expected in ((drawn["tangent"], -beta), (drawn["equal"], -1)):
            assert slope(line) == pytest.approx(expected, abs=2e-3)
            to_point = slope([line[0], drawn["point"]])
            assert to_point == pytest.approx(expected, abs=2e-2)


def test_the_dots_are_where_they_were_measured(page_of, figure):
    drawn = page_of(figure).evaluate(DRAWN)
    rates, distortions = (np.array(figure.state[name]) for name in ("rates", "distortions"))
    nat = (drawn["dots"][0][0] - drawn["dots"][-1][0]) / (rates[0] - rates[-1])
    between = np.array(drawn["dots"]) - drawn["dots"][0]
    expected = nat * np.stack([rates - rates[0], distortions - distortions[0]], 1)
    np.testing.assert_allclose(between, expected, atol=0.05)


def test_bars_and_numbers_add_up_for_every_model(page_of, figure):
    page = page_of(figure)
    for i in range(len(BETAS)):
        choose(page, i)
        shown = values(page)
        terms = page.locator(".vae-live-sum .number").all_inner_texts()
        rate, distortion, total = (float(term) for term in terms)
        assert round(100 * rate) + round(100 * distortion) == round(100 * total)
        assert (rate, distortion) == (shown["rate"], shown["distortion"])
        (x, wide), (y, rest) = page.evaluate(BAR)
        assert x + wide == pytest.approx(y, abs=1e-6)
        assert wide / (wide + rest) == pytest.approx(rate / total, abs=1e-6)
        assert f"an ELBO of −{total:.2f}" in readout(page)


def test_the_point_is_on_a_dot_wherever_it_is_dragged(page_of, figure):
    page = page_of(figure)
    dots = page.evaluate(DRAWN)["dots"]
    visited = set()
    x, y = centre(knob(page))
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 41):
        page.mouse.move(x - 7 * step, y - 4 * step)
        next_frame(page)
        model = values(page)["model"]
        visited.add(model)
        np.testing.assert_allclose(page.evaluate(DRAWN)["point"], dots[model], atol=0.01)
    page.mouse.up()
    assert visited == set(range(len(BETAS)))


@pytest.mark.parametrize(("away", "expected"), [((-5, 0), 0), ((-20, 0), 1), ((20, 10), 0)])
def test_a_pull_towards_a_neighbour_is_enough(page_of, figure, away, expected):
    page = page_of(figure)
    mouse_drag(page, centre(knob(page)), *away)
    next_frame(page)
    assert values(page)["model"] == expected


def test_keys_go_from_model_to_model(page_of, figure):
    page = page_of(figure)
    found = []
    for key in [
        "ArrowRight",
        "ArrowLeft",
        "ArrowLeft",
        "ArrowRight",
        "PageDown",
        "ArrowLeft",
        "Home",
    ]:
        press(knob(page), key)
        found.append(values(page)["model"])
    assert found == [0, 1, 2, 1, LAST, LAST, 0]
    assert knob(page).get_attribute("aria-valuetext") == "β 0.1"


def test_models_at_one_place_are_told_apart(page_of, models):
    """As when two have collapsed: keys and slider reach both, and one name stands for both."""
    same = {"rates": [7.5, 4.75, 3.1, 0.0, 0.0], "distortions": [2.5, 3.0, 4.0, 9.7, 9.7]}
    page = page_of(curve_figure(models, **same))
    assert [shown["beta"] for shown in sweep(page, EVERY)] == list(BETAS)
    press(knob(page), "ArrowRight")
    assert values(page)["beta"] == 2.0
    press(knob(page), "ArrowLeft")
    assert values(page)["beta"] == 4.0
    drawn = page.locator(".vae-live-plot .marks text").all_text_contents()
    assert "2, 4" in drawn


def test_the_largest_elbo_is_told_to_whoever_has_found_it(page_of, figure):
    page = page_of(figure)
    best = int(np.argmin(np.add(figure.state["rates"], figure.state["distortions"])))
    for model in (LAST, 0):
        choose(page, model)
        page.wait_for_timeout(700)
        assert not values(page)["found"] and "largest" not in readout(page).lower()
    choose(page, best)
    assert not values(page)["found"], "who only passes by has found nothing"
    page.wait_for_timeout(900)
    assert values(page)["found"] and "No other model here has a larger one" in readout(page)
    choose(page, LAST)
    assert f"β = {BETAS[best]:g}" in readout(page).split("The largest here")[1]


def test_draws_stay_the_same_from_model_to_model_until_new_ones_are_asked_for(page_of, figure):
    page = page_of(figure)
    first = sweep(page, EVERY)
    assert all(shown["eps"] == first[0]["eps"] for shown in first)
    assert len({shown["ink"][0] for shown in first}) == len(BETAS)
    again = sweep(page, [{"New draws": None}, *EVERY])
    assert again[0]["eps"] != first[0]["eps"]
    assert all(shown["eps"] == again[0]["eps"] for shown in again)
    eps = np.array([shown["eps"] for shown in sweep(page, 300 * [{"New draws": None}])])
    assert abs(eps.mean()) < 4 / np.sqrt(eps.size)
    assert abs(eps.var() - 1) < 4 * np.sqrt(2 / eps.size)


@pytest.mark.parametrize("kind", ["gaussian", "without real images", "in bytes"])
def test_other_models_are_right_too(page_of, monkeypatch, kind):
    models = curve_models(seed=3, gaussian=kind == "gaussian")
    options = {"real": None} if kind == "without real images" else {}
    if kind == "in bytes":
        monkeypatch.setitem(rate_distortion.__globals__, "MOST_BYTES", 0)
    figure = curve_figure(models, **options)
    real = None if figure.state["real"] is None else carried(figure.state["real"])
    page = page_of(figure)
    told = sweep(page, [*EVERY, {"New draws": None}])
    if kind == "in bytes":
        exact, models = models, [copy.deepcopy(model) for model in models]
        for model in models:
            model.decoder.net = rounded(model.decoder.net)
        off = np.abs(
            told[0]["reconstruction"] - exact[0].reconstruct(carried(figure.state["x"]))[0].numpy()
        )
        assert 1e-5 < off.max() < 0.02
    for shown in told:
        assert_on_curve(shown, models, real)
        assert (shown["nearest"] is None) == (real is None)
    assert page.get_by_role("img", name="The real digit nearest").count() == (
        0 if real is None else 3
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_no_word_in_the_plot_stands_on_another(page_of, models, width):
    shapes = [
        ([7.5, 4.75, 3.1, 1.5, 0.25], [2.5, 3.0, 4.0, 6.25, 9.75]),
        ([9.44, 6.14, 4.46, 2.86, 0.56], [15.96, 17.68, 19.17, 20.93, 25.32]),
        ([60, 40, 25, 8, 1], [60, 66, 77, 110, 150]),
        ([20, 12, 3.6, 0.01, 0.0], [15.4, 16.3, 20.5, 27.4, 27.5]),
    ]
    for rates, distortions in shapes:
        page = page_of(curve_figure(models, rates=rates, distortions=distortions), width=width)
        for i in range(len(BETAS)):
            choose(page, i)
            words = page.evaluate(WORDS)
            assert len(words) > 10
            for k, one in enumerate(words):
                assert one["bottom"] - one["top"] + 4 >= 10, one
                for other in words[k + 1 :]:
                    apart = (
                        one["right"] <= other["left"] or other["right"] <= one["left"]
                        or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
                    )  # fmt: skip
                    assert apart, (one["text"], other["text"], i)


def test_no_line_runs_through_the_middle_of_a_name_of_a_beta(page_of):
    page = page_of(seven_models())
    for i in range(7):
        choose(page, i)
        drawn, names = page.evaluate(DRAWN), page.evaluate(NAMES)
        known = {f"{beta:g}" for beta in OF_DIGITS["betas"]}
        beside = [one for one in names if one["text"].removeprefix("β = ") in known]
        assert len(beside) == 7
        for name, (left, right, bottom, top) in ((one["text"], one["box"]) for one in beside):
            for line in (drawn["tangent"], drawn["equal"]):
                x, y = np.linspace(*line, 1000).T
                over = np.abs(2 * x - left - right) < (right - left) / 2  # of its middle half
                inside = over & (y > bottom + 3) & (y < top - 3)
                assert not inside.any(), (name, i)


def seven_models():
    models = [curve_models(seed=i)[0] for i in range(7)]
    facts = {"image_shape": (3, 4), "rates": OF_DIGITS["rates"]}
    return rate_distortion(
        models,
        OF_DIGITS["betas"],
        torch.rand(2, 12).round(),
        distortions=OF_DIGITS["distortions"],
        **facts,
    )


def test_seven_models_of_the_digits_are_light(digits):
    torch.manual_seed(0)
    betas = [0.05, 0.1, 0.3, 1, 2, 4, 8]
    vaes = [
        VAE(DiagonalGaussian(mlp(64, 64, 16)), Bernoulli(mlp(8, 64, 64)), StandardNormal(8))
        for _ in betas
    ]
    x = (digits.test[:8] > 0.5).float()
    measured = {"rates": range(7, 0, -1), "distortions": range(7)}
    settings = {"image_shape": (8, 8), "real": digits.train[:400], **measured}
    figure = rate_distortion(vaes, betas, x, **settings)
    assert len(state_as_json(figure)) < MOST_STATE
    assert "step" not in figure.state["decoders"][0]["layers"][0]["weight"]
    for vae in vaes:
        vae.decoder.net = mlp(8, 128, 64)
    figure = rate_distortion(vaes, betas, x, **settings)
    assert "step" in figure.state["decoders"][0]["layers"][0]["weight"]
    assert len(state_as_json(figure)) < MOST_STATE


def test_models_come_in_any_order(models):
    other = [3, 0, 4, 2, 1]
    figure = curve_figure(models)
    shuffled = rate_distortion(
        [models[i] for i in other],
        [BETAS[i] for i in other],
        carried(figure.state["x"]).float(),
        image_shape=(3, 4),
        rates=torch.tensor(figure.state["rates"])[other],
        distortions=[figure.state["distortions"][i] for i in other],
        start=2.0,
    )
    for part in ("betas", "rates", "distortions", "decoders", "x_range"):
        assert shuffled.state[part] == figure.state[part]
    assert (figure.state["start"], shuffled.state["start"]) == (0, 3)


def test_bad_input_is_named(models):
    wide = curve_models()
    wide[0].encoder.net, wide[0].decoder.net = mlp(12, 6, 8), mlp(4, 6, 12)
    odd = curve_models()
    odd[1].decoder.net = mlp(3, 6, 11)
    bad = [
        (models, {"rates": [1.0]}, "5, 1 and 5 for 5"),
        (models[:2], {}, "5, 5 and 5 for 2"),
        (models, {"start": 3.0}, "one of the betas"),
        (models, {"image_shape": (4, 4)}, r"shape \(K, 16\)"),
        (models, {"rates": [float("nan")] * 5}, "finite"),
        (models, {"real": 3 * torch.ones(2, 12)}, r"pixels in \[0, 1\]"),
        (wide, {}, "the same number of latent dimensions"),
        (odd, {}, r"gives 12 logits.*\(3, 11\)"),
    ]
    for vaes, change, message in bad:
        with pytest.raises(ValueError, match=message):
            curve_figure(vaes, **change)
    with pytest.raises(ValueError, match="positive and all different"):
        rate_distortion(
            models, [1.0, 1.0, 2.0, 3.0, 4.0], torch.zeros(2, 12), image_shape=(3, 4),
            rates=range(5), distortions=range(5),
        )  # fmt: skip


def test_without_javascript_its_first_state_is_drawn(figure):
    assert re.match("iVBOR", figure._repr_mimebundle_()[0]["image/png"])
