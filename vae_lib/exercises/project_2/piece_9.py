"""Exercise II.9: the same picture in another shape."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.project_2 import known
from vae_lib.exercises.trained import tensor

_GOOD = "the picture's own code, decoded with the other label"


def _redraw(encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
    return _at(known.code_of(encoder, x, y).mean, decoder, y_new)


@torch.no_grad()
def _at(z: Tensor, decoder: nn.Linear, y: Tensor) -> Tensor:
    return known.beside(z.double(), y) @ decoder.weight.double().T + decoder.bias


def _pictures(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_values, n_classes, n in ((8, 3, 9), (7, 2, 40)):
        networks = known.linear_networks(generator, n_values, n_classes)
        y = known.labels(generator, n, n_classes)
        cases.append((*networks, torch.rand(n, n_values, generator=generator), y, y.roll(1, 1)))
    return cases


@torch.no_grad()
def _first_broken_law(
    x_mean: object,
    encoder: nn.Linear,
    decoder: nn.Linear,
    x: Tensor,
    y: Tensor,
    y_new: Tensor,
) -> str:
    x_mean = tensor(x_mean).detach().double()
    if x_mean.shape != x.shape:
        wanted = tuple(x.shape)
        raise ValueError(f"shape {wanted} is wanted, and yours is {tuple(x_mean.shape)}.")
    for name, candidate in _candidates(encoder, decoder, x, y, y_new).items():
        if torch.allclose(x_mean, candidate, rtol=1e-3, atol=1e-4):
            return name
    own = known.code_of(encoder, x, y)
    weight = decoder.weight.double()[:, : known.LATENT_DIM]
    rest = x_mean - _at(torch.zeros_like(own.mean), decoder, y_new)
    z = rest @ torch.linalg.pinv(weight).T
    if not torch.allclose(z @ weight.T, rest, atol=1e-3):
        return "another picture"
    sizes = ((z - own.mean) / own.stddev).square().mean(0).sqrt()  # 1, in every dimension
    return "a draw" if ((sizes > 0.3) & (sizes < 2)).all() else "another code"


def _candidates(
    encoder: nn.Linear, decoder: nn.Linear, x: Tensor, y: Tensor, y_new: Tensor
) -> dict[str, Tensor]:
    """What is wanted, and what comes of each slip that chance has no part in."""
    own, other = (known.code_of(encoder, x, told).mean for told in (y, y_new))
    second_half = encoder(known.beside(x, y)).chunk(2, 1)[1].double()
    return {
        _GOOD: _at(own, decoder, y_new),
        "a reconstruction": _at(own, decoder, y),
        "encoded as the other": _at(other, decoder, y_new),
        "encoded as the other, decoded as its own": _at(other, decoder, y),
        "the second half": _at(second_half, decoder, y_new),
        "an encoder that is not told": _at(known.code_of(encoder, x, 0 * y).mean, decoder, y_new),
        "a decoder that is not told": _at(own, decoder, 0 * y_new),
        "the label first": _label_first(own, decoder, y_new),
        "the label before the picture": _at(_misread(encoder, x, y), decoder, y_new),
        "the picture itself": x.double(),
    }


@torch.no_grad()
def _label_first(z: Tensor, decoder: nn.Linear, y: Tensor) -> Tensor:
    rows = torch.cat([y.double(), z.double()], dim=-1)
    return rows @ decoder.weight.double().T + decoder.bias


def _misread(encoder: nn.Linear, x: Tensor, y: Tensor) -> Tensor:
    return encoder(torch.cat([y, x], dim=1)).chunk(2, 1)[0].double()


def _with_code(code: Callable[..., Tensor]) -> Callable:
    def wrong(
        encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor, y_new: Tensor
    ) -> Tensor:
        return _at(code(encoder, x, y, y_new), decoder, y_new)

    return wrong


def _from_the_prior(encoder: nn.Module, x: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
    return 4 * torch.randn(len(x), known.LATENT_DIM)


EXERCISE = Exercise(
    "II.9",
    oracle=_redraw,
    cases=_pictures,
    summarise=_first_broken_law,
    mistakes=(
        Mistake(
            "a reconstruction",
            lambda encoder, decoder, x, y, y_new: _redraw(encoder, decoder, x, y, y),
            "You decode with the label that the picture has: that is its reconstruction.",
        ),
        Mistake(
            "encoded as the other",
            _with_code(lambda encoder, x, y, y_new: known.code_of(encoder, x, y_new).mean),
            "You tell the encoder that the picture is already of the other shape. It is to be "
            "encoded as what it is.",
        ),
        Mistake(
            "labels exchanged",
            lambda encoder, decoder, x, y, y_new: _redraw(encoder, decoder, x, y_new, y),
            "You have exchanged the labels: `y` is for the encoder, `y_new` for the decoder.",
        ),
        Mistake(
            "encoder untold",
            _with_code(lambda encoder, x, y, y_new: known.code_of(encoder, x, 0 * y).mean),
            "Your encoder is given zeros for the label. It is to be told what the picture is.",
        ),
        Mistake(
            "decoder untold",
            lambda encoder, decoder, x, y, y_new: _redraw(encoder, decoder, x, y, 0 * y_new),
            "Your decoder is given zeros for the label. It is to be told what to draw.",
        ),
        Mistake(
            "label first",
            lambda encoder, decoder, x, y, y_new: _label_first(
                known.code_of(encoder, x, y).mean, decoder, y_new
            ),
            "Your decoder is given the label first. It takes the code and then the label.",
        ),
        Mistake(
            "label before the picture",
            _with_code(lambda encoder, x, y, y_new: _misread(encoder, x, y)),
            "Your encoder is given the label first. It takes the picture and then the label.",
        ),
        Mistake(
            "second half",
            _with_code(
                lambda encoder, x, y, y_new: encoder(known.beside(x, y)).chunk(2, 1)[1].double()
            ),
            "You decode the log-variances. The means are the first half.",
        ),
        Mistake(
            "a draw",
            _with_code(lambda encoder, x, y, y_new: known.code_of(encoder, x, y).sample()),
            "You decode a draw from q(z|x, y). Its mean is asked for, so that the picture that "
            "comes is always the same.",
        ),
        Mistake(
            "another code",
            _with_code(_from_the_prior),
            "The label is right, but the code is not that of the picture.",
        ),
        Mistake(
            "no means",
            lambda *given: _redraw(*given).clamp(0, 1),
            "What you return is not what the decoder draws for `y_new`, whatever the code. Is it "
            "told the new label alone, and has noise been added, or something been clipped?",
        ),
        Mistake(
            "the picture itself",
            lambda encoder, decoder, x, y, y_new: x.clone(),
            "You return the pictures that you were given.",
        ),
    ),
)
