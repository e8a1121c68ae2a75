"""The two models of the book: maps put together, and nothing else."""

import torch
from torch import Tensor, nn


class Autoencoder(nn.Module):
    """A deterministic autoencoder: x to the code z = f(x), and back to x' = g(z).

    `encoder` maps (..., D) to (..., L), `decoder` maps (..., L) to (..., D).

    Taught in chapter 1.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction g(f(x)), of x's shape."""
        return self.decoder(self.encoder(x))


class VAE(nn.Module):
    """Three maps into distributions: x to q(z|x), z to p(x|z), and nothing to p(z).

    `encoder(x)`, `decoder(z)` and `prior()` each return a `torch.distributions` object. What is
    maximised, and how, is a function of the three: see `vae_lib.objectives`.

    Source: Kingma and Welling (2014). Taught in chapters 2, 3 and 8.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """`n` draws of x, (n, D), by ancestral sampling: z from p(z), then x from p(x|z).

        These are draws, noise included. The mean of p(x|z) is another thing, and the book never
        calls it a sample.
        """
        if n < 1:
            raise ValueError(f"The number of samples must be 1 or more, not {n}.")
        return self.decoder(self.prior().sample((n,))).sample()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """The mean of p(x|z) at the mean of q(z|x): `x_mean`, of x's shape (B, D)."""
        return self.decoder(self.encoder(x).mean).mean
