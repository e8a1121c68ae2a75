"""What a picture shows, read back from the Axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib import colors

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


FORMS = {
    "NumPy": lambda x: x.numpy(),
    "float64": lambda x: x.double(),
    "bfloat16": lambda x: x.bfloat16(),
    "half": lambda x: x.half(),
    "list": lambda x: x.tolist(),
    "with a gradient": lambda x: x.clone().requires_grad_(),
    "backwards": lambda x: x.numpy()[::-1].copy()[::-1],
    "transposed": lambda x: x.t().contiguous().t(),
}
in_any_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@in_any_form
def test_numbers_in_any_form_are_drawn_alike(form):
    x = torch.arange(12.0).reshape(6, 2) / 16  # exact in half precision
    sheets = [plots.images(part, (1, 2)).images[0].get_array() for part in (x, form(x))]
    np.testing.assert_array_equal(*sheets)
    points = [plots.latent_map(part).lines[0].get_xydata() for part in (x, form(x))]
    np.testing.assert_array_equal(*points)
    drawn = [plots.ellipses(part, part).patches for part in (x, form(x))]
    places = [[(*p.center, p.width, p.height) for p in patches] for patches in drawn]
    np.testing.assert_array_equal(*places)


LABELS = {
    "NumPy": lambda y: y.numpy(),
    "uint8": lambda y: y.byte(),
    "float": lambda y: y.float(),
    "list": lambda y: y.tolist(),
}


@pytest.mark.parametrize("form", LABELS.values(), ids=LABELS)
def test_labels_in_any_form_are_drawn_alike(form):
    z, labels = torch.randn(9, 2), torch.arange(9) % 4
    looks = []
    for part in (labels, form(labels)):
        ax = plots.latent_map(z, part)
        looks.append(
            [(x.get_label(), x.get_color(), x.get_marker(), len(x.get_xdata())) for x in ax.lines]
        )
    assert looks[0] == looks[1] and [label for label, *_ in looks[0]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "labels",
    [torch.arange(100), torch.arange(26) + 900, torch.arange(40) - 5],
    ids=["a hundred classes", "large labels", "negative labels"],
)
def test_no_two_classes_look_alike(labels):
    ax = plots.latent_map(torch.randn(len(labels), 2), labels)
    looks = {(colors.to_hex(line.get_color()), line.get_marker()) for line in ax.lines}
    assert len(looks) == len(ax.lines) == len(labels)


def test_a_class_has_one_look_in_all_figures():
    some = plots.latent_map(torch.randn(2, 2), torch.tensor([3, 7])).lines
    every = plots.latent_map(torch.randn(10, 2), torch.arange(10)).lines
    for line, label in zip(some, (3, 7), strict=True):
        assert line.get_color() == every[label].get_color() == f"C{label}"
        assert line.get_marker() == every[label].get_marker()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.eye(3), r"one whole number .*argmax"),
        (torch.arange(2), r"each of 3 points.*\(2,\)"),
        (torch.tensor([0.0, 0.5, 1.0]), "not whole"),
        (torch.tensor([0.0, float("nan"), 1.0]), "not whole"),
        (["a", "b", "c"], "labels must be"),
    ],
)
def test_labels_that_are_no_classes_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        plots.latent_map(torch.randn(3, 2), labels)


def test_more_classes_than_looks_are_refused():
    with pytest.raises(ValueError, match="100 classes at most"):
        plots.latent_map(torch.randn(101, 2), torch.arange(101))


def test_colour_images_show_their_colours():
    # Red, green, blue, and a fourth between two ends that are not 0 and 1.
    x = torch.zeros(4, 3, 2, 2)
    for i in range(3):
        x[i, i] = 2.0
    x[3] = torch.tensor([-2.0, 0.0, 1.0])[:, None, None]
    ax = plots.images(x.flatten(1), (3, 2, 2), n_columns=2, value_range=(-2.0, 2.0))
    sheet = ax.images[0].get_array()
    assert sheet.shape == (5, 5, 4)
    shown = [sheet[0, 0], sheet[0, 3], sheet[3, 0], sheet[4, 4]]
    expected = [(1, 0.5, 0.5), (0.5, 1, 0.5), (0.5, 0.5, 1), (0, 0.5, 0.75)]
    np.testing.assert_allclose(shown, [(*colour, 1) for colour in expected])
    assert (sheet[2, :, 3] == 0).all() and (sheet[:, 2, 3] == 0).all()  # the gaps are clear


def test_pixels_of_a_colour_image_keep_their_places():
    x = torch.rand(1, 3 * 2 * 4)
    sheet = plots.images(x, (3, 2, 4), n_columns=1).images[0].get_array()
    np.testing.assert_allclose(sheet[..., :3], x.reshape(3, 2, 4).permute(1, 2, 0))


def test_one_channel_is_grey():
    x = torch.rand(3, 6)
    sheets = [plots.images(x, shape).images[0].get_array() for shape in ((2, 3), (1, 2, 3))]
    np.testing.assert_array_equal(*sheets)


@pytest.mark.parametrize(("value_range", "paper"), [((0.0, 2.0), 0.0), ((2.0, 0.0), 2.0)])
def test_ink_is_dark_and_a_photograph_bright_where_it_is_bright(value_range, paper):
    picture = plots.images(torch.tensor([[paper, 2.0 - paper]]), (1, 2), value_range=value_range)
    shown = picture.images[0]
    colours = shown.cmap(shown.norm(shown.get_array()))
    np.testing.assert_allclose(colours[0, :2], [(1, 1, 1, 1), (0, 0, 0, 1)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (2, 2, 3)}, "1 or 3 channels"),
        ({"image_shape": (12,)}, r"\(H, W\)"),
        ({"n_columns": 0}, "n_columns"),
        ({"n_columns": True}, "n_columns"),
        ({"value_range": (1, 1)}, "low < high"),
        ({"titles": ["one", "two"]}, "each of 1 rows, got 2"),
        ({"x": torch.full((2, 12), float("nan"))}, "NaN"),
        ({"x": torch.zeros(2, 12, dtype=torch.uint8)}, "/ 255"),
    ],
)
def test_images_refuse_what_cannot_be_shown(options, message):
    with pytest.raises(ValueError, match=message):
        plots.images(**({"x": torch.zeros(2, 12), "image_shape": (3, 4)} | options))


def test_ellipses_need_a_scale_for_each_mean():
    for sigma in (torch.ones(2, 2), -torch.ones(3, 2)):
        with pytest.raises(ValueError, match="Each mean needs a scale"):
            plots.ellipses(torch.zeros(3, 2), sigma)


def test_curves_of_a_run_that_got_held_out_data_late():
    ax = plots.curves(History(train=[-3.0, -2.0, -1.0], held_out=[-2.5, -1.5]))
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[2, -2.5], [3, -1.5]])
    assert len(plots.curves(History()).lines) == 1


def test_grey_is_ink_on_paper():
    ax = plots.images(torch.tensor([[0.0, 1.0]]), (1, 2), n_columns=1)
    ax.figure.canvas.draw()
    picture = ax.images[0]
    shown = picture.cmap(picture.norm(picture.get_array()))
    np.testing.assert_array_equal(shown[0], [[1, 1, 1, 1], [0, 0, 0, 1]])


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
