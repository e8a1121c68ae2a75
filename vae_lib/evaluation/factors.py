"""What each latent dimension tells of factors that are known: information, MIG and DCI."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_lib import checks

Factors = Tensor | Mapping[str, Tensor]
"""Of N examples: (N, F) for F factors, or (N,) for each name. Every factor has a few values."""

LEAVES = (100, 20, 5)
"""How few examples a leaf of a tree may have: the first that does best. See `dci`."""


def factor_information(codes: Tensor, factors: Factors, *, n_bins: int = 20) -> Tensor:
    """I(z_l; v_f), how much dimension l alone tells of factor f: (L, F), in nats.

    A dimension is cut into `n_bins` bins of as many examples each, and the mutual information is
    that of the counts; so it is the same for any increasing function of a dimension, and one wild
    code does no harm. A dimension of no more than `n_bins` different values is taken as it is.
    Coarser bins lose information, finer ones find some that is not there: for independent codes
    about (bins - 1)(values of the factor - 1) / 2N nats.

    Args:
        codes: (N, L). Draws from q(z|x) tell what the code carries. Its means do not: one that
            moves by a thousandth of its σ would count as if it were exact.
        factors: (N, F) numbers of any type, or a tensor (N,) for each name, as in
            `vae_lib.data.Dataset.factors`. Values are names: their order and distance do not count.
        n_bins: 2 or more.

    Returns:
        a row for each dimension, a column for each factor, where and as precise as the codes are.

    Raises:
        ValueError: a factor that has nearly as many values as there are examples (cut it into bins
            first), or one value only (leave it out).

    Source: Chen et al. (2018), of draws and with another estimate; Locatello et al. (2019), of
    means and with bins of equal width, whose numbers are not these. Bias: Paninski (2003).
    Taught in chapter 15.
    """
    codes, values = _checked(codes, factors)
    information, _ = _information_and_entropies(codes, values, checks.count(n_bins, "n_bins", 2))
    return checks.moved(information, codes.device, codes.dtype)


def mutual_information_gap(
    codes: Tensor, factors: Factors, *, n_bins: int = 20, each: bool = False
) -> float | Tensor:
    """MIG: how far the dimension that knows most of a factor is ahead of the next, 0 to 1.

    (I(z_1st; v) - I(z_2nd; v)) / H(v) for every factor v, then the mean over factors, or with
    `each` all of them, (F,). It is 1 if every factor can be read from one dimension and nothing
    of it from any other, and 0 if two dimensions always know as much. It does not ask whether a
    dimension serves several factors (`dci` does). With one dimension there is no second, and
    nothing is taken off. Arguments and errors are those of `factor_information`.

    Source: Chen et al. (2018). Taught in chapter 15.
    """
    codes, values = _checked(codes, factors)
    n_bins = checks.count(n_bins, "n_bins", 2)
    information, entropies = _information_and_entropies(codes, values, n_bins)
    ranked = torch.cat([information, torch.zeros_like(entropies)[None]]).sort(0, descending=True)
    gaps = (ranked.values[0] - ranked.values[1]) / entropies
    return checks.moved(gaps, codes.device, codes.dtype) if each else gaps.mean().item()


@dataclass(frozen=True)
class DCI:
    """Three scores, each 1 at best, and what the first two were made of.

    ``importance``, (L, F): how much the forest for factor f relies on dimension l; columns sum
    to 1, or 0 where it relies on none. ``accuracy`` (F,) is that on examples held out, and
    ``guessing`` (F,) what naming the most common value always would have.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Tensor
    accuracy: Tensor
    guessing: Tensor


def dci(codes: Tensor, factors: Factors, *, n_trees: int = 50, seed: int = 0) -> DCI:
    """Disentanglement, completeness and informativeness of codes, (N, L), for known factors.

    For each factor a random forest (scikit-learn's, every dimension looked at for each cut) learns
    from one half of the examples to tell its value. With R the importances that the forests give
    to dimensions, (L, F), disentanglement is 1 less the entropy of a row of R in units of log F,
    weighted by what the row sums to; completeness 1 less the entropy of a column in units of
    log L, averaged. Informativeness is the mean accuracy on the other half; compare with
    `guessing`. With one factor disentanglement is 1, with one dimension completeness is.

    A forest that learns noise by heart relies on dimensions that say nothing, so each grows until
    leaves have 100, 20 or 5 examples, whichever does best on examples that a tree did not see. The
    first two scores still depend on that: they are lower for noisier codes of the same kind.

    It takes some seconds. `factors` and errors as for `factor_information`; `n_trees` is 30 or
    more, and `seed` fixes everything.

    Source: Eastwood and Williams (2018), whose forests regress and whose informativeness is an
    error; these classify, as the boosted trees of Locatello et al. (2019) do. Taught in chapter 15.
    """
    codes, values = _checked(codes, factors)
    n_trees = checks.count(n_trees, "n_trees", 30)  # with fewer, some examples are in all trees
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(codes), generator=generator)
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    of_factors = [_forest(codes.cpu(), v, halves, n_trees, seed) for v in values.T]
    importance, accuracy, guessing = (torch.stack(parts) for parts in zip(*of_factors, strict=True))
    importance = importance.T
    rows, weights = 1 - _entropy_share(importance), importance.sum(1)
    return DCI(
        disentanglement=((rows * weights).sum() / weights.sum().clamp_min(1e-12)).item(),
        completeness=(1 - _entropy_share(importance.T)).mean().item(),
        informativeness=accuracy.mean().item(),
        importance=importance,
        accuracy=accuracy,
        guessing=guessing,
    )


def _forest(
    codes: Tensor, values: Tensor, halves: tuple[Tensor, Tensor], n_trees: int, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """For one factor the importances (L,), the accuracy held out, and that of guessing."""
    from sklearn.ensemble import RandomForestClassifier  # takes a second to import

    x, y = codes.numpy(), values.numpy()
    learned, held_out = halves
    forests = [
        RandomForestClassifier(
            n_trees, max_features=None, min_samples_leaf=n, oob_score=True, random_state=seed
        ).fit(x[learned], y[learned])
        for n in LEAVES
    ]
    forest = max(forests, key=lambda f: f.oob_score_)
    guess = values[learned].mode().values
    scores = [forest.score(x[held_out], y[held_out]), (values[held_out] == guess).double().mean()]
    return torch.from_numpy(forest.feature_importances_).double(), *torch.tensor(scores).double()


def _entropy_share(weights: Tensor) -> Tensor:
    """The entropy of each row, made to sum to 1, as a share of its largest value; 1 for zeros."""
    n, total = weights.shape[1], weights.sum(1, keepdim=True)
    shares = torch.where(total > 0, weights / total.clamp_min(1e-300), 1 / n)
    entropy = torch.special.entr(shares).sum(1)
    return entropy / torch.tensor(float(n)).log() if n > 1 else entropy


def _information_and_entropies(codes: Tensor, values: Tensor, n_bins: int) -> tuple[Tensor, Tensor]:
    """I(z_l; v_f), (L, F), and H(v_f), (F,)."""
    bins = [_bins(column, n_bins) for column in codes.T.cpu()]
    information = [[_mutual_information(b, v) for v in values.T] for b in bins]
    return torch.tensor(information).double(), torch.stack([_entropy(v) for v in values.T])


def _bins(column: Tensor, n_bins: int) -> Tensor:
    """Which bin each number is in: equal numbers in one, and as many in each as may be.

    What differs by rounding alone is equal, or a code that was turned and turned back would have
    its few values torn apart.
    """
    different, index = column.unique(return_inverse=True)
    typical = column.abs().kthvalue(1 + 9 * (len(column) - 1) // 10).values
    rounding = 16 * torch.finfo(column.dtype).eps * different.abs().clamp_min(typical)
    starts = torch.cat([torch.zeros(1), different.diff() > rounding[1:]])
    index = starts.long().cumsum(0)[index]
    counts = index.bincount()
    if len(counts) <= n_bins:
        return index
    middle = counts.cumsum(0) - counts / 2  # of the ranks that equal numbers share
    return (middle / len(column) * n_bins).long()[index]


def _mutual_information(a: Tensor, b: Tensor) -> Tensor:
    """H(a) + H(b) - H(a, b) for whole numbers from 0."""
    information = _entropy(a) + _entropy(b) - _entropy(a * (b.max() + 1) + b)
    return information.clamp_min(0)


def _entropy(values: Tensor) -> Tensor:
    """The entropy of how often each whole number occurs, in nats."""
    return torch.special.entr(values.bincount().double() / len(values)).sum()


def _checked(codes: object, factors: object) -> tuple[Tensor, Tensor]:
    """Codes as rows, and each factor's values as whole numbers from 0, (N, F), on the CPU."""
    codes = checks.rows(codes, "codes")
    if isinstance(factors, Mapping):
        columns = {name: checks.companion(v, name, len(codes)) for name, v in factors.items()}
    else:
        factors = checks.companion(factors, "factors", len(codes))
        columns = {f"factor {i}": v for i, v in enumerate(factors.reshape(len(codes), -1).T)}
    if not columns:
        raise ValueError("There is no factor: pass (N, F) numbers, or a tensor for each name.")
    return codes, torch.stack([_value_numbers(v, name) for name, v in columns.items()], dim=1)


def _value_numbers(values: Tensor, name: str) -> Tensor:
    """0 for the smallest value, 1 for the next, and so on, (N,)."""
    if values.ndim != 1:
        raise ValueError(f"{name} must be one number an example, (N,), not {tuple(values.shape)}.")
    different, index = values.cpu().unique(return_inverse=True)
    if len(different) == 1:
        raise ValueError(f"{name} has one value only, so nothing can be told of it: leave it out.")
    if 2 * len(different) > len(values):
        raise ValueError(
            f"{name} has {len(different)} values in {len(values)} examples, too many to count how "
            "often each occurs: cut it into bins, such as (20 * ranks / N).long()."
        )
    return index
