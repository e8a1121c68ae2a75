"""Scores of draws against planted defects: which ring, which are silent, and which are pleased.

"Draws" are real digits with a defect planted in them, judged against other real digits. A score
rings if it is on the wrong side of all of 20 floors in each of three splits, and is pleased if it
is on the right side of all of them: better than real data.
"""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from scipy import ndimage

from vae_lib.data import load
from vae_lib.evaluation import (
    energy_distance,
    frechet_distance,
    nearest_distance,
    precision_recall,
    real_against_real,
    two_sample_accuracy,
)

N = 500
SPLITS = range(3)

# Each is called with (drawn, real) and larger is worse.
SCORES: dict[str, Callable] = {
    "energy": energy_distance,
    "Fréchet": frechet_distance,
    "nearest data": nearest_distance,
    "nearest draw": lambda drawn, real: nearest_distance(real, drawn),
    "two-sample": two_sample_accuracy,
    "precision": lambda drawn, real: -precision_recall(real, drawn)[0],
    "recall": lambda drawn, real: -precision_recall(real, drawn)[1],
}


@pytest.fixture(scope="module")
def digits():
    data = load("digits")
    return SimpleNamespace(
        x=torch.cat([data.train, data.test]),
        labels=torch.cat([data.train_labels, data.test_labels]),
    )


@pytest.fixture(scope="module")
def floors(digits):
    return {
        name: real_against_real(score, digits.x, sizes=(N, N), n_repeats=20)
        for name, score in SCORES.items()
    }


def split(digits, seed):
    """What the draws are judged by, what the model had to train on, and a generator."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(digits.x), generator=generator)
    return order[:N], order[N:], generator


def copies(digits, rows, generator, n_different=None):
    chosen = torch.randint(n_different or len(rows), (N,), generator=generator)
    return digits.x[rows[chosen]]


def without_classes(digits, rows, generator, n_classes):
    kept = rows[digits.labels[rows] >= n_classes]
    return digits.x[kept[torch.randperm(len(kept), generator=generator)[:N]]]


def blurred(rows, sigma):
    images = rows.numpy().reshape(-1, 8, 8)
    return torch.from_numpy(ndimage.gaussian_filter(images, (0, sigma, sigma))).reshape(-1, 64)


def noisy(rows, sigma, generator):
    return rows + sigma * torch.randn(rows.shape, generator=generator)


# The draws, from the rows they are judged by, those to train on, and a generator; then the scores
# that ring, those that are pleased, and those that are silent. Unnamed ones differ between splits.
DEFECTS = {
    "none": (
        lambda d, real, train, g: d.x[train[:N]],
        "",
        "",
        "energy, Fréchet, nearest data, nearest draw, two-sample, precision, recall",
    ),
    "one class of ten left out": (
        lambda d, real, train, g: without_classes(d, train, g, 1),
        "Fréchet, nearest draw, recall",
        "",
        "precision",
    ),
    "three classes of ten left out": (
        lambda d, real, train, g: without_classes(d, train, g, 3),
        "energy, Fréchet, nearest draw, two-sample, recall",
        "",
        "precision",
    ),
    "copies of what was trained on, judged by other data": (
        lambda d, real, train, g: copies(d, train, g),
        "",
        "",
        "energy, nearest data, precision",
    ),
    "copies of the data that judge": (
        lambda d, real, train, g: copies(d, real, g),
        "",
        "Fréchet, nearest data, nearest draw, two-sample, precision",
        "recall",
    ),
    "copies of 50 images alone": (
        lambda d, real, train, g: copies(d, train, g, 50),
        "energy, Fréchet, nearest draw, two-sample, recall",
        "",
        "",
    ),
    "a little blur": (
        lambda d, real, train, g: blurred(d.x[train[:N]], 0.5),
        "energy, Fréchet, two-sample, recall",
        "precision",
        "nearest data",
    ),
    "much blur": (
        lambda d, real, train, g: blurred(d.x[train[:N]], 0.8),
        "energy, Fréchet, nearest data, nearest draw, two-sample, recall",
        "",
        "",
    ),
    "noise": (
        lambda d, real, train, g: noisy(d.x[train[:N]], 0.1, g),
        "Fréchet, nearest data, nearest draw, precision",
        "recall",
        "energy, two-sample",
    ),
    "much noise": (
        lambda d, real, train, g: noisy(d.x[train[:N]], 0.2, g),
        "energy, Fréchet, nearest data, nearest draw, precision",
        "recall",
        "two-sample",
    ),
}


def names(listed):
    found = set(filter(None, listed.split(", ")))
    assert found <= set(SCORES)
    return found


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_each_score_says_of_a_planted_defect(defect, digits, floors):
    draw, ring, pleased, silent = DEFECTS[defect]
    for seed in SPLITS:
        real, train, generator = split(digits, seed)
        drawn = draw(digits, real, train, generator)
        value = {name: score(drawn, digits.x[real]) for name, score in SCORES.items()}
        for name in names(ring):
            assert value[name] > floors[name].max(), name
        for name in names(pleased):
            assert value[name] < floors[name].min(), name
        for name in names(silent):
            # Within the floors, or as far outside as another draw of 20 may be.
            slack = 0.5 * (floors[name].max() - floors[name].min())
            assert floors[name].min() - slack < value[name] < floors[name].max() + slack, name
