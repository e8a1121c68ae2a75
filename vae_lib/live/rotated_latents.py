"""Chapter 15's live figure: a latent plane turned by hand. MIG moves, and the ELBO stands still."""

import math

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.figure import LiveFigure, here, pack, pack_network
from vae_lib.live.pictures import show_image

NAME = "A latent plane, turned by hand"
DESCRIPTION = (
    "Drag the handle, the end of the old axis z₁, or turn it with the slider: the codes turn, "
    "encoder and decoder with them. How much a single dimension knows of a factor, the mutual "
    "information gap and the ELBO are computed anew from what has been turned."
)
N_BINS = 20
ALONG = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Where the row of images along an axis is decoded."""


def rotated_latents(
    encoder: nn.Module,
    decoder: nn.Module,
    x: Tensor,
    factors: dict[str, Tensor],
    *,
    sigma: float,
    image_shape: tuple[int, ...],
    n_images: int = 8,
    angle: float = 45.0,
    seed: int = 0,
    log_var_range: tuple[float, float] = (-20.0, 20.0),
) -> LiveFigure:
    """A VAE with two latent dimensions, which the reader turns against their axes.

    Codes are one draw of q(z|x) for every image. The ELBO is the mean over the first `n_images`,
    with one draw each, of log p(x|z) - KL(q(z|x) || p(z)): q turned, with its covariance, and the
    decoder after the turn back.

    Args:
        encoder: the network, (..., D) to (..., 4): two means, then two log-variances.
        decoder: the network, (..., 2) to (..., D), whose output is the mean of p(x|z).
        x: images, (N, D) in [0, 1]; `image_shape` is (H, W), or (3, H, W) for colour.
        factors: two by name, whole numbers from 0 to 255, (N,): which of its values each image has.
        sigma: the fixed scale of p(x|z), a Gaussian.
        angle: the first one, in degrees: by how much z′ = R z is turned.

    Taught in chapter 15.
    """
    encoder, decoder, x = here(encoder, decoder, x)
    factors = {name: here(values)[0] for name, values in factors.items()}
    _check(x, factors, image_shape, sigma)
    with torch.no_grad():
        mu, log_var = encoder(x).chunk(2, dim=-1)
    stddev = torch.exp(0.5 * log_var.clamp(*log_var_range))
    eps = torch.randn(mu.shape, generator=torch.Generator().manual_seed(seed))
    codes, first = mu + stddev * eps, slice(0, min(n_images, len(x)))
    state = {
        "decoder": pack_network(decoder),
        "codes": pack(codes),
        "factors": pack(torch.stack(list(factors.values()), dim=1), "uint8"),
        "names": list(factors),
        **{"x": pack(x[first]), "mu": pack(mu[first]), "stddev": pack(stddev[first])},
        "eps": pack(eps[first]),
        **{"sigma": float(sigma), "n_bins": N_BINS, "along": list(ALONG), "angle": float(angle)},
        "image_shape": list(image_shape),
        "reach": math.ceil(10 * codes.norm(dim=1).max().item()) / 10,
    }
    picture = _picture(state, codes, factors, decoder)
    return LiveFigure(
        "rotated_latents", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _check(
    x: Tensor, factors: dict[str, Tensor], image_shape: tuple[int, ...], sigma: float
) -> None:
    if x.ndim != 2 or x.shape[1] != math.prod(image_shape):
        raise ValueError(
            f"Expected images (N, {math.prod(image_shape)}), but got {tuple(x.shape)}."
        )
    if len(factors) != 2 or any(v.shape != x.shape[:1] for v in factors.values()):
        came = {name: tuple(v.shape) for name, v in factors.items()}
        raise ValueError(f"Expected two factors of {len(x)} images by name, but got {came}.")
    if any(len(v.unique()) < 2 for v in factors.values()):
        raise ValueError("A factor with one value tells nothing: take one that varies.")
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma must be a positive number, not {sigma}.")


def _turn(degrees: float) -> Tensor:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[c, -s], [s, c]])


@torch.no_grad()
def _picture(state: dict, codes: Tensor, factors: dict[str, Tensor], decoder: nn.Module) -> Figure:
    """The codes as first shown, coloured by each factor, and images along either axis."""
    rotation = _turn(state["angle"])
    fig = plt.figure(figsize=(6.8, 4), layout="constrained")
    above, below = fig.subfigures(2, 1, height_ratios=(2.2, 1))
    for ax, (name, values) in zip(above.subplots(1, 2), factors.items(), strict=True):
        _draw_codes(ax, codes @ rotation.T, values, name, state["reach"])
    rows = below.subplots(2, len(ALONG))
    for axis, row in enumerate(rows):
        for ax, place in zip(row, ALONG, strict=True):
            z = place * torch.eye(2)[axis] @ rotation
            show_image(ax, decoder(z).reshape(state["image_shape"]))
        row[0].set_ylabel(f"along $z_{axis + 1}'$", fontsize=9)
    return fig


def _draw_codes(ax: Axes, codes: Tensor, values: Tensor, name: str, reach: float) -> None:
    ax.scatter(*codes.T.numpy(), s=5, c=[f"C{int(value) % 10}" for value in values])
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="$z_1'$", ylabel="$z_2'$", title=f"coloured by {name}")
