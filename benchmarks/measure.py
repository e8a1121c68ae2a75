"""What every benchmark here measures with: the clock between epochs, memory, and summaries."""

import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np


class Pause:
    """Stops the clock, leaves the weights in a file, reports, and waits for the word to go on.

    Reports are lines of JSON: `peak_bytes`, and in `seconds` a list of the time since the last
    pause (empty at first), unless the contender gives times that it took itself.
    """

    def __init__(self, weights_file, reports):
        self.weights_file, self.reports = weights_file, reports
        self.resumed = None

    def __call__(self, weights, seconds=None):
        if self.resumed is None:
            seconds = ()
        elif seconds is None:
            seconds = (time.perf_counter() - self.resumed,)
        peak_bytes = peak_memory()
        np.savez(self.weights_file, *weights())
        print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes}), file=self.reports)
        if sys.stdin.readline() != "go\n":
            self.reports.flush()
            os._exit(0)  # without a framework's farewell
        self.resumed = time.perf_counter()


def peak_memory():
    """The most memory that this process has held at a time, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which a child inherits from the parent that started it.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def summary(values, digits=2):
    """The median and, in brackets, the quartiles."""
    low, median, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    )
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def use_threads(n):
    """Hold this process and its children to n cores and threads."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(n)
    if hasattr(os, "sched_setaffinity"):  # JAX has no setting for its threads: it asks for this
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])
