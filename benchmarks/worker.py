"""Trains one contender, an epoch on command: run.py starts one such process for each.

    worker.py MODULE:FUNCTION IMAGES.npy WEIGHTS.npz EPOCHS

It reports on stdout what `measure.Pause` writes there; "go" on stdin lets it train an epoch.
"""

import importlib
import os
import sys

import numpy as np
from measure import Pause


def main(target, images_file, weights_file, epochs):
    # What the frameworks print goes to stderr, so that stdout holds nothing but reports.
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    module, function = target.split(":")
    train = getattr(importlib.import_module(f"contenders.{module}"), function)
    train(np.load(images_file), int(epochs), Pause(weights_file, reports))


if __name__ == "__main__":
    main(*sys.argv[1:])
