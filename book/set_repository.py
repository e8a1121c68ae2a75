"""Give a fork its own address: python book/set_repository.py https://github.com/you/fork

The address stands in `_config.yml`; this rewrites it there and wherever else it is repeated, in
text, notebooks, workflows and what the package and the citation say of themselves, along with what
follows from it: the site's address, and the folder into which a clone goes. It takes what GitHub
offers for cloning, by https or by ssh.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from publishing import address_of

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = re.compile(
    r"(?:https?://(?:www\.)?|ssh://git@|git@|git://|)github\.com[/:]([\w-]+)/([\w.-]+?)(?:\.git)?/*"
)
NOT_OURS = {".git", ".venv", ".venv-bench", "_build", "build", "my_answers", "__pycache__"}
REFUSED = (
    "expected an address such as https://github.com/you/fork or git@github.com:you/fork.git, got "
    "{address}. It has to be on GitHub, from where Colab opens the chapters and the workflows "
    "publish the site; a book that is kept elsewhere needs a mirror there."
)


def repository(root: Path) -> str:
    """The book's address as `_config.yml` has it."""
    config = (root / "_config.yml").read_text(encoding="utf-8")
    return yaml.safe_load(config)["repository"]["url"]


def parse(address: str) -> tuple[str, str]:
    """Owner and name of a repository on GitHub."""
    found = ADDRESS.fullmatch(address.strip())
    if found is None or found[2] in {".", "..", ".git"}:
        raise ValueError(REFUSED.format(address=address))
    return found[1], found[2]


def own_files(root: Path) -> Iterator[Path]:
    """The files of the book: what git has or would have, or, in a copy without it, all there is."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [root / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [p for p in root.rglob("*") if not NOT_OURS & set(p.relative_to(root).parts)]
    yield from (path for path in sorted(paths) if path.is_file() and not path.is_symlink())


def replacements(root: Path, old: tuple[str, str], new: tuple[str, str]) -> Iterator[tuple]:
    """What is to be found, and what is to stand there."""
    slug, slug_now = "/".join(old), "/".join(new)
    ends = r"(?![\w-]|\.(?!git\b)\w)"  # a longer name is another repository's
    hosts = (
        r"github\.com[/:]|(?:google\.com|nbviewer\.org)/github/|/v2/gh/|usercontent\.com/|/repos/"
    )
    yield re.compile(f"({hosts}){re.escape(slug)}{ends}", re.IGNORECASE), rf"\g<1>{slug_now}"
    if not (root / slug).exists():  # else it may be a path
        bare = rf"(?<![\w./:-])({re.escape(slug)}){ends}"
        yield re.compile(bare, re.IGNORECASE), slug_now
    site, site_now = (
        address_of(f"https://github.com/{'/'.join(pair)}").removeprefix("https://").rstrip("/")
        for pair in (old, new)
    )
    yield re.compile(re.escape(site) + r"(?![\w-]|\.\w)", re.IGNORECASE), site_now
    folder = rf"(^ *name: |\bcd |conda activate ){re.escape(old[1])}(?![\w/-]|\.\w)"
    yield re.compile(folder, re.MULTILINE), rf"\g<1>{new[1]}"


def set_repository(root: Path, address: str) -> list[Path]:
    """Rewrite the address everywhere; returns the files that changed."""
    new, old = parse(address), parse(repository(root))
    rules, changed = list(replacements(root, old, new)), []
    for path in own_files(root):
        content = path.read_bytes()
        try:
            rewritten = content.decode("utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        if old[1].lower() not in rewritten.lower():
            continue
        for found, instead in rules:
            rewritten = found.sub(instead, rewritten)
        if rewritten.encode("utf-8") != content:
            path.write_bytes(rewritten.encode("utf-8"))
            changed.append(path)
    return changed


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        changed = set_repository(ROOT, arguments[0])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for path in changed:
        print(path.relative_to(ROOT))
    if changed:
        print(
            "The install cells ask for a tag of your repository: commit this, run the tests, and "
            "make one with `make release VERSION=...` (python -m book release ...)."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
