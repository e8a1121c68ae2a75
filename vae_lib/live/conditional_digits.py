"""Chapter 13's live figure: style and label apart, and what is erased of a digit filled in."""

from typing import TYPE_CHECKING

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, one_hot

from vae_lib.live.figure import LiveFigure, here, pack, pack_images, pack_network, rounded
from vae_lib.live.pictures import show_image

if TYPE_CHECKING:
    from vae_lib.models import ConditionalVAE

NAME = "Style and label"
DESCRIPTION = (
    "Drag the style z, or move it with the arrow keys: below it, every label in this style; choose "
    "one to see it large. Or erase pixels of a real digit, with mouse, finger or keys, and "
    "see what the model puts in their place, and which label it takes the rest for."
)
HALF_WIDTH = 4.0
"""Of the plane of styles. A wider one would change the sums less than the grid's steps do."""

FINE, COARSE = 25, 21
"""Styles a side of the grid that is summed over: for images of up to 100 pixels, and for larger."""

MOST_BYTES = 100_000  # of a network in float32, beyond which a weight gets one byte
MOST_PIXELS = 25_000  # of the real images to compare with


def conditional_digits(
    cvae: "ConditionalVAE",
    x: Tensor,
    labels: Tensor,
    *,
    image_shape: tuple[int, int],
    n_classes: int = 10,
    start: tuple[float, float] | None = None,
    label: int = 3,
) -> LiveFigure:
    """p(x|z, y) with two style dimensions, to move z and y in; and missing pixels filled in.

    The second part computes with all labels at once. Given the pixels x_o that are left of a real
    image, p(y, z | x_o) is proportional to p(y) N(z; 0, I) p(x_o | z, y), with p(y) = 1/C. It is
    summed over a grid of 25 x 25 styles from -4 to 4 (21 x 21 for images of more than 100 pixels)
    and all labels: the label's probabilities, and the mean of each missing pixel, are exact but for
    that grid.

    Args:
        cvae: with a Bernoulli decoder whose network, an `mlp`, maps z (2) and y (C) side by side to
            the D logits, and the prior N(0, I). Only the decoder runs in the page. If it takes more
            than 100 kB in float32, each weight is rounded to one byte.
        x: binary images of the data, (N, D), best held-out ones. The first of each label can be
            chosen to be erased; beside the decoded digit stands the nearest of them all, or of the
            first 25,000 / D.
        labels: theirs, (N,), whole numbers from 0 to C - 1.
        n_classes: C, 10 at most.
        start: the style shown first; if None, the one within two standard deviations whose digits
            differ most from those of z = 0.
        label: the label shown first.

    Raises:
        ValueError: images that are not binary, or not as long as the network's output; labels that
            are none; a prior that depends on y; a decoder that cannot run in a page.

    Taught in chapter 13.
    """
    x, labels = here(x, labels)
    _check(x, labels, image_shape, n_classes, label)
    decoder = _decoder(cvae, x.shape[1], n_classes)
    kept = max(MOST_PIXELS // x.shape[1], 1)
    choices = [int((labels == label).nonzero()[0]) for label in labels.unique()]
    n_grid = FINE if x.shape[1] <= 100 else COARSE
    state = {
        "decoder": pack_network(decoder, in_bytes=_is_large(decoder)),
        "n_classes": n_classes,
        "x": pack_images(x[choices]),
        "labels": pack(labels[choices], "uint8"),
        "real": pack_images(x[:kept]),
        "real_labels": pack(labels[:kept], "uint8"),
        "image_shape": list(image_shape),
        "half_width": HALF_WIDTH,
        "n_grid": n_grid,
        "start": [float(value) for value in start or _strongest(decoder, n_classes)],
        "label": int(label),
        "erased": _least_sure(decoder, x[choices], image_shape, n_classes, n_grid),
    }
    picture = _picture(decoder, state, x[:kept])
    facts = {"name": NAME, "description": DESCRIPTION, "state": state}
    return LiveFigure("conditional_digits", **facts, picture=picture)


def _check(
    x: Tensor, labels: Tensor, image_shape: tuple[int, int], n_classes: int, label: int
) -> None:
    n_pixels = image_shape[0] * image_shape[1]
    if x.ndim != 2 or x.shape[1] != n_pixels or labels.shape != x.shape[:1] or not len(x):
        raise ValueError(
            f"Expected images of shape (N, {n_pixels}), for an image_shape of {image_shape}, and "
            f"their labels, (N,), but got {tuple(x.shape)} and {tuple(labels.shape)}."
        )
    if not ((x == 0) | (x == 1)).all():
        raise ValueError("The images must be binary: use vae_lib.data.binarize.")
    if not 2 <= n_classes <= 10:
        raise ValueError(f"There are colours for 2 to 10 classes, not for {n_classes}.")
    if not 0 <= int(labels.min()) <= int(labels.max()) < n_classes or not 0 <= label < n_classes:
        raise ValueError(
            f"Labels must be whole numbers from 0 to {n_classes - 1}, but there are "
            f"{sorted({*labels.unique().tolist(), label})}."
        )


def _decoder(cvae: "ConditionalVAE", n_pixels: int, n_classes: int) -> nn.Module:
    """The network as it runs in the page."""
    if cvae.prior_takes_y:
        raise ValueError("The figure needs a prior p(z) that does not depend on y, N(0, I).")
    (decoder,) = here(cvae.decoder)
    inputs = torch.zeros(1, 2 + n_classes)
    try:
        logits, mean = decoder.net(inputs), decoder(inputs).mean
    except RuntimeError as error:
        raise ValueError(
            f"The decoder's network must take {2 + n_classes} numbers, z (2) and y ({n_classes}) "
            f"side by side: {error}"
        ) from error
    if mean.shape != (1, n_pixels) or not torch.allclose(mean, logits.sigmoid(), atol=1e-5):
        raise ValueError(
            f"The decoder must be a Bernoulli whose network gives {n_pixels} logits, one a pixel; "
            f"the mean of this one has shape {tuple(mean.shape)}."
        )
    return rounded(decoder.net) if _is_large(decoder.net) else decoder.net


def _is_large(net: nn.Module) -> bool:
    return 4 * sum(weight.numel() for weight in net.parameters()) > MOST_BYTES


@torch.no_grad()
def _all_labels(decoder: nn.Module, z: Tensor, n_classes: int) -> Tensor:
    """Logits for every style and label, (n_styles, C, D)."""
    y = one_hot(torch.arange(n_classes)).to(z.dtype).expand(len(z), -1, -1)
    return decoder(torch.cat([z[:, None].expand(-1, n_classes, -1), y], -1))


def _strongest(decoder: nn.Module, n_classes: int) -> tuple[float, float]:
    ends = torch.linspace(-2, 2, 21)
    z = torch.cartesian_prod(ends, ends)
    z = z[z.norm(dim=1) <= 2]
    neutral = _all_labels(decoder, torch.zeros(1, 2), n_classes).sigmoid()
    others = _all_labels(decoder, z, n_classes).sigmoid()
    return tuple(z[(others - neutral).square().sum((1, 2)).argmax()].tolist())


@torch.no_grad()
def _posterior(
    decoder: nn.Module, x: Tensor, seen: Tensor, n_classes: int, n_grid: int
) -> tuple[Tensor, Tensor]:
    """From the pixels (D,) that are seen: p(y|x_o), (N, C), and the mean of every pixel, (N, D)."""
    ends = torch.linspace(-HALF_WIDTH, HALF_WIDTH, n_grid)
    z = torch.cartesian_prod(ends, ends)
    logits = _all_labels(decoder, z, n_classes)
    on, off = logsigmoid(logits), logsigmoid(-logits)
    log_w = -z.square().sum(1)[:, None] / 2
    log_px = torch.einsum("nd,gcd->ngc", x * seen, on) + torch.einsum(
        "nd,gcd->ngc", (1 - x) * seen, off
    )
    w = (log_px + log_w).flatten(1).softmax(1).reshape(log_px.shape)
    return w.sum(1), torch.einsum("ngc,gcd->nd", w, logits.sigmoid())


def _least_sure(
    decoder: nn.Module, x: Tensor, shape: tuple[int, int], n_classes: int, n_grid: int
) -> dict[str, int]:
    """The image, and how many of its upper rows are left, where the label is least sure at half."""
    rows = (shape[0] + 1) // 2
    seen = torch.arange(x.shape[1]) < rows * shape[1]
    p_y, _ = _posterior(decoder, x, seen, n_classes, n_grid)
    entropy = torch.special.entr(p_y).sum(1)
    return {"image": int(entropy.argmax()), "rows": rows}


@torch.no_grad()
def _picture(decoder: nn.Module, state: dict, real: Tensor) -> Figure:
    """The style, the chosen label in it, the real image nearest to that, and below all labels."""
    n_classes, shape, label = state["n_classes"], state["image_shape"], state["label"]
    digits = _all_labels(decoder, torch.tensor([state["start"]]), n_classes)[0].sigmoid()
    nearest = real[(real - digits[label]).square().sum(1).argmin()]
    fig = plt.figure(figsize=(7.2, 4.4), layout="constrained")
    upper, lower = fig.subfigures(2, 1, height_ratios=(3.4, 1))
    plane, *pictures = upper.subplots(1, 3, width_ratios=(1.6, 1, 1))
    for radius in (1, 2):
        plane.add_patch(plt.Circle((0, 0), radius, fill=False, color="0.5", linestyle=":"))
    plane.plot(*state["start"], "o", color="tab:red", markersize=9)
    ends = (-HALF_WIDTH, HALF_WIDTH)
    plane.set(xlabel="$z_1$", ylabel="$z_2$", xlim=ends, ylim=ends, aspect="equal")
    show_image(pictures[0], digits[label].reshape(shape), f"mean for label {label}")
    show_image(pictures[1], nearest.reshape(shape), "nearest real digit")
    for i, ax in enumerate(lower.subplots(1, n_classes)):
        show_image(ax, digits[i].reshape(shape), str(i))
    return fig
