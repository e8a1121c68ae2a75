"""Exercise 15.1: mutual information from counts."""

import math

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _entropy(keys: list) -> float:
    counts = [keys.count(key) for key in set(keys)]
    return -sum(n / len(keys) * math.log(n / len(keys)) for n in counts)


def _information(bins: Tensor, values: Tensor) -> Tensor:
    # By three entropies: H(b) + H(v) - H(b, v).
    b, v = bins.tolist(), values.tolist()
    together = list(zip(b, v, strict=True))
    return torch.tensor(_entropy(b) + _entropy(v) - _entropy(together), dtype=torch.float64)


def _pairs(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n, n_bins, n_values, agreement in ((60, 5, 3, 0.6), (40, 2, 6, 0.3)):
        values = torch.randint(n_values, (n,), generator=generator)
        bins = torch.randint(n_bins, (n,), generator=generator)
        copied = torch.rand(n, generator=generator) < agreement
        cases.append((torch.where(copied, values % n_bins, bins), values))
    # Pairs that never occur: the bin settles the value, and four bins have two values.
    values = torch.tensor([0, 0, 1, 1, 2, 2, 2, 2])
    return [*cases, (torch.tensor([0, 3, 1, 1, 2, 2, 2, 2]), values)]


def _of_entropies(*weights: float) -> object:
    def wrong(bins: Tensor, values: Tensor) -> Tensor:
        b, v = bins.tolist(), values.tolist()
        parts = (_entropy(b), _entropy(v), _entropy(list(zip(b, v, strict=True))))
        return torch.tensor(sum(w * h for w, h in zip(weights, parts, strict=True)))

    return wrong


def _in_bits(bins: Tensor, values: Tensor) -> Tensor:
    return _information(bins, values) / math.log(2)


def _as_a_share(bins: Tensor, values: Tensor) -> Tensor:
    return _information(bins, values) / _entropy(values.tolist())


def _not_a_number(bins: Tensor, values: Tensor) -> Tensor:
    table = _table(bins, values)
    apart = table.sum(1, keepdim=True) * table.sum(0, keepdim=True)
    return (table * (table / apart).log()).sum()


def _unweighted(bins: Tensor, values: Tensor) -> Tensor:
    table = _table(bins, values)
    apart = table.sum(1, keepdim=True) * table.sum(0, keepdim=True)
    return (table / apart)[table > 0].log().sum()


def _counted(bins: Tensor, values: Tensor) -> Tensor:
    return len(bins) * _information(bins, values)


def _table(bins: Tensor, values: Tensor) -> Tensor:
    table = torch.zeros(int(bins.max()) + 1, int(values.max()) + 1, dtype=torch.float64)
    return table.index_put_(
        (bins, values), torch.full((len(bins),), 1 / len(bins)).double(), accumulate=True
    )


EXERCISE = Exercise(
    "15.1",
    oracle=_information,
    cases=_pairs,
    mistakes=(
        Mistake(
            "bits",
            _in_bits,
            "That is in bits, with logarithms to base 2; nats have the natural logarithm.",
        ),
        Mistake(
            "share of the entropy",
            _as_a_share,
            "You divide by the entropy of the values. That comes later, in the gap; here the "
            "information itself is asked for.",
        ),
        Mistake(
            "pairs that never occur",
            _not_a_number,
            "NaN comes from pairs that never occur, of which you take the logarithm of 0. They "
            "contribute nothing: leave them out.",
        ),
        Mistake(
            "not weighted",
            _unweighted,
            "You sum the logarithms without weights: each counts as often as its pair occurs.",
        ),
        Mistake(
            "sum over pictures",
            _counted,
            "That is N times the information: work with frequencies, which add up to 1.",
        ),
        Mistake(
            "entropy of the pairs",
            _of_entropies(0, 0, 1),
            "That is the entropy of the pairs. The information is what the two entropies have "
            "too much: H(b) + H(v) - H(b, v).",
        ),
        Mistake(
            "conditional entropy",
            _of_entropies(-1, 0, 1),
            "That is the entropy of the value given the bin: what the bin does not tell.",
        ),
        Mistake(
            "sign",
            _of_entropies(-1, -1, 1),
            "Right but for its sign: an information is never negative.",
        ),
    ),
)
