"""Compiled training ascends alike, leaves nothing behind, and does without a compiler."""

import shutil

import pytest
import torch
from training_models import binary_vae

from vae_lib.data import binarize, load
from vae_lib.objectives import elbo
from vae_lib.training import fit


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
