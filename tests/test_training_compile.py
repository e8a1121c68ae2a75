"""Compiled training ascends alike, leaves nothing behind, and does without a compiler."""

import shutil
import warnings

import pytest
import torch
from torch import nn
from training_models import DATA, binary_vae, bits, run

from vae_lib.data import binarize, load
from vae_lib.objectives import elbo
from vae_lib.training import fit
from vae_lib.training.compiling import Maximand, compiled

BATCH = 128  # each size is compiled by itself, and seconds long: every run has this one
pytestmark = pytest.mark.long
needs_compiler = pytest.mark.skipif(
    not shutil.which("g++"), reason="torch.compile needs a C++ compiler"
)


@pytest.fixture(autouse=True)
def compiles_with_little():
    """What asks for no trial program for each kind of vector instructions, and no other process."""
    from torch._inductor import config as inductor  # seconds, which each worker would take

    with inductor.patch({"cpp.vec_isa_ok": False, "compile_threads": 1}):
        yield


@needs_compiler
def test_compiled_training_ascends_alike_and_reports_its_warm_up():
    data = load("digits")
    train, settings = data.train[: 10 * BATCH], {"epochs": 8, "lr": 3e-3, "batch_size": BATCH}
    settings |= {"transform": binarize, "device": "cpu", "progress": False}
    plain = fit(binary_vae(64), elbo, train, **settings)
    vae = binary_vae(64)
    state = torch.get_rng_state()
    history = fit(vae, elbo, train, compile=True, **settings)
    assert torch.equal(state, torch.get_rng_state())
    assert history.train[0] == plain.train[0]  # the first epoch is not compiled
    assert history.warm_up > 0 == plain.warm_up
    assert history.train[-1] > history.train[0] + 5
    assert history.train[-1] == pytest.approx(plain.train[-1], abs=0.5)
    # torch.compile switches validation off for the process; fit switches it on again.
    assert torch.distributions.Distribution._validate_args
    with pytest.raises(ValueError, match="binarize"):
        elbo(vae, data.test)


class Normed(nn.Module):
    """A batch norm's statistics move whenever it meets a batch in training."""

    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, width))

    def objective(self, x):
        return -self.net(x).square().sum(-1)


def objective_of(model, x):
    return model.objective(x) + 1e-9 * torch.rand(len(x))  # what is random moves the state


@needs_compiler
def test_warming_up_leaves_statistics_gradients_and_random_numbers_as_they_were():
    model, state = Normed(4), torch.get_rng_state()
    before = bits(model)
    maximand = Maximand(model, objective_of, False)
    code = compiled(maximand, [(DATA,)], graphs=False)
    assert code is not maximand
    assert bits(model) == before
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(code(DATA), model.objective(DATA), rtol=1e-5, atol=1e-5)
    assert bits(model) != before  # but what it computes from then on counts


def test_without_a_compiler_training_goes_on_with_one_warning():
    from torch._inductor import config as inductor

    torch._dynamo.reset()
    models = Normed(5), Normed(5)
    models[1].load_state_dict(models[0].state_dict())
    # monkeypatch would leave these settings without a compiler for good.
    without = inductor.patch({"cpp.cxx": ("no-such-compiler",), "force_disable_caches": True})
    with without, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = run(models[0], objective_of, compile=True, epochs=4)
    ours = [w for w in caught if "torch.compile failed" in str(w.message)]
    assert len(ours) == 1 and "compiler" in str(ours[0].message)
    expected = run(models[1], objective_of, epochs=4)
    assert history.train == expected.train
    assert bits(models[0]) == bits(models[1])


@needs_compiler
@pytest.mark.filterwarnings("error:torch.compile failed")
def test_a_compiled_run_that_goes_on_is_compiled_at_once(tmp_path):
    vaes, grey = (binary_vae(64), binary_vae(64)), load("digits").train[: 2 * BATCH]
    settings = {"compile": True, "transform": binarize, "batch_size": BATCH}
    expected = run(vaes[0], elbo, grey, epochs=4, **settings)
    for epochs in (2, 4):
        settings["checkpoint"] = tmp_path / "run.pt"
        history = run(vaes[1], elbo, grey, epochs=epochs, **settings)
    assert history.train == expected.train
    assert bits(vaes[0]) == bits(vaes[1])
