"""Chapter 10's live figure: which pixels a unit can see, and which units see a pixel."""

from collections.abc import Sequence

import torch
from matplotlib import patches
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.figure import LiveFigure, here, pack, pack_network, parts
from vae_lib.live.pictures import show_image

NAME = "What a unit can see"
DESCRIPTION = (
    "Drag the point, or move it with the arrow keys: the frame holds what a layer's unit at this "
    "place can see, and dots are as large as its gradient. The pixel under the point has a new "
    "colour; in the small squares the units that notice it are shaded, the more the stronger."
)
# What a page has to load at most: features of the last layer, and units of the MLP.
FEATURES, UNITS = 32, 25


def receptive_field(
    encoder: nn.Module,
    images: Tensor,
    *,
    image_shape: tuple[int, ...],
    names: Sequence[str],
    mlp: nn.Module | None = None,
    layer: int | None = None,
    feature: int = 0,
    start: tuple[int, int] | None = None,
    value_range: tuple[float, float] = (1.0, 0.0),
) -> LiveFigure:
    """The pixels that a unit of a convolutional encoder sees, and the units that see a pixel.

    A unit is one number of one layer, before the activation: a feature at one place. Its box is
    what kernels, strides and paddings let it see, the part outside the image included; its gradient
    at a pixel is the sum of the absolute derivatives by the pixel's channels.

    Args:
        encoder: begins with convolutions, `convolutional_encoder(...)` or a `Sequential`; what
            follows them is left out.
        images: to choose from, rows (N, C x H x W).
        image_shape: (C, H, W) with one channel or three, or (H, W).
        names: what each image is called.
        mlp: begins with a `Linear` from the same rows; its first units are shown for comparison.
        layer: the convolution shown first, from 1; if None, the last.
        feature: of that layer, shown first.
        start: (row, column) of the pixel chosen first; if None, one in the middle.
        value_range: the values shown as bright and as dark. A changed pixel takes that of the two,
            in each channel, that is farther from what it was.

    Taught in chapter 10.
    """
    shape = (1,) * (3 - len(image_shape)) + tuple(image_shape)
    _check(images, names, shape, start)
    encoder, images = here(encoder, images)
    layers = _convolutions(encoder)
    state = {
        "encoder": pack_network(nn.Sequential(*layers), shape),
        "mlp": None if mlp is None else _first_units(*here(mlp), images.shape[1]),
        "images": pack(images),
        "names": list(names),
        "image_shape": list(shape),
        "value_range": [float(value) for value in value_range],
        "start": list(start or [size // 2 for size in shape[1:]]),
    }
    state |= _unit(state["encoder"]["layers"], layer, feature)
    picture = _picture(layers, images[0].reshape(shape), state)
    return LiveFigure(
        "receptive_field", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _unit(layers: list[dict], layer: int | None, feature: int) -> dict[str, int]:
    layer = len(layers) if layer is None else layer
    if not 1 <= layer <= len(layers):
        raise ValueError(f"layer must be from 1 to {len(layers)}, but is {layer}.")
    n_features = layers[layer - 1]["output"][0]
    if not 0 <= feature < n_features:
        raise ValueError(f"feature must be from 0 to {n_features - 1}, but is {feature}.")
    return {"layer": layer, "feature": feature}


def _check(
    images: Tensor, names: Sequence[str], shape: tuple[int, ...], start: tuple[int, int] | None
) -> None:
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise ValueError(f"image_shape must be (3, H, W), (1, H, W) or (H, W), not {shape}.")
    n_values = shape[0] * shape[1] * shape[2]
    if images.ndim != 2 or images.shape[1] != n_values or not 0 < len(images) == len(names):
        raise ValueError(
            f"Expected images as rows (N, {n_values}) with N names, but got "
            f"{tuple(images.shape)} and {len(names)} names."
        )
    if start is not None and not all(0 <= at < n for at, n in zip(start, shape[1:], strict=True)):
        raise ValueError(f"start must be a row and a column of {shape[1:]}, but is {start}.")


def _convolutions(encoder: nn.Module) -> list[nn.Module]:
    """The convolutions that an encoder begins with, and what is between them."""
    kept: list[nn.Module] = []
    for part in parts(encoder):
        if isinstance(part, nn.Linear | nn.Flatten):
            break
        kept.append(part)
    convolutions = [i for i, part in enumerate(kept) if isinstance(part, nn.Conv2d)]
    if not convolutions:
        raise ValueError("The encoder must begin with a convolution, but has none before a Linear.")
    kept = kept[: convolutions[-1] + 1]
    if any(isinstance(part, nn.ConvTranspose2d) for part in kept):
        raise ValueError("The encoder must have no transposed convolution before a Linear.")
    last = kept[-1]
    if last.out_channels > FEATURES:
        last.weight, last.out_channels = nn.Parameter(last.weight[:FEATURES]), FEATURES
        last.bias = None if last.bias is None else nn.Parameter(last.bias[:FEATURES])
    return kept


def _first_units(mlp: nn.Module, n_inputs: int) -> dict[str, object]:
    first = parts(mlp)[0]
    if not isinstance(first, nn.Linear) or first.in_features != n_inputs:
        raise ValueError(f"mlp must begin with a Linear layer of {n_inputs} inputs, the pixels.")
    return pack(first.weight[:UNITS])


def _picture(layers: list[nn.Module], image: Tensor, state: dict) -> Figure:
    fig, ax = plt.subplots(figsize=(4, 4), layout="constrained")
    black, white = sorted(state["value_range"])
    title = f"What one unit of layer {state['layer']} sees"
    show_image(ax, image.squeeze(0), title, white=white, black=black)
    weight, box = _seen(layers, image, state)
    rows, columns = torch.nonzero(weight, as_tuple=True)
    sizes = 90 * weight[rows, columns] / weight.max().clamp(min=1e-30)
    ax.scatter(columns, rows, s=sizes.numpy(), color="white", edgecolor="black", linewidth=0.6)
    _frame(ax, box)
    ax.plot(*reversed(state["start"]), "o", color="tab:red", markersize=6)
    return fig


def _frame(ax: Axes, box: list[int]) -> None:
    top, left, bottom, right = box
    corner, size = (left - 0.5, top - 0.5), (right - left + 1, bottom - top + 1)
    ax.add_patch(patches.Rectangle(corner, *size, fill=False, color="tab:orange", linewidth=3))
    ax.set_xlim(min(-0.5, left - 1), max(ax.get_xlim()[1], right + 1))
    ax.set_ylim(max(ax.get_ylim()[0], bottom + 1), min(-0.5, top - 1))


def _seen(layers: list[nn.Module], image: Tensor, state: dict) -> tuple[Tensor, list[int]]:
    """The gradient of the unit shown first, (H, W), and its box: top, left, bottom, right."""
    packed = state["encoder"]["layers"][: state["layer"]]
    convolutions = [i for i, part in enumerate(layers) if isinstance(part, nn.Conv2d)]
    unit, ends = [], []
    for axis, pixel in enumerate(state["start"]):
        spans = [_span(packed, axis, i) for i in range(packed[-1]["output"][1 + axis])]
        off = [abs(first + last - 2 * pixel) for first, last in spans]
        unit.append(off.index(min(off)))
        ends.append(spans[unit[-1]])
    x = image.clone().requires_grad_()
    outputs = nn.Sequential(*layers[: convolutions[state["layer"] - 1] + 1])(x[None])[0]
    (gradient,) = torch.autograd.grad(outputs[state["feature"]][tuple(unit)], x)
    (top, bottom), (left, right) = ends
    return gradient.abs().sum(0), [top, left, bottom, right]


def _span(packed: list[dict], axis: int, at: int) -> tuple[int, int]:
    """The first and the last pixel along an axis that the unit `at` of the last layer can see."""
    low = high = at
    for layer in reversed(packed):
        stride, padding, dilation = (
            layer[name][axis] for name in ("stride", "padding", "dilation")
        )
        low = low * stride - padding
        high = high * stride - padding + dilation * (layer["weight"]["shape"][2 + axis] - 1)
    return low, high
