"""Exercise 7.5: the gradient by enumeration."""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _enumerated_gradient(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    """π (1 - π) times the expected difference that each bit makes, bit by bit."""
    probs = logits.sigmoid()
    return probs * (1 - probs) * _gradient_for_probs(f, logits)


def _gradient_for_probs(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    outcomes, weight = _outcomes(logits)
    differences = []
    for i, prob in enumerate(logits.sigmoid()):
        is_on = outcomes[:, i] == 1
        with_bit = (weight * f(outcomes))[is_on].sum() / prob
        differences.append(with_bit - (weight * f(outcomes))[~is_on].sum() / (1 - prob))
    return torch.stack(differences)


def _outcomes(logits: Tensor) -> tuple[Tensor, Tensor]:
    """All outcomes, (2^L, L), and the probability of each, (2^L,)."""
    n_bits = len(logits)
    codes = torch.arange(2**n_bits)[:, None] >> torch.arange(n_bits) & 1
    outcomes = codes.to(logits.dtype)
    probs = logits.sigmoid()
    return outcomes, (outcomes * probs + (1 - outcomes) * (1 - probs)).prod(-1)


def _enumeration_cases(generator: torch.Generator) -> list[tuple]:
    return [_enumeration_case(n_bits, generator) for n_bits in (3, 5)]


def _enumeration_case(n_bits: int, generator: torch.Generator) -> tuple:
    weights = torch.randn(n_bits, 2, generator=generator, dtype=torch.float64)
    logits = 1.5 * torch.randn(n_bits, generator=generator, dtype=torch.float64)

    def f(z: Tensor) -> Tensor:
        return (z @ weights).square().sum(-1) + torch.sin(3 * z[..., 0])

    return f, logits


def _gradient_at_the_mean(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    logits = logits.detach().clone().requires_grad_()
    return torch.autograd.grad(f(logits.sigmoid()[None]).sum(), logits)[0]


def _without_weights(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    outcomes, _ = _outcomes(logits)
    return (f(outcomes)[:, None] * (outcomes - logits.sigmoid())).mean(0)


def _of_log_q(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    outcomes, _ = _outcomes(logits)
    return (f(outcomes)[:, None] * (outcomes - logits.sigmoid())).sum(0)


EXERCISE = Exercise(
    "7.5",
    oracle=_enumerated_gradient,
    cases=_enumeration_cases,
    mistakes=(
        Mistake(
            "gradient for the probabilities",
            _gradient_for_probs,
            "This is the gradient for the probabilities π. What is the derivative of the sigmoid?",
        ),
        Mistake(
            "f at the mean",
            _gradient_at_the_mean,
            "You differentiate f at the probabilities, where no bit ever is. The mean of f is "
            "not f of the mean unless f is linear.",
        ),
        Mistake(
            "equal weights",
            _without_weights,
            "You give all outcomes the same weight. How probable is each?",
        ),
        Mistake(
            "sum of f log q",
            _of_log_q,
            "You differentiate the sum of f log q, every outcome counting once. The "
            "expectation weights f by q itself.",
        ),
        Mistake(
            "the mean of f",
            lambda f, logits: (_outcomes(logits)[1] * f(_outcomes(logits)[0])).sum(),
            "That is E[f(z)] itself. Its gradient for the logits is asked for.",
        ),
        Mistake(
            "sign",
            lambda f, logits: -_enumerated_gradient(f, logits),
            "The sign is reversed: a logit should go up if its bit raises f.",
        ),
    ),
)
