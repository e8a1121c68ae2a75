"""Run by test_training_checkpoint.py in a process of its own: a run killed at random moments.

Forks one child after another, each of which goes on with the run where the last was killed, until
so many have been killed; lets the run finish; and prints, as JSON, how it compares.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from training_models import DATA, run, small_vae

from vae_lib.objectives import elbo


def noisy(x):
    return x + 0.1 * torch.randn_like(x)


def train(checkpoint=None):
    vae = small_vae()
    # Writing a state of some size takes most of the time, so most kills are in mid-write.
    vae.register_buffer("ballast", torch.zeros(300_000))
    settings = {"epochs": 12, "one_cycle": True, "held_out": DATA, "transform": noisy}
    return run(vae, elbo, checkpoint=checkpoint, **settings)


def forked(path):
    """A child that trains, and says by its exit whether it came to the end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            train(path)
            code = 0
        finally:
            os._exit(code)
    return child


def outcome(path):
    state = torch.load(path, weights_only=True)
    weights = [value.numpy().tobytes() for value in state["model"].values()]
    return state["history"]["train"], state["history"]["held_out"], weights


def main(folder, n_kills, seed):
    chance, path = random.Random(seed), Path(folder) / "run.pt"
    torch.set_num_threads(1)  # a child has none of its parent's threads and would wait for them
    uninterrupted = train()  # first, for it loads what the children then need not load
    start = time.perf_counter()
    os.waitpid(forked(path), 0)
    seconds = time.perf_counter() - start
    expected, n_mid_write, n_finished, n_same, kills = outcome(path), 0, 0, 0, 0
    path.unlink()
    while True:
        child = forked(path)
        if kills < n_kills:
            time.sleep(chance.uniform(0, 0.7 * seconds))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills += 1
            n_mid_write += any(name.name.endswith(".writing") for name in path.parent.iterdir())
            continue
        assert os.WEXITSTATUS(status) == 0
        n_finished += 1
        n_same += outcome(path) == expected
        left = [name.name for name in path.parent.iterdir()]
        if kills == n_kills:
            break
        path.unlink()
    same = uninterrupted.train == expected[0] and uninterrupted.held_out == expected[1]
    result = {"kills": kills, "mid_write": n_mid_write, "finished": n_finished, "same": n_same}
    print(json.dumps(result | {"left": left, "same_without_a_checkpoint": same}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
