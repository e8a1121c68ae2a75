"""Everything that needs a GPU, in one command that stops after six minutes: does it run, how fast?

    PYTHONPATH=. python benchmarks/gpu.py --json gpu.json       on a machine with a GPU
    python benchmarks/gpu.py --dry-run      anywhere, in tiny sizes: to see that it runs

Needs torch for that GPU and the library's own dependencies (numpy, scipy, scikit-learn, matplotlib,
pooch, tqdm, anywidget), pytest for the tests, in parallel where pytest-xdist is there, and a C
compiler for torch.compile; no network. Images are MNIST where VAE_LIB_DATA names its folder, else
random binary ones of the same size, which take as long.

    tests        those that have to do with devices, on this one
    chapters     every chapter's code, on its embedded data: which cells fail
    epoch        chapter 8's network on 60,000 images: plain, compiled, with CUDA graphs; and with a
                 whole step as one graph, written by hand, which is what there is to gain
    bf16         the same epochs with bf16=True, and the ELBO that comes of them
    likelihood   log p(x) of 10,000 images with 5,000 draws each, for several sizes of a chunk

The first epoch of each, compiling included, is the warm-up. The clock stops when the GPU has.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from unittest import mock

import chapter_runs
import torch
from contenders import BATCH_SIZE, LEARNING_RATE
from contenders.fit import make_vae
from measure import summary

from vae_lib import checks
from vae_lib.data import binarize, load
from vae_lib.evaluation import log_likelihood
from vae_lib.objectives import elbo
from vae_lib.training import best_device, evaluate, fit

ROOT = Path(__file__).resolve().parents[1]
# What is timed has the device for itself; what only has to pass runs side by side.
TOGETHER = (("epoch",), ("bf16",), ("likelihood",), ("tests", "chapters"))
PARTS = tuple(part for parts in TOGETHER for part in parts)
TESTS = ("test_devices.py", "test_training*.py", "test_evaluation*.py", "test_objectives.py")
GOAL = 0.1  # seconds an epoch


def main():
    args = parse_arguments()
    device = torch.device("cpu") if args.dry_run else best_device()
    if device.type == "cpu" and not args.dry_run:
        sys.exit("There is no GPU here: python benchmarks/gpu.py --dry-run shows that all runs.")
    args.deadline = time.perf_counter() + args.seconds
    images, source = mnist_or_alike(args.dry_run)
    results = {"device": name_of(device), "torch": torch.__version__, "images": source}
    print(", ".join(results.values()), flush=True)
    measures = {"epoch": epochs, "bf16": half_precision, "likelihood": likelihood}
    measures |= {"tests": run_tests, "chapters": run_chapters}

    def run(part):
        try:
            return measures[part](images, device, args)
        except Exception as error:  # each part for itself: the next may run
            return {"failed": f"{type(error).__name__}: {error}"}

    for together in TOGETHER:
        parts = [part for part in together if part in args.only]
        with ThreadPoolExecutor() as threads:
            results |= zip(parts, threads.map(run, parts), strict=True)
        for part in parts:
            print("\n".join(shown(part, results[part])), flush=True)
        if args.json:
            args.json.write_text(json.dumps(results, indent=1))


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes, on the CPU")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    parser.add_argument("--seconds", type=float, default=340.0, help="for all of it")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count()), help="chapters at once")
    return parser.parse_args()


def name_of(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()


def mnist_or_alike(dry_run):
    """(training, test) images in [0, 1], and what they are."""
    n_train, n_test = (300, 20) if dry_run else (60_000, 10_000)
    if os.environ.get("VAE_LIB_DATA") and not dry_run:
        mnist = load("mnist")
        return (mnist.train, mnist.test), "MNIST"
    generator = torch.Generator().manual_seed(0)
    sizes = (n_train, n_test)
    images = [(torch.rand(n, 784, generator=generator) < 0.13).float() for n in sizes]
    return images, f"random binary images, {n_train:,} and {n_test:,}"


def wait_for(device):
    if device.type != "cpu":
        torch.get_device_module(device).synchronize()
    return time.perf_counter()


def fitted(images, device, n_epochs, compile=None, bf16=False):
    """A model and the seconds of each of its epochs; `compile` stands in for torch.compile."""
    torch.manual_seed(0)
    vae, ends = make_vae().to(device), [wait_for(device)]
    with mock.patch("torch.compile", compile or torch.compile):
        fit(
            vae,
            elbo,
            images[0].to(device),
            epochs=n_epochs,
            batch_size=BATCH_SIZE,
            lr=LEARNING_RATE,
            transform=binarize,
            device=device,
            progress=False,
            after_epoch=lambda model, history: ends.append(wait_for(device)),
            compile=compile is not None,
            bf16=bf16,
        )
    return vae, [end - start for start, end in pairwise(ends)]


def timed(seconds, n_warm_up):
    return {"warm_up": sum(seconds[:n_warm_up]), "seconds": seconds[n_warm_up:]}


def epochs(images, device, args):
    """Plain, compiled, and with graphs, each for itself: where one fails the others still count."""
    n, compile = (3 if args.dry_run else 12), torch.compile

    def as_asked(module, **options):
        return module if args.dry_run else compile(module, **options)

    def without_graphs(module, **options):
        return as_asked(module, **options | {"mode": None})

    # The second epoch pays for compiling, which needs one that has met every example.
    rows = {
        "plain": lambda: timed(fitted(images, device, n)[1], 1),
        "compiled": lambda: timed(fitted(images, device, n, compile=without_graphs)[1], 2),
        "with CUDA graphs": lambda: timed(fitted(images, device, n, compile=as_asked)[1], 2),
    }
    if device.type == "cuda":
        rows["a step as one graph, by hand"] = lambda: timed(one_graph(images[0], device, n), 1)
    return {name: attempted(row) for name, row in rows.items()}


def attempted(row):
    with warnings.catch_warnings():
        # A run that goes on uncompiled is no measurement of compiled code.
        warnings.filterwarnings("error", "torch.compile failed")
        try:
            return row()
        except Exception as error:
            return {"failed": f"{type(error).__name__}: {str(error)[:500]}"}


def one_graph(images, device, n_epochs):
    """Draw a batch, binarise, ascend: one call launches all kernels of a step."""
    torch.manual_seed(0)
    data, rows = images.to(device), torch.zeros(BATCH_SIZE, dtype=torch.int64, device=device)
    step, graph, start = plain_step(data, rows), torch.cuda.CUDAGraph(), wait_for(device)
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    with torch.cuda.graph(graph):
        step()
    seconds = []
    for _ in range(n_epochs):
        for batch in torch.randperm(len(data), device=device).split(BATCH_SIZE):
            if len(batch) == BATCH_SIZE:  # the graph knows one size; fit needs another for the rest
                rows.copy_(batch)
                graph.replay()
        seconds.append(wait_for(device) - start)
        start = wait_for(device)
    return seconds


def plain_step(data, rows):
    """A step on the rows that stand in `rows`, without anything that a CPU would have to see."""
    vae = make_vae().to(data.device)
    adam = torch.optim.Adam(vae.parameters(), lr=LEARNING_RATE, fused=True, capturable=True)

    def step():
        with checks.trusting(vae):
            value = elbo(vae, binarize(data[rows], validate_args=False))
        adam.zero_grad(set_to_none=False)
        (-value.mean()).backward()
        adam.step()

    return step


def half_precision(images, device, args):
    n = 2 if args.dry_run else 6
    found = {}
    for name, bf16 in (("float32", False), ("bf16=True", True)):
        vae, seconds = fitted(images, device, n, bf16=bf16)
        value = evaluate(vae, elbo, images[1].to(device), transform=binarize)
        found[name] = timed(seconds, 1) | {"test ELBO": value}
    return found


def likelihood(images, device, args):
    """Images a second for each size of a chunk on some of them, then all with the best."""
    n_samples, n_some = (20, 4) if args.dry_run else (5_000, 400)
    vae, _ = fitted(images, device, 1)
    x = binarize(images[1], generator=torch.Generator().manual_seed(0)).to(device)
    rates = {}
    for chunk_size in (10, 40) if args.dry_run else (2_000, 20_000, 100_000, 500_000, 2_000_000):
        # A small chunk needs few images to be known.
        some = x[: n_some if chunk_size > 2_000 else n_some // 10 or 1]
        log_likelihood(vae, some[:1], n_samples=n_samples, chunk_size=chunk_size)
        start = wait_for(device)
        log_likelihood(vae, some, n_samples=n_samples, chunk_size=chunk_size)
        rates[chunk_size] = len(some) / (wait_for(device) - start)
    best = max(rates, key=rates.get)
    start = wait_for(device)
    values = log_likelihood(vae, x, n_samples=n_samples, chunk_size=best)
    seconds = wait_for(device) - start
    found = {"draws": n_samples, "images": len(x), "seconds": seconds, "chunk_size": best}
    return found | {"images a second": rates, "mean": values.mean().item()}


def run_tests(images, device, args):
    files = [str(path) for name in TESTS for path in sorted((ROOT / "tests").glob(name))]
    # Without the project's own plugins, which need Jupyter and a browser.
    command = [sys.executable, "-m", "pytest", "--noconftest", "-q", "-o", "addopts=", "--tb=line"]
    command += ["--disable-warnings"]  # what failed has to be among the last lines
    command += ["--maxfail=20", "-p", "no:cacheprovider", *files]
    command += ["-n", str(args.jobs)] * (find_spec("xdist") is not None and not args.dry_run)
    command += ["--collect-only"] if args.dry_run else []
    environment = os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    environment |= {} if args.dry_run else {"VAE_LIB_TEST_DEVICE": device.type}
    left = min(150.0, args.deadline - time.perf_counter())
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            timeout=left,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # where pytest says why it could not begin
            text=True,
        )
    except subprocess.TimeoutExpired as stopped:
        told = (stopped.stdout or b"").decode().splitlines()[-25:]
        return {"passed": False, "told": [*told, f"not done after {left:.0f} s"]}
    told = [line for line in done.stdout.splitlines() if line.strip()]
    return {
        "passed": done.returncode == 0,
        "told": told[-1:] if not done.returncode else told[-25:],
    }


def run_chapters(images, device, args):
    if args.dry_run:
        cells = {path.stem: list(chapter_runs.code_cells(path)) for path in chapter_runs.CHAPTERS}
        return [{"chapter": name, "seconds": 0, "failures": []} for name in cells if cells[name]]
    left = args.deadline - time.perf_counter()
    return list(chapter_runs.run(chapter_runs.CHAPTERS, device.type, seconds=left, jobs=args.jobs))


def shown(part, found):
    yield f"\n{part}"
    if isinstance(found, list):
        for report in found:
            yield from chapter_runs.lines(report)
    elif part in ("tests", "likelihood") or "failed" in found:
        for name, value in found.items():
            yield f"    {name}: {value}"
    else:
        yield from table(part, found)


def table(part, rows):
    yield f"    {'':30} {'s an epoch: median (quartiles)':>32} {'warm-up, s':>12}"
    for name, row in rows.items():
        if "failed" in row:
            yield f"    {name:30} failed: {row['failed']}"
            continue
        value = f"  test ELBO {row['test ELBO']:.2f}" if "test ELBO" in row else ""
        yield f"    {name:30} {summary(row['seconds'], 3):>32} {row['warm_up']:12.1f}{value}"
    if part == "epoch":
        best = min(min(row["seconds"]) for row in rows.values() if "seconds" in row)
        yield f"    the goal of {GOAL} s is {'met' if best < GOAL else 'missed'}: {best:.3f} s"


if __name__ == "__main__":
    main()
