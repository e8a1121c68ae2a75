"""Chapter 4's live figure, against torch.distributions and a numerical minimiser."""

import json
import math
import re

import numpy as np
import pytest
from browser import drag, next_frame, press, readout, section, sweep, touch_drag, values
from figures import assert_slider, gaussian_cost, like, residuals, slider_figure
from scipy.optimize import minimize_scalar
from scipy.stats import kstest


@pytest.fixture
def case():
    return residuals(0.3)


def rows_of(x, choice):
    """The rows of the data that a choice in the figure's list is about."""
    return {"an easy one": [0], "a hard one": [len(x) - 1]}.get(choice, list(range(len(x))))


def slider_of(page):
    return page.get_by_role("slider", name="σ", exact=True)


def handle_of(page):
    return page.get_by_role("slider", name="σ, on the curve")


def choices(page):
    return page.get_by_role("option").all_inner_texts()


def choose(page, name):
    page.get_by_label("Image", exact=True).select_option(label=name)


def click(page, name):
    page.get_by_role("button", name=name).click()


@pytest.mark.parametrize(("seed", "size"), [(0, 0.3), (1, 0.05), (2, 4.0)])
def test_the_numbers_are_torchs_over_the_whole_slider(page_of, seed, size):
    x, x_mean = residuals(size, seed=seed)
    figure = slider_figure(x, x_mean)
    page = page_of(figure)
    assert choices(page) == ["an easy one", "a hard one", "all 6, on average"]
    for name in choices(page):
        choose(page, name)
        powers = np.linspace(*figure.state["log10_range"], 13).tolist()
        told = sweep(page, [{"σ": power} for power in powers])
        for shown in told:
            assert shown["image"] == choices(page).index(name)
            assert_slider(shown, x, x_mean)
        reached = [math.log10(shown["sigma"]) for shown in told]
        ends = figure.state["log10_range"]
        assert reached == pytest.approx(powers, abs=0.00501)
        assert [reached[0], reached[-1]] == pytest.approx(ends, abs=1e-12)


def test_the_optimum_is_where_a_minimiser_finds_it(page_of, case):
    x, x_mean = case
    page = page_of(slider_figure(x, x_mean))
    best = []
    for name in choices(page):
        choose(page, name)
        rows = rows_of(x, name)
        found = minimize_scalar(
            lambda log_sigma, rows=rows: gaussian_cost(x[rows], x_mean[rows], math.exp(log_sigma)),
            bounds=(-8, 4),
            method="bounded",
            options={"xatol": 1e-9},
        )
        click(page, "Best σ")
        shown = values(page)
        assert shown["sigma"] == shown["best_sigma"] == pytest.approx(math.exp(found.x), rel=1e-6)
        assert shown["total"] == shown["best_total"] == pytest.approx(found.fun, rel=1e-9)
        assert shown["excess"] == pytest.approx(0, abs=1e-9)
        assert shown["error_term"] == pytest.approx(len(x[0]) / 2)
        best.append(shown["best_sigma"])
    assert best[0] < best[2] < best[1]


def test_halving_costs_more_than_doubling(page_of, case):
    x, x_mean = case
    page = page_of(slider_figure(x, x_mean))
    for name in choices(page):
        choose(page, name)
        rows = rows_of(x, name)
        click(page, "Best σ")
        best = values(page)["sigma"]
        at_best = gaussian_cost(x[rows], x_mean[rows], best)
        excess = {}
        for label, factor in (("Halve σ", 0.5), ("Double σ", 2.0)):
            click(page, label)
            shown = values(page)
            assert shown["sigma"] == pytest.approx(factor * best)
            excess[label] = gaussian_cost(x[rows], x_mean[rows], factor * best) - at_best
            assert shown["excess"] == pytest.approx(excess[label], rel=1e-6)
            click(page, "Best σ")
        assert excess["Halve σ"] > 2 * excess["Double σ"] > 0


def test_what_losses_without_a_sigma_choose_is_marked(page_of, case):
    x, x_mean = case
    page = page_of(slider_figure(x, x_mean))
    choose(page, "all 6, on average")
    shown = values(page)
    expected = [
        gaussian_cost(x, x_mean, sigma) - shown["best_total"] for sigma in (math.sqrt(0.5), 1.0)
    ]
    assert shown["unsaid"] == pytest.approx(expected, rel=1e-9)
    marks = section(page).locator("text.tick").all_text_contents()
    assert {"σ² = ½", "σ = 1"} <= set(marks)
    lines = section(page).locator("path.axis.dashed").all()
    at = [float(re.match(r"M([\d.]+)", line.get_attribute("d")).group(1)) for line in lines]
    ticks = {
        tick.text_content(): float(tick.get_attribute("x"))
        for tick in section(page).locator(".axes text.tick.middle").all()
    }
    decade = ticks["1"] - ticks["0.1"]
    assert at == pytest.approx(
        [ticks["1"] - decade * math.log10(math.sqrt(2)), ticks["1"]], abs=0.02
    )


def test_the_noise_of_a_draw_is_scaled_by_sigma_and_standard_normal(page_of):
    x, x_mean = residuals(0.3, n_pixels=784, n=3)
    page = page_of(slider_figure(x, x_mean, image_shape=(28, 28)))

    def noise():
        shown = values(page)
        return (np.array(shown["draw"]) - x_mean[0].numpy()) / shown["sigma"]

    eps = [noise()]
    click(page, "Double σ")
    np.testing.assert_allclose(noise(), eps[0], atol=1e-9)
    for _ in range(4):
        click(page, "Draw again")
        eps.append(noise())
    assert kstest(np.concatenate(eps), "norm").pvalue > 0.01
    correlations = np.corrcoef(eps) - np.eye(5)
    assert np.abs(correlations).max() < 4 / math.sqrt(784)


def curve(page, kind):
    """The points of a curve in the plot's pixels."""
    d = section(page).locator(f"path.line.{kind}").first.get_attribute("d")
    return np.array([pair.split(",") for pair in re.findall(r"[\d.-]+,[\d.-]+", d)], dtype=float)


def place(mark):
    return np.array(re.findall(r"-?[\d.]+", mark.get_attribute("transform")), dtype=float)


def test_handle_and_diamond_lie_on_the_curve(page_of, case):
    page = page_of(slider_figure(*case))
    for name in choices(page):
        choose(page, name)
        click(page, "Best σ")
        next_frame(page)
        points = curve(page, "ink")
        diamond = place(section(page).locator("path.line.ink[transform]"))
        np.testing.assert_allclose(place(handle_of(page)), diamond, atol=1e-6)
        assert diamond[1] == pytest.approx(points[:, 1].max(), abs=0.05)
        click(page, "Double σ")
        next_frame(page)
        x, y = place(handle_of(page))
        assert y == pytest.approx(np.interp(x, points[:, 0], points[:, 1]), abs=0.3)


def test_beyond_the_plot_the_handle_waits_at_its_edge(page_of, case):
    figure = slider_figure(*case)
    page = page_of(figure)
    choose(page, "a hard one")
    press(slider_of(page), "Home")
    shown = values(page)
    assert shown["sigma"] == pytest.approx(10 ** figure.state["log10_range"][0])
    assert shown["excess"] > 1000 and place(handle_of(page))[1] == pytest.approx(10)
    press(slider_of(page), "End")
    assert values(page)["sigma"] == pytest.approx(10 ** figure.state["log10_range"][1])


def test_the_optimum_is_marked_only_when_it_was_found(page_of, case):
    page = page_of(slider_figure(*case))
    best = values(page)["best_sigma"]
    diamond = section(page).locator("path.line.ink[transform]")

    def marked():
        found = values(page)["found"]
        named = section(page).get_by_text("σ² = MSE").is_visible()
        assert diamond.is_visible() == named == ("at the best σ" in readout(page)) == found
        return found

    def rest_at(sigma):
        slider_of(page).fill(str(math.log10(sigma)))
        page.wait_for_timeout(800)

    assert not marked()
    rest_at(3 * best)
    assert not marked()
    slider_of(page).fill(str(math.log10(best)))  # only passed by
    slider_of(page).fill(str(math.log10(best / 3)))
    page.wait_for_timeout(800)
    assert not marked()
    rest_at(1.05 * best)
    assert marked()
    choose(page, "a hard one")
    assert marked()


INK = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [...data].filter((_, i) => i % 4 === 3);
}"""


def test_errors_and_noise_are_shown_alike(page_of):
    """The draw's noise is as strong as the errors where σ is their root mean square."""
    x, x_mean = residuals(2.0, n_pixels=784, n=3)
    page = page_of(slider_figure(x, x_mean, image_shape=(28, 28)))
    click(page, "Best σ")
    next_frame(page)
    names = ("What the reconstruction gets wrong", "The noise of the draw")
    pictures = [section(page).get_by_role("img", name=name) for name in names]
    errors, noise = (np.std(picture.evaluate(INK)) for picture in pictures)
    assert errors > 5 and errors == pytest.approx(noise, rel=0.1)


def test_mouse_finger_and_keys_move_sigma(page_of, case):
    page = page_of(slider_figure(*case), touch=True)
    before = values(page)["sigma"]
    drag(handle_of(page), 40, 0)
    dragged = values(page)["sigma"]
    assert dragged > 1.5 * before
    touch_drag(handle_of(page), -60)
    touched = values(page)["sigma"]
    assert touched < dragged / 2
    press(handle_of(page), "ArrowRight")
    assert values(page)["sigma"] == pytest.approx(touched * 10**0.01)
    press(handle_of(page), "Shift+ArrowLeft")
    assert values(page)["sigma"] == pytest.approx(touched * 10**-0.09)
    said = handle_of(page).get_attribute("aria-valuetext")
    assert said == f"σ {values(page)['sigma']:#.3g}" == "σ " + output(page)
    press(handle_of(page), "Home")
    assert values(page)["sigma"] == pytest.approx(before)


def output(page):
    return section(page).locator("output").inner_text()


def test_the_words_are_the_numbers(page_of, case):
    page = page_of(slider_figure(*case))
    click(page, "Best σ")
    click(page, "Double σ")
    shown, words = values(page), readout(page).replace("−", "-")
    for name in ("error_term", "log_term", "total", "excess"):
        assert f"{shown[name]:.1f}" in words
    assert f"{shown['best_sigma']:.3g}" in words


def test_the_state_is_light_and_the_picture_there(case):
    x, x_mean = residuals(0.3, n_pixels=784, n=300)
    figure = slider_figure(x, x_mean, image_shape=(28, 28))
    n_bytes = sum(len(figure.state[name]["data"]) for name in ("x", "x_mean"))
    text = json.dumps(figure.state, default=lambda value: "")
    assert 4 / 3 * n_bytes + len(text) < 60_000
    data, _ = figure._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")


def test_bad_input_is_named(case):
    x, x_mean = case
    perfect = x_mean.clone()
    perfect[0] = x[0]
    bad = [
        ({"x_mean": x_mean[:, :9]}, r"both \(N, 12\)"),
        ({"image_shape": (4, 4)}, r"both \(N, 16\)"),
        ({"shown": {}}, "one image or more"),
        ({"shown": {"none": 6}}, "rows from 0 to 5"),
        ({"sigma": 0.0}, "a positive number"),
        ({"sigma": math.nan}, "a positive number"),
        ({"x_mean": perfect}, "leave out .'an easy one'"),
        ({"x": x * math.nan}, "NaN or infinity"),
    ]
    for change, message in bad:
        with pytest.raises(ValueError, match=message):
            slider_figure(**{"x": x, "x_mean": x_mean, **change})


def test_a_state_that_lacks_something_says_so(page_of, case):
    figure, figures = slider_figure(*case), []
    for name in ("x", "names", "mean_sse"):
        figures.append(
            like(figure, {key: value for key, value in figure.state.items() if key != name})
        )
    alerts = page_of(*figures).get_by_role("alert").all_inner_texts()
    assert len(alerts) == 3
    assert all("This figure cannot be shown" in alert for alert in alerts)
