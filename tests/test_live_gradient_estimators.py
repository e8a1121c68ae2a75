"""Chapter 7's live figure: its estimates against autograd, its exact gradients against scipy."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from browser import next_frame, press, readout, scrolls_sideways, touch_drag, values
from scipy import integrate, stats
from torch import distributions as td

from vae_lib.live import gradient_estimators

FUNCTIONS = {
    "square": lambda z: z.square(),
    "offset": lambda z: z.square() + 10,
    "log_px": lambda z: td.Normal(torch.tanh(2 * z), 0.3).log_prob(torch.full_like(z, 0.4)),
    "wave": lambda z: torch.sin(8 * z),
    "step": lambda z: (z > 0).to(z.dtype) + 0 * z,  # 0 * z gives autograd a slope to find
}
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


def settings_of(shown):
    tensors = (torch.tensor(shown[name], dtype=torch.float64) for name in ("mu", "sigma", "eps"))
    return FUNCTIONS[shown["f"]], *tensors


def estimates_of(shown):
    """Both estimates for each draw, by autograd from the ε that the figure reports."""
    f, mu, sigma, eps = settings_of(shown)
    path_mu = mu.expand(len(eps)).clone().requires_grad_()
    (pathwise,) = torch.autograd.grad(f(path_mu + sigma * eps).sum(), path_mu)

    z = mu + sigma * eps
    score_mu = mu.expand(len(eps)).clone().requires_grad_()
    (score,) = torch.autograd.grad(td.Normal(score_mu, sigma).log_prob(z).sum(), score_mu)
    f_z, baseline = f(z), torch.zeros_like(z)
    if shown["baseline"] == "others":
        others = ~torch.eye(len(eps), dtype=torch.bool)
        baseline = torch.stack([f_z[others[k]].mean() for k in range(len(eps))])
    if shown["baseline"] == "best":
        baseline = torch.full_like(z, shown["best_baseline"])
    return {"pathwise": pathwise.numpy(), "score": ((f_z - baseline) * score).numpy()}


def by_quadrature(shown):
    """The exact gradient and the best constant baseline, E[f s] and E[f s²] / E[s²], by scipy."""
    f, mu, sigma, _ = settings_of(shown)
    mu, sigma = mu.item(), sigma.item()
    ends = [mu + 12 * sigma * i / 48 for i in range(-48, 49)]
    pieces = sorted({*ends, 0.0} if ends[0] < 0 < ends[-1] else ends)

    def moment(power):
        def integrand(z):
            value = f(torch.tensor(z, dtype=torch.float64)).item()
            return stats.norm.pdf(z, mu, sigma) * value * ((z - mu) / sigma**2) ** power

        parts = pairwise(pieces)
        return sum(integrate.fixed_quad(np.vectorize(integrand), *part, n=8)[0] for part in parts)

    return moment(1), moment(2) * sigma**2


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("baseline", BASELINES)
def test_estimates_are_autograds(page_of, f, baseline):
    page = page_of(gradient_estimators(seed=1))
    choose(page, f=f, baseline=baseline)
    slide(page, mu=-0.35, sigma=0.8)
    shown = values(page)
    assert (shown["f"], shown["baseline"]) == (f, baseline)
    assert (shown["mu"], shown["sigma"]) == (-0.35, 0.8)
    for name, estimates in estimates_of(shown).items():
        told, half = shown[name], shown["half_width"]
        assert told["mean"] == pytest.approx(estimates.mean(), rel=1e-5, abs=1e-9)
        assert told["sd"] == pytest.approx(estimates.std(ddof=1), rel=1e-5, abs=1e-9)
        inside = np.abs(estimates) <= half
        assert told["beyond"] == (~inside).sum() and inside.mean() >= 0.96
        # An estimate at the very edge of a bin may be rounded into either.
        counts, _ = np.histogram(estimates[inside], bins=61, range=(-half, half))
        assert np.abs(np.subtract(told["counts"], counts)).sum() <= 4
        assert sum(told["counts"]) + told["beyond"] == len(estimates)


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize(
    ("mu", "sigma"), [(1, 0.5), (-2, 0.1), (2, 1.5), (0, 0.1), (0.05, 1.5), (-0.5, 0.65)]
)
def test_exact_gradients_are_scipys(page_of, f, mu, sigma):
    page = page_of(gradient_estimators(mu=mu, sigma=sigma))
    choose(page, f=f)
    shown = values(page)
    gradient, best = by_quadrature(shown)
    assert shown["exact"] == pytest.approx(gradient, abs=1e-5, rel=1e-5)
    assert shown["best_baseline"] == pytest.approx(best, abs=1e-5, rel=1e-5)


def test_exact_gradients_are_those_of_closed_forms(page_of):
    """E[f] for four of the functions, differentiated by autograd."""
    expectations = {
        "square": lambda mu, sigma: mu**2 + sigma**2,
        "offset": lambda mu, sigma: mu**2 + sigma**2 + 10,
        "wave": lambda mu, sigma: torch.sin(8 * mu) * torch.exp(-32 * sigma**2),
        "step": lambda mu, sigma: td.Normal(0.0, 1.0).cdf(mu / sigma),
    }
    page = page_of(gradient_estimators())
    for f, expectation in expectations.items():
        choose(page, f=f)
        for mu, sigma in ((1.0, 0.5), (-0.2, 0.1), (0.3, 1.5)):
            slide(page, mu=mu, sigma=sigma)
            at = torch.tensor(mu, dtype=torch.float64, requires_grad=True)
            expectation(at, torch.tensor(sigma, dtype=torch.float64)).backward()
            assert values(page)["exact"] == pytest.approx(at.grad.item(), abs=1e-8), (f, mu, sigma)


@pytest.mark.parametrize("baseline", BASELINES)
def test_means_agree_with_the_exact_gradient(page_of, baseline):
    """Within four standard errors, but for the step's pathwise estimates, which are all 0."""
    page = page_of(gradient_estimators(seed=5))
    choose(page, baseline=baseline)
    for f in FUNCTIONS:
        choose(page, f=f)
        for mu, sigma in ((1.0, 0.5), (-0.4, 1.5), (0.2, 0.1)):
            slide(page, mu=mu, sigma=sigma)
            shown = values(page)
            for name in ("pathwise", "score"):
                told, n = shown[name], len(shown["eps"])
                if (name, f) == ("pathwise", "step"):
                    assert told["mean"] == told["sd"] == 0
                    continue
                error = told["sd"] / math.sqrt(n)
                assert abs(told["mean"] - shown["exact"]) < 4 * error, (f, mu, sigma, name)


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
    eps = []
    for _ in range(10):
        eps += values(page)["eps"]
        page.get_by_role("button", name="Fresh ε").click()
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


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("key", ["Home", "End"])
def test_the_ends_of_the_sliders_are_in_order(page_of, f, key):
    page = page_of(gradient_estimators())
    choose(page, f=f)
    for name in ("μ", "σ"):
        press(page.get_by_label(name, exact=True), key)
    shown = values(page)
    assert (shown["mu"], shown["sigma"]) == ((-2, 0.1) if key == "Home" else (2, 1.5))
    for name, estimates in estimates_of(shown).items():
        assert shown[name]["mean"] == pytest.approx(estimates.mean(), rel=1e-5, abs=1e-9)
    text = readout(page) + page.locator("section").inner_html()
    assert "NaN" not in text and "Infinity" not in text and "undefined" not in text


def test_it_says_who_needs_more_draws(page_of):
    page = page_of(gradient_estimators())
    shown = values(page)
    ratio = (shown["score"]["sd"] / shown["pathwise"]["sd"]) ** 2
    assert f"so the score function needs {ratio:.0f} times as many draws" in readout(page)
    choose(page, f="wave")
    assert "so the pathwise estimator needs" in readout(page)
    choose(page, f="step")
    assert "Every pathwise estimate is 0" in readout(page)


@pytest.mark.parametrize(("theme", "width"), [("light", 800), ("dark", 390)])
def test_it_fits_the_page(page_of, theme, width):
    page = page_of(gradient_estimators(), theme=theme, width=width)
    choose(page, f="log_px", baseline="others")
    assert not scrolls_sideways(page)


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


def test_a_state_without_its_parts_says_so(page_of):
    figure = gradient_estimators()
    figure.state = {**figure.state, "sigma": None}
    page = page_of(figure)
    next_frame(page)
    assert "sigma or n_draws is missing" in page.get_by_role("alert").inner_text()
