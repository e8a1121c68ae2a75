"""What the pictures share that stand for live figures on paper and without JavaScript."""

from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from torch import Tensor


def show_image(
    ax: Axes, image: Tensor, title: str = "", *, white: float = 0.0, black: float = 1.0
) -> None:
    """An image in a thin frame: (H, W) with the values shown white and black, or (3, H, W)."""
    low, high = sorted((white, black))
    if image.ndim == 3:  # in colour what is low is dark, whichever ends are named
        ax.imshow(((image.permute(1, 2, 0) - low) / (high - low)).clamp(0, 1).numpy())
    else:
        cmap = "gray_r" if white < black else "gray"
        ax.imshow(image.numpy(), cmap=cmap, vmin=low, vmax=high)
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=10)
    ax.spines[:].set(visible=True, color="0.7")


def draw_numerals(ax: Axes, codes: Tensor, labels: Tensor) -> None:
    """Each label printed where its image's code is."""
    for (z_1, z_2), label in zip(codes.tolist(), labels.tolist(), strict=True):
        ax.text(z_1, z_2, str(label), color=f"C{label % 10}", size=7, ha="center", va="center")


def name_classes(ax: Axes, codes: Tensor, labels: Tensor) -> None:
    """Each class's label, large and with a white rim, in the middle of its codes."""
    rim = [patheffects.withStroke(linewidth=3, foreground="white")]
    for label in labels.unique().tolist():
        z_1, z_2 = codes[labels == label].median(0).values.tolist()
        style = {"size": 14, "weight": "bold", "color": f"C{label % 10}", "path_effects": rim}
        ax.text(z_1, z_2, str(label), ha="center", va="center", **style)


def draw_ellipses(ax: Axes, mu: Tensor, sigma: Tensor, extent: dict[str, list[float]]) -> None:
    """One and two standard deviations about a mean, (2,) each, over the plane that is shown."""
    # However wide it is, what matters is that it is wider than the plane.
    sigma = sigma.clamp(max=10 * (extent["x_range"][1] - extent["x_range"][0]))
    for n, style in ((1, "-"), (2, "--")):
        size = (2 * n * sigma).tolist()
        ax.add_patch(Ellipse(mu.tolist(), *size, fill=False, linestyle=style, lw=2))
    limits = {"xlim": extent["x_range"], "ylim": extent["y_range"], "aspect": "equal"}
    ax.set(xlabel="$z_1$", ylabel="$z_2$", **limits)
