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

_ACTIVATIONS = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Identity: "identity"}


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


def pack_network(net: nn.Module, *, in_bytes: bool = False) -> Packed:
    """A multilayer perceptron for the script: `unpackNetwork` there gives its forward pass.

    `net` is a `Linear` or a `Sequential`, nested or not, of `Linear` with `ReLU`, `Tanh` or
    nothing after each. With `in_bytes` each weight is one of 256 numbers between the least and the
    largest of its layer, and takes a quarter of the room: what then runs in the page is
    `rounded(net)`.
    """
    layers: list[dict[str, object]] = []
    for part in net.modules():
        if isinstance(part, nn.Linear):
            bias = part.bias if part.bias is not None else part.weight.new_zeros(len(part.weight))
            weight = _pack_in_bytes(part.weight) if in_bytes else pack(part.weight)
            layers.append({"weight": weight, "bias": pack(bias), "activation": "identity"})
        elif type(part) in _ACTIVATIONS and layers and layers[-1]["activation"] == "identity":
            layers[-1]["activation"] = _ACTIVATIONS[type(part)]
        elif not isinstance(part, nn.Sequential):
            raise ValueError(
                f"A live figure can run Linear layers with ReLU or Tanh after them, but found "
                f"{type(part).__name__}."
            )
    if not layers:
        raise ValueError("Expected a network with a Linear layer or more, but found none.")
    return {"layers": layers}


def rounded(net: nn.Module) -> nn.Module:
    """A copy whose weights are those that `pack_network(net, in_bytes=True)` sends."""
    (net,) = here(net)
    for part in net.modules():
        if isinstance(part, nn.Linear):
            levels, low, step = _levels(part.weight)
            part.weight.data = low + step * levels
    return net


def _levels(weight: Tensor) -> tuple[Tensor, float, float]:
    """The weights as whole numbers of steps above the least of them, 255 at most."""
    low, high = weight.min().item(), weight.max().item()
    step = (high - low) / 255
    return ((weight.detach() - low) / (step or 1.0)).round(), low, step


def _pack_in_bytes(weight: Tensor) -> Packed:
    levels, low, step = _levels(weight)
    return pack(levels, "uint8") | {"low": low, "step": step}


def _as_png(picture: Figure) -> str:
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png", dpi=144, facecolor="white", bbox_inches="tight")
    plt.close(picture)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
