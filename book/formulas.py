"""Formulas in docstrings, which are plain text such as KL(q(z|x) || p(z)), set as formulas.

Read are runs of terms: calls of a density or an expectation, Greek letters, sums, norms, and what
operators join to these. A letter or a number by itself stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from typesetting import put

GREEK = {
    "β": "beta", "ε": "varepsilon", "θ": "theta", "λ": "lambda", "μ": "mu", "π": "pi",
    "σ": "sigma", "φ": "phi", "ω": "omega",
}  # fmt: skip
FUNCTIONS = ("log", "diag", "exp", "sin", "tanh")
GROUP = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
END = "(?![A-Za-z0-9_])"  # not \\w, to which ² belongs
# Behind Σ_a, which is then a covariance: what is added, a bracket's end, or another covariance.
NOTHING_TO_SUM = r"(?=\s*(?:[-+)]|Σ_[a-z]\)))"
TERMS = {
    "call": rf"(?:KL|BCE|E(?:_[a-z])?|[pqfgNC])(?:{GROUP}|\[[^\[\]]*\])",
    "norm": r"\|\|[^|]+\|\|",
    "function": rf"(?:{'|'.join(FUNCTIONS)})(?![\w-])",
    "covariance": rf"Σ_[a-z]{NOTHING_TO_SUM}",
    "sum": r"Σ(?:_[a-z])?|∫",
    "greek": rf"d?\d*(?:[{''.join(GREEK)}]²?)+(?:[xz]|_[a-z])?{END}",
    "name": r"(?:SSE|ELBO|KL)\b",
    "group": GROUP,
    "number": r"\d+(?:\.\d+)?(?!\w)",
    "letter": rf"d?[A-Za-z](?:_[a-z])?['’]?{END}",
}
TERM = re.compile(
    r"(?<![\w.])(?<!\w['’])(?:"  # the s of a genitive is no letter
    + "|".join(f"(?P<{kind}>{regex})" for kind, regex in TERMS.items())
    + rf")(?P<power>²|\^(?:{GROUP}|\w+))?"
)
OPERATOR = re.compile(r"\s*[=+/-]\s*")
STRONG = {"call", "norm", "sum", "greek", "covariance"}
WORD = re.compile(r"[a-z]{3}")

TO_TEX = re.compile(
    r"\|\|(?P<norm>[^|]+)\|\||(?P<wide>\|\|)|(?P<bar>\|)|\^(?P<power>\((?:[^()])*\))"
    r"|\^(?P<digits>\d{2,})|\^(?P<exponent>\w{2,})"
    rf"|(?P<covariance>Σ(?=_[a-z]{NOTHING_TO_SUM}))"
    r"|(?P<word>log|exp|sin|tanh)\b|(?P<name>diag|KL|SSE|ELBO|BCE)\b|(?P<mean>E(?=[_\[]))"
    r"|(?P<normal>N(?=\())|(?P<index>_[a-z]{2,})|(?P<measure>\bd(?=[xz]\b))|(?P<one>[Σ∫²’])"
    rf"|(?P<greek>[{''.join(GREEK)}])"
)
ONE = {"Σ": r"\sum", "∫": r"\int ", "²": "^2", "’": "'"}


def as_tex(text: str) -> str:
    """A formula in TeX: p(x|z) is p(x \\mid z)."""
    return TO_TEX.sub(piece_as_tex, text)


def piece_as_tex(found: re.Match[str]) -> str:
    kind, piece = found.lastgroup, found[found.lastgroup]
    if kind == "norm":
        return rf"\lVert {as_tex(piece)} \rVert"
    if kind == "power":
        return f"^{{{as_tex(piece[1:-1])}}}"
    forms = {
        "wide": r" \,\Vert\, ",
        "bar": r" \mid ",
        "word": rf"\{piece} ",
        "name": rf"\operatorname{{{piece}}}",
        "mean": r"\mathbb E",
        "normal": r"\mathcal N",
        "index": rf"_{{\text{{{piece[1:]}}}}}",
        "digits": f"^{{{piece}}}",
        "exponent": rf"^{{\text{{{piece}}}}}",
        "covariance": r"\Sigma",
        "measure": r"\,d",
        "one": ONE.get(piece, ""),
        "greek": rf"\{GREEK.get(piece, '')} ",
    }
    return forms[kind]


def kind(term: re.Match[str]) -> str:
    return next(name for name in TERMS if term[name])


def joined(text: str, before: re.Match[str], after: re.Match[str]) -> bool:
    """Whether two neighbouring terms belong to one formula."""
    gap = text[before.end() : after.start()]
    if OPERATOR.fullmatch(gap):
        return True
    if gap.strip() or "\n\n" in gap:
        return False
    is_index = after["letter"] and ("_" in after[0] or len(after[0].strip("'’")) == 2)
    multiplies = kind(after) in ("call", "greek", "function", "sum", "covariance") or is_index
    if kind(before) in ("function", "sum"):
        return True
    can_be_multiplied = kind(before) in ("call", "greek", "group", "norm", "covariance")
    return can_be_multiplied and bool(multiplies or (after["group"] and after["power"]))


def formulas(text: str) -> Iterator[tuple[int, int]]:
    """Where the formulas of a text begin and end."""
    run: list[re.Match[str]] = []
    for term in [*TERM.finditer(text), None]:
        is_words = term and term["group"] and WORD.search(re.sub("log|exp", "", term["group"]))
        if term and not is_words and run and joined(text, run[-1], term):
            run.append(term)
            continue
        if any(one["power"] or kind(one) in STRONG for one in run):
            start = run[0].start()
            signed = text[:start].endswith("-") and not re.search(r"[\w)]-$", text[:start])
            yield start - signed, run[-1].end()
        run = [term] if term and not is_words else []


def set_formulas(app: Sphinx, doctree: nodes.document) -> None:
    """Put formulas in the place of what reads like one, in descriptions of the library."""
    for content in doctree.findall(addnodes.desc_content):
        for text in list(content.findall(nodes.Text)):
            opaque = nodes.literal | nodes.FixedTextElement | nodes.reference | nodes.math
            if isinstance(text.parent, opaque | addnodes.desc_signature):
                continue
            plain, parts, position = text.astext(), [], 0
            for start, end in formulas(plain):
                tex = as_tex(plain[start:end])
                parts += [nodes.Text(plain[position:start]), nodes.math(tex, tex)]
                position = end
            if parts:
                rest = nodes.Text(plain[position:])
                put(text, [part for part in [*parts, rest] if part.astext()])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", set_formulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
