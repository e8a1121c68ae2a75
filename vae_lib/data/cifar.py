"""CIFAR-10 from its archive, which is read in memory: nothing of it becomes a path."""

import io
import tarfile
import zlib

import numpy as np
import torch
from torch import Tensor

from vae_lib.data.dataset import Dataset

FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"{FOLDER}/data_batch_{i}.bin" for i in range(1, 6))
TEST = (f"{FOLDER}/test_batch.bin",)

IMAGE_SHAPE = (3, 32, 32)
N_RECORDS = 10_000  # in each file
RECORD = 1 + 3 * 32 * 32  # bytes: the class, then all red pixels, all green, all blue


def build_cifar10(name: str, archive: bytes) -> Dataset:
    """Images in [0, 1] and labels from the six files of the archive's binary version."""
    files = _members(name, archive)
    (train, train_labels), (test, test_labels) = (
        _read_records([files[member] for member in members]) for members in (TRAIN, TEST)
    )
    return Dataset(name, train, test, train_labels, test_labels, IMAGE_SHAPE)


def _members(name: str, archive: bytes) -> dict[str, bytes]:
    """The content of the six files, by their names in the archive; all else is passed over.

    A link or a folder that has such a name is no file, and a file of another size is none of these.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                is_it = member.isreg() and member.size == N_RECORDS * RECORD
                if is_it and member.name in {*TRAIN, *TEST}:
                    found[member.name] = tar.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name}: the archive is damaged ({error})") from error
    if missing := [file for file in (*TRAIN, *TEST) if file not in found]:
        raise ValueError(
            f"{name}: expected files of {N_RECORDS:,} x {RECORD:,} bytes in the archive, but found "
            f"none called {', '.join(missing)}"
        )
    return found


def _read_records(files: list[bytes]) -> tuple[Tensor, Tensor]:
    """Rows (N, 3,072), channel by channel and line by line as they are stored, and classes (N,)."""
    records = np.concatenate([np.frombuffer(file, np.uint8).reshape(-1, RECORD) for file in files])
    images = torch.from_numpy(records[:, 1:].astype(np.float32)).div_(255)
    return images, torch.from_numpy(records[:, 0].astype(np.int64))
