"""Pictures drawn by us, of which everything is known: the factors that each was made of."""

import colorsys
import hashlib
import itertools

import numpy as np
import torch

from vae_lib.data.dataset import Dataset

SIDE = 16  # pixels
SCANLINES = 32  # for each line of pixels

SHAPES = ("square", "disc", "triangle")
HUES = tuple(k / 6 for k in range(6))  # red, yellow, green, cyan, blue, magenta
SIZES = (3.25, 4.0, 4.75, 5.5)  # the square root of the area, in pixels
CENTRES = tuple(5 + 6 * k / 7 for k in range(8))  # in pixels, from the left and from above
FACTORS = {"shape": range(len(SHAPES)), "hue": HUES, "size": SIZES, "x": CENTRES, "y": CENTRES}


def build_shapes(name: str, *, n_test: int = 512) -> Dataset:
    """All 4,608 combinations of five factors, each drawn once: a coloured shape on black.

    The factors are independent: ``shape`` (0 a square, 1 a disc, 2 a triangle, which are the
    labels too), ``hue`` (a sixth of the colour circle each, from 0, red), ``size`` (the square
    root of the area, in pixels), ``x`` and ``y`` (the centre of mass, in pixels from the left and
    from above). The split is at random, and the same with every version of every library.
    """
    combinations = np.array(list(itertools.product(*FACTORS.values())))
    without_hue = itertools.product(range(len(SHAPES)), SIZES, CENTRES, CENTRES)
    covered = coverage(*np.array(list(without_hue)).T)
    covered = covered.reshape(len(SHAPES), 1, -1, 1, SIDE, SIDE)
    rgb = np.array([colorsys.hsv_to_rgb(hue, 1, 1) for hue in HUES]).round(9)
    levels = np.rint(255 * covered * rgb.reshape(1, len(HUES), 1, 3, 1, 1))
    images = torch.tensor(levels.reshape(len(combinations), -1), dtype=torch.float32).div_(255)
    factors = dict(zip(FACTORS, torch.tensor(combinations.T, dtype=torch.float32), strict=True))
    factors["shape"] = factors["shape"].long()
    order = torch.tensor(_shuffled(len(images)))
    test, train = order[:n_test], order[n_test:]
    parts = [{key: value[part] for key, value in factors.items()} for part in (train, test)]
    labels = [part["shape"] for part in parts]
    return Dataset(name, images[train], images[test], *labels, (3, SIDE, SIDE), *parts)


def coverage(shape: np.ndarray, size: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of each pixel (N, 16, 16) the shapes cover, from 0 to 1: what smooths their edges.

    Along a line of pixels it is exact. Down a column it is the mean over `SCANLINES` lines.
    """
    down = (np.arange(SIDE * SCANLINES) + 0.5) / SCANLINES - y[:, None]
    shape, size, x = shape[:, None], size[:, None], x[:, None]
    square = np.where(abs(down) < size / 2, size / 2, 0)
    disc = np.sqrt(np.maximum(size**2 / np.pi - down**2, 0))
    # An equilateral triangle of height h, its tip above: as wide at each depth as it is there.
    height = 3**0.25 * size
    depth = down + 2 / 3 * height
    triangle = np.where((depth > 0) & (depth < height), depth / np.sqrt(3), 0)
    half = np.select([shape == 0, shape == 1], [square, disc], triangle)
    left, right = (x + sign * half for sign in (-1, 1))
    columns = np.arange(SIDE)
    inside = np.minimum(right[..., None], columns + 1) - np.maximum(left[..., None], columns)
    return np.clip(inside, 0, 1).reshape(-1, SIDE, SCANLINES, SIDE).mean(axis=2)


def _shuffled(n: int) -> list[int]:
    """0 to n - 1 in a random order that depends on no library's generator."""
    return sorted(range(n), key=lambda i: hashlib.sha256(b"shapes %d" % i).digest())
