"""What Colab has installed, from its own lists, and a kernel as one meets it there.

colab_packages.txt is made of lists in https://github.com/googlecolab/backend-info, of which it says
that the runtimes may be a day or two behind. To make it anew, from a checkout of that:
`python tests/colab.py FOLDER`. Without a folder this makes the environment.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book"))
import environments  # noqa: E402
from processes import python_of  # noqa: E402

LIST = ROOT / "tests" / "colab_packages.txt"
ON_A_GPU = "# On a GPU also, or otherwise:"
# Where a package was installed from a file, its version stands in the file's name.
LINE = re.compile(
    r"(?P<name>[\w.-]+)(?:==| @ \S*/[A-Za-z]\w*-)(?P<version>\d[\w.]*?)(?:$|%2B|-|\.tar|\s)"
)
# torch's own parts for GPUs, of which the build that is had here brings its own.
OF_TORCH = re.compile(r"(?:nvidia|cuda|triton)\b")
# What a notebook meets there, and what of it the library uses: these are really installed.
NEEDED = ("anywidget", "ipykernel", "ipython", "ipywidgets", "matplotlib", "numpy", "pip", "pooch")
NEEDED += ("requests", "scikit-learn", "scipy", "setuptools", "torch", "tqdm")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(text: str) -> dict[str, str]:
    """{name: version} of a list's lines, such as `pip freeze` prints."""
    found = filter(None, map(LINE.match, text.splitlines()))
    return {canonical(line["name"]): line["version"] for line in found}


def on_cpu() -> dict[str, str]:
    return versions(LIST.read_text(encoding="utf-8").partition(ON_A_GPU)[0])


def on_gpu() -> dict[str, str]:
    return versions(LIST.read_text(encoding="utf-8"))


def python_version() -> str:
    """Colab's Python, such as "3.13"."""
    return re.search(r"^# Python (\d+\.\d+)", LIST.read_text(encoding="utf-8"), re.MULTILINE)[1]


def environment() -> Path:
    """The Python of an environment with Colab's versions, on Colab's Python where it is at hand."""
    listed = on_cpu()
    python = environments.find_python(python_version())
    if python is None:
        print(f"Colab has Python {python_version()}, which is not at hand: this one it is.")
    held = [f"{name}=={version}" for name, version in listed.items() if not OF_TORCH.match(name)]
    wanted = [f"{name}=={listed[name]}" for name in NEEDED]
    return environments.make("colab", wanted, constraints=held, python=python or "")


def list_metadata(folder: Path, listed: dict[str, str], but: set[str]) -> None:
    """What tells pip that packages are there: a folder for each, and nothing to import."""
    for name, version in listed.items():
        if name in but:
            continue
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(text, encoding="utf-8")
        (info / "INSTALLER").write_text("pip\n", encoding="utf-8")


def fresh_runtime(base: Path, folder: Path) -> Path:
    """The Python of a new environment that sees all of `base` and is empty itself.

    So what is installed there later, and nothing else, lies in its own folder.
    """
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    python = python_of(folder)
    seen = environments.packages_of(base)
    hook = f"import site; site.addsitedir({str(seen)!r})\n"
    (environments.packages_of(python) / "colab.pth").write_text(hook, encoding="utf-8")
    return python


def make_list(folder: Path) -> str:
    """colab_packages.txt, from a checkout of Colab's backend-info."""
    cpu, gpu = (
        versions((folder / f"pip-freeze{kind}.txt").read_text(encoding="utf-8"))
        for kind in ("", ".gpu")
    )
    python = re.search(r"^Python .*$", (folder / "os-info.txt").read_text("utf-8"), re.MULTILINE)
    said = ["git", "log", "-1", "--date=short", "--format=commit %H of %cd"]
    source = subprocess.run(said, cwd=folder, capture_output=True, text=True, check=True).stdout
    other = {name: version for name, version in gpu.items() if cpu.get(name) != version}
    lines = [
        "# What Colab has installed: tests/colab.py made this from pip-freeze.txt and",
        "# pip-freeze.gpu.txt of https://github.com/googlecolab/backend-info,",
        f"# {source.strip()}",
        f"# {python[0]}",
        *(f"{name}=={version}" for name, version in cpu.items()),
        ON_A_GPU,
        *(f"{name}=={version}" for name, version in other.items()),
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    if sys.argv[1:]:
        LIST.write_text(make_list(Path(sys.argv[1])), encoding="utf-8", newline="\n")
    else:
        environment()
