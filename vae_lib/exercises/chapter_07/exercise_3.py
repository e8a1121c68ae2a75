"""Exercise 7.3: the best constant baseline."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _best_baseline(f_z: Tensor, score: Tensor) -> Tensor:
    """By least squares: f s is to be explained by b s, for one dimension at a time."""
    solutions = [torch.linalg.lstsq(s[:, None], (f_z * s)[:, None]).solution for s in score.T]
    return torch.stack(solutions).flatten()


def _baseline_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, latent_dim in [(9, 3), (6, 2)]:
        score = 0.5 + torch.randn(n_draws, latent_dim, generator=generator, dtype=torch.float64)
        f_z = 3 + 2 * torch.randn(n_draws, generator=generator, dtype=torch.float64)
        cases.append((f_z, score))
    return cases


def _mean_of_f(f_z: Tensor, score: Tensor) -> Tensor:
    return f_z.mean().expand(score.shape[-1]).clone()


def _weighted_by_score(f_z: Tensor, score: Tensor) -> Tensor:
    return (f_z[:, None] * score).sum(0) / score.sum(0)


def _not_normalised(f_z: Tensor, score: Tensor) -> Tensor:
    return (f_z[:, None] * score**2).mean(0)


def _regression_slope(f_z: Tensor, score: Tensor) -> Tensor:
    return (f_z[:, None] * score).sum(0) / (score**2).sum(0)


def _pooled(f_z: Tensor, score: Tensor) -> Tensor:
    squared_norm = (score**2).sum(-1)
    best = (f_z * squared_norm).sum() / squared_norm.sum()
    return best.expand(score.shape[-1]).clone()


EXERCISE = Exercise(
    "7.3",
    oracle=_best_baseline,
    cases=_baseline_cases,
    mistakes=(
        Mistake(
            "mean of f",
            _mean_of_f,
            "The mean of f is a good baseline, but not the best: a draw with a large score "
            "should count for more.",
        ),
        Mistake(
            "weighted by the score",
            _weighted_by_score,
            "Your weights are the scores, which may be negative and whose expected sum is "
            "zero. Which power of the score stands in equation 7.7?",
        ),
        Mistake(
            "not normalised",
            _not_normalised,
            "If f is a constant, the best baseline is that constant. Yours is not: what is "
            "missing below the line?",
        ),
        Mistake(
            "squared mean below the line",
            lambda f_z, score: (f_z[:, None] * score**2).mean(0) / score.mean(0) ** 2,
            "Below the line you have the square of the mean score. Equation 7.7 has the mean of "
            "its square.",
        ),
        Mistake(
            "regression slope",
            _regression_slope,
            "This is the slope of f as a function of the score. Look at the numerator of "
            "equation 7.7 again.",
        ),
        Mistake(
            "one for all dimensions",
            _pooled,
            "This is the best constant that all dimensions can share. Each has a score of "
            "its own, and may have a baseline of its own.",
        ),
    ),
)
