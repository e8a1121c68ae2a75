"""A live figure: a widget whose JavaScript computes what it shows from the state sent once.

It needs no kernel after that. In JupyterLab, VS Code and Colab anywidget runs the script; on the
book's pages a small host does, from the state that the build embeds.
"""

import base64
import copy
import io
import math

import anywidget
import torch
import traitlets
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.source import STYLE, module

Packed = dict[str, object]
"""{dtype, shape, data}: an array as bytes, which a widget sends as they are."""

_ACTIVATIONS = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.SiLU: "silu", nn.Identity: "identity"}


class LiveFigure(anywidget.AnyWidget):
    """One live figure, to be shown as the last value of a cell.

    Args:
        figure: the name of its script, `<figure>.js`.
        name: what a screen reader calls it, in a few words.
        description: what can be done with it, and what it then shows, in a sentence or two.
        state: what the script computes from: numbers, strings, lists, and what `pack` and
            `pack_network` return.
        picture: what stands in for it where there is no JavaScript: its first state, drawn by
            matplotlib, which is closed, or HTML that needs no script, with all text escaped.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode(STYLE).tag(sync=True)
    figure = traitlets.Unicode().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        figure: str,
        *,
        name: str,
        description: str,
        state: dict[str, object],
        picture: Figure | str,
    ) -> None:
        _check_numbers(state, "its state")
        facts = {"figure": figure, "name": name, "description": description, "state": state}
        super().__init__(_esm=module(figure), **facts)
        as_html = isinstance(picture, str)
        self._stand_in = {"text/html": picture} if as_html else {"image/png": _as_png(picture)}

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = f"{self.name}: {self.description}"
        return data | self._stand_in, metadata

    def _ipython_display_(self, **kwargs: object) -> None:
        # With ipywidgets 7, which Colab has, this is what is asked, and gave the widget alone.
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)


def here(*parts: Tensor | nn.Module) -> list[Tensor | nn.Module]:
    """What a figure is made of, on the CPU and without gradients; networks are copies."""
    return [
        part.detach().cpu() if isinstance(part, Tensor) else copy.deepcopy(part).cpu()
        for part in parts
    ]


def _check_numbers(part: object, where: str) -> None:
    """JSON has no word for NaN or infinity: with one of them a page loses all its figures."""
    if isinstance(part, dict):
        for key, value in part.items():
            _check_numbers(value, f"{where}, {key}")
    elif isinstance(part, list | tuple):
        for value in part:
            _check_numbers(value, where)
    elif isinstance(part, float) and not math.isfinite(part):
        raise ValueError(
            f"A live figure needs finite numbers, but in {where} there is {part}: leave it out, or "
            "compute it from data without NaN or infinity."
        )


def pack(values: Tensor, dtype: str = "float32") -> Packed:
    """An array for the script: `unpack` there gives a typed array, row after row.

    With dtype "uint8" the values must be whole numbers from 0 to 255, and take a quarter of the
    room.
    """
    values = values.detach().cpu()
    if not values.isfinite().all():
        raise ValueError(f"Values of shape {tuple(values.shape)} with NaN or infinity in them.")
    if dtype not in ("float32", "uint8"):
        raise ValueError(f'dtype must be "float32" or "uint8", not {dtype!r}.')
    converted = values.to(getattr(torch, dtype))
    if dtype == "uint8" and not torch.equal(converted.to(values.dtype), values):
        raise ValueError("For uint8 all values must be whole numbers from 0 to 255.")
    return {
        "dtype": dtype,
        "shape": list(values.shape),
        "data": converted.contiguous().numpy().tobytes(),
    }


def pack_images(images: Tensor) -> Packed:
    """Real grey images in [0, 1], (N, D), for `nearestAmong` in the script to compare with.

    In as many steps of grey as they have, 16 as in the UCI digits or 255, a byte each.
    """
    if images.ndim != 2 or not ((images >= 0) & (images <= 1)).all():
        raise ValueError(
            "Real images to compare with must be rows (N, D) with pixels in [0, 1]: rescale them."
        )
    steps = 16 if torch.equal((16 * images).round(), 16 * images) else 255
    return {"steps": steps} | pack((steps * images).round(), "uint8")


def pack_network(net: nn.Module, shape: tuple[int, ...] | None = None) -> Packed:
    """A network for the script: `unpackNetwork` there gives its forward pass, from row to row.

    `net` is a `Linear`, a `Conv2d`, a `ConvTranspose2d`, or a `Sequential`, nested or not, of these
    with `ReLU`, `Tanh`, `SiLU` or nothing after each; `Flatten`, `Unflatten` and `OverRows` may
    stand anywhere. With convolutions, `shape` is that of one input: (C, H, W), or (D,) of a row.
    """
    layers: list[dict[str, object]] = []
    sizes = iter(() if shape is None else _sizes(net, shape))
    for part in parts(net):
        if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            wide = part.weight.shape[1 if isinstance(part, nn.ConvTranspose2d) else 0]
            bias = part.bias if part.bias is not None else part.weight.new_zeros(wide)
            layer = {"weight": pack(part.weight), "bias": pack(bias), "activation": "identity"}
            if not isinstance(part, nn.Linear):
                layer |= _convolution(part, *next(sizes, (None, None)))
            layers.append(layer)
        elif type(part) in _ACTIVATIONS and layers and layers[-1]["activation"] == "identity":
            layers[-1]["activation"] = _ACTIVATIONS[type(part)]
        elif not isinstance(part, nn.Flatten | nn.Unflatten):
            raise ValueError(
                "A live figure can run Linear layers and convolutions with ReLU, Tanh or SiLU "
                f"after them, but found {type(part).__name__}."
            )
    if not layers:
        raise ValueError("Expected a network with a Linear layer or more, but found none.")
    return {"layers": layers}


def parts(net: nn.Module) -> list[nn.Module]:
    """The layers of a network in the order in which they are applied, one as often as it is."""
    if isinstance(net, nn.Sequential):
        return [layer for part in net for layer in parts(part)]
    # To import the class would tie the library's parts together.
    return parts(net.net) if type(net).__name__ == "OverRows" else [net]


@torch.no_grad()
def _sizes(net: nn.Module, shape: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """[C, H, W] before and after each convolution, in the order in which they are applied."""
    found: list[tuple[list[int], list[int]]] = []
    convolutions = {part for part in parts(net) if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)}

    def record(_: nn.Module, before: tuple[Tensor], after: Tensor) -> None:
        found.append((list(before[0].shape[1:]), list(after.shape[1:])))

    hooks = [part.register_forward_hook(record) for part in convolutions]
    if convolutions:
        net(next(net.parameters()).new_zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return found


def _convolution(
    conv: nn.Conv2d | nn.ConvTranspose2d, before: list[int] | None, after: list[int] | None
) -> dict[str, object]:
    if before is None:
        raise ValueError("With a convolution pack_network needs the shape of one input.")
    if conv.groups != 1 or conv.padding_mode != "zeros":
        raise ValueError(
            "A live figure can run convolutions of one group, padded with zeros, but found "
            f"groups={conv.groups} and padding_mode={conv.padding_mode!r}."
        )
    padding = conv.padding
    if isinstance(padding, str):  # of "same", what is at the top and at the left
        wide = zip(conv.dilation, conv.kernel_size, strict=True)
        padding = [d * (k - 1) // 2 if padding == "same" else 0 for d, k in wide]
    return {
        "kind": "transposed" if conv.transposed else "convolution",
        "input": before,
        "output": after,
        "stride": list(conv.stride),
        "padding": list(padding),
        "dilation": list(conv.dilation),
    }


def _as_png(picture: Figure) -> str:
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png", dpi=144, facecolor="white", bbox_inches="tight")
    plt.close(picture)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
