"""The verdicts as tables: for a terminal, for a spreadsheet, for programs, and for a browser.

Whatever came from a hand-in is text here: its name, an error's message. Markup in it is escaped,
control characters are gone since `shown`, and a spreadsheet takes none of it for a formula.
"""

from __future__ import annotations

import csv
import html
import io
import json
from collections import Counter

from grading.judging import STATUSES, in_words

MARKS = {"correct": "✓", "wrong": "✗", "not attempted": "○", "by hand": "hand", "not graded": "?"}
STYLE = """body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark; }
table { border-collapse: collapse; margin-bottom: 2rem; }
th, td { border: 1px solid #8888; padding: 0.25rem 0.6rem; text-align: left; vertical-align: top; }
td.mark { text-align: center; }"""


def by_chapter(results: list[dict]) -> dict[str, list[dict]]:
    """The results that have grades, by chapter, in the book's order."""
    found: dict[str, list[dict]] = {}
    for result in results:
        if result["chapter"] is not None:
            found.setdefault(result["chapter"], []).append(result)
    return dict(sorted(found.items(), key=lambda item: (not item[0].isdecimal(), item[0].zfill(4))))


def without_grades(results: list[dict]) -> list[dict]:
    return [result for result in results if result["chapter"] is None]


def _rows(results: list[dict]) -> list[list[str]]:
    """A chapter's table: a row a student, and how many have each exercise right."""
    numbers = [grade["exercise"] for grade in results[0]["grades"]]
    rows = [["student", *numbers, "correct"]]
    right = Counter()
    for result in results:
        statuses = {grade["exercise"]: grade["status"] for grade in result["grades"]}
        right.update(n for n, status in statuses.items() if status == "correct")
        n_right = sum(status == "correct" for status in statuses.values())
        marks = [MARKS[statuses[number]] for number in numbers]
        rows.append([result["student"], *marks, f"{n_right} of {len(numbers)}"])
    totals = [f"{right[number]} of {len(results)}" for number in numbers]
    return [*rows, ["correct", *totals, ""]]


def as_text(results: list[dict]) -> str:
    """The tables in letters of one width."""
    lines = []
    for chapter, those in by_chapter(results).items():
        rows = _rows(those)
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines += [in_words(chapter)[:1].upper() + in_words(chapter)[1:], ""]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            lines.append("  ".join(cells).rstrip())
        lines.append("")
    lines += [f"{result['file']}: {result['problem']}" for result in without_grades(results)]
    used = Counter(grade["status"] for result in results for grade in result["grades"])
    lines += ["  ".join(f"{MARKS[s]} {s}" for s in STATUSES if used[s]), ""]
    return "\n".join(lines)


def as_csv(results: list[dict]) -> str:
    """A row for each student and exercise, in a form that a pivot table takes."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["student", "file", "chapter", "exercise", "verdict", "mistake", "note"])
    for result in results:
        named = [result["student"], result["file"], result["chapter"] or ""]
        if not result["grades"]:
            writer.writerow(map(_no_formula, [*named, "", "not graded", "", result["problem"]]))
        for grade in result["grades"]:
            told = [grade["exercise"], grade["status"], grade["mistake"] or "", grade["hint"]]
            writer.writerow(map(_no_formula, [*named, *told]))
    return file.getvalue()


def _no_formula(text: str) -> str:
    """Text that a spreadsheet shows, whatever it begins with."""
    return f"'{text}" if text.lstrip()[:1] in set("=+-@|%") else text


def as_json(results: list[dict]) -> str:
    return json.dumps(results, indent=1) + "\n"


def as_html(results: list[dict]) -> str:
    """A page with the tables, and below them a line for each verdict that has a hint."""
    parts = []
    for chapter, those in by_chapter(results).items():
        parts.append(f"<h2>{html.escape(in_words(chapter).capitalize())}</h2>")
        head, *rows = _rows(those)
        parts.append(_table(head, rows, "mark"))
        notes = [
            [result["student"], grade["exercise"], grade["status"], grade["hint"]]
            for result in those
            for grade in result["grades"]
            if grade["hint"]
        ]
        parts.append(_table(["student", "exercise", "verdict", "note"], notes, ""))
    rest = [[result["file"], result["problem"]] for result in without_grades(results)]
    if rest:
        parts.append("<h2>Not graded</h2>" + _table(["file", "why"], rest, ""))
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Grades</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>Grades</h1>\n{body}\n</body></html>\n"
    )


def _table(head: list[str], rows: list[list[str]], kind: str) -> str:
    def line(cells: list[str], name: str) -> str:
        first = f"<{name}>{html.escape(cells[0])}</{name}>"
        rest = [f'<{name} class="{kind}">{html.escape(cell)}</{name}>' for cell in cells[1:]]
        return f"<tr>{first}{''.join(rest)}</tr>"

    lines = [line(head, "th"), *(line(row, "td") for row in rows)]
    return "<table>\n" + "\n".join(lines) + "\n</table>"
