import pytest
import torch
from torch import nn

from vae_lib.networks import OverRows, mlp


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


@pytest.mark.parametrize("reduce", [torch.mean, lambda x: x.flatten(), lambda x: x.mean((1, 2, 3))])
def test_a_network_that_gives_no_result_an_image_is_named(reduce):
    class Reducing(nn.Module):
        def forward(self, x):
            return reduce(x)

    with pytest.raises(ValueError, match=r"one result for each image, \(2, \.\.\.\)"):
        OverRows(Reducing(), (4, 4))(torch.zeros(2, 16))


@pytest.mark.parametrize("shape", [(), (4,), (1, 2, 3, 4), (0, 4), (4.5, 4), (-1, 8)])
def test_shapes_that_are_none_are_refused(shape):
    with pytest.raises(ValueError, match="shape"):
        OverRows(nn.Identity(), shape)
