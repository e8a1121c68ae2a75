"""fit climbs as written out by hand, to the same numbers for the same seed."""

import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn
from training_models import DATA, Location, binary_vae, closeness, run, small_vae

from vae_lib.data import binarize, load
from vae_lib.models import Autoencoder
from vae_lib.networks import mlp
from vae_lib.objectives import elbo, negative_squared_error
from vae_lib.training import best_device, evaluate, fit, judging

HERE = Path(__file__).resolve().parent


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


def test_what_fell_silent_leaves_no_denormal_numbers_and_moves_no_weight(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda file: None)  # dozens of files
    model, by_hand = Gated(), Gated()
    checkpoint = tmp_path / "run.pt"
    epochs = 90  # of 10 steps: Adam's average would reach the denormal numbers after some 830
    settings = {"batch_size": 5, "epochs": epochs, "checkpoint": checkpoint}
    run(model, lambda model, x: model.objective(x), **settings)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-3, fused=True)
    torch.manual_seed(0)
    for _ in range(epochs):
        for indices in torch.randperm(50).split(5):
            optimizer.zero_grad()
            (-by_hand.objective(DATA[indices]).sum() / 5).backward()
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
    monkeypatch.setattr(judging, "EVALUATION_BATCH_SIZE", 7)
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


def test_chooses_a_device():
    used = []

    def see(model, history):
        used.append(model.mu.device.type)

    fit(Location(), closeness, DATA, epochs=1, progress=False, after_epoch=see)
    assert used == [best_device().type]


def test_shows_progress_only_if_wanted():
    # tqdm hears the variable when it is imported, and torch is imported once for both.
    script = """
        import os, sys
        for switched_off in ("", "1"):
            os.environ["TQDM_DISABLE"] = switched_off
            for name in list(sys.modules):
                if name.partition(".")[0] in ("tqdm", "vae_lib", "training_models"):
                    del sys.modules[name]
            from training_models import *
            for wanted in (False, True):
                print("begins", file=sys.stderr)
                fit(Location(), closeness, DATA, epochs=2, device="cpu", progress=wanted)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    variables = os.environ | {"PYTHONPATH": str(HERE)}
    run = subprocess.run(command, capture_output=True, text=True, env=variables, check=True)
    shown = [text.strip() for text in run.stderr.split("begins")]
    before, unwanted, wanted, *switched_off = shown
    assert before == unwanted == "" and "nats" in wanted
    assert switched_off == ["", ""]


def test_autoencoder_learns_real_digits():
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
