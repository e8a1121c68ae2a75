import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from sklearn.neighbors import KNeighborsClassifier
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import (
    active_units,
    bits_per_dim,
    energy_distance,
    exact_log_likelihood,
    likelihood,
    log_likelihood,
    nearest_distance,
    two_sample_accuracy,
)
from vae_lib.evaluation.judged import judging
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import log_importance_weights


def linear_vae(latent_dim: int, sigma: float) -> tuple[VAE, td.Distribution]:
    """x = W z + b + σ ε, and its exact p(x)."""
    torch.manual_seed(0)
    net = nn.Linear(latent_dim, 4).double()
    encoder = DiagonalGaussian(nn.Linear(4, 2 * latent_dim)).double()
    vae = VAE(encoder, Gaussian(net, sigma=sigma).double(), StandardNormal(latent_dim).double())
    w = net.weight.detach()
    covariance = w @ w.T + sigma**2 * torch.eye(4, dtype=torch.float64)
    return vae, td.MultivariateNormal(net.bias.detach(), covariance)


@pytest.mark.parametrize("encoder", ["exact", "untrained", None])
@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("sigma", [1.0, 0.03, 1e-3])
def test_quadrature_is_the_evidence(latent_dim, sigma, encoder):
    vae, p_x = linear_vae(latent_dim, sigma)
    vae.encoder = {"exact": ExactQ(vae), "untrained": vae.encoder, None: None}[encoder]
    x = p_x.sample((10,))
    value, error = exact_log_likelihood(vae, x, error=True)
    assert value.shape == error.shape == (10,)
    assert value.dtype == x.dtype
    assert (error <= 1e-3).all()
    torch.testing.assert_close(value, p_x.log_prob(x), rtol=0, atol=1e-3)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_narrow_posterior_is_found_wherever_it_lies(latent_dim):
    net = nn.Linear(latent_dim, latent_dim).double()
    nn.init.eye_(net.weight)
    nn.init.zeros_(net.bias)
    decoder = Gaussian(net, sigma=1e-4).double()
    vae = VAE(None, decoder, StandardNormal(latent_dim).double())
    vae.encoder = ExactQ(vae)
    generator = torch.Generator().manual_seed(0)
    x = 8 * torch.rand(30, latent_dim, dtype=torch.float64, generator=generator) - 4
    x[0] = 0  # on a corner of the grid
    expected = stats.norm(0, math.sqrt(1 + 1e-8)).logpdf(x.numpy()).sum(1)
    np.testing.assert_allclose(exact_log_likelihood(vae, x), expected, rtol=0, atol=1e-3)


class Distance(nn.Module):
    """|z - 0.123|: two codes explain every x, one on either side."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return (z - 0.123).abs()


@pytest.mark.parametrize("sigma", [0.2, 0.1])
def test_a_second_peak_is_found_though_the_encoder_knows_one(sigma):
    net = nn.Linear(1, 2).double()
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0], [0.0]]))
        net.bias.copy_(torch.tensor([0.123, 2 * math.log(sigma)]))
    decoder = Gaussian(Distance(), sigma=sigma).double()
    vae = VAE(DiagonalGaussian(net), decoder, StandardNormal(1).double())
    x = torch.linspace(1.2, 2.5, 14, dtype=torch.float64)[:, None]
    # x is more than 6 σ from 0, so that each side is a Gaussian of its own.
    sides = [stats.norm(c, math.hypot(1, sigma)).pdf(x[:, 0].numpy()) for c in (0.123, -0.123)]
    np.testing.assert_allclose(exact_log_likelihood(vae, x), np.log(sum(sides)), atol=1e-3, rtol=0)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_quadrature_of_a_network_is_scipys(latent_dim):
    torch.manual_seed(3)
    net = mlp(latent_dim, 5, 3).double()
    vae = VAE(None, Gaussian(net, sigma=0.3).double(), StandardNormal(latent_dim).double())
    x = torch.randn(1, 3, dtype=torch.float64) * 0.3
    w1, b1, w2, b2 = (p.detach().numpy() for p in net.parameters())

    def joint(*z):
        mean = w2 @ np.maximum(w1 @ np.array(z) + b1, 0) + b2
        exponent = ((x[0].numpy() - mean) ** 2).sum() / 0.3**2 + np.square(z).sum()
        return math.exp(-exponent / 2) / (0.3**3 * (2 * math.pi) ** ((3 + latent_dim) / 2))

    options = {"epsrel": 1e-4, "epsabs": 0}
    expected, _ = integrate.nquad(joint, [(-7, 7)] * latent_dim, opts=options)
    value = exact_log_likelihood(vae, x, tolerance=1e-4)
    assert value.item() == pytest.approx(math.log(expected), abs=2e-4)


def test_quadrature_says_when_it_has_not_converged():
    vae, p_x = linear_vae(1, 1e-4)
    with pytest.raises(ArithmeticError, match="max_points"):
        exact_log_likelihood(vae, p_x.sample((3,)), max_points=64)


def test_one_image_does_not_depend_on_the_others():
    vae, p_x = linear_vae(2, 0.1)
    x = p_x.sample((40,))
    torch.testing.assert_close(exact_log_likelihood(vae, x)[35:], exact_log_likelihood(vae, x[35:]))


def test_quadrature_refuses_three_dimensions():
    with pytest.raises(ValueError, match="log_likelihood"):
        exact_log_likelihood(linear_vae(3, 0.5)[0], torch.zeros(1, 4, dtype=torch.float64))


def test_importance_weighting_agrees_with_quadrature_on_a_network():
    torch.manual_seed(1)
    vae = VAE(DiagonalGaussian(mlp(6, 8, 4)), Bernoulli(mlp(2, 8, 6)), StandardNormal(2))
    x = torch.randint(0, 2, (5, 6)).float()
    exact = exact_log_likelihood(vae, x)
    estimate = log_likelihood(vae, x, n_samples=50_000)
    torch.testing.assert_close(estimate, exact, rtol=0, atol=0.03)


@pytest.mark.parametrize("chunk_size", [1, 7, 64, 10_000])
def test_chunks_do_not_change_the_estimate(chunk_size):
    vae, p_x = linear_vae(2, 0.5)
    x = p_x.sample((9,))
    # With the true posterior every weight is p(x), so a wrong count in any chunk would show.
    exact_q = VAE(ExactQ(vae), vae.decoder, vae.prior)
    estimate = log_likelihood(exact_q, x, n_samples=11, chunk_size=chunk_size)
    torch.testing.assert_close(estimate, p_x.log_prob(x), rtol=0, atol=1e-5)


class ExactQ(nn.Module):
    """The true posterior of a linear VAE, with its full covariance."""

    def __init__(self, vae: VAE) -> None:
        super().__init__()
        self.net, self.sigma = vae.decoder.net, vae.decoder.sigma.detach()

    def forward(self, x: torch.Tensor) -> td.Distribution:
        w = self.net.weight.detach()
        precision = torch.eye(w.shape[1], dtype=w.dtype) + w.T @ w / self.sigma**2
        mean = torch.linalg.solve(precision, w.T @ (x - self.net.bias).T / self.sigma**2).T
        return td.MultivariateNormal(mean.detach(), precision_matrix=precision)


def test_standard_error_by_hand_and_in_chunks():
    vae, p_x = linear_vae(2, 0.5)
    x = p_x.sample((1,))
    for chunk_size, parts in ((1000, [50]), (20, [20, 20, 10])):
        torch.manual_seed(5)
        log_w = [log_importance_weights(vae, x, n_samples=n) for n in parts]
        w = torch.cat(log_w).detach().exp().numpy()
        torch.manual_seed(5)
        value, error = log_likelihood(
            vae, x, n_samples=50, chunk_size=chunk_size, standard_error=True
        )
        assert value.item() == pytest.approx(math.log(w.mean()))
        assert error.item() == pytest.approx(w.std(ddof=1) / math.sqrt(50) / w.mean())


def test_standard_error_is_the_spread_of_repeated_estimates():
    vae, p_x = linear_vae(1, 1.0)
    x = p_x.sample((1,)).expand(500, -1)
    torch.manual_seed(6)
    value, error = log_likelihood(vae, x, n_samples=400, standard_error=True)
    # A standard deviation from 500 values is itself good to 1 / sqrt(1000), about 3 percent.
    assert error.mean().item() == pytest.approx(value.std().item(), rel=0.15)
    assert (value.mean() - p_x.log_prob(x[0])).abs() < 5 * value.std() / math.sqrt(500) + 1e-3


def test_equal_weights_have_no_standard_error():
    vae, p_x = linear_vae(2, 0.5)
    exact_q = VAE(ExactQ(vae), vae.decoder, vae.prior)
    value, error = log_likelihood(exact_q, p_x.sample((4,)), n_samples=20, standard_error=True)
    assert value.shape == error.shape == (4,)
    assert (error < 1e-6).all()


@pytest.mark.parametrize(("n_images", "n_samples"), [(300, 10), (2, 5000)])
def test_no_more_weights_at_a_time_than_the_chunk_size(n_images, n_samples):
    vae, p_x = linear_vae(2, 0.5)
    seen = []
    vae.decoder.register_forward_pre_hook(lambda _, args: seen.append(args[0].numel() // 2))
    log_likelihood(vae, p_x.sample((n_images,)), n_samples=n_samples, chunk_size=700)
    assert max(seen) <= 700
    assert sum(seen) == n_images * n_samples + 1  # and one code for the check


@pytest.mark.parametrize("wide", [1, 64, 784, 3 * 64 * 64])
def test_chunks_are_large_where_a_device_waits_between_them_and_never_out_of_memory(
    wide, monkeypatch
):
    decoder = nn.Sequential(nn.Linear(2, wide), nn.ReLU(), nn.Linear(wide, 4))
    vae = VAE(DiagonalGaussian(nn.Linear(4, 4)), Bernoulli(decoder), StandardNormal(2))
    with judging(vae, torch.zeros(3, 4)) as judged:
        assert likelihood._default_chunk_size(judged) == 2000
        state = torch.get_rng_state()
        assert likelihood._widest(judged) == max(wide, 4)
        assert torch.equal(torch.get_rng_state(), state)
        assert not any(part._forward_hooks for part in vae.modules())
        monkeypatch.setattr(likelihood, "_widest", lambda judged: max(wide, 4))
        size = likelihood._default_chunk_size(replace(judged, device=torch.device("cuda")))
    assert size == 500_000 if wide <= 784 else 3 * 4 * size * wide <= 5e9
    monkeypatch.setattr(likelihood, "_widest", lambda judged: 10**9)
    assert likelihood._default_chunk_size(replace(judged, device=torch.device("mps"))) == 1


def test_progress_counts_chunks(monkeypatch):
    vae, p_x = linear_vae(2, 0.5)
    bars = []
    monkeypatch.setattr(likelihood, "tqdm", lambda chunks, **_: bars.append(chunks) or chunks)
    x = p_x.sample((7,))
    log_likelihood(vae, x, n_samples=10, chunk_size=20, progress=False)
    assert not bars
    log_likelihood(vae, x, n_samples=10, chunk_size=20, progress=True)
    assert [len(bar) for bar in bars] == [4]  # two images of ten samples at a time


@pytest.mark.parametrize("measure", [log_likelihood, exact_log_likelihood, active_units])
def test_checks_are_switched_off_only_inside(measure):
    torch.manual_seed(0)
    vae = VAE(DiagonalGaussian(mlp(6, 8, 4)), Bernoulli(mlp(2, 8, 6)), StandardNormal(2))
    seen = []
    vae.encoder.register_forward_pre_hook(lambda *_: seen.append(vae.encoder.validate_args))
    x = torch.randint(0, 2, (5, 6)).float()
    measure(vae, x)
    assert seen[0] is True
    assert seen[-1] is False
    assert vae.encoder.validate_args is vae.prior.validate_args is True
    x[-1, -1] = 0.5
    with pytest.raises(ValueError, match="binarize"):
        measure(vae, x)
    vae.encoder.register_forward_pre_hook(
        lambda module, _: 1 / 0 if module.validate_args is False else None
    )
    with pytest.raises(ZeroDivisionError):
        measure(vae, x.round())
    assert vae.encoder.validate_args is True


@pytest.mark.parametrize("measure", [log_likelihood, exact_log_likelihood, active_units])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.full((3, 4), math.nan), "NaN"),
        (torch.full((3, 4), math.inf), "infinite"),
        (torch.zeros(4, 0), r"\(4, 0\)"),
        (torch.zeros(2, 2, 2), r"\(N, D\)"),
    ],
)
def test_likelihoods_refuse_what_is_no_data(measure, x, message):
    with pytest.raises(ValueError, match=message):
        measure(linear_vae(2, 0.5)[0], x.double())


@pytest.mark.parametrize("measure", [log_likelihood, exact_log_likelihood])
def test_likelihoods_refuse_an_empty_set(measure):
    with pytest.raises(ValueError, match=r"\(0, 4\)"):
        measure(linear_vae(2, 0.5)[0], torch.zeros(0, 4).double())


@pytest.mark.parametrize(
    "settings",
    [{"n_samples": 0}, {"chunk_size": 0}, {"n_samples": 1, "standard_error": True}],
)
def test_log_likelihood_refuses_too_few_samples(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        log_likelihood(linear_vae(2, 0.5)[0], torch.zeros(2, 4).double(), **settings)


def test_active_units_by_hand():
    net = nn.Linear(2, 6).double()
    with torch.no_grad():
        net.weight.zero_()
        net.weight[0, 0], net.weight[1, 0] = 0.09, 0.11  # means 0.09 x_0, 0.11 x_0 and 7
        net.bias.copy_(torch.tensor([0.0, 0.0, 7.0, 5.0, 5.0, 5.0]))
    vae = VAE(DiagonalGaussian(net), Gaussian(nn.Linear(3, 2)).double(), StandardNormal(3).double())
    x = torch.ones(5000, 2, dtype=torch.float64)
    x[::2] = -1  # variance 1, so that of the means is 0.0081, 0.0121 and 0
    assert active_units(vae, x).tolist() == [False, True, False]
    assert active_units(vae, x, threshold=0.008).tolist() == [True, True, False]
    with pytest.raises(ValueError, match="2 rows or more"):
        active_units(vae, x[:1])
    for threshold in (-0.1, math.nan, None):
        with pytest.raises(ValueError, match="threshold must be"):
            active_units(vae, x, threshold=threshold)
    vae.encoder = None
    with pytest.raises(ValueError, match="no encoder"):
        active_units(vae, x)


def test_bits_per_dim():
    # A fair coin for every one of D pixels costs one bit a pixel.
    log_p = torch.tensor([-10 * math.log(2)])
    torch.testing.assert_close(bits_per_dim(log_p, 10), torch.tensor([1.0]))
    with pytest.raises(ValueError, match="n_dims"):
        bits_per_dim(log_p, 0)


def normal(n, shift=0.0, seed=0, d=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator) + shift


def test_energy_distance_in_one_dimension_is_scipys_squared():
    a, b = normal(200), normal(300, 0.7, seed=1)
    expected = stats.energy_distance(a[:, 0], b[:, 0]) ** 2
    assert energy_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_energy_distance_is_symmetric_zero_for_itself_and_grows():
    a = normal(100, d=3)
    values = [energy_distance(a, a + shift) for shift in (0.0, 0.5, 1.0, 4.0)]
    assert values[0] == pytest.approx(0, abs=1e-12)
    assert values == sorted(values)
    b = normal(80, 0.3, seed=2, d=3)
    assert energy_distance(a, b) == pytest.approx(energy_distance(b, a))


def test_nearest_distance_by_hand():
    a = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    b = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert nearest_distance(a, b) == pytest.approx((1 + math.sqrt(7**2 + 4**2)) / 2)
    assert nearest_distance(b, a) == pytest.approx((5 + 1) / 2)


def test_two_sample_accuracy_is_half_for_one_distribution_and_one_for_two():
    a, b = normal(1000, d=4), normal(1000, seed=1, d=4)
    # A majority of 5 votes varies with a standard deviation near ½ / √2000.
    assert two_sample_accuracy(a, b) == pytest.approx(0.5, abs=0.05)
    assert two_sample_accuracy(a, b + 100) == 1.0


def test_two_sample_accuracy_against_scikit_learn():
    a, b = normal(60, d=3), normal(60, 0.8, seed=3, d=3)
    rows = torch.cat([a, b]).numpy()
    labels = np.repeat([0, 1], 60)
    right = []
    for i in range(120):
        others = np.arange(120) != i
        model = KNeighborsClassifier(3).fit(rows[others], labels[others])
        right.append(model.predict(rows[i : i + 1])[0] == labels[i])
    assert two_sample_accuracy(a, b, n_neighbors=3) == pytest.approx(np.mean(right))


@pytest.mark.parametrize("score", [energy_distance, nearest_distance, two_sample_accuracy])
@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (torch.zeros(3), torch.zeros(3), r"\(N, D\)"),
        (torch.zeros(0, 2), torch.zeros(3, 2), r"\(0, 2\)"),
        (torch.full((3, 2), math.nan), torch.zeros(3, 2), "NaN"),
        (torch.zeros(3, 2), torch.zeros(3, 1), "columns"),
    ],
)
def test_scores_refuse_what_cannot_be_compared(score, a, b, message):
    with pytest.raises(ValueError, match=message):
        score(a, b)


def test_two_sample_accuracy_needs_equal_sizes_and_an_odd_vote():
    with pytest.raises(ValueError, match="same size"):
        two_sample_accuracy(normal(5), normal(6))
    for n_neighbors in (0, 2, 11):
        with pytest.raises(ValueError, match="odd"):
            two_sample_accuracy(normal(5), normal(5, seed=1), n_neighbors=n_neighbors)
