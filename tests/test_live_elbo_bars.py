"""Chapter 6's figure: every bar against scipy's quadrature, whatever the sliders say."""

import math

import numpy as np
import pytest
import torch
from browser import drag, press, readout, scrolls_sideways, section, touch_drag, values
from scipy import integrate, optimize, stats
from torch import nn

from vae_lib.live import elbo_bars
from vae_lib.networks import mlp

SET = """([mu, sigma]) => {
  const [first, second] = document.querySelectorAll("input[type=range]");
  first.value = mu;
  first.dispatchEvent(new Event("input"));
  second.value = Math.log(sigma);
  second.dispatchEvent(new Event("input"));
}"""

SET_ALL = f"""async (settings) => {{
  const told = [];
  for (const setting of settings) {{
    ({SET})(setting);
    await new Promise(requestAnimationFrame);
    told.push(JSON.parse(document.querySelector("section.vae-live").dataset.values));
  }}
  return told;
}}"""


def make_decoder(n_pixels, spread, seed):
    """A network whose posteriors are skewed or two-peaked, the more so the larger the spread."""
    torch.manual_seed(seed)
    decoder = mlp(1, 12, n_pixels, activation=nn.Tanh)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.mul_(spread)
    return decoder


@pytest.fixture
def decoder():
    return make_decoder(12, 3.0, seed=1)


@pytest.fixture
def x():
    return (torch.rand(3, 12, generator=torch.Generator().manual_seed(2)) < 0.5).float()


def figure_of(decoder, x, mu=0.3, sigma=0.7):
    names = [f"image {i}" for i in range(len(x))]
    q = {"mu": torch.full((len(x),), mu), "sigma": torch.full((len(x),), sigma)}
    return elbo_bars(decoder, x, image_shape=(3, 4), names=names, **q)


def log_likelihood(decoder, x):
    """z to log p(x|z), by torch in double precision and scipy's Bernoulli."""
    double = mlp(1, 12, 12, activation=nn.Tanh).double()
    double.load_state_dict({k: v.double() for k, v in decoder.state_dict().items()})

    def at(z):
        with torch.no_grad():
            p = double(torch.tensor([[z]], dtype=torch.float64)).sigmoid()[0].numpy()
        return stats.bernoulli(p).logpmf(x.numpy().astype(int)).sum()

    return at


def mean_under(q, f):
    low, high = q.mean() - 9 * q.std(), q.mean() + 9 * q.std()
    return integrate.quad(lambda z: q.pdf(z) * f(z), low, high, epsabs=1e-10, limit=400)[0]


def exact(decoder, x, mu, sigma):
    log_px_z, prior, q = log_likelihood(decoder, x), stats.norm(), stats.norm(mu, sigma)
    evidence = integrate.quad(
        lambda z: math.exp(log_px_z(z)) * prior.pdf(z), -9, 9, epsabs=0, epsrel=1e-10, limit=400
    )[0]
    log_px = math.log(evidence)
    reconstruction = mean_under(q, log_px_z)
    kl_prior = mean_under(q, lambda z: q.logpdf(z) - prior.logpdf(z))
    kl_posterior = mean_under(q, lambda z: q.logpdf(z) - log_px_z(z) - prior.logpdf(z) + log_px)
    return {
        "log_px": log_px,
        "reconstruction": reconstruction,
        "kl_prior": kl_prior,
        "elbo": reconstruction - kl_prior,
        "kl_posterior": kl_posterior,
    }


@pytest.mark.parametrize(("mu", "sigma"), [(0.3, 0.7), (-4.0, 0.02), (4.0, 3.0), (0.0, 3.0)])
def test_every_bar_is_scipys(page_of, decoder, x, mu, sigma):
    page = page_of(figure_of(decoder, x))
    page.evaluate(SET, [mu, sigma])
    shown = values(page)
    for name, value in exact(decoder, x[0], shown["mu"], shown["sigma"]).items():
        assert shown[name] == pytest.approx(value, abs=1e-5, rel=1e-5), name


@pytest.mark.parametrize(("spread", "seed"), [(1.0, 0), (3.0, 1), (6.0, 2)])
def test_the_bars_always_add_up(page_of, x, spread, seed):
    page = page_of(figure_of(make_decoder(12, spread, seed), x))
    random = np.random.default_rng(seed)
    low, high = math.log(0.02), math.log(3)
    settings = [(mu, math.exp(log_s)) for mu in (-4, 0, 4) for log_s in (low - 1, low, high + 1)]
    settings += [(random.uniform(-4, 4), math.exp(random.uniform(low, high))) for _ in range(200)]
    log_px = values(page)["log_px"]
    for shown in page.evaluate(SET_ALL, settings):
        assert shown["log_px"] == log_px
        assert shown["elbo"] + shown["kl_posterior"] == pytest.approx(log_px, abs=1e-8)
        assert shown["residual"] == pytest.approx(0, abs=1e-8)
        assert shown["elbo"] == shown["reconstruction"] - shown["kl_prior"]
        assert shown["kl_posterior"] > -1e-9


@pytest.mark.parametrize("image", [0, 1, 2])
def test_the_button_finds_the_best_gaussian(page_of, decoder, x, image):
    page = page_of(figure_of(decoder, x))
    page.get_by_role("combobox").select_option(str(image))
    page.get_by_role("button", name="The best Gaussian").click()
    shown = values(page)
    log_px_z = log_likelihood(decoder, x[image])
    z = np.linspace(-16, 16, 3201)
    log_joint = np.array([log_px_z(point) for point in z]) + stats.norm.logpdf(z)

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
    page = page_of(figure_of(decoder, x), touch=True, width=390)
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
    decoder = make_decoder(1, 2.0, seed=0)
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
