"""What was handed in: which files there are, whose they are, and the code in their cells.

Nothing here runs or parses anybody's Python. A link is not followed, and nothing is read that is no
plain file or larger than a notebook is.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vae_lib.exercises.values import shown

LARGEST = 20 * 2**20  # bytes: eight times what the largest executed chapter has
MOST_FILES, DEEPEST = 50, 4  # notebooks of a student, and folders in which they are looked for
MENTION = re.compile(
    r"^\s*#\s*(?:Exercise|Fill-in) ([0-9]+\.[0-9a-z]+|[IVX]+\.[0-9]+)\b"
    r"|\bcheck\(\s*[\"']([0-9]+\.[0-9a-z]+|[IVX]+\.[0-9]+)[\"']",
    re.MULTILINE,
)


class NotANotebook(Exception):
    """What was handed in cannot be read as a notebook; says why."""


@dataclass(frozen=True)
class HandIn:
    """A file that was handed in, or what stands in its place; `student` and `name` can be shown."""

    student: str
    name: str
    path: Path


def handed_in(folder: Path) -> list[HandIn]:
    """What lies in a folder: each entry is a student's, a notebook or a folder with notebooks."""
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        student = shown(entry.name.removesuffix(".ipynb"), 60)
        is_folder = entry.is_dir(follow_symlinks=False)
        inside = _notebooks(Path(entry.path)) if is_folder else []
        for path in inside or [Path(entry.path)]:
            name = shown(str(path.relative_to(folder)), 120)
            found.append(HandIn(student, name, path))
    return found


def _notebooks(folder: Path) -> list[Path]:
    found = []
    for where, folders, files in os.walk(folder):  # which follows no links
        depth = len(Path(where).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if depth < DEEPEST and not f.startswith("."))
        found += [Path(where) / name for name in sorted(files) if name.endswith(".ipynb")]
        if len(found) >= MOST_FILES:
            break
    return found[:MOST_FILES]


def code_cells(path: Path) -> list[str]:
    """The code of a notebook's cells, in order; raises NotANotebook."""
    try:
        notebook = json.loads(_content(path))
        cells = notebook["cells"]
        found = [_source(cell) for cell in cells if cell["cell_type"] == "code"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise NotANotebook("is not a notebook: it cannot be read as one") from None
    return found


def _content(path: Path) -> bytes:
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        if path.is_symlink() or not stat.S_ISREG(os.lstat(path).st_mode):
            raise NotANotebook("is not a notebook: no plain file, but a link or a folder")
        number = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise NotANotebook(f"cannot be read ({error.strerror})") from None
    with open(number, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise NotANotebook(f"is larger than {LARGEST // 2**20} MiB, more than a notebook is")
    return content


def _source(cell: dict) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def chapter_of(cells: Iterable[str], known: Iterable[str]) -> str | None:
    """The chapter ("2") or project ("I") of most of the exercises in a notebook; None for none."""
    known, found = set(known), Counter()
    for source in cells:
        for mention in MENTION.finditer(source):
            number = mention[1] or mention[2]
            if number in known:
                found[number.partition(".")[0]] += 1
    return found.most_common(1)[0][0] if found else None
