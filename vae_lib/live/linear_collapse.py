"""Chapter 11's live figure: a linear VAE at its optimum, and its dimensions that stay dark."""

import math
from collections.abc import Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from vae_lib.live.figure import LiveFigure, here, pack
from vae_lib.live.pictures import show_image

NAME = "Which latent dimensions a linear VAE leaves dark"
DESCRIPTION = (
    "Drag the line, or move it with the arrow keys: it is βσ², which the sliders move as well. "
    "Each bar is a latent dimension of a linear VAE at its optimum, as high as the data's variance "
    "λ along it. One below the line is dark: its posterior is the prior."
)
BETAS = (0.1, 10.0)
LEAST = 1e-5  # of the largest eigenvalue: bars smaller than this stand below the axis


def linear_collapse(
    eigenvalues: Tensor,
    *,
    latent_dim: int,
    sigma: float | None = None,
    beta: float = 1.0,
    components: Tensor | None = None,
    mean: Tensor | None = None,
    images: Tensor | None = None,
    names: Sequence[str] | None = None,
    image_shape: tuple[int, ...] | None = None,
    value_range: tuple[float, float] = (0.0, 1.0),
) -> LiveFigure:
    """The linear VAE, with σ² and β to be moved: it is always at the best of its other parameters.

    Its decoder is N(W z + b, σ² I), its encoder N(V (x - b), diag s²), and what it maximises is
    E log p(x|z) - β KL over data whose covariance has the eigenvalues λ. Dimension l of L uses the
    direction of λ_l, with w² = λ - βσ², v = w / λ, s² = βσ² / λ and a KL of ½ log(λ / βσ²) nats,
    where λ_l > βσ²; elsewhere w = v = 0 and s = 1: q(z_l|x) is the prior for every x.

    Args:
        eigenvalues: of the data's covariance (divided by N), all D, largest first, (D,).
        latent_dim: L, less than D, so that some variance is left for σ².
        sigma: the σ shown first; if None, one at which about half of the dimensions are dark
            at β = 1.
        beta: the weight of the KL shown first, from 0.1 to 10.
        components: unit eigenvectors in the order of the eigenvalues, a row each, (L or more, D);
            with them an image is shown beside its reconstruction and a decoded draw from p(z).
        mean: of the data, (D,).
        images: to choose from, (N, D).
        names: what each image is called.
        image_shape: (H, W), or (3, H, W) for colour.
        value_range: the values shown as white and as black, the higher first for photographs; of
            no importance in colour.

    Taught in chapter 11.
    """
    eigenvalues = here(eigenvalues)[0].double().clamp(min=0.0)
    _check(eigenvalues, latent_dim, sigma, beta)
    kept, rest = eigenvalues[:latent_dim], eigenvalues[latent_dim:].sum().item()
    low, high = _range(kept, rest / len(eigenvalues))
    if sigma is None:
        sigma = _half_dark(kept.clamp(min=low))
    state = {
        "eigenvalues": kept.tolist(),
        "rest": rest,
        "n_pixels": len(eigenvalues),
        "variance_range": [min(low, sigma**2), max(high, sigma**2)],
        "beta_range": list(BETAS),
        "variance": float(sigma) ** 2,
        "beta": float(beta),
        "seed": 0,
        "pictures": None,
    }
    if components is not None:
        parts = (components, mean, images, names, image_shape)
        state["pictures"] = _pictures(parts, latent_dim, len(eigenvalues), value_range)
    picture = _picture(state, components, mean, images)
    return LiveFigure(
        "linear_collapse", name=NAME, description=DESCRIPTION, state=state, picture=picture
    )


def _half_dark(kept: Tensor) -> float:
    """The σ whose square lies between the eigenvalues of the two dimensions in the middle."""
    half = (len(kept) - 1) // 2
    apart = kept[half : half + 2] if len(kept) > 1 else 2 * kept
    return apart.log().mean().div(2).exp().item()


def _check(eigenvalues: Tensor, latent_dim: int, sigma: float | None, beta: float) -> None:
    if eigenvalues.ndim != 1 or not eigenvalues.isfinite().all():
        raise ValueError(
            f"Expected finite eigenvalues, (D,), but got shape {tuple(eigenvalues.shape)} or "
            "values that are no numbers."
        )
    if (eigenvalues.diff() > 0).any() or not eigenvalues.any():
        raise ValueError("The eigenvalues must be in order, the largest first, and not all zero.")
    if not 1 <= latent_dim < len(eigenvalues) or not eigenvalues[latent_dim:].sum() > 0:
        raise ValueError(
            f"latent_dim must leave some variance for σ²: 1 or more and less than the number of "
            f"positive eigenvalues, {int((eigenvalues > 0).sum())}, but is {latent_dim}."
        )
    if not (sigma is None or 0 < sigma < math.inf) or not BETAS[0] <= beta <= BETAS[1]:
        raise ValueError(
            f"sigma must be a positive number and beta one from {BETAS[0]} to {BETAS[1]}, but they "
            f"are {sigma} and {beta}."
        )


def _range(kept: Tensor, spread: float) -> list[float]:
    """σ² from below to above all that happens: each dimension's threshold, and the best σ²."""
    least = max(kept[-1].item(), LEAST * kept[0].item())
    return [0.7 * min(least, spread), 2 * kept[0].item()]


def _pictures(
    parts: tuple, latent_dim: int, n_pixels: int, value_range: tuple[float, float]
) -> dict[str, object]:
    components, mean, images, names, image_shape = parts
    if any(part is None for part in parts):
        raise ValueError("With components give mean, images, names and image_shape as well.")
    components, mean, images = here(components, mean, images)
    wide = (components.shape[1:], mean.shape, images.shape[1:], (math.prod(image_shape),))
    if any(tuple(shape) != (n_pixels,) for shape in wide) or not 0 < len(images) == len(names):
        raise ValueError(
            f"Expected components (L, {n_pixels}), mean ({n_pixels},), an image_shape of as many "
            f"pixels, and images (N, {n_pixels}) with N names, but got {tuple(components.shape)}, "
            f"{tuple(mean.shape)}, {image_shape}, {tuple(images.shape)} and {len(names)} names."
        )
    kept = components[:latent_dim].double()
    unit = torch.eye(latent_dim, out=kept.new_empty(0))
    if len(kept) < latent_dim or not torch.allclose(kept @ kept.T, unit, atol=1e-4):
        raise ValueError(f"components must be {latent_dim} or more orthogonal rows of length 1.")
    return {
        "components": pack(kept),
        "mean": pack(mean),
        "images": pack(images),
        "names": list(names),
        "image_shape": list(image_shape),
        "value_range": [float(value) for value in value_range],
    }


def _picture(
    state: dict, components: Tensor | None, mean: Tensor | None, images: Tensor | None
) -> Figure:
    names = [] if components is None else ["x", "its reconstruction"]
    layout = [["bars", name] for name in names] or [["bars"]]
    ratios = (2.6, 1) if names else (1,)
    fig, axes = plt.subplot_mosaic(
        layout, figsize=(6.4, 3.4), width_ratios=ratios, layout="constrained"
    )
    kept = torch.tensor(state["eigenvalues"], dtype=torch.float64, device="cpu")
    threshold = state["beta"] * state["variance"]
    _draw_bars(axes["bars"], kept, threshold, 0.7 * state["variance_range"][0])
    if names:
        kept_rows, mean, x = (
            part.double() for part in here(components[: len(kept)], mean, images[0])
        )
        gain = (1 - threshold / kept).clamp(min=0.0)
        x_mean = mean + (gain * (kept_rows @ (x - mean))) @ kept_rows
        for name, image in zip(names, (x, x_mean), strict=True):
            white, black = state["pictures"]["value_range"]
            shown = image.reshape(state["pictures"]["image_shape"])
            show_image(axes[name], shown, name, white=white, black=black)
    return fig


def _draw_bars(ax: Axes, kept: Tensor, threshold: float, foot: float) -> None:
    dimensions, below = range(1, len(kept) + 1), kept.clamp(max=threshold)
    ax.bar(dimensions, (below - foot).clamp(min=0).numpy(), bottom=foot, color="0.85")
    ax.bar(dimensions, (kept - below).numpy(), bottom=below.numpy(), color="C0")
    ax.axhline(threshold, color="C3", linestyle="--", label="$\\beta\\sigma^2$")
    ax.set(xlabel="latent dimension", ylabel="eigenvalue $\\lambda$", yscale="log")
    ax.set_ylim(bottom=foot)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="upper right")
