"""Chapter 0's live figure, and the book's first: draw a digit, and see it encoded and decoded."""

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.drawing import drawing_rule, model_and_digits, plane
from vae_lib.live.figure import LiveFigure, here, pack_images
from vae_lib.live.pictures import draw_ellipses, name_classes, show_image

NAME = "A VAE to draw on"
DESCRIPTION = (
    "Draw a digit. The encoder turns it into a small cloud in the plane, among the dots of real "
    "digits; the decoder turns the point in its middle back into a picture. Or drag the point."
)


def first_vae(
    encoder: nn.Module,
    decoder: nn.Module,
    codes: Tensor,
    labels: Tensor,
    *,
    images: Tensor,
    image_shape: tuple[int, int],
    drawing: str,
    log_var_range: tuple[float, float] = (-20.0, 20.0),
) -> LiveFigure:
    """A VAE with two latent dimensions: what the reader draws, its q(z|x), and the decoding.

    A pen writes by itself until the reader touches the figure; where motion is unwelcome, one
    digit is written and stays.

    Args:
        encoder: the network, (..., D) to (..., 4): two means, then two log-variances. It is given
            grey images.
        decoder: the network, (..., 2) to (..., D), which gives the logits of the pixels.
        images: real digits, (N, D) in [0, 1]; the one that is nearest to what is decoded stands
            beside it.
        codes: their means of q(z|x), (N, 2), dots coloured by `labels`, (N,).
        drawing: "box" or "mass", how a drawing is made an image of: as in the UCI digits, or as in
            MNIST.
        log_var_range: to which the encoder's log-variances are clamped.

    Taught in chapter 0.
    """
    encoder, decoder = here(encoder, decoder)
    codes, labels, images = here(codes, labels, images)
    if len(images) != len(codes):
        raise ValueError(
            f"Expected the images whose codes are given, but there are {len(images)} images and "
            f"{len(codes)} codes."
        )
    digits = (codes, labels, images, labels, image_shape)
    state = model_and_digits(encoder, decoder, *digits, log_var_range)
    del state["image_labels"]
    state["images"] = pack_images(images)
    state["drawing"] = drawing_rule(drawing, images, image_shape)
    picture = _picture(encoder, decoder, codes, labels, images, image_shape)
    return LiveFigure("first_vae", name=NAME, description=DESCRIPTION, state=state, picture=picture)


@torch.no_grad()
def _picture(
    encoder: nn.Module,
    decoder: nn.Module,
    codes: Tensor,
    labels: Tensor,
    images: Tensor,
    image_shape: tuple[int, int],
) -> Figure:
    """The first real 7, or whatever digit comes first, in place of a drawing."""
    x = images[(labels == 7).int().argmax()]
    mu, log_var = encoder(x).chunk(2, dim=-1)
    x_mean = decoder(mu).sigmoid()
    nearest = images[(images - x_mean).square().sum(-1).argmin()]
    layout = [["x", "plane", "decoded"], ["none", "plane", "nearest"]]
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(6.4, 3.4), width_ratios=(1, 2.4, 1), empty_sentinel="none"
    )
    shown = {"x": (x, "$x$"), "decoded": (x_mean, "decoded"), "nearest": (nearest, "nearest real")}
    for name, (image, title) in shown.items():
        show_image(axes[name], image.reshape(image_shape), title)
    for label in labels.unique().tolist():
        own = codes[labels == label]
        axes["plane"].plot(*own.T.numpy(), ".", color=f"C{label % 10}", markersize=4, alpha=0.6)
    name_classes(axes["plane"], codes, labels)
    draw_ellipses(axes["plane"], mu, (0.5 * log_var).exp(), plane(codes))
    return fig
