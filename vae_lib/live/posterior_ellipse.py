"""Chapter 2's live figure: draw a digit, and see q(z|x) move over the latent plane."""

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from torch import Tensor, nn

from vae_lib.live.drawing import draw_numerals, drawing_rule, model_and_digits, plane
from vae_lib.live.figure import LiveFigure, here

NAME = "Your digit, encoded"
DESCRIPTION = (
    "Draw a digit with mouse, finger or keys, or choose one. The ellipses, one and two σ of "
    "q(z | x), move over the codes of real digits, each printed as its numeral. The slider makes "
    "them narrower or wider, and the images round the middle one are decoded at their ends."
)


def posterior_ellipse(
    encoder: nn.Module,
    decoder: nn.Module,
    codes: Tensor,
    labels: Tensor,
    *,
    images: Tensor,
    image_labels: Tensor,
    image_shape: tuple[int, int],
    drawing: str,
    log_var_range: tuple[float, float] = (-20.0, 20.0),
    start: int = 0,
) -> LiveFigure:
    """The encoder's Gaussian for what the reader draws, in two dimensions.

    Args:
        encoder: the network, (..., D) to (..., 4): two means, then two log-variances.
        decoder: the network, (..., 2) to (..., D), whose output is the mean of p(x|z).
        codes: means of q(z|x) of some of the data, (N, 2), printed as their `labels`, (N,).
        images: (K, D) in [0, 1], to choose from, with `image_labels`, (K,); the one numbered
            `start` is shown first.
        drawing: "box" or "mass", how a drawing is made an image of: as in the UCI digits, or as in
            MNIST.
        log_var_range: to which the encoder's log-variances are clamped.

    Taught in chapter 2.
    """
    encoder, decoder = here(encoder, decoder)
    codes, labels, images, image_labels = here(codes, labels, images, image_labels)
    digits = (codes, labels, images, image_labels, image_shape)
    state = model_and_digits(encoder, decoder, *digits, log_var_range)
    if not 0 <= start < len(images):
        raise ValueError(f"start must number one of the {len(images)} images, from 0, not {start}.")
    state |= {
        "drawing": drawing_rule(drawing, images, image_shape),
        "start": int(start),
    }
    with torch.no_grad():
        mu, log_var = encoder(images[start]).chunk(2, dim=-1)
        x_mean = decoder(mu)
    sigma = torch.exp(0.5 * log_var.clamp(*log_var_range))
    shown = (image.reshape(image_shape) for image in (images[start], x_mean))
    picture = _picture(codes, labels, mu, sigma, *shown)
    return LiveFigure(
        "posterior_ellipse", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _picture(
    codes: Tensor, labels: Tensor, mu: Tensor, sigma: Tensor, x: Tensor, x_mean: Tensor
) -> Figure:
    extent = plane(codes)
    # However wide it is, what matters is that it is wider than the plane.
    sigma = sigma.clamp(max=10 * (extent["x_range"][1] - extent["x_range"][0]))
    layout = [["plane", "x"], ["plane", "decoded"]]
    fig, axes = plt.subplot_mosaic(layout, figsize=(6.4, 4), width_ratios=(2.4, 1))
    draw_numerals(axes["plane"], codes, labels)
    for n, style in ((1, "-"), (2, "--")):
        size = (2 * n * sigma).tolist()
        axes["plane"].add_patch(Ellipse(mu.tolist(), *size, fill=False, linestyle=style, lw=2))
    limits = {"xlim": extent["x_range"], "ylim": extent["y_range"], "aspect": "equal"}
    axes["plane"].set(xlabel="$z_1$", ylabel="$z_2$", **limits)
    for name, shown, title in (("x", x, "$x$"), ("decoded", x_mean, r"decoded at $\mu$")):
        axes[name].imshow(shown.numpy(), cmap="gray_r", vmin=0, vmax=1)
        axes[name].set(title=title, xticks=[], yticks=[])
    return fig
