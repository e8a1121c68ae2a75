"""A live figure in a real JupyterLab: the same script, run by anywidget beside a kernel."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import numpy as np
import pytest
import torch
from browser import drag, opened, press, readout, section, values
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from vae_lib.networks import mlp

pytestmark = pytest.mark.long

SECONDS = 120  # for what takes a few on an idle machine
SOURCE = """
import torch
from vae_lib.live import latent_map
from vae_lib.networks import mlp

torch.manual_seed(0)
decoder = mlp(2, 32, 64)
codes, distances = torch.randn(50, 2), torch.rand(20, 20)
plane = {"low": (-4, -4), "high": (4, 4), "usual": 0.5, "start": (0.5, 0.25)}
latent_map(decoder, codes, distances, image_shape=(8, 8), **plane)
""".strip()
# It asks another server for news.
NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address, server):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise TimeoutError("JupyterLab did not start")


@pytest.fixture(scope="module")
def lab(chromium_path, tmp_path_factory):
    """The address of a JupyterLab of its own, with one notebook that shows a figure."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(SOURCE)], metadata={"kernelspec": kernel})
    (folder / "work").mkdir()
    nbformat.write(notebook, folder / "work" / "figure.ipynb")
    (folder / "config" / "labconfig").mkdir(parents=True)
    (folder / "config" / "labconfig" / "page_config.json").write_text(json.dumps(NEWS))
    own = {
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "IPYTHONDIR": folder / "ipython",
    }
    port = free_port()
    options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder / 'work'}"]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=os.environ | {name: str(path) for name, path in own.items()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        except TimeoutError as error:
            pytest.fail(f"{error}:\n{(folder / 'log').read_text()}")
        finally:
            server.terminate()
            server.wait(SECONDS)


def run(page, cell):
    """Runs the cell with Shift+Enter, again if need be.

    JupyterLab calls a kernel idle that it isn't connected to yet; what is run then is lost.
    """
    prompt = cell.locator(".jp-InputPrompt")
    deadline = time.monotonic() + SECONDS
    while not re.search(r"[*\d]", prompt.inner_text()):
        assert time.monotonic() < deadline, f"no kernel took the cell:\n{page.inner_text('body')}"
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(1000)


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    """The notebook's page, with its cell run and the figure shown."""
    origins = (lab, lab.replace("http", "ws"))
    with opened(chromium, width=1200, touch=True, origins=origins) as page:
        page.set_default_timeout(1000 * SECONDS)
        page.goto(f"{lab}/lab/tree/figure.ipynb")
        cell = page.locator(".jp-Notebook .jp-CodeCell").first
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        run(page, cell)
        shown = section(page).or_(cell.locator("[data-mime-type='application/vnd.jupyter.stderr']"))
        shown.first.wait_for()
        assert section(page).count(), cell.inner_text()
        yield page


def decoded(z):
    torch.manual_seed(0)
    with torch.no_grad():
        return mlp(2, 32, 64)(torch.tensor(z)).numpy()


def test_the_figure_shows_what_torch_computes(notebook):
    now = values(notebook)
    assert now["z"] == [0.5, 0.25]
    np.testing.assert_allclose(now["x_decoded"], decoded(now["z"]), rtol=1e-5, atol=1e-5)
    assert readout(notebook).startswith("z = (0.50, 0.25)")


def test_it_answers_keys_and_the_notebook_leaves_them_alone(notebook):
    handle = section(notebook).get_by_role("slider")
    press(handle, "Home", "ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowDown")
    now = values(notebook)
    assert now["z"] == pytest.approx([0.6, -0.2])
    np.testing.assert_allclose(now["x_decoded"], decoded(now["z"]), rtol=1e-5, atol=1e-5)
    expect(handle).to_be_focused()
    assert notebook.locator(".jp-Notebook .jp-CodeCell").count() == 2


def test_it_answers_the_mouse(notebook):
    handle = section(notebook).get_by_role("slider")
    press(handle, "Home")
    drag(handle, 60, -30)
    now = values(notebook)
    assert now["z"][0] > 0.7 and now["z"][1] > 0.3
    np.testing.assert_allclose(now["x_decoded"], decoded(now["z"]), rtol=1e-5, atol=1e-5)
