"""Where the bars of Project I come from: three good solutions, each over five seeds.

    python tests/project_bars.py [--mnist] [--seeds 5]

The first is the one printed in the project; the others change its networks, and all have its steps.
What is measured is what its `check` measures: from the networks, on the test images.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import torch
from torch import nn

from vae_lib import checks
from vae_lib.exercises.project_1 import measures
from vae_lib.exercises.project_1.band import BANDS

NOTEBOOK = Path(__file__).resolve().parents[1] / "chapters" / "project_1.ipynb"
FENCE = re.compile(r"<summary>Solution I\.\d</summary>.*?```python\n(.+?)\n```", re.DOTALL)
LAST, STEPS = "I.9", 1500


def printed() -> dict:
    """The names that the project's imports, its data and its printed pieces define."""
    names: dict = {"__name__": "__main__"}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells[1:]:
        if cell.cell_type == "code" and re.match(r"import|dataset =", cell.source):
            exec(cell.source, names)
        found = FENCE.search(cell.source) if cell.cell_type == "markdown" else None
        if found and f"Solution {LAST}" not in cell.source:
            exec(found[1], names)
    return names


def deeper(n_pixels: int, latent_dim: int) -> tuple[nn.Module, nn.Module]:
    def network(n_in: int, n_out: int) -> nn.Module:
        hidden = [nn.Linear(n_in, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
        return nn.Sequential(*hidden, nn.Linear(256, n_out))

    return network(n_pixels, 2 * latent_dim), network(latent_dim, n_pixels)


def measured(names: dict, make: Callable, latent_dim: int, seed: int) -> str:
    """A row of the table."""
    images = measures.images(names["n_pixels"])
    torch.manual_seed(seed)
    start = time.process_time()
    encoder, decoder = make(names["n_pixels"], latent_dim)
    names["train"](encoder, decoder, names["x_train"], STEPS)
    seconds = time.process_time() - start
    with torch.no_grad(), checks.evaluating(encoder, decoder):
        test, known = (
            measures.terms(measures.code_of(encoder, x), decoder, x, n_draws=5)
            for x in (images.test, images.train)
        )
        bound = measures.weighted_bound(encoder, decoder, images.test, n_draws=100)
    kl = test.kl.mean().item()
    return f"{test.elbo:9.2f} {kl:6.2f} {known.elbo:9.2f} {bound:9.2f} {seconds:8.1f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    dataset = "mnist" if options.mnist else "digits"
    os.environ["VAE_BOOK_DATASET"] = dataset
    names = printed()
    print(f"band: {BANDS[dataset]}")
    print("solution     seed      ELBO     KL  training  weighted  seconds")
    for name, make, latent_dim in (
        ("printed", names["make_networks"], 8),
        ("20 latents", names["make_networks"], 20),
        ("deeper", deeper, 8),
    ):
        for seed in range(options.seeds):
            print(f"{name:12} {seed:4} {measured(names, make, latent_dim, seed)}", flush=True)
