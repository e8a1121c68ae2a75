"""Exercise I.6: the loop."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_1 import known
from vae_lib.exercises.trained import MISTAKES_OF_WEIGHTS, losses_of, of_first_loss, of_weights

_N, _N_PIXELS, _STEPS, _NOISE = 256, 16, 200, 0.05
_BAR = 0.25  # of the way from pixels alone to the truth
_GOOD = "networks that have learned"


def _train(encoder: nn.Module, decoder: nn.Module, x: Tensor, steps: int) -> list[float]:
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
    losses = []
    for _ in range(steps):
        batch = x[torch.randint(len(x), (64,))]
        mu, log_var = encoder(batch).chunk(2, dim=-1)
        z = torch.addcmul(mu, (log_var / 2).exp(), torch.randn_like(mu))
        misses = nn.functional.softplus((1 - 2 * batch) * decoder(z)).sum()
        loss = (misses + 0.5 * (mu**2 + log_var.expm1() - log_var).sum()) / len(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def _fresh_networks(generator: torch.Generator) -> list[tuple]:
    """And images of four kinds, two of them in the first half and two in the second."""
    torch.manual_seed(int(torch.randint(1000, (1,), generator=generator)))
    encoder = nn.Sequential(nn.Linear(_N_PIXELS, 32), nn.Tanh(), nn.Linear(32, 4))
    decoder = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, _N_PIXELS))
    for network in (encoder, decoder):
        network.before = [copy.deepcopy(network)]  # in a list, which is no submodule
    kinds = (torch.rand(4, _N_PIXELS, generator=generator) < 0.4).float()
    x = kinds.repeat_interleave(_N // 4, 0)
    flipped = torch.rand(x.shape, generator=generator) < _NOISE
    return [(encoder, decoder, (x - flipped.float()).abs(), _STEPS)]


def _first_broken_law(
    losses: object, encoder: nn.Module, decoder: nn.Module, x: Tensor, steps: int
) -> str:
    losses = losses_of(losses, steps)
    return (
        of_weights(encoder, decoder)
        or _of_learning(encoder, decoder, x)
        or _of_losses(losses, encoder, decoder, x)
        or _GOOD
    )


def _of_learning(encoder: nn.Module, decoder: nn.Module, x: Tensor) -> str | None:
    with torch.no_grad():
        log_px = known.moments_of_log_px(encoder, decoder, x)[0]
        before = known.moments_of_log_px(encoder.before[0], decoder.before[0], x)[0].mean()
        elbo, kl = log_px - known.exact_kl(encoder, x), known.exact_kl(encoder, x).mean()
    bar = _bar(x)
    if elbo.mean() > bar and elbo[: _N // 2].mean() > bar - 1 and elbo[_N // 2 :].mean() > bar - 1:
        return None
    quarters = elbo.reshape(4, -1).mean(1)  # a kind each
    if quarters.max() > bar and quarters.min() < quarters.max() - 3:
        return "part of the images"
    if log_px.mean() < before - 1:
        return "worse than before"
    if kl < 0.1 and elbo.mean() > bar - 2:
        return "no information in the codes"
    return "codes that cost too much" if kl > 6 else "not much learned"


def _bar(x: Tensor) -> Tensor:
    """Between what independent pixels reach and the likelihood of the images' own law."""
    mean = x.mean(0).clamp(0.01, 0.99)
    pixels = -(torch.special.entr(mean) + torch.special.entr(1 - mean)).sum()
    noise = torch.tensor([_NOISE, 1 - _NOISE])
    truth = -torch.log(torch.tensor(4.0)) - _N_PIXELS * torch.special.entr(noise).sum()
    return pixels + _BAR * (truth - pixels)


def _of_losses(losses: Tensor, encoder: nn.Module, decoder: nn.Module, x: Tensor) -> str | None:
    with torch.no_grad():
        first = -known.exact_elbo(encoder.before[0], decoder.before[0], x).mean()
    return of_first_loss(losses[0] / first, 0.7, 1.4)


EXERCISE = Exercise(
    "I.6",
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
            "After your steps the images are less probable than before. An optimiser makes its "
            "number small: has yours the sign of a loss?",
        ),
        Mistake(
            "part of the images",
            "part of the images",
            "Some of the images are learned well and others hardly. Does every image get into a "
            "batch?",
        ),
        Mistake(
            "collapsed",
            "no information in the codes",
            "The codes have come to hold no information, the KL is 0. Is the log-likelihood summed "
            "over pixels, and has the KL the weight 1?",
        ),
        Mistake(
            "no KL",
            "codes that cost too much",
            "The codes cost more nats than they bring. Is the KL in your loss, with the weight 1?",
        ),
        Mistake(
            "too little",
            "not much learned",
            "The networks have learned something, and less than the steps allow. Is there one "
            "step a loss, is `zero_grad` called before each `backward`, is the learning rate near "
            "0.001?",
        ),
        Mistake(
            "ELBOs",
            "ELBOs for losses",
            "The networks have learned. But your numbers are ELBOs, and losses are asked for.",
        ),
        Mistake(
            "another unit",
            "losses in another unit",
            "The networks have learned. But your first loss is not that of an image in nats, minus "
            "its ELBO, averaged over the batch.",
        ),
    ),
)
