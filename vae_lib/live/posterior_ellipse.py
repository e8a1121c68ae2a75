"""Chapter 2's live figure: draw a digit, and see q(z|x) move over the latent plane."""

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from vae_lib.live.drawing import drawing_rule, model_and_digits, plane
from vae_lib.live.figure import LiveFigure, here
from vae_lib.live.pictures import draw_ellipses, draw_numerals, name_classes, show_image

NAME = "Your digit, encoded"
DESCRIPTION = (
    "Draw a digit with mouse, finger or keys, or choose one. The ellipses, one and two σ of "
    "q(z | x), move over the codes of real digits, each printed as its numeral. The slider makes "
    "them narrower or wider, and the images round the middle one are decoded at their ends."
)
# Where the images of the cross are decoded, in standard deviations from the mean.
ROUND = {"above": (0, 2), "left": (-2, 0), "at": (0, 0), "right": (2, 0), "below": (0, -2)}


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
        sigma = torch.exp(0.5 * log_var.clamp(*log_var_range))
        x_means = decoder(mu + sigma * mu.new_tensor(list(ROUND.values())))
    decoded = dict(zip(ROUND, x_means.unflatten(-1, image_shape), strict=True))
    shown = {"x": images[start].reshape(image_shape), **decoded}
    picture = _picture(codes, labels, mu, sigma, shown)
    return LiveFigure(
        "posterior_ellipse", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _picture(
    codes: Tensor, labels: Tensor, mu: Tensor, sigma: Tensor, shown: dict[str, Tensor]
) -> Figure:
    fig = plt.figure(figsize=(6.8, 3.8), layout="constrained")
    left, right = fig.subfigures(1, 2, width_ratios=(1.5, 1))
    ax = left.subplots()
    draw_numerals(ax, codes, labels)
    name_classes(ax, codes, labels)
    draw_ellipses(ax, mu, sigma, plane(codes))
    layout = [[".", "x", "."], [".", "above", "."], ["left", "at", "right"], [".", "below", "."]]
    titles = {"x": "$x$", "above": r"decoded at $\mu$ and round it"}
    axes = right.subplot_mosaic(layout, height_ratios=(1.3, 1, 1, 1))
    for name, image in shown.items():
        show_image(axes[name], image, titles.get(name, ""))
    return fig
