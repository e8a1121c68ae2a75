import functools
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import two_processes
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.data import binarize, load
from vae_lib.models import VAE, Autoencoder
from vae_lib.networks import mlp
from vae_lib.objectives import elbo, negative_squared_error
from vae_lib.training import History, TrainingDiverged, best_device, evaluate, fit

HERE = Path(__file__).resolve().parent
DATA = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) + 2.0


class Location(nn.Module):
    """One parameter vector, whose best value under a squared error is the mean of the data."""

    def __init__(self) -> None:
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(3))


def closeness(model: Location, x: torch.Tensor) -> torch.Tensor:
    return -(x - model.mu).square().sum(-1)


def run(model, objective, **changes):
    settings = {"epochs": 3, "batch_size": 16, "progress": False, "device": "cpu"} | changes
    return fit(model, objective, DATA, **settings)


def small_vae():
    torch.manual_seed(0)
    decoder = Gaussian(mlp(2, 8, 3), sigma=0.5)
    return VAE(DiagonalGaussian(mlp(3, 8, 4)), decoder, StandardNormal(2))


def test_finds_the_maximum():
    model = Location()
    history = run(model, closeness, epochs=400, batch_size=50, lr=0.05)
    torch.testing.assert_close(model.mu.detach(), DATA.mean(0), rtol=0, atol=1e-3)
    best = -DATA.var(0, correction=0).sum().item()
    assert history.train[-1] == pytest.approx(best, rel=1e-4)
    assert history.train[0] < history.train[-1]
    assert len(history.train) == 400
    assert history.seconds > 0


def test_is_adam_on_minus_the_mean_written_out():
    model, by_hand = Location(), Location()
    history = run(model, closeness, epochs=2, seed=5)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-3)
    torch.manual_seed(5)
    means = []
    for _ in range(2):
        total = 0.0
        for indices in torch.randperm(50).split(16):
            value = closeness(by_hand, DATA[indices])
            optimizer.zero_grad()
            (-value).mean().backward()
            optimizer.step()
            total += value.sum().item()
        means.append(total / 50)
    torch.testing.assert_close(model.mu, by_hand.mu, rtol=1e-6, atol=1e-7)
    assert history.train == pytest.approx(means, rel=1e-6)


class Gated(nn.Module):
    """A location with a gate that noise opens at first, and that stays shut from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.mu, self.gate = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.full((3,), 0.1))
        self.n_calls = 0

    def objective(self, x: torch.Tensor) -> torch.Tensor:
        self.n_calls += 1
        open_ = 1.0 if self.n_calls < 10 else 0.0
        return -(x - self.mu - open_ * self.gate).square().sum(-1)


def test_what_fell_silent_leaves_no_denormal_numbers_and_moves_no_weight(tmp_path):
    model, by_hand = Gated(), Gated()
    checkpoint = tmp_path / "run.pt"
    epochs = 600  # of 2 steps: Adam's average would reach the denormal numbers after some 830
    settings = {"batch_size": 25, "epochs": epochs, "checkpoint": checkpoint}
    run(model, lambda model, x: model.objective(x), **settings)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-3, fused=True)
    torch.manual_seed(0)
    for _ in range(epochs):
        for indices in torch.randperm(50).split(25):
            optimizer.zero_grad()
            (-by_hand.objective(DATA[indices]).sum() / 25).backward()
            optimizer.step()
    smallest = torch.finfo(torch.float32).tiny
    states = torch.load(checkpoint, weights_only=True)["optimizer"]["state"]
    averages = [
        torch.stack([s[i]["exp_avg"] for i in (0, 1)])
        for s in (states, optimizer.state_dict()["state"])
    ]
    denormal = [((a != 0) & (a.abs() < smallest)).any(1).tolist() for a in averages]
    assert denormal == [[False, False], [False, True]]
    assert torch.equal(model.mu, by_hand.mu) and torch.equal(model.gate, by_hand.gate)


def test_the_same_seed_gives_the_same_run_and_another_does_not():
    histories = [run(small_vae(), elbo, seed=seed) for seed in (1, 1, 2)]
    assert histories[0].train == histories[1].train
    assert histories[0].train != histories[2].train


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    model = Location()
    run(model, closeness, held_out=DATA)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


def test_held_out_data_have_no_influence():
    with_it, without = small_vae(), small_vae()
    a = run(with_it, elbo, held_out=DATA[:20] * 3)
    b = run(without, elbo)
    assert a.train == b.train
    assert len(a.held_out) == 3
    assert b.held_out == []
    torch.testing.assert_close(with_it.state_dict(), without.state_dict(), rtol=0, atol=0)


def test_held_out_value_is_the_mean_over_all_examples():
    model = Location()
    history = run(model, closeness, held_out=DATA[:7])
    assert history.held_out[-1] == pytest.approx(closeness(model, DATA[:7]).mean().item())


def test_evaluate_does_not_depend_on_its_batches(monkeypatch):
    model = small_vae()
    model.train()
    expected = evaluate(model, negative_mean, DATA)
    monkeypatch.setattr("vae_lib.training.EVALUATION_BATCH_SIZE", 7)
    assert evaluate(model, negative_mean, DATA) == pytest.approx(expected, rel=1e-6)
    assert model.training


def negative_mean(vae, x):
    return -vae.reconstruct(x).sum(-1)


def test_transform_is_drawn_afresh_for_every_batch():
    seen = []

    def record(model, x):
        seen.append(x)
        return closeness(model, x)

    def add_noise(x):
        return binarize(torch.full_like(x, 0.5))

    run(Location(), record, epochs=2, batch_size=50, transform=add_noise, held_out=DATA)
    training, held_out = seen[::2], seen[1::2]
    assert not torch.equal(training[0], training[1])
    assert torch.equal(held_out[0], held_out[1])  # so that the held-out curve compares like
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}


def test_every_example_is_seen_once_an_epoch():
    seen = []

    def record(model, x):
        seen.append(x)
        return closeness(model, x)

    run(Location(), record, epochs=1, batch_size=16)
    assert [len(x) for x in seen] == [16, 16, 16, 2]
    rows = torch.cat(seen)
    assert not torch.equal(rows, DATA)
    torch.testing.assert_close(rows.sort(dim=0).values, DATA.sort(dim=0).values)


@pytest.mark.parametrize("n_examples", [1, 2])
def test_tiny_data(n_examples):
    history = fit(Location(), closeness, DATA[:n_examples], epochs=1, progress=False, device="cpu")
    assert math.isfinite(history.train[0])


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
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict(), rtol=0, atol=0)
    assert [file.name for file in path.parent.iterdir()] == ["vae.pt"]


def test_a_finished_run_is_only_loaded(tmp_path):
    path = tmp_path / "vae.pt"
    first = small_vae()
    expected = run(first, elbo, checkpoint=path)
    again = small_vae()
    assert run(again, elbo, checkpoint=path).train == expected.train
    torch.testing.assert_close(again.state_dict(), first.state_dict())


def test_a_checkpoint_of_another_run_is_refused_and_kept(tmp_path):
    path = tmp_path / "vae.pt"
    run(small_vae(), elbo, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="belongs to another run"):
        run(small_vae(), elbo, checkpoint=path, seed=3)
    assert path.read_bytes() == before


def test_a_write_that_fails_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "vae.pt"
    run(small_vae(), elbo, checkpoint=path)
    before = path.read_bytes()

    def full_disk(state, file):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space"):
        run(small_vae(), elbo, epochs=5, checkpoint=path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["vae.pt"]


def test_a_checkpoint_holds_no_code(tmp_path):
    """A pickle that would run code on loading is refused: weights_only."""
    path = tmp_path / "vae.pt"
    torch.save({"settings": History()}, path)
    with pytest.raises(Exception, match=r"weights_only|Unsupported"):
        run(small_vae(), elbo, checkpoint=path)


def turns_bad(at_step: int, bad: float):
    calls = []

    def objective(model, x):
        calls.append(None)
        factor = bad if len(calls) == at_step else 1.0
        return closeness(model, x) * factor

    return objective


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_stops_when_the_objective_is_no_number(bad):
    model, good = Location(), Location()
    run(good, closeness, epochs=1)
    with pytest.raises(TrainingDiverged, match="epoch 2, step 3") as caught:
        run(model, turns_bad(at_step=4 + 3, bad=bad), epochs=5)
    assert (caught.value.epoch, caught.value.step) == (2, 3)
    assert len(caught.value.history.train) == 1
    torch.testing.assert_close(model.mu, good.mu)  # the state after epoch 1


def test_stops_when_a_distribution_refuses_the_parameters():
    vae = small_vae()
    with pytest.raises(TrainingDiverged):
        run(vae, elbo, epochs=20, lr=1e30)
    assert all(parameter.isfinite().all() for parameter in vae.parameters())


def test_stops_when_only_the_gradient_is_no_number():
    def objective(model, x):
        return closeness(model, x) + torch.sqrt(model.mu.sum() * 0)  # the slope of √ at 0

    model = Location()
    with pytest.raises(TrainingDiverged):
        run(model, objective, epochs=1, batch_size=50)
    assert model.mu.isfinite().all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (torch.zeros(0, 3), r"\(0, 3\)"),
        (torch.zeros(4, 3, 3), r"flatten"),
        (torch.tensor([[0.0, 1.0], [math.nan, 1.0]]), "first in row 1"),
        (torch.tensor([[math.inf, 1.0]]), "infinite"),
    ],
)
def test_bad_data_are_named(data, message):
    with pytest.raises(ValueError, match=message):
        fit(Location(), closeness, data, epochs=1, progress=False)


def test_held_out_data_must_match():
    with pytest.raises(ValueError, match="held_out has 2 columns"):
        run(Location(), closeness, held_out=torch.zeros(4, 2))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"lr": 0.0}, {"lr": math.nan}])
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        run(Location(), closeness, **wrong)


@pytest.mark.parametrize("reduce", [torch.mean, lambda v: v[:, None], lambda v: v[:1]])
def test_an_objective_gives_one_value_an_example(reduce):
    with pytest.raises(ValueError, match="one value per example"):
        run(Location(), lambda model, x: reduce(closeness(model, x)))


def test_an_error_in_the_objective_is_not_swallowed():
    def broken(model, x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(Location(), broken)


def test_chooses_a_device():
    model = Location()
    fit(model, closeness, DATA, epochs=1, progress=False)
    assert model.mu.device.type == best_device().type


def test_shows_progress_only_if_wanted():
    script = (
        "from test_training import *\n"
        "fit(Location(), closeness, DATA, epochs=2, device='cpu', progress={})"
    )

    def stderr(wanted, switched_off=""):
        command = [sys.executable, "-c", script.format(wanted)]
        variables = os.environ | {"TQDM_DISABLE": switched_off, "PYTHONPATH": str(HERE)}
        run = subprocess.run(command, capture_output=True, text=True, env=variables, check=True)
        return run.stderr

    assert "nats" in stderr(wanted=True)
    assert stderr(wanted=False) == ""
    assert stderr(wanted=True, switched_off="1") == ""


def test_autoencoder_learns_real_digits():
    from vae_lib.data import load

    digits = load("digits")
    torch.manual_seed(0)
    model = Autoencoder(mlp(64, 32, 8), mlp(8, 32, 64))
    history = fit(model, negative_squared_error, digits.train, epochs=15, lr=3e-3, progress=False)
    variance = digits.train.var(0, correction=0).sum().item()
    assert -history.train[-1] < 0.5 * variance


def test_one_cycle_is_torchs_schedule_over_the_whole_run(monkeypatch):
    used = []
    step = torch.optim.Adam.step

    def noting(self, *arguments):
        used.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", noting)
    run(Location(), closeness, epochs=5, lr=0.3, one_cycle=True)  # four batches of 50 examples
    optimizer = torch.optim.SGD(Location().parameters(), lr=1.0, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=20)
    expected = []
    for _ in range(20):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert used == pytest.approx(expected)
    assert max(used) == pytest.approx(0.3) and used[-1] < 1e-4 * max(used)


def test_a_resumed_one_cycle_run_follows_the_same_cycle(tmp_path):
    def interrupted(model, x):
        interrupted.calls += 1
        if interrupted.calls == 9:  # the third epoch's first batch
            raise KeyboardInterrupt
        return closeness(model, x)

    interrupted.calls = 0
    settings = {"epochs": 4, "lr": 0.3, "one_cycle": True}
    whole, resumed = Location(), Location()
    expected = run(whole, closeness, **settings)
    with pytest.raises(KeyboardInterrupt):
        run(resumed, interrupted, checkpoint=tmp_path / "run.pt", **settings)
    history = run(resumed, closeness, checkpoint=tmp_path / "run.pt", **settings)
    assert torch.equal(resumed.mu, whole.mu)
    assert history.train == expected.train
    with pytest.raises(ValueError, match="another run"):
        run(resumed, closeness, checkpoint=tmp_path / "run.pt", **(settings | {"epochs": 5}))


def counted(monkeypatch):
    """Counts the values whose support the conditionals look at."""
    from vae_lib import conditionals

    seen = []
    check = conditionals._check_value
    monkeypatch.setattr(
        conditionals, "_check_value", lambda x, *rest: (seen.append(len(x)), check(x, *rest))
    )
    return seen


def binary_vae(data_dim=3):
    torch.manual_seed(0)
    encoder = DiagonalGaussian(mlp(data_dim, 8, 4))
    return VAE(encoder, Bernoulli(mlp(2, 8, data_dim)), StandardNormal(2))


def test_the_support_is_checked_for_every_example_once(monkeypatch):
    seen = counted(monkeypatch)
    data = (DATA > 2).float()
    vae = binary_vae()
    fit(vae, elbo, data, epochs=1, device="cpu", progress=False)
    once = sum(seen)
    fit(vae, elbo, data, epochs=7, device="cpu", progress=False)
    assert sum(seen) == 2 * once >= 2 * len(data)
    assert {m.validate_args for m in vae.modules() if hasattr(m, "validate_args")} == {None}
    with pytest.raises(ValueError, match="binarize"):
        elbo(vae, torch.full((2, 3), 0.5))


def test_one_grey_example_is_found_wherever_it_stands():
    for row in (0, 20, 49):
        data = (DATA > 2).float()
        data[row, 1] = 0.5
        with pytest.raises(ValueError, match="0 or 1"):
            fit(binary_vae(), elbo, data, epochs=2, batch_size=16, device="cpu", progress=False)


def test_a_wish_for_or_against_validation_is_kept(monkeypatch):
    seen = counted(monkeypatch)
    vae = binary_vae()
    vae.decoder.validate_args, vae.encoder.validate_args = True, False
    data = (DATA > 2).float()
    fit(vae, elbo, data, epochs=3, batch_size=50, device="cpu", progress=False)
    assert len(seen) == 3
    assert (vae.decoder.validate_args, vae.encoder.validate_args) == (True, False)


def test_validation_comes_back_when_training_breaks_off():
    vae = binary_vae()

    def stops(model, x):
        stops.calls += 1
        if stops.calls == 3:
            raise KeyboardInterrupt
        return elbo(model, x)

    stops.calls = 0
    with pytest.raises(KeyboardInterrupt):
        fit(vae, stops, (DATA > 2).float(), epochs=5, device="cpu", progress=False)
    assert vae.decoder.validate_args is None


def test_a_transform_that_validates_does_so_in_the_first_epoch():
    looked = []

    def transform(x, validate_args=True):
        looked.append(validate_args)
        return x

    run(Location(), closeness, epochs=3, transform=transform, batch_size=50)
    assert looked == [True, False, False]
    run(Location(), closeness, epochs=2, transform=torch.tanh)  # tells nothing of its parameters
    run(Location(), closeness, epochs=2, transform=functools.partial(torch.mul, 2.0))


def test_bf16_trains_the_same_model_and_leaves_it_in_float32():
    data = load("digits")
    curves = []
    for bf16 in (False, True):
        vae = binary_vae(64)
        settings = {"epochs": 20, "transform": binarize, "device": "cpu", "progress": False}
        history = fit(vae, elbo, data.train, held_out=data.test, bf16=bf16, lr=3e-3, **settings)
        curves.append(history.held_out)
        assert {p.dtype for p in vae.parameters()} == {torch.float32}
    # Other roundings, the same ascent: from -45 nats to -33 or so, and 0.7 apart at most.
    assert curves[0] != curves[1]
    assert curves[1][-1] > curves[1][0] + 5
    assert curves[0][-1] == pytest.approx(curves[1][-1], abs=0.7)


def test_bf16_networks_still_give_float32_densities():
    vae = binary_vae()
    x = (DATA > 2).float()
    with torch.autocast("cpu", torch.bfloat16):
        q_z = vae.encoder(x)
        assert q_z.mean.dtype == q_z.rsample().dtype == torch.float32
        assert vae.decoder(q_z.mean).log_prob(x).dtype == torch.float32
        assert elbo(vae, x).dtype == torch.float32


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_compiled_training_ascends_alike_and_reports_its_warm_up():
    data = load("digits")
    settings = {"epochs": 8, "transform": binarize, "lr": 3e-3, "device": "cpu", "progress": False}
    plain = fit(binary_vae(64), elbo, data.train, **settings)
    vae = binary_vae(64)
    state = torch.get_rng_state()
    history = fit(vae, elbo, data.train, compile=True, **settings)
    assert torch.equal(state, torch.get_rng_state())
    assert history.train[0] == plain.train[0]  # the first epoch is not compiled
    assert history.warm_up > 0 == plain.warm_up
    assert history.train[-1] > history.train[0] + 5
    assert history.train[-1] == pytest.approx(plain.train[-1], abs=0.5)
    # torch.compile switches validation off for the process; fit switches it on again.
    assert torch.distributions.Distribution._validate_args
    with pytest.raises(ValueError, match="binarize"):
        elbo(vae, data.test)


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
