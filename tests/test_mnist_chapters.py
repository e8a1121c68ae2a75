"""One switch scales the book: chapters run on MNIST with their assertions intact."""

import os
from pathlib import Path

import pytest
from build import begins
from records import outcome

ROOT = Path(__file__).resolve().parents[1]
IMAGES = "train-images-idx3-ubyte"

# The longest first, each in the next free worker. Chapters 2 to 4, whose models are among those of
# the others, would make it a quarter longer.
LONGEST_FIRST = (
    "08_training",
    "01_autoencoder",
    "06_elbo",
    "09_loss_audit",
    "05_bernoulli_likelihood",
    "07_reparameterisation",
)


def mnist_is_at_hand():
    folder = Path(os.environ.get("VAE_LIB_DATA", "")) / "mnist"
    return (folder / IMAGES).exists() or (folder / f"{IMAGES}.gz").exists()


@pytest.mark.mnist
@pytest.mark.skipif(
    not mnist_is_at_hand(),
    reason="the folder that VAE_LIB_DATA names has no mnist/ in it",
)
@pytest.mark.parametrize("chapter", LONGEST_FIRST)
def test_a_chapter_runs_on_mnist(chapter):
    """Through the executor, with records of its own: what has not changed is not run again."""
    path, folder = ROOT / "chapters" / f"{chapter}.ipynb", ROOT / "_build" / "executed_mnist"
    known = outcome(ROOT, path, folder, dataset="mnist")
    for failure in known.findings["failures"]:
        where = begins(known, failure["cell"])
        pytest.fail(f"{chapter} on MNIST fails {where}: {failure['reason']}", pytrace=False)
