"""What the book consists of, and in which order: as _toc.yml has it, a project after its part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Part:
    """A part of the book: "Part I: From autoencoder to VAE", and its pages, "chapters/01_a"."""

    caption: str
    documents: tuple[str, ...]

    @property
    def name(self) -> str:
        """What stands before the colon."""
        return self.caption.partition(":")[0]


def parts(root: Path) -> list[Part]:
    """The parts of the table of contents; one without a caption goes on with the last one.

    A table that is not divided has one part, without a caption.
    """
    found: list[Part] = []
    table = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    for entry in table.get("parts", [table]):
        documents = tuple(chapter["file"] for chapter in entry.get("chapters", ()))
        if "caption" in entry or not found:
            found.append(Part(entry.get("caption", ""), documents))
        else:
            last = found.pop()
            found.append(Part(last.caption, last.documents + documents))
    return found


def in_order(paths: list[Path], root: Path) -> list[Path]:
    """Notebooks as they are read; those that the table of contents lacks come last, by name."""
    documents = [document for part in parts(root) for document in part.documents]
    place = {Path(document).name: i for i, document in enumerate(documents)}
    return sorted(paths, key=lambda path: (place.get(path.stem, len(place)), path.name))
