import contextlib
import gzip
import hashlib
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pooch
import pytest
import torch
from _mirror import REFUSED, send, serve
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from vae_lib import data
from vae_lib.data import DATASETS, Dataset, binarize, load


def test_digits_are_scikit_learns_own():
    dataset, original = load("digits"), load_digits()
    images = torch.cat([dataset.train, dataset.test]).numpy() * 16
    labels = torch.cat([dataset.train_labels, dataset.test_labels]).numpy()
    np.testing.assert_array_equal(images, np.round(images))
    ours, theirs = (
        Counter((np.uint8(image).tobytes(), int(label)) for image, label in zip(*pair, strict=True))
        for pair in ((images, labels), (original.data, original.target))
    )
    assert ours == theirs
    assert dataset.image_shape == original.images.shape[1:]
    assert dataset.train.dtype == dataset.test.dtype == torch.float32
    assert dataset.train_labels.dtype == dataset.test_labels.dtype == torch.int64


def test_digits_are_split_within_each_class_and_the_same_every_time():
    first = load("digits")
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 -- the global state that a careless split would use
    second = load("digits")
    assert (len(first.train), len(first.test)) == (1500, 297)
    assert torch.equal(first.train, second.train) and torch.equal(first.test, second.test)
    in_all = np.bincount(load_digits().target)
    in_test = np.bincount(first.test_labels.numpy())
    assert np.abs(in_test - in_all * 297 / 1797).max() <= 1
    # All 1,797 images differ, so an image on both sides would show as a repeated row.
    assert len(torch.unique(torch.cat([first.train, first.test]), dim=0)) == 1797


def test_patches_have_zero_mean_and_unit_scale():
    dataset = load("patches")
    assert dataset.train.dtype == torch.float32 and dataset.image_shape == (8, 8)
    assert dataset.train_labels is None and dataset.test_labels is None
    assert dataset.train.double().mean(0).abs().max() < 1e-6
    assert dataset.train.double().std(correction=0).item() == pytest.approx(1, abs=1e-6)
    # Test patches come from all over the same photographs, so they look the same on the whole.
    assert dataset.test.mean().abs() < 0.1
    assert dataset.test.std().item() == pytest.approx(1, abs=0.1)
    assert torch.equal(dataset.train, load("patches").train)


def test_patches_are_the_luminance_of_the_photographs_on_one_scale():
    dataset = load("patches")
    ours = torch.cat([dataset.train, dataset.test]).double().numpy()
    windows = []
    for photo in load_sample_images().images:
        grey = np.asarray(Image.fromarray(photo).convert("L"), dtype=float)
        windows.append(np.lib.stride_tricks.sliding_window_view(grey, (8, 8))[4:420:8, 4:612:8])
    theirs = np.concatenate([part.reshape(-1, 64) for part in windows])
    # Each pixel, sorted over all patches, is a straight line in Pillow's rounded luminance.
    lines = [np.polyfit(np.sort(a), np.sort(b), 1) for a, b in zip(ours.T, theirs.T, strict=True)]
    slopes, offsets = np.transpose(lines)
    np.testing.assert_allclose(slopes, slopes.mean(), rtol=1e-3)
    assert np.abs(np.sort(ours, axis=0) * slopes + offsets - np.sort(theirs, axis=0)).max() < 1


@pytest.mark.parametrize("side", [8, 16])
def test_no_pixel_of_a_photograph_lies_in_two_patches(side):
    for photo in load_sample_images().images:
        # A picture whose pixels are numbered shows where each patch was cut out.
        height, width, _ = photo.shape
        numbered = np.arange(height * width).reshape(height, width, 1)
        train, test = data.builders._tiles(numbered, side)
        patches = np.concatenate([train, test])
        steps = np.add.outer(np.arange(side) * width, np.arange(side)).ravel()
        np.testing.assert_array_equal(patches - patches[:, :1], np.tile(steps, (len(patches), 1)))
        assert len(np.unique(patches)) == patches.size > 0.9 * height * width
        assert len(test) / len(patches) == pytest.approx(0.2, abs=0.01)


@pytest.mark.skipif(
    not Path(os.environ.get("VAE_LIB_DATA") or "nowhere", "mnist").is_dir(),
    reason="VAE_LIB_DATA names no folder that holds mnist/: the real MNIST is not here",
)
def test_mnist_is_as_published():
    mnist = load("mnist")
    assert mnist.train.shape == (60000, 784) and mnist.test.shape == (10000, 784)
    assert mnist.image_shape == (28, 28)
    assert mnist.train.dtype == torch.float32 and mnist.train_labels.dtype == torch.int64
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.train_labels.bincount().tolist() == counts
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.test_labels.bincount().tolist() == counts
    assert mnist.train.min() == 0 and mnist.train.max() == 1
    assert mnist.train.mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert mnist.train.std().item() == pytest.approx(0.3081, abs=5e-5)


def test_unknown_name_gets_the_nearest_one_and_all_known_ones():
    with pytest.raises(ValueError, match=r"'MINST'.*mean 'mnist'.*digits, patches,.*cifar10"):
        load("MINST")
    with pytest.raises(ValueError, match=r"'qqq'\. Known: digits"):
        load("qqq")


def test_every_entry_names_its_source_licence_and_citation():
    for entry in DATASETS.values():
        assert all((entry.title, entry.source, entry.licence, entry.citation))
        assert bool(entry.sha256) == bool(entry.mirrors)
        assert list(entry.n_bytes) == list(entry.sha256)
        assert all(len(bytes.fromhex(digest)) == 32 for digest in entry.sha256.values())
        assert all(mirror.endswith("/") for mirror in entry.mirrors)


def test_a_data_set_carries_what_is_needed_elsewhere(tiny, folder):
    tiny.use(REFUSED)
    for name, drawing in (("digits", "box"), ("mnist", "mass"), ("patches", None)):
        dataset = load(name)
        assert dataset.drawing == drawing and dataset.factors is dataset.test_factors is None
        assert (dataset.licence, dataset.citation) == (
            DATASETS[name].licence,
            DATASETS[name].citation,
        )


GOOD = {"train": torch.zeros(3, 12), "test": torch.zeros(2, 12)}


@pytest.mark.parametrize(
    "more",
    [
        {"image_shape": (3, 4)},
        {"image_shape": (3, 2, 2), "factors": {"hue": torch.zeros(3)}},
        {"image_shape": (4, 3), "test_labels": torch.zeros(2)},
    ],
)
def test_a_data_set_of_grey_or_coloured_images(more):
    dataset = Dataset("mine", **GOOD, **more)
    assert math.prod(dataset.image_shape) == dataset.train.shape[1]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"image_shape": (12,)}, "image_shape must be"),
        ({"image_shape": (4, 4)}, "rows of 16 numbers"),
        ({"image_shape": (2, 3, 4)}, "rows of 24 numbers"),
        ({"image_shape": (3, 4), "train_labels": torch.zeros(2)}, r"labels for each image, \(3,\)"),
        ({"image_shape": (3, 4), "test_factors": {"hue": torch.zeros(3)}}, "hue for each image"),
    ],
)
def test_a_data_set_whose_parts_disagree_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        Dataset("mine", **GOOD, **more)


def idx(array):
    """An idx file of bytes, written as its specification says."""
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 0x08, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A tiny MNIST: its arrays, its files, an empty cache, and a way to say where it comes from."""
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 256, (5, 4, 3)), np.array([3, 0, 2, 1, 9])]
    arrays += [rng.integers(0, 256, (2, 4, 3)), np.array([7, 8])]
    files = dict(zip(DATASETS["mnist"].sha256, map(idx, arrays), strict=True))

    def use(*mirrors, files=files):
        hashes = {name: digest(content) for name, content in files.items()}
        n_bytes = {name: len(content) for name, content in files.items()}
        entry = replace(DATASETS["mnist"], sha256=hashes, n_bytes=n_bytes, mirrors=mirrors)
        monkeypatch.setitem(DATASETS, "mnist", entry)

    cache = tmp_path / "cache"
    monkeypatch.delenv("VAE_LIB_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(pooch, "os_cache", lambda project: cache)
    monkeypatch.setattr(data.files, "CONNECT_AND_READ_TIMEOUT", (2.0, 2.0))
    return SimpleNamespace(arrays=arrays, files=files, cache=cache / "mnist", use=use)


def assert_is_tiny(dataset, tiny):
    images, labels, test_images, test_labels = tiny.arrays
    for ours, array in ((dataset.train, images), (dataset.test, test_images)):
        assert ours.dtype == torch.float32
        np.testing.assert_allclose(ours.numpy() * 255, array.reshape(-1, 12), rtol=1e-6)
    assert dataset.train_labels.tolist() == labels.tolist()
    assert dataset.test_labels.tolist() == test_labels.tolist()
    assert dataset.image_shape == (4, 3)


def cached_files(tiny):
    return {path.name: path.read_bytes() for path in tiny.cache.iterdir()}


def test_download_is_cached_and_not_repeated(tiny):
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        assert_is_tiny(load("mnist"), tiny)
        assert cached_files(tiny) == tiny.files
        assert_is_tiny(load("mnist"), tiny)
        assert sorted(mirror.requests) == sorted(f"/{name}.gz" for name in tiny.files)


@pytest.mark.parametrize(
    "respond",
    [
        lambda handler, body: send(handler, gzip.decompress(body)),
        lambda handler, body: send(handler, body, encoding="gzip"),
    ],
    ids=["sent unzipped", "unzipped by the client"],
)
def test_content_counts_not_its_container(tiny, respond):
    with serve(tiny.files, respond) as mirror:
        tiny.use(mirror.url)
        assert_is_tiny(load("mnist"), tiny)


def altered(body):
    content = bytearray(gzip.decompress(body))
    content[-1] ^= 1
    return gzip.compress(bytes(content))


FAULTS = {
    "404": lambda handler, body: handler.send_error(404),
    "altered": lambda handler, body: send(handler, altered(body)),
    "truncated": lambda handler, body: send(handler, body[: len(body) // 2]),
    "cut off": lambda handler, body: send(handler, body[:20], length=len(body)),
    "damaged zip": lambda handler, body: send(handler, body[:12] + b"\xff" * 8 + body[20:]),
    "login page": lambda handler, body: send(handler, b"<html>Please log in</html>"),
    "empty": lambda handler, body: send(handler, b""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_next_mirror_is_tried(tiny, fault):
    with serve(tiny.files, FAULTS[fault]) as bad, serve(tiny.files) as good:
        tiny.use(bad.url, good.url)
        assert_is_tiny(load("mnist"), tiny)
        assert len(bad.requests) == len(good.requests) == 4
    assert cached_files(tiny) == tiny.files


@pytest.mark.parametrize("fault", FAULTS)
def test_what_no_mirror_gives_is_never_parsed(tiny, monkeypatch, fault):
    monkeypatch.setattr(
        data.builders, "_read_idx", lambda *args, **kwargs: pytest.fail("it was parsed")
    )
    with serve(tiny.files, FAULTS[fault]) as bad:
        tiny.use(bad.url, REFUSED)
        with pytest.raises(ConnectionError, match=bad.url):
            load("mnist")
    assert not tiny.cache.exists()


def test_hanging_mirror_times_out(tiny, monkeypatch):
    monkeypatch.setattr(data.files, "CONNECT_AND_READ_TIMEOUT", (2.0, 0.2))
    over = threading.Event()
    with serve(tiny.files, lambda handler, body: over.wait(20)) as hanging:
        with serve(tiny.files) as good:
            tiny.use(hanging.url, good.url)
            start = time.monotonic()
            assert_is_tiny(load("mnist"), tiny)
            assert 4 * 0.2 <= time.monotonic() - start < 10
        over.set()


def test_without_network_the_error_says_what_was_tried_and_what_to_do(tiny):
    tiny.use(REFUSED, f"{REFUSED}other/")
    with pytest.raises(ConnectionError) as caught:
        load("mnist")
    message = str(caught.value)
    for part in (f"{REFUSED}train-images", f"{REFUSED}other/train-images", *tiny.files):
        assert part in message
    assert "VAE_LIB_DATA (now not set)" in message and 'load("digits")' in message


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-5], lambda content: content[:-1] + b"?", lambda content: b""],
    ids=["truncated", "altered", "empty"],
)
def test_broken_cache_heals_itself(tiny, damage):
    name = "train-images-idx3-ubyte"
    damaged = damage(tiny.files[name])
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        load("mnist")
        (tiny.cache / name).write_bytes(damaged)
        with pytest.warns(UserWarning, match=rf"{name} .*set aside as {name}\.corrupt"):
            assert_is_tiny(load("mnist"), tiny)
        assert cached_files(tiny) == tiny.files | {f"{name}.corrupt": damaged}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            load("mnist")
        assert len(mirror.requests) == 5


def cache_below_a_file(tiny, monkeypatch):
    tiny.cache.parent.write_text("a file where the cache's folder should be")


def cache_without_permission(tiny, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)


def disk_full(tiny, monkeypatch):
    def fill(self, content):
        with self.open("wb") as file:
            file.write(content[:3])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", fill)


def folder_in_the_way(tiny, monkeypatch):
    for name in tiny.files:
        (tiny.cache / name).mkdir(parents=True)


@pytest.mark.parametrize(
    "spoil", [cache_below_a_file, cache_without_permission, disk_full, folder_in_the_way]
)
def test_load_works_where_the_cache_cannot_be_written(tiny, monkeypatch, spoil):
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        spoil(tiny, monkeypatch)
        with pytest.warns(UserWarning, match="cannot keep .*downloaded again next time"):
            assert_is_tiny(load("mnist"), tiny)
    assert not [path for path in tiny.cache.parent.rglob("*") if path.is_file()]


def test_broken_cache_that_cannot_be_renamed_is_ignored(tiny, monkeypatch):
    tiny.cache.mkdir(parents=True)
    (tiny.cache / "train-labels-idx1-ubyte").write_bytes(b"damaged")

    def refuse(self, target):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "replace", refuse)
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        with pytest.warns(match=r"train-labels-idx1-ubyte .*ignored"), pytest.warns(match="keep"):
            assert_is_tiny(load("mnist"), tiny)


def endless(handler, body):
    send(handler, body, length=10**12)
    with contextlib.suppress(ConnectionError):
        while True:
            handler.wfile.write(bytes(10_000))


BOMB = gzip.compress(bytes(900_000))


def bomb(handler, body):
    """A file that is small enough, and a thousand times larger when it is unzipped."""
    send(handler, BOMB)


def drip(handler, body):
    """A byte now and then, each well within the time that is allowed between two."""
    if "train-images" not in handler.path:
        return send(handler, body)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    with contextlib.suppress(ConnectionError):
        for i in range(len(body)):
            handler.wfile.write(body[i : i + 1])
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("respond", "message"),
    [(endless, "more than the"), (bomb, "has more"), (drip, "longer than 0 s")],
    ids=["endless", "bomb", "drip"],
)
def test_a_download_is_bounded_in_size_and_time(tiny, monkeypatch, respond, message):
    monkeypatch.setattr(data.files, "PATIENCE", 0.3)
    monkeypatch.setattr(data.files, "SLOWEST", 1e9)
    with serve(tiny.files, respond) as bad:
        tiny.use(bad.url)
        start = time.monotonic()
        with memory_at_most(700_000), pytest.raises(ConnectionError, match=message):
            load("mnist")
        assert time.monotonic() - start < 5


@contextlib.contextmanager
def memory_at_most(n_bytes):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < n_bytes
    finally:
        tracemalloc.stop()


def test_a_bomb_in_the_own_folder_is_not_expanded(tiny, folder):
    name = "train-images-idx3-ubyte"
    (folder / name).unlink()
    (folder / f"{name}.gz").write_bytes(BOMB)
    tiny.use(REFUSED)
    with memory_at_most(700_000), pytest.raises(ValueError, match="has more"):
        load("mnist")


def within(seconds, function):
    """The result of a function that might wait for ever."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert results, "it hangs"
    return results[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("where", ["cache", "own folder"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_or_a_device_is_not_waited_for(tiny, folder, monkeypatch, where, make):
    name = "train-images-idx3-ubyte"
    (folder / name).unlink()
    tiny.cache.mkdir(parents=True)
    make((folder if where == "own folder" else tiny.cache) / name)
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        assert_is_tiny(within(20, lambda: load("mnist")), tiny)
        assert mirror.requests == [f"/{name}.gz"]
    assert cached_files(tiny) == {name: tiny.files[name]}


def test_leftovers_of_killed_loads_are_removed(tiny):
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        load("mnist")
    for name in ("part-old", "tmpold", "part-new", "mine"):
        (tiny.cache / name).mkdir()
        (tiny.cache / name / "train-images-idx3-ubyte").write_bytes(b"half")
    (tiny.cache / "tmpfile").write_text("no folder")
    for path in tiny.cache.iterdir():
        if path.name != "part-new":
            os.utime(path, (0, 0))
    load("mnist")
    assert {path.name for path in tiny.cache.iterdir()} == {
        *tiny.files, "part-new", "mine", "tmpfile",
    }  # fmt: skip


def no_home(project):
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("os_cache", [no_home, lambda project: Path("~/.cache", project)])
def test_without_a_home_downloads_are_kept_elsewhere(tiny, monkeypatch, tmp_path, os_cache):
    monkeypatch.setattr(pooch, "os_cache", os_cache)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        for _ in "ab":
            with pytest.warns(UserWarning, match="no home directory.*VAE_LIB_DATA"):
                assert_is_tiny(load("mnist"), tiny)
        assert len(mirror.requests) == 4
    assert len(list((tmp_path / "vae_lib" / "mnist").iterdir())) == 4
    assert not (tmp_path / "~").exists()


def test_the_own_folder_may_lie_at_home(tiny, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parents[1]))
    monkeypatch.setenv("VAE_LIB_DATA", "~/own")
    tiny.use(REFUSED)
    assert_is_tiny(load("mnist"), tiny)
    monkeypatch.setenv("VAE_LIB_DATA", "~nobody-has-this-name/own")
    with pytest.raises(ValueError, match=r"VAE_LIB_DATA is '~nobody.*full path"):
        load("mnist")


TWO_PROCESSES = """
import dataclasses, json, sys
import pooch
from vae_lib import data
url, cache, hashes, sizes = sys.argv[1:]
pooch.os_cache = lambda project: cache
sizes, hashes = json.loads(sizes), json.loads(hashes)
entry = dataclasses.replace(data.DATASETS["mnist"], mirrors=(url,), sha256=hashes, n_bytes=sizes)
data.DATASETS["mnist"] = entry
print(data.load("mnist").train.mul(255).sum().item())
"""


def test_two_processes_at_once(tiny):
    # Neither is answered before both have asked, so both download and both write every file.
    both = threading.Barrier(2, timeout=60)

    def respond(handler, body):
        both.wait()
        send(handler, body)

    hashes = json.dumps({name: digest(content) for name, content in tiny.files.items()})
    sizes = json.dumps({name: len(content) for name, content in tiny.files.items()})
    with serve(tiny.files, respond) as mirror:
        arguments = [mirror.url, str(tiny.cache.parent), hashes, sizes]
        command = [sys.executable, "-W", "error", "-c", TWO_PROCESSES, *arguments]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in "ab"]
        printed = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    total = tiny.arrays[0].sum()
    assert [float(text) for text in printed] == pytest.approx([total, total], rel=1e-5)
    assert len(mirror.requests) == 8
    assert cached_files(tiny) == tiny.files


@pytest.fixture
def folder(tiny, tmp_path, monkeypatch):
    """The user's own folder, with the tiny MNIST in it unzipped."""
    monkeypatch.setenv("VAE_LIB_DATA", str(tmp_path / "own"))
    path = tmp_path / "own" / "mnist"
    path.mkdir(parents=True)
    for name, content in tiny.files.items():
        (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_own_folder_comes_first(tiny, folder, zipped):
    for name, content in tiny.files.items() if zipped else ():
        (folder / name).unlink()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    tiny.cache.mkdir(parents=True)
    for name in tiny.files:
        (tiny.cache / name).write_bytes(b"would be set aside if anybody looked")
    tiny.use(REFUSED)
    assert_is_tiny(load("mnist"), tiny)
    assert sorted(cached_files(tiny)) == sorted(tiny.files)


def test_what_the_own_folder_lacks_is_downloaded(tiny, folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        assert_is_tiny(load("mnist"), tiny)
        assert mirror.requests == ["/t10k-labels-idx1-ubyte.gz"]
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_altered_file_in_the_own_folder_is_named_and_left_alone(tiny, folder, suffix):
    name = "t10k-images-idx3-ubyte"
    (folder / name).unlink()
    bad = folder / f"{name}{suffix}"
    damaged = tiny.files[name][:-1]
    bad.write_bytes(gzip.compress(damaged) if suffix else damaged)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with serve(tiny.files) as mirror:
        tiny.use(mirror.url)
        with pytest.raises(ValueError, match=r"VAE_LIB_DATA.*expected.*got.*Replace it") as caught:
            load("mnist")
        assert str(bad) in str(caught.value) and digest(damaged) in str(caught.value)
        assert mirror.requests == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def malformed():
    images, labels = idx(np.zeros((5, 4, 3))), idx(np.zeros(5))
    yield "train-images-idx3-ubyte", images[:2] + b"\x0d" + images[3:], "starts with"
    yield "train-images-idx3-ubyte", idx(np.zeros((5, 12))), "starts with"
    yield "train-images-idx3-ubyte", images[:9], "starts with"
    yield "train-images-idx3-ubyte", images[:-1], r"shape \(5, 4, 3\), got 59 bytes"
    yield "train-labels-idx1-ubyte", labels + b"\0", r"shape \(5,\), got 6 bytes"
    yield "train-labels-idx1-ubyte", idx(np.zeros(6)), "a label an image, got 5, 6"


@pytest.mark.parametrize(("name", "content", "message"), list(malformed()))
def test_malformed_idx_file_is_refused(tiny, folder, name, content, message):
    (folder / name).write_bytes(content)
    tiny.use(files=tiny.files | {name: content})
    with pytest.raises(ValueError, match=message):
        load("mnist")


def test_binarize_draws_with_the_pixels_as_probabilities():
    x = torch.linspace(0, 1, 11)
    n = 20_000
    draws = binarize(x.expand(n, 11), generator=torch.Generator().manual_seed(0))
    assert draws.dtype == torch.float32
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    # At 0 and 1 the standard error is 0: the draws must be exact.
    standard_error = (x * (1 - x) / n).sqrt()
    assert ((draws.mean(0) - x).abs() <= 4 * standard_error).all()


def test_binarize_is_reproduced_by_its_generator_and_leaves_the_global_one_alone():
    x = torch.full((50, 8), 0.5)
    before = torch.get_rng_state()
    first, second = (binarize(x, generator=torch.Generator().manual_seed(3)) for _ in "ab")
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    generator = torch.Generator().manual_seed(3)
    assert torch.equal(binarize(x, generator=generator), first)
    assert not torch.equal(binarize(x, generator=generator), first)
    torch.manual_seed(3)
    assert torch.equal(binarize(x), first)


def test_binarize_at_a_threshold():
    x = torch.tensor([[0.0, 0.25, 0.5], [0.51, 0.75, 1.0]])
    expected = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    assert torch.equal(binarize(x, threshold=0.5), expected)


@pytest.mark.parametrize("threshold", [None, 0.5])
@pytest.mark.parametrize("shape", [(), (0,), (0, 64), (3, 0), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_binarize_keeps_shape_and_dtype(shape, dtype, threshold):
    out = binarize(torch.zeros(shape, dtype=dtype), threshold=threshold)
    assert out.shape == shape and out.dtype == dtype


@pytest.mark.parametrize("threshold", [None, 0.5])
@pytest.mark.parametrize("bad", [-0.01, 1.0000001, 1.5, 255.0, math.nan, math.inf])
def test_binarize_refuses_what_is_no_probability(bad, threshold):
    x = torch.full((4, 3), 0.5)
    x[2, 1] = bad
    with pytest.raises(ValueError, match=r"\[0, 1\].*got (\S+) .*Rescale") as refusal:
        binarize(x, threshold=threshold)
    said = float(re.search(r"got (\S+) ", str(refusal.value))[1])
    assert (not 0 <= said <= 1 and torch.tensor(said).equal(x[2, 1])) or math.isnan(bad)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, 127, math.nan])
def test_binarize_refuses_a_threshold_that_separates_nothing(threshold):
    with pytest.raises(ValueError, match="threshold must lie in"):
        binarize(torch.rand(3), threshold=threshold)


def test_binarize_refuses_a_generator_that_it_would_not_use():
    with pytest.raises(ValueError, match="a generator or a threshold"):
        binarize(torch.rand(3), threshold=0.5, generator=torch.Generator())


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str
)
def test_binarize_has_the_same_law_in_every_precision(dtype):
    # 0.001 drawn in 8 bits would come out three times too often.
    p = torch.tensor([0.0, 0.001, 0.0039, 0.25, 0.997, 1.0]).to(dtype)
    n = 100_000
    draws = binarize(p.expand(n, 6), generator=torch.Generator().manual_seed(0))
    assert draws.dtype == dtype
    p = p.double()
    assert ((draws.double().mean(0) - p).abs() <= 4 * (p * (1 - p) / n).sqrt()).all()


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.numpy(),
        lambda x: x.tolist(),
        lambda x: x.bool(),
        lambda x: x.int(),
        lambda x: x.numpy()[::-1].copy()[::-1],
        lambda x: x.clone().requires_grad_(),
    ],
    ids=["NumPy", "list", "bool", "int", "backwards", "with a gradient"],
)
@pytest.mark.parametrize("threshold", [None, 0.5])
def test_binarize_takes_what_people_have(form, threshold):
    x = torch.eye(3)
    drawn = binarize(form(x), threshold=threshold)
    assert torch.equal(drawn.float(), x) and not drawn.requires_grad
