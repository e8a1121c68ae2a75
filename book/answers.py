"""JupyterLab on chapters of one's own: python book/answers.py [FOLDER]

Without a folder it is `my_answers`, which git does not see and no update touches. Chapters that it
lacks are copied into it; what is there is never written again. `python book/answers.py chapters`
opens the book's own, for whoever writes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from processes import call

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "my_answers"
BEGUN = ".begun.json"  # of which state of the book each copy was made


def begun_from(folder: Path) -> dict[str, str]:
    """The sha256 of the chapter that each copy was made from; nothing where that is not known."""
    try:
        known = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def lay_out(chapters: Path, folder: Path) -> list[str]:
    """Copy the chapters that are not there yet; returns the names of those that changed since."""
    folder.mkdir(exist_ok=True)
    begun, changed = begun_from(folder), []
    for chapter in sorted(chapters.glob("*.ipynb")):
        now = hashlib.sha256(chapter.read_bytes()).hexdigest()
        copy = folder / chapter.name
        if not copy.exists():
            shutil.copyfile(chapter, copy)
            begun[chapter.name] = now
        elif begun.get(chapter.name, now) != now:
            changed.append(chapter.name)
    (folder / BEGUN).write_text(json.dumps(begun, indent=1), encoding="utf-8")
    return changed


def main(arguments: list[str]) -> int:
    folder = ROOT / (arguments[0] if arguments else FOLDER)
    if folder != ROOT / "chapters":
        for name in lay_out(ROOT / "chapters", folder):
            print(
                f"{name} has changed in the book since you began it. Yours is left as it is; "
                f"rename it to have the new one beside it at the next start.",
                flush=True,
            )
        print(f"Your chapters lie in {folder}", flush=True)
    # It refuses to start for root, as whom one works in most containers.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    lab = [sys.executable, "-m", "jupyterlab", *(["--allow-root"] if is_root else []), str(folder)]
    return call(lab)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
