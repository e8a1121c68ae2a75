"""Chapter 1's live figure: drag a code over the latent plane of an autoencoder."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.figure import LiveFigure, here, pack, pack_network

NAME = "The latent plane, decoded"
DESCRIPTION = (
    "Drag the point, or move it with the arrow keys: the image is what the decoder makes of that "
    "code. The stronger the shade, the farther is the decoding from any real digit; dots are the "
    "codes of real digits. Most draws from N(0, I) fall into the dashed circle."
)


def latent_map(
    decoder: nn.Module,
    codes: Tensor,
    distances: Tensor,
    *,
    image_shape: tuple[int, int],
    low: tuple[float, float],
    high: tuple[float, float],
    usual: float,
    start: tuple[float, float] = (0.0, 0.0),
) -> LiveFigure:
    """The latent plane from `low` to `high`, shaded by how far each decoding is from the data.

    Args:
        decoder: (..., 2) to (..., D), with D the pixels of an image; it runs in the page.
        codes: of some of the data, (N, 2), drawn as dots.
        distances: (n_1, n_2), from the decoding at each point of a regular grid over the plane to
            the nearest real image; the first axis is z_1.
        usual: the distance that counts as near, e.g. the 95 % quantile of reconstructions.
        start: the code shown first.

    Taught in chapter 1.
    """
    if codes.ndim != 2 or codes.shape[1] != 2 or distances.ndim != 2:
        raise ValueError(
            f"Expected codes of shape (N, 2) and distances on a grid, (n_1, n_2), but got "
            f"{tuple(codes.shape)} and {tuple(distances.shape)}."
        )
    decoder, codes, distances = here(decoder, codes, distances)
    state = {
        "decoder": pack_network(decoder),
        "codes": pack(codes),
        "distances": pack(distances),
        "image_shape": list(image_shape),
        "x_range": [float(low[0]), float(high[0])],
        "y_range": [float(low[1]), float(high[1])],
        "usual": float(usual),
        "start": [float(value) for value in start],
    }
    x_decoded = decoder(codes.new_tensor([start])).detach().reshape(image_shape)
    return LiveFigure(
        "latent_map",
        name=NAME,
        description=DESCRIPTION,
        state=state,
        picture=_picture(state, codes.numpy(), distances.numpy(), x_decoded.numpy()),
    )


def _picture(
    state: dict, codes: np.ndarray, distances: np.ndarray, x_decoded: np.ndarray
) -> Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 4), width_ratios=(2.2, 1))
    extent = (*state["x_range"], *state["y_range"])
    style = {"cmap": "Greys", "vmin": 0, "vmax": 2.7 * state["usual"]}
    left.imshow(distances.T, origin="lower", extent=extent, **style)
    left.plot(*codes.T, ".", color="tab:blue", markersize=2)
    left.add_patch(plt.Circle((0, 0), 2, fill=False, color="tab:red", linestyle="--"))
    left.plot(*state["start"], "o", color="tab:red", markersize=9)
    left.set(xlabel="$z_1$", ylabel="$z_2$")
    right.imshow(x_decoded, cmap="gray_r", vmin=0, vmax=1)
    right.set(title="decoded", xticks=[], yticks=[])
    return fig
