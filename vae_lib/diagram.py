"""The book's diagram of a variational autoencoder, which returns with other parts lit."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, Polygon, Rectangle

INK = "gray_r"
"""The colour map of images, ink on paper, in which 0 is white and 1 is black."""

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
