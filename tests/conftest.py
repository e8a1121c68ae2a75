"""Every test draws figures without a display and leaves the processor's cores to its fellows."""

import matplotlib
import pytest
import torch

# The fixtures that show pages; pytest finds those of a conftest.
from browser import (  # noqa: F401
    borrow_page,
    chromium,
    chromium_path,
    contexts,
    open_page,
    page_of,
    used_pages,
)
from built_site import site  # noqa: F401
from shared_modules import lib, modules  # noqa: F401

from vae_lib.data import Dataset, load

matplotlib.use("Agg")
pytest.register_assert_rewrite("figures", "drive")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The embedded data set, for figures in which the reader draws."""
    return load("digits")
