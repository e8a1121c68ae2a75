"""Every chapter alone, from top to bottom, as Colab runs it: `make colab`, some minutes.

What Colab has installed is known from its own lists (colab.py). The library and what it needs are
really there at those versions, the rest as far as pip can see. Each chapter gets a runtime of its
own with an empty folder and no network, and its install cell a wheel made of this tree.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import colab
import environments
import execution
import nbformat
import pytest
from build import begins
from dist import make_wheel
from nbformat.v4 import new_code_cell, new_notebook
from packaging.utils import canonicalize_name
from records import Outcome

pytestmark = pytest.mark.colab
ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
BEFORE = (ROOT / "tests" / "colab_kernel.py").read_text(encoding="utf-8")
WIDGET = "application/vnd.jupyter.widget-view+json"
FROM_A_TAG = re.compile(r"git\+https://[^\"]+")
LIBRARY = {"vae-lib"}  # all that Colab lacks: nothing else may be installed, or changed


@pytest.fixture(scope="session")
def base():
    return colab.environment()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Of a copy, since setuptools leaves folders where it builds, and workers would share them."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "vae_lib", source / "vae_lib")
    assert make_wheel(source, made)
    return next(made.glob("*.whl"))


def installed(folder):
    found = metadata.distributions(path=[str(folder)])
    return {canonicalize_name(d.metadata["Name"]): d.version.partition("+")[0] for d in found}


@pytest.fixture(scope="session", params=["cpu", "gpu"])
def listed(request):
    return colab.on_gpu() if request.param == "gpu" else colab.on_cpu()


def variables(folder, listed, base):
    """What a runtime has for pip: no index, and a list of all that Colab has."""
    colab.list_metadata(folder, listed, set(installed(environments.packages_of(base))))
    ours = {"LISTED_IN_COLAB": str(folder), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    return ours | dict.fromkeys(("PIP_FIND_LINKS", "PYTHONPATH", "TQDM_DISABLE", "VAE_LIB_DATA"))


class Runtime:
    """What a notebook left behind: its outputs, what was found, and what it installed."""

    def __init__(self, notebook, base, wheel, folder):
        python = colab.fresh_runtime(base, folder / "runtime")
        notebook.cells[0].source, n = FROM_A_TAG.subn(wheel.as_uri(), notebook.cells[0].source)
        assert n == 1
        around = variables(folder / "listed", colab.on_cpu(), base)
        asked = new_code_cell("import google.colab.output\ngoogle.colab.output.calls")
        notebook.cells.append(asked)
        run = execution.run(notebook, before=BEFORE, python=str(python), variables=around)
        self.asked, self.cells = run.notebook.cells.pop(), run.notebook.cells
        saved = run.notebook.metadata.get("widgets", {})
        self.widgets = saved.get(WIDGET.replace("view", "state"), {"state": {}})["state"]
        self.found = execution.findings(run, notebook)
        self.run, self.installed = run, installed(environments.packages_of(python))

    def models(self, name):
        return [w["state"] for w in self.widgets.values() if w["model_name"] == name]


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def ran(request, base, wheel, tmp_path_factory):
    notebook = nbformat.read(request.param, as_version=4)
    return Runtime(notebook, base, wheel, tmp_path_factory.mktemp("colab"))


def bundles(cell):
    return [output for output in cell.get("outputs", []) if WIDGET in output.get("data", {})]


# The environment is Colab's.


def test_what_is_installed_has_colabs_versions(base):
    listed, there = colab.on_cpu(), installed(environments.packages_of(base))
    assert there.keys() >= set(colab.NEEDED)
    other = {
        name: (version, listed.get(name))
        for name, version in there.items()
        if version != listed.get(name) and not colab.OF_TORCH.match(name)
    }
    other.pop("jedi", None)  # IPython asks for it, and Colab leaves it out
    assert not other, "versions here, and Colab's"


def test_pip_installs_the_library_and_changes_nothing(base, wheel, listed, tmp_path):
    python = colab.fresh_runtime(base, tmp_path / "runtime")
    around = variables(tmp_path / "listed", listed, base)
    around = environments.with_variables(around | {"PYTHONPATH": around["LISTED_IN_COLAB"]})
    report = tmp_path / "report.json"
    pip = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--report", report, wheel]
    subprocess.run(pip, check=True, env=around)
    would = json.loads(report.read_text(encoding="utf-8"))["install"]
    assert {canonicalize_name(each["metadata"]["name"]) for each in would} == LIBRARY


# Every chapter


def test_it_runs(ran):
    for failure in ran.found["failures"]:
        where = begins(Outcome(Path(), ran.run, ran.found), failure["cell"])
        pytest.fail(f"fails {where}: {failure['reason']}", pytrace=False)
    assert len(ran.found["claims"]) > 3 and all(c["holds"] for c in ran.found["claims"])


def test_its_first_cell_installs_the_library_alone_and_says_nothing(ran):
    assert set(ran.installed) == LIBRARY
    assert ran.cells[0].outputs == []


def test_its_live_figures_are_widgets_with_a_picture_behind(ran):
    calls = [c for c in ran.cells if re.search(r"^(?:live\.\w+|quiz)\(", c.source, re.MULTILINE)]
    for cell in calls:
        shown = bundles(cell)[-1]
        state = ran.widgets[shown["data"][WIDGET]["model_id"]]["state"]
        assert state["_model_module"] == "anywidget" and "render" in state["_esm"]
        assert shown["data"].keys() & {"image/png", "text/html"}, "where no script runs"
        assert state["name"] in shown["data"]["text/plain"]


def test_anywidget_has_colab_show_them(ran):
    """By itself: Colab shows no widgets but ipywidgets' own until it is told to."""
    shown = [output for cell in ran.cells for output in bundles(cell)]
    (answer,) = ran.asked.outputs
    ours = [o for o in shown if ran.widgets[o["data"][WIDGET]["model_id"]]["state"].get("_esm")]
    assert answer["data"]["text/plain"] == str(int(bool(ours)))
    for output in ours:
        assert output["metadata"][WIDGET]["colab"]["custom_widget_manager"]["url"]


# What a learner adds

LEARNER = """
import torch
from torch.distributions import Normal
from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.evaluation import log_likelihood
from vae_lib.exercises import check
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo
from vae_lib.training import fit

x = torch.rand(200, 9).round()
vae = VAE(DiagonalGaussian(mlp(9, 8, 4)), Bernoulli(mlp(2, 8, 9)), StandardNormal(2))
history = fit(vae, elbo, x, epochs=4)
assert len(history.train) == 4
check("2.1", lambda z, mu, log_var: Normal(mu, (log_var / 2).exp()).log_prob(z).sum(-1))
"""


def test_progress_is_a_bar_and_a_check_answers(base, wheel, tmp_path):
    cells = [nbformat.read(CHAPTERS[1], as_version=4).cells[0], new_code_cell(LEARNER)]
    ran = Runtime(new_notebook(cells=cells), base, wheel, tmp_path)
    assert ran.found["failures"] == []
    (bar,) = ran.models("FloatProgressModel")
    assert (bar["value"], bar["max"]) == (4, 4)
    assert ran.cells[1].outputs[-1]["metadata"]["vae_book"]["verdict"] == "correct"


# In place of a GPU, which no machine of the continuous build has


@pytest.mark.parametrize("number", ["05", "06"])
def test_no_cell_mixes_the_gpus_numbers_with_the_processors(number):
    """On a device that is neither, with a moment's training, and so without its assertions."""
    line = [sys.executable, "benchmarks/chapter_runs.py", number, "--device", "fake", "--quick"]
    environment = environments.with_variables({"PYTHONPATH": str(ROOT)})
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^{number}_\w+ .* runs$", done.stdout, re.MULTILINE), done.stdout
