"""Give a fork its own address: python book/set_repository.py https://github.com/you/fork

The address stands in `_config.yml`; this rewrites it there and wherever else it is repeated, in
the chapters' install cells and Colab links among others.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)")
REPEATED_IN = (
    "*.md",
    "*.cff",
    "*.toml",
    "*.yml",
    "book/*.md",
    "chapters/*.ipynb",
    "vae_lib/**/*.py",
    "benchmarks/**/*",
)


def repository(root: Path) -> str:
    """The book's address as `_config.yml` has it."""
    return yaml.safe_load((root / "_config.yml").read_text())["repository"]["url"]


def files_with_address(root: Path) -> Iterator[Path]:
    """The files in which the address may be repeated."""
    for pattern in REPEATED_IN:
        yield from (p for p in sorted(root.glob(pattern)) if p.suffix not in {".png", ".pt"})


def set_repository(root: Path, address: str) -> list[Path]:
    """Rewrite the address everywhere; returns the files that changed."""
    address = address.rstrip("/").removesuffix(".git")
    new, old = ADDRESS.fullmatch(address), ADDRESS.fullmatch(repository(root))
    if new is None:
        raise ValueError(f"expected an address such as https://github.com/you/fork, got {address}")
    # Colab opens github.com/owner/name as colab.research.google.com/github/owner/name.
    pattern = re.compile(rf"(github\.com|google\.com/github)/{re.escape(old[1])}(?![\w-])")
    changed = []
    for path in filter(Path.is_file, files_with_address(root)):
        text = path.read_text(encoding="utf-8")
        rewritten = pattern.sub(lambda found: f"{found[1]}/{new[1]}", text)
        if rewritten != text:
            path.write_text(rewritten, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for path in set_repository(ROOT, sys.argv[1]):
        print(path.relative_to(ROOT))
