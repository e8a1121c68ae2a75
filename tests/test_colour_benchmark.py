"""The benchmark of colour images, smaller than its quick mode: it runs, and its floor is right."""

import math
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from vae_lib.data import load

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def printed():
    small = ["--epochs", "2", "--channels", "4", "8", "--latent", "3", "--samples", "5"]
    command = [sys.executable, "benchmarks/colour.py", "--quick", *small, "--images", "20"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def bits(printed, name):
    return float(re.search(rf"{name} +([\d.]+)", printed)[1])


def test_it_says_what_was_trained_and_judged(printed):
    assert "1,584 images of (3, 16, 16), 768 values each" in printed
    assert "3 latent dimensions" in printed and "2 epochs" in printed
    assert "392 images" in printed and "20 images, 5 draws of z each" in printed
    for name in ("training ELBO", "held-out ELBO", "log-likelihood"):
        assert 1 < bits(printed, name) < 30
    # What is published is of CIFAR-10, and these are other data.
    assert "published" not in printed


def test_the_histograms_are_a_code_for_the_values(printed):
    """Their cost by counting level by level: no less than the test data's own entropy."""
    data = load("colour_patches")
    cost = entropy = 0.0
    for channel in range(3):
        seen, new = (
            Counter((255 * part.view(-1, 3, 256)[:, channel]).round().flatten().tolist())
            for part in (data.train, data.test)
        )
        p = [(seen[level] + 1) / (seen.total() + 256) for level in range(256)]
        q = [new[level] / new.total() for level in range(256)]
        cost -= sum(b * math.log2(a) for a, b in zip(p, q, strict=True)) / 3
        entropy -= sum(b * math.log2(b) for b in q if b) / 3
    assert bits(printed, "histograms") == pytest.approx(cost, abs=0.006)
    assert entropy < cost < 8


def test_the_best_linear_vae_is_probabilistic_pca(printed):
    """By scikit-learn's PCA, and the mean of a quadratic over a bin's noise, in closed form."""
    data = load("colour_patches")
    train, test = (255 * part.double().numpy() for part in (data.train, data.test))
    for n_dims, shown in ((3, "3 latent"), (767, "767 latent")):
        pca = PCA(n_dims, svd_solver="full").fit(train)
        covariance = pca.get_covariance() + np.eye(768) / 12
        log_p = stats.multivariate_normal(pca.mean_, covariance).logpdf(test).mean()
        log_p -= np.trace(np.linalg.inv(covariance)) / 24
        found = re.search(rf"best linear VAE +([\d.]+), {shown}", printed)[1]
        assert float(found) == pytest.approx(-log_p / (768 * math.log(2)), abs=0.007)
