"""Data sets of colour pictures: those drawn from known factors, and patches of photographs."""

import colorsys

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from vae_lib.data import builders, load
from vae_lib.data import shapes as drawn


@pytest.fixture(scope="module")
def shapes():
    return load("shapes")


def every_factor(dataset):
    """(4608, 5) combinations of training and test pictures, in that order."""
    parts = (dataset.factors, dataset.test_factors)
    return torch.cat([torch.stack([part[f].double() for f in drawn.FACTORS], 1) for part in parts])


def every_picture(dataset):
    return torch.cat([dataset.train, dataset.test]).reshape(-1, 3, 16, 16).double()


def test_every_combination_of_the_factors_is_drawn_once(shapes):
    """The full grid: so each factor says nothing about the others."""
    combinations = every_factor(shapes)
    grid = torch.cartesian_prod(*[f.unique() for f in combinations.T])
    assert [len(f.unique()) for f in combinations.T] == [3, 6, 4, 8, 8]
    assert len(combinations) == 4608
    assert torch.equal(combinations.unique(dim=0), grid.unique(dim=0))
    assert len(every_picture(shapes).flatten(1).unique(dim=0)) == 4608
    assert torch.equal(shapes.train_labels, shapes.factors["shape"])
    assert torch.equal(shapes.test_labels, shapes.test_factors["shape"])
    assert shapes.train_labels.dtype == torch.int64


def test_the_split_is_fixed_and_both_parts_have_of_everything(shapes):
    assert (len(shapes.train), len(shapes.test)) == (4096, 512)
    torch.manual_seed(1)
    again = load("shapes")
    assert torch.equal(shapes.train, again.train) and torch.equal(shapes.test, again.test)
    for name, values in shapes.test_factors.items():
        counts = values.unique(return_counts=True)[1]
        expected = 512 / len(counts)
        assert (counts - expected).abs().max() < 4 * expected**0.5, name
    # Each shape in each colour, at each size: few would be missing by chance, and none is.
    three = [shapes.test_factors[name] for name in ("shape", "hue", "size")]
    assert len(torch.stack(three, 1).unique(dim=0)) == 3 * 6 * 4


def test_pixels_are_float32_on_256_levels(shapes):
    for part in (shapes.train, shapes.test):
        assert part.dtype == torch.float32 and part.min() == 0 and part.max() == 1
        levels = (part * 255).round()
        assert torch.equal(part, levels / 255)
    assert shapes.image_shape == (3, 16, 16) and shapes.drawing is None


def test_a_pictures_colour_has_the_hue(shapes):
    """Of the brightest pixel, by colorsys; and all its pixels have that hue, or are black."""
    hues = every_factor(shapes)[:, 1]
    for picture, hue in zip(every_picture(shapes)[::7], hues[::7], strict=True):
        full = picture.flatten(1).T.unique(dim=0)
        assert full[0].tolist() == [0, 0, 0]
        for pixel in full[1:].tolist():
            found, saturation, _ = colorsys.rgb_to_hsv(*pixel)
            assert found == pytest.approx(hue.item(), abs=1e-6) and saturation == 1


def inside(shape, size, dx, dy):
    """Where a shape is, by inequalities; dy points down."""
    if shape == 0:
        return (abs(dx) < size / 2) & (abs(dy) < size / 2)
    if shape == 1:
        return np.pi * (dx**2 + dy**2) < size**2
    # An equilateral triangle: each side's distance from the centre of mass is a third of the height
    inradius = 3**0.25 * size / 3
    normals = np.deg2rad([90, 210, 330])
    return np.all([dx * np.cos(a) + dy * np.sin(a) < inradius for a in normals], axis=0)


def test_a_picture_is_what_its_factors_say(shapes):
    """Drawn anew by counting, in each pixel, which of 48x48 points lie inside the shape."""
    n = 48
    points = (np.arange(16 * n) + 0.5) / n
    combinations, pictures = every_factor(shapes)[::23], every_picture(shapes)[::23]
    for (shape, _, size, x, y), picture in zip(combinations.tolist(), pictures, strict=True):
        covered = inside(shape, size, points[None] - x, points[:, None] - y)
        covered = covered.reshape(16, n, 16, n).mean(axis=(1, 3))
        error = np.abs(picture.amax(0).numpy() - covered).max()
        assert error < 0.5 / drawn.SCANLINES + 0.5 / n + 0.5 / 255


def test_area_and_centre_are_the_factors(shapes):
    light = every_picture(shapes).amax(1)
    _, _, size, x, y = every_factor(shapes).T
    area = light.sum((1, 2))
    torch.testing.assert_close(area, size**2, rtol=0.02, atol=0)
    place = torch.arange(16) + 0.5
    torch.testing.assert_close((light.sum(1) * place).sum(1) / area, x, rtol=0, atol=0.05)
    torch.testing.assert_close((light.sum(2) * place).sum(1) / area, y, rtol=0, atol=0.05)


def test_no_picture_is_cut_off(shapes):
    edge = torch.ones(16, 16, dtype=torch.bool)
    edge[1:-1, 1:-1] = False
    assert every_picture(shapes)[:, :, edge].max() < 1
    # At the edge of the grid the largest triangle's tip ends inside the picture.
    assert 2 / 3 * 3**0.25 * max(drawn.SIZES) <= min(drawn.CENTRES)


def test_no_level_hangs_on_the_last_digit():
    """So that another machine rounds every pixel to the same level."""
    grid = torch.cartesian_prod(
        torch.arange(3).double(),
        *(torch.tensor(drawn.FACTORS[f], dtype=torch.float64) for f in ("size", "x", "y")),
    )
    levels = 255 * drawn.coverage(*grid.T.numpy())
    from_a_tie = np.abs(levels - np.floor(levels) - 0.5)
    # Halves that are sums of powers of two are the same everywhere, and go to the even level.
    exact = from_a_tie == 0
    assert from_a_tie[~exact].min() > 1e-9


@pytest.fixture(scope="module")
def patches():
    return load("colour_patches")


def test_colour_patches_are_the_photographs_own_pixels(patches):
    assert (len(patches.train), len(patches.test)) == (1584, 392)
    assert patches.image_shape == (3, 16, 16) and patches.train.dtype == torch.float32
    assert patches.train_labels is None and patches.factors is None
    ours = torch.cat([patches.train, patches.test])
    assert torch.equal(ours, (ours * 255).round() / 255)
    windows = []
    for photo in load_sample_images().images:
        crops = Image.fromarray(photo)
        windows += [
            np.asarray(crops.crop((x, y, x + 16, y + 16))).transpose(2, 0, 1).tobytes()
            for y in range(4, 420, 16)
            for x in range(4, 612, 16)
        ]
    cut = [row.tobytes() for row in (ours * 255).round().numpy().astype(np.uint8)]
    assert set(cut) <= set(windows) and len(cut) == 1976
    assert torch.equal(patches.train, load("colour_patches").train)


def test_colour_patches_of_both_parts_look_alike(patches):
    assert patches.train.mean().item() == pytest.approx(patches.test.mean().item(), abs=0.02)
    assert patches.train.std().item() == pytest.approx(patches.test.std().item(), abs=0.02)


def test_test_tiles_are_a_knights_move_apart():
    """So none of them touches another, and each row and column of tiles has its share."""
    rows, columns = 10, 15
    numbers = np.arange(rows * columns).reshape(rows, columns, 1)
    photo = np.full((32 * rows + 4, 32 * columns + 9, 1), -1)
    photo[4:, 4 : 4 + 32 * columns] = numbers.repeat(32, 0).repeat(32, 1)
    train, test = (np.unique(part) for part in builders._tiles(photo, side=8))
    assert sorted([*train, *test]) == list(range(rows * columns))
    places = np.stack(np.divmod(test, columns), 1)
    assert (np.bincount(places[:, 0]) == columns / 5).all()
    assert (np.bincount(places[:, 1]) == rows / 5).all()
    apart = abs(places[:, None] - places).max(-1) + 99 * np.eye(len(places))
    assert apart.min() == 2
