"""What goes wrong is reported as what it is, and the model comes back in a good state."""

import copy
import math
import pickle

import pytest
import torch
from torch import distributions as td
from torch import nn
from training_models import DATA, Location, closeness, run, small_vae

from vae_lib.objectives import elbo
from vae_lib.training import History, TrainingDiverged, evaluate


def turns_bad(at_step, bad):
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


class OneBadRow(nn.Module):
    """A network that, from its fifth batch on, puts out NaN in one row of very many."""

    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(3))
        self.n_batches = 0

    def forward(self, x):
        self.n_batches += 1
        bad = torch.zeros(len(x), 1)
        bad[1000] = math.nan if self.n_batches > 4 else 0.0
        return self.mu + bad


def strict(model, x):
    return td.Normal(model(x), 1.0, validate_args=True).log_prob(x).sum(-1)


def test_a_row_of_nan_that_an_error_does_not_print_is_a_divergence():
    data = DATA.repeat(40, 1)
    model, good = OneBadRow(), OneBadRow()
    run(good, strict, data, batch_size=2000, epochs=4)
    with pytest.raises(TrainingDiverged, match="epoch 5, step 1") as caught:
        run(model, strict, data, batch_size=2000, epochs=9)
    assert isinstance(caught.value.__cause__, ValueError)
    assert "nan" not in str(caught.value.__cause__)
    assert len(caught.value.history.train) == 4
    assert torch.equal(model.mu, good.mu)


@pytest.mark.parametrize("error", [ValueError, RuntimeError, KeyError])
@pytest.mark.parametrize("words", ["mine", "no banana, no nan, inf"])
def test_an_error_of_the_users_passes_through_whatever_its_words(error, words):
    def broken(model, x):
        raise error(words)

    for where in ({"objective": broken}, {"objective": closeness, "transform": broken_at_once}):
        expected = error if where["objective"] is broken else LookupError
        with pytest.raises(expected) as caught:
            run(Location(), **where)
        assert not isinstance(caught.value, TrainingDiverged)


def broken_at_once(x):
    raise LookupError("nan")


def nan_maker(at_call):
    calls = []

    def transform(x):
        calls.append(None)
        return x * (math.nan if len(calls) == at_call else 1.0)

    return transform


@pytest.mark.parametrize("at_call", [1, 3, 4 + 2])
@pytest.mark.parametrize("looks", [False, True], ids=["plain", "with an objective that looks"])
def test_a_transform_that_makes_nan_is_named(at_call, looks):
    def objective(model, x):
        return td.Normal(model.mu, 1.0, validate_args=looks).log_prob(x).sum(-1)

    model, good = Location(), Location()
    with pytest.raises(ValueError, match="transform returned NaN") as caught:
        run(model, objective, transform=nan_maker(at_call), epochs=5)
    assert not isinstance(caught.value, TrainingDiverged)
    assert model.mu.isfinite().all()
    if not looks:  # set back to the last epoch that was good
        n_good = (at_call - 1) // 4
        if n_good:
            run(good, objective, epochs=n_good)
        assert torch.equal(model.mu, good.mu)
    with pytest.raises(ValueError, match="transform returned NaN"):
        evaluate(good, objective, DATA, transform=nan_maker(1))


def test_a_held_out_value_that_is_no_number_stops_the_run():
    def objective(model, x):
        return closeness(model, x) + (0 if model.training else math.nan)

    model = Location()
    with pytest.raises(TrainingDiverged, match="on held_out was nan") as caught:
        run(model, objective, held_out=DATA)
    assert caught.value.history == History()
    assert model.mu.tolist() == [0.0, 0.0, 0.0]


def test_training_diverged_goes_to_other_processes():
    fault = TrainingDiverged(math.inf, 3, 7, History([1.0, 2.0]), "the objective on held_out")
    for again in (pickle.loads(pickle.dumps(fault)), copy.copy(fault)):
        assert str(again) == str(fault) and "epoch 3, step 7" in str(again)
        assert again.history == fault.history
        assert (again.epoch, again.step, again.value) == (3, 7, math.inf)


class Elsewhere(nn.Module):
    """Keeps a record of the devices it is sent to."""

    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(3))
        self.moves = []

    def to(self, device):
        self.moves.append((torch.device(device).type, self.training))
        return super().to(device)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError, TrainingDiverged])
@pytest.mark.parametrize("place", ["objective", "held_out", "after_epoch"])
def test_the_model_comes_home_in_evaluation_mode_also_after_an_error(error, place):
    def stop(where, *arguments):
        if where == place:
            raise TrainingDiverged(0.0, 1, 1, History()) if error is TrainingDiverged else error

    def objective(model, x):
        stop("objective" if model.training else "held_out")
        return closeness(model, x)

    model = Elsewhere()
    with pytest.raises(error):
        run(model, objective, held_out=DATA, after_epoch=lambda *both: stop("after_epoch"))
    assert model.moves[-1] == ("cpu", False) and not model.training  # after all that trains
    assert model.mu.grad is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_evaluate_gives_each_module_its_mode_back(error):
    model = small_vae().train()
    model.decoder.eval()
    modes = [part.training for part in model.modules()]

    def stopped(model, x):
        assert not any(part.training for part in model.modules())
        raise error

    with pytest.raises(error):
        evaluate(model, stopped, DATA)
    assert [part.training for part in model.modules()] == modes
