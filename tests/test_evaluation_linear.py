import math

import numpy as np
import pytest
import torch
from scipy import optimize
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import linear_optimum
from vae_lib.models import VAE
from vae_lib.objectives import elbo_terms

SPECTRUM = torch.tensor([6.0, 0.4, 2.5, 1.1, 0.1], dtype=torch.float64)
SETTINGS = [(sigma, beta) for sigma in (0.3, 1.0, 1.7) for beta in (0.5, 1.0, 2.0)]


def terms(w, v, s, covariance, sigma):
    """The two terms of the linear VAE's ELBO, means over data of that covariance, in closed form.

    Written for any W (D, L), V (L, D) and s (L,), from E x xᵀ alone.
    """
    n_dims = len(covariance)
    residual = torch.eye(n_dims, dtype=w.dtype) - w @ v
    error = (residual @ covariance @ residual.T).trace() + (w.square() @ s).sum()
    log_px = -error / (2 * sigma**2) - n_dims / 2 * math.log(2 * math.pi * sigma**2)
    kl = 0.5 * ((v @ covariance @ v.T).diagonal() + s - 1 - s.log())
    return log_px, kl


def at_optimum(spectrum, latent_dim, sigma, beta):
    """W, V and s as the optimum describes them, for data whose axes are the eigenvectors."""
    best = linear_optimum(spectrum, latent_dim=latent_dim, sigma=sigma, beta=beta)
    order = spectrum.argsort(descending=True)[:latent_dim]
    w = torch.zeros(len(spectrum), latent_dim, dtype=torch.float64)
    w[order, torch.arange(len(order))] = best.column_lengths[: len(order)]
    v = torch.linalg.inv(w.T @ w + beta * sigma**2 * torch.eye(latent_dim).double()) @ w.T
    return best, w, v, best.posterior_variances


@pytest.mark.parametrize(("sigma", "beta"), SETTINGS)
def test_its_numbers_are_those_of_a_model_with_its_weights(sigma, beta):
    best, w, v, s = at_optimum(SPECTRUM, 3, sigma, beta)
    log_px, kl = terms(w, v, s, SPECTRUM.diag(), sigma)
    torch.testing.assert_close(best.kl, kl)
    assert best.expected_log_likelihood == pytest.approx(log_px.item())
    assert best.rate == pytest.approx(kl.sum().item())
    assert best.elbo == pytest.approx((log_px - kl.sum()).item())
    assert best.squared_error == pytest.approx(
        -2 * sigma**2 * (log_px.item() + 5 / 2 * math.log(2 * math.pi * sigma**2))
    )
    torch.testing.assert_close(best.active, best.kl > 0)


@pytest.mark.parametrize(("sigma", "beta"), SETTINGS)
def test_no_search_finds_a_better_linear_vae(sigma, beta):
    turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(0)))[0]
    covariance = turn.double() @ SPECTRUM.diag() @ turn.double().T

    def negative(flat):
        flat = torch.tensor(flat, requires_grad=True)
        w, v, log_s = flat[:10].view(5, 2), flat[10:20].view(2, 5), flat[20:]
        log_px, kl = terms(w, v, log_s.exp(), covariance, sigma)
        (gradient,) = torch.autograd.grad(value := beta * kl.sum() - log_px, flat)
        return value.item(), gradient.numpy()

    found = []
    for seed in range(4):
        start = np.random.default_rng(seed).normal(size=22)
        options = {"maxiter": 5000, "gtol": 1e-9}
        found.append(-optimize.minimize(negative, start, jac=True, options=options).fun)
    best = linear_optimum(SPECTRUM, latent_dim=2, sigma=sigma, beta=beta)
    assert max(found) == pytest.approx(
        best.expected_log_likelihood - beta * best.rate, rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize(("sigma", "beta"), SETTINGS)
def test_the_gradient_vanishes_there(sigma, beta):
    _, *weights = at_optimum(SPECTRUM, 4, sigma, beta)
    weights = [part.clone().requires_grad_() for part in weights]
    log_px, kl = terms(*weights, SPECTRUM.diag(), sigma)
    for gradient in torch.autograd.grad(log_px - beta * kl.sum(), weights):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)


def mean_log_density(w, covariance, sigma):
    """The mean of log N(x; 0, W Wᵀ + σ² I) over data of that covariance.

    log N is quadratic, so its mean is its value at a scatter of 2 D points with the covariance.
    """
    n_dims = len(covariance)
    points = math.sqrt(n_dims) * torch.linalg.cholesky(covariance).T
    model = w @ w.T + sigma**2 * torch.eye(n_dims, dtype=torch.float64)
    p_x = td.MultivariateNormal(torch.zeros(n_dims, dtype=torch.float64), model)
    return p_x.log_prob(torch.cat([points, -points])).mean().item()


@pytest.mark.parametrize(("sigma", "beta"), SETTINGS)
@pytest.mark.parametrize("latent_dim", [1, 3, 5])
def test_log_p_is_that_of_the_multivariate_normal(latent_dim, sigma, beta):
    best, w, _, _ = at_optimum(SPECTRUM, latent_dim, sigma, beta)
    turn = torch.linalg.qr(torch.randn(latent_dim, latent_dim, dtype=torch.float64))[0]
    expected = mean_log_density(w @ turn, SPECTRUM.diag(), sigma)
    assert best.log_likelihood == pytest.approx(expected)
    if beta == 1 or not best.active.any():
        assert best.elbo == pytest.approx(best.log_likelihood)
    else:
        assert best.elbo < best.log_likelihood - 1e-6


def test_with_weight_1_no_other_ppca_is_more_likely():
    best = linear_optimum(SPECTRUM, latent_dim=2, sigma=0.8)
    generator = torch.Generator().manual_seed(0)
    _, w, _, _ = at_optimum(SPECTRUM, 2, 0.8, 1.0)
    for scale in (0.01, 0.1, 1.0):
        for _ in range(50):
            other = w + scale * torch.randn(5, 2, generator=generator, dtype=torch.float64)
            assert mean_log_density(other, SPECTRUM.diag(), 0.8) < best.log_likelihood


def test_turning_the_code_costs_bound_only_where_columns_differ_in_length():
    def bound_of(w, sigma, covariance):
        precision = w.T @ w / sigma**2 + torch.eye(w.shape[1]).double()
        v = torch.linalg.inv(precision) @ w.T / sigma**2
        log_px, kl = terms(w, v, 1 / precision.diagonal(), covariance, sigma)
        return (log_px - kl.sum()).item()

    angle = torch.tensor(0.7, dtype=torch.float64)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
    for spectrum, loses in (([5.0, 2.0, 0.5], True), ([3.0, 3.0, 0.5], False)):
        spectrum = torch.tensor(spectrum, dtype=torch.float64)
        best, w, _, _ = at_optimum(spectrum, 2, 0.9, 1.0)
        turned = bound_of(w @ turn, 0.9, spectrum.diag())
        assert turned < best.elbo - 1e-3 if loses else turned == pytest.approx(best.elbo)


def test_the_library_s_own_elbo_agrees():
    best, w, v, s = at_optimum(SPECTRUM, 3, 0.7, 1.0)
    encoder, decoder = nn.Linear(5, 6).double(), nn.Linear(3, 5).double()
    with torch.no_grad():
        encoder.weight.copy_(torch.cat([v, torch.zeros_like(v)]))
        encoder.bias.copy_(torch.cat([torch.zeros(3).double(), s.log()]))
        decoder.weight.copy_(w)
        decoder.bias.zero_()
        vae = VAE(DiagonalGaussian(encoder), Gaussian(decoder, 0.7), StandardNormal(3)).double()
        points = math.sqrt(5) * SPECTRUM.sqrt().diag()
        torch.manual_seed(0)
        log_px, kl = elbo_terms(vae, torch.cat([points, -points]), n_samples=20_000)
    assert kl.mean().item() == pytest.approx(best.rate)
    assert log_px.mean().item() == pytest.approx(best.expected_log_likelihood, abs=0.05)


def test_order_scale_and_kind_of_the_eigenvalues_do_not_matter():
    best = linear_optimum(SPECTRUM, latent_dim=3, sigma=0.6)
    for same in (SPECTRUM.flip(0), SPECTRUM.tolist(), SPECTRUM.numpy()):
        other = linear_optimum(same, latent_dim=3, sigma=0.6)
        torch.testing.assert_close(other.kl, best.kl)
        assert other.log_likelihood == pytest.approx(best.log_likelihood)
    # Data in other units: a density in other units, and nothing else.
    scaled = linear_optimum(100 * SPECTRUM, latent_dim=3, sigma=6.0)
    torch.testing.assert_close(scaled.kl, best.kl)
    assert scaled.elbo == pytest.approx(best.elbo - 5 * math.log(10))


def test_at_the_threshold_a_dimension_is_dark():
    best = linear_optimum([4.0, 1.0], latent_dim=2, sigma=1.0)
    assert best.active.tolist() == [True, False]
    assert best.column_lengths.tolist() == pytest.approx([math.sqrt(3), 0])
    assert linear_optimum([4.0, 1.0], latent_dim=2, sigma=1.0, beta=4.0).rate == 0


def test_more_dimensions_than_the_data_have_stay_dark():
    best = linear_optimum([4.0, 2.0], latent_dim=5, sigma=0.5)
    assert best.active.tolist() == [True, True, False, False, False]
    assert best.kl.shape == best.column_lengths.shape == (5,)
    assert best.posterior_variances[2:].tolist() == [1, 1, 1]
    assert best.elbo == pytest.approx(linear_optimum([4.0, 2.0], latent_dim=2, sigma=0.5).elbo)


def test_a_sigma_that_is_a_tensor_gives_numbers_all_the_same():
    plain = linear_optimum([2.0, 1.0, 0.1], latent_dim=2, sigma=0.7, beta=3.0)
    sigma, beta = torch.tensor(0.7, dtype=torch.float64), np.float64(3)
    best = linear_optimum([2.0, 1.0, 0.1], latent_dim=2, sigma=sigma, beta=beta)
    for name in ("elbo", "rate", "squared_error", "log_likelihood"):
        assert type(getattr(best, name)) is float
        assert getattr(best, name) == getattr(plain, name)


@pytest.mark.parametrize("sigma", [1e-4, 1e4])
def test_extreme_scales_stay_finite(sigma):
    best = linear_optimum([1.0, 0.0, -1e-9], latent_dim=3, sigma=sigma)
    for value in (best.elbo, best.log_likelihood, best.rate, best.squared_error):
        assert math.isfinite(value)
    assert best.elbo == pytest.approx(best.log_likelihood)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"eigenvalues": [[1.0, 2.0]]}, r"shape \(D,\)"),
        ({"eigenvalues": []}, r"shape \(D,\)"),
        ({"eigenvalues": [1.0, math.nan]}, "finite and none below 0"),
        ({"eigenvalues": [1.0, -0.5]}, "finite and none below 0"),
        ({"sigma": 0.0}, "sigma must be a positive"),
        ({"sigma": math.nan}, "sigma must be a positive"),
        ({"sigma": "learned"}, "sigma must be a positive"),
        ({"sigma": torch.ones(2)}, "sigma must be a positive"),
        ({"beta": 0.0}, "beta must be a positive"),
        ({"beta": math.inf}, "beta must be a positive"),
        ({"latent_dim": 0}, "latent_dim"),
    ],
)
def test_what_is_no_spectrum_and_no_setting_is_refused(settings, message):
    good = {"eigenvalues": [2.0, 1.0], "latent_dim": 1, "sigma": 1.0}
    arguments = good | settings
    with pytest.raises(ValueError, match=message):
        linear_optimum(arguments.pop("eigenvalues"), **arguments)
