"""The site as `make book` makes it, built once for all tests that look at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_STATE = 300_000  # bytes of a live figure's state, as JSON


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder with the pages.

    The chapters are executed and the site is built first, unless that has been done (book/build.py
    keeps its results); the environment variable VAE_BOOK_HTML names a site that is built already.
    """
    if "VAE_BOOK_HTML" in os.environ:
        return Path(os.environ["VAE_BOOK_HTML"]).resolve()
    command = [sys.executable, ROOT / "book" / "build.py", "--dataset", ""]  # a second one waits
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return ROOT / "_build" / "html"
