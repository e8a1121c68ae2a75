"""The seed audit: run the chapters with all their seeds shifted, and list what does not hold.

    python book/audit.py [--seeds 5] [--jobs N] [chapters/01_autoencoder.ipynb ...]

No notebook is changed: the shift is made in the kernel (`seed_shift.py`). Verified numbers are left
aside, since they are of the one run. Every claim, and every assertion of a cell that is not a claim
yet, which fails under a shift is listed with what stood on both sides; the run goes on after it.
The list is printed and written to _build/audit.md and .json; records of ordinary runs stay as they
are. The exit status is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import execution
import nbformat
from build import DATASET, ROOT
from execution import MAY_RAISE, Run

CELL_TIMEOUT = 3600  # what holds is asked, and not how long it takes beside as much else
BOOK = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Fault:
    """What failed in one chapter under one shift."""

    chapter: str
    cell: int  # counted from 1, prose included
    begins: str
    kind: str  # claim, assertion, error, consequence
    asserts: str
    shift: int
    by: str


def before_first_cell(shift: int) -> str:
    """What a kernel runs to have its seeds shifted; it leaves no name in the notebook."""
    code = (
        f"import sys; sys.path.insert(0, {str(BOOK)!r}); import seed_shift; sys.path.pop(0); "
        f"seed_shift.install({shift})"
    )
    return f"exec({code!r}, {{}})"


def faults(chapter: str, shift: int, result: Run) -> list[Fault]:
    """What failed in a run; an error after another cell's may be no more than its consequence."""
    found, broken = [], False
    for i, cell in enumerate(result.notebook.cells):
        if cell.cell_type != "code" or MAY_RAISE in cell.metadata.get("tags", []):
            continue
        where = (chapter, i + 1, (cell.source.strip().splitlines() or [""])[0])
        for output in cell.outputs:
            noted = output.get("metadata", {}).get("vae_book", {}).get("audit")
            if noted:
                found.append(Fault(*where, noted["kind"], noted["asserts"], shift, noted["by"]))
            if output["output_type"] == "error":
                kind = "consequence" if broken else "error"
                broken = True
                by = f"{output['ename']}: {output['evalue']}"[:300]
                found.append(Fault(*where, kind, "the cell runs", shift, by))
    if result.stopped:
        at = result.stopped["cell"] or 0
        begins = result.notebook.cells[at].source.strip().partition("\n")[0]
        reason = result.stopped["reason"]
        found.append(Fault(chapter, at + 1, begins, "error", "the run ends", shift, reason))
    return found


def audit(
    chapters: list[Path], shifts: list[int], *, jobs: int
) -> Iterator[tuple[str, int, list[Fault]]]:
    """Run each chapter under each shift, side by side; what failed in each run, as it ends."""
    dataset = os.environ.get(DATASET, "")
    notebooks = {chapter.stem: nbformat.read(chapter, as_version=4) for chapter in chapters}

    def shifted(name: str, shift: int) -> tuple[str, int, list[Fault]]:
        before = before_first_cell(shift)
        result = execution.run(
            notebooks[name], dataset=dataset, before=before, timeout=CELL_TIMEOUT
        )
        return name, shift, faults(name, shift, result)

    calls = [partial(shifted, name, shift) for shift in shifts for name in notebooks]
    return execution.side_by_side(calls, jobs=jobs)


def table(found: list[Fault], shifts: list[int]) -> str:
    """The list as markdown: what failed, under which shifts, and by how much."""
    rows = {}
    for fault in sorted(found, key=lambda f: (f.chapter, f.cell, f.shift)):
        if fault.kind == "consequence":
            continue
        key = (fault.chapter, fault.cell, fault.begins, fault.kind, fault.asserts)
        rows.setdefault(key, []).append(fault)
    if not rows:
        return f"Every claim and every assertion holds under each of {len(shifts)} shifts.\n"
    lines = [
        "| chapter | cell | what it asserts | fails under shifts | by how much |",
        "|---|---|---|---|---|",
    ]
    for (chapter, cell, begins, kind, asserts), failed in rows.items():
        under = f"{', '.join(str(f.shift) for f in failed)} ({len(failed)} of {len(shifts)})"
        by = " / ".join(fault.by for fault in failed)
        parts = (chapter, f"{cell} `{begins}`", f"{kind}: `{asserts}`", under, by)
        lines.append("| " + " | ".join(escaped(part) for part in parts) + " |")
    after = [fault for fault in found if fault.kind == "consequence"]
    if after:
        cells = sorted({f"{f.chapter} cell {f.cell}" for f in after})
        lines += ["", f"After an error, and perhaps only for it, failed: {', '.join(cells)}."]
    return "\n".join(lines) + "\n"


def write(folder: Path, found: list[Fault], shifts: list[int]) -> None:
    """The list for people and for programs; written after each run, since they take minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.md").write_text(table(found, shifts), encoding="utf-8")
    data = json.dumps([asdict(fault) for fault in found], ensure_ascii=False, indent=1)
    (folder / "audit.json").write_text(data, encoding="utf-8")


def escaped(text: str) -> str:
    """Text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--seeds", type=int, default=5, help="how many shifts (default: 5)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    parser.add_argument("--output", type=Path, default=ROOT / "_build", help="where to write")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error(f"--seeds is {options.seeds}: expected 1 or more")
    chapters = options.chapters or sorted((ROOT / "chapters").glob("*.ipynb"))
    shifts, found, total = list(range(1, options.seeds + 1)), [], options.seeds * len(chapters)
    runs = audit(chapters, shifts, jobs=options.jobs)
    try:
        for i, (name, shift, new) in enumerate(runs, start=1):
            found += new
            said = f"{len(new)} failed" if new else "all holds"
            print(f"[{i}/{total}] {name}, shift {shift}: {said}", flush=True)
            write(options.output, found, shifts)
    except KeyboardInterrupt:
        print("\nStopped; what was found so far is written.", file=sys.stderr)
        return 130
    print(f"\n{table(found, shifts)}\nWritten to {options.output / 'audit.md'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
