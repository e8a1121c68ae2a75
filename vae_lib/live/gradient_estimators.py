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
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
    _draw_slopes(left, mu, sigma, z[:N_SHOWN])
    bins = torch.linspace(-10, 10, 62).numpy()
    score = {"histtype": "stepfilled", "color": "tab:orange", "label": "score function"}
    right.hist((z.square() * eps / sigma).numpy(), bins, **score)
    path = {"histtype": "step", "color": "tab:blue", "linewidth": 2, "label": "pathwise"}
    right.hist((2 * z).numpy(), bins, **path)
    right.axvline(2 * mu, color="black", linestyle="--", linewidth=1, label="exact")
    right.set(xlabel="an estimate of $d\\,E[z^2]/d\\mu$", ylabel="draws")
    right.legend(fontsize=8)
    return fig


def _draw_slopes(axes: Axes, mu: float, sigma: float, z: Tensor) -> None:
    axis = torch.linspace(-3.5, 3.5, 401)
    axes.plot(axis, axis.square(), "k-", label="$f(z)$")
    density = torch.exp(-0.5 * ((axis - mu) / sigma) ** 2)
    axes.plot(axis, 4 * density, "--", color="tab:gray", label="$q(z)$, not to scale")
    for value in z.tolist():
        ends = (value - 0.25, value + 0.25)
        axes.plot(ends, [value**2 + 2 * value * (end - value) for end in ends], "tab:blue", lw=2)
    axes.plot(z, z.square(), "o", color="tab:blue", markersize=4)
    axes.set(xlabel="$z$", xlim=(-3.5, 3.5), ylim=(-0.4, 12.5))
    axes.legend(fontsize=8, loc="upper center")
