"""The library at other versions than constraints.txt has: python book/versions.py oldest|newest

`oldest` is every lower bound that pyproject.toml names for the library and its tests, exactly;
`newest` what pip takes without a word about versions. Each gets an environment of its own, on the
oldest Python that is promised or the newest that is at hand, in which the library's tests run, and
then some chapters. Further arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import environments
import execution
import nbformat
from build import verdict
from packaging.requirements import Requirement
from records import Outcome

ROOT = Path(__file__).resolve().parents[1]
NEWEST = "3.14"  # the newest Python that torch has wheels for: it names 3.15, and has none
# Those that look at vae_lib alone: at no browser, no site and no notebook but for its exercises.
TESTS = ("acceptance", "chapter_exercises", "checks", "claims", "conditionals*", "data*", "devices")
TESTS += ("evaluation*", "exercise_answers", "exercises", "laws", "live_display", "models")
TESTS += ("networks", "objectives", "plots", "quizzes", "rotated", "training_*")
# The measures and scikit-learn's neighbours; SciPy and quadrature; fit's settings and checkpoints.
CHAPTERS = ("01_autoencoder", "06_elbo", "08_training")
UNUSED = {"ruff", "zizmor"}  # of the tests' packages: these run nothing of ours
ALSO = ["nbclient"]  # with which some tests run cells, and which jupyter-book brings elsewhere


def described(root: Path) -> dict:
    """The project as pyproject.toml describes it."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def python_for(which: str, root: Path = ROOT) -> str:
    """The oldest Python that is promised or the newest at hand; this one for want of either."""
    oldest = described(root)["requires-python"].removeprefix(">=")
    last, first = (int(version.partition(".")[2]) for version in (NEWEST, oldest))
    tried = [first] if which == "oldest" else range(last, first - 1, -1)
    found = (environments.find_python(f"3.{minor}") for minor in tried)
    return next(filter(None, found), sys.executable)


def wanted(root: Path) -> list[Requirement]:
    """What the library and its tests need, as pyproject.toml says it."""
    project = described(root)
    listed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return [r for r in map(Requirement, listed) if r.name not in UNUSED]


def lowest(requirement: Requirement) -> str:
    """A requirement's one lower bound, as the version that has to hold."""
    (bound,) = [s.version for s in requirement.specifier if s.operator == ">="]
    return f"{requirement.name}=={bound}"


def requirements(which: str, root: Path = ROOT) -> list[str]:
    """The oldest of each that is allowed, exactly, or each without a version."""
    asked = wanted(root)
    return [*(lowest(r) if which == "oldest" else r.name for r in asked), *ALSO]


def run_tests(python: Path, more: list[str]) -> int:
    files = [str(path) for name in TESTS for path in sorted(ROOT.glob(f"tests/test_{name}.py"))]
    line = [str(python), "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider"]
    variables = {"PYTHONPATH": str(ROOT), "VAE_BOOK_BROWSER": None}
    environment = environments.with_variables(variables)
    return subprocess.run([*line, *files, *more], cwd=ROOT, env=environment).returncode


def run_chapter(python: Path, name: str) -> bool:
    """Whether a chapter ran without a failure; says what was found."""
    path = ROOT / "chapters" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    variables = {"PYTHONPATH": str(ROOT)}
    result = execution.run(notebook, python=str(python), variables=variables)
    outcome = Outcome(path, result, execution.findings(result, notebook), ran_now=True)
    print(f"{name}: {verdict(outcome)}", flush=True)
    return not outcome.failed


def main(arguments: list[str]) -> int:
    which, *more = arguments or [""]
    if which not in ("oldest", "newest"):
        print(__doc__, file=sys.stderr)
        return 2
    python = environments.make(which, requirements(which), python=python_for(which))
    print(f"Python {environments.version_of(str(python))}", flush=True)
    listing = [str(python), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    subprocess.run(listing, check=True)
    status = run_tests(python, more)
    runs = [partial(run_chapter, python, name) for name in CHAPTERS]
    ran = [*execution.side_by_side(runs, jobs=2)]
    return status or int(not all(ran))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
