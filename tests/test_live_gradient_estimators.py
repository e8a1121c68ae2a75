"""Chapter 7's live figure: its estimates against autograd, its exact gradients against scipy."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from browser import next_frame, press, readout, sweep, touch_drag, values
from figures import FUNCTIONS, assert_estimates, assert_exact_gradient, estimates_of
from scipy import stats
from torch import distributions as td

from vae_lib.live import gradient_estimators

BASELINES = ("none", "others", "best")


def choose(page, *, f=None, baseline=None):
    if f is not None:
        page.get_by_label("f(z) =").select_option(f)
    if baseline is not None:
        page.get_by_label("baseline b").select_option(baseline)


def slide(page, **to):
    """Put the sliders for mu and sigma somewhere, as a reader's hand would."""
    for name, value in to.items():
        label = {"mu": "μ", "sigma": "σ"}[name]
        page.get_by_label(label, exact=True).fill(str(value))
    next_frame(page)


def every(**lists):
    """All combinations of what the sliders and lists may say, as settings to sweep over."""
    names = {"mu": "μ", "sigma": "σ", "f": "f(z) =", "baseline": "baseline b"}
    return [
        {names[key]: value for key, value in zip(lists, values, strict=True)}
        for values in itertools.product(*lists.values())
    ]


def test_estimates_are_autograds(page_of):
    page = page_of(gradient_estimators(seed=1))
    settings = every(mu=[-0.35], sigma=[0.8], f=FUNCTIONS, baseline=BASELINES)
    for setting, shown in zip(settings, sweep(page, settings), strict=True):
        assert [shown[key] for key in ("mu", "sigma", "f", "baseline")] == list(setting.values())
        assert_estimates(shown)
        for name, estimates in estimates_of(shown).items():
            assert (np.abs(estimates) <= shown["half_width"]).mean() >= 0.96, name


def test_exact_gradients_are_scipys(page_of):
    page = page_of(gradient_estimators())
    places = [(1, 0.5), (-2, 0.1), (2, 1.5), (0, 0.1), (0.05, 1.5), (-0.5, 0.65)]
    settings = [s for mu, sigma in places for s in every(mu=[mu], sigma=[sigma], f=FUNCTIONS)]
    for setting, shown in zip(settings, sweep(page, settings), strict=True):
        assert [shown[key] for key in ("mu", "sigma", "f")] == list(setting.values())
        assert_exact_gradient(shown)


@pytest.mark.parametrize(("mu", "sigma"), [(-2, 0.1), (0.05, 1.5)])
def test_it_starts_where_it_is_told(page_of, mu, sigma):
    shown = values(page_of(gradient_estimators(mu=mu, sigma=sigma)))
    assert (shown["mu"], shown["sigma"]) == (mu, sigma)
    assert_exact_gradient(shown)


def test_exact_gradients_are_those_of_closed_forms(page_of):
    """E[f] for four of the functions, differentiated by autograd."""
    expectations = {
        "square": lambda mu, sigma: mu**2 + sigma**2,
        "offset": lambda mu, sigma: mu**2 + sigma**2 + 10,
        "wave": lambda mu, sigma: torch.sin(8 * mu) * torch.exp(-32 * sigma**2),
        "step": lambda mu, sigma: td.Normal(0.0, 1.0).cdf(mu / sigma),
    }
    page = page_of(gradient_estimators())
    settings = every(f=expectations, mu=[1.0, -0.2, 0.3], sigma=[0.5, 0.1, 1.5])
    for setting, shown in zip(settings, sweep(page, settings), strict=True):
        f, mu, sigma = setting.values()
        at = torch.tensor(mu, dtype=torch.float64, requires_grad=True)
        expectations[f](at, torch.tensor(sigma, dtype=torch.float64)).backward()
        assert shown["exact"] == pytest.approx(at.grad.item(), abs=1e-8), setting


def test_means_agree_with_the_exact_gradient(page_of):
    """Within four standard errors, but for the step's pathwise estimates, which are all 0."""
    page = page_of(gradient_estimators(seed=5))
    places = [(1.0, 0.5), (-0.4, 1.5), (0.2, 0.1)]
    settings = [
        setting
        for mu, sigma in places
        for setting in every(mu=[mu], sigma=[sigma], f=FUNCTIONS, baseline=BASELINES)
    ]
    for setting, shown in zip(settings, sweep(page, settings), strict=True):
        for name in ("pathwise", "score"):
            told, n = shown[name], len(shown["eps"])
            if (name, shown["f"]) == ("pathwise", "step"):
                assert told["mean"] == told["sd"] == 0
                continue
            error = told["sd"] / math.sqrt(n)
            assert abs(told["mean"] - shown["exact"]) < 4 * error, (setting, name)


def test_the_best_constant_has_the_smallest_variance(page_of):
    """For z² it is μ² + 3σ², and the variance 8μ² + 6σ², as the chapter derives."""
    page = page_of(gradient_estimators())
    choose(page, baseline="best")
    shown = values(page)
    assert shown["best_baseline"] == pytest.approx(1 + 3 * 0.5**2)
    assert shown["score"]["sd"] ** 2 == pytest.approx(8 + 6 * 0.5**2, rel=0.2)
    spread = {}
    for baseline in BASELINES:
        choose(page, f="offset", baseline=baseline)
        spread[baseline] = values(page)["score"]["sd"]
    assert spread["best"] < spread["others"] < spread["none"] / 4


def test_noise_stays_until_fresh_noise_is_asked_for(page_of):
    page = page_of(gradient_estimators(seed=3))
    first = values(page)["eps"]
    slide(page, mu=-1, sigma=1.5)
    choose(page, f="wave", baseline="others")
    assert values(page)["eps"] == first
    page.get_by_role("button", name="Fresh ε").click()
    assert not set(values(page)["eps"]) & set(first)
    assert values(page_of(gradient_estimators(seed=3)))["eps"] == first
    assert values(page_of(gradient_estimators(seed=4)))["eps"] != first


def test_noise_is_standard_normal(page_of):
    page = page_of(gradient_estimators(seed=11))
    told = sweep(page, [{}] + 9 * [{"Fresh ε": None}])
    eps = [one for shown in told for one in shown["eps"]]
    eps, n = np.array(eps), len(eps)
    assert n == 10_000
    assert abs(eps.mean()) < 4 / math.sqrt(n)
    assert abs(eps.var() - 1) < 4 * math.sqrt(2 / n)
    assert stats.kstest(eps, "norm").pvalue > 1e-3


def dots_of(page, colour):
    """Where the draws are drawn, in the plot's pixels."""
    dots = page.locator(f"g.fill-{colour} circle")
    return np.array(
        dots.evaluate_all(
            "all => all.map((dot) => [+dot.getAttribute('cx'), +dot.getAttribute('cy')])"
        )
    )


def test_the_draws_glide(page_of):
    """On the page too z = μ + σε, on either plot, for the same ε wherever the sliders are."""
    page = page_of(gradient_estimators(mu=0.5, sigma=0.5))
    eps = np.array(values(page)["eps"][:12])
    unit = {}
    for mu, sigma in ((0.5, 0.5), (-1, 0.5), (-1, 1.0)):
        slide(page, mu=mu, sigma=sigma)
        for colour in ("blue", "orange"):
            x = dots_of(page, colour)[:, 0]
            fit = stats.linregress(mu + sigma * eps, x)
            np.testing.assert_allclose(fit.intercept + fit.slope * (mu + sigma * eps), x, atol=1e-6)
            assert unit.setdefault(colour, fit.slope) == pytest.approx(fit.slope)


def test_keys_and_fingers_move_the_sliders(page_of):
    page = page_of(gradient_estimators(), width=390, touch=True)
    press(page.get_by_label("μ", exact=True), "ArrowLeft", "ArrowLeft")
    assert values(page)["mu"] == pytest.approx(0.9)
    before = values(page)["sigma"]
    touch_drag(page.get_by_label("σ", exact=True), 60, 0)
    assert values(page)["sigma"] > before + 0.05


@pytest.mark.parametrize("key", ["Home", "End"])
def test_the_ends_of_the_sliders_are_in_order(page_of, key):
    page = page_of(gradient_estimators())
    for name in ("μ", "σ"):
        press(page.get_by_label(name, exact=True), key)
    for f in FUNCTIONS:
        choose(page, f=f)
        shown = values(page)
        assert (shown["mu"], shown["sigma"]) == ((-2, 0.1) if key == "Home" else (2, 1.5))
        assert_estimates(shown)
        text = readout(page) + page.locator("section").inner_html()
        assert "NaN" not in text and "Infinity" not in text and "undefined" not in text


def test_it_says_who_needs_more_draws(page_of):
    page = page_of(gradient_estimators())
    shown = values(page)
    ratio = (shown["score"]["sd"] / shown["pathwise"]["sd"]) ** 2
    of_the_same_error = "so for a mean of the same error the"
    expected = f"{of_the_same_error} score function takes about {ratio:.0f} times as many draws"
    assert expected in readout(page)
    choose(page, f="wave")
    assert f"{of_the_same_error} pathwise estimator takes" in readout(page)
    choose(page, f="step")
    assert "Every pathwise estimate is 0" in readout(page)


def test_the_state_is_light_and_the_picture_there():
    figure = gradient_estimators()
    assert len(json.dumps(figure.state)) < 1000
    data, _ = figure._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mu": 2.5}, "mu must be from -2.0 to 2.0, as its slider, not 2.5"),
        ({"sigma": 0.0}, "sigma must be from 0.1 to 1.5, as its slider, not 0.0"),
        ({"sigma": math.nan}, "sigma must be from 0.1 to 1.5"),
        ({"x_sigma": 0.0}, "x_sigma must be a positive finite number, not 0.0"),
        ({"omega": math.inf}, "omega must be a positive finite number, not inf"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        gradient_estimators(**change)
