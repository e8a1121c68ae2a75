"""Chapter 6's figure: every bar against scipy's quadrature, whatever the sliders say."""

import math

import numpy as np
import pytest
import torch
from browser import drag, press, readout, scrolls_sideways, section, sweep, touch_drag, values
from figures import (
    assert_bars,
    bars_decoder,
    bars_exactly,
    bars_figure,
    bernoulli_log_likelihood,
    binary_images,
)
from scipy import integrate, optimize, stats
from torch import distributions as td

from vae_lib.live import elbo_bars


@pytest.fixture
def decoder():
    return bars_decoder(12, 3.0, seed=1)


@pytest.fixture
def x():
    return binary_images()


def setting(mu, sigma):
    """The sliders as they stand for a q."""
    return {"μ": mu, "σ": math.log(sigma)}


def test_every_bar_is_scipys(page_of, decoder, x):
    page = page_of(bars_figure(decoder, x))
    settings = [setting(*q) for q in [(0.3, 0.7), (-4.0, 0.02), (4.0, 3.0), (0.0, 3.0)]]
    for shown in sweep(page, settings):
        assert_bars(shown, decoder, x[0])


def test_the_quadrature_is_scipys(decoder, x):
    """The oracle itself, where it is hardest, against an adaptive rule."""
    log_px_z, found = bernoulli_log_likelihood(decoder, x[0]), bars_exactly(decoder, x[0], -4, 0.02)
    evidence = integrate.quad(
        lambda z: math.exp(log_px_z(np.array([z]))[0]) * stats.norm.pdf(z), -9, 9, limit=400
    )[0]
    assert found["log_px"] == pytest.approx(math.log(evidence), abs=1e-9)
    q = stats.norm(-4, 0.02)
    mean = q.expect(lambda z: log_px_z(np.array([z]))[0], lb=-4.18, ub=-3.82)
    assert found["reconstruction"] == pytest.approx(mean, abs=1e-9)
    kl = td.kl_divergence(td.Normal(-4.0, 0.02), td.Normal(0.0, 1.0))
    assert found["kl_prior"] == pytest.approx(kl.item(), abs=1e-5)


@pytest.mark.parametrize(("spread", "seed"), [(1.0, 0), (3.0, 1), (6.0, 2)])
def test_the_bars_always_add_up(page_of, x, spread, seed):
    page = page_of(bars_figure(bars_decoder(12, spread, seed), x))
    random = np.random.default_rng(seed)
    low, high = math.log(0.02), math.log(3)
    settings = [(mu, math.exp(log_s)) for mu in (-4, 0, 4) for log_s in (low - 1, low, high + 1)]
    settings += [(random.uniform(-4, 4), math.exp(random.uniform(low, high))) for _ in range(200)]
    log_px = values(page)["log_px"]
    for shown in sweep(page, [setting(*q) for q in settings]):
        assert shown["log_px"] == log_px
        assert shown["elbo"] + shown["kl_posterior"] == pytest.approx(log_px, abs=1e-8)
        assert shown["residual"] == pytest.approx(0, abs=1e-8)
        assert shown["elbo"] == shown["reconstruction"] - shown["kl_prior"]
        assert shown["kl_posterior"] > -1e-9


def test_the_button_finds_the_best_gaussian(page_of, decoder, x):
    page = page_of(bars_figure(decoder, x))
    pressed = [{"Image": f"image {i}", "The best Gaussian": None} for i in range(len(x))]
    for image, shown in zip(x, sweep(page, pressed), strict=True):
        assert_best_gaussian(shown, bernoulli_log_likelihood(decoder, image))


def assert_best_gaussian(shown, log_px_z):
    z = np.linspace(-16, 16, 3201)
    log_joint = log_px_z(z) + stats.norm.logpdf(z)

    def minus_elbo(q):
        log_q = stats.norm(q[0], math.exp(q[1])).logpdf(z)
        return -np.sum(np.exp(log_q) * (log_joint - log_q)) * (z[1] - z[0])

    starts = [(mu, math.log(s)) for mu in (-1.5, 0, 1.5) for s in (0.2, 0.7)]
    bounds = [(-4, 4), (math.log(0.05), math.log(3))]
    options = {"ftol": 1e-15, "gtol": 1e-9}
    found = [optimize.minimize(minus_elbo, s, bounds=bounds, options=options) for s in starts]
    best = min(found, key=lambda result: result.fun)
    assert shown["elbo"] == pytest.approx(-best.fun, abs=1e-7)
    assert shown["mu"] == pytest.approx(best.x[0], abs=1e-3)
    assert shown["sigma"] == pytest.approx(math.exp(best.x[1]), abs=1e-3)
    assert shown["kl_posterior"] > 1e-3  # what no Gaussian closes


def test_mouse_touch_and_keys_move_q(page_of, decoder, x):
    page = page_of(bars_figure(decoder, x), touch=True, width=390)
    handle = page.get_by_role("slider", name="The mean of q")
    press(handle, "ArrowRight", "Shift+ArrowRight")
    assert values(page)["mu"] == pytest.approx(0.3 + 0.02 + 0.2, abs=1e-6)
    before = values(page)["mu"]
    drag(handle, 40, 0)
    assert values(page)["mu"] > before + 0.2
    before = values(page)["mu"]
    touch_drag(handle, -40)
    assert values(page)["mu"] < before - 0.2
    press(page.get_by_label("σ"), "ArrowLeft")
    assert values(page)["sigma"] < 0.7
    page.get_by_role("button", name="The encoder's q").click()
    assert values(page)["mu"] == pytest.approx(0.3, abs=1e-6)
    assert "nats" in readout(page)
    assert not scrolls_sideways(page)


def test_images_of_one_pixel(page_of):
    decoder = bars_decoder(1, 2.0, seed=0)
    q = {"mu": torch.zeros(1), "sigma": torch.ones(1)}
    page = page_of(elbo_bars(decoder, torch.ones(1, 1), image_shape=(1, 1), names=["ink"], **q))
    shown = values(page)
    assert shown["log_px"] < 0
    assert shown["elbo"] + shown["kl_posterior"] == pytest.approx(shown["log_px"], abs=1e-6)
    assert section(page).count() == 1


def test_what_is_refused(decoder, x):
    q = {"mu": torch.zeros(3), "sigma": torch.ones(3)}
    with pytest.raises(ValueError, match="as many names"):
        elbo_bars(decoder, x, image_shape=(3, 4), names=["one"], **q)
    with pytest.raises(ValueError, match="binarize"):
        elbo_bars(decoder, x / 2, image_shape=(3, 4), names=["a", "b", "c"], **q)
