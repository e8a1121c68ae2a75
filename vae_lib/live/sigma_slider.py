"""Chapter 4's live figure: what every σ would make of the same reconstructions."""

import math
from collections.abc import Mapping

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch import distributions as td

from vae_lib.live.figure import LiveFigure, here, pack
from vae_lib.live.pictures import show_image

NAME = "One σ for all pixels"
DESCRIPTION = (
    "Move σ by the slider, or by the handle on the solid curve, and choose an image. The curves "
    "are minus its log-likelihood and the two terms of that; the draw has noise of the chosen σ."
)
ALL = "all {n}, on average"
TICKS = [sign * 10.0**power for power in range(-4, 4) for sign in (1, 2, 5)]


def sigma_slider(
    x: Tensor,
    x_mean: Tensor,
    *,
    shown: Mapping[str, int],
    image_shape: tuple[int, int],
    value_range: tuple[float, float],
    sigma: float,
) -> LiveFigure:
    """SSE/2σ² + (D/2) log 2πσ², with σ to be moved, for images and for the mean over all of them.

    Args:
        x, x_mean: images and the means of p(x|z) that stand for them, both (N, D). None may be
            reconstructed without any error: its likelihood has no maximum over σ.
        shown: which of them can be chosen, by what they are called; the first is shown first.
        value_range: the values shown as white and as black, the higher first for photographs.
        sigma: the σ shown first.

    Taught in chapter 4.
    """
    x, x_mean = here(x, x_mean)
    _check(x, x_mean, shown, image_shape, sigma)
    sse = (x.double() - x_mean.double()).square().sum(1)
    typical = (sse - sse.mean()).abs().argmin().item()
    rows = [*shown.values(), typical]  # the last stands beside the mean over all
    cases = list(zip([*shown, ALL.format(n=len(x))], [*sse[rows[:-1]], sse.mean()], strict=True))
    state = {
        "x": pack(x[rows]),
        "x_mean": pack(x_mean[rows]),
        "names": [name for name, _ in cases],
        "mean_sse": sse.mean().item(),
        "image_shape": list(image_shape),
        "value_range": [float(value) for value in value_range],
        "log10_range": _log10_range([case[1].item() for case in cases], x.shape[1], sigma),
        "sigma": float(sigma),
        "seed": 0,
    }
    picture = _picture(state, x[rows[0]], x_mean[rows[0]])
    return LiveFigure(
        "sigma_slider", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _check(
    x: Tensor, x_mean: Tensor, shown: Mapping[str, int], image_shape: tuple[int, int], sigma: float
) -> None:
    if x.ndim != 2 or x.shape != x_mean.shape or x.shape[1] != math.prod(image_shape):
        raise ValueError(
            f"Expected images and their means, both (N, {math.prod(image_shape)}), but got "
            f"{tuple(x.shape)} and {tuple(x_mean.shape)}."
        )
    if not shown or not all(0 <= row < len(x) for row in shown.values()):
        raise ValueError(
            f"`shown` must name one image or more by rows from 0 to {len(x) - 1}, but is "
            f"{dict(shown)}."
        )
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma must be a positive number, not {sigma}.")
    exact = [name for name, row in shown.items() if torch.equal(x[row], x_mean[row])]
    if exact:
        raise ValueError(f"No σ is best for a perfect reconstruction: leave out {exact}.")


def _log10_range(sse: list[float], n_pixels: int, sigma: float) -> list[float]:
    """The slider's ends in tenths of a decade: all that is marked, with room on either side."""
    best = [math.sqrt(value / n_pixels) for value in sse]
    low, high = min(*best, sigma, math.sqrt(0.5)), max(*best, sigma, 1.0)
    return [math.floor(10 * math.log10(low / 4)) / 10, math.ceil(10 * math.log10(4 * high)) / 10]


def _picture(state: dict, x: Tensor, x_mean: Tensor) -> Figure:
    """The first state, with noise of its own; errors and noise at twice the contrast."""
    sigma, (white, black) = state["sigma"], state["value_range"]
    layout = [["curves", "x", "errors"], ["curves", "reconstruction", "."]]
    layout += [["curves", "a draw", "noise"]]
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(7.2, 3.6), width_ratios=(4, 1, 1), layout="constrained"
    )
    _draw_curves(axes["curves"], (x - x_mean).double(), sigma, state["log10_range"])
    noise = sigma * torch.randn(len(x), generator=torch.Generator().manual_seed(0))
    half = (black - white) / 4
    shown = {"x": x, "reconstruction": x_mean, "a draw": x_mean + noise}
    shown |= {"errors": x - x_mean, "noise": noise}
    for name, values in shown.items():
        ends = (-half, half) if name in ("errors", "noise") else (white, black)
        title = "$x$" if name == "x" else name
        image = values.reshape(state["image_shape"])
        show_image(axes[name], image, title, white=ends[0], black=ends[1])
    return fig


def _draw_curves(ax: Axes, residual: Tensor, sigma: float, log10_range: list[float]) -> None:
    grid = torch.logspace(*log10_range, 400, dtype=torch.float64)
    cost = -td.Normal(0.0, grid[:, None]).log_prob(residual).sum(1)
    log_term = len(residual) / 2 * (2 * math.pi * grid.square()).log()
    now = -td.Normal(0.0, sigma).log_prob(residual).sum()
    x, error_term = grid.numpy(), cost - log_term
    ax.plot(x, error_term.numpy(), "--", color="tab:orange", label="SSE / 2$\\sigma^2$")
    ax.plot(x, log_term.numpy(), ":", color="tab:blue", label=r"$\frac{D}{2}\log 2\pi\sigma^2$")
    ax.plot(x, cost.numpy(), "k-", label="their sum")
    for value, name, side in (
        (math.sqrt(0.5), "$\\sigma^2$ = ½", "right"),
        (1.0, "$\\sigma$ = 1", "left"),
    ):
        ax.axvline(value, color="0.6", linestyle="--", lw=1, zorder=0)
        place = (value, 0.97)
        style = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
        offset = (-4 if side == "right" else 4, 0)
        ax.annotate(name, place, xytext=offset, ha=side, color="0.3", fontsize=9, **style)
    ax.plot(sigma, now.item(), "o", color="tab:red", markersize=9)
    bottom, top = log_term[0].item(), log_term[-1].item() + 1.5 * len(residual)
    ax.set(xscale="log", xlabel="$\\sigma$", ylabel="nats", ylim=(bottom, top))
    ax.set_xticks(ticks := [t for t in TICKS if x[0] <= t <= x[-1]], [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)
    ax.legend(fontsize=9, loc="lower right", frameon=True, framealpha=1, edgecolor="none")
