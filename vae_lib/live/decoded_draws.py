"""Chapter 3's live figure: a code, the mean of p(x|z), and draws from it."""

import math

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.figure import LiveFigure, pack_network
from vae_lib.live.pictures import show_image

NAME = "Two draws make an image"
DESCRIPTION = (
    "Drag the point z, or move it with the arrow keys; or draw it from the prior, then x given "
    "z (with the point selected, the keys Z and X do so too). The circles hold the given share of "
    "the prior; numerals are the codes of the samples below."
)
N_DRAWS = 6
RADIUS = 3.2  # half the side of the plane that is shown


def decoded_draws(
    decoder: nn.Module,
    *,
    sigma: float,
    image_shape: tuple[int, int],
    start: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
) -> LiveFigure:
    """The model p(z) = N(0, I), p(x|z) = N(g(z), σ² I), sampled one step at a time.

    Args:
        decoder: the network g, (..., 2) to (..., D), with D the pixels of an image.
        sigma: σ, one for all pixels.
        start: the code shown first.
        seed: of the draws in the page.

    Taught in chapter 3.
    """
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma must be a positive finite number, not {sigma!r}.")
    if len(start) != 2 or max(map(abs, start)) > RADIUS:
        raise ValueError(f"start must be two numbers between ±{RADIUS}, not {start!r}.")
    packed = pack_network(decoder)
    n_pixels = image_shape[0] * image_shape[1]
    sizes = packed["layers"][0]["weight"]["shape"][1], packed["layers"][-1]["weight"]["shape"][0]
    if sizes != (2, n_pixels):
        raise ValueError(
            f"For images of {image_shape[0]} x {image_shape[1]} pixels the decoder must map 2 to "
            f"{n_pixels} numbers, but this one maps {sizes[0]} to {sizes[1]}."
        )
    state = {
        "decoder": packed,
        "sigma": float(sigma),
        "image_shape": list(image_shape),
        "radius": RADIUS,
        "start": [float(value) for value in start],
        "seed": int(seed),
        "n_draws": N_DRAWS,
    }
    picture = _picture(decoder, sigma, image_shape, start, seed)
    return LiveFigure(
        "decoded_draws", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


@torch.no_grad()
def pixel_deviation(decoder: nn.Module, sigma: float, n_points: int = 33) -> Tensor:
    """The standard deviation of each pixel under p(x), (D,): Var x = σ² + Var g(z), on a grid."""
    weight = next(decoder.parameters())
    axis = torch.linspace(-4, 4, n_points, dtype=weight.dtype, device=weight.device)
    z = torch.cartesian_prod(axis, axis)
    share = torch.softmax(-0.5 * z.square().sum(-1), dim=0)
    mean = decoder(z)
    return (sigma**2 + share @ mean.square() - (share @ mean).square()).sqrt()


@torch.no_grad()
def _picture(
    decoder: nn.Module,
    sigma: float,
    image_shape: tuple[int, int],
    start: tuple[float, float],
    seed: int,
) -> Figure:
    """The first state, with noise of its own."""
    z = next(decoder.parameters()).new_tensor(start)
    mean, deviation = decoder(z).cpu(), pixel_deviation(decoder, sigma).cpu()
    noise = torch.randn(3, len(mean), generator=torch.Generator().manual_seed(seed))
    draws, top = mean + sigma * noise, deviation.max().item()
    layout = [["plane", "mean", "given", "overall"], ["plane", "draw 1", "draw 2", "draw 3"]]
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(7.2, 3.2), width_ratios=(2.4, 1, 1, 1), layout="constrained"
    )
    for radius in (1, 2):
        axes["plane"].add_patch(plt.Circle((0, 0), radius, fill=False, linestyle=":"))
    axes["plane"].plot(*start, "o", color="tab:red", markersize=9)
    limits = (-RADIUS, RADIUS)
    axes["plane"].set(xlabel="$z_1$", ylabel="$z_2$", xlim=limits, ylim=limits, aspect="equal")
    shown = {"mean": (mean, "mean", 1.0)}
    shown |= {"given": (torch.full_like(mean, sigma), "s.d. given $z$", top)}
    shown |= {"overall": (deviation, "s.d. over all $z$", top)}
    shown |= {f"draw {i + 1}": (draw, "a draw", 1.0) for i, draw in enumerate(draws)}
    for name, (values, title, high) in shown.items():
        show_image(axes[name], values.reshape(image_shape), title, black=high)
    return fig
