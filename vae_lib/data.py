"""The book's data sets: ``load("digits")`` gives train and test images as tensors.

``digits`` and ``patches`` come with scikit-learn and need no network. Files from elsewhere are
verified by the sha256 of their uncompressed content before anything reads them.
"""

import difflib
import gzip
import hashlib
import io
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pooch
import torch
from torch import Generator, Tensor

CONNECT_AND_READ_TIMEOUT = (10.0, 30.0)  # seconds; the second for each wait, not for a whole file


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images as rows, with a fixed split into training and test examples.

    ``train`` (N, D) and ``test`` (M, D) are float32; ``train_labels`` (N,) and ``test_labels``
    (M,) are int64, or None where the data have no classes. ``image_shape`` is (height, width)
    with height * width = D.
    """

    name: str
    train: Tensor
    test: Tensor
    train_labels: Tensor | None
    test_labels: Tensor | None
    image_shape: tuple[int, int]


@dataclass(frozen=True)
class Entry:
    """What the book knows about a data set, and how it is built.

    ``build(name, *contents)`` gives the `Dataset`. ``contents`` are the verified, uncompressed
    bytes of the files listed in ``sha256``, in that order; a data set without files gets none.
    A mirror is an address that ends in a slash and holds each file as ``<file>.gz``.
    """

    title: str
    source: str
    licence: str
    citation: str
    build: Callable[..., Dataset]
    sha256: Mapping[str, str] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()


def load(name: str) -> Dataset:
    """Load a data set by its name: "digits", "patches" or "mnist".

    Files that a data set needs are looked for in the folder ``$VAE_LIB_DATA/<name>``, then in the
    user's cache, then downloaded from the entry's mirrors in turn and cached. A damaged file in
    the cache is renamed to ``<file>.corrupt``, with a warning that names it, and replaced.

    Raises ValueError for an unknown name, and for a damaged file in ``VAE_LIB_DATA`` (replace
    it); ConnectionError, an OSError, when no mirror gives a file (the message says what to do).
    """
    if name not in DATASETS:
        near = difflib.get_close_matches(str(name).lower(), DATASETS, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no data set is called {name!r}.{hint} Known: {', '.join(DATASETS)}.")
    entry = DATASETS[name]
    return entry.build(name, *(_obtain(name, file, entry) for file in entry.sha256))


def binarize(
    x: Tensor,
    *,
    generator: Generator | None = None,
    threshold: float | None = None,
    validate_args: bool = True,
) -> Tensor:
    """Turn grey pixels in [0, 1] into black or white ones: a draw from Bernoulli(x) per pixel.

    *Dynamic* binarisation draws afresh for every batch, so that the model never sees the same
    binary image twice (Burda et al., 2016): call this on each batch. *Static* binarisation draws
    once and keeps the result as the data set (Larochelle and Murray, 2011): call it once, with
    a seeded generator. Log-likelihoods under the two are not comparable. With ``threshold`` there
    is no draw: a pixel is 1 where ``x > threshold``.

    The result has the shape, dtype and device of ``x``. Draws come from ``generator``, which must
    live on that device; without one they come from, and advance, torch's global generator.

    Raises ValueError if a value lies outside [0, 1] or is NaN, unless ``validate_args`` is False:
    looking costs time, and makes a GPU wait. Taught in chapter 5.
    """
    if validate_args and not (inside := (x >= 0) & (x <= 1)).all():
        raise ValueError(
            f"binarize expects pixels in [0, 1], which it reads as probabilities; got "
            f"{x[~inside][0].item():g} among {tuple(x.shape)} values. Rescale the data first."
        )
    x = x if x.is_floating_point() else x.float()
    if threshold is None:
        # Three times as fast as torch.bernoulli on a CPU. The uniform numbers are below 1, so a
        # pixel of 0 or 1 stays what it is.
        noise = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        return (noise < x).to(x.dtype)
    if generator is not None:
        raise ValueError("a threshold draws nothing: give binarize a generator or a threshold")
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold must lie in [0, 1), as the pixels do; got {threshold}")
    return (x > threshold).to(x.dtype)


def _build_digits(name: str, *, n_test: int = 297) -> Dataset:
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


def _build_patches(name: str) -> Dataset:
    """8x8 patches of two photographs; no two patches, of training or test, share a pixel.

    Each pixel has zero mean over the training patches; one common scale gives them a standard
    deviation of 1 over all pixels. The test patches are shifted and scaled by the same numbers.
    A patch keeps its own mean: without it the data would lie in a 63-dimensional plane, where
    they have no density.
    """
    from sklearn.datasets import load_sample_images

    tiles = [_tiles(photo @ (0.299, 0.587, 0.114) / 255) for photo in load_sample_images().images]
    train, test = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
    mean = train.mean(axis=0)
    scale = (train - mean).std()
    rng = np.random.default_rng(0)  # shuffled, so that the first few come from everywhere
    train, test = (
        torch.tensor(rng.permutation((part - mean) / scale), dtype=torch.float32)
        for part in (train, test)
    )
    return Dataset(name, train, test, None, None, (8, 8))


def _tiles(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The patches (N, 64) of a photograph's training tiles and of its test tiles.

    A tile is 4x4 patches. One in five is a test tile, a knight's move from the next, so that both
    kinds cover the whole photograph.
    """
    # A margin of 4: patches then straddle JPEG's own 8x8 blocks and show no block's artefacts.
    rows, columns = ((size - 4) // 32 for size in grey.shape)
    grey = grey[4 : 4 + 32 * rows, 4 : 4 + 32 * columns]
    blocks = grey.reshape(rows, 4, 8, columns, 4, 8).transpose(0, 3, 1, 4, 2, 5)
    row, column = np.indices((rows, columns))
    is_test = (row + 2 * column) % 5 == 0
    return blocks[~is_test].reshape(-1, 64), blocks[is_test].reshape(-1, 64)


def _build_idx(
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


def _obtain(name: str, file: str, entry: Entry) -> bytes:
    """The verified content of a file: from VAE_LIB_DATA, the user's cache or a mirror."""
    if os.environ.get("VAE_LIB_DATA"):
        folder = Path(os.environ["VAE_LIB_DATA"], name).expanduser()
        for path in (folder / file, folder / f"{file}.gz"):
            if path.is_file():
                try:
                    return _verify(path.read_bytes(), entry.sha256[file])
                except ValueError as error:
                    remedy = "Replace it, or remove it to have the file downloaded."
                    raise ValueError(f"{path} (from VAE_LIB_DATA) {error}. {remedy}") from error
    cached = Path(pooch.os_cache("vae_lib"), name, file)
    content = _read_cache(cached, entry.sha256[file])
    if content is None:
        content = _download(name, file, entry)
        _write_cache(cached, content)
    return content


def _verify(raw: bytes, sha256: str) -> bytes:
    """The uncompressed content, if its hash is the expected one; else ValueError."""
    try:
        # Told by content, not by name: some servers unpack .gz files on the way.
        content = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"is truncated or altered: it does not unzip ({error})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"is truncated or altered: expected content with sha256 {sha256}, "
            f"got {len(content):,} bytes with sha256 {found}"
        )
    return content


def _read_cache(path: Path, sha256: str) -> bytes | None:
    """The cached content, or None if there is none; a damaged file is set aside."""
    try:
        return _verify(path.read_bytes(), sha256)
    except OSError:
        return None
    except ValueError as error:
        aside = path.with_name(f"{path.name}.corrupt")
        try:
            path.replace(aside)
            outcome = f"set aside as {aside.name}"
        except OSError as refusal:
            outcome = f"ignored (it cannot be renamed: {refusal})"
        warnings.warn(f"{path} {error}; {outcome}, downloading it again", stacklevel=5)
        return None


def _write_cache(path: Path, content: bytes) -> None:
    """Write whole or not at all, so that other processes never see half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder, path.name)
            part.write_bytes(content)
            part.replace(path)
    except OSError as error:
        warnings.warn(
            f"cannot keep {path} ({error}); it will be downloaded again next time", stacklevel=5
        )


def _download(name: str, file: str, entry: Entry) -> bytes:
    """The verified content from the first mirror that gives it; ConnectionError if none does."""
    fetch = pooch.HTTPDownloader(timeout=CONNECT_AND_READ_TIMEOUT)
    failures = []
    for url in (f"{mirror}{file}.gz" for mirror in entry.mirrors):
        pooch.get_logger().info("Downloading %s", url)
        buffer = io.BytesIO()
        try:
            fetch(url, buffer, None)
            return _verify(buffer.getvalue(), entry.sha256[file])
        except (OSError, ValueError) as error:
            failures.append(f"  {url}: {error}")
    raise ConnectionError(
        f"no mirror gave {file} of {name!r}:\n" + "\n".join(failures) + "\nCheck the network; or "
        f"put {', '.join(entry.sha256)} (plain or .gz) into a folder called {name} and set "
        f"VAE_LIB_DATA (now {os.environ.get('VAE_LIB_DATA') or 'not set'}) to the folder above "
        'it; or use load("digits"), which needs no network.'
    )


MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

DATASETS: dict[str, Entry] = {
    "digits": Entry(
        title="1,797 handwritten digits, 8x8 pixels, 17 grey levels in [0, 1]",
        source="scikit-learn's load_digits(), from https://doi.org/10.24432/C50P49",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI",
        build=_build_digits,
    ),
    "patches": Entry(
        title="7,904 patches of two photographs, 8x8 pixels, real-valued with zero mean",
        source="scikit-learn's load_sample_images(), as luminance (ITU-R BT.601)",
        licence="CC BY 2.0",
        citation="Photographs by the Flickr users danielbuechele (China) and vultilion (flower)",
        build=_build_patches,
    ),
    "mnist": Entry(
        title="MNIST: 70,000 handwritten digits, 28x28 pixels, 256 grey levels in [0, 1]",
        source="http://yann.lecun.com/exdb/mnist/, from public mirrors",
        licence="CC BY-SA 3.0",
        citation="LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to "
        "document recognition, Proceedings of the IEEE 86(11)",
        build=_build_idx,
        sha256=MNIST_SHA256,
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
}
