"""Chapter 5's live figure, against mpmath with 50 digits, torch.distributions and quadrature."""

import math
import re

import numpy as np
import pytest
import torch
from browser import drag, next_frame, press, readout, section, sweep, touch_drag, values
from figures import assert_one_pixel, like
from scipy.integrate import simpson
from scipy.optimize import minimize_scalar
from torch import distributions as td

from vae_lib.live import one_pixel

GREYS = (0.0, 0.01, 0.3, 0.5, 0.87, 1.0)
LOGITS = (-12, -9.35, -3.2, -0.5, -0.05, 0, 0.05, 0.1, 1.75, 6.4, 12)


def bce_by_torch(logit, x):
    coin = td.Bernoulli(logits=torch.tensor(logit, dtype=torch.float64), validate_args=False)
    return -coin.log_prob(torch.tensor(x, dtype=torch.float64)).item()


def by_torch(logit, x):
    """-log p(x; λ) and the mean of the continuous Bernoulli, in double precision."""
    p_x = td.ContinuousBernoulli(logits=torch.tensor(logit, dtype=torch.float64))
    return -p_x.log_prob(torch.tensor(x, dtype=torch.float64)).item(), p_x.mean.item()


def grey_slider(page):
    return page.get_by_role("slider", name="grey value x", exact=True)


def lambda_slider(page):
    return page.get_by_role("slider", name="decoder's λ", exact=True)


def lambda_handle(page):
    return page.get_by_role("slider", name="on the curve of the BCE")


def grey_handle(page):
    return page.get_by_role("slider", name="on the curve of the density")


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_the_numbers_are_exact_over_both_sliders(page_of):
    page = page_of(one_pixel())
    settings = [{"grey value x": x, "decoder's λ": logit} for x in GREYS for logit in LOGITS]
    for setting, shown in zip(settings, sweep(page, settings), strict=True):
        assert [shown["x"], shown["logit"]] == pytest.approx(list(setting.values()), abs=1e-12)
        assert_one_pixel(shown)
        cost, mean = by_torch(shown["logit"], shown["x"])
        assert (shown["cost"], shown["mean"]) == pytest.approx((cost, mean), abs=1e-5)
        bce = bce_by_torch(shown["logit"], shown["x"])
        assert shown["bce"] == pytest.approx(bce, rel=1e-9)
        assert shown["bce"] == pytest.approx(shown["floor"] + shown["kl"], abs=1e-12)
        assert shown["kl"] >= -1e-12


def test_nothing_is_lost_where_formulas_are_0_over_0(page_of):
    """Around λ = 1/2, on both sides of where a series takes over, and at λ = 1/2 itself."""
    logits = [0.0]
    logits += [1e-12, 1e-7, 9.9e-4, 1.01e-3, 0.0499, 0.0501]
    logits += [-logit for logit in logits[1:]]
    figure = one_pixel(0.37, 0.5)
    figures = [like(figure, {**figure.state, "logit": logit}) for logit in logits]
    page = page_of(*figures)
    next_frame(page)
    for i in range(len(figures)):
        assert_one_pixel(values(page, i))
    at_half = values(page, 0)
    assert (at_half["log_c"], at_half["mean"], at_half["mass"]) == (math.log(2), 0.5, 0.5)


@pytest.mark.parametrize("max_logit", [0.5, 30.0])
def test_the_ends_are_exact_however_far_they_lie(page_of, max_logit):
    page = page_of(one_pixel(0.4, 0.5, max_logit=max_logit))
    for key, sign in (("Home", -1), ("End", 1)):
        press(lambda_slider(page), key)
        for end in ("Home", "End"):
            press(grey_slider(page), end)
            shown = values(page)
            assert (shown["x"], shown["logit"]) == ({"Home": 0, "End": 1}[end], sign * max_logit)
            assert_one_pixel(shown)


def test_the_floor_is_the_least_that_bce_can_be(page_of):
    page = page_of(one_pixel())
    inside = (0.02, 0.3, 0.5, 0.9)
    told = sweep(page, [{"grey value x": x, "Least BCE": None} for x in inside])
    for x, shown in zip(inside, told, strict=True):
        least = minimize_scalar(
            lambda logit, x=x: bce_by_torch(logit, x),
            bounds=(-12, 12),
            method="bounded",
            options={"xatol": 1e-8},
        )
        assert shown["lambda"] == pytest.approx(x)
        assert shown["logit"] == pytest.approx(least.x, abs=1e-5)
        assert shown["bce"] == pytest.approx(shown["floor"]) == pytest.approx(least.fun)
        assert shown["kl"] == pytest.approx(0, abs=1e-12)
    for key, x in (("Home", 0.0), ("End", 1.0)):  # black and white have no floor
        press(grey_slider(page), key)
        click(page, "Least BCE")
        shown = values(page)
        assert (shown["x"], shown["floor"]) == (x, 0)
        assert 0 < shown["bce"] < 1e-5


def test_the_densitys_best_lambda_is_where_a_minimiser_finds_it(page_of):
    page = page_of(one_pixel())
    greys = (0.0, 0.05, 0.1, 0.3, 0.49, 0.5, 0.6, 0.9, 0.97, 1.0)
    told = sweep(page, [{"grey value x": x, "Least −log p": None} for x in greys])
    for x, shown in zip(greys, told, strict=True):
        found = minimize_scalar(
            lambda logit, x=x: by_torch(logit, x)[0],
            bounds=(-12, 12),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert shown["logit"] == shown["best_logit"] == pytest.approx(found.x, abs=2e-3)
        assert shown["cost"] == shown["best_cost"] == pytest.approx(found.fun, abs=1e-7)
        if 1 / 12 < x < 11 / 12:  # at the best λ the mean is the observation
            assert by_torch(shown["logit"], x)[1] == pytest.approx(x, abs=1e-7)
        else:  # no λ within the clamp has it
            assert abs(shown["logit"]) == 12 and abs(shown["mean"] - 0.5) < abs(x - 0.5)
        if x not in (0.0, 0.5, 1.0):
            assert abs(shown["lambda"] - 0.5) > abs(x - 0.5)
            assert shown["best_cost"] < 0


@pytest.mark.parametrize("probs", [0.5, 0.9, 0.02])
def test_the_density_integrates_to_1_and_the_other_to_what_is_written(page_of, probs):
    page = page_of(one_pixel(0.0, probs))
    grid = np.linspace(0, 1, 21)
    shown = sweep(page, [{"grey value x": x} for x in grid.tolist()])
    assert simpson([s["density"] for s in shown], x=grid) == pytest.approx(1, abs=1e-4)
    mass = simpson([s["weight"] for s in shown], x=grid)
    assert mass == pytest.approx(shown[0]["mass"], abs=1e-4) and mass < 0.5 + 1e-9
    mean = simpson([s["x"] * s["density"] for s in shown], x=grid)
    assert mean == pytest.approx(shown[0]["mean"], abs=1e-4)
    names = section(page).locator("text.name").all_text_contents()
    assert f"exp(−BCE), area {shown[0]['mass']:.3f}" in names


def place(mark):
    return np.array(re.findall(r"-?[\d.]+", mark.get_attribute("transform")), dtype=float)


def curve(page, panel, kind):
    d = (
        section(page)
        .locator("svg")
        .nth(panel)
        .locator(f"path.line.{kind}")
        .first.get_attribute("d")
    )
    return np.array([pair.split(",") for pair in re.findall(r"[\d.-]+,[\d.-]+", d)], dtype=float).T


def test_marks_lie_on_the_curves(page_of):
    page = page_of(one_pixel(0.3, 0.8))
    click(page, "Least BCE")
    click(page, "Least −log p")
    next_frame(page)
    marks = section(page).locator("svg").first.locator("path.line.ink")
    circle, diamond = place(marks.nth(0)), place(marks.nth(1))
    assert circle[1] == pytest.approx(curve(page, 0, "orange")[1].max(), abs=0.1)
    assert diamond[1] == pytest.approx(curve(page, 0, "blue")[1].max(), abs=0.1)
    assert diamond[0] < circle[0]
    for handle, panel, kind in ((lambda_handle(page), 0, "orange"), (grey_handle(page), 1, "blue")):
        x, y = place(handle)
        assert y == pytest.approx(np.interp(x, *curve(page, panel, kind)), abs=0.2)


def test_mouse_finger_and_keys_move_both(page_of):
    page = page_of(one_pixel(), touch=True)
    for handle, name, step in ((lambda_handle, "logit", 0.1), (grey_handle, "x", 0.01)):
        other = {"logit": "x", "x": "logit"}[name]
        before = values(page)
        drag(handle(page), 50, 0)
        dragged = values(page)
        assert dragged[name] > before[name] + 5 * step and dragged[other] == before[other]
        touch_drag(handle(page), -80)
        touched = values(page)
        assert touched[name] < dragged[name] - 5 * step and touched[other] == before[other]
        press(handle(page), "ArrowRight", "Shift+ArrowRight")
        assert values(page)[name] == pytest.approx(touched[name] + 11 * step)
        press(handle(page), "Home")
        assert values(page)[name] == pytest.approx(before[name])
    assert_one_pixel(values(page))


def test_the_words_are_the_numbers(page_of):
    page = page_of(one_pixel())
    click(page, "Least −log p")
    click(page, "Least BCE")
    assert "KL 0.000" in readout(page)
    press(lambda_slider(page), "ArrowRight")
    shown, words = values(page), readout(page).replace("−", "-")
    for name in ("bce", "floor", "kl", "cost", "best_cost", "mass"):
        assert f"{shown[name]:.3f}" in words
    press(lambda_slider(page), "End")
    assert "λ = 0.999994" in readout(page)


def marked(page):
    """Whether the least BCE and the least -log p are marked, and whether the words tell them."""
    told = values(page)
    marks = section(page).locator("svg").first.locator("path.line.ink")
    assert [mark.is_visible() for mark in marks.all()] == list(told["found"].values())
    assert ("the least, + KL" in readout(page)) == told["found"]["bce"]
    assert ("; the least is" in readout(page)) == told["found"]["cost"]
    return told["found"]


def rest_at(page, logit):
    """The reader's λ, at rest for as long as it takes to have found something."""
    lambda_slider(page).fill(str(logit))
    page.wait_for_timeout(800)


def test_what_the_text_asks_for_is_marked_only_where_it_was_found(page_of):
    page = page_of(one_pixel(0.3, 0.7))
    assert marked(page) == {"bce": False, "cost": False}
    press(grey_slider(page), "End")
    rest_at(page, 11)
    assert marked(page) == {"bce": True, "cost": False}
    grey_slider(page).fill("0.3")
    assert marked(page) == {"bce": False, "cost": False}  # another x, another search
    rest_at(page, 0.85)
    assert marked(page) == {"bce": False, "cost": False}
    rest_at(page, -0.85)
    assert marked(page) == {"bce": True, "cost": False}
    grey_slider(page).fill("0.8")  # after two the reader knows
    assert marked(page) == {"bce": True, "cost": False}
    click(page, "Least −log p")
    assert marked(page) == {"bce": True, "cost": True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": 1.5}, r"must lie in \[0, 1\]"),
        ({"x": math.nan}, r"must lie in \[0, 1\]"),
        ({"probs": 0.0}, "strictly between 0 and 1"),
        ({"probs": 1 - 1e-9}, "a logit from -12 to 12"),
        ({"max_logit": 0.0}, "max_logit must be above 0"),
        ({"max_logit": 40.0}, "at most 30"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        one_pixel(**arguments)


def test_a_state_that_lacks_something_says_so(page_of):
    figure, figures = one_pixel(), []
    for name in ("x", "logit", "max_logit"):
        figures.append(
            like(figure, {key: value for key, value in figure.state.items() if key != name})
        )
    alerts = page_of(*figures).get_by_role("alert").all_inner_texts()
    assert len(alerts) == 3 and all("is missing" in alert for alert in alerts)
