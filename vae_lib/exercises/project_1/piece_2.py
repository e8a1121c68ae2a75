"""Exercise I.2: a code drawn, with a gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake, laws
from vae_lib.exercises.trained import gradients, tensor

_N, _LATENT_DIM = laws.MIN_ROWS, 3
_GOOD = "draws of the right law, with their gradients"


def _draw_code(mu: Tensor, log_var: Tensor) -> Tensor:
    return td.Normal(mu, log_var.exp().sqrt()).rsample()


def _codes(generator: torch.Generator) -> list[tuple]:
    earlier, cases = [], []  # what earlier calls have drawn
    for n in (_N, _N, 5):
        numbers = torch.randn(2, n, _LATENT_DIM, generator=generator)
        mu, log_var = (row.clone().requires_grad_() for row in numbers)
        mu.earlier = earlier
        cases.append((mu, log_var))
    return cases


def _law(z: Tensor, mu: Tensor, log_var: Tensor) -> str:
    z = tensor(z)
    if z.shape != mu.shape:
        raise ValueError(f"expected shape {tuple(mu.shape)}, got {tuple(z.shape)}.")
    is_few = len(mu) < _N
    return (not is_few and _of_values(z, mu, log_var)) or _of_gradients(z, mu, log_var) or _GOOD


def _of_values(z: Tensor, mu: Tensor, log_var: Tensor) -> str | None:
    with torch.no_grad():
        offset, sigma = (z - mu).double(), (log_var.double() / 2).exp()
        if not offset.any():
            return "no noise"
        scales = {"": sigma, "variance": sigma**2, "log-variance": log_var, "log": log_var / 2}
        scales["one"] = torch.ones_like(sigma)
        shapes = {name: _shape(offset / scale) for name, scale in scales.items()}
        if shapes[""] is not None:
            wrong = [name for name in scales if name and shapes[name] is None]
            return f"the {wrong[0]} for a width" if wrong else _about(z, mu, sigma, shapes[""])
        u = torch.special.ndtr(offset / sigma)
        is_fresh = laws.are_independent_calls(u, mu.earlier)
        mu.earlier.append(u)
        return None if is_fresh else "the same noise again"


def _about(z: Tensor, mu: Tensor, sigma: Tensor, found: str) -> str:
    """Where the mean is missing or has been stretched, if it is that."""
    if _shape(z / sigma) is None:
        return "no mean"
    return "a stretched mean" if _shape(z / sigma - mu) is None else found


def _shape(eps: Tensor) -> str | None:
    """What is wrong with numbers that should be independent and standard normal."""
    u = torch.special.ndtr(eps.double())
    if len((1e4 * u[:, 0]).round().unique()) < len(u) / 2:
        return "noise that images share"
    if not laws.are_independent_columns(u):
        return "noise that dimensions share"
    if not laws.are_uniform(u):
        return "another law"
    return None if laws.are_independent_rows(u) else "noise that images share"


def _of_gradients(z: Tensor, mu: Tensor, log_var: Tensor) -> str | None:
    to_mu, to_log_var = gradients(z, mu, log_var)
    if not to_mu.any() and not to_log_var.any():
        return "no gradient"
    if not to_log_var.any():
        return "no gradient to log_var"
    right = torch.allclose(to_mu, torch.ones_like(mu), atol=1e-4)
    right &= torch.allclose(to_log_var, (z - mu).detach() / 2, rtol=1e-3, atol=1e-4)
    return None if right else "another gradient"


def _with(noise: Callable[[Tensor], Tensor] = torch.randn_like, **scale: Callable) -> Callable:
    width = scale.get("width", lambda log_var: (log_var / 2).exp())
    return lambda mu, log_var: mu + width(log_var) * noise(mu)


def _seeded(mu: Tensor) -> Tensor:
    return torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))


EXERCISE = Exercise(
    "I.2",
    oracle=_draw_code,
    cases=_codes,
    summarise=_law,
    mistakes=(
        Mistake(
            "variance for a width",
            _with(width=torch.exp),
            "Your draws are stretched by σ². What takes `log_var` to σ?",
        ),
        Mistake(
            "log-variance for a width",
            _with(width=lambda log_var: log_var),
            "Your draws are stretched by `log_var` itself, which is 0 where σ is 1.",
        ),
        Mistake(
            "log for a width",
            _with(width=lambda log_var: log_var / 2),
            "Your draws are stretched by log σ. One step is missing from there to σ.",
        ),
        Mistake(
            "one for a width",
            _with(width=torch.ones_like),
            "All your draws have the width 1, whatever `log_var` says.",
        ),
        Mistake(
            "no noise", lambda mu, log_var: mu + 0, "You return the mean: nothing has been drawn."
        ),
        Mistake(
            "no mean",
            lambda mu, log_var: _draw_code(torch.zeros_like(mu), log_var),
            "The widths are right, but your draws lie round the origin.",
        ),
        Mistake(
            "stretched mean",
            lambda mu, log_var: (mu + torch.randn_like(mu)) * (log_var / 2).exp(),
            "You multiply the mean by σ as well. Only the noise is stretched.",
        ),
        Mistake(
            "shared by images",
            _with(lambda mu: torch.randn_like(mu[0])),
            "The noise of one image tells that of others. Every image needs its own.",
        ),
        Mistake(
            "shared by dimensions",
            _with(lambda mu: torch.randn_like(mu[:, :1])),
            "The noise of one latent dimension tells that of another. Each needs its own.",
        ),
        Mistake(
            "another law",
            _with(torch.rand_like),
            "Your draws are not normal with this mean and width: is the noise standard normal?",
        ),
        Mistake(
            "same noise again",
            _with(_seeded),
            "A second call draws the same noise as the first: do you set a seed inside?",
        ),
        Mistake(
            "no gradient",
            lambda mu, log_var: _draw_code(mu, log_var).detach(),
            "The draws are right, but no gradient passes through them (chapter 7).",
        ),
        Mistake(
            "no gradient to log_var",
            lambda mu, log_var: _draw_code(mu, log_var.detach()),
            "The draws are right, but `log_var` gets no gradient: the encoder would never learn "
            "how sure it may be.",
        ),
        Mistake(
            "another gradient",
            lambda mu, log_var: _draw_code(mu, log_var / 2 + log_var.detach() / 2),
            "The draws are right, but their gradient with respect to `mu` or `log_var` is not.",
        ),
    ),
)
