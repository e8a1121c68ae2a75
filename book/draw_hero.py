"""Draw the first page's figure, book/assets/hero.svg, from a model that is trained here.

It takes half a minute: python book/draw_hero.py
"""

from pathlib import Path

import torch
from torch import Tensor

from vae_lib.conditionals import DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.data import load
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo
from vae_lib.training import fit

TARGET = Path(__file__).parent / "assets" / "hero.svg"
PLANE = (170, 34, 300)  # left, top and side of the square that shows the latent plane
REACH = 2.6  # the plane shows codes between -REACH and REACH
LEVELS = 10  # shades of ink
N_ELLIPSES = 160
HUES = [f"hsl({36 * k} 55% 52%)" for k in range(10)]

# The colours are the site's where it sets them, and the reader's system's elsewhere.
STYLE = """
.hero text { font: italic 19px Georgia, serif; fill: var(--hero-ink, #1f2328); }
.hero .note { font: 15px system-ui, sans-serif; fill: var(--hero-soft, #565d66); }
.hero .ink { fill: var(--hero-ink, #1f2328); }
.hero .cloud { fill-opacity: 0.22; stroke-opacity: 0.75; }
.hero .frame { fill: none; stroke: var(--hero-faint, #d5dae0); }
.hero .x { fill: var(--hero-x, #1d5a9b); }
.hero .p { fill: var(--hero-p, #b54a14); }
.hero .q { fill: var(--hero-z, #a86a00); fill-opacity: 0.35; stroke: var(--hero-z, #a86a00);
  stroke-width: 2.5; }
.hero .way { fill: none; stroke: var(--hero-p, #b54a14); stroke-width: 2.5;
  stroke-dasharray: 2 6; stroke-linecap: round; }
@media (prefers-color-scheme: dark) {
  .hero { --hero-ink: #dcdfe3; --hero-soft: #a3abb5; --hero-faint: #3c4148; --hero-x: #82b4ec;
    --hero-z: #f2b134; --hero-p: #f09a66; }
}
"""

DESCRIPTION = (
    "An image of a handwritten digit enters an encoder and becomes an ellipse in a plane, among "
    "the overlapping ellipses of many other images; a decoder turns a point of the plane back "
    "into an image. Below, nine decoded images change step by step from one digit into another."
)


def train(data: Tensor) -> VAE:
    """A VAE with two latent dimensions and one learned pixel scale."""
    torch.manual_seed(3)
    d = data.shape[1]
    encoder = DiagonalGaussian(mlp(d, 256, 128, 4))
    vae = VAE(encoder, Gaussian(mlp(2, 128, 256, d), sigma="learned"), StandardNormal(2))
    fit(vae, elbo, data, epochs=250, device="cpu", progress=False)
    return vae


def digit(x: Tensor, left: float, top: float, side: float) -> str:
    """An image as squares, one path for each shade of ink."""
    cell, paths = side / 8, []
    shades = (x.view(8, 8).clamp(0, 1) * LEVELS).round().int()
    for shade in range(1, LEVELS + 1):
        squares = "".join(f"M{c} {r}h1v1h-1z" for r, c in (shades == shade).nonzero().tolist())
        if squares:
            paths.append(f'<path fill-opacity="{shade / LEVELS:g}" d="{squares}"/>')
    place = f"translate({left:g} {top:g}) scale({cell:g})"
    frame = f'<rect class="frame" x="{left:g}" y="{top:g}" width="{side:g}" height="{side:g}"/>'
    ink = f'<g class="ink" shape-rendering="crispEdges" transform="{place}">{"".join(paths)}</g>'
    return frame + ink


def on_page(z: Tensor) -> tuple[float, float]:
    """Where a code lies in the drawing."""
    left, top, side = PLANE
    x, y = ((z / REACH + 1) / 2 * side).tolist()
    return left + x, top + side - y


def ellipse(mu: Tensor, sigma: Tensor, look: str) -> str:
    (x, y), (rx, ry) = on_page(mu), (sigma / REACH / 2 * PLANE[2]).tolist()
    return f'<ellipse {look} cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}"/>'


def cloud(mu: Tensor, sigma: Tensor, labels: Tensor) -> list[str]:
    """The ellipses that lie in the plane, in one hue for each of the ten digits."""
    inside = (mu.abs() + sigma < REACH).all(dim=1).nonzero().flatten().tolist()
    looks = [f'class="cloud" style="fill:{c};stroke:{c}"' for c in HUES]
    return [ellipse(mu[i], sigma[i], looks[int(labels[i])]) for i in inside[:N_ELLIPSES]]


def draw(vae: VAE, x: Tensor, labels: Tensor, start: int, end: int) -> str:
    """The whole figure: image `start` through the model, and the way to image `end`."""
    q_z = vae.encoder(x)
    mu, sigma = q_z.mean, q_z.stddev
    way = torch.lerp(mu[start], mu[end], torch.linspace(0, 1, 9)[:, None])
    strip = vae.decoder(way).mean
    (ax, ay), (bx, by) = on_page(way[0]), on_page(way[-1])
    left, top, side = PLANE
    return "\n".join(
        [
            '<svg class="hero" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 428" role="img"',
            f'  aria-label="{DESCRIPTION}">',
            f"<style>{STYLE}</style>",
            digit(x[start], 8, 136, 96),
            f'<rect class="frame" x="{left}" y="{top}" width="{side}" height="{side}" rx="6"/>',
            *cloud(mu, sigma, labels),
            ellipse(mu[start], sigma[start], 'class="q"'),
            f'<path class="way" d="M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}"/>',
            '<path class="x" d="M114 140l44 24v40l-44 24z"/>',
            '<path class="p" d="M526 140l-44 24v40l44 24z"/>',
            digit(strip[0], 536, 136, 96),
            '<text x="56" y="126" text-anchor="middle">x</text>',
            '<text x="320" y="24" text-anchor="middle">q(z | x)</text>',
            '<text x="584" y="126" text-anchor="middle">p(x | z)</text>',
            '<text class="note" x="110" y="256" text-anchor="middle">encoder</text>',
            '<text class="note" x="530" y="256" text-anchor="middle">decoder</text>',
            *[digit(image, 8 + 70 * i, 356, 64) for i, image in enumerate(strip)],
            "</svg>\n",
        ]
    )


@torch.no_grad()
def main() -> None:
    digits = load("digits")
    with torch.enable_grad():
        vae = train(digits.train)
    labels = digits.test_labels
    mu = vae.encoder(digits.test).mean
    # The code nearest to its class's mean stands for the class.
    start, end = (
        int(torch.where(labels == k, (mu - mu[labels == k].mean(0)).norm(dim=1), 99.0).argmin())
        for k in (3, 6)
    )
    TARGET.write_text(draw(vae, digits.test, labels, start, end), encoding="utf-8")


if __name__ == "__main__":
    main()
