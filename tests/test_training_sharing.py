"""Several processes train one model as one process would, and stop together."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import torch
import two_processes

HERE = Path(__file__).resolve().parent


def two(*arguments):
    """The output of two processes that torchrun runs with these arguments, as lines."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    # A machine with one GPU has none for the second process.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    environment["CUDA_VISIBLE_DEVICES"] = ""
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def ended(folder):
    """What both processes end each case with, the first one's before the second's."""
    lines = [json.loads(line) for line in two(two_processes.__file__, folder)]
    by_case = defaultdict(list)
    for line in sorted(lines, key=lambda line: line["rank"]):
        by_case[line["case"]].append(line)
    assert all([line["rank"] for line in both] == [0, 1] for both in by_case.values())
    return by_case


@pytest.mark.parametrize("n_examples", [8, 7], ids=["equal shares", "unequal shares"])
def test_two_processes_take_the_steps_of_one(n_examples, ended, folder):
    shared = ended[f"{n_examples} examples"]
    expected = two_processes.train(n_examples)
    for result in shared:
        assert result["parameters"] == pytest.approx(expected["parameters"], abs=1e-5)
        assert result["train"] == pytest.approx(expected["train"], rel=1e-5)
        assert result["held"] == pytest.approx(expected["held"], rel=1e-5)
        first = result["rank"] == 0
        assert result["writes"] == (20 if first else 0) and result["has_file"] == first
        # A file on the first one's disk alone takes both on from there.
        assert result["resumed"]["parameters"] == shared[0]["parameters"]
    assert shared[0]["parameters"] == shared[1]["parameters"]
    path = folder / str(n_examples) / "run.pt"
    assert torch.load(path, weights_only=True)["history"]["train"] == shared[0]["train"]


def test_what_fails_in_one_process_stops_both(ended):
    found = {case: [result["error"] for result in both] for case, both in ended.items()}
    other = "RuntimeError: Process 1 of this run failed: "
    mine = [other + "LookupError('mine')", "LookupError: mine"]
    assert found["objective"] == found["transform"] == found["hook"] == mine
    for name, words in {"nan": "transform returned NaN", "bad data": "data has NaN"}.items():
        first, second = found[name]
        assert first.startswith(other) and words in first
        assert second.startswith("ValueError") and words in second
    for first, second in (found["diverged"], found["fewer data"], found["other settings"]):
        assert first.partition(":")[0] == second.partition(":")[0]
    assert found["diverged"][0].startswith("TrainingDiverged: Training diverged in epoch 1, step 3")
    for name in ("fewer data", "other settings"):
        assert all("same data and settings" in error for error in found[name])


def test_two_processes_refuse_what_they_cannot_share(ended):
    for result in ended["1 example"]:
        assert "2 processes cannot share a batch of 1" in result["error"]


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
