"""Make a release: python book/release.py 0.2.0

Writes the version everywhere it stands, commits, and makes the tag for which the chapters' install
cells ask, so that a chapter of that tag installs the library it was written with. Nothing leaves
this machine: the last line says what to push. It refuses where the tree is not clean or the tests
have not passed on it; `--tested` notes that they have, and `make test` calls it at its end.
`--check v0.2.0` only looks whether a tree is that release, as what publishes it does.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
TESTED = Path("_build", "tested.json")
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
NUMBER = r"\d+\.\d+\.\d+"
# Where the version stands, besides the install cells: what precedes it, and what follows.
PLACES = {
    "pyproject.toml": (r'^version = "', r'"$'),
    "CITATION.cff": (r"^version: ", r"$"),
    "vae_lib/__init__.py": (r'^__version__ = "', r'"$'),
    "README.md": (r"(?:/blob/|mybinder\.org/v2/gh/[\w.-]+/[\w.-]+/)v", r"(?=[/?])"),
}
DATE = re.compile(r"^date-released: .*\n", re.MULTILINE)
INSTALLS = re.compile(rf'(?<=@v){NUMBER}(?=")')


def pattern(name: str) -> re.Pattern[str]:
    before, after = PLACES[name]
    return re.compile(rf"({before}){NUMBER}({after})", re.MULTILINE)


def version_of(root: Path) -> str:
    """The version that the library has in this tree."""
    found = pattern("pyproject.toml").search((root / "pyproject.toml").read_text(encoding="utf-8"))
    return re.search(NUMBER, found[0])[0]


def standing(root: Path) -> Iterator[tuple[str, str]]:
    """Each place where a version stands, and the one that stands there."""
    for name in PLACES:
        for found in pattern(name).finditer((root / name).read_text(encoding="utf-8")):
            yield name, re.search(NUMBER, found[0])[0]
    for chapter in sorted((root / "chapters").glob("*.ipynb")):
        install = nbformat.read(chapter, as_version=4).cells[0].source
        found = INSTALLS.search(install)
        yield f"chapters/{chapter.name}", found[0] if found else "none"


def set_version(root: Path, version: str, today: datetime.date) -> None:
    """Write the version, and the day, everywhere."""
    for name in PLACES:
        path = root / name
        text = path.read_text(encoding="utf-8")
        path.write_text(
            pattern(name).sub(rf"\g<1>{version}\g<2>", text), encoding="utf-8", newline="\n"
        )
    citation = root / "CITATION.cff"
    text = DATE.sub("", citation.read_text(encoding="utf-8"))
    dated = re.sub(r"^(version: .*\n)", rf"\1date-released: {today}\n", text, flags=re.MULTILINE)
    citation.write_text(dated, encoding="utf-8", newline="\n")
    for chapter in sorted((root / "chapters").glob("*.ipynb")):
        notebook = nbformat.read(chapter, as_version=4)
        notebook.cells[0].source = INSTALLS.sub(version, notebook.cells[0].source)
        chapter.write_text(f"{nbformat.writes(notebook)}\n", encoding="utf-8", newline="\n")


def git(root: Path, *arguments: str) -> str | None:
    """What git says, or None where it fails, is not there, or the folder is no checkout."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def is_clean(root: Path) -> bool:
    """Whether the folder is a checkout in which nothing differs from what is committed."""
    return git(root, "status", "--porcelain") == ""


def release_tag(root: Path) -> str:
    """The tag of the release that this tree is, or nothing: its notebooks are what a site opens."""
    tags = (git(root, "tag", "--points-at", "HEAD") or "").split()
    tag = f"v{version_of(root)}" if tags else ""
    return tag if tag in tags and is_clean(root) else ""


def note_tested(root: Path) -> None:
    """Record that the tests have passed, where what they ran on is what is committed."""
    tree = git(root, "rev-parse", "HEAD^{tree}")
    if tree and is_clean(root):
        (root / TESTED).parent.mkdir(exist_ok=True)
        (root / TESTED).write_text(json.dumps({"tree": tree}), encoding="utf-8")


def was_tested(root: Path) -> bool:
    """Whether the tests have passed on what is committed."""
    try:
        noted = json.loads((root / TESTED).read_text(encoding="utf-8"))["tree"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return noted == git(root, "rev-parse", "HEAD^{tree}")


def obstacle(root: Path, version: str) -> str | None:
    """Why no release can be made, and what to do about it; None where one can."""
    found, now = VERSION.fullmatch(version), version_of(root)
    if found is None:
        return f"expected a version such as 0.2.0, got {version!r}"
    if tuple(map(int, found.groups())) < tuple(map(int, now.split("."))):
        return f"{version} comes before {now}, which this is: give a later one"
    if git(root, "rev-parse", "HEAD") is None:
        return "this is no git checkout with a commit, in which a tag could be made"
    if git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/v{version}"):
        return f"the tag v{version} is there already: give a later version"
    if not is_clean(root):
        return "there are changes that are not committed: commit or undo them (`git status`)"
    if not was_tested(root):
        return "the tests have not passed on this commit: run `make test`, then this again"
    return None


def release(root: Path, version: str) -> str | None:
    """Write, commit, tag; returns a complaint where that fails, with everything put back."""
    complaint = obstacle(root, version)
    if complaint:
        return complaint
    set_version(root, version, datetime.date.today())
    off = sorted({name for name, found in standing(root) if found != version})
    message = f"Version {version}"
    if off:
        complaint = f"the version could not be written to {', '.join(off)}"
    elif not is_clean(root) and git(root, "commit", "--quiet", "--all", "-m", message) is None:
        complaint = "git would not commit; `git commit` says why"
    elif git(root, "tag", "--annotate", f"v{version}", "-m", message) is None:
        complaint = f"git would not make the tag v{version}, but has committed"
    if complaint:
        git(root, "checkout", "--quiet", "--", ".")
    return complaint


def check(root: Path, tag: str) -> str | None:
    """Why a tree is not the release of the tag; None where it is."""
    off = {name: version for name, version in standing(root) if f"v{version}" != tag}
    if off:
        return "; ".join(f"{name} says {version}" for name, version in off.items())
    return None if release_tag(root) == tag else "the tag is not at this commit, or it has changes"


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--check"] and len(arguments) == 2:
        complaint = check(ROOT, arguments[1])
        if complaint:
            print(f"This is not {arguments[1]}: {complaint}.", file=sys.stderr)
        return 1 if complaint else 0
    if arguments[:1] == ["--tested"]:
        if len(arguments) == 1:  # more means that some of the tests were chosen
            note_tested(ROOT)
        return 0
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    complaint = release(ROOT, arguments[0])
    if complaint:
        print(f"No release was made: {complaint}.", file=sys.stderr)
        return 1
    tag, branch = f"v{arguments[0]}", git(ROOT, "branch", "--show-current") or "main"
    print(f"{tag} is made. To publish it: git push --atomic origin {branch} {tag}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
