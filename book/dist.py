"""What a release carries, made from the built site: python book/dist.py [--site-only]

The library's wheel, the book as PDF and the site as one file to read without a network, in
_build/dist; with --site-only the last alone, as _build/book-site.zip. Of a site that was built on
another data set (VAE_BOOK_DATASET), all of it in that one's folder of _build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pdf import make_pdf
from records import DATASET, built_in

ROOT = Path(__file__).resolve().parents[1]
TOP = "book-site"
IN_WHEEL = ("pyproject.toml", "README.md", "LICENSE", "vae_lib")
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can hold: the same site gives the same bytes


def zip_site(site: Path, output: Path) -> None:
    """The site in one file, under one folder."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            name = f"{TOP}/{path.relative_to(site).as_posix()}"
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    print(f"The site is packed: {output} ({output.stat().st_size / 2**20:.1f} MiB)", flush=True)


def make_wheel(root: Path, folder: Path) -> bool:
    """Build the library's wheel; whether that went well, which pip says itself.

    Of a copy of the sources: where it builds setuptools leaves a folder `build`, out of which the
    next wheel would get files that are gone by then.
    """
    with tempfile.TemporaryDirectory() as copy:
        for name in IN_WHEEL:
            take = shutil.copytree if (root / name).is_dir() else shutil.copy2
            take(root / name, Path(copy, name))
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
        line = [*pip, "--no-deps", "--wheel-dir", str(folder), copy]
        return subprocess.run(line).returncode == 0


def main(arguments: list[str]) -> int:
    built = built_in(ROOT, os.environ.get(DATASET, ""))
    site, folder = built / "html", built / "dist"
    if arguments == ["--site-only"]:
        zip_site(site, built / "book-site.zip")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    zip_site(site, folder / "book-site.zip")
    whole = make_wheel(ROOT, folder) and make_pdf(ROOT, site, folder / "book.pdf")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
