"""An environment of their own for the rivals, with the torch that the book itself runs on."""

import hashlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parent / ".venv-bench"
PYTHON = FOLDER / "bin" / "python"
BASE = ("torch", "numpy", "pillow")


def install():
    """Install what is missing; returns the reasons of those that failed, by requirement."""
    lines = (HERE / "requirements.txt").read_text().splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]
    # Without the local part, "+cpu", which an index may not offer: it satisfies the plain version.
    base = [f"{name}=={version(name).split('+')[0]}" for name in BASE]
    wanted = hashlib.sha256("\n".join([sys.version, *base, *requirements]).encode()).hexdigest()
    marker = FOLDER / "installed.json"
    if marker.exists() and json.loads(marker.read_text()) == wanted:
        return {}
    print(f"Installing the rivals into {FOLDER.name} (a few minutes) ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    constraints = FOLDER / "constraints.txt"
    constraints.write_text("\n".join(base))
    if failure := _pip(constraints, *base):
        return dict.fromkeys(["torch", *map(_name, requirements)], failure)
    failures = {_name(line): _pip(constraints, line) for line in requirements}
    failures = {name: reason for name, reason in failures.items() if reason}
    if not failures:
        marker.write_text(json.dumps(wanted))
    return failures


def _name(requirement):
    return requirement.partition("==")[0]


def _pip(constraints, *requirements):
    """None, or the reason why pip failed."""
    print(f"  {', '.join(requirements)}", file=sys.stderr, flush=True)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--retries", "1", "--constraint", constraints, *requirements]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "pip: " + (errors[-1] if errors else "failed")
