"""One switch scales the book: chapters run on MNIST with their assertions intact."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
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
def test_a_chapter_runs_on_mnist(chapter, monkeypatch):
    # A kernel runs in the chapters' folder, where a relative path would lead elsewhere.
    monkeypatch.setenv("VAE_LIB_DATA", str(Path(os.environ["VAE_LIB_DATA"]).resolve()))
    monkeypatch.setenv("VAE_BOOK_DATASET", "mnist")
    notebook = nbformat.read(CHAPTERS / f"{chapter}.ipynb", as_version=4)
    where = {"metadata": {"path": str(CHAPTERS)}}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where)
    with client.setup_kernel():
        for i, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, i)
            except (CellExecutionError, CellTimeoutError) as error:
                pytest.fail(f"{chapter} on MNIST fails in its cell {i + 1}:\n{error}")
