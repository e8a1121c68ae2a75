"""Pictures: tensors and a History in, matplotlib Axes out. Nothing here ever sees a model."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, Polygon, Rectangle
from torch import Tensor

if TYPE_CHECKING:
    from vae_lib.training import History

INK = "gray_r"
"""The colour map of images, ink on paper, in which 0 is white and 1 is black."""

MARKERS = "os^vD<>P*X"
"""One marker a class, so that classes differ by more than their hue."""


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
    image_shape: tuple[int, int],
    *,
    n_columns: int = 10,
    titles: Sequence[str] | None = None,
    value_range: tuple[float, float] = (0.0, 1.0),
    ax: Axes | None = None,
) -> Axes:
    """Images side by side in one Axes: x of shape (N, D), in rows of `n_columns`.

    `value_range` gives the values shown as white and as black. `titles`, one a row, stand at the
    left of the rows.
    """
    height, width = image_shape
    if x.ndim != 2 or len(x) < 1 or x.shape[1] != height * width:
        raise ValueError(
            f"Expected images of shape (N, {height * width}) for image_shape {image_shape}, "
            f"but got {tuple(x.shape)}."
        )
    n_rows = -(-len(x) // n_columns)
    gap = max(1, width // 8)
    sheet = np.full((n_rows * (height + gap) - gap, n_columns * (width + gap) - gap), np.nan)
    for i, image in enumerate(x.detach().cpu().reshape(-1, height, width).numpy()):
        top, left = (i // n_columns) * (height + gap), (i % n_columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    ax = ax or plt.figure(figsize=(6.4, 6.4 * sheet.shape[0] / sheet.shape[1] + 0.1)).subplots()
    ax.imshow(sheet, cmap=INK, vmin=value_range[0], vmax=value_range[1], interpolation="nearest")
    ax.set_facecolor("#dde3ea")  # the gaps, so that an image's own white edge can be seen
    ax.spines[:].set_visible(False)
    ax.set_xticks([])
    centres = [row * (height + gap) + height / 2 for row in range(n_rows)]
    ax.set_yticks(centres if titles else [], titles or [])
    ax.tick_params(length=0)
    return ax


def latent_map(z: Tensor, labels: Tensor | None = None, *, ax: Axes | None = None) -> Axes:
    """Codes or latent means, z of shape (N, 2), as points; one colour and marker a label."""
    _check_plane(z)
    ax = ax or plt.figure(figsize=(5.4, 4.6)).subplots()
    z = z.detach().cpu()
    if labels is None:
        ax.plot(z[:, 0], z[:, 1], "o", markersize=3, alpha=0.5, color="tab:blue")
    else:
        for label in labels.cpu().unique().tolist():
            points, marker = z[labels.cpu() == label], MARKERS[label % len(MARKERS)]
            style = {"marker": marker, "markersize": 4, "alpha": 0.7, "linestyle": "none"}
            ax.plot(points[:, 0], points[:, 1], label=str(label), color=f"C{label % 10}", **style)
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0, title="digit")
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax


def ellipses(
    mu: Tensor,
    sigma: Tensor,
    *,
    n_sigma: Sequence[float] = (1.0, 2.0),
    color: str = "tab:blue",
    ax: Axes | None = None,
) -> Axes:
    """The one- and two-σ ellipses of diagonal Gaussians in the plane: mu and sigma of (N, 2)."""
    _check_plane(mu)
    _check_plane(sigma)
    ax = ax or plt.figure(figsize=(5.4, 4.6)).subplots()
    for centre, scale in zip(mu.detach().cpu(), sigma.detach().cpu(), strict=True):
        for n in n_sigma:
            width, height = (2 * n * scale).tolist()
            patch = Ellipse(centre.tolist(), width, height, fill=False, color=color, alpha=0.8)
            ax.add_patch(patch)
    ax.plot(mu[:, 0].detach().cpu(), mu[:, 1].detach().cpu(), "+", color=color, markersize=5)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax


def _check_plane(z: Tensor) -> None:
    if z.ndim != 2 or z.shape[1] != 2:
        raise ValueError(f"A map of the plane needs shape (N, 2), not {tuple(z.shape)}.")


def curves(history: "History", *, label: str = "objective", ax: Axes | None = None) -> Axes:
    """The training curve, and the held-out one where there is one, in nats per example."""
    ax = ax or plt.figure().subplots()
    epochs = range(1, len(history.train) + 1)
    ax.plot(epochs, history.train, label="training")
    if history.held_out:
        ax.plot(epochs, history.held_out, "--", label="held out")
    ax.set(xlabel="epoch", ylabel=f"{label} (nats per example)")
    ax.legend()
    return ax


_GREY, _LIT, _LIT_EDGE = "#6b7280", "#cfe3fb", "#1257a8"


def flow_diagram(*lit: str, ax: Axes | None = None) -> Axes:
    """The book's diagram: x, encoder, μ and σ², z, decoder, parameters, distribution over x.

    The parts named in `lit` are lit: any of "x", "encoder", "mean and variance", "z", "prior",
    "decoder", "parameters", "distribution", "comparison".
    """
    unknown = set(lit) - set(_DIAGRAM)
    if unknown:
        raise ValueError(f"Unknown parts {sorted(unknown)}: choose from {list(_DIAGRAM)}.")
    ax = ax or plt.figure(figsize=(6.6, 3.5)).subplots()
    ax.set(xlim=(-0.75, 7.35), ylim=(-1.0, 3.25), aspect="equal")
    ax.axis("off")
    arrows = [(0.5, 2, 1.0, 2), (2.2, 2, 2.7, 2), (4.5, 2, 5.15, 1.52), (5.15, 0.48, 4.5, 0)]
    for x0, y0, x1, y1 in [*arrows, (3.3, 0, 2.55, 0), (1.65, 0, 0.55, 0)]:
        style = {"arrowstyle": "-|>", "color": _GREY, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (x1, y1), (x0, y0), arrowprops=style)
    for name, draw in _DIAGRAM.items():
        draw(ax, name in lit)
    return ax


def _outline(ax: Axes, corners: list[tuple[float, float]], is_lit: bool) -> None:
    style = {"facecolor": _LIT, "edgecolor": _LIT_EDGE, "linewidth": 2.2}
    unlit = {"facecolor": "white", "edgecolor": _GREY, "linewidth": 1.2}
    ax.add_patch(Polygon(corners, closed=True, zorder=2, **(style if is_lit else unlit)))


def _write(ax: Axes, x: float, y: float, text: str, is_lit: bool, size: float = 11.5) -> None:
    weight, color = ("bold", "#0b3d78") if is_lit else ("normal", "#1f2937")
    style = {"ha": "center", "va": "center", "zorder": 4, "fontsize": size}
    ax.text(x, y, text, color=color, fontweight=weight, **style)


def _box(x: float, y: float, w: float, h: float) -> list[tuple[float, float]]:
    return [(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)]


# A three on an 8x8 grid, drawn for the diagram: its rows as binary numbers, left pixel first.
_THREE = [0b00111100, 0b01100110, 0b00000110, 0b00011100, 0b00000110, 0b01100110, 0b00111100, 0]


def _pixels(ax: Axes, x: float, y: float, is_lit: bool, blur: float) -> None:
    image = np.array([[row >> (7 - j) & 1 for j in range(8)] for row in _THREE], dtype=float)
    soft = np.pad(image, 1)
    neighbours = (soft[:-2, 1:-1] + soft[2:, 1:-1] + soft[1:-1, :-2] + soft[1:-1, 2:]) / 4
    shown = (1 - blur) * image + blur * neighbours
    extent = (x - 0.5, x + 0.5, y - 0.5, y + 0.5)
    ax.imshow(shown, cmap=INK, extent=extent, vmin=0, vmax=1, zorder=3, interpolation="nearest")
    edge = {"edgecolor": _LIT_EDGE, "linewidth": 2.6} if is_lit else {"edgecolor": _GREY}
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, zorder=4, **edge))


def _draw_x(ax: Axes, is_lit: bool) -> None:
    _pixels(ax, 0, 2, is_lit, blur=0.0)
    _write(ax, 0, 2.8, "$x$", is_lit, 14)


def _draw_encoder(ax: Axes, is_lit: bool) -> None:
    _outline(ax, [(1.0, 1.4), (2.2, 1.65), (2.2, 2.35), (1.0, 2.6)], is_lit)
    _write(ax, 1.6, 2, "encoder", is_lit)


def _draw_mean_and_variance(ax: Axes, is_lit: bool) -> None:
    for y, text in ((2.33, r"mean $\mu$"), (1.67, r"variance $\sigma^2$")):
        _outline(ax, _box(3.6, y, 0.9, 0.29), is_lit)
        _write(ax, 3.6, y, text, is_lit)
    _write(ax, 3.6, 2.9, "$q(z|x)$", is_lit, 13)


def _draw_z(ax: Axes, is_lit: bool) -> None:
    edge, face = (_LIT_EDGE, _LIT) if is_lit else (_GREY, "white")
    for scale, width in ((1.0, 2.2 if is_lit else 1.2), (0.6, 0.8)):
        shape = {"facecolor": face, "edgecolor": edge, "linewidth": width, "zorder": 2}
        ax.add_patch(Ellipse((5.6, 1), 1.35 * scale, 1.0 * scale, **shape))
    ax.plot(5.75, 0.88, "o", color=edge, markersize=4, zorder=4)
    _write(ax, 5.52, 1.08, "$z$", is_lit, 14)


def _draw_prior(ax: Axes, is_lit: bool) -> None:
    style = {"arrowstyle": "-|>", "color": _LIT_EDGE if is_lit else _GREY, "linestyle": "--"}
    ax.annotate("", (6.1, 0.62), (6.65, 0.08), arrowprops=style)
    _write(ax, 6.65, -0.2, "prior $p(z)$", is_lit)


def _draw_decoder(ax: Axes, is_lit: bool) -> None:
    _outline(ax, [(3.3, -0.6), (4.5, -0.35), (4.5, 0.35), (3.3, 0.6)], is_lit)
    _write(ax, 3.9, 0, "decoder", is_lit)


def _draw_parameters(ax: Axes, is_lit: bool) -> None:
    _outline(ax, _box(2.1, 0, 0.45, 0.6), is_lit)
    _write(ax, 2.1, 0, "para-\nmeters", is_lit, 10.5)


def _draw_distribution(ax: Axes, is_lit: bool) -> None:
    _pixels(ax, 0, 0, is_lit, blur=0.55)
    _write(ax, 0, -0.78, "$p(x|z)$", is_lit, 13)


def _draw_comparison(ax: Axes, is_lit: bool) -> None:
    style = {"arrowstyle": "<|-|>", "color": _LIT_EDGE if is_lit else _GREY, "linestyle": ":"}
    ax.annotate("", (0, 0.52), (0, 1.48), arrowprops=style)
    _write(ax, 1.02, 1.0, r"$\log p(x|z)$", is_lit)


_DIAGRAM: dict[str, Callable[[Axes, bool], None]] = {
    "x": _draw_x,
    "encoder": _draw_encoder,
    "mean and variance": _draw_mean_and_variance,
    "z": _draw_z,
    "prior": _draw_prior,
    "decoder": _draw_decoder,
    "parameters": _draw_parameters,
    "distribution": _draw_distribution,
    "comparison": _draw_comparison,
}
