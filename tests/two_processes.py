"""Run by torchrun from test_training_sharing.py: one model, several processes, one `fit`.

    two_processes.py FOLDER

Prints what the training script does, and then what each process ends each case with, one line of
JSON a process.
"""

import datetime
import json
import math
import os
import runpy
import sys
from pathlib import Path

import torch
from torch import distributed as dist

from vae_lib.models import Autoencoder
from vae_lib.networks import mlp
from vae_lib.objectives import negative_squared_error
from vae_lib.training import checkpoint as files
from vae_lib.training import fit

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "train.py"


def run_script(checkpoint):
    """The training script as a command, in this process, on what takes a second."""
    options = ["--dataset", "digits", "--epochs", "20", "--hidden", "64", "--latent", "4"]
    sys.argv = [str(SCRIPT), *options, "--samples", "50", "--checkpoint", str(checkpoint)]
    runpy.run_path(str(SCRIPT), run_name="__main__")


def data(n_examples):
    return torch.randn(n_examples, 3, generator=torch.Generator().manual_seed(0))


def train(n_examples, **changes):
    """Whole-batch gradient ascent: nothing random is left but the initial weights."""
    torch.manual_seed(0)
    model = Autoencoder(mlp(3, 5, 2), mlp(2, 5, 3))
    settings = {"epochs": 10, "batch_size": n_examples, "lr": 0.05, "held_out": data(4)} | changes
    objective = settings.pop("objective", negative_squared_error)
    rows = settings.pop("data", data(n_examples))
    history = fit(model, objective, rows, device="cpu", progress=False, **settings)
    parameters = torch.cat([p.detach().flatten() for p in model.parameters()])
    return {"parameters": parameters.tolist(), "train": history.train, "held": history.held_out}


def faulty(rank, n_examples):
    """What goes wrong in the second process alone, by name, as changes to a run's settings."""

    def after(n_calls, function, result):
        calls = []

        def called(*arguments):
            calls.append(None)
            if len(calls) == n_calls and rank == 1:
                return result()
            return function(*arguments)

        return called

    def fail():
        raise LookupError("mine")

    def plain(x):
        return x

    size = {"batch_size": 2}
    shorter = data(n_examples)[: n_examples - 2 * rank]
    return {
        "objective": size | {"objective": after(3, negative_squared_error, fail)},
        "transform": size | {"transform": after(3, plain, fail)},
        "hook": {"after_epoch": after(2, lambda *both: None, fail)},
        "nan": size | {"transform": after(3, plain, lambda: torch.full((1, 3), math.nan))},
        "diverged": size | {"objective": diverging(rank)},
        "bad data": {"data": shorter * (math.nan if rank else 1)},
        "fewer data": {"data": shorter, "batch_size": 4},
        "other settings": {"lr": 0.05 * (1 + rank)},
    }


def diverging(rank):
    """An objective whose value is no number in the second process's third batch."""
    calls = []

    def objective(model, x):
        calls.append(None)
        factor = math.nan if (rank, len(calls)) == (1, 3) else 1.0
        return negative_squared_error(model, x) * factor

    return objective


def outcome(n_examples, **changes):
    try:
        return train(n_examples, **changes) | {"error": None}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    folder = Path(sys.argv[1])
    run_script(folder / "script.pt")
    # Where they meet for the second time: torchrun's own store holds what they said at the first.
    store = dist.FileStore(str(folder / "store"), 2)
    rank, wait = int(os.environ["RANK"]), datetime.timedelta(seconds=60)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=2, timeout=wait)
    for n_examples in (8, 7):
        report(rank, f"{n_examples} examples", whole(n_examples, folder / str(n_examples), rank))
    report(rank, "1 example", outcome(1))
    for name, changes in faulty(rank, 8).items():
        report(rank, name, outcome(8, **changes))
    dist.destroy_process_group()


def whole(n_examples, folder, rank):
    """A run with a file, and one that goes on from a file that the first process alone has."""
    write, writes = files.write, []
    files.write = lambda *arguments: (writes.append(1), write(*arguments))
    result = outcome(n_examples, checkpoint=folder / "run.pt")
    own = folder / f"disk of {rank}" / "run.pt"
    outcome(n_examples, checkpoint=own, epochs=4)
    resumed = outcome(n_examples, checkpoint=own)
    files.write = write
    return result | {"writes": len(writes), "resumed": resumed, "has_file": own.exists()}


def report(rank, case, result):
    # One write system call for the line, so that the two processes' lines do not mix.
    os.write(1, (json.dumps({"case": case, "rank": rank} | result) + "\n").encode())


if __name__ == "__main__":
    main()
