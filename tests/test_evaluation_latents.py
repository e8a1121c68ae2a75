"""Mutual information between examples and codes."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import latents, mutual_information
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo_terms


class NoisyCopy(nn.Module):
    """q(z|x) = N(x, s²), in as many dimensions as x has."""

    def __init__(self, s: float) -> None:
        super().__init__()
        self.s = s

    def forward(self, x: torch.Tensor) -> td.Distribution:
        return td.Independent(td.Normal(x, torch.full_like(x, self.s)), 1)


def copying(s: float, n_dims: int = 1) -> VAE:
    decoder = Gaussian(nn.Linear(n_dims, n_dims), sigma=1.0)
    return VAE(NoisyCopy(s), decoder, StandardNormal(n_dims)).double()


@pytest.mark.parametrize("s", [0.2, 0.7, 3.0])
def test_of_three_rows_it_is_the_integral(s):
    means = np.array([-1.0, 0.3, 2.0])

    def integrand(z):
        densities = stats.norm(means, s).pdf(z)
        return sum(p * math.log(p / densities.mean()) for p in densities if p > 0) / 3

    exact = integrate.quad(integrand, -40, 40, points=[-1.0, 0.3, 2.0], limit=500)[0]
    torch.manual_seed(0)
    x = torch.tensor(means)[:, None]
    value, error = mutual_information(copying(s), x, n_samples=20_000, standard_error=True)
    assert abs(value - exact) < 4 * error
    assert error < 0.01


def test_its_standard_error_is_that_of_the_draws_for_these_rows():
    """Two rows in one place and one far away: what is told differs by row, and by draw not."""
    x = torch.tensor([[0.0], [0.0], [1000.0]]).double()
    value, error = mutual_information(copying(0.5), x, n_samples=4, standard_error=True)
    assert value == pytest.approx((2 * math.log(1.5) + math.log(3)) / 3, abs=1e-12)
    assert error < 1e-9


@pytest.mark.parametrize(("s", "n_dims"), [(1.0, 1), (0.5, 1), (1.0, 2)])
def test_of_many_rows_it_nears_that_of_gaussians_from_below(s, n_dims):
    exact = n_dims * 0.5 * math.log(1 + 1 / s**2)
    torch.manual_seed(0)
    few, many = (
        np.mean(
            [
                mutual_information(copying(s, n_dims), torch.randn(n, n_dims).double(), n_samples=k)
                for _ in range(repeats)
            ]
        )
        for n, k, repeats in ((10, 50, 200), (1000, 5, 8))
    )
    assert few < exact - 0.03
    assert many == pytest.approx(exact, abs=0.03)


def test_it_is_what_the_kl_has_beyond_the_distance_of_the_aggregate():
    s = 0.6
    x = torch.tensor([[-1.2], [0.1], [0.4], [1.5]], dtype=torch.float64)
    vae = copying(s)

    def integrand(z):
        q = stats.norm(x[:, 0].numpy(), s).pdf(z).mean()
        return q * (math.log(q) - stats.norm.logpdf(z))

    to_prior = integrate.quad(integrand, -8, 8)[0]
    torch.manual_seed(0)
    value, error = mutual_information(vae, x, n_samples=50_000, standard_error=True)
    with torch.no_grad():
        kl = elbo_terms(vae, x)[1].mean().item()
    assert abs(kl - to_prior - value) < 4 * error


def test_no_draw_exceeds_log_n_and_distinct_codes_reach_it():
    x = torch.arange(7.0).double()[:, None]
    for n in (2, 7):
        value = mutual_information(copying(1e-3), x[:n], n_samples=3)
        assert value == pytest.approx(math.log(n), abs=1e-9)
    assert mutual_information(copying(0.3), x, n_samples=1) <= math.log(7) + 1e-12


def test_codes_that_know_nothing_have_none():
    same = torch.full((50, 1), 0.4, dtype=torch.float64)
    assert mutual_information(copying(0.5), same) == pytest.approx(0, abs=1e-12)


def test_pieces_of_the_mixture_give_the_same(monkeypatch):
    q_z = NoisyCopy(0.5)(torch.randn(30, 2, dtype=torch.float64))
    z = q_z.sample((4,))
    whole = latents._log_aggregate(q_z, z)
    mixture = td.MixtureSameFamily(td.Categorical(torch.ones(30).double()), q_z)
    torch.testing.assert_close(whole, mixture.log_prob(z))
    monkeypatch.setattr(latents, "PAIRS_AT_ONCE", 100)
    torch.testing.assert_close(latents._log_aggregate(q_z, z), whole)


def test_mode_data_and_random_state_of_the_caller_are_respected():
    torch.manual_seed(0)
    encoder = DiagonalGaussian(nn.Sequential(mlp(6, 8, 4), nn.Dropout(0.5)))
    vae = VAE(encoder, Bernoulli(mlp(2, 8, 6)), StandardNormal(2)).train()
    x = np.random.default_rng(0).integers(0, 2, (20, 6)).astype(np.float64)
    torch.manual_seed(1)
    first = mutual_information(vae, x)
    torch.manual_seed(1)
    assert mutual_information(vae, x) == first
    assert isinstance(first, float)
    assert vae.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(1, 1)}, "needs 2 rows or more"),
        ({"x": torch.tensor([[0.0], [math.nan]])}, "NaN or infinite"),
        ({"n_samples": 0}, "n_samples"),
        ({"n_samples": 1, "standard_error": True}, "n_samples"),
        ({"model": VAE(None, Gaussian(nn.Linear(1, 1)), StandardNormal(1))}, "no encoder"),
    ],
)
def test_what_has_no_mutual_information_is_refused(change, message):
    arguments = {"model": copying(1.0), "x": torch.zeros(3, 1)} | change
    with pytest.raises(ValueError, match=message):
        mutual_information(arguments.pop("model"), arguments.pop("x"), **arguments)
