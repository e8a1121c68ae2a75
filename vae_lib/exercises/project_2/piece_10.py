"""Exercise II.10: a factor read off from the codes."""

from __future__ import annotations

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake
from vae_lib.exercises.trained import tensor

_LEVELS = torch.tensor([0.25, 0.5, 2.0, 7.0])  # a factor's values, in no even steps
_GOOD = "the right value for nearly every code"


def _read_off(codes: Tensor, values: Tensor, new_codes: Tensor) -> Tensor:
    """The value whose codes' mean is nearest."""
    means = torch.stack([codes[values == level].mean(0) for level in values.unique()])
    return values.unique()[torch.cdist(new_codes, means).argmin(1)]


def _codes(generator: torch.Generator) -> list[tuple]:
    """Each value has codes round a place of its own; the truth travels with the new ones."""
    cases = []
    for n, n_new, latent_dim in ((400, 150, 3), (300, 200, 6)):
        places = 2.5 * torch.linalg.qr(torch.randn(6, 6, generator=generator))[0][:4, :latent_dim]
        if latent_dim < 4:
            places = 2.5 * torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
        chosen = torch.randint(4, (n + n_new,), generator=generator)
        z = places[chosen] + 0.25 * torch.randn(n + n_new, latent_dim, generator=generator)
        new = z[n:].clone()
        new.truth = chosen[n:]
        cases.append((z[:n], _LEVELS[chosen[:n]], new))
    return cases


def _of_guesses(guesses: object, codes: Tensor, values: Tensor, new_codes: Tensor) -> str:
    guesses = tensor(guesses).detach().double()
    if guesses.shape == (len(new_codes), 1):
        guesses = guesses[:, 0]
    if guesses.shape != (len(new_codes),):
        wanted = (len(new_codes),)
        raise ValueError(f"shape {wanted} is wanted, and yours is {tuple(guesses.shape)}.")
    truth = _LEVELS[new_codes.truth].double()
    if _share(guesses, truth) > 0.97:
        return _GOOD
    if not torch.isin(guesses.float(), values).all():
        return _of_no_values(guesses, new_codes, values)
    if len(guesses.unique()) == 1:
        return "one value for all"
    if torch.allclose(guesses.float(), values[: len(guesses)]):
        return "the first values"
    shifted = _LEVELS[(new_codes.truth[:, None] + torch.arange(1, 4)) % 4].double()
    return "the farthest" if (guesses[:, None] == shifted).any(1).all() else "many wrong values"


def _share(guesses: Tensor, truth: Tensor) -> float:
    return torch.isclose(guesses, truth, rtol=1e-3, atol=1e-4).double().mean().item()


def _of_no_values(guesses: Tensor, new_codes: Tensor, values: Tensor) -> str:
    whole = torch.equal(guesses, guesses.round())
    if whole and _share(guesses, new_codes.truth.double()) > 0.97:
        return "numbers of the values"
    return "numbers of the codes" if whole and guesses.max() > 9 else "no value of the factor"


def _nearest(codes: Tensor, new_codes: Tensor) -> Tensor:
    return torch.cdist(new_codes, codes).argmin(1)


def _average(codes: Tensor, values: Tensor, new_codes: Tensor) -> Tensor:
    return torch.softmax(-torch.cdist(new_codes, codes), dim=1) @ values


EXERCISE = Exercise(
    "II.10",
    oracle=_read_off,
    cases=_codes,
    summarise=_of_guesses,
    seconds=10.0,
    mistakes=(
        Mistake(
            "numbers of the codes",
            lambda codes, values, new_codes: _nearest(codes, new_codes),
            "You return which of the codes is the nearest. Its value is asked for.",
        ),
        Mistake(
            "numbers of the values",
            lambda codes, values, new_codes: torch.searchsorted(
                values.unique(), _read_off(codes, values, new_codes)
            ),
            "You return which of the values it is, as 0, 1, 2. The value itself is asked for.",
        ),
        Mistake(
            "no value",
            _average,
            "Some of your guesses are none of the factor's values. Round each to the nearest.",
        ),
        Mistake(
            "one value for all",
            lambda codes, values, new_codes: values.mode().values.repeat(len(new_codes)),
            "You guess one value for all codes, without looking at them.",
        ),
        Mistake(
            "the first values",
            lambda codes, values, new_codes: values[: len(new_codes)],
            "You return the values of other codes, in the order in which they came.",
        ),
        Mistake(
            "the farthest",
            lambda codes, values, new_codes: values[torch.cdist(new_codes, codes).argmax(1)],
            "All of your guesses are wrong, as if the farthest code had been asked. Is there an "
            "argmax for an argmin?",
        ),
        Mistake(
            "many wrong values",
            lambda codes, values, new_codes: values[
                (new_codes[:, :1] - codes[:, 0]).abs().argmin(1)
            ],
            "Many of your guesses are wrong, and from these codes nearly all can be right. Do all "
            "latent dimensions have a say, and need a value not lie on a straight line?",
        ),
    ),
)
