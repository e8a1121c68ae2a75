"""A file that holds a run: written whole or not at all, and read only if it is what it says.

The file is what `torch.save` writes, a zip archive, and its comment ends with the sha256 of all
that comes before. `torch.load(path, weights_only=True)["model"]` reads the weights, as a state
dict, like those of any other file.
"""

import contextlib
import hashlib
import os
import pickle
import re
import secrets
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import torch

try:
    import fcntl
except ImportError:  # Windows, which does not remove a file that is open
    fcntl = None

MARK = b"vae_lib training run, format 1, sha256 "
N_DIGITS = 64
END_OF_ZIP = b"PK\x05\x06"
UNSAFE = "holds objects that could run code, and has not been opened"


def place(checkpoint: str | os.PathLike) -> Path:
    """Where the file is, or will be: `~` and links resolved, its folder made and tidied up."""
    try:
        path = Path(os.path.realpath(Path(checkpoint).expanduser()))
    except (TypeError, RuntimeError, ValueError) as error:
        raise ValueError(f"checkpoint must be the path of a file, not {checkpoint!r}.") from error
    if path.exists() and not path.is_file():
        kind = "a directory" if path.is_dir() else "not a file"
        raise ValueError(f"The checkpoint {path} is {kind}: name a file, there or elsewhere.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"its folder cannot be made ({error.strerror})"
        raise ValueError(f"The checkpoint {path} cannot be written: {reason}.") from error
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"The checkpoint {path} cannot be written: its folder is read-only.")
    for temporary in path.parent.iterdir():
        if re.fullmatch(re.escape(f".{path.name}.") + r"[0-9a-f]{16}\.writing", temporary.name):
            _remove_if_left(temporary)
    return path


def write(path: Path, state: dict) -> None:
    """Write the state beside the file, whole and on to the disk, then put it in its place.

    Whenever the process is killed, the file is the old one or the new one.
    """
    with _temporary(path) as (file, temporary):
        torch.save(state, file)
        _seal(file)
        file.flush()
        os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


def read(path: Path) -> dict:
    """What `write` wrote, or a ValueError that says what the file is instead."""
    with path.open("rb") as file:
        if (problem := _problem(file)) is None:
            file.seek(0)
            try:
                return torch.load(file, map_location="cpu", weights_only=True)
            except Exception as error:
                problem = f"{UNSAFE} ({error})"
    raise ValueError(
        f"The checkpoint {path} {problem}. Name another file, or delete this one to start afresh."
    )


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file beside the path, with the permissions of any new file, removed after an error.

    It is locked as long as its process lives, so that another one can tell what was left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.writing")
    with temporary.open("x+b") as file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file, temporary
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _remove_if_left(temporary: Path) -> None:
    """Remove what a killed write has left, but not what a living process is writing."""
    with contextlib.suppress(OSError), temporary.open("rb") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        temporary.unlink()


def _seal(file: BinaryIO) -> None:
    """Give the archive a comment: the mark, and the digest of all before it."""
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(n_bytes - 22)  # the last record of a zip archive without a comment
    if not file.read().startswith(END_OF_ZIP):
        raise RuntimeError("torch.save wrote no zip archive of the kind that is known here.")
    file.seek(n_bytes - 2)
    file.write((len(MARK) + N_DIGITS).to_bytes(2, "little") + MARK)
    file.write(_digest(file, file.tell()))


def _problem(file: BinaryIO) -> str | None:
    """What is wrong with a file that is no checkpoint."""
    n_bytes = file.seek(0, os.SEEK_END)
    if n_bytes == 0:
        return "is empty"
    n_sealed = n_bytes - N_DIGITS
    file.seek(max(0, n_sealed - len(MARK)))
    if file.read(len(MARK)) != MARK:
        return _unmarked(file)
    recorded = file.read()
    return None if _digest(file, n_sealed) == recorded else "is damaged: its checksum is wrong"


def _digest(file: BinaryIO, n_bytes: int) -> bytes:
    digest = hashlib.sha256()
    file.seek(0)
    while n_bytes > 0 and (block := file.read(min(n_bytes, 2**20))):
        digest.update(block)
        n_bytes -= len(block)
    return digest.hexdigest().encode()


def _unmarked(file: BinaryIO) -> str:
    """What a file is that does not end as a checkpoint does."""
    file.seek(0)
    is_archive = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    try:
        with warnings.catch_warnings(action="ignore"):  # of what old pickles may hold
            found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        if is_archive and isinstance(error, pickle.UnpicklingError):
            return UNSAFE
        return "is cut short or damaged" if is_archive else "is no checkpoint of a training run"
    if isinstance(found, dict) and "identity" in found:
        return "is damaged: its checksum is missing"
    if isinstance(found, dict) and {"settings", "optimizer"} <= found.keys():
        return "was written by an earlier version of vae_lib"
    if isinstance(found, dict) and all(isinstance(v, torch.Tensor) for v in found.values()):
        return "holds weights alone, which model.load_state_dict(torch.load(...)) reads"
    return "is no checkpoint of a training run"
