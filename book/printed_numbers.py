"""The numbers that a chapter prints, in its prose and in its stored outputs, held against a run.

A number in prose is followed by an invisible comment with the expression that it came from and
the format it is printed in:

    The held-out ELBO is -23.1<!-- =elbo.mean():.1f --> nats.

The expression is evaluated in the notebook's own kernel after the last code cell above it. What
follows the last colon is the format, so the expression may hold colons of its own. A stored
output is the text of a cell that is tagged `nbval-check-output` and `keep_output`.

Nothing here runs a notebook: `execution.py` does, and asks a kernel for the numbers.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from nbformat import NotebookNode

CHECKED, KEPT = "nbval-check-output", "keep_output"

# Printed digits differ between machines from the seventh on, with the number of threads alone.
RELATIVE_TOLERANCE = Decimal("1e-4")

# A minus belongs to the number unless a word or digit stands before it, as in 3-5.
NUMBER = re.compile(
    r"(?<![\w.])[-+−]?"
    r"(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?:[eE][-+−]?\d+|\s*(?:\\times|×)\s*10\^(?:\{[-−]?\d+\}|\d))?"
)
# A per cent sign and closing marks of maths, emphasis or code may stand between the two.
BEFORE_COMMENT = re.compile(rf"({NUMBER.pattern})(?:\s?\\?%)?[$*_`]*\Z")
COMMENT = re.compile(r"<!--\s*=(.*?)-->", re.DOTALL)
# Two digits more than are printed tell what is rounded from what is another number.
FORMAT = re.compile(r"\.(\d+)(?=[ef%]\Z)")

POWER_OF_TEN = re.compile(r"\s*(?:\\times|×)\s*10\^\{?([-−]?\d+)\}?")

Value = str | dict[str, str]  # as the kernel formatted it, or {"error": "NameError: ..."}


def default_dataset() -> bool:
    """Whether the chapters run on their own data sets, which the printed numbers are true of."""
    return not os.environ.get("VAE_BOOK_DATASET")


def is_checked(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and CHECKED in cell.metadata.get("tags", [])


def as_decimal(text: str) -> Decimal:
    """A printed number with its digits: "−1,797.0" gives Decimal("-1797.0")."""
    plain = POWER_OF_TEN.sub(r"e\1", text.strip().rstrip("%"))
    return Decimal(plain.replace("−", "-").replace(",", ""))


def last_digit(number: Decimal) -> Decimal:
    """One unit of the last printed digit: 0.01 for 2.50, 100 for 3e2."""
    return Decimal(1).scaleb(number.as_tuple().exponent)


def close(printed: str, computed: str, *, relative: Decimal = Decimal(0)) -> bool:
    """Whether two rounded numbers differ by one unit of the last digit of the finer, or less."""
    a, b = as_decimal(printed), as_decimal(computed)
    unit = min(last_digit(a), last_digit(b))
    return abs(a - b) <= max(unit, relative * abs(a))


def rounds_to(printed: str, computed: str) -> bool:
    """Whether a number in `finer` form rounds to the printed one, or nearly.

    What training gives differs between processors. So a quarter of a unit of the last digit is
    free, or up to one unit where that is at most 2 % of the number: 5 for 4.2 is wrong.
    """
    a, b = as_decimal(printed), as_decimal(computed)
    unit = min(last_digit(a), 100 * last_digit(b))
    drift = min(unit, abs(b) * Decimal("0.02") - unit / 2)
    return abs(a - b) <= unit / 2 + max(unit / 4, drift)


def finer(format_spec: str) -> str:
    """The format with two digits more: .3f for .1f; formats of whole numbers as they are."""
    return FORMAT.sub(lambda digits: f".{int(digits[1]) + 2}", format_spec)


def is_whole(number: str) -> bool:
    return number.lstrip("+-−").replace(",", "").isdigit()


def texts_agree(stored: str, printed: str) -> bool:
    """Words equal, whole numbers equal, other numbers within a tolerance; spacing is free.

    The tolerance is one unit of the last printed digit or 1e-4 of the number, the larger.
    """
    words = [" ".join(NUMBER.sub(" # ", text).split()) for text in (stored, printed)]
    if words[0] != words[1]:
        return False
    pairs = zip(NUMBER.findall(stored), NUMBER.findall(printed), strict=True)
    return all(
        as_decimal(a) == as_decimal(b)
        if is_whole(a) and is_whole(b)
        else close(a, b, relative=RELATIVE_TOLERANCE)
        for a, b in pairs
    )


def printed_text(outputs: list[NotebookNode]) -> str:
    """What a cell printed on stdout or gave as its value; all that is not text is left out."""
    parts = []
    for output in outputs:
        if is_claim(output):
            continue
        if output["output_type"] == "stream" and output.get("name") == "stdout":
            parts.append(output["text"])
        elif output["output_type"] in ("execute_result", "display_data"):
            parts.append(output["data"].get("text/plain", "") + "\n")
    return "".join(parts).strip()


def output_problem(stored: list[NotebookNode], fresh: list[NotebookNode]) -> str | None:
    """What is wrong with the stored output of a checked cell, or None."""
    expected, got = printed_text(stored), printed_text(fresh)
    if not expected:
        return "the cell is tagged nbval-check-output, but no output is stored"
    if not texts_agree(expected, got):
        return f"the stored output is\n{expected}\nbut the run printed\n{got}"
    return None


@dataclass(frozen=True)
class ProseNumber:
    """A number in markdown and the expression it is verified by."""

    printed: str  # empty where no number stands right before the comment
    start: int
    expression: str
    format_spec: str

    def problem(self, computed: Value) -> str | None:
        """What is wrong with the printed number, given the value in `finer` form or the error."""
        says = f"{self.printed or 'nothing'}<!-- ={self.expression}:{self.format_spec} -->"
        if not self.printed:
            return f"{says} has no number right before it"
        if isinstance(computed, dict):
            return f"{says} cannot be evaluated: {computed['error']}"
        if not NUMBER.fullmatch(computed.strip().rstrip("%")):
            return f"{says} gives {computed!r}, which is no finite number"
        if self.is_exact():
            agrees = as_decimal(self.printed) == as_decimal(computed)
        else:
            agrees = rounds_to(self.printed, computed)
        return None if agrees else f"{says} is out of date: the run gives {computed}"

    def is_mendable(self, computed: Value) -> bool:
        """Whether there is a number to replace, and one to replace it by."""
        return bool(
            self.printed
            and isinstance(computed, str)
            and NUMBER.fullmatch(computed.strip().rstrip("%"))
        )

    def is_exact(self) -> bool:
        """Formats of whole numbers allow no tolerance."""
        return not self.format_spec or self.format_spec[-1] in "d,"

    def rounded(self, computed: str) -> str:
        """The computed number with as many digits as are printed."""
        if self.is_exact():
            return computed.strip()
        sign = "%" if self.format_spec.endswith("%") else ""
        return format(as_decimal(computed), self.format_spec.replace("%", "f")) + sign

    def rewritten(self, computed: str) -> str:
        """The computed number in the typography of the printed one."""
        text = self.rounded(computed).rstrip("%")
        mantissa, _, exponent = text.partition("e")
        if exponent and POWER_OF_TEN.search(self.printed):
            sign = "×" if "×" in self.printed else r"\times"
            text = f"{mantissa} {sign} 10^{{{int(exponent)}}}"
        return text.replace("-", "−") if "−" in self.printed else text


def prose_numbers(markdown: str) -> list[ProseNumber]:
    """The verified numbers of a markdown cell, in order."""
    found = []
    for comment in COMMENT.finditer(markdown):
        expression, _, format_spec = comment.group(1).rpartition(":")
        number = BEFORE_COMMENT.search(markdown, 0, comment.start())
        printed, start = (number.group(1), number.start(1)) if number else ("", comment.start())
        found.append(ProseNumber(printed, start, expression.strip(), format_spec.strip()))
    return found


def prose_below(cells: list[NotebookNode], position: int) -> list[NotebookNode]:
    """The markdown cells between the code cell at `position` and the next code cell."""
    below = []
    for cell in cells[position + 1 :]:
        if cell.cell_type == "code":
            break
        below.append(cell)
    return below


def questions(numbers: Iterable[ProseNumber]) -> dict[str, str]:
    """What a kernel is asked for the numbers: one expression each, by position."""
    return {
        str(i): f"format(({number.expression}), {finer(number.format_spec)!r})"
        for i, number in enumerate(numbers)
    }


def answers(reply: dict) -> list[Value]:
    """The values in a kernel's reply to `questions`, in their order."""
    by_position = reply["content"].get("user_expressions", {})
    return [_value(by_position[key]) for key in sorted(by_position, key=int)]


def _value(answer: dict) -> Value:
    if answer["status"] == "ok":
        return ast.literal_eval(answer["data"]["text/plain"])
    return {"error": f"{answer['ename']}: {answer['evalue']}"}


def numbers_below(cells: list[NotebookNode], position: int) -> list[ProseNumber]:
    """The verified numbers in the prose below the code cell at `position`, in order."""
    return [n for cell in prose_below(cells, position) for n in prose_numbers(cell.source)]


def prose_problems(numbers: list[ProseNumber], values: list[Value]) -> list[str]:
    """What is wrong with these numbers, given the values of a run."""
    if len(values) != len(numbers):
        return [f"the run did not compute {n.printed}<!-- ={n.expression} -->" for n in numbers]
    found = map(ProseNumber.problem, numbers, values)
    return [problem for problem in found if problem]


def is_claim(output: NotebookNode) -> bool:
    """Whether an output is what `vae_lib.claims` shows; it is recorded, and never stored."""
    return "claim" in output.get("metadata", {}).get("vae_book", {})
