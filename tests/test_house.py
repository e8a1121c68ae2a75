"""The rules of the house: what may import what, how long things may be, which versions agree."""

import ast
import os
import re
import subprocess
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from javascript_functions import function_lengths
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "vae_lib"
MODULES = sorted(LIBRARY.rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

COMMANDS = sorted((ROOT / "book").rglob("*.py"))
SCRIPTS = sorted([*LIBRARY.rglob("*.js"), *(ROOT / "book").glob("*.js")])

# What each part of the library may import of the rest, types aside. All may import the foundation,
# where input is checked, which itself imports nothing; plots.py and diagram.py are one part in two
# files.
FOUNDATION = "checks"
MAY_IMPORT = {
    "evaluation": {"objectives", FOUNDATION},
    "semi_supervised": {"objectives", FOUNDATION},
    "plots": {"diagram", FOUNDATION},
    FOUNDATION: set(),
    "exercises": None,
    "__init__": None,
}

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
    allowed = MAY_IMPORT.get(part(path), {FOUNDATION})
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


def lines_of_code(source):
    """How many lines are neither blank nor a comment nor part of a docstring."""
    words = set()
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            words.update(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in words
        for number, line in lines
    )


@pytest.mark.parametrize(
    ("source", "n"),
    [
        ("", 0),
        ('"""A module."""\n\nx = 1  # one\n', 1),
        ('def f():\n    """Does.\n\n    Much.\n    """\n    # Why.\n    return 1\n', 2),
        ('SIZE = 3\n"""What it is."""\n', 1),
        ('words = """one\ntwo"""\n', 2),
    ],
)
def test_lines_of_code_leave_out_words_about_it(source, n):
    assert lines_of_code(source) == n


def test_the_library_is_read_in_an_afternoon():
    # Code alone: docstrings and comments are asked for, and should cost nothing here.
    core = [path for path in MODULES if part(path) not in {"live", "exercises"}]
    assert sum(lines_of_code(path.read_text(encoding="utf-8")) for path in core) < 3_850


@pytest.mark.parametrize(
    "path", [*MODULES, *COMMANDS, *SCRIPTS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_module_is_read_in_one_sitting(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 250


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_of_scripts_fit_on_a_screen(path):
    for line, length in function_lengths(path.read_text(encoding="utf-8")):
        assert length <= 60, f"the function in line {line} has {length} lines"


@pytest.mark.parametrize(
    ("source", "lengths"),
    [
        ("function f() {\n  return 1;\n}", [(1, 3)]),
        ("const f = (a, b) => {\n\n  // }\n};", [(1, 3)]),
        ("const f = () => (\n  1 +\n  2\n);", [(1, 4)]),
        ("if (a) {\n}\nfor (const b of c) {\n}", []),
        (
            "const f = () => {\n  if (a) {\n  }\n  const g = function () {\n  };\n};",
            [(1, 6), (4, 2)],
        ),
        ("class A {\n  b(c) {\n  }\n  get d() { return 1; }\n}", [(2, 2), (4, 1)]),
        ("const f = (s) => {\n  s.replace(/[{/]\\{/g, '}').split(\"{\");\n};", [(1, 3)]),
        ("const f = (s) => {\n  return `{${s.map((a) => { return a; })}`;\n};", [(1, 3)]),
        ("const half = (a) => { return a / 2 / b; };\nconst g = {\n  a: 1,\n};", [(1, 1)]),
        ("const f = ({ a, b } = {}) => {\n};", [(1, 2)]),
    ],
)
def test_functions_of_scripts_are_found_in_every_spelling(source, lengths):
    assert function_lengths(source) == lengths


def library_classes():
    """(file, class) for each class of the library."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield path, node


def test_there_are_no_base_classes_of_our_own():
    ours = {node.name for _, node in library_classes()}
    for path, node in library_classes():
        bases = {ast.unparse(base).split("[")[0].rpartition(".")[2] for base in node.bases}
        assert not bases & ours, f"{node.name} in {module_id(path)} is made from {bases & ours}"


def passed_through(tree):
    """Functions that hand a `**` parameter on to others, overridden methods left out."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.args.kwarg is None:
            continue
        for call in (child for child in ast.walk(node) if isinstance(child, ast.Call)):
            handed = [word.value for word in call.keywords if word.arg is None]
            is_super = ast.unparse(call.func) == f"super().{node.name}"
            names = {value.id for value in handed if isinstance(value, ast.Name)}
            if node.args.kwarg.arg in names and not is_super:
                yield node.name


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_keyword_arguments_are_not_passed_through_unnamed(path):
    assert not list(passed_through(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(**options):\n    return g(1, **options)", ["f"]),
        ("def f(x, **kwargs):\n    def g():\n        h(**kwargs)", ["f"]),
        ("def f(self, **kwargs):\n    return super().f(**kwargs)", []),
        ("def f(**names):\n    return dict(names)", []),
        ("def f(options):\n    return g(**options)", []),
    ],
)
def test_arguments_passed_through_are_seen(source, found):
    assert list(passed_through(ast.parse(source))) == found


def test_no_module_is_a_drawer():
    drawers = {"util", "utils", "helpers", "common", "misc"}
    assert not [
        path for path in MODULES if set(path.relative_to(ROOT).with_suffix("").parts) & drawers
    ]


def test_nothing_imports_a_notebook():
    importers = re.compile(
        r"^\s*(?:from|import)\s+(?:chapters|import_ipynb|nbimporter)\b", re.MULTILINE
    )
    for path in project_files():
        if path.suffix == ".py":
            found = importers.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.relative_to(ROOT)}: {found.group().strip()}"


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


def test_conda_users_get_what_pyproject_asks_for():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = [item for entry in listed if isinstance(entry, dict) for item in entry["pip"]]
    by_conda = [entry for entry in listed if isinstance(entry, str) and entry != "pip"]
    in_conda = [
        Requirement(item) for item in [*by_conda, *by_pip] if not item.startswith(("-", "."))
    ]
    assert "playwright" not in {r.name for r in in_conda}, "on conda-forge that is Node's"
    renamed = {
        "pytorch": "torch",
        "pytorch-cpu": "torch",
        "matplotlib-base": "matplotlib",
        "playwright-python": "playwright",
    }
    versions = {renamed.get(r.name.lower(), r.name.lower()): r.specifier for r in in_conda}
    assert versions.pop("python") == SpecifierSet(PYPROJECT["requires-python"])
    assert versions == direct_dependencies()


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    listed = [
        Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))
    ]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in listed}


def test_every_direct_dependency_is_pinned_for_the_continuous_build():
    pinned = pins()
    for name, specifier in direct_dependencies().items():
        assert name in pinned, f"constraints.txt does not pin {name}"
        assert pinned[name] in specifier, f"{name}=={pinned[name]} is not {specifier}"


def installed():
    """Every distribution that is installed and that pyproject.toml leads to, by name."""
    found, waiting = {}, [Requirement(f"{PYPROJECT['name']}[book,test]")]
    met = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if (name, frozenset(extras)) in met:
            continue
        met.add((name, frozenset(extras)))
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        further = map(Requirement, found[name].requires or ())
        waiting += [
            r
            for r in further
            if r.marker is None or any(r.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return found


@pytest.fixture(scope="module")
def as_pinned():
    """What is installed, where it is what the continuous build installs."""
    found, pinned = installed(), pins()
    for name, distribution in found.items():
        version = distribution.version.partition("+")[0]
        if pinned.get(name, version) != version:
            pytest.skip(f"{name} {version} is installed, and constraints.txt pins {pinned[name]}")
    return found


def test_every_dependency_is_pinned_for_the_continuous_build(as_pinned):
    # Which of its own parts for GPUs torch brings depends on the build; it pins them itself.
    of_torch = re.compile(r"nvidia-|cuda-|triton$")
    unpinned = {name for name in as_pinned if not of_torch.match(name)}
    unpinned -= set(pins()) | {PYPROJECT["name"]}
    assert not unpinned, f"constraints.txt does not pin {sorted(unpinned)}"


def test_everything_that_is_installed_is_pinned(as_pinned):
    """Also what nothing of ours leads to, where the installation is the continuous build's own."""
    of_torch = re.compile(r"nvidia-|cuda-|triton$")
    # Not on the whole path: there setuptools, once imported, has copies of its own.
    installed = metadata.distributions(path=[sysconfig.get_path("purelib")])
    names = {canonicalize_name(found.metadata["Name"]) for found in installed}
    extra = {name for name in names - set(pins()) - {PYPROJECT["name"], "pip"}}
    extra = sorted(name for name in extra if not of_torch.match(name))
    if extra and not os.environ.get("CI"):
        pytest.skip(f"installed here besides what the book needs: {', '.join(extra)}")
    assert not extra, f"constraints.txt does not pin {extra}"


def test_every_pin_accepts_the_oldest_python_that_is_promised(as_pinned):
    oldest = PYPROJECT["requires-python"].removeprefix(">=") + ".0"
    for name, distribution in as_pinned.items():
        accepted = SpecifierSet(distribution.metadata.get("Requires-Python") or "")
        assert oldest in accepted, f"{name}=={distribution.version} needs Python {accepted}"


def test_loading_weights_is_safe_in_every_version_that_is_allowed():
    # CVE-2025-32434: before 2.6 a file could run code under torch.load(weights_only=True).
    assert "2.5.1" not in direct_dependencies()["torch"]
