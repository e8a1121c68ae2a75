"""Run the chapters' code cells with a given device as the best one, and say which cells fail.

    python benchmarks/chapter_runs.py --device cuda                all chapters on a GPU
    python benchmarks/chapter_runs.py --device fake --quick        devices that mix, found anywhere
    python benchmarks/chapter_runs.py 03 08 --device cpu --quick   some of them

A cell that fails is reported and the rest goes on, so that what lacks its variables fails after it.
`--quick` trains on 256 examples, once, and leaves assertions out: what is left to fail is the code.
"fake" is the device of tests/fake_device.py. Beside torch and the library's own dependencies this
needs nothing: no Jupyter, no kernel.
"""

import argparse
import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
LONGEST_FIRST = ("08", "07", "02", "04", "01", "06", "09", "05", "03")
ABOUT_DEVICES = re.compile(r"device|float64|numpy|cuda|mps|CPU|generator", re.IGNORECASE)


def code_cells(path):
    """(number, source) of each code cell, without the one that installs the library in Colab."""
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "import vae_lib  # noqa" not in source:
            yield number, source


def failures(path, quick):
    """Execute the cells in one namespace; yields each one's number, and what went wrong, if any."""
    from matplotlib import pyplot as plt

    namespace = {"__name__": "__main__"}
    for number, source in code_cells(path):
        yield {"cell": number}
        name = f"{path.stem}, cell {number}"
        try:
            exec(compile(source, name, "exec", optimize=1 if quick else -1), namespace)
        except Exception as error:
            untrained = quick and isinstance(error, AssertionError)  # torch.testing's stay in
            if not untrained and not re.match(r"# Exercise|check\(", source):
                yield {"cell": number} | described(error, name, source)
        plt.close("all")


def described(error, name, source):
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
    kind = "device" if ABOUT_DEVICES.search(str(error)) else "other"
    kind = "assertion" if isinstance(error, AssertionError) else kind
    told = f"{type(error).__name__}: {error}".split("\n")[0][:300]
    line = source.split("\n")[lines[-1] - 1].strip() if lines else ""
    return {"kind": kind, "error": told, "line": line}


def at_most_one_epoch(fit):
    @functools.wraps(fit)
    def quick_fit(model, objective, data, *, epochs=None, steps=None, **options):
        length = {"epochs": 1} if steps is None else {"steps": min(steps, 2)}
        few = tuple(part[:256] for part in data) if isinstance(data, tuple) else data[:256]
        return fit(model, objective, few, **length, **options)

    return quick_fit


def run_one(path, device, quick):
    """What a process for one chapter does: a line of JSON for every cell and every failure."""
    sys.path.insert(0, str(ROOT / "tests"))
    from unittest import mock

    import torch

    from vae_lib import training

    best = contextlib.nullcontext()
    if device == "fake":
        import fake_device

        best = fake_device.as_best_device()
    elif device == "cpu":
        best = mock.patch.object(training, "best_device", lambda: torch.device("cpu"))
    elif training.best_device().type != device:
        sys.exit(f"{device} was asked for, but the best device is {training.best_device()}.")
    if quick:
        training.fit = at_most_one_epoch(training.fit)
    with best:
        for line in failures(path, quick):
            print(json.dumps(line), file=REPORTS, flush=True)


def watched(path, device, quick, seconds):
    """A chapter in a process of its own, stopped after so many seconds: name, time, failures."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--one", str(path), "--device", device]
    environment = {"MPLBACKEND": "Agg", "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1", **os.environ}
    with subprocess.Popen(
        command + ["--quick"] * quick, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            out, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
    lines = [json.loads(line) for line in out.splitlines()]
    last, failed = (lines or [{}])[-1].get("cell"), [line for line in lines if "error" in line]
    if process.returncode:
        told = f"stopped after {seconds:.0f} s" if process.returncode < 0 else "died"
        failed.append({"cell": last, "kind": "time", "error": told, "line": ""})
    return {"chapter": path.stem, "seconds": time.perf_counter() - start, "failures": failed}


def run(paths, device, *, quick=False, seconds=600.0, jobs=1):
    """Every chapter, `jobs` at a time, the longest first; yields each one's report when it ends."""
    order = {number: place for place, number in enumerate(LONGEST_FIRST)}
    paths = sorted(paths, key=lambda path: order.get(path.stem[:2], -1))
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda path: watched(path, device, quick, seconds), paths)


def lines(report):
    yield f"{report['chapter']:28} {report['seconds']:6.0f} s  " + (
        f"{len(report['failures'])} cells failed" if report["failures"] else "runs"
    )
    for failure in report["failures"]:
        yield f"    cell {failure['cell']} ({failure['kind']}): {failure['error']}"
        if failure["line"]:
            yield f"        {failure['line']}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", help="their numbers, 03 08; all by default")
    parser.add_argument("--device", default="cuda", help="cuda, mps, cpu or fake")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600.0, help="for each chapter")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        return run_one(args.one, args.device, args.quick)
    paths = [path for path in CHAPTERS if not args.chapters or path.stem[:2] in args.chapters]
    n_failed = 0
    for report in run(paths, args.device, quick=args.quick, seconds=args.seconds, jobs=args.jobs):
        print("\n".join(lines(report)), flush=True)
        n_failed += len(report["failures"])
    return n_failed > 0


if __name__ == "__main__":
    # What a chapter prints is not what is reported.
    REPORTS = sys.stdout
    with contextlib.redirect_stdout(None if "--one" in sys.argv else REPORTS):
        sys.exit(main())
