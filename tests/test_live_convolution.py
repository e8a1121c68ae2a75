"""Convolutions in the live figures' scripts, forwards and backwards, against PyTorch's."""

import itertools

import numpy as np
import pytest
import torch
from shared_modules import as_json
from torch import nn

from vae_lib.live.figure import pack_network
from vae_lib.networks import OverRows

RUN = """([packed, inputs, gradients]) => {
  const layers = packed.layers.map((layer) => (
    { ...layer, weight: lib.restore(layer.weight), bias: lib.restore(layer.bias) }));
  const forward = lib.unpackNetwork({ layers });
  const outputs = inputs.map((x) => Array.from(forward(x)));
  const parts = lib.unpackLayers({ layers });
  const back = inputs.map((x, i) => {
    const before = [];
    let values = x;
    for (const { apply, activate } of parts) {
      before.push(apply(values));
      values = before.at(-1).map(activate);
    }
    let gradient = Float64Array.from(gradients[i]);
    for (const { back, slope } of [...parts].reverse()) {
      const raw = before.pop();
      gradient = back(gradient.map((value, k) => value * slope(raw[k])));
    }
    return Array.from(gradient);
  });
  return { n_in: forward.n_in, n_out: forward.n_out, outputs, back };
}"""


def assert_same(page, net, shape, n=2):
    """Outputs and gradients of a page and of torch, in single and in double precision."""
    torch.manual_seed(1)
    packed = as_json(pack_network(net, shape))
    x = torch.randn(n, *shape)
    with torch.no_grad():
        single = net(x).flatten(1)
    gradients = torch.randn(single.shape)
    found = page.evaluate(RUN, [packed, x.flatten(1).tolist(), gradients.tolist()])
    assert (found["n_in"], found["n_out"]) == (x[0].numel(), single.shape[1])
    np.testing.assert_allclose(found["outputs"], single, rtol=1e-5, atol=1e-5)
    x = x.double().requires_grad_()
    outputs = net.double()(x).flatten(1)
    (expected,) = torch.autograd.grad((outputs * gradients).sum(), x)
    np.testing.assert_allclose(found["outputs"], outputs.detach(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found["back"], expected.flatten(1), rtol=1e-9, atol=1e-9)


KINDS = {"convolution": nn.Conv2d, "transposed": nn.ConvTranspose2d}
GEOMETRIES = [
    (size, kernel, stride, padding)
    for size, kernel, stride, padding in itertools.product(
        [(1, 1), (4, 7), (9, 6)], [1, 2, 3, 4, (3, 2)], [1, 2, 3, (2, 1)], [0, 1, (1, 2)]
    )
]


def fits(size, kernel, padding):
    """Whether the kernel fits into the padded image, and every padding into a transposed one's."""
    pair = [(v, v) if isinstance(v, int) else v for v in (kernel, padding)]
    return all(n + 2 * p >= k for n, k, p in zip(size, *pair, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_stride_padding_and_size_is_torchs(lib, kind):
    page, tried = lib(), 0
    for size, kernel, stride, padding in GEOMETRIES:
        if not fits(size, kernel, padding):
            continue
        torch.manual_seed(0)
        net = KINDS[kind](2, 3, kernel, stride=stride, padding=padding)
        try:
            net(torch.zeros(1, 2, *size))
        except RuntimeError:  # torch refuses an output without any pixel
            continue
        assert_same(page, net, (2, *size), n=1)
        tried += 1
    assert tried > 100


NETWORKS = {
    "an encoder of three layers": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Sequential(nn.Conv2d(4, 5, 3, stride=2, padding=1), nn.Tanh()),
            nn.Conv2d(5, 6, 3, bias=False),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(6 * 2 * 2, 4),
        ),
        (3, 16, 16),
    ),
    "a decoder": (
        lambda: nn.Sequential(
            nn.Linear(3, 8 * 2 * 2),
            nn.ReLU(),
            nn.Unflatten(1, (8, 2, 2)),
            nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.ConvTranspose2d(4, 3, 3, stride=3, padding=1, output_padding=2, bias=False),
        ),
        (3,),
    ),
    "rows": (
        lambda: OverRows(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten()), (5, 4)),
        (20,),
    ),
    "the same size": (lambda: nn.Conv2d(2, 2, (4, 3), padding="same"), (2, 5, 6)),
    "none of padding": (lambda: nn.Conv2d(2, 2, 2, padding="valid"), (2, 5, 6)),
    "with gaps": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3, dilation=2, padding=2),
            nn.SiLU(),
            nn.ConvTranspose2d(2, 1, 3, dilation=3, stride=2),
        ),
        (1, 7, 8),
    ),
    "one pixel": (lambda: nn.Conv2d(3, 2, 1), (3, 1, 1)),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_of_convolutions_computes_what_torch_computes(lib, kind):
    make, shape = NETWORKS[kind]
    torch.manual_seed(0)
    assert_same(lib(), make(), shape)


def test_one_layer_may_be_applied_twice(lib):
    torch.manual_seed(0)
    conv, relu = nn.Conv2d(2, 2, 3, stride=2, padding=1), nn.ReLU()
    assert_same(lib(), nn.Sequential(conv, relu, conv, relu), (2, 9, 8))
    linear = nn.Linear(4, 4)
    assert len(pack_network(nn.Sequential(linear, relu, linear, relu))["layers"]) == 2


@pytest.mark.parametrize(
    ("conv", "message"),
    [
        (nn.Conv2d(2, 2, 3, groups=2), "groups=2"),
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), "'reflect'"),
    ],
)
def test_a_convolution_that_cannot_run_in_a_page_is_refused(conv, message):
    with pytest.raises(ValueError, match=message):
        pack_network(conv, (2, 6, 6))


def test_silu_and_its_slope_hold_at_extremes(lib):
    values = [-1e4, -745.0, -30.0, -1.0, 0.0, 1e-9, 2.0, 40.0, 745.0, 1e4]
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.SiLU())
    with torch.no_grad():
        net[0].weight.fill_(1)
        net[0].bias.zero_()
    packed = as_json(pack_network(net, (1, 1, len(values))))
    found = lib().evaluate(RUN, [packed, [values], [[1.0] * len(values)]])
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    nn.functional.silu(x).sum().backward()
    np.testing.assert_allclose(found["outputs"][0], nn.functional.silu(x.detach()), atol=1e-300)
    np.testing.assert_allclose(found["back"][0], x.grad, rtol=1e-12, atol=1e-12)
