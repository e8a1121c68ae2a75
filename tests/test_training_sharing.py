"""Several processes train one model as one process would, and stop together."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict

import pytest
import torch
import two_processes

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def printed(folder):
    """The lines of two processes that torchrun starts."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    # A machine with one GPU has none for the second process.
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    environment |= {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(
        [*command, two_processes.__file__, folder],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def ended(printed):
    """What both processes end each case with, the first one's before the second's."""
    lines = [json.loads(line) for line in printed if line.startswith("{")]
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


def test_the_training_script_reaches_the_same_bound_with_two_processes(
    printed, folder, tmp_path, monkeypatch, capsys
):
    assert (folder / "script.pt").exists()
    monkeypatch.setattr(sys, "argv", sys.argv)  # to have them back after the script
    two_processes.run_script(tmp_path / "run.pt")
    found = re.compile(r"held-out ELBO +(-[\d.]+)")
    (shared,), (alone,) = map(found.findall, ("\n".join(printed), capsys.readouterr().out))
    # Untrained it is -44; five seeds of one process spread over 0.8 nats, from other weights.
    assert float(shared) == pytest.approx(float(alone), abs=0.6)
    assert min(float(shared), float(alone)) > -30
