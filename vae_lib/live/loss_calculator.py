"""Chapter 9's live figure: the β and the σ that a pair of reductions implies."""

import math
from collections.abc import Mapping

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from vae_lib.live.figure import LiveFigure

NAME = "The calculator of implied β and σ"
DESCRIPTION = (
    "Say how a loss adds up its two terms, and read off of which model it is the ELBO. Every mean "
    "divides a term by what it averages over, and the two divisors need not be the same."
)

Choice = tuple[str, str, str, float, Mapping[str, int]]
"""(term, over, kl_over, weight, sizes), as chapter 9's `implied_ratio` takes them."""


def loss_calculator(choices: Mapping[str, Choice], *, batch: int = 128) -> LiveFigure:
    """A form that computes the implied β, or σ, of a loss; it begins with the first of `choices`.

    Args:
        choices: losses by name. Each is the reconstruction term ("SSE", "half SSE" or "BCE"), what
            it is averaged over ("", "batch", "pixels" or "batch pixels"), what the KL is averaged
            over ("latents" in place of "pixels", or "batch pixels"), the KL's weight, and the
            sizes "pixels" and "latents".
        batch: the batch size that each begins with.

    Taught in chapter 9.
    """
    if not choices:
        raise ValueError("Expected one loss at least to begin with, but got none.")
    presets = [_preset(name, choice, batch) for name, choice in choices.items()]
    return LiveFigure(
        "loss_calculator",
        name=NAME,
        description=DESCRIPTION,
        state={"presets": presets},
        picture=_picture(presets),
    )


def _preset(name: str, choice: Choice, batch: int) -> dict[str, object]:
    term, over, kl_over, weight, sizes = choice
    known = {
        "term": (term, ("SSE", "half SSE", "BCE")),
        "over": (over, ("", "batch", "pixels", "batch pixels")),
        "kl_over": (kl_over, ("", "batch", "latents", "batch latents", "batch pixels")),
    }
    for key, (value, allowed) in known.items():
        if value not in allowed:
            raise ValueError(f"{key} of {name!r} must be one of {allowed}, not {value!r}.")
    pixels, latents = sizes["pixels"], sizes["latents"]
    if min(pixels, latents, batch, weight) <= 0:
        raise ValueError(f"All sizes and the weight of {name!r} must be above 0.")
    numbers = {"weight": weight, "pixels": pixels, "latents": latents, "batch": batch}
    return {"name": name, "term": term, "over": over, "kl_over": kl_over, **numbers}


def _ratio(preset: dict) -> float:
    def divisor(axes: str) -> float:
        return math.prod(preset[axis] for axis in axes.split())

    coefficient = 2.0 if preset["term"] == "SSE" else 1.0
    return preset["weight"] / divisor(preset["kl_over"]) * divisor(preset["over"]) / coefficient


def _picture(presets: list[dict]) -> Figure:
    fig, ax = plt.subplots(figsize=(6.4, 0.5 + 0.32 * len(presets)))
    for row, preset in enumerate(presets):
        is_bce = preset["term"] == "BCE"
        value = _ratio(preset) if is_bce else math.sqrt(_ratio(preset))
        ax.plot(value, row, "o" if is_bce else "s", color="C0" if is_bce else "C1")
        symbol = "β" if is_bce else "σ"
        ax.annotate(f"  {symbol} = {value:.3g}", (value, row), va="center", fontsize=9)
    ax.set_yticks(range(len(presets)), [preset["name"] for preset in presets])
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="implied β (circles) or σ (squares)")
    ax.margins(x=0.25)
    return fig
