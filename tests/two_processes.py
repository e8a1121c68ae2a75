"""Run by torchrun from test_training.py: one model, several processes, by the library's fit.

Prints what each process ends with, one line of JSON a process.
"""

import json
import os
import sys

import torch
from torch import distributed as dist

from vae_lib.models import Autoencoder
from vae_lib.networks import mlp
from vae_lib.objectives import negative_squared_error
from vae_lib.training import fit


def data(n_examples):
    return torch.randn(n_examples, 3, generator=torch.Generator().manual_seed(0))


def train(n_examples, checkpoint=None):
    """Whole-batch gradient ascent: nothing random is left but the initial weights."""
    torch.manual_seed(0)
    model = Autoencoder(mlp(3, 5, 2), mlp(2, 5, 3))
    history = fit(
        model,
        negative_squared_error,
        data(n_examples),
        epochs=10,
        batch_size=n_examples,
        lr=0.05,
        device="cpu",
        held_out=data(4),
        checkpoint=checkpoint,
        progress=False,
    )
    parameters = torch.cat([p.detach().flatten() for p in model.parameters()])
    return {"parameters": parameters.tolist(), "train": history.train, "held": history.held_out}


def main():
    n_examples, checkpoint = int(sys.argv[1]), sys.argv[2]
    dist.init_process_group("gloo")
    saved = torch.save
    writes = []
    torch.save = lambda *arguments: (writes.append(1), saved(*arguments))[1]
    try:
        result = train(n_examples, checkpoint) | {"error": None}
    except ValueError as error:
        result = {"error": str(error)}
    result |= {"rank": int(os.environ["RANK"]), "writes": len(writes)}
    # One write system call for the line, so that the two processes' lines do not mix.
    os.write(1, (json.dumps(result) + "\n").encode())
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
