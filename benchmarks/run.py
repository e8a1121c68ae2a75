"""Speed, memory and test ELBO of the same VAE, trained in a dozen ways on MNIST: `make bench`."""

import argparse
import ast
import contextlib
import json
import os
import platform
import random
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rivals
import torch
from contenders.fit import make_vae
from measure import summary, use_threads

from vae_lib.data import binarize, load

HERE = Path(__file__).parent
RESULTS = HERE.parent / "_build" / "bench"
TARGET = -110.0  # nats, test ELBO
PATIENCE = 900  # seconds without a report, after which a worker counts as hung


@dataclass
class Contender:
    """A row of the table: what is trained, and what came of it."""

    label: str
    target: str  # module:function in contenders/
    requirement: str | None = None  # of a rival: what it needs installed
    grey: bool = False  # trained on grey pixels, where BCE is the expected bound on binary ones
    seconds: list = field(default_factory=list)  # one list an epoch: its own time comes last
    elbos: list = field(default_factory=list)
    start_up: float = 0.0
    peak_bytes: int = 0
    failure: str | None = None
    process: subprocess.Popen | None = None

    @property
    def file_stem(self):
        return self.target.replace(":", "_")


def contenders():
    return [
        Contender("fit", "fit:train"),
        Contender("fit, bf16=True", "fit:train_bf16"),
        Contender("fit, compile=True", "fit:train_compiled"),
        Contender("explicit loop", "explicit_loop:train"),
        Contender("explicit loop, in one process with fit", "in_one_process:train"),
        Contender("Lightning Trainer", "lightning_trainer:train", "lightning"),
        Contender("Lightning Trainer, fused Adam", "lightning_trainer:train_fused", "lightning"),
        Contender("pythae", "pythae_pipeline:train", "pythae", grey=True),
        Contender("pythae, fused Adam", "pythae_pipeline:train_fused", "pythae", grey=True),
        Contender("Pyro SVI", "pyro_svi:train", "pyro-ppl"),
        Contender("Pyro SVI, jit", "pyro_svi:train_jit", "pyro-ppl"),
        Contender("PyTorch examples' script", "pytorch_examples:train", "torch", grey=True),
        Contender("NumPyro SVI (JAX)", "numpyro_svi:train", "numpyro"),
        Contender("Flax, scanned epoch (JAX)", "flax_scan:train", "flax"),
    ]


def main():
    args = parse_arguments()
    use_threads(args.threads)
    torch.set_num_threads(1)  # the judge's; idle threads of its would spin beside the workers
    RESULTS.mkdir(parents=True, exist_ok=True)
    mnist = load("mnist")
    chosen = torch.randperm(len(mnist.train), generator=torch.manual_seed(0))[: args.images]
    np.save(RESULTS / "images.npy", (mnist.train[chosen] * 255).round().byte().numpy())
    rows = [row for row in contenders() if not (args.no_rivals and row.requirement)]
    if not args.no_rivals:
        failures = rivals.install()
        for row in rows:
            row.failure = failures.get(row.requirement)
    try:
        for row in rows:
            start(row, args.rounds)
        train_in_turns(rows, args.rounds, mnist.test)
    finally:
        for row in rows:
            if row.process:
                row.process.kill()
    table = "\n".join(report(rows, args))
    print(table)
    save(rows, args, table)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="epochs of each, taken in turns")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    parser.add_argument("--images", type=int, default=60_000, help="training images, for a trial")
    parser.add_argument("--no-rivals", action="store_true", help="install nothing, run ours alone")
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error("--rounds must be 2 or more: the first, which warms up, is not in the ratios")
    return args


def start(row, epochs):
    """Start a worker, twice: what the first reads from disk, the second finds in memory."""
    for _ in range(2):
        if row.failure:
            return
        if row.process:
            row.process.kill()
            row.process.wait()
        began = time.perf_counter()
        row.process = launch(row, epochs)
        next_report(row)
        row.start_up = time.perf_counter() - began
    if not row.failure:
        progress(f"{row.label}: started in {row.start_up:.1f} s")


def launch(row, epochs):
    python = rivals.PYTHON if row.requirement else sys.executable
    files = RESULTS / "images.npy", RESULTS / f"{row.file_stem}.npz"
    # On the CPU alone, without the caches of compiled code that an earlier run may have left.
    alone = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    alone["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"
    with open(RESULTS / f"{row.file_stem}.log", "w") as log:
        return subprocess.Popen(
            [python, HERE / "worker.py", row.target, *files, str(epochs)],
            env=os.environ | alone,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def next_report(row):
    """What the worker says next; marks the row as failed if it dies or hangs."""
    ready, _, _ = select.select([row.process.stdout], [], [], PATIENCE)
    line = row.process.stdout.readline() if ready else ""
    if line:
        return json.loads(line)
    row.process.kill()
    log = (RESULTS / f"{row.file_stem}.log").read_text().split("\n")
    row.failure = next((s for s in reversed(log) if s.strip()), "died") if ready else "hung"
    progress(f"{row.label}: {row.failure}")
    return None


def train_in_turns(rows, rounds, test):
    """An epoch of each in every round, in an order drawn afresh, so that drifts hit all alike."""
    order = random.Random(0)
    for n in range(rounds):
        for row in order.sample(rows, len(rows)):
            if row.failure:
                continue
            with contextlib.suppress(BrokenPipeError):  # it died meanwhile: there is no report
                row.process.stdin.write("go\n")
                row.process.stdin.flush()
            told = next_report(row)
            if told:
                row.seconds.append(told["seconds"])
                row.peak_bytes = told["peak_bytes"]
                row.elbos.append(test_elbo(RESULTS / f"{row.file_stem}.npz", test, row.grey))
                seconds = ", ".join(f"{s:.2f}" for s in told["seconds"])
                progress(f"round {n + 1}: {row.label} {seconds} s, {row.elbos[-1]:.2f} nats")


@torch.no_grad()
def test_elbo(file, test, grey):
    """The mean ELBO of the test images, binarised once for all, in nats; one draw of z each.

    An encoder that was trained on grey pixels gets those. log p(b) >= E_q[log p(b|z)] - KL for
    any q, so that the value is a bound on the same log p(b); and, log p(b|z) being linear in b,
    its mean over draws of b is the expression with BCE on grey pixels that was trained.
    """
    vae = make_vae()
    for parameter, value in zip(vae.parameters(), np.load(file).values(), strict=True):
        parameter.copy_(torch.from_numpy(value))
    torch.manual_seed(0)
    total = 0.0
    for x in test.split(1000):
        b = binarize(x)
        q_z = vae.encoder(x if grey else b)
        log_px = vae.decoder(q_z.rsample()).log_prob(b)
        total += (log_px - torch.distributions.kl_divergence(q_z, vae.prior())).sum().item()
    return total / len(test)


def report(rows, args):
    """The table's lines, and under it what each row does and the ratio taken in one process."""
    fit = rows[0]
    if fit.failure:
        sys.exit(f"fit itself failed, so that there is nothing to compare with: {fit.failure}")
    yield (
        f"MNIST, {args.images:,} images, 784-400-20, batch 128, Adam 1e-3, float32, {args.rounds} "
        f"epochs, {args.threads} threads, torch {torch.__version__}, {processor()}"
    )
    yield "median (quartiles) over rounds 2 on; ratios within a round; - if not reached"
    yield ""
    heads = "s an epoch", "time / fit's", "test ELBO", "peak MB", f"s to {TARGET:.0f}"
    yield line("", *heads)
    for row in rows:
        yield line(row.label, *cells(row, fit)) if not row.failure else failed(row)
    yield ""
    for row in rows:
        if row.target.startswith("in_one_process") and not row.failure:
            ratios = [ours / loop for ours, loop in row.seconds[1:]]
            yield f"fit / explicit loop, by turns in one process: {summary(ratios)}"
            yield ""
    for module in dict.fromkeys(row.target.split(":")[0] for row in rows):
        source = (HERE / "contenders" / f"{module}.py").read_text()
        yield f"{module}: {ast.get_docstring(ast.parse(source)).splitlines()[0]}"


def cells(row, fit):
    seconds = [epoch[-1] for epoch in row.seconds]
    pair = len(row.seconds[0]) == 2  # (fit's, its own) in one process
    references = [epoch[0] for epoch in (row.seconds if pair else fit.seconds)]
    ratios = [mine / its for mine, its in zip(seconds, references, strict=True)][1:]
    reached = next((n for n, value in enumerate(row.elbos, 1) if value >= TARGET), None)
    to_target = f"{row.start_up + sum(seconds[:reached]):.1f}" if reached and not pair else "-"
    megabytes = f"{row.peak_bytes / 1e6:.0f}"
    return summary(seconds[1:]), summary(ratios), f"{row.elbos[-1]:.2f}", megabytes, to_target


def line(label, seconds, ratio, elbo, memory, to_target):
    return f"{label:38} {seconds:>22} {ratio:>22} {elbo:>10} {memory:>8} {to_target:>9}"


def failed(row):
    return f"{row.label:38} failed: {row.failure}"


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(s.partition(": ")[2] for s in lines if s.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"


def save(rows, args, table):
    kept = ("label", "failure", "start_up", "seconds", "elbos", "peak_bytes")
    results = {name: [getattr(row, name) for row in rows] for name in kept}
    settings = vars(args) | {"torch": torch.__version__, "processor": processor()}
    (RESULTS / "train.json").write_text(json.dumps({"settings": settings, **results}, indent=1))
    (RESULTS / "train.txt").write_text(table + "\n")
    progress(f"written to {RESULTS.relative_to(HERE.parent)}/train.json and train.txt")


def progress(message):
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
