"""A run that goes on from its file is the run that was never interrupted, or it is refused."""

import functools
import json
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from training_models import BINARY, DATA, Location, binary_vae, bits, closeness, run, small_vae

from vae_lib import plots
from vae_lib.data import binarize
from vae_lib.objectives import elbo
from vae_lib.training import History
from vae_lib.training import checkpoint as files

HERE = Path(__file__).resolve().parent


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.pt"


def interrupting(at_epoch):
    def hook(model, history):
        if len(history.train) == at_epoch:
            raise KeyboardInterrupt

    return hook


def test_resumes_to_the_numbers_of_an_uninterrupted_run(tmp_path):
    path = tmp_path / "run" / "vae.pt"
    whole, first_half = small_vae(), small_vae()
    expected = run(whole, elbo, epochs=6, held_out=DATA)
    run(first_half, elbo, epochs=3, held_out=DATA, checkpoint=path)
    torch.manual_seed(99)
    resumed = small_vae()
    history = run(resumed, elbo, epochs=6, held_out=DATA, checkpoint=path)
    assert history.train == expected.train
    assert history.held_out == expected.held_out
    assert bits(resumed) == bits(whole)
    assert [file.name for file in path.parent.iterdir()] == ["vae.pt"]


def test_a_finished_run_is_only_loaded(path):
    first, again = small_vae(), small_vae()
    expected = run(first, elbo, steps=10, checkpoint=path)
    assert run(again, elbo, steps=10, checkpoint=path).train == expected.train
    assert bits(again) == bits(first)


def test_a_resumed_one_cycle_run_follows_the_same_cycle(path):
    settings = {"steps": 15, "lr": 0.3, "one_cycle": True}
    whole, resumed = Location(), Location()
    expected = run(whole, closeness, **settings)
    settings["checkpoint"] = path
    with pytest.raises(KeyboardInterrupt):
        run(resumed, closeness, after_epoch=interrupting(2), **settings)
    history = run(resumed, closeness, **settings)
    assert torch.equal(resumed.mu, whole.mu)
    assert history.train == expected.train
    with pytest.raises(ValueError, match=r"another run.*one_cycle_steps.*15.*20"):
        run(resumed, closeness, **(settings | {"steps": 20}))


def test_a_run_is_made_longer_from_the_end_of_an_epoch_only(path):
    models = Location(), Location()
    expected = run(models[0], closeness, steps=11)
    run(models[1], closeness, steps=8, checkpoint=path)
    assert run(models[1], closeness, steps=11, checkpoint=path).train == expected.train
    for steps in (12, 8):
        with pytest.raises(ValueError, match=f"of 11 steps, which cannot become one of {steps}"):
            run(models[1], closeness, steps=steps, checkpoint=path)


@pytest.mark.long
def test_a_run_killed_at_twenty_random_moments_ends_on_the_same_bits(tmp_path):
    command = [sys.executable, HERE / "killed_runs.py", tmp_path, "20", "0"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert result["kills"] == 20 and result["mid_write"] > 0
    assert result["same"] == result["finished"] > 0
    assert result["same_without_a_checkpoint"]
    assert result["left"] == ["run.pt"]


def test_a_write_that_fails_leaves_the_old_checkpoint(path, monkeypatch):
    run(small_vae(), elbo, checkpoint=path)
    before = path.read_bytes()

    def full_disk(state, file):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space"):
        run(small_vae(), elbo, epochs=5, checkpoint=path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]


def test_what_a_killed_write_left_is_removed_and_nothing_else(path):
    left = path.with_name(f".{path.name}.0123456789abcdef.writing")
    others = [
        path.with_name(f".other{path.name}.0123456789abcdef.writing"),
        path.with_name(f"{path.name}.backup"),
        path.with_name(f".{path.name}.mine.writing"),
    ]
    for file in (left, *others):
        file.write_bytes(b"half")
    with files._temporary(path) as (_, alive):
        run(Location(), closeness, checkpoint=path)
        assert alive.exists() and not left.exists()
        alive.unlink()
    assert sorted(path.parent.iterdir()) == sorted([path, *others])


def test_the_file_is_where_it_is_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run(Location(), closeness, checkpoint="~/runs/run.pt")
    target = tmp_path / "runs" / "run.pt"
    assert target.is_file()
    link = tmp_path / "link.pt"
    link.symlink_to(target)
    before = target.read_bytes()
    run(Location(), closeness, epochs=5, checkpoint=link)
    assert link.is_symlink() and target.read_bytes() != before
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["link.pt", "run.pt", "runs"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are of the POSIX kind")
def test_permissions_are_those_of_any_new_file_and_are_kept(path):
    before = os.umask(0o027)
    try:
        run(Location(), closeness, checkpoint=path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        run(Location(), closeness, checkpoint=path, epochs=4)
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(before)


def test_file_and_folder_are_on_the_disk_before_and_after_the_exchange(path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor):
        events.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", lambda *names: (events.append("exchange"), replace(*names)))
    run(Location(), closeness, checkpoint=path, epochs=1)
    assert events == ["file", "exchange", "folder"]


def test_the_weights_are_read_by_torch_alone(path):
    vae = small_vae()
    settings = {"batch_size": np.int64(16), "lr": np.float64(1e-3), "seed": np.int32(1)}
    run(vae, elbo, checkpoint=path, **settings)
    again = small_vae()
    again.load_state_dict(torch.load(path, weights_only=True)["model"])
    assert bits(again) == bits(vae)
    run(small_vae(), elbo, checkpoint=path, seed=1)  # the same settings in plain numbers


class Runs:
    """Code that a pickle would run when it is read."""

    def __reduce__(self):
        return os.mkdir, ("was_run",)


def sealed(path, content):
    with path.open("w+b") as file:
        torch.save(content, file)
        files._seal(file)


def flipped(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def cut(path, n_bytes):
    path.write_bytes(path.read_bytes()[:n_bytes])


def directory(path):
    path.unlink()
    path.mkdir()


NOT_CHECKPOINTS = {
    "a directory": (directory, "is a directory"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "text": (lambda path: path.write_text("weights"), "is no checkpoint"),
    "a pickle": (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "is no checkpoint"),
    "a pickle that runs code": (
        lambda path: path.write_bytes(pickle.dumps(Runs())),
        "is no checkpoint",
    ),
    "torch's file that runs code": (lambda path: torch.save(Runs(), path), "could run code"),
    "sealed, and runs code": (lambda path: sealed(path, Runs()), "could run code"),
    "an object": (lambda path: torch.save({"settings": History()}, path), "could run code"),
    "weights": (lambda path: torch.save(small_vae().state_dict(), path), "weights alone"),
    "a tensor": (lambda path: torch.save(torch.ones(3), path), "is no checkpoint"),
    "an earlier version's": (
        lambda path: torch.save({"settings": {}, "optimizer": {}, "model": {}}, path),
        "earlier version",
    ),
    "half": (lambda path: cut(path, path.stat().st_size // 2), "cut short or damaged"),
    "without its last byte": (lambda path: cut(path, -1), "damaged"),
    "a flipped bit in the mark": (lambda path: flipped(path, -80), "checksum is missing"),
}


@pytest.mark.parametrize(("spoil", "message"), NOT_CHECKPOINTS.values(), ids=NOT_CHECKPOINTS)
def test_what_is_no_checkpoint_is_refused_by_name(spoil, message, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    run(small_vae(), elbo, checkpoint=path)
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    vae = small_vae()
    with pytest.raises(ValueError, match=message) as caught:
        run(vae, elbo, checkpoint=path)
    assert (
        str(path) in str(caught.value) and "ame another file" in str(caught.value)
    ) or not before
    assert bits(vae) == bits(small_vae())
    assert not (path.parent / "was_run").exists()
    assert before is None or path.read_bytes() == before


def test_a_flipped_bit_anywhere_is_noticed(path):
    run(Location(), closeness, checkpoint=path)
    content = path.read_bytes()
    places = np.random.default_rng(0).choice(8 * len(content), 60, replace=False)
    ends = [*range(8 * len(content) - 8 * 130, 8 * len(content), 37), *range(0, 64, 7)]
    for place in [*places.tolist(), *ends]:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"damaged|no checkpoint"):
            files.read(path)


def scaled(model, x, factor=1.0):
    return factor * closeness(model, x)


def closing_over(factor):
    return lambda model, x: torch.as_tensor(factor) * closeness(model, x)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(3))
        self.register_buffer("scale", torch.ones(()))


class Wider(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(1, 3))


OTHER = DATA.clone()
OTHER[17, 2] += 1e-6
FIRST = {"objective": closeness, "data": DATA}
OTHER_RUNS = {
    "seed": ({}, {"seed": 3}, "seed"),
    "batch size": ({}, {"batch_size": 17}, "batch_size"),
    "learning rate": ({}, {"lr": 2e-3}, "lr"),
    "bf16": ({}, {"bf16": True}, "bf16"),
    "one cycle": ({}, {"one_cycle": True}, "one_cycle"),
    "other data of equal size": ({}, {"data": OTHER}, "its data"),
    "fewer data": ({}, {"data": DATA[:40]}, r"its data .*\(50, 3\).*\(40, 3\)"),
    "data in another order": ({}, {"data": DATA.flip(0)}, "its data"),
    "held-out data added": ({}, {"held_out": DATA}, "its held_out were None"),
    "held-out data removed": ({"held_out": DATA}, {}, "its held_out"),
    "other held-out data": ({"held_out": DATA}, {"held_out": OTHER}, "its held_out"),
    "another objective": ({}, {"objective": scaled}, "objective was closeness.*scaled"),
    "other arguments": (
        {"objective": functools.partial(scaled, factor=1.0)},
        {"objective": functools.partial(scaled, factor=2.0)},
        "a partial of scaled, had other code, constants or arguments",
    ),
    "another closed-over value": (
        {"objective": closing_over(1.0)},
        {"objective": closing_over(2.0)},
        "had other code",
    ),
    "another closed-over number of NumPy's": (
        {"objective": closing_over(np.float32(1.0))},
        {"objective": closing_over(np.float32(2.0))},
        "had other code",
    ),
    "another argument of NumPy's": (
        {"objective": functools.partial(scaled, factor=np.float32(1.0))},
        {"objective": functools.partial(scaled, factor=np.float32(2.0))},
        "had other code, constants or arguments",
    ),
    "another closed-over array": (
        {"objective": closing_over(np.array([1.0]))},
        {"objective": closing_over(np.array([2.0]))},
        "had other code",
    ),
    "other code": (
        {"objective": lambda model, x: closeness(model, x) + 1},
        {"objective": lambda model, x: closeness(model, x) - 1},
        "had other code",
    ),
    "a transform added": ({}, {"transform": torch.tanh}, "transform was None.*tanh"),
    "another transform": ({"transform": torch.tanh}, {"transform": torch.sin}, "tanh.*sin"),
    "labels added": (
        {"objective": lambda model, x, *rest: closeness(model, x)},
        {
            "objective": lambda model, x, *rest: closeness(model, x),
            "data": (DATA, torch.ones(50)),
        },
        "its data",
    ),
    "another dtype": ({}, {"model": Location().double()}, "float32.*float64"),
    "another shape": ({}, {"model": Wider()}, "its model has the part"),
    "another buffer": ({}, {"model": Scaled()}, "its model has the part"),
}


@pytest.mark.parametrize(("first", "then", "message"), OTHER_RUNS.values(), ids=OTHER_RUNS)
def test_a_checkpoint_of_another_run_is_refused_before_the_model_is_touched(
    first, then, message, path
):
    def trained(model=None, **settings):
        return run(model or Location(), checkpoint=path, **settings)

    trained(**FIRST | first)
    before, model = path.read_bytes(), then.get("model", Location())
    state = bits(model)
    with pytest.raises(ValueError, match=rf"belongs to another run.*{message}.*Name another"):
        trained(**FIRST | then | {"model": model})
    assert bits(model) == state
    assert path.read_bytes() == before
    trained(**FIRST | first)  # and the same run goes on


def test_another_activation_is_another_architecture(path):
    models = [nn.Sequential(nn.Linear(3, 3), activation()) for activation in (nn.ReLU, nn.Tanh)]

    def objective(model, x):
        return -(x - model(x)).square().sum(-1)

    run(models[0], objective, checkpoint=path)
    with pytest.raises(ValueError, match=r"'1: ReLU'.*'1: Tanh'"):
        run(models[1], objective, checkpoint=path)


def defined_anew(words):
    """A function as a notebook's cell defines it each time it is run."""
    source = f'def objective(model, x):\n    """{words}"""\n    return 1.5 * closeness(model, x)'
    names = {"closeness": closeness}
    exec(source, names)
    return names["objective"]


def test_what_is_defined_anew_in_the_same_words_is_the_same_run(path):
    for epochs, words in enumerate(["Some words.", "Other words."], start=2):
        history = run(Location(), defined_anew(words), checkpoint=path, epochs=epochs)
    assert len(history.train) == 3
    vae = binary_vae()
    path.unlink()
    for epochs in (1, 2):
        settings = {"transform": functools.partial(binarize, threshold=0.5), "epochs": epochs}
        history = run(vae, functools.partial(elbo, beta=0.5), BINARY, checkpoint=path, **settings)
    assert len(plots.curves(history).lines) == 1


def test_a_place_that_cannot_be_written_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    with pytest.raises(ValueError, match="read-only"):
        run(Location(), closeness, checkpoint=tmp_path / "run.pt")


def test_a_folder_that_cannot_be_made_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for place in (tmp_path / "file" / "run.pt", tmp_path / "file" / "deeper" / "run.pt", "a\0b"):
        with pytest.raises(ValueError, match="checkpoint"):
            run(Location(), closeness, checkpoint=place)
