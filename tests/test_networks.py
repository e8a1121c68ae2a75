import pytest
import torch
from torch import nn

from vae_lib.networks import mlp


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
