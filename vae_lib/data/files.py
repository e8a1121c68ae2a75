"""Files from elsewhere: found or downloaded, and verified before anything reads them.

What a file must hold is known, by its sha256 and its size. So nothing is read, downloaded or
unzipped beyond that size, and no download takes longer than a slow network needs for it. These are
of the uncompressed content, except for a file whose own name ends in .gz: an archive, which is
verified as it is and left so.
"""

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pooch
import requests
import urllib3

if TYPE_CHECKING:
    from vae_lib.data.registry import Entry

CONNECT_AND_READ_TIMEOUT = (10.0, 30.0)  # seconds; the second for each wait, not for a whole file

PATIENCE = 60.0  # seconds that any file may take as a whole, and beyond them ...
SLOWEST = 50_000  # ... the bytes of its content that must come in a second

LEFTOVER_AGE = 3600.0  # seconds; what is being written is younger


class Expected(NamedTuple):
    """What is known of a file; an archive is not unzipped."""

    sha256: str
    n_bytes: int
    is_archive: bool


def obtain(name: str, file: str, entry: "Entry") -> bytes:
    """The verified content of a file: from VAE_LIB_DATA, the user's cache or a mirror."""
    expected = Expected(entry.sha256[file], entry.n_bytes[file], file.endswith(".gz"))
    if own := os.environ.get("VAE_LIB_DATA"):
        folder = _expanded(own) / name
        for path in (folder / file, folder / f"{file}.gz"):
            if path.is_file():  # and nothing that would be waited for, such as a pipe
                try:
                    return _verify(_read(path, expected.n_bytes), expected)
                except ValueError as error:
                    remedy = "Replace it, or remove it to have the file downloaded."
                    raise ValueError(f"{path} (from VAE_LIB_DATA) {error}. {remedy}") from error
    cached = _cache() / name / file
    content = _read_cache(cached, expected)
    if content is None:
        content = _download(name, file, entry, expected)
        _write_cache(cached, content)
    return content


def clear_leftovers(name: str) -> None:
    """Remove what loads that were killed while they wrote have left in the cache."""
    folder = _cache() / name
    if not folder.is_dir():
        return
    for pattern in ("part-*", "tmp*"):  # the second, of version 0.1.0
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):  # another process may be quicker
                age = time.time() - path.lstat().st_mtime
                if path.is_dir() and not path.is_symlink() and age > LEFTOVER_AGE:
                    shutil.rmtree(path, ignore_errors=True)


def _expanded(own: str) -> Path:
    try:
        return Path(own).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"VAE_LIB_DATA is {own!r}, but there is no such home directory: give a full path."
        ) from error


def _cache() -> Path:
    try:
        cache = Path(pooch.os_cache("vae_lib"))
    except RuntimeError:
        cache = Path("~")
    if cache.parts[:1] != ("~",):
        return cache
    cache = Path(tempfile.gettempdir(), "vae_lib")
    warnings.warn(
        f"you have no home directory, so downloads are kept in {cache}; name another folder in "
        "VAE_LIB_DATA",
        stacklevel=4,
    )
    return cache


def _most(n_bytes: int) -> int:
    """The most bytes that a file has: gzip adds little to what it cannot make smaller."""
    return n_bytes + n_bytes // 1000 + 1024


def _read(path: Path, n_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(_most(n_bytes) + 1)


def _verify(raw: bytes, expected: Expected) -> bytes:
    """The content, unzipped unless it is an archive, if it is the expected one; else ValueError."""
    sha256, n_bytes, is_archive = expected
    content = raw
    # Told by content, not by name: some servers unpack .gz files.
    if raw.startswith(b"\x1f\x8b") and not is_archive:
        try:
            with gzip.open(io.BytesIO(raw)) as file:
                content = file.read(n_bytes + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"is truncated or altered: it does not unzip ({error})") from error
    if len(content) > n_bytes:
        raise ValueError(f"is altered: expected {n_bytes:,} bytes of content, and it has more")
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"is truncated or altered: expected content with sha256 {sha256}, "
            f"got {len(content):,} bytes with sha256 {found}"
        )
    return content


def _read_cache(path: Path, expected: Expected) -> bytes | None:
    """The cached content, or None if there is none; a damaged file is set aside."""
    try:
        if not path.is_file():
            return None
        return _verify(_read(path, expected.n_bytes), expected)
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
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="part-") as folder:
            part = Path(folder, path.name)
            part.write_bytes(content)
            part.replace(path)
    except OSError as error:
        warnings.warn(
            f"cannot keep {path} ({error}); it will be downloaded again next time", stacklevel=5
        )


def _download(name: str, file: str, entry: "Entry", expected: Expected) -> bytes:
    """The verified content from the first mirror that gives it; ConnectionError if none does."""
    failures = []
    for url in (f"{mirror}{file.removesuffix('.gz')}.gz" for mirror in entry.mirrors):
        pooch.get_logger().info("Downloading %s", url)
        try:
            return _verify(b"".join(_pieces(url, expected)), expected)
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            failures.append(f"  {url}: {error}")
    raise ConnectionError(
        f"no mirror gave {file} of {name!r}:\n" + "\n".join(failures) + "\nCheck the network; or "
        f"put {', '.join(entry.sha256)} (plain or .gz) into a folder called {name} and set "
        f"VAE_LIB_DATA (now {os.environ.get('VAE_LIB_DATA') or 'not set'}) to the folder above "
        'it; or use load("digits"), which needs no network.'
    )


def _pieces(url: str, expected: Expected) -> Iterator[bytes]:
    """What a mirror sends, as it comes, until it is too much or takes too long."""
    n_bytes, n_received = expected.n_bytes, 0
    allowed = PATIENCE + n_bytes / SLOWEST
    end = time.monotonic() + allowed
    # As it is stored. Some servers call an archive's own compression one of the transfer, to be
    # undone by the client.
    headers, decode = {"Accept-Encoding": "identity"}, not expected.is_archive
    wait = CONNECT_AND_READ_TIMEOUT
    with requests.get(url, stream=True, timeout=wait, headers=headers) as response:
        response.raise_for_status()
        # read1 returns what has come; read, all there is in older versions, waits for the whole.
        read = getattr(response.raw, "read1", response.raw.read)
        while piece := read(1 << 16, decode_content=decode):
            n_received += len(piece)
            if n_received > _most(n_bytes):
                raise ValueError(f"sent more than the {n_bytes:,} bytes that the file has")
            if time.monotonic() > end:
                raise TimeoutError(
                    f"took longer than {allowed:.0f} s, with {n_received:,} bytes so far"
                )
            yield piece
