"""First uses of the glossary's terms, and of the library's names, in a page's plain text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from mentions import Span

# Terms whose words are everyday ones as well; they are linked in these forms alone.
FORMS = {
    "code": ("codes", "latent code"),
    "nats": ("nat", "nats"),
    "baseline": (),
    "evidence": (),
}
CALL = re.compile(r"([A-Za-z_]\w*)(?:\(.*\))?", re.DOTALL)


def forms(term: str) -> tuple[str, ...]:
    """The forms in which a term is used: itself and its plural."""
    if term in FORMS:
        return FORMS[term]
    plural = term[:-1] + "ies" if re.search("[^aeiou]y$", term) else term + "s"
    return (term,) if term.endswith("s") else (term, plural)


def pattern(form: str) -> str:
    """A regular expression for a form; a first letter may be a capital, an acronym is as it is."""
    first = re.escape(form[0])
    if form[0].islower():
        first = f"[{first}{form[0].upper()}]"
    words = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", form[1:])))
    return first + words.replace("'", "['’]")


class Glossary:
    """Finds first uses. `groups` are the terms of each entry: several names, one definition."""

    def __init__(self, groups: Iterable[tuple[str, ...]]) -> None:
        self.entry = {form: group[0] for group in groups for t in group for form in forms(t)}
        longest = sorted(self.entry, key=len, reverse=True)
        self.patterns = [(self.entry[form], pattern(form)) for form in longest]
        alternatives = "|".join(f"({regex})" for _, regex in self.patterns)
        self.regex = re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])") if longest else None

    def first_uses(self, text: str, used: set[str], taken: list[Span]) -> Iterator[Span]:
        """The entries that the text is the first to use; what is found is added to `used`."""
        if self.regex is None:
            return
        for found in self.regex.finditer(text):
            entry = self.patterns[found.lastindex - 1][0]
            free = all(span.end <= found.start() or found.end() <= span.start for span in taken)
            if entry not in used and free:
                used.add(entry)
                yield Span(found.start(), found.end(), ("term", entry))


def library_name(code: str, imported: dict[str, str]) -> str | None:
    """The full name that a piece of code stands for, with or without a call's parentheses.

    `imported` has the names that the page imports from the library and does not define anew.
    """
    if re.fullmatch(r"vae_lib(\.\w+)+(\(.*\))?", code, re.DOTALL):
        return code.partition("(")[0]
    found = CALL.fullmatch(code)
    return imported.get(found[1]) if found else None


def imported_names(cells: Iterable[str]) -> dict[str, str]:
    """What a page's cells import from the library and define nowhere anew, by its name there."""
    imported, own = {}, set()
    for node in (node for cell in cells for node in ast.walk(parsed(cell))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vae_lib"):
            for alias in node.names:
                imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
    return {name: full for name, full in imported.items() if name not in own}


def parsed(cell: str) -> ast.Module:
    """A cell's code; none where it is not plain Python."""
    try:
        return ast.parse(cell)
    except SyntaxError:
        return ast.Module([], [])
