"""Free bits and the KL of each latent dimension."""

import math

import pytest
import torch
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.evaluation import active_units
from vae_lib.models import VAE, ConditionalVAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo, elbo_terms, free_bits, kl_by_dimension
from vae_lib.training import evaluate, fit


class Fixed(nn.Module):
    """q(z|x) with means and variances that are written down, whatever x is."""

    def __init__(self, mu: torch.Tensor, variance: torch.Tensor) -> None:
        super().__init__()
        self.mu, self.variance = nn.Parameter(mu), nn.Parameter(variance)

    def forward(self, x: torch.Tensor) -> td.Distribution:
        return td.Independent(td.Normal(self.mu, self.variance.sqrt()), 1)


def with_q(encoder: nn.Module, latent_dim: int = 3) -> VAE:
    torch.manual_seed(0)
    return VAE(encoder, Bernoulli(mlp(latent_dim, 8, 6)), StandardNormal(latent_dim)).double()


@pytest.fixture
def written_down():
    """A VAE of three latent dimensions whose mean KLs are about 0.7, 0.05 and 0."""
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([1.2, 0.3, 0.0], dtype=torch.float64)
    mu = torch.randn(40, 3, dtype=torch.float64, generator=generator) * scale
    return with_q(Fixed(mu, torch.ones_like(mu))), torch.zeros(40, 6, dtype=torch.float64)


def by_draws(vae, x, n=200_000):
    """The KL of each dimension, from draws and from scipy-free formulas of the densities."""
    q = vae.encoder(x)
    z = q.sample((n // len(x),))
    log_q = -0.5 * (((z - q.mean) / q.stddev) ** 2 + 2 * q.stddev.log() + math.log(2 * math.pi))
    log_p = -0.5 * (z**2 + math.log(2 * math.pi))
    return (log_q - log_p).mean(0)


def test_the_kls_of_the_dimensions_are_right_and_add_up(written_down):
    vae, x = written_down
    with torch.no_grad():
        vae.encoder.variance.copy_(torch.rand(40, 3) + 0.3)
        torch.manual_seed(1)
        kl = kl_by_dimension(vae, x)
        assert kl.shape == (40, 3)
        torch.testing.assert_close(kl.sum(-1), elbo_terms(vae, x)[1])
        torch.testing.assert_close(kl, by_draws(vae, x), rtol=0, atol=0.15)


def values_and_terms(vae, x, floor):
    torch.manual_seed(2)
    values = free_bits(vae, x, floor=floor)
    torch.manual_seed(2)
    return values, elbo_terms(vae, x)[0], kl_by_dimension(vae, x)


@pytest.mark.parametrize("floor", [0.0, 0.01, 0.1, 0.5, 3.0])
def test_their_mean_is_the_objective_of_the_batch(written_down, floor):
    values, log_px, kl = values_and_terms(*written_down, floor)
    assert values.shape == (40,)
    expected = log_px.mean() - torch.stack([max(k, torch.tensor(floor)) for k in kl.mean(0)]).sum()
    torch.testing.assert_close(values.mean(), expected)


def test_each_value_has_its_own_kl_above_the_floor_and_the_floor_below(written_down):
    values, log_px, kl = values_and_terms(*written_down, 0.1)
    assert (kl.mean(0) > 0.1).tolist() == [True, False, False]
    torch.testing.assert_close(values, log_px - kl[:, 0] - 0.2)


def test_the_gradient_is_that_of_the_maximum(written_down):
    vae, x = written_down
    values, log_px, kl = values_and_terms(vae, x, 0.1)
    parameters = [vae.encoder.mu, vae.encoder.variance]
    found = torch.autograd.grad(values.mean(), parameters, retain_graph=True)
    expected = torch.autograd.grad(log_px.mean() - kl.mean(0).clamp_min(0.1).sum(), parameters)
    torch.testing.assert_close(found, expected)


def test_below_the_floor_the_prior_does_not_pull(written_down):
    vae, x = written_down
    with torch.no_grad():
        for weights in vae.decoder.net[0].parameters():
            weights.zero_()  # no code matters, so that the KL alone has a gradient
    free_bits(vae, x, floor=0.1).mean().backward()
    pull = vae.encoder.mu.grad.abs().sum(0)
    assert pull[0] > 0
    assert pull[1:].tolist() == [0, 0]


def test_without_a_floor_it_is_the_elbo_and_with_one_it_is_not_above(written_down):
    vae, x = written_down
    at_zero, _, _ = values_and_terms(vae, x, 0.0)
    torch.manual_seed(2)
    torch.testing.assert_close(at_zero, elbo(vae, x))
    for floor in (0.01, 0.2, 5.0):
        assert values_and_terms(vae, x, floor)[0].mean() < at_zero.mean()


def test_a_batch_of_one_and_extreme_variances_stay_finite():
    for log_var in (-20.0, 20.0):
        variance = torch.full((1, 1), log_var, dtype=torch.float64).exp()
        vae = with_q(Fixed(torch.zeros(1, 1, dtype=torch.float64), variance), latent_dim=1)
        value = free_bits(vae, torch.zeros(1, 6, dtype=torch.float64), floor=0.5)
        assert value.shape == (1,)
        assert value.isfinite().all()


def test_fit_takes_it_and_it_keeps_codes_that_tell_nothing_alive():
    # Independent coin flips of probability 1/2: the ELBO is best without any code.
    x = torch.bernoulli(torch.full((400, 6), 0.5), generator=torch.Generator().manual_seed(0))
    kls = {}
    for name, objective in {
        "elbo": elbo,
        "free bits": lambda vae, x: free_bits(vae, x, floor=0.5),
    }.items():
        torch.manual_seed(0)
        encoder = DiagonalGaussian(mlp(6, 16, 4))
        vae = VAE(encoder, Bernoulli(mlp(2, 16, 6)), StandardNormal(2))
        fit(vae, objective, x, epochs=60, lr=5e-3, device="cpu")
        with torch.no_grad():
            kls[name] = kl_by_dimension(vae, x).mean(0)
        if name == "free bits":
            assert active_units(vae, x).all()
            assert evaluate(vae, elbo, x) < -6 * math.log(2)
    assert (kls["elbo"] < 0.1).all()
    assert (kls["free bits"] > 0.35).all()


def test_a_conditional_model_has_them_by_what_it_is_given():
    torch.manual_seed(0)
    encoder, decoder = mlp(8, 8, 4), mlp(4, 8, 6)
    cvae = ConditionalVAE(DiagonalGaussian(encoder), Bernoulli(decoder), StandardNormal(2))
    y, x = torch.eye(2).repeat(3, 1), torch.zeros(6, 6)
    assert kl_by_dimension(cvae.given(y), x).shape == (6, 2)
    assert free_bits(cvae.given(y), x, floor=0.1, n_samples=3).shape == (6,)


class Tilted(nn.Module):
    def forward(self, x: torch.Tensor) -> td.Distribution:
        covariance = torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=x.dtype)
        return td.MultivariateNormal(torch.zeros(len(x), 2, dtype=x.dtype), covariance)


class Heavy(nn.Module):
    def forward(self, x: torch.Tensor) -> td.Distribution:
        return td.Independent(td.StudentT(3.0, torch.zeros(len(x), 2, dtype=x.dtype)), 1)


@pytest.mark.parametrize("floor", [-0.1, math.nan, math.inf, "0.1", None])
def test_a_floor_that_is_none_is_refused(written_down, floor):
    with pytest.raises(ValueError, match=r"floor, in nats .* must be a finite number of 0 or more"):
        free_bits(*written_down, floor=floor)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [(Tilted(), "independent over dimensions"), (Heavy(), "no closed form")],
)
def test_what_has_no_kl_by_dimension_is_refused(encoder, message):
    vae, x = with_q(encoder, latent_dim=2), torch.zeros(4, 6, dtype=torch.float64)
    for refused in (lambda: kl_by_dimension(vae, x), lambda: free_bits(vae, x, floor=0.1)):
        with pytest.raises(ValueError, match=message):
            refused()
