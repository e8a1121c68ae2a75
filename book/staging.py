"""Put together what the site is made of, and have Jupyter Book make it.

The site is built beside the one that is there, and takes its place when it is whole, so that the
old one can be read meanwhile. It is built again when a source has changed, or a file of it is gone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import claims_page
import contents
import other_data
import yaml
from records import SOURCES, digest
from release import release_tag

STAGED_FILES = ("_config.yml", "_toc.yml")
MAKERS = ("jupyter-book", "myst-nb", "sphinx", "sphinx-book-theme")


def clear(path: Path) -> None:
    """Remove what an earlier build, perhaps an interrupted one, has left."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def stage(root: Path, chapters: Path, target: Path, dataset: str = "") -> None:
    """Copy what the site is built from: configuration, pages, and the notebooks in `chapters`.

    In the copy Jupyter Book executes nothing, since the notebooks come with their outputs, and the
    page of claims is filled from their records, where there are any. On another data set than the
    book's own they say so. The site of a release leads to that release's notebooks.
    """
    clear(target)
    target.mkdir(parents=True)
    for name in STAGED_FILES:
        shutil.copy2(root / name, target / name)
    shutil.copytree(root / "book", target / "book", ignore=shutil.ignore_patterns("__pycache__"))
    (target / "chapters").mkdir()
    for notebook in sorted((root / "chapters").glob("*.ipynb")):
        staged = target / "chapters" / notebook.name
        if dataset:
            other_data.annotate(chapters / notebook.name, staged, dataset)
        else:
            shutil.copy2(chapters / notebook.name, staged)
    executed = contents.in_order(list(chapters.glob("*.ipynb")), root)
    claims_page.fill(target / "book" / "claims.md", executed)
    config = yaml.safe_load((target / "_config.yml").read_text())
    config["execute"] = {"execute_notebooks": "off"}
    if dataset:
        other_data.annotate_claims(target / "book" / "claims.md", dataset)
        config["sphinx"]["config"]["html_title"] += f", on {dataset}"
    tag = release_tag(root)
    if tag:
        config["sphinx"]["config"]["notebooks_ref"] = tag
    (target / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True))


def jupyter_book(source: Path, output: Path) -> str | None:
    """Build the site in `output`/_build/html; returns what was printed if it failed."""
    program = "from jupyter_book.cli.main import main; main()"
    arguments = ["build", str(source), "--path-output", str(output)]
    strict = ["--quiet", "-W", "--keep-going", "--all"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, *strict],
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout if done.returncode else None


def site_key(source: Path, library: Path) -> str:
    """What the site depends on: the staged sources, the library's docstrings and scripts."""
    staged = [path for path in sorted(source.rglob("*")) if path.is_file()]
    documented = [path for path in sorted(library.rglob("*")) if path.suffix in SOURCES]
    return digest(staged + documented, *(f"{maker} {version(maker)}" for maker in MAKERS))


def sizes(html: Path) -> dict[str, int]:
    """Every file of a site, with its bytes."""
    files = (path for path in sorted(html.rglob("*")) if path.is_file())
    return {str(path.relative_to(html)): path.stat().st_size for path in files}


def is_whole(html: Path, record: Path, key: str) -> bool:
    """Whether the site is that of the key, and no file of it is missing or cut short."""
    try:
        recorded = json.loads(record.read_text(encoding="utf-8"))
        present = sizes(html)
        return recorded["key"] == key and recorded["files"].items() <= present.items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def build_site(root: Path, built: Path, dataset: str = "") -> str | None:
    """Stage and build, unless the site is there as it should be; returns a failure's text."""
    stage(root, built / "executed", built / "source", dataset)
    html, record, beside = built / "html", built / "site.json", built / "next"
    key = site_key(built / "source", root / "vae_lib")
    if is_whole(html, record, key):
        return None
    record.unlink(missing_ok=True)
    clear(beside)
    failure = jupyter_book(built / "source", beside)
    if failure is None:
        old = built / "old"
        clear(old)
        if html.exists():
            html.rename(old)
        (beside / "_build" / "html").rename(html)
        record.write_text(json.dumps({"key": key, "files": sizes(html)}), encoding="utf-8")
        clear(old)
    clear(beside)
    return failure
