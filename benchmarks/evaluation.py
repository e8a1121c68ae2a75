"""Importance-weighted log p(x), 1,000 draws an image: the library against a loop over images."""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from contenders.fit import make_vae
from measure import peak_memory, summary, use_threads
from torch.nn import functional as F

from vae_lib.data import binarize, load
from vae_lib.evaluation import log_likelihood
from vae_lib.objectives import elbo
from vae_lib.training import fit

HERE = Path(__file__).parent
RESULTS = HERE.parent / "_build" / "bench"
N_SAMPLES = 1000


def library(vae, images):
    return log_likelihood(vae, images, n_samples=N_SAMPLES)


@torch.no_grad()
def plain_loop(vae, images):
    """An image at a time, its draws all at once, formulas written out."""
    values = []
    for x in images:
        mu, log_var = vae.encoder.net(x).chunk(2)
        eps = torch.randn(N_SAMPLES, len(mu))
        z = mu + (0.5 * log_var).exp() * eps
        logits = vae.decoder.net(z)
        log_px = -F.binary_cross_entropy_with_logits(
            logits, x.expand_as(logits), reduction="none"
        ).sum(1)
        log_ratio = 0.5 * (eps.square() - z.square() + log_var).sum(1)  # log p(z) - log q(z|x)
        values.append((log_px + log_ratio).logsumexp(0) - math.log(N_SAMPLES))
    return torch.stack(values)


WAYS = {"log_likelihood": library, "plain loop": plain_loop}


def main():
    args = parse_arguments()
    n_images = 10_000 if args.full else args.images
    use_threads(args.threads)
    torch.set_num_threads(args.threads)
    file = prepare(n_images)
    measured = {way: [] for way in WAYS}
    for n in range(args.rounds):
        for way in sorted(WAYS, reverse=n % 2 == 0):
            # A process for each, so that the peak is its own.
            command = [sys.executable, __file__, "--measure", way, str(file)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            measured[way].append(json.loads(done.stdout))
    (RESULTS / "evaluation.json").write_text(json.dumps(vars(args) | measured, indent=1))
    print_table(measured, n_images, args)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000, help="test images that are timed")
    parser.add_argument("--full", action="store_true", help="all 10,000 of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    return parser.parse_args()


def prepare(n_images):
    """A file with a VAE trained for one epoch and a random, binarised part of the test set."""
    torch.manual_seed(0)
    vae, mnist = make_vae(), load("mnist")
    fit(vae, elbo, mnist.train, epochs=1, transform=binarize, device="cpu", progress=False)
    images = binarize(mnist.test[torch.randperm(len(mnist.test))[:n_images]])
    RESULTS.mkdir(parents=True, exist_ok=True)
    torch.save({"vae": vae.state_dict(), "images": images}, RESULTS / "evaluation.pt")
    return RESULTS / "evaluation.pt"


def measure(way, file):
    """Runs in a process of its own; its line of JSON goes to the parent."""
    saved = torch.load(file, weights_only=True)
    vae = make_vae()
    vae.load_state_dict(saved["vae"])
    WAYS[way](vae, saved["images"][:2])  # the first call of everything costs more
    before = peak_memory()
    torch.manual_seed(0)
    start = time.perf_counter()
    values = WAYS[way](vae, saved["images"])
    seconds = time.perf_counter() - start
    peaks = {"peak_bytes": peak_memory(), "peak_bytes_before": before}
    print(json.dumps({"seconds": seconds, "mean": values.mean().item(), **peaks}))


def print_table(measured, n_images, args):
    print(
        f"log p(x), {N_SAMPLES:,} draws, {n_images:,} MNIST images timed, {args.threads} threads, "
        f"torch {torch.__version__}; median (quartiles) of {args.rounds} runs"
    )
    print()
    print(f"{'':16} {'images a second':>26} {'peak MB':>9} {'of it before':>13} {'mean, nats':>11}")
    for way, runs in measured.items():
        rate = summary([n_images / run["seconds"] for run in runs], digits=1)
        peak, before = (
            max(run[key] for run in runs) / 1e6 for key in ("peak_bytes", "peak_bytes_before")
        )
        print(f"{way:16} {rate:>26} {peak:9.0f} {before:13.0f} {runs[0]['mean']:11.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main()
