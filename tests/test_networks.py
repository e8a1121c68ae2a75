import itertools
import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.models import ConditionalVAE
from vae_lib.networks import (
    OverRows,
    WithPlanes,
    conv_sizes,
    convolutional_decoder,
    convolutional_encoder,
    mlp,
)
from vae_lib.objectives import conditional_elbo


def test_is_affine_maps_with_activations_between():
    torch.manual_seed(0)
    net = mlp(3, 5, 4, 2, activation=nn.Tanh)
    x = torch.randn(7, 3)
    weights = [layer for layer in net if isinstance(layer, nn.Linear)]
    h = torch.tanh(x @ weights[0].weight.T + weights[0].bias)
    h = torch.tanh(h @ weights[1].weight.T + weights[1].bias)
    torch.testing.assert_close(net(x), h @ weights[2].weight.T + weights[2].bias)


def test_two_sizes_make_an_affine_map():
    net = mlp(4, 1)
    a, b = torch.randn(2, 4), torch.randn(2, 4)
    torch.testing.assert_close(net(a + b) + net(torch.zeros(2, 4)), net(a) + net(b))


def test_the_output_can_be_negative():
    torch.manual_seed(0)
    assert (mlp(2, 16, 3)(torch.randn(50, 2)) < 0).any()


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0), (3, -1, 2)])
def test_refuses_sizes_that_make_no_network(sizes):
    with pytest.raises(ValueError, match="each 1 or more"):
        mlp(*sizes)


@pytest.mark.parametrize("leading", [(5,), (2, 3), (), (0,)])
@pytest.mark.parametrize(("shape", "images"), [((2, 3, 4), (2, 3, 4)), ((6, 4), (1, 6, 4))])
def test_rows_are_images_to_the_network_and_come_back_as_rows(leading, shape, images):
    x = torch.arange(24.0 * max(1, torch.Size(leading).numel()))[: 24 * torch.Size(leading).numel()]
    x = x.view(*leading, 24)
    seen = []
    there_and_back = OverRows(nn.Sequential(nn.Identity()), shape)
    there_and_back.net.register_forward_pre_hook(lambda net, args: seen.append(args[0].shape[1:]))
    torch.testing.assert_close(there_and_back(x), x, rtol=0, atol=0)
    assert seen == [images]


def test_pixels_keep_their_places():
    """A row lists an image channel by channel, line by line, as `flatten(1)` does."""
    conv = nn.Conv2d(2, 3, 3, padding=1)
    images = torch.randn(5, 2, 6, 4, generator=torch.Generator().manual_seed(0))
    by_rows = OverRows(conv, (2, 6, 4))(images.flatten(1))
    torch.testing.assert_close(by_rows, conv(images).flatten(1))
    assert by_rows.shape == (5, 72)


def test_a_row_of_another_length_names_both():
    net = OverRows(nn.Conv2d(3, 1, 1), (3, 4, 5))
    with pytest.raises(ValueError, match=r"3 x 4 x 5 = 60 numbers.*\(2, 3, 4, 5\)"):
        net(torch.zeros(2, 3, 4, 5))
    with pytest.raises(ValueError, match=r"60 numbers.*\(2, 64\)"):
        net(torch.zeros(2, 64))


@pytest.mark.parametrize(
    "reduce",
    [
        torch.mean,
        lambda x: x.flatten(),
        lambda x: x.mean((1, 2, 3)),
        lambda x: x.transpose(0, 1),
        lambda x: x[:1],
    ],
)
def test_a_network_that_gives_no_result_an_image_is_named(reduce):
    class Reducing(nn.Module):
        def forward(self, x):
            return reduce(x)

    with pytest.raises(ValueError, match=r"one result for each image, \(2, \.\.\.\)"):
        OverRows(Reducing(), (4, 4))(torch.zeros(2, 16))


@pytest.mark.parametrize("shape", [(), (4,), (1, 2, 3, 4), (0, 4), (4.5, 4), (-1, 8), None, 8])
def test_shapes_that_are_none_are_refused(shape):
    with pytest.raises(ValueError, match="shape"):
        OverRows(nn.Identity(), shape)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_sizes_are_those_that_torch_gives(kernel, stride):
    for padding, n_layers in itertools.product(range(min(kernel, 3)), (0, 1, 2, 3)):
        options = {"kernel": kernel, "stride": stride, "padding": padding}
        for size in range(1, 41):
            x, sizes, too_small = torch.zeros(1, 1, size, 1), [size], False
            for _ in range(n_layers):
                conv = nn.Conv2d(1, 1, (kernel, 1), (stride, 1), (padding, 0))
                try:
                    x = conv(x)
                except RuntimeError:
                    too_small = True
                    break
                sizes.append(x.shape[2])
            if not too_small:
                assert conv_sizes(size, n_layers, **options) == sizes
                continue
            with pytest.raises(ValueError, match="too few") as refusal:
                conv_sizes(size, n_layers, **options)
            # What it says would do does, and a pixel less would not.
            smallest = int(re.search(r"(\d+) or more are needed", str(refusal.value))[1])
            bearable = int(re.search(r"bear (\d+) of them", str(refusal.value))[1])
            assert conv_sizes(smallest, n_layers, **options)[-1] >= 1
            assert len(conv_sizes(size, bearable, **options)) == len(sizes) == bearable + 1
            with pytest.raises(ValueError, match="too few"):
                conv_sizes(smallest - 1 or size, n_layers, **options)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"size": 0}, "size must be"),
        ({"n_layers": -1}, "n_layers must be"),
        ({"kernel": 0}, "kernel must be"),
        ({"stride": 1.5}, "stride must be"),
        ({"padding": -1}, "padding must be"),
        ({"kernel": 3, "padding": 3}, "padding must be less than kernel, 3, but is 3"),
    ],
)
def test_sizes_of_convolutions_that_are_none_are_refused(more, message):
    with pytest.raises(ValueError, match=message):
        conv_sizes(**{"size": 8, "n_layers": 2} | more)


SIZES = list(range(4, 41))


@pytest.mark.parametrize("options", [{}, {"kernel": 3}, {"kernel": 5, "padding": 2, "stride": 3}])
def test_any_height_and_width_of_four_or_more_works(options):
    for h, w in [*zip(SIZES, reversed(SIZES), strict=True), *zip(SIZES, SIZES, strict=True)]:
        encoder = convolutional_encoder((2, h, w), (3, 4), 5, **options)
        decoder = convolutional_decoder(3, (4, 3), (2, h, w), n_per_value=2, **options)
        x = torch.randn(2, 2 * h * w)
        assert encoder(x).shape == (2, 5)
        assert decoder(torch.randn(2, 3)).shape == (2, 2 * 2 * h * w)
        inner = decoder.net[2](decoder.net[1](torch.zeros(1, 3))).shape[2:]
        assert inner == tuple(conv_sizes(size, 2, **options)[-1] for size in (h, w))


def test_an_image_that_is_too_small_for_its_layers_says_how_many_it_bears():
    with pytest.raises(ValueError, match=r"7 pixels are too few for 3.*8 or more.*bear 2"):
        convolutional_encoder((1, 16, 7), (4, 4, 4), 2)
    with pytest.raises(ValueError, match=r"too few for 3"):
        convolutional_decoder(2, (4, 4, 4), (7, 16))
    assert convolutional_encoder((1, 1), (4, 4), 2, kernel=3)(torch.zeros(3, 1)).shape == (3, 2)


NETS = {
    "encoder": lambda: convolutional_encoder((3, 9, 6), (4, 5), 6),
    "decoder": lambda: convolutional_decoder(6, (5, 4), (3, 9, 6), n_per_value=2),
    "one layer": lambda: convolutional_encoder((5, 5), (4,), 1),
    "grey decoder": lambda: convolutional_decoder(1, (4,), (5, 5)),
    "with planes": lambda: WithPlanes(convolutional_encoder((3 + 2, 8, 8), (4, 5), 6), 2),
}


def n_inputs(net):
    more = net.n_numbers if isinstance(net, WithPlanes) else 0
    return math.prod(getattr(net, "image_shape", getattr(net, "shape", None))) + more


@pytest.fixture(params=NETS)
def net(request):
    torch.manual_seed(0)
    return NETS[request.param]().double()


def test_gradients_reach_every_parameter_and_every_input(net):
    x = torch.randn(64, n_inputs(net), dtype=torch.float64, requires_grad=True)
    net(x).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name
    assert (x.grad.abs().sum(0) > 0).all()


def test_examples_do_not_meet(net):
    """One image in a batch gives what it gives alone, whatever leading axes there are."""
    x = torch.randn(2, 3, n_inputs(net), dtype=torch.float64)
    together = net(x)
    torch.testing.assert_close(together[1, 2], net(x[1, 2:])[0])
    torch.testing.assert_close(together[1, 2], net(x[1, 2]))
    assert net(x[0, :0]).shape == (0, together.shape[-1])


def test_first_and_last_maps_are_affine(net):
    """So an output can be any number: nothing bounds the last, and its bias moves it alone."""
    maps = [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    x = torch.randn(4, n_inputs(net), dtype=torch.float64)
    before = net(x)
    with torch.no_grad():
        maps[-1].bias.add_(1000.0)
    torch.testing.assert_close(net(x), before + 1000)
    with torch.no_grad():
        maps[-1].bias.sub_(2000.0)
    assert (net(x) < 0).all()
    order = [type(m).__name__ for m in net.modules() if not list(m.children())]
    assert order.count("ReLU") == len(maps) - 1 and order[-1] != "ReLU" and order[0] != "ReLU"


def test_a_shifted_image_gives_shifted_channels():
    """What makes it a convolution, seen before the affine map and away from the edges."""
    torch.manual_seed(0)
    encoder = convolutional_encoder((1, 24, 24), (3, 4), 2)
    convolutions = encoder.net[:-2]
    image = torch.zeros(1, 1, 24, 24)
    image[..., 9:13, 9:13] = torch.randn(4, 4)
    shifted = image.roll((4, 8), (2, 3))  # multiples of both strides together
    there, here = convolutions(shifted), convolutions(image).roll((1, 2), (2, 3))
    torch.testing.assert_close(there[..., 2:-1, 3:-1], here[..., 2:-1, 3:-1])
    assert not torch.allclose(there, convolutions(image))


def test_the_numbers_for_a_value_lie_an_image_apart():
    """The first D outputs are one number for each value, in the order of the data's rows."""
    decoder = convolutional_decoder(2, (4,), (3, 4, 5), n_per_value=2)
    with torch.no_grad():
        decoder.net[-1].weight.zero_()
        decoder.net[-1].bias.copy_(torch.arange(6.0))
    mu, log_var = decoder(torch.zeros(1, 2)).chunk(2, dim=-1)
    assert mu.view(3, 20)[:, 0].tolist() == [0, 1, 2] == mu.view(3, 20)[:, 19].tolist()
    assert log_var.view(3, 20)[:, 7].tolist() == [3, 4, 5]
    p_x = DiagonalGaussian(decoder)(torch.zeros(7, 2, 2))
    assert p_x.batch_shape == (7, 2) and p_x.event_shape == (60,)
    assert p_x.mean[3, 1].view(3, 4, 5)[2, 1, 1] == 2


def test_convolutions_and_their_sizes_can_be_chosen():
    encoder = convolutional_encoder(
        (8, 8), (2, 3, 4), 5, kernel=3, stride=1, padding=1, activation=nn.Tanh
    )
    assert [layer.out_channels for layer in encoder.net if isinstance(layer, nn.Conv2d)] == [
        2,
        3,
        4,
    ]
    assert sum(isinstance(layer, nn.Tanh) for layer in encoder.net) == 3
    assert encoder.net[-1].in_features == 4 * 64
    assert convolutional_encoder([8, 8], [2], 5).shape == (1, 8, 8)


def test_whole_numbers_of_any_kind_are_geometry():
    floats = {"kernel": 3.0, "stride": np.float32(2), "padding": np.int64(1)}
    assert convolutional_encoder((9, 8), (4.0,), 5, **floats)(torch.zeros(1, 72)).shape == (1, 5)
    assert convolutional_decoder(2, (4,), (9, 8), **floats)(torch.zeros(1, 2)).shape == (1, 72)
    for make in (
        lambda **options: convolutional_encoder((8, 8), (4,), 2, **options),
        lambda **options: convolutional_decoder(2, (4,), (8, 8), **options),
    ):
        for name, value in {"kernel": (3, 3), "stride": 0, "padding": 4}.items():
            with pytest.raises(ValueError, match=f"{name} must be"):
                make(**{name: value})


@pytest.mark.parametrize("channels", [(), 16, None, (4, 0), (4.5,), "16", {4, 5}])
@pytest.mark.parametrize(
    "make",
    [
        lambda channels: convolutional_encoder((8, 8), channels, 2),
        lambda channels: convolutional_decoder(2, channels, (8, 8)),
    ],
)
def test_channels_that_are_none_are_refused(make, channels):
    with pytest.raises(ValueError, match="channels"):
        make(channels)


@pytest.mark.parametrize("shape", [(), (8,), (1, 1, 8, 8), (0, 8)])
def test_image_shapes_that_are_none_are_refused(shape):
    for make in (
        lambda: convolutional_encoder(shape, (4,), 2),
        lambda: convolutional_decoder(2, (4,), shape),
    ):
        with pytest.raises(ValueError, match="shape"):
            make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: convolutional_encoder((8, 8), (4,), 0),
        lambda: convolutional_decoder(0, (4,), (8, 8)),
        lambda: convolutional_decoder(2, (4,), (8, 8), n_per_value=0),
        lambda: WithPlanes(OverRows(nn.Flatten(), (3, 4, 4)), 0),
    ],
)
def test_sizes_below_one_are_refused(make):
    with pytest.raises(ValueError, match="whole number of 1 or more"):
        make()


def test_numbers_become_planes_beside_the_channels():
    net = WithPlanes(OverRows(nn.Flatten(), (2 + 3, 2, 4)), 3)
    image, numbers = torch.randn(5, 2, 2, 4), torch.randn(5, 3)
    seen = net(torch.cat([image.flatten(1), numbers], 1)).view(5, 5, 2, 4)
    torch.testing.assert_close(seen[:, :2], image, rtol=0, atol=0)
    torch.testing.assert_close(
        seen[:, 2:], numbers[:, :, None, None].expand(5, 3, 2, 4), rtol=0, atol=0
    )


def test_planes_need_channels_and_rows_to_fit():
    with pytest.raises(ValueError, match=r"net must take images.*but is a Sequential"):
        WithPlanes(mlp(19, 4, 2), 3)
    with pytest.raises(ValueError, match=r"3 channels.*3 more.*at least 4"):
        WithPlanes(OverRows(nn.Flatten(), (3, 4, 4)), 3)
    net = WithPlanes(OverRows(nn.Flatten(), (4, 4, 4)), 3)
    for shape in [(2, 16), (2, 64), (18,), ()]:
        with pytest.raises(ValueError, match=r"\(1, 4, 4\) and 3 numbers are rows of 16 \+ 3"):
            net(torch.zeros(shape))


def test_a_conditional_vae_of_convolutions_learns_its_labels_part():
    """Under DiagonalGaussian and with samples as a leading axis; y reaches both networks."""
    torch.manual_seed(0)
    encoder = WithPlanes(convolutional_encoder((1 + 2, 6, 5), (3, 4), 2 * 2), 2)
    decoder = convolutional_decoder(2 + 2, (4, 3), (6, 5))
    cvae = ConditionalVAE(DiagonalGaussian(encoder), Bernoulli(decoder), StandardNormal(2))
    x, y = torch.rand(7, 30).round(), torch.eye(2)[torch.arange(7) % 2].requires_grad_()
    value = conditional_elbo(cvae, x, y, n_samples=3)
    assert value.shape == (7,)
    value.sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in cvae.parameters())
    assert (y.grad.abs().sum(1) > 0).all()
    assert cvae.given(y.detach()).sample(3).shape == (3, 7, 30)
