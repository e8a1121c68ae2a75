"""The library at other versions than constraints.txt has: python book/versions.py oldest|newest

`oldest` is every lower bound that pyproject.toml names for the library and its tests, exactly;
`newest` what pip takes without a word about versions. Each gets an environment of its own, in
which the library's tests run, and then some chapters. Further arguments go to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import environments
import execution
import nbformat
from build import verdict
from packaging.requirements import Requirement
from records import Outcome

ROOT = Path(__file__).resolve().parents[1]
# Those of the tests that look at vae_lib alone, without a browser, the site or a notebook.
TESTS = ("acceptance", "chapter_exercises", "checks", "claims", "conditionals", "data", "devices")
TESTS += (
    "evaluation",
    "evaluation_inputs",
    "exercise_answers",
    "exercises",
    "laws",
    "live_display",
)
TESTS += ("models", "networks", "objectives", "plots", "quizzes", "training_*")
# The measures and scikit-learn's neighbours; SciPy and quadrature; fit's settings and checkpoints.
CHAPTERS = ("01_autoencoder", "06_elbo", "08_training")
UNUSED = ("ruff", "zizmor")  # these run nothing of ours


def bounds() -> list[Requirement]:
    """What the library and its tests need, as pyproject.toml says it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return [r for r in map(Requirement, listed) if r.name not in UNUSED]


def requirements(which: str) -> list[str]:
    """The oldest of each that is allowed, exactly, or each without a version."""
    if which == "newest":
        return [r.name for r in bounds()]
    return [f"{r.name}=={lowest(r)}" for r in bounds()]


def lowest(requirement: Requirement) -> str:
    (bound,) = [s.version for s in requirement.specifier if s.operator == ">="]
    return bound


def run_tests(python: Path, more: list[str]) -> int:
    files = [str(path) for name in TESTS for path in sorted(ROOT.glob(f"tests/test_{name}.py"))]
    variables = {"PYTHONPATH": str(ROOT), "VAE_BOOK_BROWSER": None}
    line = [str(python), "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider"]
    environment = environments.with_variables(variables)
    return subprocess.run([*line, *files, *more], cwd=ROOT, env=environment).returncode


def run_chapter(python: Path, name: str) -> bool:
    """Whether a chapter ran without a failure; says what was found."""
    path = ROOT / "chapters" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    variables = {"PYTHONPATH": str(ROOT)}
    result = execution.run(notebook, python=str(python), variables=variables)
    outcome = Outcome(path, result, execution.findings(result, notebook), ran_now=True)
    print(verdict(outcome), flush=True)
    return not outcome.failed


def main(arguments: list[str]) -> int:
    which, *more = arguments or [""]
    if which not in ("oldest", "newest"):
        print(__doc__, file=sys.stderr)
        return 2
    python = environments.make(which, requirements(which))
    subprocess.run([str(python), "-m", "pip", "list", "--format=freeze"], check=True)
    status = run_tests(python, more)
    ran = [run_chapter(python, name) for name in CHAPTERS]
    return status or int(not all(ran))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
