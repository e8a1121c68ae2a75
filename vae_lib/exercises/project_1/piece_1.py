"""Exercise I.1: two networks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.trained import gradients

_GOOD = "every law holds"


def _networks(n_pixels: int, latent_dim: int) -> tuple[nn.Module, nn.Module]:
    encoder = nn.Sequential(nn.Linear(n_pixels, 32), nn.Tanh(), nn.Linear(32, 2 * latent_dim))
    decoder = nn.Sequential(nn.Linear(latent_dim, 32), nn.Tanh(), nn.Linear(32, n_pixels))
    return encoder, decoder


def _sizes(generator: torch.Generator) -> list[tuple]:
    return [(12, 3), (30, 5)]


def _first_broken_law(networks: object, n_pixels: int, latent_dim: int) -> str:
    """The first law that the networks break, in a few words."""
    encoder, decoder = networks
    for network in (encoder, decoder):
        if not isinstance(network, nn.Module):
            raise TypeError("expected two modules, encoder and decoder.")
    x, z = torch.randn(256, n_pixels).sign().relu(), torch.randn(256, latent_dim)
    return (
        _of_sizes(encoder, decoder, x, z)
        or _of_training(encoder, decoder, x, z)
        or _of_values(encoder.eval(), decoder.eval(), x, z)
        or _GOOD
    )


def _of_sizes(encoder: nn.Module, decoder: nn.Module, x: Tensor, z: Tensor) -> str | None:
    if _accepts(encoder, z) and _accepts(decoder, x):
        return "the decoder comes first"
    codes = encoder(x)
    if isinstance(codes, tuple | list):
        return "a pair"
    if codes.shape == z.shape:
        return "one number too few"
    for name, output, width in (
        ("encoder", codes, 2 * z.shape[1]),
        ("decoder", decoder(z), x.shape[1]),
    ):
        if not isinstance(output, Tensor) or output.shape != (len(x), width):
            shape = tuple(getattr(output, "shape", ()))
            raise ValueError(f"the {name} gives shape {shape}, and ({len(x)}, {width}) is wanted.")
    return None


def _accepts(network: nn.Module, rows: Tensor) -> bool:
    try:
        network(rows)
    except (RuntimeError, ValueError):
        return False
    return True


def _of_training(encoder: nn.Module, decoder: nn.Module, x: Tensor, z: Tensor) -> str | None:
    mu, log_var = encoder(x).chunk(2, dim=-1)
    for output, network, law in (
        (mu, encoder, "no gradient from the means"),
        (log_var, encoder, "no gradient from the log-variances"),
        (decoder(z), decoder, "no gradient from the logits"),
    ):
        weighted = output * torch.randn_like(output)
        parameters = [p for p in network.parameters() if p.requires_grad]
        if not any(gradient.any() for gradient in gradients(weighted, *parameters)):
            return law
    return None


@torch.no_grad()
def _of_values(encoder: nn.Module, decoder: nn.Module, x: Tensor, z: Tensor) -> str | None:
    codes, backwards = encoder(x), torch.arange(len(x) - 1, -1, -1)
    if not torch.allclose(codes, encoder(x), atol=1e-5):
        return "chance in the encoder"
    for network, rows in ((encoder, x), (decoder, z)):
        last = backwards[:7]  # in another order, and in other company
        if not torch.allclose(network(rows)[last], network(rows[last]), atol=1e-4):
            return "images that look at each other"
    log_var = encoder(100 * torch.randn_like(x)).chunk(2, dim=-1)[1]
    if not (log_var < 0).any() and log_var.any():
        return "a log-variance that is never negative"
    logits = decoder(100 * z)
    if not (logits < 0).any():
        inside = (logits <= 1).all()
        return "probabilities" if inside else "logits that are never negative"
    sums = decoder(z) + decoder(z[backwards])
    straight = decoder(z + z[backwards]) + decoder(torch.zeros_like(z))
    if torch.allclose(sums, straight, rtol=1e-3, atol=1e-4):
        return "a linear decoder"
    return None


class _Pair(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.network(x).chunk(2, dim=-1)


class _Changed(nn.Module):
    """A network whose output is changed by a function of input and output."""

    def __init__(self, network: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network, self.change = network, change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(self.network(x))


def _with_encoder(change: Callable[[Tensor], Tensor]) -> Callable:
    def wrong(n_pixels: int, latent_dim: int) -> tuple:
        encoder, decoder = _networks(n_pixels, latent_dim)
        return _Changed(encoder, change), decoder

    return wrong


def _with_decoder(change: Callable[[Tensor], Tensor]) -> Callable:
    def wrong(n_pixels: int, latent_dim: int) -> tuple:
        encoder, decoder = _networks(n_pixels, latent_dim)
        return encoder, _Changed(decoder, change)

    return wrong


def _heads(change: Callable[[Tensor, Tensor], tuple]) -> Callable:
    return _with_encoder(lambda codes: torch.cat(change(*codes.chunk(2, dim=-1)), dim=-1))


def _pair(n_pixels: int, latent_dim: int) -> tuple:
    encoder, decoder = _networks(n_pixels, latent_dim)
    return _Pair(encoder), decoder


def _linear_decoder(n_pixels: int, latent_dim: int) -> tuple:
    return _networks(n_pixels, latent_dim)[0], nn.Linear(latent_dim, n_pixels)


EXERCISE = Exercise(
    "I.1",
    oracle=_networks,
    cases=_sizes,
    summarise=_first_broken_law,
    mistakes=(
        Mistake(
            "decoder first",
            lambda n_pixels, latent_dim: _networks(n_pixels, latent_dim)[::-1],
            "Your first network takes codes and your second takes images: the encoder comes first.",
        ),
        Mistake(
            "L numbers",
            _with_encoder(lambda codes: codes.chunk(2, dim=-1)[0]),
            "Your encoder gives L numbers an image. A mean and a log-variance for each latent "
            "dimension are 2 L.",
        ),
        Mistake(
            "a pair",
            _pair,
            "Your encoder returns several things. Let it return one tensor (B, 2 L), which "
            "`chunk(2, dim=-1)` divides: the means first, then the log-variances.",
        ),
        Mistake(
            "means detached",
            _heads(lambda mu, log_var: (mu.detach(), log_var)),
            "No gradient flows from the means back to a weight of your encoder.",
        ),
        Mistake(
            "log-variances detached",
            _heads(lambda mu, log_var: (mu, log_var.detach())),
            "No gradient flows from the log-variances back to a weight of your encoder.",
        ),
        Mistake(
            "logits detached",
            _with_decoder(Tensor.detach),
            "No gradient flows from the logits back to a weight of your decoder.",
        ),
        Mistake(
            "chance in the encoder",
            _heads(lambda mu, log_var: (mu + torch.randn_like(mu), log_var)),
            "Your encoder answers the same image differently when it is asked again. It gives the "
            "parameters of q(z|x); the draw comes afterwards.",
        ),
        Mistake(
            "images look at each other",
            _with_encoder(lambda codes: codes + codes.cumsum(0)),
            "What your network says of a row changes with the other rows of the batch. Each image "
            "is to be encoded and decoded by itself.",
        ),
        Mistake(
            "positive log-variance",
            _heads(lambda mu, log_var: (mu, nn.functional.softplus(log_var))),
            "The second half of your codes is never negative. A log-variance has either sign: no "
            "softplus, exponential or ReLU at the end.",
        ),
        Mistake(
            "probabilities",
            _with_decoder(torch.sigmoid),
            "Your decoder's numbers lie between 0 and 1: they look like probabilities, and logits "
            "are wanted, which have either sign and any size.",
        ),
        Mistake(
            "logits never negative",
            _with_decoder(torch.relu),
            "Your decoder's numbers are never negative, so that no pixel can be probably white.",
        ),
        Mistake(
            "linear decoder",
            _linear_decoder,
            "Your decoder is linear: a hidden layer needs something that is not linear behind it.",
        ),
    ),
)
