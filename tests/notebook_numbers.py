"""The numbers that a chapter prints, in its prose and in its stored outputs, held against a run.

A number in prose is followed by an invisible comment with the expression that it came from and
the format it is printed in:

    The held-out ELBO is -23.1<!-- =elbo.mean():.1f --> nats.

The expression is evaluated in the notebook's own kernel after the last code cell above it. What
follows the last colon is the format, so the expression may hold colons of its own. A stored
output is the text of a cell that is tagged `nbval-check-output` and `keep_output`.

nbval calls these functions through the `conftest.py` at the root. As a command this module runs
the chapters itself, and with `--fix` it rewrites what is out of date:

    python tests/notebook_numbers.py --fix [chapters/01_autoencoder.ipynb ...]
"""

from __future__ import annotations

import argparse
import ast
import copy
import inspect
import os
import re
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import nbformat
from jupyter_core.utils import run_sync
from nbformat import NotebookNode
from nbstripout import strip_output

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
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
POWER_OF_TEN = re.compile(r"\s*(?:\\times|×)\s*10\^\{?([-−]?\d+)\}?")

# Besides nbstripout's own: what an editor writes into a notebook and a reader has no use for.
STRIPPED_KEYS = [
    "metadata.language_info",
    "metadata.widgets",
    "metadata.signature",
    "cell.metadata.collapsed",
    "cell.metadata.ExecuteTime",
    "cell.metadata.execution",
    "cell.metadata.heading_collapsed",
    "cell.metadata.hidden",
    "cell.metadata.scrolled",
]


def default_dataset() -> bool:
    """Whether the chapters run on their own data sets, which the printed numbers are true of."""
    return not os.environ.get("VAE_BOOK_DATASET")


def is_checked(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and CHECKED in cell.metadata.get("tags", [])


def stripped(notebook: NotebookNode) -> NotebookNode:
    """A copy as it is to be stored: no output but the verified ones, no counts, ids kept."""
    return strip_output(
        copy.deepcopy(notebook),
        keep_output=None,
        keep_count=False,
        keep_id=True,
        extra_keys=STRIPPED_KEYS,
    )


def as_decimal(text: str) -> Decimal:
    """A printed number with its digits: "−1,797.0" gives Decimal("-1797.0")."""
    plain = POWER_OF_TEN.sub(r"e\1", text.strip().rstrip("%"))
    return Decimal(plain.replace("−", "-").replace(",", ""))


def last_digit(number: Decimal) -> Decimal:
    """One unit of the last printed digit: 0.01 for 2.50, 100 for 3e2."""
    return Decimal(1).scaleb(number.as_tuple().exponent)


def close(printed: str, computed: str, *, relative: Decimal = Decimal(0)) -> bool:
    """Whether two printed numbers differ by one unit of the last digit of the finer, or less."""
    a, b = as_decimal(printed), as_decimal(computed)
    unit = min(last_digit(a), last_digit(b))
    return abs(a - b) <= max(unit, relative * abs(a))


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
    """What a cell printed on stdout or gave as its value; pictures and warnings are left out."""
    parts = []
    for output in outputs:
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

    def problem(self, computed: str | Exception) -> str | None:
        """What is wrong with the printed number, given the formatted value or the error."""
        says = f"{self.printed or 'nothing'}<!-- ={self.expression}:{self.format_spec} -->"
        if not self.printed:
            return f"{says} has no number right before it"
        if isinstance(computed, Exception):
            return f"{says} cannot be evaluated: {computed}"
        if not NUMBER.fullmatch(computed.strip().rstrip("%")):
            return f"{says} gives {computed!r}, which is no finite number"
        if self.is_exact():
            agrees = as_decimal(self.printed) == as_decimal(computed)
        else:
            agrees = close(self.printed, computed)
        return None if agrees else f"{says} is out of date: the run gives {computed}"

    def is_mendable(self, computed: str | Exception) -> bool:
        """Whether there is a number to replace, and one to replace it by."""
        return bool(
            self.printed
            and isinstance(computed, str)
            and NUMBER.fullmatch(computed.strip().rstrip("%"))
        )

    def is_exact(self) -> bool:
        """Formats of whole numbers allow no tolerance."""
        return not self.format_spec or self.format_spec[-1] in "d,"

    def rewritten(self, computed: str) -> str:
        """The computed text in the typography of the printed one."""
        text = computed.strip().rstrip("%")
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


def evaluate(client: object, numbers: list[ProseNumber]) -> list[str | Exception]:
    """Each number's formatted value, or its error, from a running kernel; nothing is displayed."""
    if not numbers:
        return []
    formatted = {
        str(i): f"format(({number.expression}), {number.format_spec!r})"
        for i, number in enumerate(numbers)
    }
    ask = client.execute_interactive
    if inspect.iscoroutinefunction(ask):
        ask = run_sync(ask)
    reply = ask("", silent=True, store_history=False, user_expressions=formatted, timeout=60)
    answers = reply["content"]["user_expressions"]
    return [_value(answers[str(i)]) for i in range(len(numbers))]


def _value(answer: dict) -> str | Exception:
    if answer["status"] == "ok":
        return ast.literal_eval(answer["data"]["text/plain"])
    return ValueError(f"{answer['ename']}: {answer['evalue']}")


def prose_problems(client: object, cells: list[NotebookNode]) -> list[str]:
    """What is wrong with the verified numbers of these markdown cells, evaluated now."""
    numbers = [number for cell in cells for number in prose_numbers(cell.source)]
    problems = map(ProseNumber.problem, numbers, evaluate(client, numbers))
    return [problem for problem in problems if problem]


@dataclass
class Findings:
    """What a run found: numbers that a rewrite mends, and mistakes that only an author can."""

    out_of_date: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def rewrite_prose(client: object, cell: NotebookNode, findings: Findings) -> None:
    """Replace the numbers of a markdown cell that are out of date."""
    numbers = prose_numbers(cell.source)
    # From the end, so that the places of the earlier numbers still hold.
    for number, computed in reversed(list(zip(numbers, evaluate(client, numbers), strict=True))):
        problem = number.problem(computed)
        if problem is None:
            continue
        if not number.is_mendable(computed):
            findings.wrong.append(problem)
            continue
        findings.out_of_date.append(problem)
        before, after = cell.source[: number.start], cell.source[number.start :]
        cell.source = before + number.rewritten(computed) + after.removeprefix(number.printed)


def rewrite_output(cell: NotebookNode, fresh: list[NotebookNode], findings: Findings) -> None:
    """Replace a checked cell's stored output where it is missing or out of date."""
    problem = output_problem(cell.outputs, fresh)
    if problem is None:
        return
    first_line = cell.source.partition("\n")[0]
    if not printed_text(fresh):
        findings.wrong.append(f"{first_line!r}: tagged {CHECKED}, but it prints nothing")
        return
    findings.out_of_date.append(f"{first_line!r}: {problem}")
    cell.outputs = []
    for output in fresh:
        if output["output_type"] == "stream" and output["name"] == "stdout":
            cell.outputs.append(output)
        elif "text/plain" in output.get("data", {}):
            text = {"text/plain": output["data"]["text/plain"]}
            cell.outputs.append(nbformat.v4.new_output(output["output_type"], data=text))


def rewrite(notebook: NotebookNode, folder: Path) -> Findings:
    """Run a notebook in `folder` and mend its numbers in place."""
    from nbclient import NotebookClient

    run = copy.deepcopy(notebook)
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        run, timeout=600, kernel_name="python3", coalesce_streams=True, resources=where
    )
    findings = Findings()
    with client.setup_kernel():
        for i, cell in enumerate(run.cells):
            if cell.cell_type != "code":
                continue
            client.execute_cell(cell, i)
            if is_checked(cell):
                rewrite_output(notebook.cells[i], cell.outputs, findings)
            for below in prose_below(notebook.cells, i):
                rewrite_prose(client.kc, below, findings)
    return findings


def check_chapter(path: Path, *, fix: bool) -> bool:
    """Run one chapter and say what was found; with `fix`, write it back mended and stripped."""
    notebook = nbformat.read(path, as_version=4)
    try:
        findings = rewrite(notebook, path.parent)
    except Exception as error:
        print(f"{path.name}: stopped by an error\n{error}")
        return False
    if fix:
        notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
        text = nbformat.writes(stripped(notebook)).rstrip("\n") + "\n"
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
    verdict = "rewritten" if fix else "out of date"
    print(f"{path.name}: {len(findings.out_of_date)} {verdict}, {len(findings.wrong)} wrong")
    for problem in findings.out_of_date + findings.wrong:
        print(f"  {problem}")
    return not findings.wrong and (fix or not findings.out_of_date)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Hold a chapter's printed numbers against a run.")
    parser.add_argument("chapters", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--fix", action="store_true", help="rewrite what is out of date")
    options = parser.parse_args(arguments)
    if not default_dataset():
        parser.error("the printed numbers are of the default data; unset VAE_BOOK_DATASET")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    paths = options.chapters or sorted(CHAPTERS.glob("*.ipynb"))
    return 0 if all([check_chapter(path, fix=options.fix) for path in paths]) else 1


if __name__ == "__main__":
    sys.exit(main())
