"""How each data set is made of what scikit-learn holds or of the files that were downloaded."""

import numpy as np
import torch

from vae_lib.data.dataset import Dataset


def build_digits(name: str, *, n_test: int = 297) -> Dataset:
    """Every sixth image or so of each class, in scikit-learn's order, is a test image."""
    from sklearn.datasets import load_digits  # here, since it takes most of a second

    digits = load_digits()
    images = torch.tensor(digits.data / 16, dtype=torch.float32)
    labels = torch.tensor(digits.target, dtype=torch.int64)
    # Equal steps through the images sorted by class: a stratified split without random numbers,
    # so no version of any library can change it.
    by_class = np.argsort(digits.target, kind="stable")
    is_test = torch.zeros(len(images), dtype=torch.bool)
    is_test[by_class[np.arange(n_test) * len(images) // n_test]] = True
    return Dataset(
        name, images[~is_test], images[is_test], labels[~is_test], labels[is_test], (8, 8)
    )


def build_patches(name: str) -> Dataset:
    """8x8 patches of two photographs; no two patches, of training or test, share a pixel.

    Each pixel has zero mean over the training patches; one common scale gives them a standard
    deviation of 1 over all pixels. The test patches are shifted and scaled by the same numbers.
    A patch keeps its own mean: without it the data would lie in a 63-dimensional plane, where
    they have no density.
    """
    from sklearn.datasets import load_sample_images

    luminance = [photo @ (0.299, 0.587, 0.114) / 255 for photo in load_sample_images().images]
    train, test = _patches([grey[..., None] for grey in luminance], side=8)
    mean = train.mean(axis=0)
    scale = (train - mean).std()
    rng = np.random.default_rng(0)  # shuffled, so that the first few come from everywhere
    train, test = (
        torch.tensor(rng.permutation((part - mean) / scale), dtype=torch.float32)
        for part in (train, test)
    )
    return Dataset(name, train, test, None, None, (8, 8))


def build_colour_patches(name: str) -> Dataset:
    """16x16 patches of two photographs in colour, in [0, 1]; no two of them share a pixel.

    Every value is a multiple of 1/255, as in the photographs: what a discrete likelihood needs.
    """
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    train, test = (
        torch.tensor(rng.permutation(part)).float().div_(255)
        for part in _patches(load_sample_images().images, side=16)
    )
    return Dataset(name, train, test, None, None, (3, 16, 16))


def _patches(photos: list[np.ndarray], side: int) -> list[np.ndarray]:
    """The patches (N, D) of all photographs for training, and those for testing."""
    tiles = [_tiles(photo, side) for photo in photos]
    return [np.concatenate(parts) for parts in zip(*tiles, strict=True)]


def _tiles(photo: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The patches (N, C x side x side) of a photograph (H, W, C): of training and of test tiles.

    A tile has 32x32 pixels. One in five is a test tile, a knight's move from the next, so that
    both kinds cover the whole photograph.
    """
    # A margin of 4: patches then straddle JPEG's own 8x8 blocks and show no block's artefacts.
    *size, n_channels = photo.shape
    rows, columns = ((n - 4) // 32 for n in size)
    photo = photo[4 : 4 + 32 * rows, 4 : 4 + 32 * columns]
    blocks = photo.reshape(rows, 32 // side, side, columns, 32 // side, side, n_channels)
    blocks = blocks.transpose(0, 3, 1, 4, 6, 2, 5)
    row, column = np.indices((rows, columns))
    is_test = (row + 2 * column) % 5 == 0
    n_values = n_channels * side**2
    return blocks[~is_test].reshape(-1, n_values), blocks[is_test].reshape(-1, n_values)


def build_idx(
    name: str, train: bytes, train_labels: bytes, test: bytes, test_labels: bytes
) -> Dataset:
    """Images in [0, 1] and labels from the four idx files of MNIST and its relatives."""
    images = [_read_idx(content, n_dims=3) for content in (train, test)]
    labels = [_read_idx(content, n_dims=1) for content in (train_labels, test_labels)]
    for image, label in zip(images, labels, strict=True):
        if len(image) != len(label):
            raise ValueError(f"{name}: expected a label an image, got {len(image)}, {len(label)}")
    pixels = (torch.tensor(part.reshape(len(part), -1)).float().div_(255) for part in images)
    classes = (torch.tensor(part, dtype=torch.int64) for part in labels)
    return Dataset(name, *pixels, *classes, images[0].shape[1:])


def _read_idx(content: bytes, n_dims: int) -> np.ndarray:
    """An idx file's array of bytes: two zeros, type 8, the number of dimensions, sizes, data."""
    n_header = 4 + 4 * n_dims
    expected = bytes((0, 0, 8, n_dims))
    if content[:4] != expected or len(content) < n_header:
        raise ValueError(
            f"expected an idx file of bytes that starts with {expected!r}, got {content[:4]!r}"
        )
    shape = tuple(np.frombuffer(content, ">u4", count=n_dims, offset=4).tolist())
    data = np.frombuffer(content, np.uint8, offset=n_header)
    if data.size != np.prod(shape):
        raise ValueError(f"expected idx data of shape {shape}, got {data.size:,} bytes")
    return data.reshape(shape)
