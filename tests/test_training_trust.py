"""Data are checked once, whatever torch's process-wide flag says, and then trusted."""

import functools

import pytest
import torch
from torch import distributions as td
from training_models import BINARY, Location, binary_vae, closeness, run

from vae_lib.conditionals import OverDimensions
from vae_lib.objectives import elbo
from vae_lib.training import evaluate, fit


def counted(monkeypatch):
    """Counts the values whose support the conditionals look at."""
    seen = []
    look = OverDimensions._look_at
    monkeypatch.setattr(
        OverDimensions, "_look_at", lambda self, x: (seen.append(len(x)), look(self, x))
    )
    return seen


def test_the_support_is_checked_for_every_example_once(monkeypatch):
    seen = counted(monkeypatch)
    data = BINARY
    vae = binary_vae()
    fit(vae, elbo, data, epochs=1, device="cpu", progress=False)
    once = sum(seen)
    fit(vae, elbo, data, epochs=7, device="cpu", progress=False)
    assert sum(seen) == 2 * once >= 2 * len(data)
    assert {m.validate_args for m in vae.modules() if hasattr(m, "validate_args")} == {True}
    with pytest.raises(ValueError, match="binarize"):
        elbo(vae, torch.full((2, 3), 0.5))


def test_one_grey_example_is_found_wherever_it_stands():
    for row in (0, 20, 49):
        data = BINARY.clone()
        data[row, 1] = 0.5
        with pytest.raises(ValueError, match="0 or 1"):
            fit(binary_vae(), elbo, data, epochs=2, batch_size=16, device="cpu", progress=False)


def test_a_wish_against_validation_is_kept(monkeypatch):
    seen = counted(monkeypatch)
    vae = binary_vae()
    vae.decoder.validate_args = False
    run(vae, elbo, BINARY)
    assert (vae.decoder.validate_args, vae.encoder.validate_args) == (False, True)
    run(vae, elbo, GREY)
    assert seen == []


def test_validation_comes_back_when_training_breaks_off():
    vae = binary_vae()

    def stops(model, x):
        stops.calls += 1
        if stops.calls == 3:
            raise KeyboardInterrupt
        return elbo(model, x)

    stops.calls = 0
    with pytest.raises(KeyboardInterrupt):
        fit(vae, stops, BINARY, epochs=5, device="cpu", progress=False)
    assert vae.decoder.validate_args is True


def test_a_transform_that_validates_does_so_in_the_first_epoch():
    looked = []

    def transform(x, validate_args=True):
        looked.append(validate_args)
        return x

    run(Location(), closeness, epochs=3, transform=transform, batch_size=50)
    assert looked == [True, False, False]
    run(Location(), closeness, epochs=2, transform=torch.tanh)  # tells nothing of its parameters
    run(Location(), closeness, epochs=2, transform=functools.partial(torch.mul, 2.0))


GREY = torch.full((50, 3), 0.5)


@pytest.fixture(params=["torch looks", "torch does not look"])
def torchs_flag(request):
    """torch's validation, for the whole process: on as at its start, off as after torch.compile."""
    before = td.Distribution._validate_args
    td.Distribution.set_default_validate_args(request.param == "torch looks")
    yield
    td.Distribution.set_default_validate_args(before)


@pytest.mark.parametrize(
    "settings",
    [{}, {"steps": 1}, {"steps": 3}, {"compile": True}, {"bf16": True}, {"held_out": BINARY}],
    ids=str,
)
def test_grey_pixels_are_refused_whoever_switched_torchs_flag(settings, torchs_flag):
    with pytest.raises(ValueError, match="binarize"):
        run(binary_vae(), elbo, GREY, **settings)


def test_grey_pixels_held_out_are_refused_in_the_first_epoch(torchs_flag):
    history = []
    with pytest.raises(ValueError, match="binarize"):
        run(binary_vae(), elbo, BINARY, held_out=GREY, after_epoch=lambda _, h: history.append(h))
    assert history == []
    with pytest.raises(ValueError, match="binarize"):
        evaluate(binary_vae(), elbo, GREY)


def test_held_out_data_are_checked_once_too(monkeypatch):
    seen = counted(monkeypatch)
    run(binary_vae(), elbo, BINARY, held_out=BINARY, epochs=1)
    once = sum(seen)
    run(binary_vae(), elbo, BINARY, held_out=BINARY, epochs=5)
    assert sum(seen) == 2 * once


def test_runs_shorter_than_an_epoch_check_all_they_meet(monkeypatch):
    seen = counted(monkeypatch)
    run(binary_vae(), elbo, BINARY, steps=1, batch_size=20)
    one = sum(seen)
    run(binary_vae(), elbo, BINARY, steps=2, batch_size=20)
    assert sum(seen) == 3 * one > 0


def test_the_hook_gets_a_model_that_looks(torchs_flag):
    refused = []

    def hook(vae, history):
        assert not vae.training
        with pytest.raises(ValueError, match="binarize"):
            elbo(vae, GREY)
        refused.append(td.Distribution._validate_args)

    flag = td.Distribution._validate_args
    run(binary_vae(), elbo, BINARY, after_epoch=hook)
    assert refused == [flag] * 3
