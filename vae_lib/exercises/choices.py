"""Choices such as "c", however they are spelled."""

from __future__ import annotations

import re

# "c", "C", "c)", "(c)", "line c", "Line c." and "# c" name one line.
_SPELLING = re.compile(r"\W*(?:(?:it is|the|line|option|answer)\W+)*([a-z])\W*", re.IGNORECASE)


def same_choice(got: object, expected: str) -> bool:
    """Whether `got` names the choice `expected`, a single small letter. For `Exercise.compare`."""
    spelling = _SPELLING.fullmatch(got) if isinstance(got, str) else None
    return spelling is not None and spelling[1].lower() == expected
