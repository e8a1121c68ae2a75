import math

import pytest
import torch

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.models import VAE, ConditionalVAE
from vae_lib.networks import mlp
from vae_lib.objectives import conditional_elbo, elbo, elbo_terms
from vae_lib.schedules import WarmUp
from vae_lib.training import History, fit


def small_vae(given: int = 0) -> VAE:
    torch.manual_seed(0)
    encoder, decoder = mlp(6 + given, 8, 4), mlp(2 + given, 8, 6)
    return VAE(DiagonalGaussian(encoder), Bernoulli(decoder), StandardNormal(2))


def binary(n: int) -> torch.Tensor:
    return torch.bernoulli(torch.full((n, 6), 0.5), generator=torch.Generator().manual_seed(1))


def weights_of(warm_up: WarmUp, n: int) -> list[float]:
    history, weights = History(), [warm_up.beta]
    for _ in range(n):
        history.train.append(0.0)
        warm_up.after_epoch(None, history)
        weights.append(warm_up.beta)
    return weights


def test_the_weight_climbs_in_equal_steps_and_stays():
    assert weights_of(WarmUp(elbo, n_epochs=4), 6) == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    falls = WarmUp(elbo, n_epochs=2, start=3.0, end=1.0)
    assert weights_of(falls, 3) == [3, 2, 1, 1]


def test_it_is_the_objective_at_the_weight_in_force():
    vae, x, warm_up = small_vae(), binary(5), WarmUp(elbo, n_epochs=4)
    warm_up.after_epoch(vae, History(train=[0.0]))
    torch.manual_seed(3)
    value = warm_up(vae, x)
    torch.manual_seed(3)
    log_px, kl = elbo_terms(vae, x)
    torch.testing.assert_close(value, log_px - 0.25 * kl)


def test_fit_gives_each_epoch_its_weight():
    vae, weights = small_vae(), []

    def recording(vae, x, *, beta):
        weights.append(beta)
        return elbo(vae, x, beta=beta)

    warm_up = WarmUp(recording, n_epochs=2)
    fit(vae, warm_up, binary(20), epochs=4, batch_size=10, after_epoch=warm_up.after_epoch)
    assert weights == [0, 0, 0.5, 0.5, 1, 1, 1, 1]


def test_what_travels_with_the_rows_reaches_the_objective():
    vae = small_vae(given=3)
    cvae, y = ConditionalVAE(vae.encoder, vae.decoder, vae.prior), torch.eye(3).repeat(4, 1)
    warm_up = WarmUp(conditional_elbo, n_epochs=1)
    torch.manual_seed(0)
    value = warm_up(cvae, binary(12), y)
    torch.manual_seed(0)
    torch.testing.assert_close(value, elbo_terms(cvae.given(y), binary(12))[0])


def test_a_run_that_goes_on_finds_its_weight_again(tmp_path):
    def run(epochs, checkpoint):
        vae, warm_up = small_vae(), WarmUp(elbo, n_epochs=4)
        hook = {"after_epoch": warm_up.after_epoch, "checkpoint": checkpoint}
        return fit(vae, warm_up, binary(20), epochs=epochs, batch_size=10, **hook).train

    run(2, tmp_path / "parts.pt")
    assert run(5, tmp_path / "parts.pt") == run(5, tmp_path / "whole.pt")


def test_a_second_run_with_one_object_is_refused():
    warm_up = WarmUp(elbo, n_epochs=2)
    settings = {"epochs": 3, "batch_size": 10, "after_epoch": warm_up.after_epoch}
    fit(small_vae(), warm_up, binary(20), **settings)
    with pytest.raises(ValueError, match="make a new one for each run"):
        fit(small_vae(), warm_up, binary(20), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": 0.5}, "must be a function"),
        ({"n_epochs": 0}, "n_epochs"),
        ({"start": -0.1}, "start must be a finite number of 0 or more"),
        ({"start": None}, "start must be a finite number of 0 or more"),
        ({"end": math.inf}, "end must be a finite number of 0 or more"),
        ({"end": math.nan}, "end must be a finite number of 0 or more"),
    ],
)
def test_arguments_that_are_no_schedule_are_refused(settings, message):
    arguments = {"objective": elbo, "n_epochs": 3} | settings
    with pytest.raises(ValueError, match=message):
        WarmUp(arguments.pop("objective"), **arguments)
