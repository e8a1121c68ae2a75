import math
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from vae_lib.conditionals import DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.data import binarize
from vae_lib.models import VAE, Autoencoder
from vae_lib.networks import mlp
from vae_lib.objectives import elbo, negative_squared_error
from vae_lib.training import History, TrainingDiverged, best_device, evaluate, fit

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
        "from tests.test_training import *\n"
        "fit(Location(), closeness, DATA, epochs=2, device='cpu', progress={})"
    )

    def stderr(wanted, switched_off=""):
        command = [sys.executable, "-c", script.format(wanted)]
        variables = os.environ | {"TQDM_DISABLE": switched_off}
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
