"""Environments beside .venv, for what has to hold at other versions: in _build/environments.

One is made once for what is asked of it, and anew when that changes. Some gigabytes each, where
torch comes with a GPU's libraries; `make clean` removes them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock
from processes import python_of

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_build" / "environments"
SAY_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def packages_of(python: Path) -> Path:
    """Where an environment's packages lie."""
    say = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.check_output([str(python), "-I", "-c", say], text=True).strip())


def make(
    name: str, requirements: Sequence[str], *, constraints: Sequence[str] = (), python: str = ""
) -> Path:
    """The environment's Python, once it holds the requirements; raises where pip fails."""
    python = python or sys.executable
    asked = json.dumps([version_of(python), list(requirements), list(constraints)], indent=1)
    environment, made = FOLDER / name, FOLDER / f"{name}.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / f".{name}.lock"):
        is_there = made.exists() and python_of(environment).exists()
        if is_there and made.read_text(encoding="utf-8") == asked:
            return python_of(environment)
        made.unlink(missing_ok=True)
        print(f"Installing into {environment.relative_to(ROOT)} ...", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", str(environment)], check=True)
        held = FOLDER / f"{name}.txt"
        held.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        _install(python_of(environment), requirements, held)
        made.write_text(asked, encoding="utf-8")
    return python_of(environment)


def _install(python: Path, requirements: Sequence[str], held: Path) -> None:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    line = [*pip, "--constraint", str(held), *requirements]
    subprocess.run(line, check=True, env=with_variables({"PYTHONPATH": None}))


def version_of(python: str) -> str:
    """A Python's version, such as "3.13"; nothing where it does not start."""
    done = subprocess.run([python, "-c", SAY_VERSION], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def find_python(version: str) -> str | None:
    """A Python of a version: this one, one on the path, or one of pyenv's."""
    for python in _candidates(version):
        if version_of(python) == version:
            return python
    return None


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def with_variables(changes: dict[str, str | None]) -> dict[str, str]:
    """This process's environment variables with some set, or taken away by None."""
    return {name: value for name, value in (os.environ | changes).items() if value is not None}
