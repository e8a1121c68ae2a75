"""Every test draws figures without a display and leaves the processor's cores to its fellows."""

import matplotlib
import torch

# The fixtures that show pages; pytest finds those of a conftest.
from browser import chromium, chromium_path, contexts, open_page, page_of  # noqa: F401

matplotlib.use("Agg")
torch.set_num_threads(1)
