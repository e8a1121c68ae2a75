"""Chapter 9's live figure: choose the reductions of a loss, read off the β and σ it implies."""

import math
from collections.abc import Mapping

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from vae_lib.live.figure import LiveFigure

NAME = "The calculator of implied β and σ"
DESCRIPTION = (
    "Put a loss together as it stands in code, or choose one, and read off of which model it is "
    "the ELBO. On the axis is its ratio b/a; the short marks are where one term averaged over D, "
    "L or B, and the other summed, would put it."
)
PER_NLL = {"SSE": 2.0, "half SSE": 1.0, "BCE": 1.0}
"""How many times a negative log-likelihood, with σ = 1 and less a constant, each term is."""
OVER = ("batch", "pixels")
KL_OVER = ("batch", "latents", "pixels")

Loss = tuple[str, str, str, float, Mapping[str, int]]
"""(term, over, kl_over, weight, sizes), as chapter 9's `implied_ratio` takes them."""


def loss_calculator(losses: Mapping[str, Loss], *, batch: int = 128) -> LiveFigure:
    """A form whose answer is b/a, the ratio of a loss's two coefficients.

    Args:
        losses: what can be chosen, by name; the first is shown first. Each is a term ("SSE",
            "half SSE" or "BCE"), what it is averaged over (some of "batch pixels", or ""), what
            the KL is averaged over (some of "batch latents pixels"), the weight of the KL, and
            the sizes "pixels" and "latents".
        batch: the size of the batch that each begins with.

    Taught in chapter 9.
    """
    if not losses:
        raise ValueError("Expected one loss or more to choose from, but got none.")
    known = [
        {"name": name, **_parts(name, *loss[:4], {**loss[4], "batch": batch})}
        for name, loss in losses.items()
    ]
    state = {"losses": known}
    picture = _picture(known)
    return LiveFigure(
        "loss_calculator", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _parts(
    name: str, term: str, over: str, kl_over: str, weight: float, sizes: Mapping[str, int]
) -> dict[str, object]:
    if term not in PER_NLL:
        raise ValueError(f"{name}: the term must be one of {', '.join(PER_NLL)}, not {term!r}.")
    for axes, allowed in ((over, OVER), (kl_over, KL_OVER)):
        if not set(axes.split()) <= set(allowed):
            raise ValueError(
                f"{name}: a term is averaged over some of {' '.join(allowed)!r}, or over nothing, "
                f"'', but not over {axes!r}."
            )
    if not 0 <= weight < math.inf:
        raise ValueError(f"{name}: the weight must be a number, 0 or more, not {weight}.")
    if set(sizes) != set(KL_OVER) or any(n < 1 or n != int(n) for n in sizes.values()):
        raise ValueError(
            f"{name}: expected the sizes pixels, latents and batch, whole numbers of 1 or more, "
            f"but got {dict(sizes)}."
        )
    return {
        "term": term,
        "over": over.split(),
        "kl_over": kl_over.split(),
        "weight": float(weight),
        "sizes": {axis: int(n) for axis, n in sizes.items()},
    }


def _ratio(loss: Mapping) -> float:
    a = PER_NLL[loss["term"]] / math.prod(loss["sizes"][axis] for axis in loss["over"])
    return loss["weight"] / math.prod(loss["sizes"][axis] for axis in loss["kl_over"]) / a


def _picture(losses: list[dict]) -> Figure:
    """All the losses with their answers, since paper can't choose among them."""
    fig, ax = plt.subplots(figsize=(6.8, 1 + 0.34 * len(losses)), layout="constrained")
    for row, loss in enumerate(losses):
        ratio = _ratio(loss)
        if ratio == 0:
            continue  # no place on a logarithmic axis
        is_bce = loss["term"] == "BCE"
        ax.plot(ratio, row, "s" if is_bce else "o", color="tab:blue" if is_bce else "tab:orange")
        meaning = f"β = {ratio:.3g}" if is_bce else f"σ = {math.sqrt(ratio):.3g}"
        ax.annotate(meaning, (ratio, row), xytext=(8, -3), textcoords="offset points", fontsize=9)
    ax.margins(x=0.25)
    ax.set(xscale="log", xlabel="$b/a$: β of a cross-entropy (squares), σ² of an error (dots)")
    ax.set_yticks(range(len(losses)), [loss["name"] for loss in losses], fontsize=9)
    ax.invert_yaxis()
    return fig
