"""What a picture shows, read back from the Axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from vae_lib import plots
from vae_lib.training import History


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_images_stand_in_their_places():
    x = torch.arange(5 * 6.0).reshape(5, 6)
    ax = plots.images(x, (2, 3), n_columns=3, titles=["above", "below"])
    sheet = ax.images[0].get_array()
    for i in range(5):
        top, left = (i // 3) * 3, (i % 3) * 4  # a gap of one pixel
        shown = sheet[top : top + 2, left : left + 3]
        np.testing.assert_array_equal(shown, x[i].reshape(2, 3))
    assert np.ma.masked_invalid(sheet[3:5, 8:11]).mask.all()  # no sixth image
    assert [label.get_text() for label in ax.get_yticklabels()] == ["above", "below"]
    assert ax.images[0].get_clim() == (0, 1)


@pytest.mark.parametrize("x", [torch.zeros(6), torch.zeros(0, 6), torch.zeros(2, 5)])
def test_images_refuse_other_shapes(x):
    with pytest.raises(ValueError, match=r"\(N, 6\)"):
        plots.images(x, (2, 3))


def test_latent_map_has_a_marker_for_every_label():
    z, labels = torch.randn(30, 2), torch.arange(30) % 3
    ax = plots.latent_map(z, labels)
    assert len(ax.lines) == 3
    for label, line in enumerate(ax.lines):
        np.testing.assert_allclose(line.get_xydata(), z[labels == label], rtol=1e-6)
    assert len({line.get_marker() for line in ax.lines}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2"]
    assert ax.get_xlabel() == "$z_1$"
    assert len(plots.latent_map(z).lines) == 1


def test_ellipses_have_the_scales():
    mu, sigma = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 3.0]])
    ax = plots.ellipses(mu, sigma, n_sigma=(1, 2))
    sizes = [(patch.width, patch.height) for patch in ax.patches]
    assert sizes == [(1.0, 6.0), (2.0, 12.0)]
    assert list(ax.patches[0].center) == [1.0, 2.0]


@pytest.mark.parametrize("draw", [plots.latent_map, lambda z: plots.ellipses(z, z)])
def test_maps_of_the_plane_need_two_columns(draw):
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        draw(torch.zeros(3, 3))


def test_curves_show_the_history():
    ax = plots.curves(History(train=[-3.0, -2.0], held_out=[-3.5, -2.5]), label="ELBO")
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1, -3.0], [2, -2.0]])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [-3.5, -2.5])
    assert ax.get_ylabel() == "ELBO (nats per example)"
    assert len(plots.curves(History(train=[1.0])).lines) == 1


PARTS = [
    "x", "encoder", "mean and variance", "z", "prior", "decoder", "parameters", "distribution",
    "comparison",
]  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_one_part_of_the_diagram_is_lit(part):
    def pixels(*lit):
        ax = plots.flow_diagram(*lit)
        ax.figure.canvas.draw()
        return np.asarray(ax.figure.canvas.buffer_rgba()).astype(int)

    changed = (pixels(part) != pixels()).any(axis=-1)
    assert 0.001 < changed.mean() < 0.2


def test_the_diagram_refuses_unknown_parts():
    with pytest.raises(ValueError, match=r"'flux'.*'encoder'"):
        plots.flow_diagram("flux")


def test_the_style_draws_on_white_and_works_outside_a_notebook():
    plots.use_book_style()
    assert plt.rcParams["figure.facecolor"] == "white"
