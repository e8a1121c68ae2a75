"""Comparisons for `Exercise.compare`: choices such as "c", in any spelling, and verdicts."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from vae_lib.exercises.difference import difference

# "c", "C", "c)", "(c)", "line c", "Line c." and "# c" name one line.
_SPELLING = re.compile(r"[\W_]*(?:(?:it is|the|line|option|answer)[\W_]+)*([a-z])[\W_]*", re.I)


def same_choice(got: object, expected: str) -> bool:
    """Whether `got` names the choice `expected`, a single small letter."""
    spelling = _SPELLING.fullmatch(got) if isinstance(got, str) else None
    return spelling is not None and spelling[1].lower() == expected


def is_near(got: object, expected: Tensor, *, rtol: float = 0.0, atol: float = 0.0) -> bool:
    """Whether an output has the expected values, for a `summarise` that tells no more than that."""
    got = torch.as_tensor(got).double()
    near = got.shape == expected.shape and torch.isclose(got, expected.double(), rtol, atol)
    return bool(torch.as_tensor(near).all())


def same_summary(got: object, expected: object) -> bool:
    """Whether summaries agree, though one output may be a nan where the other is infinite."""
    return difference(got, expected, rtol=1e-4, atol=1e-5) is None
