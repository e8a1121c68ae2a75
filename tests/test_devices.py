"""Everything on a device that is not the CPU and has no float64: tests/fake_device.py.

The fake device has the processor's arithmetic and, seeded alike, its random numbers. So the oracle
of most tests here is the same thing on the CPU. On a machine with a GPU, VAE_LIB_TEST_DEVICE=cuda
runs what holds on every device on that one.
"""

import contextlib
import copy
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils import backend_registration

from vae_lib import conditionals, live, plots, training
from vae_lib.data import binarize, load
from vae_lib.evaluation import (
    active_units,
    dci,
    effective_sample_size,
    energy_distance,
    exact_log_likelihood,
    factor_information,
    frechet_distance,
    jackknife_error,
    log_likelihood,
    mutual_information_gap,
    nearest_distance,
    pareto_shape,
    precision_recall,
    real_against_real,
    two_sample_accuracy,
)
from vae_lib.models import VAE, ConditionalVAE, rotated
from vae_lib.networks import mlp
from vae_lib.objectives import elbo, elbo_terms, iwae, log_importance_weights
from vae_lib.training import evaluate, fit

ROOT = Path(__file__).resolve().parents[1]
DEVICE = os.environ.get("VAE_LIB_TEST_DEVICE", "fake")
if is_fake := DEVICE == "fake":
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        pytest.skip("this torch takes no device that is written in Python", allow_module_level=True)
    import fake_device
only_fake = pytest.mark.skipif(not is_fake, reason="no other device computes and draws as the CPU")
GREY = load("digits").train[:80]
BINARY = (GREY > 0.5).float()


@pytest.fixture
def on_device():
    with fake_device.as_best_device() if is_fake else contextlib.nullcontext():
        yield


@pytest.fixture(scope="module")
def x():
    return torch.arange(6.0).reshape(2, 3).to(DEVICE)


def make_vae(latent_dim=2, likelihood=conditionals.Bernoulli):
    torch.manual_seed(0)
    encoder = conditionals.DiagonalGaussian(mlp(64, 16, 2 * latent_dim))
    decoder = likelihood(mlp(latent_dim, 16, 64))
    return VAE(encoder, decoder, conditionals.StandardNormal(latent_dim))


def seeded(function, *args, **options):
    torch.manual_seed(1)
    return function(*args, **options)


# The device itself: it rings where a GPU does, and nowhere else.


def assigned(values, new):
    values[:] = new
    return values


MIXED = {
    "sum": lambda x: x + torch.ones(3),
    "product of matrices": lambda x: x @ torch.ones(3, 1),
    "layer left behind": lambda x: nn.Linear(3, 1)(x),
    "data left behind": lambda x: nn.Linear(3, 1).to(DEVICE)(torch.ones(2, 3)),
    "joined": lambda x: torch.cat([x, torch.ones(1, 3)]),
    "numbers stacked": lambda x: torch.stack([x.sum(), torch.tensor(1.0)]),
    "condition": lambda x: torch.where(x > 0, x, torch.zeros(2, 3)),
    "into the CPU's": lambda x: torch.ones(3).add_(x[0]),
    "number into the CPU's": lambda x: torch.ones(()).add_(x.sum()),
    "gathered": lambda x: x.gather(1, torch.tensor([[0], [1]])),
    "selected": lambda x: x.index_select(0, torch.tensor([1])),
    "the CPU's by its mask": lambda x: torch.ones(2, 3)[x > 2],
    "the CPU's by its numbers": lambda x: torch.ones(3)[torch.tensor([0]).to(DEVICE)],
    "put by index": lambda x: x.clone().index_put_((torch.tensor([0]),), torch.ones(1, 3)),
    "equal": lambda x: torch.equal(x, x.cpu()),
    "noise of the CPU": lambda x: x + torch.randn(x.shape),
    "generator of the CPU": lambda x: torch.rand(2, device=DEVICE, generator=torch.Generator()),
    "prior of the CPU": lambda x: torch.distributions.Normal(torch.zeros(3), 1.0).log_prob(x),
    "NumPy": lambda x: x.numpy(),
    "NumPy, unasked": lambda x: np.asarray(x),
}

DOUBLES = {
    "double": lambda x: x.double(),
    "made": lambda x: torch.zeros(3, dtype=torch.float64, device=DEVICE),
    "mean": lambda x: x.mean(dtype=torch.float64),
    "sent": lambda x: torch.ones(3).double().to(DEVICE),
    "module": lambda x: nn.Linear(2, 2).double().to(DEVICE),
    "by NumPy": lambda x: torch.tensor(np.float64(1.0), device=DEVICE),
    "taken away as such": lambda x: x.to("cpu", torch.float64),
}

ALLOWED = {
    "Python's numbers": (lambda x: 2 * x + 1, lambda x: 2 * x + 1),
    "a single number": (lambda x: x * torch.tensor(2.0), lambda x: 2 * x),
    "in float64, too": (lambda x: x * torch.tensor(2.0).double(), lambda x: 2 * x),
    "indices of the CPU": (lambda x: x[torch.tensor([1])], lambda x: x[1:]),
    "its own mask": (lambda x: x[x > 2], lambda x: x.flatten()[3:]),
    "copied": (lambda x: torch.zeros(2, 3).copy_(x), lambda x: x),
    "assigned": (lambda x: assigned(torch.zeros(2, 3), x), lambda x: x),
    "doubled at home": (lambda x: x.cpu().double(), lambda x: x.double()),
    "made of NumPy's": (lambda x: x.new_tensor(np.ones(3)), lambda x: torch.ones(3)),
    "turned, and a part": (lambda x: x.t()[1:].contiguous(), lambda x: x.t()[1:]),
    "lists": (lambda x: torch.tensor(x.tolist()), lambda x: x),
    "item": (lambda x: torch.tensor(x.sum().item() if x.any() else 0), lambda x: x.sum()),
}


@only_fake
@pytest.mark.parametrize("mistake", MIXED.values(), ids=MIXED)
def test_devices_do_not_mix(mistake, x):
    with pytest.raises((RuntimeError, TypeError), match=r"device|indices|numpy|generator"):
        mistake(x)


@only_fake
@pytest.mark.parametrize("mistake", DOUBLES.values(), ids=DOUBLES)
def test_the_device_has_no_doubles(mistake, x):
    with pytest.raises(TypeError, match="float64"):
        mistake(x)


@pytest.mark.parametrize(("on_device", "on_cpu"), ALLOWED.values(), ids=ALLOWED)
def test_what_a_gpu_allows_is_allowed(on_device, on_cpu, x):
    expected = on_cpu(x.cpu())
    torch.testing.assert_close(on_device(x).cpu().to(expected.dtype), expected)


def step(device, make_net, shape):
    torch.manual_seed(0)
    net, x = make_net(), torch.randn(shape)
    net.to(device)
    adam = torch.optim.Adam(net.parameters(), lr=0.1)
    torch.manual_seed(1)
    for _ in range(3):
        adam.zero_grad()
        nn.functional.dropout(net(x.to(device))).square().mean().backward()
        adam.step()
    return nn.utils.parameters_to_vector(net.cpu().parameters())


@only_fake
@pytest.mark.parametrize(
    ("make_net", "shape"),
    [
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3)),
        (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Tanh()), (4, 1, 5, 5)),
        (lambda: nn.ConvTranspose2d(2, 1, 3, stride=2), (4, 2, 3, 3)),
    ],
    ids=["dense", "convolution and batch norm", "transposed"],
)
def test_its_arithmetic_is_the_processors(make_net, shape):
    torch.testing.assert_close(step(DEVICE, make_net, shape), step("cpu", make_net, shape))


@only_fake
@pytest.mark.parametrize(
    "draw",
    [
        lambda device: torch.rand(40, device=device),
        lambda device: torch.randn(40, device=device),
        lambda device: torch.randperm(40, device=device),
        lambda device: torch.ones(40, device=device).bernoulli(0.5),
        lambda device: nn.functional.dropout(torch.ones(40, device=device)),
    ],
    ids=["uniform", "normal", "order", "coins", "dropout"],
)
def test_its_random_numbers_are_its_own(draw):
    ours, theirs = (seeded(lambda d: draw(d) + draw(d), device) for device in (DEVICE, "cpu"))
    assert torch.equal(ours.cpu(), theirs)
    before = torch.get_rng_state()
    draw(DEVICE)
    assert torch.equal(torch.get_rng_state(), before)


def test_its_tensors_survive_a_file(tmp_path, x):
    torch.save({"x": x.t()}, tmp_path / "x.pt")
    for device in (DEVICE, "cpu"):
        loaded = torch.load(tmp_path / "x.pt", map_location=device, weights_only=True)["x"]
        assert loaded.device.type == device and torch.equal(loaded.cpu(), x.t().cpu())


# Training: what a model meets on the device, it meets on the CPU.


def fitted(device, *, objective=elbo, data=BINARY, **options):
    options = {"epochs": 2, "batch_size": 32, "progress": False} | options
    vae = make_vae(2)
    history = fit(vae, objective, data, device=device, **options)
    return vae, history


def elbo_of_pairs(vae, x, weight):
    return weight * elbo(vae, x)


RUNS = {
    "as it is": {},
    "held out": {"held_out": BINARY[:30]},
    "binarised": {"data": GREY, "transform": binarize, "held_out": GREY[:30]},
    "one cycle": {"one_cycle": True},
    "steps": {"epochs": None, "steps": 5},
    "rows that travel together": {"objective": elbo_of_pairs, "data": (BINARY, GREY[:, 20])},
    "importance-weighted": {"objective": lambda vae, x: iwae(vae, x, n_samples=3)},
}


@only_fake
@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_training_is_the_same_as_on_the_cpu(options, on_device):
    options = {name: value for name, value in options.items() if value is not None}
    if "steps" in options:
        options["epochs"] = None
    vae, history = fitted(None, **options)
    on_cpu, expected = fitted("cpu", **options)
    assert {p.device.type for p in vae.parameters()} == {"cpu"}, "fit gives the model back"
    torch.testing.assert_close(history.train, expected.train, rtol=1e-5, atol=0)
    torch.testing.assert_close(history.held_out, expected.held_out, rtol=1e-5, atol=0)
    # Adam divides small gradients by their size: what was rounded otherwise may be far apart.
    for p, q in zip(vae.parameters(), on_cpu.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-2, atol=1e-3)


def test_a_model_on_the_device_stays_there(on_device):
    vae = make_vae().to(DEVICE)
    fit(vae, elbo, BINARY.to(DEVICE), epochs=1, progress=False)
    assert {value.device.type for value in vae.state_dict().values()} == {DEVICE}
    assert np.isfinite(evaluate(vae, elbo, BINARY.to(DEVICE)))


def test_training_needs_no_data_on_its_device(on_device):
    histories = [fitted(None, data=data, held_out=data)[1] for data in (BINARY, BINARY.to(DEVICE))]
    assert histories[0].train == histories[1].train
    assert histories[0].held_out == histories[1].held_out


def test_a_run_goes_on_to_the_same_bits(tmp_path, on_device):
    options = {"data": GREY, "transform": binarize, "held_out": GREY[:30]}
    whole, expected = fitted(None, epochs=3, **options)
    torch.rand(7, device=DEVICE)
    fitted(None, epochs=1, checkpoint=tmp_path / "run.pt", **options)
    torch.rand(7, device=DEVICE)
    vae, history = fitted(None, epochs=3, checkpoint=tmp_path / "run.pt", **options)
    assert history.train == expected.train and history.held_out == expected.held_out
    for p, q in zip(vae.parameters(), whole.parameters(), strict=True):
        assert torch.equal(p, q)


def test_a_run_of_the_device_goes_on_without_one(tmp_path, on_device):
    fitted(None, epochs=1, checkpoint=tmp_path / "run.pt")
    _, history = fitted("cpu", epochs=2, checkpoint=tmp_path / "run.pt")
    assert len(history.train) == 2


@pytest.mark.parametrize("device", [DEVICE, "cpu"])
def test_random_numbers_are_left_as_they_were(device, on_device):
    vae = make_vae().to(device)
    torch.rand(3, device=DEVICE), torch.rand(3)
    states = torch.get_rng_state, torch.get_device_module(DEVICE).get_rng_state
    before = [state() for state in states]
    fit(vae, elbo, BINARY, epochs=1, device=device, progress=False)
    evaluate(vae, elbo, BINARY.to(device))
    assert all(torch.equal(state(), was) for state, was in zip(states, before, strict=True))


def test_a_hook_may_judge_the_model(on_device):
    judged = []

    def judge(model, history):
        judged.append(evaluate(model, elbo, BINARY[:30]))
        model.sample(2)

    _, history = fitted(None, held_out=BINARY[:30], after_epoch=judge)
    assert judged == pytest.approx(history.held_out)


def test_a_fault_on_the_device_is_named(on_device):
    class Forgetful(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net, self.shift = net, torch.zeros(4)  # should have been a buffer

        def forward(self, x):
            return self.net(x) + self.shift

    vae = make_vae(2)
    vae.encoder.net = Forgetful(vae.encoder.net)
    with pytest.raises(RuntimeError, match="same device"):
        fit(vae, elbo, BINARY, epochs=1, progress=False)
    assert next(vae.parameters()).device.type == "cpu", "the model is given back all the same"


def test_divergence_is_seen_on_the_device(on_device):
    vae = make_vae(2)
    with pytest.raises(training.TrainingDiverged, match="epoch 1"):
        fit(
            vae,
            lambda vae, x: elbo(vae, x) * vae.decoder.net[0].weight.sum().log() * torch.nan,
            BINARY,
            epochs=1,
            progress=False,
        )
    assert all(p.isfinite().all() for p in vae.parameters())


def like_cuda_graphs(module, **options):
    """torch.compile as with CUDA graphs, whose results stand in memory that is used again.

    What was returned is overwritten by the next call, and gradients that are still there from the
    one before can't be added to.
    """

    def refuse_to_accumulate(gradient, parameter):
        if parameter.grad is not None:
            raise RuntimeError("accessing tensor output of CUDAGraphs that has been overwritten")

    for p in module.parameters():
        p.register_hook(functools.partial(refuse_to_accumulate, parameter=p))
    returned = []

    def compiled(*batch):
        while returned:
            returned.pop().fill_(torch.nan)
        value = module(*batch)
        returned.append(value.detach())
        return value

    return compiled


@pytest.mark.filterwarnings("error:torch.compile failed")
def test_training_would_bear_cuda_graphs(monkeypatch):
    monkeypatch.setattr(torch, "compile", like_cuda_graphs)
    options = {"data": BINARY[:72], "epochs": 3, "held_out": BINARY[:30]}  # 32, 32 and 8
    vae, history = fitted("cpu", compile=True, **options)
    plain, expected = fitted("cpu", **options)
    assert history.train == expected.train and history.held_out == expected.held_out
    for p, q in zip(vae.parameters(), plain.parameters(), strict=True):
        assert torch.equal(p, q)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, False, "cuda"), (True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_best_device_is_a_gpu(cuda, mps, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setenv("VAE_LIB_DEVICE", "")
    assert training.best_device().type == expected


def test_another_device_can_be_named(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setenv("VAE_LIB_DEVICE", "cpu")
    assert training.best_device().type == "cpu"
    monkeypatch.setenv("VAE_LIB_DEVICE", "gpu")
    with pytest.raises(RuntimeError, match=r"Expected one of cpu, cuda.*: gpu"):  # torch's own
        training.best_device()


# Judging: on the device as on the CPU, with the data here or there.

LIKELIHOODS = {
    "Bernoulli": (conditionals.Bernoulli, BINARY),
    "continuous Bernoulli": (conditionals.ContinuousBernoulli, GREY),
    "fixed scale": (conditionals.Gaussian, GREY),
    "learned scale": (lambda net: conditionals.Gaussian(net, sigma="learned"), GREY),
}

SCORES = {
    "elbo": elbo,
    "both terms": lambda vae, x: torch.stack(elbo_terms(vae, x, n_samples=2)),
    "log weights": lambda vae, x: log_importance_weights(vae, x, n_samples=3),
    "iwae": lambda vae, x: iwae(vae, x, n_samples=3),
    "log-likelihood": lambda vae, x: torch.stack(
        log_likelihood(vae, x, n_samples=20, chunk_size=50, standard_error=True)
    ),
    "exact": lambda vae, x: exact_log_likelihood(vae, x[:2], tolerance=0.1),
    "active units": active_units,
    "sample": lambda vae, x: vae.sample(3),
    "reconstruct": lambda vae, x: vae.reconstruct(x),
}


@only_fake
@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize(("likelihood", "data"), LIKELIHOODS.values(), ids=LIKELIHOODS)
def test_scores_are_those_of_the_cpu(score, likelihood, data, on_device):
    vae, data = make_vae(2, likelihood), data[:12]
    expected = seeded(score, vae, data)
    value = seeded(score, vae.to(DEVICE), data.to(DEVICE))
    assert value.device.type == DEVICE and value.dtype == expected.dtype
    torch.testing.assert_close(value.cpu(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("where", [DEVICE, "cpu"])
def test_evaluation_moves_the_data_and_not_the_model(where, on_device):
    vae = make_vae(2).to(DEVICE)
    x = BINARY[:12].to(where)
    assert np.isfinite(evaluate(vae, elbo, x))
    for value in (log_likelihood(vae, x, n_samples=5), exact_log_likelihood(vae, x[:2])):
        assert value.device == x.device and value.isfinite().all()
    assert active_units(vae, x).shape == (2,)
    assert next(vae.parameters()).device.type == DEVICE


def test_data_outside_the_support_are_refused_there_too(on_device):
    for judge in (evaluate, fitted_vae):
        with pytest.raises(ValueError, match="binarize"):
            judge(make_vae(2).to(DEVICE), elbo, GREY.to(DEVICE))


def fitted_vae(vae, objective, data):
    return fit(vae, objective, data, epochs=1, progress=False)


DRAWS = [
    energy_distance,
    frechet_distance,
    nearest_distance,
    precision_recall,
    two_sample_accuracy,
]


@pytest.mark.parametrize("score", DRAWS)
def test_draws_are_compared_wherever_they_are(score, on_device):
    a, b = GREY[:20], GREY[20:40] ** 2
    expected = score(a, b)
    for there in ((a.to(DEVICE), b.to(DEVICE)), (a.to(DEVICE), b), (a, b.to(DEVICE))):
        assert score(*there) == pytest.approx(expected)


def test_what_scores_give_by_chance_is_known_of_data_on_the_device(on_device):
    a, b = GREY[:20], GREY[20:40] ** 2
    for there in (DEVICE, "cpu"):
        floor = real_against_real(energy_distance, a.to(there), n_repeats=3)
        error = jackknife_error(energy_distance, a.to(there), b.to(DEVICE), n_groups=5)
        assert floor.device.type == error.device.type == "cpu"
        torch.testing.assert_close(floor, real_against_real(energy_distance, a, n_repeats=3))
        torch.testing.assert_close(error, jackknife_error(energy_distance, a, b, n_groups=5))


def test_codes_and_weights_are_judged_wherever_they_are(on_device):
    codes, factors = GREY[:40, 20:24], torch.arange(40) % 3
    for factors_there in (factors.to(DEVICE), factors):
        found = factor_information(codes.to(DEVICE), {"a": factors_there})
        assert found.device.type == DEVICE
        torch.testing.assert_close(found.cpu(), factor_information(codes, factors))
        gap = mutual_information_gap(codes.to(DEVICE), factors_there)
        assert gap == pytest.approx(mutual_information_gap(codes, factors))
        scores = dci(codes.to(DEVICE), factors_there, n_trees=30)
        assert scores.informativeness == dci(codes, factors, n_trees=30).informativeness
    for score in (effective_sample_size, pareto_shape):
        found = score(GREY[:40].to(DEVICE))
        assert found.device.type == DEVICE
        torch.testing.assert_close(found.cpu(), score(GREY[:40]))


@only_fake
def test_a_model_on_the_device_turns_there(on_device):
    vae, rotation = make_vae(2), torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    with torch.no_grad():
        expected = seeded(elbo, rotated(vae, rotation), BINARY[:6])
        vae, x = vae.to(DEVICE), BINARY[:6].to(DEVICE)
        for matrix in (rotation, rotation.to(DEVICE)):
            found = seeded(elbo, rotated(vae, matrix), x)
            assert found.device.type == DEVICE
            torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-4)


# What is shown: from tensors of any device.


def drawn(function, *args, **options):
    ax = plt.figure().subplots()
    function(*args, ax=ax, **options)
    plt.close(ax.figure)


def test_plots_take_tensors_of_the_device(on_device):
    z, labels = torch.randn(9, 2).to(DEVICE), torch.arange(9).to(DEVICE)
    drawn(plots.images, GREY[:9].to(DEVICE), (8, 8))
    drawn(plots.latent_map, z, labels)
    drawn(plots.latent_map, z, labels.cpu())
    drawn(plots.latent_map, z)
    drawn(plots.ellipses, z, z.exp())


FIGURES = {
    "latent map": lambda d: live.latent_map(
        d["decoder"],
        d["codes"],
        d["codes"] @ d["codes"].T,
        image_shape=(8, 8),
        low=(-3, -3),
        high=(3, 3),
        usual=1.0,
    ),
    "posterior ellipse": lambda d: live.posterior_ellipse(**d, drawing="box", image_shape=(8, 8)),
    "decoded draws": lambda d: live.decoded_draws(d["decoder"], sigma=0.2, image_shape=(8, 8)),
    "sigma slider": lambda d: live.sigma_slider(
        d["images"],
        0.5 * d["images"].flip(0),
        shown={"one": 0, "two": 1},
        image_shape=(8, 8),
        value_range=(0, 1),
        sigma=0.3,
    ),
    "ELBO bars": lambda d: live.elbo_bars(
        nn.Sequential(nn.Linear(1, 2).to(d["codes"].device), d["decoder"]),
        d["images"][:2],
        image_shape=(8, 8),
        names=["one", "two"],
        mu=d["codes"][:2, 0],
        sigma=d["codes"][:2, 1].exp(),
    ),
    "receptive field": lambda d: live.receptive_field(
        nn.Conv2d(1, 3, 3).to(d["codes"].device),
        d["images"],
        image_shape=(8, 8),
        names=list("abcdef"),
        mlp=d["encoder"],
    ),
    "linear collapse": lambda d: live.linear_collapse(
        torch.arange(64, 0, -1).to(d["codes"].device),
        latent_dim=2,
        components=torch.eye(64)[:2].to(d["codes"].device),
        mean=d["images"][0],
        images=d["images"],
        names=list("abcdef"),
        image_shape=(8, 8),
    ),
    "explorer": lambda d: live.explorer(**d, drawing="box", image_shape=(8, 8)),
    "rate and distortion": lambda d: live.rate_distortion(
        2 * [vae_of(d)],
        [0.5, 1.0],
        d["images"],
        image_shape=(8, 8),
        rates=d["codes"][0].exp(),
        distortions=d["codes"][1].exp(),
        real=d["images"],
    ),
    "conditional digits": lambda d: live.conditional_digits(
        ConditionalVAE(
            nn.Identity(),
            conditionals.Bernoulli(nn.Sequential(nn.Linear(4, 2), d["decoder"])),
            conditionals.StandardNormal(2),
        ).to(d["codes"].device),
        d["images"],
        (d["labels"] > 2).long(),
        image_shape=(8, 8),
        n_classes=2,
        label=1,
    ),
    "rotated latents": lambda d: live.rotated_latents(
        d["encoder"],
        d["decoder"],
        d["images"],
        {"a": torch.arange(len(d["images"])) % 2, "b": d["image_labels"]},
        sigma=0.3,
        image_shape=(8, 8),
    ),
}


def vae_of(d):
    prior = conditionals.StandardNormal(2)
    parts = conditionals.DiagonalGaussian(d["encoder"]), conditionals.Bernoulli(d["decoder"]), prior
    return VAE(*parts).to(d["codes"].device)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_live_figures_are_made_of_what_is_on_the_device(figure, on_device):
    states = []
    for device in ("cpu", DEVICE):
        torch.manual_seed(2)
        made = {"encoder": mlp(64, 8, 4), "decoder": mlp(2, 8, 64), "codes": torch.randn(6, 2)}
        labels = torch.arange(6)
        made |= {"labels": labels, "images": BINARY[:6], "image_labels": labels}
        states.append(figure({name: part.to(device) for name, part in made.items()}).state)
    assert_alike(*states)


def assert_alike(state, other):
    """The same but for rounding, in which devices differ."""
    if isinstance(state, dict) and "dtype" in state:
        packed = [np.frombuffer(one["data"], one["dtype"]) for one in (state, other)]
        np.testing.assert_allclose(*packed, rtol=1e-5, atol=1e-6)
        state, other = ({**one, "data": None} for one in (state, other))
    if isinstance(state, dict | list):
        assert len(state) == len(other)
        for key in state if isinstance(state, dict) else range(len(state)):
            assert_alike(state[key], other[key])
    else:
        assert state == (pytest.approx(other, rel=1e-5) if isinstance(other, float) else other)


# With torch's default device set to another one than the data and the model are on.


@pytest.fixture
def default_device():
    torch.set_default_device(DEVICE)
    yield
    torch.set_default_device(None)


@pytest.mark.parametrize(
    "score",
    [
        *(SCORES[name] for name in ("elbo", "log-likelihood", "exact", "active units", "sample")),
        lambda vae, x: torch.tensor(energy_distance(x[:6], x[6:]), device="cpu"),
        lambda vae, x: torch.tensor(two_sample_accuracy(x[:6], x[6:]), device="cpu"),
        lambda vae, x: binarize(x),
        lambda vae, x: torch.tensor(evaluate(vae, elbo, x), device="cpu"),
        lambda vae, x: torch.tensor(fit_on_cpu(vae, x).train, device="cpu"),
    ],
)
def test_torchs_default_device_changes_nothing(score, default_device):
    with torch.device("cpu"):
        vae, x = make_vae(2), BINARY[:12]
        expected = seeded(score, copy.deepcopy(vae), x)
    torch.testing.assert_close(seeded(score, vae, x), expected)


def fit_on_cpu(vae, x):
    return fit(vae, elbo, x, epochs=1, device="cpu", progress=False)


@pytest.mark.long
def test_the_benchmark_for_gpus_runs(tmp_path):
    file = tmp_path / "gpu.json"
    command = [sys.executable, "benchmarks/gpu.py", "--dry-run", "--json", str(file)]
    parts = ["epoch", "bf16", "likelihood", "chapters"]
    subprocess.run([*command, "--only", *parts], cwd=ROOT, check=True, capture_output=True)
    results = json.loads(file.read_text())
    assert set(parts) <= results.keys() and "failed" not in json.dumps(results)
