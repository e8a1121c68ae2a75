"""Exercise 6.4: the best diagonal Gaussian."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _best_diagonal_variances(S: Tensor) -> Tensor:
    """Var(z_i | the other coordinates), by conditioning: S_ii - S_io S_oo⁻¹ S_oi."""
    variances = []
    for i in range(len(S)):
        others = [j for j in range(len(S)) if j != i]
        explained = S[i, others] @ torch.linalg.solve(S[others][:, others], S[others, i])
        variances.append(S[i, i] - explained)
    return torch.stack(variances)


def _covariance_cases(generator: torch.Generator) -> list[tuple]:
    roots = [torch.randn(n, n, generator=generator, dtype=torch.float64) for n in (2, 4)]
    return [(0.7 * root @ root.T + 0.3 * torch.eye(len(root)),) for root in roots]


EXERCISE = Exercise(
    "6.4",
    oracle=_best_diagonal_variances,
    cases=_covariance_cases,
    mistakes=(
        Mistake(
            "marginal variances",
            lambda S: S.diagonal(),
            "Those are the posterior's marginal variances, and a q with them is too wide: it "
            "puts mass where a correlated posterior has none. Equation 6.5 has another matrix.",
        ),
        Mistake(
            "precisions",
            lambda S: torch.linalg.inv(S).diagonal(),
            "Those are the right precisions. What is the variance of a Gaussian with that "
            "precision?",
        ),
        Mistake(
            "inverse of the marginal variances",
            lambda S: 1 / S.diagonal(),
            "The diagonal of an inverse matrix is not one over the diagonal: which comes first?",
        ),
        Mistake(
            "standard deviations",
            lambda S: _best_diagonal_variances(S).sqrt(),
            "Those are the right standard deviations; the variances were asked for.",
        ),
    ),
)
