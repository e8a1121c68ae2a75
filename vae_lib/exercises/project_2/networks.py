"""What the two pieces that make networks have in common: laws of any network, and changed ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises.trained import gradients


class Changed(nn.Module):
    """A network of which the input, or the output, is changed by a function."""

    def __init__(
        self,
        network: nn.Module,
        after: Callable[[Tensor], object] = lambda output: output,
        before: Callable[[Tensor], Tensor] = lambda rows: rows,
    ) -> None:
        super().__init__()
        self.network, self.after, self.before = network, after, before

    def forward(self, rows: Tensor) -> object:
        return self.after(self.network(self.before(rows)))


class Planes(nn.Module):
    """Rows (B, D + C) to images whose last channels are one number of the label's each."""

    def __init__(self, image_shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__()
        self.image_shape, self.n_classes = image_shape, n_classes

    def forward(self, rows: Tensor) -> Tensor:
        x, y = rows.tensor_split([rows.shape[1] - self.n_classes], dim=1)
        images = x.reshape(-1, *self.image_shape)
        planes = y[:, :, None, None].expand(-1, -1, *self.image_shape[1:])
        return torch.cat([images, planes], dim=1)


def of_network(network: object, rows: Tensor, n_last: int, n_outputs: int) -> str | None:
    """The first law that a network of rows breaks, the last `n_last` of whose numbers are y."""
    if not isinstance(network, nn.Module):
        raise TypeError("expected a module.")
    output = network(rows)
    if isinstance(output, tuple | list):
        return "a pair"
    if not isinstance(output, Tensor) or output.ndim < 2:
        raise ValueError("expected a network that gives a row for each row.")
    if output.ndim > 2 and output[0].numel() == n_outputs:
        return "images"
    if output.shape == (len(rows), n_outputs // 2):
        return "one number too few"
    if output.shape != (len(rows), n_outputs):
        wanted = (len(rows), n_outputs)
        raise ValueError(
            f"shape {wanted} is wanted for {len(rows)} rows, not {tuple(output.shape)}."
        )
    parameters = [p for p in network.parameters() if p.requires_grad]
    if not any(g.any() for g in gradients(output * torch.randn_like(output), *parameters)):
        return "no gradient"
    if not any(p.ndim >= 4 for p in network.parameters()):
        return "no convolution"
    return _of_values(network.eval(), rows, n_last)


@torch.no_grad()
def _of_values(network: nn.Module, rows: Tensor, n_last: int) -> str | None:
    output, some = network(rows), torch.arange(len(rows) - 1, len(rows) - 8, -1)
    if not torch.allclose(output, network(rows), atol=1e-5):
        return "chance"
    if not torch.allclose(output[some], network(rows[some]), atol=1e-4):
        return "rows that look at each other"
    turned = torch.cat([rows[:, :-n_last], rows[:, -n_last:].roll(1, dims=1)], dim=1)
    if _same(output, network(turned)):
        return "the label ignored"
    if _same(output, network(torch.cat([rows[:, :-n_last].flip(0), rows[:, -n_last:]], dim=1))):
        return "all but the label ignored"
    return None


def _same(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first, second, rtol=1e-5, atol=1e-7)


@torch.no_grad()
def of_convolutions(network: nn.Module, rows: Tensor) -> list[tuple[Tensor, Tensor]]:
    """What goes into each two-dimensional convolution, in the order of calls, and what comes out.

    The numbers of a row can be laid out as a picture in a wrong way, of which no output tells.
    """
    met: list[tuple[Tensor, Tensor]] = []

    def note(_: nn.Module, given: tuple, output: Tensor) -> None:
        if given and given[0].ndim == output.ndim == 4:
            met.append((given[0], output))

    kinds = nn.Conv2d | nn.ConvTranspose2d
    layers = [layer for layer in network.modules() if isinstance(layer, kinds)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        network(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return met


@torch.no_grad()
def is_affine(network: nn.Module, rows: Tensor) -> bool:
    first, second = 3 * rows, 3 * rows.flip(0)
    sums = network(first) + network(second)
    straight = network(first + second) + network(torch.zeros_like(first))
    return torch.allclose(sums, straight, rtol=1e-3, atol=1e-4)
