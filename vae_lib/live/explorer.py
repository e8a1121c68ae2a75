"""Chapter 8's live figure: the latent plane of a trained VAE, to drag, walk and draw in."""

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.drawing import drawing_rule, model_and_digits, plane
from vae_lib.live.figure import LiveFigure, here, pack_images
from vae_lib.live.pictures import draw_numerals, name_classes, show_image

NAME = "A trained VAE, explored"
DESCRIPTION = (
    "Drag the point through the latent plane, or move it with the arrow keys: beside it the mean "
    "of p(x | z), and a draw. Walk in a straight line between two digits. Or draw one of your own, "
    "which is encoded (ellipses of one and two σ) and decoded; the cross is a draw."
)


def explorer(
    encoder: nn.Module,
    decoder: nn.Module,
    codes: Tensor,
    labels: Tensor,
    *,
    images: Tensor,
    image_labels: Tensor,
    image_shape: tuple[int, int],
    drawing: str,
    threshold: float = 0.5,
    log_var_range: tuple[float, float] = (-20.0, 20.0),
    walk: tuple[int, int] = (0, 1),
    seed: int = 0,
    real: Tensor | None = None,
) -> LiveFigure:
    """A VAE with two latent dimensions and a Bernoulli likelihood, running in the page.

    Args:
        encoder: the network, (..., D) to (..., 4): two means, then two log-variances.
        decoder: the network, (..., 2) to (..., D), which gives the logits of p(x|z).
        codes: means of q(z|x) of some of the data, (N, 2), printed as their `labels`, (N,).
        images: grey ones, (K, D) in [0, 1], to walk between, with `image_labels`, (K,). They and
            the reader's drawing are binarised, 1 where above `threshold`, before they are encoded.
        drawing: "box" or "mass", how a drawing is made an image of: as in the UCI digits, or as in
            MNIST.
        log_var_range: to which the encoder's log-variances are clamped.
        walk: the two images, numbered from 0, between which it goes at first.
        real: images of the data, (M, D) in [0, 1]; the one nearest to the mean of p(x|z) is shown
            beside it.

    Taught in chapter 8.
    """
    encoder, decoder = here(encoder, decoder)
    codes, labels, images, image_labels = here(codes, labels, images, image_labels)
    digits = (codes, labels, images, image_labels, image_shape)
    state = model_and_digits(encoder, decoder, *digits, log_var_range)
    if not all(0 <= end < len(images) for end in walk):
        raise ValueError(f"walk must number two of the {len(images)} images, from 0, not {walk}.")
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold must lie in [0, 1), as the pixels do; got {threshold}.")
    state |= {
        "drawing": drawing_rule(drawing, images, image_shape),
        "threshold": float(threshold),
        "walk": [int(end) for end in walk],
        "seed": int(seed),
        "real": None if real is None else pack_images(*here(real)),
    }
    binary = (images[list(walk)] > threshold).to(images.dtype)
    ends, shown = _first_step(encoder, decoder, binary, image_shape, real)
    picture = _picture(codes, labels, ends, shown)
    return LiveFigure("explorer", name=NAME, description=DESCRIPTION, state=state, picture=picture)


@torch.no_grad()
def _first_step(
    encoder: nn.Module,
    decoder: nn.Module,
    binary: Tensor,
    image_shape: tuple[int, int],
    real: Tensor | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The codes of the walk's ends, and by their titles the images at its first step."""
    ends = encoder(binary)[:, :2]
    x_mean = decoder(ends[0]).sigmoid()
    shown = {"mean of $p(x \\mid z)$": x_mean}
    if real is not None:
        (real,) = here(real)
        shown["nearest real digit"] = real[(real - x_mean).square().sum(-1).argmin()]
    return ends, {title: image.reshape(image_shape) for title, image in shown.items()}


def _picture(codes: Tensor, labels: Tensor, ends: Tensor, shown: dict[str, Tensor]) -> Figure:
    """The walk's first step: its code, its decoding, and what resembles that most."""
    layout = [["plane", title] for title in shown]
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(6.4, 4), width_ratios=(2.4, 1), layout="constrained"
    )
    left, extent = axes["plane"], plane(codes)
    draw_numerals(left, codes, labels)
    name_classes(left, codes, labels)
    for radius in (1, 2):
        left.add_patch(plt.Circle((0, 0), radius, fill=False, color="0.5", linestyle=":"))
    left.plot(*ends.T.numpy(), color="tab:blue")
    left.plot(*ends[0].tolist(), "o", color="tab:red", markersize=9)
    limits = {"xlim": extent["x_range"], "ylim": extent["y_range"], "aspect": "equal"}
    left.set(xlabel="$z_1$", ylabel="$z_2$", **limits)
    for title, image in shown.items():
        show_image(axes[title], image, title)
    return fig
