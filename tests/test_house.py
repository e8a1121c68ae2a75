"""The rules of the house: what may import what, how long things may be, which versions agree."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "vae_lib"
MODULES = sorted(LIBRARY.rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# What each part of the library may import of the rest; where none is named, nothing but types.
MAY_IMPORT = {"evaluation": {"objectives"}, "exercises": None, "__init__": None}

# Assembled, so that the rule does not break itself.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~$}>])/(?:" + "|".join(["work", "home", "root", "Users", "tmp"]) + r")/\w"
)
PACKAGE_HOSTS = ("py" + "pi.org", "python" + "hosted.org", "ana" + "conda.org")


def module_id(path):
    return str(path.relative_to(LIBRARY))


def part(path):
    """The part of the library that a file belongs to: models, live, exercises, ..."""
    return path.relative_to(LIBRARY).with_suffix("").parts[0]


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def imports(tree, package):
    """The modules of vae_lib that are imported when the code runs, types left out."""
    if is_type_checking(tree):
        return set()
    found = set()
    if isinstance(tree, ast.Import):
        found = {alias.name for alias in tree.names}
    elif isinstance(tree, ast.ImportFrom):
        above = package[: len(package) - tree.level + 1] if tree.level else ()
        base = ".".join([*above, *filter(None, [tree.module])])
        found = {f"{base}.{alias.name}" for alias in tree.names}
    for child in ast.iter_child_nodes(tree):
        found |= imports(child, package)
    return {name for name in found if name.partition(".")[0] == "vae_lib"}


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_parts_of_the_library_meet_through_arguments(path):
    allowed = MAY_IMPORT.get(part(path), set())
    if allowed is None:
        return
    package = path.relative_to(ROOT).parent.parts
    found = imports(ast.parse(path.read_text(encoding="utf-8")), package)
    others = {name.split(".")[1] for name in found if "." in name} - {part(path)}
    assert others <= allowed, f"{module_id(path)} imports {others - allowed} of vae_lib"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from vae_lib.models import VAE", {"vae_lib.models.VAE"}),
        ("from . import models", {"vae_lib.models"}),
        ("from ..data import load", {"vae_lib.data.load"}),
        ("def f():\n    import vae_lib.data", {"vae_lib.data"}),
        ("if TYPE_CHECKING:\n    from vae_lib.models import VAE", set()),
        ("import torch", set()),
    ],
)
def test_imports_are_seen_in_every_spelling(source, found):
    package = ("vae_lib", "live") if ".." in source else ("vae_lib",)
    assert imports(ast.parse(source), package) == found


def test_the_library_is_read_in_an_afternoon():
    core = [path for path in MODULES if part(path) not in {"live", "exercises"}]
    lines = [line for path in core for line in path.read_text(encoding="utf-8").splitlines()]
    assert sum(bool(line.strip()) for line in lines) < 1_500


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_functions_fit_on_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 25, f"{node.name} in {module_id(path)} has {lines} lines"


def project_files():
    """Every file that is, or would be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_machine_or_a_package_host():
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found = MACHINE_PATH.search(text)
        assert not found, f"{path.relative_to(ROOT)} names the path {found.group()}..."
        for host in PACKAGE_HOSTS:
            assert host not in text, f"{path.relative_to(ROOT)} names {host}"


def direct_dependencies():
    """What pyproject.toml asks for, extras among them, by name."""
    extras = PYPROJECT.get("optional-dependencies", {}).values()
    listed = [*PYPROJECT["dependencies"], *(item for extra in extras for item in extra)]
    requirements = [Requirement(item) for item in listed]
    return {r.name.lower(): r.specifier for r in requirements if r.name != PYPROJECT["name"]}


def test_conda_users_get_the_same_versions():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = [item for entry in listed if isinstance(entry, dict) for item in entry["pip"]]
    by_conda = [entry for entry in listed if isinstance(entry, str) and entry != "pip"]
    in_conda = [
        Requirement(item) for item in [*by_conda, *by_pip] if not item.startswith(("-", "."))
    ]
    renamed = {"pytorch": "torch", "pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
    versions = {renamed.get(r.name.lower(), r.name.lower()): r.specifier for r in in_conda}
    assert versions.pop("python") == SpecifierSet(PYPROJECT["requires-python"])
    assert versions == direct_dependencies()


def test_every_direct_dependency_is_pinned_for_the_continuous_build():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))]
    pinned = {r.name.lower(): str(r.specifier).removeprefix("==") for r in pins}
    for name, specifier in direct_dependencies().items():
        assert name in pinned, f"constraints.txt does not pin {name}"
        assert pinned[name] in specifier, f"{name}=={pinned[name]} is not {specifier}"
