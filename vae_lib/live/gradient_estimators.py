"""Chapter 7's live figure: one set of ε, and two estimators of a gradient made from it."""

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from vae_lib.live.figure import LiveFigure

NAME = "Two estimators from the same draws"
DESCRIPTION = (
    "Move μ and σ: the draws z = μ + σε keep their ε. Blue, on f: the slopes at some of the draws, "
    "the pathwise estimates. Orange: the draws' scores, up or down. The histograms are of one "
    "estimate for each of the draws, and the dashed line is the exact gradient."
)
MU_RANGE = (-2.0, 2.0)
SIGMA_RANGE = (0.1, 1.5)
N_DRAWS = 1000
N_SHOWN = 12
ESTIMATES = (-20.0, 20.0)  # which the picture shows


def gradient_estimators(
    *,
    mu: float = 1.0,
    sigma: float = 0.5,
    x: float = 0.4,
    x_sigma: float = 0.3,
    omega: float = 8.0,
    seed: int = 0,
) -> LiveFigure:
    """Estimates of d/dμ E[f(z)], z from N(μ, σ²), by the path and by the score function.

    f is z², z² + 10, the toy decoder's log N(x; tanh 2z, x_sigma²), sin ωz, or a step at 0. The
    score function's estimates are shown without a baseline, with the mean of f over the other
    draws, or with the best constant.

    Args:
        mu, sigma: where the sliders begin, within ±2 and from 0.1 to 1.5.
        x, x_sigma: the toy decoder's observation and scale.
        omega: the frequency of the wave.
        seed: of the draws in the page.

    Taught in chapter 7.
    """
    for name, value, (low, high) in (("mu", mu, MU_RANGE), ("sigma", sigma, SIGMA_RANGE)):
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low} to {high}, as its slider, not {value!r}.")
    for name, value in (("x_sigma", x_sigma), ("omega", omega)):
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be a positive finite number, not {value!r}.")
    state = {
        "mu": float(mu),
        "sigma": float(sigma),
        "mu_range": list(MU_RANGE),
        "sigma_range": list(SIGMA_RANGE),
        "x": float(x),
        "x_sigma": float(x_sigma),
        "omega": float(omega),
        "seed": int(seed),
        "n_draws": N_DRAWS,
        "n_shown": N_SHOWN,
    }
    picture = _picture(mu, sigma, seed)
    return LiveFigure(
        "gradient_estimators", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _picture(mu: float, sigma: float, seed: int) -> Figure:
    """The first state, f(z) = z², with ε of its own."""
    eps = torch.randn(N_DRAWS, generator=torch.Generator().manual_seed(seed))
    z = mu + sigma * eps
    layout = [["pathwise", "f"], ["score", "q"]]
    fig, axes = plt.subplot_mosaic(layout, figsize=(7.2, 3.8), layout="constrained")
    score = "score function: $f(z)\\,\\varepsilon/\\sigma$"
    _draw_estimates(axes["pathwise"], 2 * z, 2 * mu, "tab:blue", "pathwise: $f'(z)$")
    _draw_estimates(axes["score"], z.square() * eps / sigma, 2 * mu, "tab:orange", score)
    axes["pathwise"].tick_params(labelbottom=False)
    axes["score"].set(xlabel="an estimate of $\\partial E[f]/\\partial\\mu$")
    _draw_slopes(axes["f"], z[:N_SHOWN])
    _draw_scores(axes["q"], mu, sigma, eps[:N_SHOWN])
    return fig


def _draw_estimates(ax: Axes, values: Tensor, exact: float, colour: str, name: str) -> None:
    """A histogram, with the exact value and, as a triangle, the mean."""
    ax.hist(values.numpy(), torch.linspace(*ESTIMATES, 81).numpy(), color=colour)
    ax.axvline(exact, color="black", linestyle="--", lw=1)
    ax.plot(values.mean().item(), 0, "k^", markersize=6, clip_on=False, zorder=3)
    ax.set(xlim=ESTIMATES, yticks=[])
    beyond = int(((values < ESTIMATES[0]) | (values > ESTIMATES[1])).sum())
    if beyond:
        place = {"xycoords": "axes fraction", "ha": "right", "fontsize": 9}
        ax.annotate(f"{beyond} beyond the axis", (1, 0.8), **place)
    ax.set_title(name, loc="left", fontsize=10, color=colour)


def _draw_slopes(ax: Axes, z: Tensor) -> None:
    axis = torch.linspace(-3.5, 3.5, 401)
    ax.plot(axis, axis.square(), "k-")
    for value in z.tolist():
        ends = (value - 0.25, value + 0.25)
        ax.plot(ends, [value**2 + 2 * value * (end - value) for end in ends], "tab:blue", lw=2)
    ax.plot(z, z.square(), "o", color="tab:blue", markersize=4)
    ax.set(xlim=(-3.5, 3.5), ylim=(-0.8, 12.5), ylabel="$f(z) = z^2$")


def _draw_scores(ax: Axes, mu: float, sigma: float, eps: Tensor) -> None:
    """q(z), and at each draw an arrow as long as its score times σ, which is ε."""
    axis = torch.linspace(-3.5, 3.5, 401)
    ax.fill_between(axis, 2.5 * torch.exp(-0.5 * ((axis - mu) / sigma) ** 2), color="0.85")
    ax.axhline(0, color="black", lw=0.8)
    arrow = {"arrowstyle": "->", "color": "tab:orange", "lw": 1.5, "shrinkA": 0, "shrinkB": 0}
    for e in eps.tolist():
        z = mu + sigma * e
        ax.annotate("", (z, e), (z, 0), arrowprops=arrow)
    ax.plot(mu + sigma * eps, torch.zeros_like(eps), "o", color="tab:orange", markersize=4)
    ax.set(xlim=(-3.5, 3.5), ylim=(-2.9, 2.9), xlabel="$z$", ylabel="score $\\cdot\\,\\sigma$")
