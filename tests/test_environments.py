"""What runs at other versions: what is asked of an environment, and what Colab's lists say."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import colab
import environments
import pytest
import versions
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """The commands that make an environment, which are not run; `fail` among them fails pip."""
    lines = []

    def run(line, **options):
        lines.append([str(part) for part in line])
        if "fail" in line:
            raise subprocess.CalledProcessError(1, line)

    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "environments")
    monkeypatch.setattr(environments, "version_of", lambda python: "3.99")
    monkeypatch.setattr(environments, "python_of", lambda environment: environment.parent)
    monkeypatch.setattr(environments.subprocess, "run", run)
    return lines


def test_an_environment_is_made_once_and_anew_when_something_else_is_asked(ran):
    for asked in (["a==1"], ["a==1"], ["a==2"]):
        environments.make("some", asked, constraints=["b==3"])
    made = [line for line in ran if "venv" in line]
    assert len(made) == 2 and all("--clear" in line for line in made)
    assert [line[-1] for line in ran if "pip" in line] == ["a==1", "a==2"]
    held = next(line[line.index("--constraint") + 1] for line in ran if "pip" in line)
    assert Path(held).read_text(encoding="utf-8") == "b==3\n"


def test_one_whose_making_failed_is_made_again(ran):
    with pytest.raises(subprocess.CalledProcessError):
        environments.make("some", ["fail"])
    environments.make("some", ["a"])
    with pytest.raises(subprocess.CalledProcessError):
        environments.make("some", ["fail"])
    environments.make("some", ["a"])
    assert sum("venv" in line for line in ran) == 4


def test_a_python_is_found_by_its_version(monkeypatch, tmp_path):
    assert environments.find_python(THIS) == sys.executable
    assert environments.find_python("9.9") is None
    kept = tmp_path / "versions" / "9.9.1" / "bin" / "python"
    kept.parent.mkdir(parents=True)
    kept.write_text("")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    says = {str(kept): "9.9"}
    monkeypatch.setattr(environments, "version_of", lambda python: says.get(python, THIS))
    assert environments.find_python("9.9") == str(kept)


# The oldest and the newest


def test_the_oldest_are_exactly_the_bounds_and_the_newest_have_none():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = {r.name: r.specifier for r in map(Requirement, versions.requirements("oldest"))}
    for bound in map(Requirement, project["dependencies"]):
        assert str(bound.specifier).removeprefix(">") == str(oldest[bound.name])[1:]
    newest = versions.requirements("newest")
    assert set(newest) == set(oldest) and not any(Requirement(r).specifier for r in newest)


@pytest.mark.parametrize(
    ("which", "at_hand", "taken"),
    [
        ("oldest", ["3.11", "3.14"], "3.11"),
        ("newest", ["3.11", "3.13", "3.14", "3.15"], "3.14"),
        ("newest", ["3.11", "3.13"], "3.13"),
        ("oldest", ["3.13"], sys.executable),
    ],
)
def test_they_run_on_the_oldest_and_the_newest_python_there_is(monkeypatch, which, at_hand, taken):
    monkeypatch.setattr(environments, "find_python", {name: name for name in at_hand}.get)
    assert versions.python_for(which) == taken


def test_what_is_run_at_other_versions_is_there():
    for name in versions.TESTS:
        assert list(ROOT.glob(f"tests/test_{name}.py")), name
    for name in versions.CHAPTERS:
        assert (ROOT / "chapters" / f"{name}.ipynb").is_file(), name


# Colab's lists


def test_a_package_is_read_however_it_was_installed():
    text = """# pip freeze
numpy==2.1.3
en_core_web_sm @ https://github.com/a/b/releases/en_core_web_sm-3.8.0-py3-none-any.whl#sha256=19
google-colab @ file:///colabtools/dist/google_colab-1.0.0.tar.gz
torch @ https://example.org/whl/cpu/torch-2.11.0%2Bcpu-cp313-cp313-manylinux_2_28_x86_64.whl
access==1.1.10.post3
kernel_gateway @ git+https://github.com/a/kernel_gateway@b134e9945df25c2dcb98ade9129399be107
"""
    assert colab.versions(text) == {
        "numpy": "2.1.3",
        "en-core-web-sm": "3.8.0",
        "google-colab": "1.0.0",
        "torch": "2.11.0",
        "access": "1.1.10.post3",
    }


def test_colab_has_all_that_the_library_needs_in_versions_that_it_accepts():
    """Each that it had not, or not so new, would be installed before a chapter begins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for listed in (colab.on_cpu(), colab.on_gpu()):
        assert set(colab.NEEDED) <= set(listed)
        for bound in map(Requirement, project["dependencies"]):
            assert listed[bound.name] in bound.specifier, bound
    assert environments.version_of(sys.executable) == THIS
    python = tuple(map(int, colab.python_version().split(".")))
    assert python >= tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))


def test_metadata_make_pip_see_a_package(tmp_path):
    colab.list_metadata(tmp_path, {"a-b": "1.2", "c": "3"}, {"c"})
    line = [sys.executable, "-m", "pip", "list", "--path", str(tmp_path), "--format=json"]
    listed = json.loads(subprocess.check_output([*line, "--disable-pip-version-check"], text=True))
    assert listed == [{"name": "a-b", "version": "1.2"}]
