"""Chapter 5's live figure: what one pixel costs, as a coin and as a grey value."""

import math

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import distributions as td

from vae_lib.live.figure import LiveFigure

NAME = "One pixel and two likelihoods"
DESCRIPTION = (
    "Set the grey value x of the pixel and the decoder's λ, by the sliders or by the handles on "
    "the curves. One plot shows what that pixel costs under every λ, the other what that λ gives "
    "to every x; dotted upright lines mark the chosen λ and x."
)
MARKED = (0.0001, 0.01, 0.5, 0.99, 0.9999)


def one_pixel(x: float = 0.3, probs: float = 0.7, *, max_logit: float = 12.0) -> LiveFigure:
    """BCE(λ, x) and the continuous Bernoulli's -log p(x), over λ and over x, both to be moved.

    Args:
        x: the grey value shown first, in [0, 1].
        probs: the λ shown first.
        max_logit: λ can be moved as far as its logit is at most this: the clamp of the decoder.

    Taught in chapter 5.
    """
    if not 0 <= x <= 1:
        raise ValueError(f"The grey value x must lie in [0, 1], but is {x}.")
    if not 0 < max_logit <= 30:
        raise ValueError(f"max_logit must be above 0 and at most 30, but is {max_logit}.")
    if not 0 < probs < 1 or abs(math.log(probs / (1 - probs))) > max_logit:
        raise ValueError(
            f"probs must lie strictly between 0 and 1, with a logit from {-max_logit:g} to "
            f"{max_logit:g}, but is {probs}."
        )
    logit = math.log(probs / (1 - probs))
    state = {"x": float(x), "logit": logit, "max_logit": float(max_logit)}
    picture = _picture(x, logit, max_logit)
    return LiveFigure("one_pixel", name=NAME, description=DESCRIPTION, state=state, picture=picture)


def _picture(x: float, logit: float, max_logit: float) -> Figure:
    logits = torch.linspace(-max_logit, max_logit, 481, dtype=torch.float64)
    pixel, grey = torch.tensor(x).double(), torch.linspace(0, 1, 201, dtype=torch.float64)
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 3.2), layout="constrained")
    bce = -td.Bernoulli(logits=logits, validate_args=False).log_prob(pixel)
    left.plot(logits.numpy(), bce.numpy(), "--", color="tab:orange", label="BCE")
    density_cost = -td.ContinuousBernoulli(logits=logits).log_prob(pixel)
    name = "$-\\log\\,p(x; \\lambda)$"
    left.plot(logits.numpy(), density_cost.numpy(), "-", color="tab:blue", label=name)
    left.axvline(logit, color="tab:red", lw=1)
    left.set(xlabel="$\\lambda$", ylabel="cost of the pixel (nats)", ylim=(-3, 6))
    ticks = {math.log(p / (1 - p)): f"{p:g}" for p in MARKED}
    left.set_xticks(list(ticks), list(ticks.values()), fontsize=9)
    left.set_xlim(-max_logit, max_logit)
    left.legend(fontsize=9)
    here = torch.tensor(logit).double()
    unnormalised = td.Bernoulli(logits=here, validate_args=False).log_prob(grey).exp()
    right.plot(grey.numpy(), unnormalised.numpy(), "--", color="tab:orange", label="exp(−BCE)")
    density = td.ContinuousBernoulli(logits=here).log_prob(grey).exp()
    right.plot(grey.numpy(), density.numpy(), "-", color="tab:blue", label="$p(x; \\lambda)$")
    right.axvline(x, color="tab:red", lw=1)
    right.set(xlabel="grey value $x$", ylabel="density", ylim=(0, 4))
    right.legend(fontsize=9)
    return fig
