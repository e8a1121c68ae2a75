"""`after_epoch` sees every epoch and disturbs none; `steps` cuts a run off to the step."""

import math

import pytest
import torch
from torch import nn
from training_models import DATA, Location, bits, closeness, run, small_vae

from vae_lib.objectives import elbo


def test_a_run_takes_exactly_its_steps_and_its_epochs_are_averaged_over_what_they_met():
    seen = []

    def record(model, x):
        value = closeness(model, x)
        if model.training:
            seen.append(value.detach())
        return value

    history = run(Location(), record, steps=10, held_out=DATA)
    assert [len(value) for value in seen] == [16, 16, 16, 2] * 2 + [16, 16]
    expected = [torch.cat(seen[i : i + 4]).mean().item() for i in (0, 4, 8)]
    assert history.train == pytest.approx(expected)
    assert len(history.held_out) == 3


@pytest.mark.parametrize("n_epochs", [1, 2])
def test_so_many_epochs_are_so_many_steps(n_epochs):
    models = [nn.Sequential(), small_vae(), small_vae()][1:]
    a = run(models[0], elbo, epochs=n_epochs, one_cycle=True)
    b = run(models[1], elbo, steps=4 * n_epochs, one_cycle=True)
    assert a.train == b.train and bits(models[0]) == bits(models[1])


def test_a_shorter_run_begins_as_a_longer_one():
    models = small_vae(), small_vae()
    longer = run(models[0], elbo, epochs=2)
    shorter = run(models[1], elbo, steps=5)
    assert shorter.train[0] == longer.train[0] and len(shorter.train) == 2


def test_one_cycle_ends_with_the_steps():
    rates = []

    def objective(model, x):
        return closeness(model, x)

    step = torch.optim.Adam.step

    def noting(self, *arguments):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    torch.optim.Adam.step = noting
    try:
        run(Location(), objective, steps=10, lr=0.3, one_cycle=True)
    finally:
        torch.optim.Adam.step = step
    assert len(rates) == 10
    assert max(rates) == pytest.approx(0.3) and rates[-1] < 1e-4 * max(rates)


def meddle(model, history):
    torch.manual_seed(1234)
    torch.rand(100)
    model.train()
    elbo(model, DATA).sum().backward()
    model.encoder.validate_args = model.encoder.validate_args


@pytest.mark.parametrize("settings", [{}, {"held_out": DATA, "one_cycle": True}, {"steps": 9}])
def test_a_run_is_the_same_with_and_without_a_hook(settings):
    models = small_vae(), small_vae()
    expected = run(models[0], elbo, **settings)
    history = run(models[1], elbo, after_epoch=meddle, **settings)
    assert (history.train, history.held_out) == (expected.train, expected.held_out)
    assert bits(models[0]) == bits(models[1])


def test_the_hook_is_called_after_each_epoch_with_the_model_and_the_curves_so_far():
    model, calls = Location(), []

    def hook(*arguments, **named):
        calls.append((arguments[0] is model, len(arguments[1].train), len(arguments[1].held_out)))
        assert len(arguments) == 2 and named == {} and not model.training

    run(model, closeness, steps=10, held_out=DATA, after_epoch=hook)
    assert calls == [(True, n, n) for n in (1, 2, 3)]


def test_the_hooks_random_numbers_differ_from_epoch_to_epoch_but_not_from_run_to_run():
    def drawn():
        numbers = []
        run(small_vae(), elbo, after_epoch=lambda *both: numbers.append(torch.rand(1).item()))
        return numbers

    assert len(set(drawn())) == 3 and drawn() == drawn()


def with_schedule():
    """A β that the hook raises, and the objective that uses it."""
    beta = {"now": 0.0}

    def hook(model, history):
        beta["now"] = min(1.0, len(history.train) / 3)

    return lambda vae, x: elbo(vae, x, beta=beta["now"]), hook


def test_a_schedule_finds_itself_again_when_a_run_goes_on(tmp_path):
    whole, resumed = small_vae(), small_vae()
    objective, hook = with_schedule()
    expected = run(whole, objective, epochs=5, after_epoch=hook)
    for epochs in (1, 3, 5):
        objective, hook = with_schedule()
        settings = {"epochs": epochs, "checkpoint": tmp_path / "run.pt", "after_epoch": hook}
        history = run(resumed, objective, **settings)
    assert history.train == expected.train
    assert bits(resumed) == bits(whole)


def test_what_the_hook_raises_passes_through_with_the_epoch_on_disk(tmp_path):
    class Enough(Exception):
        pass

    def hook(model, history):
        if len(history.train) == 2:
            raise Enough

    settings = {"epochs": 4, "checkpoint": tmp_path / "run.pt"}
    stopped, whole = small_vae(), small_vae()
    with pytest.raises(Enough):
        run(stopped, elbo, after_epoch=hook, **settings)
    assert not stopped.training
    saved = torch.load(tmp_path / "run.pt", weights_only=True)
    assert len(saved["history"]["train"]) == 2
    history = run(stopped, elbo, **settings)
    assert history.train == run(whole, elbo, epochs=4).train
    assert all(math.isfinite(value) for value in history.train)
