"""Citations in plain text, "Kingma and Welling (2014)", and the entries that they mean.

An entry is found by the surnames of its authors and its year. Recognised are

    Burda, Grosse and Salakhutdinov (2016)       (Burda, Grosse and Salakhutdinov, 2016, table 1)
    Burda and others (2016)                      Burda et al. (2016)
    Kingma and Welling (2014, 2019)              Alpaydin and Kaynak (1998a)

The last is for two works of the same authors and year, whose letters are the bibliography's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mentions import Span

PARTICLE = r"(?:[Vv]an|[Vv]on|de|den|der|di|da|du|la|le|ter|ten)"
WORD = r"[A-ZÀ-ÖØ-Þ][\w’'-]*[\w]"
YEAR = r"(?:1[89]|20)\d\d[a-z]?\b"
AND_OTHERS = r"(?:\s+and\s+others|\s+et\s+al\.?)"
# Where in the work, up to what ends the citation: "(2016, table 1)".
PARTS = "appendix|chapter|equation|exercise|figure|page|section|table|theorem"
PLACE = rf"(?P<place>,\s+(?:{PARTS}|(?:{PARTS})s|pp?\.)\s[^();]*?(?=[;)]))?"


@dataclass(frozen=True)
class Work:
    """An entry of the bibliography, as far as a citation tells."""

    key: str
    surnames: tuple[str, ...]
    year: str
    letter: str = ""


class Bibliography:
    """Finds the works that a text cites."""

    def __init__(self, works: Iterable[Work]) -> None:
        self.by_year = defaultdict(list)
        for work in works:
            self.by_year[work.year].append(work)
        known = {name for works in self.by_year.values() for w in works for name in w.surnames}
        longest = sorted(known, key=len, reverse=True)
        name = "|".join([*map(re.escape, longest), rf"(?:{PARTICLE}\s+)*{WORD}"])
        names = rf"(?P<first>{name})(?P<more>(?:,\s+(?:{name}))*(?:,?\s+and\s+(?:{name}))?)"
        years = rf"(?P<years>{YEAR}(?:,\s+{YEAR})*)"
        opening = r"(?P<opening>['’]?s?\s+\(|,\s+)"
        self.pattern = re.compile(
            rf"(?<![\w-]){names}(?P<others>{AND_OTHERS})?{opening}{years}{PLACE}(?P<closing>\))?"
        )

    def citations(self, text: str) -> Iterator[Span]:
        """Every work that the text cites, and every citation of a work that is not there."""
        for found in self.pattern.finditer(text):
            names = [found["first"], *re.split(r",?\s+and\s+|,\s+", found["more"])[1:]]
            yield from self.cited(text, found, [" ".join(name.split()) for name in names])

    def cited(self, text: str, found: re.Match[str], names: list[str]) -> Iterator[Span]:
        """One span a year; the first begins at the names, and may end with a parenthesis."""
        years = list(re.finditer(YEAR, found["years"]))
        in_parentheses = "(" in found["opening"]
        whole = in_parentheses and found["closing"] and len(years) == 1
        for i, year in enumerate(years):
            skipped, works = self.matching(names, bool(found["others"]), year[0])
            start, end = found.start("years") + year.start(), found.start("years") + year.end()
            if i == 0:
                start = self.start_of(found, skipped)
            if i == len(years) - 1:
                end = found.end() if whole else max(end, found.end("place"))
            if len(works) == 1:
                yield Span(start, end, ("citation", works[0].key))
            elif works or in_parentheses or text[: found.start()].endswith(("(", "; ", ";\n")):
                yield Span(start, end, None, reason(works, year[0]))

    @staticmethod
    def start_of(found: re.Match[str], skipped: int) -> int:
        """Where the names begin, without those that belong to the sentence before."""
        if skipped == 0:
            return found.start()
        separators = list(re.finditer(r",\s+(?:and\s+)?|\s+and\s+", found["more"]))
        return found.start("more") + separators[skipped - 1].end()

    def matching(self, names: list[str], others: bool, year: str) -> tuple[int, list[Work]]:
        """The works that the last of the names wrote in a year, and how many names were too many.

        In "beside Adam, Kingma and Ba (2015)" the first is none of the authors'.
        """
        letter = year[4:]
        for skipped in range(len(names)):
            wanted = [name.casefold() for name in names[skipped:]]
            works = [
                work
                for work in self.by_year[year[:4]]
                if written_by(work, wanted, others) and letter in ("", work.letter)
            ]
            if works:
                return skipped, works
        return 0, []


def written_by(work: Work, names: list[str], others: bool) -> bool:
    """Whether the names are all of the authors; with "and others", the first of three or more."""
    authors = [name.casefold() for name in work.surnames]
    return authors[: len(names)] == names and len(authors) > 2 if others else authors == names


def reason(works: list[Work], year: str) -> str:
    """What is wrong with a citation that does not lead to one work."""
    if not works:
        return "no entry of book/references.bib has these authors and this year"
    letters = " or ".join(f"{year}{work.letter}" for work in works)
    return f"several entries have these authors and this year: write {letters}"


def lettered(works: Iterable[tuple[str, tuple[str, ...], str]]) -> list[Work]:
    """Works from (key, surnames, year), in the bibliography's order, with letters where needed."""
    groups = defaultdict(list)
    for key, surnames, year in works:
        groups[surnames, year].append(key)
    return [
        Work(key, surnames, year, chr(ord("a") + i) if len(keys) > 1 else "")
        for (surnames, year), keys in groups.items()
        for i, key in enumerate(keys)
    ]
