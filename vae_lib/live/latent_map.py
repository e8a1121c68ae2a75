"""Chapter 1's live figure: drag a code over the latent plane of an autoencoder."""

from collections.abc import Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.figure import LiveFigure, here, pack, pack_images, pack_network
from vae_lib.live.pictures import name_classes, show_image

NAME = "The latent plane, decoded"
DESCRIPTION = (
    "Drag the point, or move it with the arrow keys: the image is what the decoder makes of that "
    "code. The stronger the shade, the farther is the decoding from any real digit; dots are the "
    "codes of real digits. Most draws from N(0, I) fall into the dashed circle."
)
CIRCLE = 2.0
# Real images that a page has to load: 14 kB of small ones, or so many of large ones.
MOST_BYTES, AT_LEAST = 14_000, 150


def latent_map(
    decoder: nn.Module,
    codes: Tensor,
    distances: Tensor,
    *,
    image_shape: tuple[int, int],
    low: tuple[float, float],
    high: tuple[float, float],
    usual: float,
    start: tuple[float, float] | None = None,
    labels: Tensor | None = None,
    images: Tensor | None = None,
) -> LiveFigure:
    """The latent plane from `low` to `high`, shaded by how far each decoding is from the data.

    Args:
        decoder: (..., 2) to (..., D), with D the pixels of an image; it runs in the page.
        codes: of some of the data, (N, 2), drawn as dots.
        distances: (n_1, n_2), from the decoding at each point of a regular grid over the plane to
            the nearest real image; the first axis is z_1.
        usual: the distance that counts as near, e.g. the 95 % quantile of reconstructions.
        start: the code shown first; if None, the one in the dashed circle whose decoding is
            farthest from the data.
        labels: the codes' classes, (N,), which colour the dots.
        images: what `distances` are distances to, (M, D) in [0, 1]; the one nearest to the decoding
            is shown beside it.

    Taught in chapter 1.
    """
    _check(codes, labels, distances)
    decoder, codes, distances = here(decoder, codes, distances)
    ranges = [[float(a), float(b)] for a, b in zip(low, high, strict=True)]
    start = start or _farthest(distances, *ranges)
    near = None if images is None else _at_hand(decoder, *here(images), *ranges)
    state = {
        "decoder": pack_network(decoder),
        "codes": pack(codes),
        "labels": None if labels is None else pack(labels, "uint8"),
        **_compared(distances, near),
        "image_shape": list(image_shape),
        "x_range": ranges[0],
        "y_range": ranges[1],
        "circle": CIRCLE,
        "usual": float(usual),
        "start": [float(value) for value in start],
    }
    x_decoded = decoder(codes.new_tensor([start])).detach()
    picture = _picture(state, codes, labels, distances, _shown(x_decoded, near))
    return LiveFigure(
        "latent_map", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _compared(distances: Tensor, near: Tensor | None) -> dict[str, object]:
    """The shade, in 255 steps where the real images themselves give the distance."""
    if near is None:
        return {"distances": pack(distances), "distance_step": 1.0, "images": None}
    step = float(distances.max()) / 255
    shade = pack((distances / step).round(), "uint8")
    return {"distances": shade, "distance_step": step, "images": pack_images(near)}


def _shown(x_decoded: Tensor, near: Tensor | None) -> dict[str, Tensor]:
    if near is None:
        return {"decoded": x_decoded[0]}
    nearest = near[torch.cdist(x_decoded, near).argmin()]
    return {"decoded": x_decoded[0], "nearest real digit": nearest}


def _check(codes: Tensor, labels: Tensor | None, distances: Tensor) -> None:
    if codes.ndim != 2 or codes.shape[1] != 2 or distances.ndim != 2:
        raise ValueError(
            f"Expected codes of shape (N, 2) and distances on a grid, (n_1, n_2), but got "
            f"{tuple(codes.shape)} and {tuple(distances.shape)}."
        )
    if labels is not None and labels.shape != codes.shape[:1]:
        raise ValueError(
            f"Expected a label for each of {len(codes)} codes, but got {tuple(labels.shape)}."
        )


def _grid(x_range: list[float], y_range: list[float], shape: Sequence[int]) -> Tensor:
    """Points over the plane, (n_1 * n_2, 2), the second coordinate running faster."""
    ends = zip((x_range, y_range), shape, strict=True)
    return torch.cartesian_prod(*(torch.linspace(*end, n) for end, n in ends))


def _farthest(distances: Tensor, x_range: list[float], y_range: list[float]) -> list[float]:
    points = _grid(x_range, y_range, distances.shape)
    inside = points.norm(dim=1) <= CIRCLE
    far = distances.flatten().where(inside, distances.new_tensor(-1.0)).argmax()
    return points[far].tolist()


@torch.no_grad()
def _at_hand(
    decoder: nn.Module, images: Tensor, x_range: list[float], y_range: list[float]
) -> Tensor:
    """Those of the images that are nearest to some place's decoding, the most wanted first."""
    nearest = torch.cdist(decoder(_grid(x_range, y_range, (80, 80))), images).argmin(1)
    wanted = nearest.bincount(minlength=len(images))
    most = max(MOST_BYTES // images.shape[1], AT_LEAST)
    return images[wanted.argsort(descending=True)[: min(most, int((wanted > 0).sum()))]]


def _picture(
    state: dict,
    codes: Tensor,
    labels: Tensor | None,
    distances: Tensor,
    shown: dict[str, Tensor],
) -> Figure:
    layout = [["plane", name] for name in shown]
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(6.4, 4), width_ratios=(2.4, 1), layout="constrained"
    )
    left, extent = axes["plane"], (*state["x_range"], *state["y_range"])
    style = {"cmap": "Greys", "vmin": 0, "vmax": 2.7 * state["usual"]}
    left.imshow(distances.T.numpy(), origin="lower", extent=extent, **style)
    colours = "tab:blue" if labels is None else [f"C{int(label) % 10}" for label in labels]
    left.scatter(*codes.T.numpy(), s=4, c=colours)
    if labels is not None:
        name_classes(left, codes, labels)
    left.add_patch(plt.Circle((0, 0), CIRCLE, fill=False, linestyle="--", lw=1.5))
    left.plot(*state["start"], "o", color="tab:red", markersize=9)
    left.set(xlabel="$z_1$", ylabel="$z_2$")
    for name, image in shown.items():
        show_image(axes[name], image.reshape(state["image_shape"]), name)
    return fig
