"""What a chapter's quiz is made of: questions, their options, and the reason of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One answer to a question: `reason` says why it is right, or where it goes wrong."""

    text: str
    reason: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with options in a fixed order, exactly one of which is right.

    All texts are plain: `backticks` for code, Unicode for mathematics (σ², log p(x|z)), no LaTeX.
    """

    text: str
    options: tuple[Option, ...]
