"""A VAE with its latent space turned: what does not change, to rounding, and what does."""

import math

import pytest
import torch
from scipy import stats
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import (
    active_units,
    exact_log_likelihood,
    log_likelihood,
    mutual_information_gap,
)
from vae_lib.models import VAE, ConditionalVAE, rotated
from vae_lib.networks import mlp
from vae_lib.objectives import elbo, elbo_terms, iwae, log_importance_weights


def make_vae(latent_dim, likelihood=Bernoulli):
    torch.manual_seed(0)
    encoder = DiagonalGaussian(mlp(6, 16, 2 * latent_dim))
    vae = VAE(encoder, likelihood(mlp(latent_dim, 16, 6)), StandardNormal(latent_dim)).double()
    with torch.no_grad():
        encoder.net[-1].weight.mul_(3)  # posteriors that differ in place and shape
    return vae


def orthogonal(n, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator)).Q


def data(n=7):
    generator = torch.Generator().manual_seed(2)
    return torch.randint(0, 2, (n, 6), generator=generator).double()


SCORES = {
    "ELBO": lambda vae, x: elbo(vae, x, n_samples=3),
    "its terms": lambda vae, x: torch.stack(elbo_terms(vae, x)),
    "weights": lambda vae, x: log_importance_weights(vae, x, n_samples=4),
    "importance-weighted bound": lambda vae, x: iwae(vae, x, n_samples=5),
    "log-likelihood": lambda vae, x: log_likelihood(vae, x, n_samples=50),
    "reconstruction": lambda vae, x: vae.reconstruct(x),
    "samples": lambda vae, x: vae.sample(20),
}


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_from_one_seed_everything_is_what_it_was(score, latent_dim):
    vae, x = make_vae(latent_dim), data()
    turned = rotated(vae, orthogonal(latent_dim))
    torch.manual_seed(3)
    before = score(vae, x)
    torch.manual_seed(3)
    torch.testing.assert_close(score(turned, x), before, rtol=1e-10, atol=1e-10)


def test_in_single_precision_it_is_so_to_single_rounding():
    vae, x = make_vae(4).float(), data().float()
    turned = rotated(vae, orthogonal(4))
    torch.manual_seed(3)
    before = elbo(vae, x)
    torch.manual_seed(3)
    after = elbo(turned, x)
    assert after.dtype == torch.float32
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-4)


def test_the_likelihood_by_quadrature_is_the_same():
    vae, x = make_vae(2), data(3)
    turned = rotated(vae, orthogonal(2))
    exact = exact_log_likelihood(vae, x, tolerance=1e-4)
    torch.testing.assert_close(
        exact_log_likelihood(turned, x, tolerance=1e-4), exact, rtol=0, atol=3e-4
    )


@torch.no_grad()
def test_the_posterior_is_the_turned_gaussian_of_scipy():
    vae, x, rotation = make_vae(3), data(2), orthogonal(3)
    q, turned = vae.encoder(x), rotated(vae, rotation).encoder(x)
    assert (turned.batch_shape, turned.event_shape) == ((2,), (3,))
    z = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    for i in range(2):
        covariance = rotation @ q.variance[i].diag() @ rotation.T
        assert abs(covariance[0, 1]) > 1e-3, "the dimensions depend on each other"
        torch.testing.assert_close(turned.covariance_matrix[i], covariance)
        expected = stats.multivariate_normal(rotation @ q.mean[i], covariance).logpdf(z)
        found = turned.log_prob(z[:, None].expand(-1, 2, -1))[:, i]
        torch.testing.assert_close(found, torch.from_numpy(expected))


def test_draws_have_the_turned_covariance():
    vae, rotation = make_vae(2), orthogonal(2)
    turned = rotated(vae, rotation).encoder(data(1))
    torch.manual_seed(0)
    draws = turned.rsample((200_000,))[:, 0]
    torch.testing.assert_close(draws.T.cov(), turned.covariance_matrix[0], rtol=0.02, atol=0.01)


def test_the_prior_stays_what_it_was():
    p_z = rotated(make_vae(4), orthogonal(4)).prior()
    z = torch.randn(9, 4, dtype=torch.float64)
    torch.testing.assert_close(p_z.log_prob(z), StandardNormal(4).double()().log_prob(z))
    torch.testing.assert_close(p_z.covariance_matrix, torch.eye(4, dtype=torch.float64))


def test_the_kl_is_exact_and_torchs():
    vae, x = make_vae(3), data()
    torch.manual_seed(0)
    _, before = elbo_terms(vae, x)
    _, after = elbo_terms(rotated(vae, orthogonal(3)), x)  # with other draws
    torch.testing.assert_close(after, before, rtol=1e-10, atol=1e-10)


def test_it_is_the_dimensions_that_change():
    """Two factors that stand in a dimension each, and after a turn by 45 degrees in both."""

    class Codes(nn.Module):
        def forward(self, x):
            return td.Independent(td.Normal(x, 0.05 * torch.ones_like(x)), 1)

    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(0, 5, (2000, 2), generator=generator)
    x = (factors - 2).double()
    vae = VAE(Codes(), Gaussian(nn.Linear(2, 2)), StandardNormal(2)).double()
    half = math.sqrt(0.5)
    turned = rotated(vae, torch.tensor([[half, -half], [half, half]]))
    assert mutual_information_gap(vae.encoder(x).mean, factors) > 0.99
    assert mutual_information_gap(turned.encoder(x).mean, factors) < 0.05


def test_turning_twice_is_turning_once():
    vae, x, a, b = make_vae(3), data(), orthogonal(3, 1), orthogonal(3, 2)
    twice, once = rotated(rotated(vae, a), b), rotated(vae, b @ a)
    torch.testing.assert_close(twice.encoder(x).mean, once.encoder(x).mean)
    back = rotated(rotated(vae, a), a.T)
    torch.testing.assert_close(back.encoder(x).variance, vae.encoder(x).variance)
    for other in (twice, once, back):
        torch.manual_seed(3)
        found = elbo(other, x)
        torch.manual_seed(3)
        torch.testing.assert_close(found, elbo(vae, x), rtol=1e-9, atol=1e-9)


def test_a_conditional_model_is_turned_once_it_is_given():
    torch.manual_seed(0)
    encoder, decoder = DiagonalGaussian(mlp(6 + 2, 8, 6)), Bernoulli(mlp(3 + 2, 8, 6))
    cvae = ConditionalVAE(encoder, decoder, DiagonalGaussian(mlp(2, 4, 6))).double()
    vae, x = cvae.given(torch.eye(2).repeat(4, 1)[:7].double()), data()
    turned = rotated(vae, orthogonal(3))
    torch.manual_seed(3)
    before = elbo(vae, x)
    torch.manual_seed(3)
    torch.testing.assert_close(elbo(turned, x), before, rtol=1e-9, atol=1e-9)


def test_what_one_learns_the_other_learns():
    vae, x = make_vae(2), data()
    turned = rotated(vae, orthogonal(2))
    assert {id(p) for p in turned.parameters()} == {id(p) for p in vae.parameters()}
    gradients = []
    for model in (vae, turned):
        torch.manual_seed(3)
        gradients.append(torch.autograd.grad(elbo(model, x).mean(), list(vae.parameters())))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_it_moves_with_the_model_and_has_a_state():
    turned = rotated(make_vae(2), orthogonal(2)).float()
    assert turned.encoder.rotation.dtype == torch.float32
    assert elbo(turned, data().float()).dtype == torch.float32
    assert "encoder.rotation" in turned.state_dict()


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
def test_very_small_and_large_posteriors_turn(log_var):
    vae, x = make_vae(2, Gaussian), data()
    with torch.no_grad():
        vae.encoder.net[-1].weight[2:].zero_()
        vae.encoder.net[-1].bias[2:] = torch.tensor([log_var, 0.0])
    _, before = elbo_terms(vae, x)
    _, after = elbo_terms(rotated(vae, orthogonal(2)), x)
    torch.testing.assert_close(after, before, rtol=1e-7, atol=1e-7)


def test_a_model_without_an_encoder_turns():
    vae = make_vae(2)
    vae.encoder = None
    x = data(2)
    turned = rotated(vae, orthogonal(2))
    torch.testing.assert_close(
        exact_log_likelihood(turned, x), exact_log_likelihood(vae, x), rtol=0, atol=2e-3
    )


def test_active_units_need_not_stay():
    """One dimension in use; turned by 45 degrees, two."""
    vae, x = make_vae(2), data(50)
    with torch.no_grad():
        vae.encoder.net[-1].weight[1].zero_()
    half = math.sqrt(0.5)
    turned = rotated(vae, torch.tensor([[half, -half], [half, half]]))
    assert active_units(vae, x).tolist() == [True, False]
    assert active_units(turned, x).tolist() == [True, True]


def test_a_rotation_may_come_as_what_people_have():
    vae, x, rotation = make_vae(2), data(), orthogonal(2)
    expected = rotated(vae, rotation).encoder(x).mean
    for form in (rotation.numpy(), rotation.tolist(), rotation.clone().requires_grad_()):
        torch.testing.assert_close(rotated(vae, form).encoder(x).mean, expected)
    single = rotated(vae, rotation.float()).encoder(x).mean
    torch.testing.assert_close(single, expected, rtol=0, atol=1e-5)


def test_what_is_no_rotation_is_refused():
    vae = make_vae(2)
    crooked = torch.tensor([[1.0, 0.1], [0.0, 1.0]])
    for wrong in (2 * torch.eye(2), torch.ones(2, 3), torch.ones(2), torch.tensor(1.0), crooked):
        with pytest.raises(ValueError, match="orthogonal matrix"):
            rotated(vae, wrong)
    with pytest.raises(ValueError, match="latent space of 2"):
        rotated(vae, torch.eye(3))


def test_a_conditional_model_is_turned_for_what_is_given():
    torch.manual_seed(0)
    encoder, decoder = DiagonalGaussian(mlp(6 + 3, 8, 4)), Bernoulli(mlp(2 + 3, 8, 6))
    cvae = ConditionalVAE(encoder, decoder, StandardNormal(2)).double()
    y = torch.eye(3, dtype=torch.float64)[torch.arange(len(data())) % 3]
    with pytest.raises(ValueError, match=r"cvae\.given\(y\)"):
        rotated(cvae, orthogonal(2))
    given = cvae.given(y)
    torch.manual_seed(3)
    before = elbo(given, data(), n_samples=2)
    torch.manual_seed(3)
    torch.testing.assert_close(elbo(rotated(given, orthogonal(2)), data(), n_samples=2), before)


def test_what_is_no_gaussian_is_refused():
    class Flat(nn.Module):
        def forward(self):
            return td.Independent(td.Uniform(-torch.ones(2), torch.ones(2)), 1)

    vae = make_vae(2)
    vae.prior = Flat()
    with pytest.raises(ValueError, match="Only Gaussians"):
        rotated(vae, torch.eye(2)).prior()
