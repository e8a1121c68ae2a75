"""Chapter 1's live figure: what it carries, where it starts, and what it is without images."""

import numpy as np
import pytest
import torch
from browser import press, values
from figures import carried, map_figure, output
from scipy import interpolate
from torch import nn

from vae_lib.data import load
from vae_lib.live import latent_map
from vae_lib.networks import mlp

LOW, HIGH = (-3.0, -2.0), (3.0, 4.0)


def test_without_images_the_distance_is_the_grids(page_of):
    figure, decoder, distances = map_figure()
    axes = [np.linspace(*ends, 9) for ends in zip(LOW, HIGH, strict=True)]
    between = interpolate.RegularGridInterpolator(axes, distances.numpy())
    page = page_of(figure)
    knob = page.get_by_role("slider", name="The code z")
    for keys in ([], ["ArrowRight", "Shift+ArrowUp"], ["Shift+ArrowLeft"] * 20):
        press(knob, *keys)
        shown = values(page)
        np.testing.assert_allclose(shown["x_decoded"], output(decoder, shown["z"]), atol=1e-5)
        assert shown["distance"] == pytest.approx(between(shown["z"])[0], abs=1e-5)
        assert shown["nearest"] is None
    assert page.get_by_role("img", name="The nearest real digit").count() == 0


def test_it_starts_in_the_circle_where_decodings_are_farthest_from_the_data():
    figure, _, distances = map_figure()
    axes = [np.linspace(*ends, 9) for ends in zip(LOW, HIGH, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    inside = np.hypot(*np.moveaxis(places, -1, 0)) <= 2
    best = places[inside][distances.numpy()[inside].argmax()]
    np.testing.assert_allclose(figure.state["start"], best, rtol=1e-6)
    chosen, _, _ = map_figure(start=(0.5, -1.0))
    assert chosen.state["start"] == [0.5, -1.0]


@torch.no_grad()
def test_the_images_that_it_carries_are_those_that_are_nearest_somewhere():
    """On a plane of its own size; and exact, as UCI's pixels have 16 steps."""
    images = load("digits").train
    torch.manual_seed(1)
    decoder = nn.Sequential(mlp(2, 32, 64), nn.Tanh())
    figure = latent_map(
        decoder, torch.randn(5, 2), torch.rand(4, 4), image_shape=(8, 8),
        low=LOW, high=HIGH, usual=1.0, images=images,
    )  # fmt: skip
    near = carried(figure.state["images"])
    assert len(near) < 300
    z = torch.tensor(LOW) + torch.rand(500, 2) * (torch.tensor(HIGH) - torch.tensor(LOW))
    decoded = decoder(z)
    least = torch.cdist(decoded, images).amin(1).double()
    found = torch.cdist(decoded.double(), near).amin(1)
    assert (found >= least - 1e-5).all(), "each is an image of the data"
    assert (found <= least + 1e-5).float().mean() > 0.95
    assert (found - least).max() < 0.1


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"a label for each of 30 codes, but got \(3,\)"):
        map_figure(labels=torch.arange(3))
    with pytest.raises(ValueError, match=r"pixels in \[0, 1\]"):
        map_figure(images=3 * torch.rand(9, 20))
