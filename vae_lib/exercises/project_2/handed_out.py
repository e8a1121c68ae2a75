"""Three conditional VAEs of the shapes, each with a fault in its training."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor, nn

from vae_lib.data import load
from vae_lib.exercises.project_2.band import SIGMA
from vae_lib.networks import WithPlanes, convolutional_decoder, convolutional_encoder

LATENT_DIM, N_CLASSES, STEPS = 6, 3, 400
FAULTS = {
    "a": "the label never reached the decoder",
    "b": "the KL was averaged over the values of a picture",
    "c": "the log-likelihood was averaged over the values of a picture",
    "d": "the decoder was trained as if σ were 1",
    "e": "only a hundred pictures were trained on",
}
OF_MODEL = {"A": "b", "B": "d", "C": "a"}


class Untold(nn.Module):
    """A decoder that is handed codes and labels, and sees zeros in the labels' place."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, rows: Tensor) -> Tensor:
        return self.decoder(nn.functional.pad(rows[:, :LATENT_DIM], (0, N_CLASSES)))


def handed_out(letter: str) -> tuple[nn.Module, nn.Module]:
    """The encoder and the decoder of model "A", "B" or "C": a few seconds of training.

    The encoder takes rows (B, 768 + 3), a picture and its label, and gives 6 means and 6
    log-variances; the decoder takes (B, 6 + 3) and gives (B, 768) means, meant for σ = 0.1.
    """
    if letter not in OF_MODEL:
        raise ValueError(f'There are models "A", "B" and "C", and none is {letter!r}.')
    return trained(OF_MODEL[letter])


@functools.cache
def trained(fault: str, seed: int = 0) -> tuple[nn.Module, nn.Module]:
    """With one of the FAULTS, or with "" for none."""
    dataset = load("shapes")
    n = 100 if fault == "e" else len(dataset.train)
    x, y = dataset.train[:n], nn.functional.one_hot(dataset.train_labels[:n], N_CLASSES).float()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        encoder, decoder = _networks(dataset.image_shape)
        decoder = Untold(decoder) if fault == "a" else decoder
        weights = [*encoder.parameters(), *decoder.parameters()]
        optimiser = torch.optim.Adam(weights, lr=5e-3)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=STEPS)
        for _ in range(STEPS):
            rows = torch.randint(n, (64,))
            loss = _loss(encoder, decoder, x[rows], y[rows], fault)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
    return encoder.eval(), decoder.eval()


def _networks(image_shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
    n_channels, *size = image_shape
    planes = n_channels + N_CLASSES, *size
    encoder = WithPlanes(convolutional_encoder(planes, (16, 32), 2 * LATENT_DIM), N_CLASSES)
    return encoder, convolutional_decoder(LATENT_DIM + N_CLASSES, (32, 16), image_shape)


def _loss(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor, fault: str) -> Tensor:
    mu, log_var = encoder(torch.cat([x, y], dim=1)).chunk(2, dim=1)
    z = mu + (log_var / 2).exp() * torch.randn_like(mu)
    sigma = 1.0 if fault == "d" else SIGMA
    squares = ((x - decoder(torch.cat([z, y], dim=1))) / sigma).square()
    per_value = -0.5 * squares - math.log(sigma * math.sqrt(2 * math.pi))
    per_dimension = 0.5 * (mu.square() + log_var.expm1() - log_var)
    log_px, kl = per_value.sum(1), per_dimension.sum(1)
    log_px = log_px / x.shape[1] if fault == "c" else log_px
    kl = kl / x.shape[1] if fault == "b" else kl
    return (kl - log_px).mean()
