"""Exercise 8.2: warming up the KL divergence."""

import torch

from vae_lib.exercises import Exercise, Mistake


def _kl_weight(step: int, n_warm_up: int) -> float:
    return sorted((0.0, step / n_warm_up, 1.0))[1]


def _steps(generator: torch.Generator) -> list[tuple]:
    n = int(torch.randint(40, 80, (1,), generator=generator))
    return [(0, n), (1, n), (n // 3, n), (n, n), (3 * n, n)]


EXERCISE = Exercise(
    "8.2",
    oracle=_kl_weight,
    cases=_steps,
    mistakes=(
        Mistake(
            "no ceiling",
            lambda step, n_warm_up: step / n_warm_up,
            "After the warm-up your weight goes on growing past 1.",
        ),
        Mistake(
            "max in place of min",
            lambda step, n_warm_up: max(1.0, step / n_warm_up),
            "Your weight is never below 1: the smaller of the two numbers is wanted.",
        ),
        Mistake(
            "falling",
            lambda step, n_warm_up: max(0.0, 1 - step / n_warm_up),
            "Your weight falls from 1 to 0: the price of information should rise.",
        ),
        Mistake(
            "one step early",
            lambda step, n_warm_up: min(1.0, (step + 1) / n_warm_up),
            "At step 0 your weight is not 0 yet: steps are counted from 0.",
        ),
        Mistake(
            "one step short",
            lambda step, n_warm_up: min(1.0, step / (n_warm_up - 1)),
            "Your weight reaches 1 at step `n_warm_up - 1` already.",
        ),
        Mistake(
            "a saw",
            lambda step, n_warm_up: step % n_warm_up / n_warm_up,
            "At step `n_warm_up` your weight falls back to 0. It should stay at 1.",
        ),
        Mistake(
            "a switch",
            lambda step, n_warm_up: float(step >= n_warm_up),
            "Your weight jumps from 0 to 1. It should grow by the same amount at every step "
            "of the warm-up.",
        ),
    ),
)
