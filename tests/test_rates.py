import pytest
import torch
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import rate_and_distortion
from vae_lib.models import VAE, ConditionalVAE
from vae_lib.objectives import elbo


def linear_vae(latent_dim=2, n_pixels=4, sigma=0.5):
    torch.manual_seed(0)
    encoder = DiagonalGaussian(nn.Linear(n_pixels, 2 * latent_dim))
    decoder = Gaussian(nn.Linear(latent_dim, n_pixels), sigma)
    return VAE(encoder, decoder, StandardNormal(latent_dim)).double()


def closed_form(vae, x):
    """R and D of a linear decoder with a fixed σ, written out."""
    q_z, linear = vae.encoder(x), vae.decoder.net
    mu, variance = q_z.mean, q_z.variance
    rate = 0.5 * (mu**2 + variance - 1 - variance.log()).sum(-1)
    error = (x - linear(mu)).square().sum(-1) + (linear.weight**2 @ variance.T).sum(0)
    sigma = torch.as_tensor(vae.decoder.sigma, dtype=x.dtype)
    constant = x.shape[1] * (sigma.log() + 0.5 * torch.log(torch.tensor(2 * torch.pi)))
    return rate.detach(), (error / (2 * sigma**2) + constant).detach()


@pytest.mark.parametrize(("latent_dim", "n_pixels"), [(1, 1), (1, 4), (3, 4)])
@pytest.mark.parametrize("sigma", [0.05, 0.5, 3.0])
def test_both_are_what_the_closed_form_says(latent_dim, n_pixels, sigma):
    vae = linear_vae(latent_dim, n_pixels, sigma)
    x = torch.randn(7, n_pixels, dtype=torch.float64)
    rate, distortion = rate_and_distortion(vae, x, n_samples=20_000)
    expected_rate, expected = closed_form(vae, x)
    torch.testing.assert_close(rate, expected_rate, rtol=1e-12, atol=0)
    torch.testing.assert_close(distortion, expected, rtol=0.03, atol=0.03)


@pytest.mark.parametrize("n_samples", [1, 7])
def test_minus_the_elbo_is_their_sum_for_the_same_draws(n_samples):
    vae, x = linear_vae(), torch.randn(5, 4, dtype=torch.float64)
    # `rate_and_distortion` looks at the data before it draws, with a seed of its own.
    torch.manual_seed(1)
    bound = elbo(vae, x, n_samples=n_samples)
    torch.manual_seed(1)
    rate, distortion = rate_and_distortion(vae, x, n_samples=n_samples)
    torch.testing.assert_close(rate + distortion, -bound.detach())
    assert not rate.requires_grad


@pytest.mark.parametrize("chunk_size", [1, 3, 40, 100_000])
def test_chunks_change_no_more_than_the_draws(chunk_size):
    vae, x = linear_vae(), torch.randn(6, 4, dtype=torch.float64)
    rate, distortion = rate_and_distortion(vae, x, n_samples=400, chunk_size=chunk_size)
    expected_rate, expected = closed_form(vae, x)
    torch.testing.assert_close(rate, expected_rate)
    spread = vae_spread(vae, x) / 400**0.5
    assert ((distortion - expected).abs() < 5 * spread).all()


@torch.no_grad()
def vae_spread(vae, x):
    z = vae.encoder(x).sample((4000,))
    return vae.decoder(z).log_prob(x).std(0)


def test_a_rate_without_a_closed_form_is_estimated():
    class Uniformly(nn.Module):
        """q(z|x) uniform on an interval of length 0.2: KL to N(0, 1) unknown to torch."""

        def forward(self, x):
            low = x[:, :1]
            return td.Independent(td.Uniform(low, low + 0.2), 1)

    vae = VAE(Uniformly(), Gaussian(nn.Linear(1, 2), 1.0), StandardNormal(1))
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    rate, _ = rate_and_distortion(vae, x, n_samples=4000)
    z = x[:, :1] + 0.2 * torch.linspace(0, 1, 10_001)
    exact = -torch.log(torch.tensor(0.2)) - td.Normal(0.0, 1.0).log_prob(z).mean(-1)
    torch.testing.assert_close(rate, exact, rtol=0, atol=0.01)


def test_a_model_is_judged_in_evaluation_mode_and_keeps_its_own():
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4))
    vae = VAE(DiagonalGaussian(net), Bernoulli(nn.Linear(2, 4)), StandardNormal(2)).train()
    x = torch.ones(3, 4)
    first, second = (rate_and_distortion(vae, x)[0] for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert vae.training
    assert net[0].training


def test_a_conditional_model_is_given_what_it_needs():
    torch.manual_seed(0)
    encoder, decoder = DiagonalGaussian(nn.Linear(6, 4)), Gaussian(nn.Linear(4, 4), 1.0)
    cvae = ConditionalVAE(encoder, decoder, StandardNormal(2))
    x, y = torch.randn(5, 4), torch.eye(2)[[0, 1, 1, 0, 1]]
    rate, distortion = rate_and_distortion(cvae, x, y, n_samples=3000, chunk_size=6000)
    torch.testing.assert_close(rate, rate_and_distortion(cvae.given(y), x)[0])
    bound = elbo(cvae.given(y), x, n_samples=20_000)
    torch.testing.assert_close(rate + distortion, -bound.detach(), rtol=0.05, atol=0)


def test_bad_input_is_refused_in_words():
    vae = linear_vae()
    with pytest.raises(ValueError, match="shape \\(N, D\\)"):
        rate_and_distortion(vae, torch.empty(0, 4))
    with pytest.raises(ValueError, match="NaN"):
        rate_and_distortion(vae, torch.full((2, 4), torch.nan))
    with pytest.raises(ValueError, match="n_samples must be"):
        rate_and_distortion(vae, torch.zeros(2, 4), n_samples=0)
    with pytest.raises(ValueError, match="chunk_size must be"):
        rate_and_distortion(vae, torch.zeros(2, 4), chunk_size=0)
    vae = VAE(DiagonalGaussian(nn.Linear(4, 2)), Bernoulli(nn.Linear(1, 4)), StandardNormal(1))
    with pytest.raises(ValueError, match="binarize"):
        rate_and_distortion(vae, torch.full((2, 4), 0.5))
