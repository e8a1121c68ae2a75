"""Exercise II.6: the loop."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_2 import known
from vae_lib.exercises.project_2.band import SIGMA
from vae_lib.exercises.trained import MISTAKES_OF_WEIGHTS, losses_of, of_first_loss, of_weights

_N, _N_VALUES, _STEPS = 240, 12, 1000
_GOOD = "networks that have learned"


def _train(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor, steps: int) -> list[float]:
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
    losses = []
    for _ in range(steps):
        rows = torch.randint(len(x), (64,))
        q_z = known.code_of(encoder, x[rows], y[rows])
        z = q_z.rsample().float()
        log_px = torch.distributions.Normal(decoder(known.beside(z, y[rows])), SIGMA)
        misses = -log_px.log_prob(x[rows]).sum(-1)
        loss = (misses + known.exact_kl(encoder, x[rows], y[rows])).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def _fresh_networks(generator: torch.Generator) -> list[tuple]:
    """And pictures of four kinds, two in each half, of which each class has its own version."""
    torch.manual_seed(int(torch.randint(1000, (1,), generator=generator)))
    encoder = nn.Sequential(nn.Linear(_N_VALUES + 2, 32), nn.Tanh(), nn.Linear(32, 4))
    decoder = nn.Sequential(nn.Linear(2 + 2, 32), nn.Tanh(), nn.Linear(32, _N_VALUES))
    for network in (encoder, decoder):
        network.before = [copy.deepcopy(network)]  # in a list, which is no submodule
    kinds = torch.rand(4, _N_VALUES, generator=generator)
    kinds[:, _N_VALUES // 2 :] = 0.5
    by_class = torch.zeros(2, _N_VALUES)
    by_class[:, _N_VALUES // 2 :] = torch.tensor([[-0.4], [0.4]])
    y = known.labels(generator, _N, 2)
    x = kinds.repeat_interleave(_N // 4, 0) + y @ by_class
    noise = SIGMA * torch.randn(x.shape, generator=generator)
    return [(encoder, decoder, x + noise, y, _STEPS)]


def _first_broken_law(
    losses: object, encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor, steps: int
) -> str:
    losses = losses_of(losses, steps)
    return (
        of_weights(encoder, decoder)
        or _of_learning(encoder, decoder, x, y)
        or _of_losses(losses, encoder, decoder, x, y)
        or _GOOD
    )


@torch.no_grad()
def _of_learning(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor) -> str | None:
    """By bars between right answers and wrong ones, some of each, whose nats are named here."""
    log_px, kl = known.moments_of_log_px(encoder, decoder, x, y)[0], known.exact_kl(encoder, x, y)
    before = known.moments_of_log_px(encoder.before[0], decoder.before[0], x, y)[0].mean()
    other = known.moments_of_log_px(encoder, decoder, x, y, decoded_with=1 - y)[0]
    elbo, (alone, truth) = log_px - kl, bars(x, y)
    quarters = elbo.reshape(4, -1).mean(1)  # a kind each
    if log_px.mean() < before - 1:
        return "worse than before"
    if elbo.mean() < alone - 30:
        return "not much learned"
    if (log_px - other).mean() < 10:  # others' labels: below 2; right: above 90
        return "labels that say nothing"
    if kl.mean() > 4.5:  # a KL of weight 1/12: above 5.2; right: below 3.3
        return "codes that cost too much"
    if quarters.max() > truth - 5 and quarters.min() < quarters.max() - 20:
        return "part of the pictures"
    if kl.mean() < 0.6:  # right: above 1.6
        return "no information in the codes"
    return "not much learned" if elbo.mean() < alone + (truth - alone) / 3 else None


def bars(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """What the mean picture of each class gives, and what the pictures' own law does."""
    means = y @ (y.T @ x / y.sum(0)[:, None])
    constant = -_N_VALUES * torch.log(SIGMA * (2 * torch.tensor(torch.pi)).sqrt())
    alone = constant - (x - means).square().sum(1).mean() / (2 * SIGMA**2)
    truth = constant - _N_VALUES / 2 - torch.log(torch.tensor(4.0))
    return alone, truth


def _of_losses(
    losses: Tensor, encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor
) -> str | None:
    with torch.no_grad():
        first = -known.exact_elbo(encoder.before[0], decoder.before[0], x, y).mean()
    return of_first_loss(losses[0] / first, 0.6, 1.6)


EXERCISE = Exercise(
    "II.6",
    oracle=_train,
    cases=_fresh_networks,
    summarise=_first_broken_law,
    in_place=("encoder", "decoder"),
    seconds=30.0,
    mistakes=(
        *MISTAKES_OF_WEIGHTS,
        Mistake(
            "uphill",
            "worse than before",
            "After your steps the pictures are less probable than before. An optimiser makes its "
            "number small: has yours the sign of a loss? And is the gradient cleared in each step?",
        ),
        Mistake(
            "part of the pictures",
            "part of the pictures",
            "Some of the pictures are learned well and others hardly. Is each batch drawn at "
            "random from all of them?",
        ),
        Mistake(
            "labels of others",
            "labels that say nothing",
            "Your decoder has learned next to nothing from the labels, which here say much. Are a "
            "batch's labels those of its pictures, drawn by the same indices?",
        ),
        Mistake(
            "collapsed",
            "no information in the codes",
            "The codes have come to hold next to no information: the KL is near 0. Is the "
            "log-likelihood summed over values, and has the KL the weight 1?",
        ),
        Mistake(
            "no KL",
            "codes that cost too much",
            "The codes cost more nats than they need. Is the KL in your loss, with the weight 1?",
        ),
        Mistake(
            "not much learned",
            "not much learned",
            "Your networks have moved, and learned too little. Is the gradient cleared in each "
            "step, and the learning rate between 0.001 and 0.01?",
        ),
        Mistake(
            "ELBOs for losses",
            "ELBOs for losses",
            "The networks learn well, and what you return are ELBOs. The loss is minus that.",
        ),
        Mistake(
            "another unit",
            "losses in another unit",
            "The networks learn well, and the numbers you return are no losses in nats for a "
            "picture. Do they stand for the mean over a batch, and is each term a sum?",
        ),
    ),
)
