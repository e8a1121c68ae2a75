"""Chapter 6's live figure: a q against the true posterior, and bars that always add up."""

import math
from collections.abc import Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.live.figure import LiveFigure, here, pack, pack_network

NAME = "The bound and the gap"
DESCRIPTION = (
    "Move q by its handle or the sliders, and watch the bars, in nats: log p(x), the ELBO, the KL "
    "divergence from q to the true posterior, and the two terms of the ELBO."
)


def elbo_bars(
    decoder: nn.Module,
    x: Tensor,
    *,
    image_shape: tuple[int, int],
    names: Sequence[str],
    mu: Tensor,
    sigma: Tensor,
) -> LiveFigure:
    """log p(x) = ELBO + KL(q || p(z|x)) for one latent dimension and a Gaussian q to be moved.

    Args:
        decoder: the network of a Bernoulli decoder, (..., 1) to logits (..., D). The prior is
            N(0, 1).
        x: binary images to choose from, (N, D).
        names: what each is called, N of them.
        mu, sigma: of the encoder's q(z|x) for each image, (N,).

    Taught in chapter 6.
    """
    if not (len(x) == len(names) == len(mu) == len(sigma)) or len(x) < 1 or mu.ndim != 1:
        raise ValueError(
            f"Expected as many names, means and standard deviations, each (N,), as images, but "
            f"got {len(names)}, {tuple(mu.shape)} and {tuple(sigma.shape)} for {len(x)}."
        )
    if not ((x == 0) | (x == 1)).all():
        raise ValueError("The images must be binary: use vae_lib.data.binarize.")
    decoder, x = here(decoder, x)
    state = {
        "decoder": pack_network(decoder),
        "images": pack(x, "uint8"),
        "image_shape": list(image_shape),
        "names": list(names),
        "q": [[m, s] for m, s in zip(mu.tolist(), sigma.tolist(), strict=True)],
    }
    picture = _picture(decoder, x[0], *state["q"][0])
    return LiveFigure("elbo_bars", name=NAME, description=DESCRIPTION, state=state, picture=picture)


@torch.no_grad()
def _picture(decoder: nn.Module, x: Tensor, mu: float, sigma: float) -> Figure:
    z = torch.linspace(-4, 4, 801)
    log_px_z = td.Independent(td.Bernoulli(logits=decoder(z[:, None])), 1).log_prob(x)
    prior, q = td.Normal(0.0, 1.0), td.Normal(mu, sigma)
    log_px = (log_px_z + prior.log_prob(z)).logsumexp(0).item() + math.log(z[1] - z[0])
    posterior = (log_px_z + prior.log_prob(z) - log_px).exp()
    weight = q.log_prob(z).softmax(0)
    reconstruction = (weight * log_px_z).sum().item()
    elbo = reconstruction - td.kl_divergence(q, prior).item()
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3), layout="constrained")
    left.plot(z, prior.log_prob(z).exp(), ":", color="0.4", label="prior $p(z)$")
    left.plot(z, posterior, "k-", label="posterior $p(z \\mid x)$")
    left.plot(z, q.log_prob(z).exp(), "--", color="tab:orange", label="$q(z)$")
    left.set(xlabel="$z$", ylabel="density")
    left.margins(y=0.3)  # room for the legend
    left.set_ylim(bottom=0)
    left.legend(fontsize=9, loc="upper right")
    _draw_bars(right, log_px, elbo, reconstruction)
    return fig


def _draw_bars(ax: Axes, log_px: float, elbo: float, reconstruction: float) -> None:
    low = min(elbo, log_px - 8) - 2
    rows = (
        ((log_px, "0.2"),),
        ((elbo, "C0"), (log_px, "C1")),
        ((elbo, "C0"), (reconstruction, "C2")),
    )
    for row, parts in enumerate(rows):
        start = low
        for end, colour in parts:
            ax.barh(row, end - start, left=start, color=colour, edgecolor="black")
            start = end
    names = ["$\\log\\,p(x)$", "ELBO + KL from $q$\nto the posterior"]
    ax.set_yticks(range(3), [*names, "ELBO + KL from $q$\nto the prior"])
    ax.invert_yaxis()
    ax.set(xlabel="nats")
