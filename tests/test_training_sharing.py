"""Several processes train one model as one process would, and stop together."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import two_processes

HERE = Path(__file__).resolve().parent


def two(*arguments):
    """The output of two processes that torchrun runs with these arguments, as lines."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.mark.parametrize("n_examples", [8, 7], ids=["equal shares", "unequal shares"])
def test_two_processes_take_the_steps_of_one(n_examples, tmp_path):
    path = tmp_path / "run.pt"
    results = [json.loads(line) for line in two(two_processes.__file__, n_examples, path)]
    expected = two_processes.train(n_examples)
    assert sorted(result["rank"] for result in results) == [0, 1]
    for result in results:
        assert result["parameters"] == pytest.approx(expected["parameters"], abs=1e-5)
        assert result["train"] == pytest.approx(expected["train"], rel=1e-5)
        assert result["held"] == pytest.approx(expected["held"], rel=1e-5)
        assert result["writes"] == (10 if result["rank"] == 0 else 0)
    assert torch.load(path, weights_only=True)["history"]["train"] == results[0]["train"]


def test_two_processes_refuse_what_they_cannot_share(tmp_path):
    for line in two(two_processes.__file__, 1, tmp_path / "run.pt"):
        assert "2 processes cannot share a batch of 1" in json.loads(line)["error"]


def test_the_training_script_reaches_the_same_bound_with_two_processes(tmp_path):
    script = HERE.parent / "benchmarks" / "train.py"
    options = ["--dataset", "digits", "--epochs", 40, "--hidden", 64, "--latent", 4]
    options += ["--samples", 50, "--checkpoint", tmp_path / "run.pt"]
    shared = "\n".join(two(script, *options))
    (tmp_path / "run.pt").unlink()
    alone = subprocess.run(
        [sys.executable, script, *map(str, options)],
        capture_output=True,
        text=True,
        env=os.environ | {"TQDM_DISABLE": "1"},
        check=True,
        timeout=240,
    ).stdout
    bounds = [float(re.search(r"held-out ELBO +(-[\d.]+)", text)[1]) for text in (shared, alone)]
    # Untrained it is -44; five seeds of one process spread over 0.3 nats.
    assert bounds[0] == pytest.approx(bounds[1], abs=0.6)
    assert min(bounds) > -30
