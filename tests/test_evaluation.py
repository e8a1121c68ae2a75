import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import (
    bits_per_dim,
    energy_distance,
    exact_log_likelihood,
    log_likelihood,
    nearest_distance,
    two_sample_accuracy,
)
from vae_lib.models import VAE
from vae_lib.networks import mlp


def linear_vae(latent_dim: int, sigma: float) -> tuple[VAE, td.Distribution]:
    """x = W z + b + σ ε, and its exact p(x)."""
    torch.manual_seed(0)
    net = nn.Linear(latent_dim, 4).double()
    encoder = DiagonalGaussian(nn.Linear(4, 2 * latent_dim)).double()
    vae = VAE(encoder, Gaussian(net, sigma=sigma).double(), StandardNormal(latent_dim).double())
    w = net.weight.detach()
    covariance = w @ w.T + sigma**2 * torch.eye(4, dtype=torch.float64)
    return vae, td.MultivariateNormal(net.bias.detach(), covariance)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("sigma", [0.05, 0.5])
def test_quadrature_is_the_evidence(latent_dim, sigma):
    vae, p_x = linear_vae(latent_dim, sigma)
    x = p_x.sample((20,))
    value = exact_log_likelihood(vae, x)
    assert value.shape == (20,)
    torch.testing.assert_close(value, p_x.log_prob(x), rtol=0, atol=1e-3)


def test_quadrature_says_when_it_has_not_converged():
    vae, p_x = linear_vae(1, 1e-4)
    with pytest.raises(ArithmeticError, match="max_points"):
        exact_log_likelihood(vae, p_x.sample((3,)), max_points=64)


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


def test_log_likelihood_refuses_no_samples():
    with pytest.raises(ValueError, match="n_samples"):
        log_likelihood(linear_vae(2, 0.5)[0], torch.zeros(2, 4).double(), n_samples=0)


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
