"""The data sets that the book knows, and how to load one."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from vae_lib.data.builders import build_colour_patches, build_digits, build_idx, build_patches
from vae_lib.data.cifar import build_cifar10
from vae_lib.data.dataset import Dataset
from vae_lib.data.files import clear_leftovers, obtain
from vae_lib.data.shapes import build_shapes


@dataclass(frozen=True)
class Entry:
    """What the book knows about a data set, and how it is built.

    ``build(name, *contents)`` gives the `Dataset`. ``contents`` are the verified bytes of the files
    listed in ``sha256``, in that order, ``n_bytes`` long: uncompressed, except for an archive,
    whose name ends in ``.gz``. A data set without files gets none. A mirror is an address that
    ends in a slash and holds each file as ``<file>.gz``, an archive by its name. ``drawing`` is the
    `Dataset`'s.
    """

    title: str
    source: str
    licence: str
    citation: str
    build: Callable[..., Dataset]
    sha256: Mapping[str, str] = field(default_factory=dict)
    n_bytes: Mapping[str, int] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()
    drawing: str | None = None


def load(name: str) -> Dataset:
    """Load a data set by its name, one of those in `DATASETS`.

    Without a network: "digits"; "patches", in grey and with zero mean; "colour_patches", in [0, 1];
    "shapes", drawn in colour from known factors. From mirrors: "mnist", "fashion_mnist" and
    "cifar10".

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
    dataset = entry.build(name, *(obtain(name, file, entry) for file in entry.sha256))
    if entry.sha256:
        clear_leftovers(name)
    return replace(dataset, drawing=entry.drawing, licence=entry.licence, citation=entry.citation)


MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FASHION_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
MNIST_BYTES = dict(zip(MNIST_SHA256, (47_040_016, 60_008, 7_840_016, 10_008), strict=True))

CIFAR10 = "cifar-10-binary.tar.gz"
CIFAR10_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

PHOTOGRAPHERS = "Photographs by the Flickr users danielbuechele (China) and vultilion (flower)"

DATASETS: dict[str, Entry] = {
    "digits": Entry(
        title="1,797 handwritten digits, 8x8 pixels, 17 grey levels in [0, 1]",
        source="scikit-learn's load_digits(), from https://doi.org/10.24432/C50P49",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI",
        build=build_digits,
        drawing="box",
    ),
    "patches": Entry(
        title="7,904 patches of two photographs, 8x8 pixels, real-valued with zero mean",
        source="scikit-learn's load_sample_images(), as luminance (ITU-R BT.601)",
        licence="CC BY 2.0",
        citation=PHOTOGRAPHERS,
        build=build_patches,
    ),
    "colour_patches": Entry(
        title="1,976 patches of two photographs, 16x16 pixels in colour, 256 levels in [0, 1]",
        source="scikit-learn's load_sample_images()",
        licence="CC BY 2.0",
        citation=PHOTOGRAPHERS,
        build=build_colour_patches,
    ),
    "shapes": Entry(
        title="4,608 drawn squares, discs and triangles, 16x16 pixels in colour, in [0, 1]",
        source="drawn by the book, one for each combination of shape, hue, size, x and y",
        licence="BSD 3-Clause, with the code that draws them",
        citation="The VAE book",
        build=build_shapes,
    ),
    "mnist": Entry(
        title="MNIST: 70,000 handwritten digits, 28x28 pixels, 256 grey levels in [0, 1]",
        source="http://yann.lecun.com/exdb/mnist/, from public mirrors",
        licence="CC BY-SA 3.0",
        citation="LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to "
        "document recognition, Proceedings of the IEEE 86(11)",
        build=build_idx,
        sha256=MNIST_SHA256,
        n_bytes=MNIST_BYTES,
        drawing="mass",
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
    "fashion_mnist": Entry(
        title="Fashion-MNIST: 70,000 articles of clothing, 28x28 pixels, 256 grey levels in [0, 1]",
        source="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT, copyright 2017 Zalando SE",
        citation="Xiao, Rasul and Vollgraf (2017), Fashion-MNIST: a novel image dataset for "
        "benchmarking machine learning algorithms, arXiv:1708.07747",
        build=build_idx,
        sha256=FASHION_SHA256,
        n_bytes=MNIST_BYTES,
        mirrors=(
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
    ),
    "cifar10": Entry(
        title="CIFAR-10: 60,000 photographs of 10 classes, 32x32 pixels in colour, in [0, 1]",
        source="https://www.cs.toronto.edu/~kriz/cifar.html, the binary version",
        licence="none stated; its authors ask for the citation",
        citation="Krizhevsky (2009), Learning multiple layers of features from tiny images, "
        "technical report, University of Toronto",
        build=build_cifar10,
        sha256={CIFAR10: CIFAR10_SHA256},
        n_bytes={CIFAR10: 170_052_171},
        mirrors=("https://www.cs.toronto.edu/~kriz/",),
    ),
}
