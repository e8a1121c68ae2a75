"""The book's data sets: ``load("digits")`` gives train and test images as tensors.

``digits`` and ``patches`` come with scikit-learn and need no network. Files from elsewhere are
verified by the sha256 of their uncompressed content before anything reads them.
"""

from vae_lib.data.binary import binarize
from vae_lib.data.dataset import Dataset
from vae_lib.data.registry import DATASETS, Entry, load

__all__ = ["DATASETS", "Dataset", "Entry", "binarize", "load"]
