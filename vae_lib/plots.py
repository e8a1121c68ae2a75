"""Pictures: tensors and a History in, matplotlib Axes out. Nothing here ever sees a model.

Numbers may be tensors on any device, arrays or lists, of any precision.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from torch import Tensor

from vae_lib import checks
from vae_lib.diagram import INK as INK
from vae_lib.diagram import flow_diagram as flow_diagram

if TYPE_CHECKING:
    from vae_lib.training import History

MARKERS = "os^vD<>P*X"
"""One marker a class, so that classes differ by more than their hue."""

GAP = "#dde3ea"
"""What is between images, so that an image's own white edge can be seen."""


def use_book_style() -> None:
    """Set the book's fonts and sizes for matplotlib, and sharp inline pictures in a notebook.

    Pictures have a white background, so they are legible in a dark notebook too; the site's dark
    theme turns their lightness round.
    """
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.6),
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "font.size": 11,
            "axes.titlesize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "image.cmap": INK,
        }
    )
    try:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")
    except (ImportError, AttributeError):  # a plain script: there is no inline picture to sharpen
        pass


def images(
    x: Tensor,
    image_shape: tuple[int, ...],
    *,
    n_columns: int = 10,
    titles: Sequence[str] | None = None,
    value_range: tuple[float, float] = (0.0, 1.0),
    ax: Axes | None = None,
) -> Axes:
    """Images side by side in one Axes: x of shape (N, D), in rows of `n_columns`.

    `image_shape` is (height, width), or (channels, height, width) with one channel or three: red,
    green and blue. `value_range` gives the values shown as white and as black: (0, 1) for ink on
    paper, (1, 0) for a photograph, where bright is bright; in colour, those of a channel that is
    dark and full. `titles`, one a row, stand at the left of the rows.
    """
    n_columns, (low, high) = checks.count(n_columns, "n_columns"), sorted(value_range)
    if low == high:
        raise ValueError(f"value_range must be two values, low < high or not, not {value_range}.")
    sheet, step = _sheet(_pictures(x, image_shape), n_columns)
    shape = 6.4, 6.4 * sheet.shape[0] / sheet.shape[1] + 0.1
    ax = ax or plt.figure(figsize=shape).subplots()
    if sheet.ndim == 3:
        visible = np.isfinite(sheet[..., :1])
        scaled = np.where(visible, (sheet - low) / (high - low), 0).clip(0, 1)
        sheet = np.concatenate([scaled, visible], axis=2)
    cmap = INK if low == value_range[0] else "gray"  # colours need none
    ax.imshow(sheet, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
    _tidy(ax, [step * row + (step - 1) / 2 for row in range(-(-len(sheet) // step))], titles)
    return ax


def _pictures(x: object, image_shape: tuple[int, ...]) -> np.ndarray:
    """Images (N, H, W), or (N, H, W, 3) in colour."""
    if len(image_shape) not in (2, 3) or (len(image_shape) == 3 and image_shape[0] not in (1, 3)):
        raise ValueError(
            f"image_shape must be (H, W), or (C, H, W) with 1 or 3 channels, not {image_shape}."
        )
    x = checks.rows(x, "x", n_columns=math.prod(image_shape)).cpu()
    pictures = x.reshape(len(x), -1, *image_shape[-2:]).movedim(1, -1)
    return (pictures if pictures.shape[-1] == 3 else pictures[..., 0]).numpy()


def _sheet(pictures: np.ndarray, n_columns: int) -> tuple[np.ndarray, int]:
    """Pictures in rows, NaN between them, and the height from one row to the next."""
    _, height, width, *channels = pictures.shape
    gap, n_rows = max(1, width // 8), -(-len(pictures) // n_columns)
    size = n_rows * (height + gap) - gap, n_columns * (width + gap) - gap
    sheet = np.full((*size, *channels), np.nan)
    for i, picture in enumerate(pictures):
        top, left = (i // n_columns) * (height + gap), (i % n_columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet, height + gap


def _tidy(ax: Axes, centres: list[float], titles: Sequence[str] | None) -> None:
    if titles is not None and len(titles) != len(centres):
        raise ValueError(f"Expected a title for each of {len(centres)} rows, got {len(titles)}.")
    ax.set_facecolor(GAP)
    ax.spines[:].set_visible(False)
    ax.set_xticks([])
    ax.set_yticks(centres if titles else [], titles or [])
    ax.tick_params(length=0)


def latent_map(z: Tensor, labels: Tensor | None = None, *, ax: Axes | None = None) -> Axes:
    """Codes or latent means, z of shape (N, 2), as points; one colour and marker a label.

    `labels` are whole numbers, (N,); up to 100 classes differ in their colour or their marker.
    """
    z = _plane(z, "z")
    values = None if labels is None else _labels(labels, len(z))
    ax = ax or plt.figure(figsize=(5.4, 4.6)).subplots()
    if values is None:
        ax.plot(z[:, 0], z[:, 1], "o", markersize=3, alpha=0.5, color="tab:blue")
    else:
        classes = np.unique(values)
        # A class has the same colour in every figure, unless its label is no class's number.
        numbers = classes if classes.min() >= 0 and classes.max() < 100 else range(len(classes))
        for label, number in zip(classes, numbers, strict=True):
            points, marker = z[values == label], MARKERS[(number + number // 10) % 10]
            style = {"marker": marker, "markersize": 4, "alpha": 0.7, "linestyle": "none"}
            color = f"C{number % 10}"
            ax.plot(points[:, 0], points[:, 1], label=str(label), color=color, **style)
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0, title="digit")
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax


def _labels(labels: object, n: int) -> np.ndarray:
    """One whole number for each of n points, of 100 kinds at most."""
    values = checks.as_tensor(labels, "labels").cpu()
    expected = f"labels must be one whole number for each of {n} points"
    if values.shape != (n,):
        remedy = " One-hot labels need labels.argmax(1)." if values.ndim == 2 else ""
        raise ValueError(f"{expected}, (N,), but have shape {tuple(values.shape)}.{remedy}")
    if values.is_complex() or ((whole := values.long()) != values).any():
        raise ValueError(f"{expected}, but some of these, {values.dtype}, are not whole.")
    if len(whole.unique()) > 100:
        raise ValueError(f"{expected}, of 100 classes at most, but there are more.")
    return whole.numpy()


def ellipses(
    mu: Tensor,
    sigma: Tensor,
    *,
    n_sigma: Sequence[float] = (1.0, 2.0),
    color: str = "tab:blue",
    ax: Axes | None = None,
) -> Axes:
    """The one- and two-σ ellipses of diagonal Gaussians in the plane: mu and sigma of (N, 2)."""
    mu, sigma = _plane(mu, "mu"), _plane(sigma, "sigma")
    if len(mu) != len(sigma) or (sigma < 0).any():
        raise ValueError(
            f"Each mean needs a scale of 0 or more, but there are {len(mu)} means and "
            f"{len(sigma)} scales, the smallest {sigma.min():g}."
        )
    ax = ax or plt.figure(figsize=(5.4, 4.6)).subplots()
    for centre, scale in zip(mu, sigma, strict=True):
        for n in n_sigma:
            ax.add_patch(Ellipse(centre, *(2 * n * scale), fill=False, color=color, alpha=0.8))
    ax.plot(mu[:, 0], mu[:, 1], "+", color=color, markersize=5)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax


def _plane(z: object, name: str) -> np.ndarray:
    return checks.rows(z, name, raw=True, n_columns=2).cpu().numpy()


def curves(history: "History", *, label: str = "objective", ax: Axes | None = None) -> Axes:
    """The training curve, and the held-out one where there is one, in nats per example.

    Fewer held-out values than epochs belong to the last ones: a run may get held-out data late.
    """
    ax = ax or plt.figure().subplots()
    n_epochs, n_judged = len(history.train), len(history.held_out)
    ax.plot(range(1, n_epochs + 1), history.train, label="training")
    if n_judged:
        first = max(n_epochs - n_judged, 0) + 1
        ax.plot(range(first, first + n_judged), history.held_out, "--", label="held out")
    ax.set(xlabel="epoch", ylabel=f"{label} (nats per example)")
    ax.legend()
    return ax
