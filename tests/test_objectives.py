"""Objectives against a linear-Gaussian model, whose posterior and evidence are known exactly."""

import math

import pytest
import torch
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.models import VAE, Autoencoder
from vae_lib.networks import mlp
from vae_lib.objectives import (
    elbo,
    elbo_terms,
    expected_log_likelihood,
    iwae,
    log_importance_weights,
    negative_squared_error,
)

SIGMA = 0.6


class ExactPosterior(nn.Module):
    """q(z|x) of x = W z + σ ε with orthogonal columns in W, where the posterior is diagonal."""

    def __init__(self, w: torch.Tensor) -> None:
        super().__init__()
        precision = 1 + (w**2).sum(0) / SIGMA**2
        self.w, self.variance = w, 1 / precision

    def forward(self, x: torch.Tensor) -> td.Distribution:
        mu = (x @ self.w) / SIGMA**2 * self.variance
        return td.Independent(td.Normal(mu, self.variance.sqrt().expand_as(mu)), 1)


@pytest.fixture
def linear():
    """The model, ten observations, and their exact log p(x), all in float64."""
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(5, 2, dtype=torch.float64, generator=generator)
    w = torch.linalg.qr(random).Q * torch.tensor([2.0, 0.7], dtype=torch.float64)
    net = nn.Linear(2, 5, bias=False).double()
    net.weight.data = w
    vae = VAE(ExactPosterior(w), Gaussian(net, sigma=SIGMA), StandardNormal(2)).double()
    evidence = td.MultivariateNormal(
        torch.zeros(5, dtype=torch.float64), w @ w.T + SIGMA**2 * torch.eye(5)
    )
    x = torch.randn(10, 5, dtype=torch.float64, generator=generator)
    return vae, x, evidence.log_prob(x)


def perturbed(vae: VAE) -> VAE:
    """The same model with a q that is too narrow and off centre."""
    w = vae.encoder.w
    net = nn.Linear(5, 4).double()
    with torch.no_grad():
        net.weight.copy_(torch.cat([0.8 * w.T / SIGMA**2 * vae.encoder.variance[:, None], 0 * w.T]))
        net.bias.copy_(torch.tensor([0.2, -0.1, -3.0, -1.5]))
    return VAE(DiagonalGaussian(net), vae.decoder, vae.prior)


def test_with_the_exact_posterior_every_weight_is_the_evidence(linear):
    vae, x, log_px = linear
    log_w = log_importance_weights(vae, x, n_samples=7)
    assert log_w.shape == (7, 10)
    # σ is stored in float32, hence not to the last digit of float64.
    torch.testing.assert_close(log_w, log_px.expand(7, 10), rtol=0, atol=2e-6)
    torch.testing.assert_close(iwae(vae, x, n_samples=3), log_px, rtol=0, atol=2e-6)


def test_elbo_is_the_evidence_less_the_kl_to_the_posterior(linear):
    vae, x, log_px = linear
    torch.manual_seed(0)
    q_vae = perturbed(vae)
    gap = td.kl_divergence(q_vae.encoder(x), vae.encoder(x))
    n = 20_000
    with torch.no_grad():
        value = elbo(q_vae, x, n_samples=n)
        noise = log_importance_weights(q_vae, x, n_samples=n).std(0) / math.sqrt(n)
    assert (gap > 0.05).all()
    assert ((value - (log_px - gap)).abs() < 4.5 * noise).all()


def test_terms_add_up_and_the_gradient_in_beta_is_minus_the_kl(linear):
    vae, x, _ = linear
    q_vae = perturbed(vae)
    beta = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(1)
    value = elbo(q_vae, x, n_samples=3, beta=beta)
    torch.manual_seed(1)
    log_px, kl = elbo_terms(q_vae, x, n_samples=3)
    assert log_px.shape == kl.shape == (10,)
    torch.testing.assert_close(value, log_px - 1.7 * kl)
    (slope,) = torch.autograd.grad(value.sum(), beta)
    torch.testing.assert_close(slope, -kl.sum())
    torch.manual_seed(1)
    torch.testing.assert_close(expected_log_likelihood(q_vae, x, n_samples=3), log_px)


def test_kl_is_closed_form_and_positive(linear):
    vae, x, _ = linear
    q_z = perturbed(vae).encoder(x)
    _, kl = elbo_terms(perturbed(vae), x)
    expected = 0.5 * (q_z.mean**2 + q_z.variance - 1 - q_z.variance.log()).sum(-1)
    torch.testing.assert_close(kl, expected)


def test_kl_without_a_closed_form_is_estimated(linear):
    vae, x, _ = linear
    q_vae = perturbed(vae)

    class Mixture(nn.Module):
        """N(0, I), disguised as a mixture of two equal parts: torch has no formula for it."""

        def forward(self) -> td.Distribution:
            parts = td.Independent(td.Normal(torch.zeros(2, 2).double(), 1.0), 1)
            return td.MixtureSameFamily(td.Categorical(torch.ones(2).double()), parts)

    disguised = VAE(q_vae.encoder, q_vae.decoder, Mixture())
    torch.manual_seed(2)
    with torch.no_grad():
        _, kl = elbo_terms(disguised, x, n_samples=20_000)
        _, exact = elbo_terms(q_vae, x)
    torch.testing.assert_close(kl, exact, rtol=0.03, atol=0.03)


def test_more_weights_raise_the_bound_towards_the_evidence(linear):
    vae, x, log_px = linear
    q_vae = perturbed(vae)
    torch.manual_seed(3)
    with torch.no_grad():
        means = [
            torch.stack([iwae(q_vae, x, n_samples=k) for _ in range(400)]).mean()
            for k in (1, 5, 50)
        ]
    assert means[0] < means[1] < means[2] < log_px.mean() + 0.02


def test_elbo_gradient_is_that_of_the_closed_form(linear):
    """With the exact q, E_q[log p(x|z)] - KL is log p(x), and so is its gradient in W."""
    vae, x, _ = linear
    net = vae.decoder.net
    torch.manual_seed(4)
    elbo(vae, x, n_samples=20_000).mean().backward()
    w = net.weight.detach().clone().requires_grad_()
    covariance = w @ w.T + SIGMA**2 * torch.eye(5, dtype=torch.float64)
    mean = torch.zeros(5, dtype=torch.float64)
    td.MultivariateNormal(mean, covariance).log_prob(x).mean().backward()
    torch.testing.assert_close(net.weight.grad, w.grad, rtol=0, atol=0.03)


def test_every_gradient_is_that_of_the_closed_form(linear, monkeypatch):
    """At the four points z = μ ± σ the mean of a quadratic is its expectation, and log p is one."""
    vae, x, _ = linear
    torch.manual_seed(5)
    q_vae = perturbed(vae)
    eps = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0]).double()] * 2)[:, None]
    monkeypatch.setattr(td.Normal, "rsample", lambda q, shape: q.loc + q.scale * eps)
    parameters = list(q_vae.parameters())
    value = elbo(q_vae, x, n_samples=4)

    mu, log_var = q_vae.encoder.net(x).chunk(2, dim=-1)
    w, sigma = vae.decoder.net.weight, vae.decoder.sigma
    error = (x - mu @ w.T).square().sum(-1) + log_var.exp() @ w.square().sum(0)
    log_px = -error / (2 * sigma**2) - 2.5 * torch.log(2 * math.pi * sigma**2)
    expected = log_px - 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(-1)
    torch.testing.assert_close(value, expected)
    ours = torch.autograd.grad(value.sum(), parameters)
    by_formula = torch.autograd.grad(expected.sum(), parameters)
    torch.testing.assert_close(ours, by_formula)


def test_squared_error_is_summed_over_pixels():
    model = Autoencoder(nn.Identity(), nn.Linear(3, 3))
    x = torch.randn(4, 3)
    expected = torch.stack([-((x[i] - model(x)[i]) ** 2).sum() for i in range(4)])
    torch.testing.assert_close(negative_squared_error(model, x), expected)


def test_squared_error_refuses_to_broadcast():
    with pytest.raises(ValueError, match=r"\(4, 1\).*\(4, 3\)"):
        negative_squared_error(Autoencoder(nn.Identity(), nn.Linear(3, 1)), torch.randn(4, 3))


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 3, 1)])
def test_a_batch_has_two_dimensions(shape):
    with pytest.raises(ValueError, match=r"\(B, D\)"):
        negative_squared_error(Autoencoder(nn.Identity(), nn.Identity()), torch.zeros(shape))


@pytest.mark.parametrize("objective", [elbo, iwae, expected_log_likelihood, log_importance_weights])
def test_sample_counts_below_one_are_refused(linear, objective):
    vae, x, _ = linear
    with pytest.raises(ValueError, match="n_samples"):
        objective(vae, x, n_samples=0)


def test_one_pixel_one_image_one_latent_dimension():
    torch.manual_seed(0)
    vae = VAE(DiagonalGaussian(mlp(1, 2)), Bernoulli(mlp(1, 1)), StandardNormal(1))
    assert elbo(vae, torch.ones(1, 1)).shape == (1,)
    assert elbo(vae, torch.ones(1, 1)).item() < 0


def test_grey_pixels_under_a_bernoulli_name_the_remedy():
    vae = VAE(DiagonalGaussian(mlp(4, 4)), Bernoulli(mlp(2, 4)), StandardNormal(2))
    with pytest.raises(ValueError, match="binarize"):
        elbo(vae, torch.full((2, 4), 0.5))


@pytest.mark.parametrize("log_var", [-20.0, 20.0, -300.0, 300.0])
@pytest.mark.parametrize("logit", [-100.0, 100.0])
def test_extreme_parameters_give_finite_values_and_gradients(log_var, logit):
    encoder_net, decoder_net = nn.Linear(1, 2), nn.Linear(1, 1)
    with torch.no_grad():
        for net, bias in ((encoder_net, [0.5, log_var]), (decoder_net, [logit])):
            net.weight.zero_()
            net.bias.copy_(torch.tensor(bias))
    vae = VAE(DiagonalGaussian(encoder_net), Bernoulli(decoder_net), StandardNormal(1))
    x = torch.tensor([[0.0], [1.0]])
    log_px, kl = elbo_terms(vae, x, n_samples=2)
    wrong = 0 if logit > 0 else 1
    expected = torch.zeros(2)
    expected[wrong] = -100.0  # log p of a pixel that was all but impossible
    torch.testing.assert_close(log_px, expected)
    clamped = max(-20.0, min(20.0, log_var))
    by_hand = 0.5 * (0.25 + math.exp(clamped) - 1 - clamped)
    torch.testing.assert_close(kl, torch.full((2,), by_hand))
    for objective in (elbo, iwae):
        value = objective(vae, x, n_samples=3)
        gradients = torch.autograd.grad(value.sum(), list(vae.parameters()))
        assert all(g.isfinite().all() for g in (value, *gradients))


@pytest.mark.parametrize("objective", [elbo, elbo_terms, expected_log_likelihood])
def test_empty_and_not_finite_batches_are_refused(linear, objective):
    q_vae, x = perturbed(linear[0]), linear[1].clone()
    with pytest.raises(ValueError, match=r"\(0, 5\)"):
        objective(q_vae, x[:0])
    x[3, 1] = math.nan
    with pytest.raises(ValueError, match="nan"):
        objective(q_vae, x)


def test_one_sample_of_iwae_is_one_weight(linear):
    q_vae, x = perturbed(linear[0]), linear[1][:1]
    torch.manual_seed(6)
    value = iwae(q_vae, x, n_samples=1)
    torch.manual_seed(6)
    torch.testing.assert_close(value, log_importance_weights(q_vae, x, n_samples=1)[0])
    assert value.shape == (1,)
