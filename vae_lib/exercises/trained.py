"""What the checks of both projects share: what networks give, and whether training has helped.

A project speaks of "images" or of "pictures": where a sentence names them, it says which.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.exercises.exercise import Mistake
from vae_lib.exercises.values import as_tensor

_LIMIT = 4.0  # standard errors of an estimate with one draw an image


class Terms(NamedTuple):
    """The two terms of each image's ELBO, averaged over draws, and the spread of a single draw."""

    log_px: Tensor
    kl: Tensor
    spread: Tensor

    @property
    def elbo(self) -> float:
        return (self.log_px - self.kl).mean().item()

    def error(self, n_draws: int, *, at_least: float) -> float:
        """How far a right estimate of the ELBO by a single draw of each image may lie away."""
        spread = self.spread.square().mean().sqrt().item()
        error = _LIMIT * spread * math.sqrt(1 + 1 / n_draws) / math.sqrt(len(self.kl))
        return max(error, at_least)


def tensor(value: object) -> Tensor:
    """An output of an answer as a tensor, whatever holds its numbers."""
    found = as_tensor(value)
    if found is None:
        raise ValueError("tensors are wanted.")
    return found


def gradients(value: Tensor, *parameters: Tensor) -> list[Tensor]:
    """Of the sum of `value`; zeros where none flows."""
    if not value.requires_grad:
        return [torch.zeros_like(p) for p in parameters]
    found = torch.autograd.grad(value.sum(), parameters, retain_graph=True, allow_unused=True)
    pairs = zip(found, parameters, strict=True)
    return [torch.zeros_like(p) if gradient is None else gradient for gradient, p in pairs]


def asked(network: nn.Module, rows: Tensor, *, at_once: int = 1024) -> Tensor:
    """What a network gives for rows, in double precision, on the CPU."""
    device = next(network.parameters()).device
    parts = [network(part.float().to(device)).cpu() for part in rows.split(at_once)]
    return torch.cat(parts).double()


def code_by(numbers: Tensor, n: int, things: str, *, log_var_per_number: float) -> td.Independent:
    """q(z|x) by an encoder's numbers for n images; their second half, times a factor, is log σ²."""
    if numbers.ndim != 2 or len(numbers) != n or numbers.shape[1] % 2:
        raise ValueError(f"your encoder gives shape {tuple(numbers.shape)} for {n} {things}.")
    mu, log_var = numbers.chunk(2, dim=-1)
    return td.Independent(td.Normal(mu, (log_var_per_number * log_var / 2).exp()), 1)


def kl_to_prior(q_z: td.Independent) -> Tensor:
    p_z = td.Independent(td.Normal(torch.zeros_like(q_z.mean), 1.0), 1)
    return td.kl_divergence(q_z, p_z)


def moments(value: Callable[[Tensor], Tensor], q_z: td.Independent) -> tuple[Tensor, Tensor]:
    """Mean and variance of value(z) over z from q, of two dimensions, by quadrature."""
    nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(14))
    grid = torch.cartesian_prod(nodes, nodes)[:, None]  # (196, 1, 2)
    shares = torch.outer(weights, weights).flatten() / weights.sum() ** 2
    values = value(q_z.mean + q_z.stddev * grid)
    mean = shares @ values
    return mean, shares @ (values - mean).square()


def handed_in(answer: object, things: str) -> tuple[nn.Module, nn.Module, float]:
    """A whole: the encoder, the decoder, and the ELBO that is claimed for them."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        raise ValueError("three things are wanted: encoder, decoder, and their ELBO.")
    encoder, decoder, claimed = answer
    for network in (encoder, decoder):
        if not isinstance(network, nn.Module) or not list(network.parameters()):
            raise ValueError("the first two are to be the trained networks.")
    claimed = torch.as_tensor(claimed).detach()
    if claimed.numel() != 1:
        raise ValueError(f"the third is to be one number, the mean ELBO of the test {things}.")
    return encoder, decoder, claimed.item()


def nearest_slip(
    claimed: float, slips: dict[str, float], error: float, errors: dict[str, float]
) -> str:
    """By which slip the claimed number may have come; `errors` are those that are not `error`."""
    far = {name: abs(claimed - v) / errors.get(name, error) for name, v in slips.items()}
    nearest = min(far, key=far.get)
    return nearest if far[nearest] <= 1 else "another number"


def losses_of(output: object, steps: int) -> Tensor:
    """One a step, as an answer returns them."""
    losses = tensor(output).detach().double().flatten()
    if len(losses) != steps:
        raise ValueError(f"{steps} losses are wanted, one a step, and there are {len(losses)}.")
    return losses


def of_first_loss(ratio: Tensor, low: float, high: float) -> str | None:
    """What is wrong with the first of some losses, by its ratio to what it should be near."""
    if low < ratio < high:
        return None
    return "ELBOs for losses" if low < -ratio < high else "losses in another unit"


def of_weights(encoder: nn.Module, decoder: nn.Module) -> str | None:
    """What is wrong with the weights after training; `before[0]` is a copy from before it."""
    parameters = [*encoder.parameters(), *decoder.parameters()]
    if not all(p.isfinite().all() for p in parameters):
        return "weights that are not finite"
    changed = [
        any(
            not torch.equal(p, q)
            for p, q in zip(network.parameters(), network.before[0].parameters(), strict=True)
        )
        for network in (encoder, decoder)
    ]
    if changed == [True, True]:
        return None
    if changed == [False, False]:
        return "no weights have moved"
    return "the decoder's weights alone" if changed[1] else "the encoder's weights alone"


MISTAKES_OF_WEIGHTS = (
    Mistake(
        "no step",
        "no weights have moved",
        "No weight of the two networks has moved. Does the optimiser hold their parameters, "
        "and does it take its steps?",
    ),
    Mistake(
        "decoder alone",
        "the decoder's weights alone",
        "The encoder's weights have not moved. The optimiser needs the parameters of both.",
    ),
    Mistake(
        "encoder alone",
        "the encoder's weights alone",
        "The decoder's weights have not moved. The optimiser needs the parameters of both.",
    ),
    Mistake(
        "not finite",
        "weights that are not finite",
        "Some weights have become nan or infinite. Is the learning rate near 0.001?",
    ),
)
