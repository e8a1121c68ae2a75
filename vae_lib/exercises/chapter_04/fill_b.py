"""Fill-in 4.b: the σ that turns the balance as β does."""

from collections.abc import Callable

import torch

from vae_lib.exercises import Exercise, Mistake


def _same_balance(sigma: float, beta: float) -> float:
    """The rate at which -SSE/2σ² - β KL trades the one for the other is 1/2σ₁², by autograd."""
    sse, kl = (torch.ones((), dtype=torch.float64, requires_grad=True) for _ in range(2))
    (-sse / (2 * sigma**2) - beta * kl).backward()
    return (kl.grad / (2 * sse.grad)).sqrt().item()


def _knobs(generator: torch.Generator) -> list[tuple]:
    return [(0.1, 4.0), (1.0, 0.09), (0.7, 1.0), (2.5, 6.0)]


def _instead(formula: Callable[[float, float], float]) -> Callable[[float, float], float]:
    def wrong(sigma: float, beta: float) -> float:
        return formula(sigma, beta)

    return wrong


EXERCISE = Exercise(
    "4.b",
    oracle=_same_balance,
    cases=_knobs,
    mistakes=(
        Mistake(
            "product with σ",
            _instead(lambda s, b: s * b),
            "That keeps βσ. What stands in front of the KL is βσ².",
        ),
        Mistake(
            "variance",
            _instead(lambda s, b: b * s**2),
            "That is σ². The exercise asks for σ.",
        ),
        Mistake(
            "divided",
            _instead(lambda s, b: s / b**0.5),
            "A larger β lets the KL count for more. A smaller σ lets it count for less.",
        ),
        Mistake(
            "divided by β",
            _instead(lambda s, b: s / b),
            "A larger β lets the KL count for more, and a smaller σ does the opposite. Keep the "
            "product βσ² as it is.",
        ),
        Mistake(
            "σ as it was",
            _instead(lambda s, b: s),
            "That is right for β = 1 only. What does a weight on the KL do to the balance?",
        ),
        Mistake(
            "root of the product",
            _instead(lambda s, b: (s * b) ** 0.5),
            "You take the root of βσ. It is βσ² that has to stay the same.",
        ),
        Mistake(
            "σ squared once more",
            _instead(lambda s, b: s**2 * b**0.5),
            "β is under a root already, but σ is squared. Which units should the answer have?",
        ),
        Mistake(
            "a factor of two",
            _instead(lambda s, b: s * (2 * b) ** 0.5),
            "There is a factor of √2 too much: both objectives divide the SSE by twice a variance.",
        ),
    ),
)
