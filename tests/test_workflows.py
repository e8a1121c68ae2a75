"""The workflows: pinned, allowed no more than they need, and doing what the book's commands do."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import colab
import pytest
import versions
import yaml

from book.__main__ import COMMANDS
from vae_lib.data import DATASETS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.y*ml"))
USES = re.compile(r"^ *(?:- )?uses: *(\S+)(?: +(#.*))?$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def text(request):
    return request.param.read_text(encoding="utf-8")


def workflow(name):
    return yaml.safe_load((FOLDER / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def steps(name, job):
    return workflow(name)["jobs"][job]["steps"]


def test_every_action_is_pinned_by_its_commit_and_says_which_version_that_is(text):
    used = USES.findall(text)
    assert len(used) == text.count("uses:")
    for action, version in used:
        assert PINNED.fullmatch(action), f"{action} is not pinned by a commit's 40 digits"
        assert re.fullmatch(r"# v\d+\.\d+\.\d+", version), f"{action} says no version behind it"


def test_an_action_has_one_version_everywhere():
    every = {use for path in WORKFLOWS for use in USES.findall(path.read_text(encoding="utf-8"))}
    actions = [action.partition("@")[0] for action, _ in every]
    assert len(actions) == len(set(actions))


def test_every_job_has_its_own_permissions_and_an_end(text):
    parsed = yaml.safe_load(text)
    assert parsed["permissions"] == {}
    for name, job in parsed["jobs"].items():
        assert isinstance(job["permissions"], dict), name
        assert 0 < job["timeout-minutes"] <= 60, name


def test_only_what_deploys_or_releases_may_write():
    writes = {
        (path.stem, name): {what for what, right in job["permissions"].items() if right == "write"}
        for path in WORKFLOWS
        for name, job in workflow(path.stem)["jobs"].items()
    }
    assert {where: rights for where, rights in writes.items() if rights} == {
        ("publish", "deploy"): {"pages", "id-token"},
        ("publish", "release"): {"contents"},
    }


def test_what_may_write_runs_nothing_of_the_book(text):
    for name, job in yaml.safe_load(text)["jobs"].items():
        if "write" in job["permissions"].values():
            ours = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
            assert not ours, f"{name} may write, and checks the book out"


def test_no_token_is_left_in_a_checkout(text):
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            if "actions/checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_every_command_of_the_book_that_is_run_is_there(text):
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            for name in re.findall(r"-m book (\S+)", step.get("run", "")):
                assert name in COMMANDS


def test_the_oldest_and_the_newest_python_are_tested_on_three_systems():
    matrix = workflow("tests")["jobs"]["test"]["strategy"]["matrix"]
    systems = {name.partition("-")[0] for name in matrix["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest, newest = matrix["python"]
    assert newest == versions.NEWEST
    assert oldest == project["requires-python"].removeprefix(">=")
    # Naming a version is not enough, since 2.13 named 3.15 and had no wheels for it.
    assert f"Programming Language :: Python :: {newest}" in metadata.metadata("torch").get_all(
        "Classifier"
    )


def test_no_apple_gpu_is_used_where_there_is_only_the_report_of_one():
    named = workflow("tests")["jobs"]["test"]["env"]["VAE_LIB_DEVICE"]
    assert named == "${{ startsWith(matrix.os, 'macos') && 'cpu' || '' }}"


def test_the_chapters_run_on_colabs_python():
    settings = [step.get("with", {}) for step in steps("tests", "colab")]
    (python,) = (each["python-version"] for each in settings if "python-version" in each)
    assert python == colab.python_version()


def test_the_oldest_versions_are_tried_on_the_oldest_python_and_the_newest_on_the_newest():
    tried = workflow("tests")["jobs"]["versions"]["strategy"]["matrix"]["include"]
    pythons = workflow("tests")["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert [(each["versions"], each["python"]) for each in tried] == list(
        zip(("oldest", "newest"), pythons, strict=True)
    )
    runs = "\n".join(step.get("run", "") for step in steps("tests", "versions"))
    assert "book oldest" in runs and "book newest" in runs


def test_the_book_is_built_once_a_week_on_what_has_to_be_downloaded():
    triggers = workflow("mnist")[True]  # YAML reads `on` as true
    assert triggers.keys() == {"schedule", "workflow_dispatch"}
    runs = [step["run"] for step in steps("mnist", "build") if "run" in step]
    assert runs == ["python -m book mnist"]
    # The others with files are none that the chapters can be built on (book/other_data.py).
    assert {name for name, known in DATASETS.items() if known.sha256 and known.drawing} == {"mnist"}


def test_a_tag_gives_a_release_with_wheel_pdf_and_site_and_a_branch_none():
    triggers = workflow("publish")[True]  # YAML reads `on` as true
    assert triggers["push"] == {"tags": ["v*"]}
    jobs = workflow("publish")["jobs"]
    assert jobs["release"]["if"] == "github.ref_type == 'tag'"
    assert jobs["release"]["needs"] == jobs["deploy"]["needs"] == "build"
    runs = [step.get("run", "") for step in steps("publish", "build")]
    order = ["release --check", "book test", "book dist"]
    places = [next(i for i, run in enumerate(runs) if part in run) for part in order]
    assert places == sorted(places)
    kept, site = (
        step["with"]["path"] for step in steps("publish", "build") if "upload-" in str(step)
    )
    assert (kept, site) == ("_build/dist", "_build/html")
    fetched = next(step["with"] for step in steps("publish", "release") if "uses" in step)
    released = steps("publish", "release")[-1]["run"]
    assert fetched["path"] == "dist" and released.endswith("dist/*") and "--verify-tag" in released


def test_what_is_released_comes_from_no_cache():
    used = [step for job in workflow("publish")["jobs"].values() for step in job["steps"]]
    assert not any(
        "cache" in step.get("uses", "") or "cache" in step.get("with", {}) for step in used
    )


def test_actions_and_pins_are_kept_fresh():
    updates = yaml.safe_load((FOLDER / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "pip"}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for update in updates:
        for held in update.get("ignore", []):
            assert re.search(rf"^#.*\b{held['dependency-name']}\b", pins, re.MULTILINE)


def test_nothing_in_the_workflows_can_be_abused():
    zizmor = shutil.which("zizmor", path=Path(sys.executable).parent) or shutil.which("zizmor")
    if zizmor is None:
        assert not os.environ.get("CI"), "zizmor is not installed"
        pytest.skip("zizmor is not installed")
    command = [zizmor, "--offline", "--quiet", "--no-progress", "--persona=pedantic", str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
