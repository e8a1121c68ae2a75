"""Exercise 9.2: mend a test score."""

import math

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _score(batches: list[Tensor]) -> float:
    return math.fsum(value for batch in batches for value in batch.tolist()) / sum(
        len(batch) for batch in batches
    )


def _as_tensor(score: Tensor | float) -> Tensor:
    return torch.as_tensor(score, dtype=torch.float64)


def _score_cases(generator: torch.Generator) -> list[tuple]:
    """Batches whose values differ in level, so that the ways to average differ clearly."""
    cases = []
    for lengths in ((5, 5, 2), (4, 7, 3, 1)):
        levels = 10 * torch.randn(len(lengths), generator=generator, dtype=torch.float64)
        noise = torch.randn(len(lengths), 7, generator=generator, dtype=torch.float64)
        rows = zip(lengths, levels, noise, strict=True)
        cases.append(([level - 90 + some[:n] for n, level, some in rows],))
    return cases


def _n_examples(batches: list[Tensor]) -> int:
    return sum(len(batch) for batch in batches)


EXERCISE = Exercise(
    "9.2",
    oracle=_score,
    cases=_score_cases,
    summarise=lambda score, batches: _as_tensor(score),
    mistakes=(
        Mistake(
            "mean of means",
            lambda batches: torch.stack([batch.mean() for batch in batches]).mean(),
            "Every batch counts the same here, so an example in a small batch counts for more "
            "than one in a large batch. Every example should count the same.",
        ),
        Mistake(
            "first batch",
            lambda batches: batches[0].mean(),
            "This is the score of the first batch. The test set is all of them.",
        ),
        Mistake(
            "last batch",
            lambda batches: batches[-1].mean(),
            "This is the score of the last batch. The test set is all of them.",
        ),
        Mistake(
            "sum over batches",
            lambda batches: sum(batch.sum() for batch in batches) / len(batches),
            "The sum over examples is divided by the number of batches: how many things have "
            "you added up?",
        ),
        Mistake(
            "all batches full",
            lambda batches: (
                sum(batch.sum() for batch in batches) / (len(batches) * len(batches[0]))
            ),
            "You count as many examples in every batch as in the first. The batches differ in "
            "length.",
        ),
        Mistake(
            "means over examples",
            lambda batches: sum(batch.mean() for batch in batches) / _n_examples(batches),
            "Batch means are added and divided by the number of examples, so the score "
            "shrinks as batches grow. Either sum values and count examples, or neither.",
        ),
        Mistake(
            "no division",
            lambda batches: sum(batch.sum() for batch in batches),
            "This is the sum over the test set. A score is a mean over its examples.",
        ),
    ),
)
