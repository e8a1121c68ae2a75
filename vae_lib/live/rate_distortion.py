"""Chapter 12's live figure: rate against distortion, measured for VAEs trained with several β."""

import math
from collections.abc import Sequence

import torch
from matplotlib import patheffects
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn

from vae_lib.live.figure import LiveFigure, here, pack, pack_images, pack_network, rounded
from vae_lib.live.pictures import show_image

NAME = "Rate against distortion"
DESCRIPTION = (
    "Each dot is a VAE trained with its own β; between the dots there is none. Drag the point from "
    "dot to dot, or move it with the arrow keys. Along a grey line the ELBO stays the same: where "
    "is it largest?"
)
MOST_BYTES = 150_000  # of all networks in float32, beyond which a weight gets one byte
MOST_PIXELS = 45_000  # of the real images to compare with
# Of the plot's height to its width; a nat is as long on either axis.
FLATTEST, STEEPEST = 0.62, 0.9

# A decoder's network as it runs in the page, means of q(z|x), and whether the network gives logits.
Model = tuple[nn.Module, Tensor, bool]


def rate_distortion(
    vaes: Sequence[nn.Module],
    betas: Sequence[float],
    x: Tensor,
    *,
    image_shape: tuple[int, int],
    rates: Sequence[float] | Tensor,
    distortions: Sequence[float] | Tensor,
    real: Tensor | None = None,
    start: float | None = None,
    seed: int = 0,
) -> LiveFigure:
    """Rate against distortion for VAEs, one for each β, and what each makes of images and noise.

    The point stands on one of the models: between them nothing is interpolated. For it there are
    the bars of R + D = -ELBO, the line of slope -β through the point, to which the curve of the
    best models would be tangent, the line of equal ELBO, of slope -1, the reconstructions of `x`
    (the decoder's mean at the mean of q(z|x)) and the decoder's means at len(x) draws of z from
    N(0, I), from the same standard normal numbers for every β until the reader asks for others.

    Args:
        vaes: the models, with `encoder(x)` a distribution that has a mean, a standard normal
            prior, and `decoder.net` an `mlp` that gives the logits of a Bernoulli or the mean of a
            Gaussian. Only the decoders run in the page. If together they take more than 150 kB in
            float32, each weight is rounded to one byte.
        betas: the β of each, two or more, all different and positive.
        x: images as the encoders take them, (K, D) in [0, 1]; K = 8 looks best.
        rates: R, the mean of KL(q(z|x) || p(z)) over held-out data, one for each model, in nats.
        distortions: D, the mean of -E_q[log p(x|z)] over the same, in nats. Of both the figure
            shows two decimals, and calculates with these.
        real: images of the data, (M, D) in [0, 1]; below each draw stands the nearest of them, or
            of the first 45,000 / D, which is all that a page should carry.
        start: the β shown first; the smallest if None.
        seed: of the page's own draws.

    Raises:
        ValueError: not as many betas, rates and distortions as models; a β that is not positive or
            comes twice; models of different latent sizes; a decoder that cannot run in a page.

    Taught in chapter 12.
    """
    order = _order(vaes, betas, rates, distortions)
    _check_images(x, image_shape)
    start = min(betas) if start is None else start
    if start not in betas:
        raise ValueError(f"start must be one of the betas, {list(betas)}, not {start}.")
    (x,) = here(x.float())
    in_bytes = 4 * _n_weights(vaes) > MOST_BYTES
    models = [_model(vaes[i], x, in_bytes) for i in order]
    if len({mu.shape for _, mu, _ in models}) > 1:
        raise ValueError("All models must have the same number of latent dimensions.")
    measured = [[round(float(values[i]), 2) for i in order] for values in (rates, distortions)]
    state = {
        "betas": [float(betas[i]) for i in order],
        **_axes(*measured),
        "start": [betas[i] for i in order].index(start),
        **_packed(models, in_bytes),
        "x": pack_images(x),
        "image_shape": list(image_shape),
        "seed": int(seed),
        "real": None if real is None else pack_images(*here(real[: _most(image_shape)])),
    }
    facts = {"name": NAME, "description": DESCRIPTION, "state": state}
    return LiveFigure("rate_distortion", **facts, picture=_picture(state, x, models))


def _order(
    vaes: Sequence, betas: Sequence[float], rates: Sequence, distortions: Sequence
) -> list[int]:
    """The models' numbers, the smallest β first."""
    sizes = len(vaes), len(betas), len(rates), len(distortions)
    if len(set(sizes)) > 1 or sizes[0] < 2:
        raise ValueError(
            f"Expected as many betas, rates and distortions as models, two or more, but got "
            f"{sizes[1]}, {sizes[2]} and {sizes[3]} for {sizes[0]}."
        )
    if len(set(betas)) < len(betas) or not all(beta > 0 for beta in betas):
        raise ValueError(f"The betas must be positive and all different, not {list(betas)}.")
    if not all(math.isfinite(value) for value in [*rates, *distortions]):
        raise ValueError("Rates and distortions must be finite: look for NaN in what was measured.")
    return sorted(range(len(betas)), key=lambda i: betas[i])


def _check_images(x: Tensor, image_shape: tuple[int, int]) -> None:
    n_pixels = image_shape[0] * image_shape[1]
    if x.ndim != 2 or x.shape[1] != n_pixels or not len(x):
        raise ValueError(
            f"Expected images x of shape (K, {n_pixels}), for an image_shape of {image_shape}, but "
            f"got {tuple(x.shape)}."
        )


def _most(image_shape: tuple[int, int]) -> int:
    return max(MOST_PIXELS // (image_shape[0] * image_shape[1]), 1)


def _n_weights(vaes: Sequence[nn.Module]) -> int:
    return sum(weight.numel() for vae in vaes for weight in vae.decoder.net.parameters())


@torch.no_grad()
def _model(vae: nn.Module, x: Tensor, in_bytes: bool) -> Model:
    encoder, decoder = (part.eval().float() for part in here(vae.encoder, vae.decoder))
    mu = encoder(x).mean
    outputs, mean = decoder.net(mu), decoder(mu).mean
    for is_logit, expected in ((True, outputs.sigmoid()), (False, outputs)):
        if expected.shape == x.shape and torch.allclose(mean, expected, atol=1e-5):
            return rounded(decoder.net) if in_bytes else decoder.net, mu, is_logit
    raise ValueError(
        f"The decoder must be a Bernoulli, whose network gives {x.shape[1]} logits, or a Gaussian, "
        f"whose network gives as many means; this one's mean has shape {tuple(mean.shape)}."
    )


def _packed(models: list[Model], in_bytes: bool) -> dict[str, list]:
    return {
        "decoders": [pack_network(net, in_bytes=in_bytes) for net, _, _ in models],
        "mu": [pack(mu) for _, mu, _ in models],
        "logits": [is_logit for _, _, is_logit in models],
    }


def _axes(rates: list[float], distortions: list[float]) -> dict[str, list[float]]:
    """The dots, with ranges that leave room about them and are neither too flat nor too steep."""
    ends = [[min(values), max(values)] for values in (rates, distortions)]
    longest = max(high - low for low, high in ends) or 1.0
    x_range, y_range = ([low - 0.08 * longest, high + 0.12 * longest] for low, high in ends)
    width, height = (high - low for low, high in (x_range, y_range))
    x_range[1] += max(height / STEEPEST - width, 0)
    y_range[1] += max(FLATTEST * width - height, 0) / 2
    y_range[0] -= max(FLATTEST * width - height, 0) / 2
    sums = [sum(corner) for corner in zip(x_range, y_range, strict=True)]
    totals = MaxNLocator(9).tick_values(*sums).tolist()
    dots = {"rates": rates, "distortions": distortions}
    return {**dots, "x_range": x_range, "y_range": y_range, "totals": totals}


def _picture(state: dict, x: Tensor, models: list[Model]) -> Figure:
    """The curve with the first point, and below it images and their reconstructions."""
    net, mu, is_logit = models[state["start"]]
    shown = min(len(x), 8)
    with torch.no_grad():
        outputs = net(mu[:shown])
    x_mean = outputs.sigmoid() if is_logit else outputs
    layout = [["curve"] * shown, *([f"{row} {i}" for i in range(shown)] for row in ("x", "mean"))]
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(6.4, 5.6), height_ratios=(4.4, 1, 1), layout="constrained"
    )
    _draw_curve(axes["curve"], state)
    for row, images in (("x", x), ("mean", x_mean)):
        for i, image in enumerate(images[:shown]):
            show_image(axes[f"{row} {i}"], image.reshape(state["image_shape"]))
    axes["x 0"].set_ylabel("x")
    axes["mean 0"].set_ylabel("decoded")
    return fig


def _draw_curve(ax: Axes, state: dict) -> None:
    rates, distortions, start = state["rates"], state["distortions"], state["start"]
    rate, distortion, beta = rates[start], distortions[start], state["betas"][start]
    for total in state["totals"]:
        ax.axline((0, total), slope=-1, color="0.85", linewidth=1, zorder=0)
    ax.plot(rates, distortions, "o:", color="tab:blue")
    at = (rate, distortion)
    ax.axline(at, slope=-beta, color="tab:green", label=f"slope −β = −{beta:g}")
    total = f"ELBO = {-rate - distortion:.2f}".replace("-", "−")
    ax.axline(at, slope=-1, color="black", linestyle="--", label=total)
    ax.plot(rate, distortion, "o", color="tab:red", markersize=9)
    _draw_names(ax, state)
    limits = {"xlim": state["x_range"], "ylim": state["y_range"], "aspect": "equal"}
    ax.set(xlabel="rate R (nats)", ylabel="distortion D (nats)", **limits)
    ax.legend(loc="upper right")


def _draw_names(ax: Axes, state: dict) -> None:
    """The β of each dot, to its upper right or, with more room to the lines, its lower left."""
    dots = list(zip(state["betas"], state["rates"], state["distortions"], strict=True))
    slope, at_rate, at_distortion = dots[state["start"]]
    close = 0.02 * (state["x_range"][1] - state["x_range"][0])
    right, left = {"xytext": (5, 3)}, {"xytext": (-5, -4), "ha": "right", "va": "top"}
    paper = [patheffects.withStroke(linewidth=3, foreground="white")]
    style = {"textcoords": "offset points", "path_effects": paper}
    for i, (beta, rate, distortion) in enumerate(dots):
        above = at_rate + at_distortion - rate - distortion  # up to the line of equal ELBO
        below = distortion - at_distortion + slope * (rate - at_rate)  # down to the tangent
        is_right = i == state["start"] or above <= close or close < below < above
        ax.annotate(f"{beta:g}", (rate, distortion), **style, **(right if is_right else left))
