"""Exercise 13.4: a Gaussian fills in what is missing."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _conditional_mean(x: Tensor, seen: Tensor, mu: Tensor, S: Tensor) -> Tensor:
    """By the precision matrix: where the density, as a function of x_m, has its maximum."""
    precision = torch.linalg.inv(S)
    pull = precision[~seen][:, seen] @ (x[seen] - mu[seen])
    filled = x.clone()
    filled[~seen] = mu[~seen] - torch.linalg.solve(precision[~seen][:, ~seen], pull)
    return filled


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for seen in ([True, False, True, False, True], [False, True, True, False]):
        n = len(seen)
        numbers = torch.randn(n + 2, n, generator=generator, dtype=torch.float64)
        S = numbers[:n] @ numbers[:n].T + 0.3 * torch.eye(n, dtype=torch.float64)
        seen = torch.tensor(seen)
        x = torch.where(seen, 2 * numbers[n], torch.full((n,), -99.0, dtype=torch.float64))
        cases.append((x, seen, numbers[n + 1], S))
    return cases


def _regressed(*, centre: bool = True, shift: bool = True, by: str = "covariance") -> object:
    """The regression of the missing entries on the known ones, with something left out."""

    def answer(x: Tensor, seen: Tensor, mu: Tensor, S: Tensor) -> Tensor:
        known = x[seen] - mu[seen] if centre else x[seen]
        block = {
            "covariance": S[seen][:, seen],
            "variances": torch.diag(S.diagonal()[seen]),
            "nothing": torch.eye(int(seen.sum()), dtype=S.dtype),
        }[by]
        filled = x.clone()
        filled[~seen] = S[~seen][:, seen] @ torch.linalg.solve(block, known)
        if shift:
            filled[~seen] += mu[~seen]
        return filled

    return answer


def _block_of_the_inverse(x: Tensor, seen: Tensor, mu: Tensor, S: Tensor) -> Tensor:
    filled = x.clone()
    block = torch.linalg.inv(S)[seen][:, seen]
    filled[~seen] = mu[~seen] + S[~seen][:, seen] @ block @ (x[seen] - mu[seen])
    return filled


EXERCISE = Exercise(
    "13.4",
    oracle=_conditional_mean,
    cases=_cases,
    mistakes=(
        Mistake(
            "the mean",
            lambda x, seen, mu, S: torch.where(seen, x, mu),
            "You fill in the mean, which does not depend on the entries that are known.",
        ),
        Mistake(
            "not centred",
            _regressed(centre=False),
            "You regress on the known entries themselves. It is their distance from their mean "
            "that moves the missing ones.",
        ),
        Mistake(
            "mean not added",
            _regressed(shift=False),
            "Where the known entries are at their means, the missing ones should be at theirs. "
            "Yours are at 0.",
        ),
        Mistake(
            "neither",
            _regressed(centre=False, shift=False),
            "Your value does not depend on `mu`: it would be right for a Gaussian of mean 0.",
        ),
        Mistake(
            "entry by entry",
            _regressed(by="variances"),
            "You divide by the variance of each known entry alone, as if they were "
            "uncorrelated, so what they say together is counted twice.",
        ),
        Mistake(
            "covariance not divided",
            _regressed(by="nothing"),
            "You multiply by the covariances with the known entries, but do not divide by the "
            "known entries' own covariance matrix.",
        ),
        Mistake(
            "a block of the inverse",
            _block_of_the_inverse,
            "A block of the inverse of S is not the inverse of the block: which comes first?",
        ),
        Mistake(
            "missing entries only",
            lambda x, seen, mu, S: _conditional_mean(x, seen, mu, S)[~seen],
            "The missing entries are right. Return the whole of x, (D,), with these put in.",
        ),
        Mistake(
            "known entries replaced",
            lambda x, seen, mu, S: torch.where(seen, mu, _conditional_mean(x, seen, mu, S)),
            "The known entries must come back as they were.",
        ),
    ),
)
