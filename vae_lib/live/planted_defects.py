"""Chapter 14's live figure: a defect planted in a set of real images, and which scores notice."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from vae_lib.live.figure import LiveFigure, here, pack
from vae_lib.live.pictures import show_image

NAME = "Planted defects"
DESCRIPTION = (
    "Choose a defect and how much of it there is in a set of real images that plays a model's "
    "draws. A needle is a score, in standard deviations of its floor away from the floor's mean; "
    "outside the shaded band it rings."
)
RINGS_AT = 4.0
TICKS = (-100, -20, -4, 0, 4, 20, 100)

Scores = Callable[[Tensor], Sequence[float]]


def planted_defects(
    draws: Tensor,
    defects: Mapping[str, tuple[Tensor, str]],
    scores: Scores,
    floor: Tensor,
    *,
    names: Sequence[str],
    image_shape: tuple[int, int],
    n_steps: int = 10,
    n_shown: int = 12,
    start: str | None = None,
) -> LiveFigure:
    """Deviations of scores from their floors, for each defect and amount, computed here.

    Args:
        draws: real images that play the draws, (N, D).
        defects: for each, by name, the images with all of it, (N, D), and how there is less: "mix"
            takes (1 - s) of the image and s of the spoilt one, "replace" the spoilt ones for the
            share s of all rows that differ, the first of them first.
        scores: from images, (N, D), to S numbers.
        floor: what real images have, (R, S), as `real_against_real` gives it.
        names: of the S scores.
        n_steps: of the slider, from none to all.
        n_shown: how many images of the set are shown, of those that change if there are.
        start: the defect shown first, all of it; by default the first.

    Taught in chapter 14.
    """
    draws, floor = here(draws, floor)
    start = start or next(iter(defects))
    _check(draws, defects, floor, names, start)
    spread, middle = floor.double().std(0), floor.double().mean(0)
    deviations, pictures = [], []
    for spoilt, way in defects.values():
        (spoilt,) = here(spoilt)
        sets = [planted(draws, spoilt, way, step / n_steps) for step in range(n_steps + 1)]
        found = torch.tensor([list(scores(rows)) for rows in sets], dtype=torch.float64)
        deviations.append((found - middle) / spread)
        shown = _shown(draws, spoilt, n_shown)
        pictures.append(torch.stack([_in_bytes(rows[shown]) for rows in sets]))
    state = {
        "defects": list(defects),
        "scores": list(names),
        "deviations": pack(torch.stack(deviations)),
        "pictures": pack(torch.stack(pictures), "uint8"),
        "image_shape": list(image_shape),
        "rings_at": RINGS_AT,
        "start": list(defects).index(start),
    }
    picture = _picture(state, deviations[state["start"]][-1], pictures[state["start"]][-1])
    return LiveFigure(
        "planted_defects", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def planted(draws: Tensor, spoilt: Tensor, way: str, share: float) -> Tensor:
    """The set with a share of a defect: images half-spoilt, or half of them spoilt."""
    if way == "mix":
        return (1 - share) * draws + share * spoilt
    differ = (draws != spoilt).any(1).nonzero()[:, 0]
    replaced = differ[: round(share * len(differ))]
    rows = draws.clone()
    rows[replaced] = spoilt[replaced]
    return rows


def _check(draws: Tensor, defects: Mapping, floor: Tensor, names: Sequence, start: str) -> None:
    if not defects or start not in defects:
        raise ValueError(f"`start` must be one of the defects {list(defects)}, not {start!r}.")
    for name, (spoilt, way) in defects.items():
        if spoilt.shape != draws.shape or way not in ("mix", "replace"):
            raise ValueError(
                f'{name}: expected spoilt images {tuple(draws.shape)} and "mix" or "replace", but '
                f"got {tuple(spoilt.shape)} and {way!r}."
            )
    if floor.ndim != 2 or floor.shape[1] != len(names) or len(floor) < 2:
        raise ValueError(
            f"The floor must be (R, {len(names)}), a column for each named score and two rows or "
            f"more, but has shape {tuple(floor.shape)}."
        )
    if not (floor.double().std(0) > 0).all():
        raise ValueError("A score is the same in every row of the floor, so nothing rings.")


def _shown(draws: Tensor, spoilt: Tensor, n_shown: int) -> Tensor:
    """Evenly among the rows that change, so that half of them change by half of the way."""
    differ = (draws != spoilt).any(1).nonzero()[:, 0]
    rows = differ if len(differ) >= n_shown else torch.arange(len(draws))
    return rows[torch.linspace(0, len(rows) - 1, min(n_shown, len(rows))).round().long()]


def _in_bytes(rows: Tensor) -> Tensor:
    return (255 * rows.clamp(0, 1)).round()


def _picture(state: dict, deviations: Tensor, pictures: Tensor) -> Figure:
    """The first state."""
    layout = [["needles", *(f"{row} {column}" for column in range(4))] for row in range(3)]
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(7.2, 2.9), width_ratios=(5, 1, 1, 1, 1), layout="constrained"
    )
    _draw_needles(axes["needles"], state["scores"], deviations)
    for ax in list(axes.values())[1:]:
        ax.axis("off")
    for ax, image in zip(list(axes.values())[1:], pictures / 255, strict=False):
        ax.axis("on")
        show_image(ax, image.reshape(state["image_shape"]))
    axes["0 0"].set_title(state["defects"][state["start"]], loc="left", fontsize=10)
    return fig


def _draw_needles(ax: Axes, names: list[str], deviations: Tensor) -> None:
    ax.axvspan(*np.arcsinh([-RINGS_AT, RINGS_AT]), color="0.9")
    for row, deviation in enumerate(deviations.tolist()):
        rings = abs(deviation) > RINGS_AT
        colour = "tab:red" if rings else "tab:blue"
        ax.plot([0, math.asinh(deviation)], [row, row], color=colour, lw=2)
        ax.plot(math.asinh(deviation), row, "o" if rings else "s", color=colour)
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.set_xticks(np.arcsinh(TICKS), [str(t).replace("-", "−") for t in TICKS], fontsize=9)
    ax.set(xlim=np.arcsinh([-200, 200]), ylim=(len(names) - 0.5, -0.5))
    ax.set_xlabel("standard deviations of the floor", fontsize=9)
