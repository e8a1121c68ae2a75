"""Chapter 10's figure: boxes, gradients and changes against autograd, for networks of all kinds."""

import math

import numpy as np
import pytest
import torch
from browser import (
    drag,
    next_frame,
    press,
    readout,
    scrolls_sideways,
    section,
    sweep,
    touch_drag,
    values,
)
from figures import assert_field, field_figure, field_images, field_networks, repainted
from torch import nn

from vae_lib.live import receptive_field
from vae_lib.networks import WithPlanes, convolutional_encoder, mlp


def knob(page):
    return page.get_by_role("slider", name="The pixel")


def test_every_layer_and_feature_is_autograds(page_of):
    figure, *networks = field_figure()
    settings = [
        {f"Layer {layer}": None, "feature": feature, "Image": name}
        for layer, n_features in ((1, 4), (2, 5), (3, 3))
        for feature in range(n_features)
        for name in ("one", "two")
    ]
    found = sweep(page_of(figure), settings)
    for shown, wanted in zip(found, settings, strict=True):
        assert f"Layer {shown['layer'] + 1}" in wanted and shown["feature"] == wanted["feature"]
        assert_field(shown, *networks)
    # The first layer is linear: the gradient of its four features is their kernel for any image.
    assert len({tuple(shown["weights"]) for shown in found}) == 4 + 2 * (5 + 3)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_every_pixel_has_the_unit_that_is_nearest(page_of, layer):
    figure, *networks = field_figure(layer=layer, start=(0, 0))
    page = page_of(figure)
    units = set()
    for row in range(7):
        for column in range(9):
            shown = values(page)
            assert shown["pixel"] == [row, column]
            assert_field(shown, *networks)
            units.add(tuple(shown["unit"]))
            press(knob(page), "ArrowRight")
        press(knob(page), "ArrowDown", *["Shift+ArrowLeft"] * 2)
    size = figure.state["encoder"]["layers"][layer - 1]["output"][1:]
    assert len(units) > 1 and all(i < size[0] and j < size[1] for i, j in units)


def middle(shown):
    top, left, bottom, right = shown["box"]
    return (top + bottom) / 2, (left + right) / 2


def test_the_unit_over_a_pixel_has_it_in_the_middle_where_there_is_one(page_of):
    """Kernels of 3 that move by 1: each pixel has a unit of its own."""
    net = nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(3)])
    x = torch.rand(1, 30)
    page = page_of(receptive_field(net, x, image_shape=(5, 6), names=["x"]))
    for layer, width in ((1, 3), (2, 5), (3, 7)):
        (shown,) = sweep(page, [{f"Layer {layer}": None}])
        top, left, bottom, right = shown["box"]
        assert (bottom - top + 1, right - left + 1) == (width, width)
        assert middle(shown) == tuple(shown["pixel"]) == tuple(shown["unit"])


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.SiLU])
@pytest.mark.parametrize("shape", [(3, 16, 16), (8, 9), (1, 4, 4)])
def test_the_librarys_encoders_run_in_it(page_of, activation, shape):
    torch.manual_seed(0)
    encoder = convolutional_encoder(shape, (8, 6), 4, activation=activation)
    images = torch.rand(1, int(np.prod(shape)))
    page = page_of(receptive_field(encoder, images, image_shape=shape, names=["x"]))
    shown, shape = values(page), (1,) * (3 - len(shape)) + shape
    x = images.reshape(1, *shape).double().requires_grad_()
    convolutions = encoder.double().net[:3]  # convolution, activation, convolution
    value = convolutions(x)[0, 0, shown["unit"][0], shown["unit"][1]]
    (gradient,) = torch.autograd.grad(value, x)
    np.testing.assert_allclose(shown["weights"], gradient[0].abs().sum(0).flatten(), atol=1e-6)
    assert shown["value"] == pytest.approx(value.item(), abs=1e-5)
    changed = repainted(x[0].detach(), shown["pixel"])[None]
    change = (convolutions(changed) - convolutions(x)).abs().amax(1).flatten()
    np.testing.assert_allclose(shown["changes"][1], change.detach(), atol=1e-5)
    assert shown["mlp"] is None and len(shown["counts"]) == 2


def test_units_of_an_mlp_all_notice_and_those_of_convolutions_do_not(page_of):
    torch.manual_seed(0)
    encoder = convolutional_encoder((3, 16, 16), (8, 16, 16), 4, activation=nn.SiLU)
    images = torch.rand(1, 768)
    dense = mlp(768, 64, 4)
    figure = receptive_field(
        encoder, images, image_shape=(3, 16, 16), names=["x"], mlp=dense, start=(0, 0)
    )
    page = page_of(figure)
    assert values(page)["counts"] == [1, 1, 1, 25]
    words = readout(page)
    assert "by 1 of 64 places of layer 1, 1 of 16 places of layer 2, " in words
    assert "1 of 4 places of layer 3 and 25 of 25 units of the MLP." in words
    press(knob(page), *["Shift+ArrowRight", "Shift+ArrowDown"])
    # Kernels of 4 that move by 2: row 10 is seen by rows 4 and 5, these by 1 to 3, these by both.
    assert values(page)["counts"] == [2**2, 3**2, 2**2, 25]


@pytest.mark.parametrize("layer", [1, 3])
def test_what_is_drawn_is_what_is_told(page_of, layer):
    """The frame, the dots and the new colour, where the plot's own coordinates say."""
    figure, *_ = field_figure(layer=layer, start=(2, 3))
    page = page_of(figure)
    shown = values(page)
    found = section(page).evaluate("""(section) => {
      const box = (one) => ["x", "y", "width", "height"].map((name) => one[name].baseVal.value);
      const dots = [...section.querySelectorAll(".seen")];
      return {
        edge: box(section.querySelector("rect.axis")),
        frame: box(section.querySelector("rect.line")),
        radii: dots.map((dot) => dot.r.baseVal.value),
        places: dots.map((dot) => [dot.cx.baseVal.value, dot.cy.baseVal.value]),
      };
    }""")
    left, top, width, height = found["edge"]
    scale = width / 9
    assert height == pytest.approx(7 * scale)
    first_row, first_column, last_row, last_column = shown["box"]
    expected = [
        left + scale * first_column,
        top + scale * first_row,
        scale * (last_column - first_column + 1),
        scale * (last_row - first_row + 1),
    ]
    assert found["frame"] == pytest.approx(expected, abs=0.02)
    areas = np.square(np.array(found["radii"]) / max(found["radii"]))
    np.testing.assert_allclose(areas, np.array(shown["weights"]) / max(shown["weights"]), atol=0.05)
    assert found["places"][9 * 2 + 3] == pytest.approx(
        [left + 3.5 * scale, top + 2.5 * scale], abs=0.01
    )
    painted = page.evaluate(
        """([column, row]) => {
      const sheet = document.querySelector(".vae-live-underlay");
      const { data } = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
      const [x, y] = [(sheet.width - 18) / 2 + 2 * column, (sheet.height - 14) / 2 + 2 * row];
      return [0, 1].map((shift) => {
        const k = 4 * ((y + shift) * sheet.width + x + shift);
        return Array.from(data.slice(k, k + 4));
      });
    }""",
        [3, 2],
    )
    colour = repainted(field_images()[0].reshape(3, 7, 9), [2, 3])[:, 2, 3]
    assert painted == [[*(255 * colour).tolist(), 255]] * 2


def test_the_maps_are_shaded_where_something_changes(page_of):
    figure = field_figure(layer=2)[0]
    page = page_of(figure)
    shown = values(page)
    shades = (
        section(page)
        .locator(".vae-live-map canvas")
        .evaluate_all("""(all) => all.map((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return Array.from(data).filter((_, i) => i % 4 === 3);
    })""")
    )
    sizes = [layer["output"][1:] for layer in figure.state["encoder"]["layers"]]
    assert [len(shade) for shade in shades] == [*map(math.prod, sizes), 20]
    for shade, changes in zip(shades, [*shown["changes"], shown["mlp"]], strict=True):
        np.testing.assert_array_equal(np.array(shade) > 0, np.array(changes) > 0)
        assert max(shade) == 255 and shade[int(np.argmax(changes))] == 255
    marks = (
        section(page)
        .locator(".vae-live-unit")
        .evaluate_all("(all) => all.map((one) => one.checkVisibility())")
    )
    assert marks == [False, True, False, False]


def test_mouse_touch_and_keys_move_the_point(page_of):
    page = page_of(field_figure(start=(3, 4))[0], touch=True, width=390)
    press(knob(page), "ArrowRight", "ArrowUp")
    assert values(page)["pixel"] == [2, 5]
    press(knob(page), "Home")
    assert values(page)["pixel"] == [3, 4]
    press(knob(page), *["Shift+ArrowLeft", "Shift+ArrowDown"])
    assert values(page)["pixel"] == [6, 0], "no farther than the image"
    drag(knob(page), 60, -60)
    row, column = values(page)["pixel"]
    assert row < 6 and column > 0
    touch_drag(knob(page), 60, 0)
    assert values(page)["pixel"][1] > column
    bounds = section(page).locator("rect.axis").bounding_box()
    page.mouse.click(bounds["x"] + bounds["width"] / 18, bounds["y"] + bounds["height"] / 14)
    next_frame(page)
    assert values(page)["pixel"] == [0, 0], "a click in the image is enough"
    assert not scrolls_sideways(page)


def test_a_layer_with_fewer_features_shows_its_last(page_of):
    page = page_of(field_figure(layer=2, feature=4)[0])
    found = sweep(page, [{"Layer 3": None}, {"feature": 1}, {"Layer 1": None}])
    assert [(shown["layer"], shown["feature"]) for shown in found] == [(2, 2), (2, 1), (0, 1)]
    pressed = page.get_by_role("button", pressed=True).all_inner_texts()
    assert pressed == ["Layer 1"]


def test_a_wide_layer_and_a_wide_mlp_are_cut_in_the_page_alone(page_of):
    torch.manual_seed(0)
    net, dense = nn.Sequential(nn.Conv2d(1, 80, 3), nn.Tanh()), nn.Linear(25, 50)
    x = torch.rand(1, 25)
    figure = receptive_field(net, x, image_shape=(5, 5), names=["x"], mlp=dense, feature=31)
    assert net[0].weight.shape[0] == 80 and dense.weight.shape[0] == 50
    shown = values(page_of(figure))
    assert len(shown["mlp"]) == 25
    value = net[0](x.reshape(1, 1, 5, 5))[0, 31, shown["unit"][0], shown["unit"][1]]
    assert shown["value"] == pytest.approx(value.item(), abs=1e-6)


def test_one_pixel_and_a_unit_that_sees_nothing(page_of):
    net = nn.Conv2d(1, 1, 1)
    figure = receptive_field(net, torch.ones(1, 1), image_shape=(1, 1), names=["x"])
    shown = values(page_of(figure))
    assert (shown["box"], shown["counts"], shown["n_most"]) == ([0, 0, 0, 0], [1], 1)
    with torch.no_grad():
        net.weight.zero_()
    page = page_of(receptive_field(net, torch.ones(1, 1), image_shape=(1, 1), names=["x"]))
    shown = values(page)
    assert (shown["counts"], shown["n_most"], shown["weights"]) == ([0], 0, [0])
    assert "Its gradient is 0" in readout(page)


@pytest.mark.parametrize("start", [(0, 0), (4, 4), (8, 3)])
def test_gaps_in_a_kernel_and_padding_to_the_same_size_are_counted(page_of, start):
    """Two kernels of 3 with every other pixel left out: 4 to either side, each time of 2."""
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(1, 1, 3, dilation=2, padding="same") for _ in range(2)]
    net, x = nn.Sequential(*convolutions), torch.rand(1, 81)
    page = page_of(receptive_field(net, x, image_shape=(9, 9), names=["x"], start=start))
    shown = values(page)
    row, column = start
    assert shown["unit"] == list(start)
    assert shown["box"] == [row - 4, column - 4, row + 4, column + 4]
    seen = np.array(shown["weights"]).reshape(9, 9) > 0
    expected = np.zeros((9, 9), dtype=bool)
    expected[row % 2 :: 2, column % 2 :: 2] = True
    expected &= np.abs(np.arange(9) - row)[:, None] <= 4
    expected &= np.abs(np.arange(9) - column) <= 4
    np.testing.assert_array_equal(seen, expected)


def test_a_unit_may_see_nothing_but_padding(page_of):
    net = nn.Sequential(
        nn.Conv2d(1, 2, 1, padding=2), nn.Tanh(), nn.Conv2d(2, 1, 1, padding=1, stride=2)
    )
    figure = receptive_field(net, torch.rand(1, 1), image_shape=(1, 1), names=["x"])
    page = page_of(figure)
    shown = values(page)
    assert shown["box"] == [-1, -1, -1, -1] and shown["inside"] == [0, 0]
    assert "1 × 1 pixels, of which 0 are in the image and 1 are padding" in readout(page)
    assert shown["counts"] == [1, 0]


def test_what_is_refused():
    encoder, dense = field_networks()
    x = field_images()
    good = {"image_shape": (3, 7, 9), "names": ["one", "two"], "mlp": dense}
    for changed, message in [
        ({"image_shape": (2, 7, 9)}, "image_shape must be"),
        ({"image_shape": (3, 7, 8)}, "rows \\(N, 168\\)"),
        ({"names": ["one"]}, "with N names"),
        ({"start": (7, 0)}, "start must be"),
        ({"start": (0, -1)}, "start must be"),
        ({"layer": 4}, "layer must be from 1 to 3"),
        ({"layer": 0}, "layer must be from 1 to 3"),
        ({"feature": 3}, "feature must be from 0 to 2"),
        ({"mlp": nn.Linear(5, 2)}, "mlp must begin"),
        ({"mlp": encoder}, "mlp must begin"),
    ]:
        with pytest.raises(ValueError, match=message):
            receptive_field(encoder, x, **{**good, **changed})
    planes = WithPlanes(convolutional_encoder((4, 7, 9), (2,), 2), 1)
    for net, message in [
        (dense, "must begin with a convolution"),
        (nn.Sequential(nn.Conv2d(3, 2, 3), nn.MaxPool2d(2), nn.Conv2d(2, 2, 1)), "found MaxPool2d"),
        (
            nn.Sequential(nn.Conv2d(3, 2, 3), nn.ConvTranspose2d(2, 2, 3), nn.Conv2d(2, 2, 1)),
            "transposed",
        ),
        (planes, "must begin with a convolution"),
    ]:
        with pytest.raises(ValueError, match=message):
            receptive_field(net, x, **good)
