"""The book's data sets: ``load("digits")`` gives train and test images as tensors.

``digits``, ``patches`` and ``colour_patches`` come with scikit-learn, ``shapes`` is drawn here, and
none of them needs a network. Files from elsewhere are verified by their sha256 before anything
reads them.
"""

from vae_lib.data.binary import binarize
from vae_lib.data.dataset import Dataset
from vae_lib.data.registry import DATASETS, Entry, load

__all__ = ["DATASETS", "Dataset", "Entry", "binarize", "load"]
