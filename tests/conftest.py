"""Every test draws figures without a display and leaves the processor's cores to its fellows."""

import matplotlib
import torch

matplotlib.use("Agg")
torch.set_num_threads(1)
