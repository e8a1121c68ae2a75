"""What goes wrong is reported as what it is, and the model comes back in a good state."""

import math

import pytest
import torch
from training_models import Location, closeness, run, small_vae

from vae_lib.objectives import elbo
from vae_lib.training import TrainingDiverged


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


def test_an_error_in_the_objective_is_not_swallowed():
    def broken(model, x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(Location(), broken)
