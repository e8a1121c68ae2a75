"""Where the bars of Project II come from: four good solutions, each over several seeds.

    python tests/project_2_bars.py [--seeds 5]

The first is the one printed in the project; the others change its networks or its steps. What is
measured is what its `check` measures: from the networks, on the test pictures. Below each row
stands how often the solution's reader of codes is right about each factor of the test pictures,
and how often the nearest code has the same hue, size and place; then how often, of all pictures,
the nearest to a test picture redrawn in another shape has that shape and the other factors; then
how many draws from the prior are farther from all pictures than nearly all reconstructions.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path

import nbformat
import torch
from torch import nn

from vae_lib import checks
from vae_lib.exercises.project_2 import measures
from vae_lib.exercises.project_2.band import BAND

NOTEBOOK = Path(__file__).resolve().parents[1] / "chapters" / "project_2.ipynb"
FENCE = re.compile(r"<summary>Solution II\.(\d+)</summary>.*?```python\n(.+?)\n```", re.DOTALL)
TRAIN, DIAGNOSE = "8", "11"
KEPT = ("hue", "size", "x", "y")
SOLUTIONS = (
    ("printed", 8, 800),
    ("longer", 8, 1500),
    ("wider", 16, 1500),
    ("longest", 8, 3000),
)


def printed() -> dict:
    """The names that the project's imports, its data and its printed pieces define."""
    names: dict = {"__name__": "__main__"}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells[1:]:
        if cell.cell_type == "code" and re.match(r"import|dataset =", cell.source):
            exec(cell.source, names)
        found = FENCE.search(cell.source) if cell.cell_type == "markdown" else None
        if found and found[1] not in (TRAIN, DIAGNOSE):
            exec(found[2], names)
    return names


def trained(names: dict, latent_dim: int, steps: int, seed: int) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(seed)
    encoder, decoder = (
        names[make](names["image_shape"], measures.N_CLASSES, latent_dim)
        for make in ("make_encoder", "make_decoder")
    )
    names["train"](encoder, decoder, names["x_train"], names["y_train"], steps)
    return encoder, decoder


def row(encoder: nn.Module, decoder: nn.Module) -> str:
    data = measures.pictures()
    with torch.no_grad(), checks.evaluating(encoder, decoder):
        test, known = (
            measures.terms(measures.code_of(encoder, x, y), decoder, x, y, n_draws=n_draws)
            for x, y, n_draws in ((data.test, data.test_y, 5), (data.train, data.train_y, 1))
        )
        share = measures.redrawn(encoder, decoder, data)
    return f"{test.elbo:8.1f} {test.kl.mean():6.2f} {known.elbo:9.1f} {share:8.3f}"


def factors_read(names: dict, encoder: nn.Module) -> str:
    dataset = names["dataset"]
    with torch.no_grad(), checks.evaluating(encoder):
        codes, new_codes = (
            measures.code_of(encoder, names[f"x_{part}"], names[f"y_{part}"]).mean
            for part in ("train", "test")
        )
    found = []
    for name, values in dataset.factors.items():
        guesses = names["read_off"](codes, values, new_codes)
        right = (guesses == dataset.test_factors[name]).float().mean()
        found.append(f"{name} {right:.3f}")
    nearest = torch.cdist(new_codes, codes).argmin(1)
    kept = [dataset.factors[name][nearest] == dataset.test_factors[name] for name in KEPT]
    return ", ".join([*found, f"all but the shape {torch.stack(kept).all(0).float().mean():.3f}"])


def nearest_pictures(names: dict, encoder: nn.Module, decoder: nn.Module) -> str:
    dataset, y = names["dataset"], names["y_test"]
    pictures = torch.cat([names["x_test"], names["x_train"]])
    with torch.no_grad(), checks.evaluating(encoder, decoder):
        z = measures.code_of(encoder, names["x_test"], y).mean
        new = measures.means_at(decoder, torch.randn_like(z), y).float()
        again = measures.means_at(decoder, z, y).float()
        redrawn = [
            measures.means_at(decoder, z, y.roll(k, dims=1)).float()
            for k in range(1, measures.N_CLASSES)
        ]
    far = torch.cdist(new, pictures).amin(1) > torch.cdist(again, pictures).amin(1).quantile(0.99)
    nearest = [torch.cdist(x_mean, pictures).argmin(1) for x_mean in redrawn]
    found = []
    for name, known in dataset.test_factors.items():
        values = torch.cat([known, dataset.factors[name]])
        right = [
            values[rows] == (y.roll(k, dims=1).argmax(1) if name == "shape" else known)
            for k, rows in enumerate(nearest, start=1)
        ]
        found.append(f"{name} {torch.cat(right).float().mean():.3f}")
    return f"redrawn: {', '.join(found)}; draws that are far: {far.float().mean():.3f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    names = printed()
    print(f"band: {BAND}")
    print("solution     seed     ELBO     KL  training  redrawn  seconds")
    for name, latent_dim, steps in SOLUTIONS:
        for seed in range(options.seeds):
            start = time.process_time()
            networks = trained(names, latent_dim, steps, seed)
            seconds = time.process_time() - start
            print(f"{name:12} {seed:4} {row(*networks)} {seconds:8.1f}", flush=True)
            print(f"{'':17}{factors_read(names, networks[0])}", flush=True)
            print(f"{'':17}{nearest_pictures(names, *networks)}", flush=True)
