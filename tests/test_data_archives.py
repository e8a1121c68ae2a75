"""CIFAR-10, from an archive; and Fashion-MNIST, whose files are those of MNIST."""

import hashlib
import io
import re
import struct
import tarfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pooch
import pytest
import torch
from _mirror import REFUSED, send, serve

from vae_lib import data
from vae_lib.data import DATASETS, load
from vae_lib.data import cifar as module

ARCHIVE = "cifar-10-binary.tar.gz"
N = 3  # records in each file of the small archives


def member(name, content=b"", **more):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def packed(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if content else None)
    return buffer.getvalue()


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A small CIFAR-10: its records, the archive's members, and a way to load others."""
    rng = np.random.default_rng(0)
    names = [*module.TRAIN, *module.TEST]
    files = {name: rng.integers(0, 256, (N, module.RECORD)).astype(np.uint8) for name in names}
    for records in files.values():
        records[:, 0] %= 10
    members = [
        member("cifar-10-batches-bin", type=tarfile.DIRTYPE),
        member("cifar-10-batches-bin/batches.meta.txt", b"airplane\nautomobile\n"),
        *(member(name, records.tobytes()) for name, records in files.items()),
        member("cifar-10-batches-bin/readme.html", b"<html>"),
    ]
    own = tmp_path / "own" / "cifar10"
    own.mkdir(parents=True)

    def use(members=members, content=None, mirrors=(REFUSED,)):
        content = packed(members) if content is None else content
        digest = {ARCHIVE: hashlib.sha256(content).hexdigest()}
        sizes = {ARCHIVE: len(content)}
        entry = replace(DATASETS["cifar10"], sha256=digest, n_bytes=sizes, mirrors=mirrors)
        monkeypatch.setitem(DATASETS, "cifar10", entry)
        return content

    def load_from_own(members):
        (own / ARCHIVE).write_bytes(use(members))
        return load("cifar10")

    monkeypatch.setattr(module, "N_RECORDS", N)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache")
    monkeypatch.setattr(data.files, "CONNECT_AND_READ_TIMEOUT", (2.0, 2.0))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("VAE_LIB_DATA", str(tmp_path / "own"))
    return SimpleNamespace(
        files=files, members=members, use=use, own=own, load=load_from_own, path=tmp_path
    )


def assert_is(dataset, files):
    records = np.concatenate([files[name] for name in module.TRAIN])
    for images, labels, theirs in (
        (dataset.train, dataset.train_labels, records),
        (dataset.test, dataset.test_labels, files[module.TEST[0]]),
    ):
        assert images.dtype == torch.float32 and labels.dtype == torch.int64
        np.testing.assert_allclose(images.numpy() * 255, theirs[:, 1:], rtol=1e-6)
        assert torch.equal(images, (images * 255).round() / 255)
        assert labels.tolist() == theirs[:, 0].tolist()


def test_cifar10_is_read_channel_by_channel(cifar):
    dataset = cifar.load(cifar.members)
    assert_is(dataset, cifar.files)
    assert dataset.image_shape == (3, 32, 32) and dataset.train.shape == (5 * N, 3072)
    green = dataset.train[0].reshape(dataset.image_shape)[1]
    stored = cifar.files[module.TRAIN[0]][0, 1 + 1024 : 1 + 2048].reshape(32, 32)
    np.testing.assert_allclose(green.numpy() * 255, stored, rtol=1e-6)


def test_the_order_of_the_members_does_not_matter(cifar):
    assert_is(cifar.load(cifar.members[::-1]), cifar.files)


def test_an_archive_is_downloaded_as_it_is_and_kept_so(cifar):
    content = cifar.use()
    with serve({ARCHIVE: content}) as mirror:
        cifar.use(mirrors=(mirror.url,), content=content)
        assert_is(load("cifar10"), cifar.files)
        assert_is(load("cifar10"), cifar.files)
        assert mirror.requests == [f"/{ARCHIVE}"]
    assert (cifar.path / "cache" / "cifar10" / ARCHIVE).read_bytes() == content
    assert [path.name for path in (cifar.path / "cache" / "cifar10").iterdir()] == [ARCHIVE]


def test_a_server_may_say_that_the_archives_compression_is_its_own(cifar):
    content = cifar.use()

    def respond(handler, body):
        assert handler.headers["Accept-Encoding"] == "identity"
        send(handler, body, encoding="gzip")

    with serve({ARCHIVE: content}, respond) as mirror:
        cifar.use(mirrors=(mirror.url,), content=content)
        assert_is(load("cifar10"), cifar.files)


def altered(content):
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


@pytest.mark.parametrize("damage", [altered, lambda c: c[:-9], lambda c: b"", lambda c: c + b"1"])
def test_an_archive_with_another_hash_is_never_opened(cifar, monkeypatch, damage):
    def refuse(*args, **kwargs):
        pytest.fail("it was opened")

    content = cifar.use()
    monkeypatch.setattr(tarfile, "open", refuse)
    monkeypatch.setattr(data.files.gzip, "open", refuse)
    (cifar.own / ARCHIVE).write_bytes(damage(content))
    with pytest.raises(ValueError, match=r"VAE_LIB_DATA.*altered"):
        load("cifar10")
    (cifar.own / ARCHIVE).unlink()
    with serve({ARCHIVE: damage(content)}) as mirror:
        cifar.use(mirrors=(mirror.url,), content=content)
        with pytest.raises(ConnectionError, match=mirror.url):
            load("cifar10")
    assert not (cifar.path / "cache").exists()


NAME = module.TRAIN[2]


def without(cifar, *more):
    return [pair for pair in cifar.members if pair[0].name != NAME] + list(more)


def impostors(cifar):
    """What has the name, or nearly, and is no file of the data."""
    content = cifar.files[NAME].tobytes()
    yield "missing", ()
    yield "truncated", (member(NAME, content[:-1]),)
    yield "too long", (member(NAME, content + b"0"),)
    yield "a symbolic link", (member(NAME, type=tarfile.SYMTYPE, linkname=module.TRAIN[0]),)
    yield "a link", (member(NAME, type=tarfile.LNKTYPE, linkname=module.TRAIN[0]),)
    lie = {"linkname": module.TRAIN[0], "size": len(content)}
    yield "a symbolic link with a size", (member(NAME, type=tarfile.SYMTYPE, **lie),)
    yield "a link with a size", (member(NAME, type=tarfile.LNKTYPE, **lie),)
    yield "a folder", (member(NAME, type=tarfile.DIRTYPE),)
    yield "a device", (member(NAME, type=tarfile.CHRTYPE),)
    yield "outside", (member(f"../{NAME}", content), member(f"/tmp{NAME}", content))
    yield "roundabout", (member(f"./{NAME}", content), member(f"a/../{NAME}", content))


@pytest.mark.parametrize("which", range(11))
def test_what_is_no_file_of_the_data_is_not_taken_for_one(cifar, monkeypatch, which):
    what, members = list(impostors(cifar))[which]
    monkeypatch.chdir(cifar.path)
    before = sorted(cifar.path.rglob("*"))
    with pytest.raises(ValueError, match=rf"3 x 3,073 bytes.*none called {NAME}$"):
        cifar.load(without(cifar, *members))
    assert sorted(cifar.path.rglob("*")) == sorted([*before, cifar.own / ARCHIVE]), what


def test_other_members_are_passed_over(cifar, monkeypatch):
    """Whatever they are called: no name becomes a path."""
    monkeypatch.chdir(cifar.path)
    others = [
        member("../../escaped", b"1"),
        member("/etc/escaped", b"1"),
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    ]
    assert_is(cifar.load([*others, *cifar.members, *others]), cifar.files)
    assert not list(cifar.path.parent.rglob("*escaped*"))


def test_an_archive_that_is_none_is_refused(cifar):
    for content in (b"no archive", b"\x1f\x8b no archive", packed(cifar.members)[:-100]):
        (cifar.own / ARCHIVE).write_bytes(cifar.use(content=content))
        with pytest.raises(ValueError, match="cifar10: the archive is damaged"):
            load("cifar10")


def test_a_damaged_archive_is_named_or_read_whole(cifar):
    """Were the hash that of a damaged archive: it is still refused in words, wherever it breaks."""
    rng = np.random.default_rng(1)
    few = {name: records % 4 for name, records in cifar.files.items()}  # that gzip does compress
    content = packed([member(name, records.tobytes()) for name, records in few.items()])
    refused = 0
    for _ in range(100):
        start = int(rng.integers(len(content)))
        broken = content[:start] + rng.bytes(20) + content[start + 20 :]
        try:
            module.build_cifar10("cifar10", broken)
        except ValueError as error:
            refused += 1
            assert re.match("cifar10: (the archive is damaged|expected files)", str(error))
    assert refused > 30


def idx(array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 0x08, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def test_fashion_mnist_is_read_as_mnist_is(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 256, (5, 4, 3)), np.array([3, 0, 2, 1, 9])]
    arrays += [rng.integers(0, 256, (2, 4, 3)), np.array([7, 8])]
    entry = DATASETS["fashion_mnist"]
    files = dict(zip(entry.sha256, map(idx, arrays), strict=True))
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    sizes = {name: len(content) for name, content in files.items()}
    monkeypatch.setitem(DATASETS, "fashion_mnist", replace(entry, sha256=hashes, n_bytes=sizes))
    monkeypatch.setenv("VAE_LIB_DATA", str(tmp_path))
    (tmp_path / "fashion_mnist").mkdir()
    for name, content in files.items():
        (tmp_path / "fashion_mnist" / name).write_bytes(content)
    dataset = load("fashion_mnist")
    assert dataset.name == "fashion_mnist" and dataset.image_shape == (4, 3)
    np.testing.assert_allclose(dataset.train.numpy() * 255, arrays[0].reshape(5, 12), rtol=1e-6)
    assert dataset.test_labels.tolist() == [7, 8]
    assert "Xiao, Rasul and Vollgraf (2017)" in dataset.citation


def test_files_of_other_data_have_other_hashes():
    """Those of MNIST have the same names and sizes, and would be taken for these."""
    fashion, mnist = DATASETS["fashion_mnist"], DATASETS["mnist"]
    assert fashion.n_bytes == mnist.n_bytes
    assert not set(fashion.sha256.values()) & set(mnist.sha256.values())
