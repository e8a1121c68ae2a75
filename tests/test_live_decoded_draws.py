"""Chapter 3's live figure, against torch, and its draws against the distributions they are from."""

import json
import math

import numpy as np
import pytest
import torch
from browser import drag, press, readout, sweep, touch_drag, values
from figures import assert_draws, draws_figure, output
from scipy import stats
from torch import nn
from torch.distributions import Normal

from vae_lib.conditionals import Gaussian, StandardNormal
from vae_lib.live import decoded_draws
from vae_lib.models import VAE
from vae_lib.networks import mlp

DRAW_Z, DRAW_X, BOTH = "1. Draw z from p(z)", "2. Draw x from p(x | z)", "Both, 8 times"


def z_handle(page):
    return page.get_by_role("slider", name="The code z")


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def noise(shown, sigma):
    """What the figure added to the mean, in units of sigma: (K, D)."""
    return (np.array(shown["draws"]) - np.array(shown["x_mean"])) / sigma


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_mean_and_distances_are_torchs(page_of, seed):
    start = tuple((3 * torch.rand(2, generator=torch.Generator().manual_seed(seed)) - 1.5).tolist())
    figure, decoder = draws_figure(seed=seed, sigma=0.3, start=start)
    page = page_of(figure)
    for keys in ([], ["ArrowRight", "Shift+ArrowUp"], ["z", "x"]):
        press(z_handle(page), *keys)
        shown = values(page)
        assert len(shown["draws"]) == 6
        assert_draws(shown, decoder, 0.3)


def test_pixel_deviations_are_those_of_samples_from_the_library(page_of):
    figure, decoder = draws_figure(sigma=0.1)
    shown = values(page_of(figure))
    vae = VAE(None, Gaussian(decoder.double(), sigma=0.1), StandardNormal(2).double())
    torch.manual_seed(1)
    with torch.no_grad():
        x = vae.sample(200_000)
    variance = x.var(0)
    error = ((x - x.mean(0)).square() - variance).std(0) / math.sqrt(len(x))
    assert (np.abs(np.square(shown["deviation"]) - variance.numpy()) < 4 * error.numpy()).all()
    assert min(shown["deviation"]) > 0.1


def test_pixel_deviations_are_those_of_a_linear_model(page_of):
    """For g(z) = Wz + c the variance of pixel i is σ² + |w_i|², whatever the grid."""
    torch.manual_seed(0)
    decoder = nn.Linear(2, 12)
    figure = decoded_draws(decoder, sigma=0.5, image_shape=(3, 4))
    expected = torch.sqrt(0.25 + decoder.weight.square().sum(1))
    # Beyond the grid, ±4, is 1 part in 16,000 of the mass, and 1 in 1,000 of the variance.
    np.testing.assert_allclose(
        values(page_of(figure))["deviation"], expected.detach().numpy(), rtol=2e-3
    )


def test_draws_of_x_are_independent_standard_noise(page_of):
    figure, _ = draws_figure(sigma=0.25)
    page = page_of(figure)
    collected = [noise(shown, 0.25) for shown in sweep(page, 60 * [{DRAW_X: None}])]
    eps = np.stack(collected).reshape(-1, 20)  # (360, D)
    n = eps.size
    assert abs(eps.mean()) < 4 / math.sqrt(n)
    assert abs(eps.var() - 1) < 4 * math.sqrt(2 / n)
    assert stats.kstest(eps.ravel(), "norm").pvalue > 1e-3
    neighbours = np.mean(eps[:, 1:] * eps[:, :-1]), np.mean(eps[1:] * eps[:-1])
    assert np.abs(neighbours).max() < 4 / math.sqrt(n - 360)
    assert len(np.unique(eps)) == n


def test_ancestral_samples_are_draws_from_the_model(page_of):
    figure, decoder = draws_figure(sigma=0.25, seed=3)
    page = page_of(figure)
    samples = {}
    for shown in sweep(page, 50 * [{BOTH: None}]):
        samples |= {one["number"]: one for one in shown["samples"]}
    assert sorted(samples) == list(range(1, 401)) and shown["n_samples"] == 400
    z = np.array([one["z"] for one in samples.values()])
    x = np.array([one["x"] for one in samples.values()])
    assert (np.abs(z.mean(0)) < 4 / math.sqrt(400)).all()
    assert (np.abs(z.var(0) - 1) < 4 * math.sqrt(2 / 400)).all()
    assert abs(np.mean(z[:, 0] * z[:, 1])) < 4 / math.sqrt(400)
    within = (np.linalg.norm(z, axis=1)[:, None] < [1, 2]).mean(0)  # what the circles say
    expected = 1 - np.exp([-0.5, -2])
    assert (np.abs(within - expected) < 4 * np.sqrt(expected * (1 - expected) / 400)).all()
    eps = (x - output(decoder, z)) / 0.25
    assert abs(eps.mean()) < 4 / math.sqrt(eps.size)
    assert abs(eps.var() - 1) < 4 * math.sqrt(2 / eps.size)


def test_dragging_moves_the_mean_and_keeps_the_noise(page_of):
    figure, _ = draws_figure()
    page = page_of(figure)
    before = values(page)
    drag(z_handle(page), 60, -30)
    after = values(page)
    assert after["z"][0] > 0.5 and after["z"][1] > 0.2
    np.testing.assert_allclose(noise(after, 0.25), noise(before, 0.25), atol=1e-9)
    assert np.abs(np.subtract(after["x_mean"], before["x_mean"])).max() > 1e-3
    assert after["deviation"] == before["deviation"]


def test_a_finger_drags_too(page_of):
    figure, _ = draws_figure()
    page = page_of(figure, width=390, touch=True)
    touch_drag(z_handle(page), -40, 60)
    z = values(page)["z"]
    assert z[0] < -0.7 and z[1] < -1
    assert z[1] / z[0] == pytest.approx(1.5, abs=0.02)


def test_sampling_takes_two_steps(page_of):
    figure, _ = draws_figure()
    page = page_of(figure)
    press(z_handle(page), "z")
    half = values(page)
    assert half["draws"] == half["samples"] == [] and "Half of a sample" in readout(page)
    assert half["z"] != [0, 0]
    press(z_handle(page), "x")
    whole = values(page)
    (sample,) = whole["samples"]
    assert sample == {"number": 1, "z": half["z"], "x": whole["draws"][0]}
    # Another x for the same z is a draw of p(x|z), and no further sample of p(x).
    click(page, DRAW_X)
    again = values(page)
    assert again["n_samples"] == 1 and again["z"] == half["z"]
    assert np.abs(np.subtract(again["draws"], whole["draws"])).min() > 0
    # Nor is an x for a z that the reader chose.
    press(z_handle(page), "z", "ArrowLeft", "x")
    chosen = values(page)
    assert chosen["n_samples"] == 1 and len(chosen["draws"]) == 6


def test_a_z_beyond_the_plane_is_not_moved(page_of):
    """The mark stays at the plane's edge, but the numbers are those of the draw."""
    figure, decoder = draws_figure()
    figure.state = {**figure.state, "radius": 0.5}
    page = page_of(figure)
    press(z_handle(page), *["z"] * 4)
    shown = values(page)
    assert max(map(abs, shown["z"])) > 0.5
    np.testing.assert_allclose(shown["x_mean"], output(decoder, shown["z"]), atol=1e-6)
    assert float(z_handle(page).get_attribute("aria-valuenow")) in (
        -0.5,
        0.5,
        round(shown["z"][0], 3),
    )


def test_the_shell_is_where_theory_has_it(page_of):
    """Squared distances in units of Dσ² are chi-squared with D degrees of freedom, over D."""
    figure, _ = draws_figure(image_shape=(28, 28), sigma=0.875)
    page = page_of(figure)
    told = sweep(page, 20 * [{DRAW_X: None}])
    distances = [one for shown in told for one in shown["distances"]]
    assert abs(np.mean(distances) - 1) < 4 * math.sqrt(2 / 784 / len(distances))
    assert abs(np.var(distances) / (2 / 784) - 1) < 4 * math.sqrt(2 / len(distances))


@pytest.mark.parametrize("n_pixels_side", [8, 28])
def test_the_state_is_light_and_the_picture_there(n_pixels_side):
    decoder = mlp(2, 64, 128, n_pixels_side**2)
    shape = (n_pixels_side, n_pixels_side)
    figure = decoded_draws(decoder, sigma=0.25, image_shape=shape)
    n_bytes = 4 * sum(parameter.numel() for parameter in decoder.parameters())
    text = json.dumps(figure.state, default=lambda value: "")
    assert 4 / 3 * n_bytes + len(text) < (300_000 if n_pixels_side == 8 else 700_000)
    data, _ = figure._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")


def test_bad_input_is_named():
    good = {"sigma": 0.25, "image_shape": (4, 5)}
    bad = [
        ({"sigma": 0.0}, "sigma must be a positive finite number, not 0.0"),
        ({"sigma": math.nan}, "sigma must be a positive finite number, not nan"),
        ({"image_shape": (4, 4)}, "must map 2 to 16 numbers, but this one maps 2 to 20"),
        ({"start": (0.0, 4.0)}, "start must be two numbers between"),
        ({"start": (0.0,)}, "start must be two numbers between"),
    ]
    for change, message in bad:
        with pytest.raises(ValueError, match=message):
            decoded_draws(mlp(2, 8, 20), **{**good, **change})
    with pytest.raises(ValueError, match="Conv1d"):
        decoded_draws(nn.Conv1d(1, 1, 1), **good)


def test_the_density_in_the_readout_is_a_gaussians(page_of):
    """That -log p(x|z) + log p(mean|z) is D/2 times the distance told, by torch's own density."""
    figure, _ = draws_figure(sigma=0.4)
    shown = values(page_of(figure))
    mean = torch.tensor(shown["x_mean"], dtype=torch.float64)
    x = torch.tensor(shown["draws"], dtype=torch.float64)
    p_x = Normal(mean, 0.4)
    gap = (p_x.log_prob(mean) - p_x.log_prob(x)).sum(-1)
    np.testing.assert_allclose(np.multiply(shown["distances"], 10), gap.numpy(), rtol=1e-9)
