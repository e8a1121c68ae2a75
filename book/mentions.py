"""What plain text mentions: chapters, figures, equations, exercises and fill-ins by their numbers.

    "as Figure 2.3 and equations 3.4 and 3.5 show"

gives three mentions, each with the place in the text that becomes a link. Lists and ranges are read
after a plural only, so that "in chapter 3 and 4 others" mentions one chapter. "Project I", which
has a capital so that "a project I like" is none, has Figure I.1 and Exercise I.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

WITHIN = r"(?:\d{1,2}|[IVX]{1,3})\.\d{1,2}(?!\d|\.\d)"
NUMBERS = {
    "chapter": r"\d{1,2}(?!\d|\.\d)",
    "project": r"[IVX]{1,3}\b(?!\.\d)",
    "figure": WITHIN,
    "equation": WITHIN,
    "exercise": WITHIN,
    "fill-in": r"\d{1,2}\.[a-z]\b",
}
BETWEEN = r"(?:,\s+(?:and\s+|or\s+)?|\s+(?:and|or|to)\s+|\s*–\s*)"
# Another work's chapter: "chapter 29 of MacKay (2003)"; "the textbook, in its chapters 9 and 12".
# "Owen (2013), chapter 9" means his.
OF_A_WORK = re.compile(r"\s+(?:of|in)\s+")
BEHIND_A_WORK = re.compile(r",\s+")
ITS = re.compile(r"\b(?:its|his|her|their)\s+$")


@dataclass(frozen=True)
class Span:
    """A stretch of a text and what it mentions: ("figure", "2.3"), ("citation", "kingma2014auto").

    A target of None is a mention that leads nowhere, with the reason.
    """

    start: int
    end: int
    target: tuple[str, str] | None
    reason: str = ""


def pattern(kind: str) -> re.Pattern[str]:
    """The kind's word, and a number or several."""
    first = "P" if kind == "project" else f"[{kind[0]}{kind[0].upper()}]"
    number, word = NUMBERS[kind], f"{first}{kind[1:]}"
    plural = rf"{word}s\s+(?P<numbers>{number}(?:{BETWEEN}{number})*)"
    return re.compile(rf"(?<![\w-])(?:{plural}|{word}\s+(?P<number>{number}))")


PATTERNS = {kind: pattern(kind) for kind in NUMBERS}


def identifier(kind: str, number: str) -> tuple[str, str]:
    """A target's name; a chapter's leading zero is none of it."""
    return kind, number.lstrip("0") or "0" if kind == "chapter" else number


def mentions(text: str) -> Iterator[Span]:
    """Every number that the text gives; the first of a list takes the word before it along."""
    for kind, regex in PATTERNS.items():
        for found in regex.finditer(text):
            which = "numbers" if found["numbers"] else "number"
            first = found.start(which)
            for number in re.finditer(NUMBERS[kind], found[which]):
                start = first + number.start() if number.start() else found.start()
                yield Span(start, first + number.end(), identifier(kind, number[0]))


def belongs_elsewhere(text: str, span: Span, citations: list[Span]) -> bool:
    """Whether a work of somebody else's is meant: by a word before, or a citation behind or around.

    Of a list, all the numbers belong to where the list does.
    """
    if any(cited.start <= span.start and span.end <= cited.end for cited in citations):
        return True
    found = next(f for f in PATTERNS[span.target[0]].finditer(text) if f.end() >= span.end)
    starts = [cited.start for cited in citations if cited.start >= found.end()]
    is_followed = bool(starts) and bool(OF_A_WORK.fullmatch(text[found.end() : min(starts)]))
    ends = [cited.end for cited in citations if cited.end <= found.start()]
    follows = bool(ends) and bool(BEHIND_A_WORK.fullmatch(text[max(ends) : found.start()]))
    return is_followed or follows or bool(ITS.search(text[: found.start()]))
