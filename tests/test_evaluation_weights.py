"""Effective sample size and the tail's shape, where both are known in closed form."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import effective_sample_size, log_likelihood, pareto_shape
from vae_lib.models import VAE
from vae_lib.objectives import log_importance_weights


def log_weights_of_a_narrow_q(sigma, n, n_columns, *, n_dims=1):
    """Draws from N(0, σ² I) weighted for N(0, I): w has a Pareto tail of shape 1 - σ²."""
    generator = torch.Generator().manual_seed(0)
    shape = (n, n_columns, n_dims)
    z = sigma * torch.randn(shape, dtype=torch.float64, generator=generator)
    ratio = td.Normal(0, 1).log_prob(z) - td.Normal(0, sigma).log_prob(z)
    return ratio.sum(-1)


def test_effective_sample_size_by_hand():
    w = torch.tensor([[1.0, 1.0, 5.0], [1.0, 2.0, 0.0], [1.0, 3.0, 0.0]])
    expected = [3.0, 36 / 14, 1.0]
    assert effective_sample_size(w.log()).tolist() == pytest.approx(expected)
    assert effective_sample_size(w[:, 1].log()).item() == pytest.approx(36 / 14)


@pytest.mark.parametrize("sigma", [0.9, 1.0, 1.5, 3.0])
def test_effective_sample_size_is_the_integral(sigma):
    """1 / ∫ p²/q = sqrt(2 - 1/σ²) / σ of all draws, for a q that is wide enough."""
    log_w = log_weights_of_a_narrow_q(sigma, 200_000, 3)
    share = effective_sample_size(log_w) / 200_000
    assert share.tolist() == pytest.approx([math.sqrt(2 - sigma**-2) / sigma] * 3, rel=0.03)


def test_a_constant_changes_nothing_however_large():
    log_w = log_weights_of_a_narrow_q(0.8, 400, 5)
    for shift in (-1e4, 1e4):
        torch.testing.assert_close(
            effective_sample_size(log_w + shift), effective_sample_size(log_w)
        )
        torch.testing.assert_close(pareto_shape(log_w + shift), pareto_shape(log_w))


def test_it_is_what_the_standard_error_of_the_likelihood_is_made_of():
    torch.manual_seed(0)
    decoder, encoder = Gaussian(nn.Linear(2, 4), sigma=1.0), DiagonalGaussian(nn.Linear(4, 4))
    vae = VAE(encoder, decoder, StandardNormal(2)).double()
    x = torch.randn(6, 4, dtype=torch.float64)
    torch.manual_seed(1)
    _, error = log_likelihood(vae, x, n_samples=300, standard_error=True)
    torch.manual_seed(1)
    with torch.no_grad():
        log_w = log_importance_weights(vae, x, n_samples=300)
    size = effective_sample_size(log_w)
    torch.testing.assert_close(error, ((300 / size - 1) / 299).sqrt())


@pytest.mark.parametrize("k", [-0.3, 0.1, 0.5, 0.9])
def test_the_shape_of_exact_pareto_tails_is_found(k):
    """Of a generalised Pareto distribution every tail is another, of the same shape."""
    draws = stats.genpareto(k).rvs((20_000, 40), random_state=0)
    found = pareto_shape(torch.from_numpy(draws).log())
    n_tail = math.ceil(3 * math.sqrt(20_000))
    towards_half = (n_tail * k + 5) / (n_tail + 10)
    assert found.mean().item() == pytest.approx(towards_half, abs=0.04)
    assert found.std().item() < 0.1


def test_the_fit_is_near_the_most_likely_one():
    draws = stats.genpareto(0.6).rvs((2000, 12), random_state=1)
    found = pareto_shape(torch.from_numpy(draws).log())
    n_tail = math.ceil(3 * math.sqrt(2000))
    for column, k in zip(np.sort(draws, axis=0).T, found.tolist(), strict=True):
        exceedances = column[-n_tail:] - column[-n_tail - 1]
        most_likely, _, _ = stats.genpareto.fit(exceedances, floc=0)
        assert k == pytest.approx((n_tail * most_likely + 5) / (n_tail + 10), abs=0.06)


def as_published(x):
    """Zhang and Stephens (2009), number by number: their θ, and their k, which is minus ours.

    One number is not theirs: they take 20 + √n points, and the software of Vehtari et al. takes 30.
    """
    n, quartile = len(x), x[math.floor(len(x) / 4 + 0.5) - 1]
    m = 30 + math.floor(math.sqrt(n))
    grid = [1 / x[-1] + (1 - math.sqrt(m / (j - 0.5))) / (3 * quartile) for j in range(1, m + 1)]

    def k_of(theta):
        return -sum(math.log1p(-theta * value) for value in x) / n

    profile = [n * (math.log(theta / k_of(theta)) + k_of(theta) - 1) for theta in grid]
    weights = [1 / sum(math.exp(other - own) for other in profile) for own in profile]
    return -k_of(sum(w * theta for w, theta in zip(weights, grid, strict=True)))


@pytest.mark.parametrize("n", [25, 40, 100, 400])
@pytest.mark.parametrize("k", [-0.4, 0.3, 0.9])
def test_the_fit_is_the_published_one_drawn_towards_a_half(n, k):
    draws = np.sort(stats.genpareto(k).rvs(n, random_state=n))
    n_tail = math.ceil(min(n / 5, 3 * math.sqrt(n)))
    fitted = as_published((draws[-n_tail:] - draws[-n_tail - 1]).tolist())
    found = pareto_shape(torch.from_numpy(draws).log().flip(0)).item()
    assert found == pytest.approx((n_tail * fitted + 10 * 0.5) / (n_tail + 10), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("sigma", [0.5, 0.7, 0.9])
def test_a_q_that_is_too_narrow_has_a_tail_of_shape_1_less_its_variance(sigma):
    log_w = log_weights_of_a_narrow_q(sigma, 100_000, 20)
    assert pareto_shape(log_w).mean().item() == pytest.approx(1 - sigma**2, abs=0.15)


def test_the_narrower_q_the_heavier_the_tail_and_the_threshold_tells_them_apart():
    k = [
        pareto_shape(log_weights_of_a_narrow_q(s, 1000, 50)).median().item()
        for s in (1.2, 0.8, 0.4)
    ]
    assert k == sorted(k)
    threshold = min(1 - 1 / math.log10(1000), 0.7)
    assert k[1] < threshold < k[2]


def weights_of_two_peaks(apart, seed):
    """Half of p lies in a second peak; q is exact in the first, and has no draw in the second."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(2000, dtype=torch.float64, generator=generator)
    peaks = [td.Normal(c, 1.0).log_prob(z) + math.log(0.5) for c in (0.0, apart)]
    log_w = torch.logaddexp(*peaks) - td.Normal(0, 1).log_prob(z)
    assert log_w.exp().mean().item() == pytest.approx(0.5, abs=0.02), "the estimate is half of 1"
    return log_w


@pytest.mark.parametrize("seed", range(5))
def test_of_a_missed_peak_that_is_felt_the_tail_tells_and_the_sample_size_does_not(seed):
    log_w = weights_of_two_peaks(6.0, seed)
    assert effective_sample_size(log_w) > 1500
    assert pareto_shape(log_w) > 1
    assert pareto_shape(log_w.float()) > 1


@pytest.mark.parametrize("seed", range(5))
def test_of_a_missed_peak_that_is_not_felt_nothing_tells(seed):
    log_w = weights_of_two_peaks(20.0, seed)
    assert effective_sample_size(log_w) > 1999.9
    assert pareto_shape(log_w) == -math.inf


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_rounding_of_an_exact_posteriors_weights_is_no_tail(dtype):
    """With the true q every weight is p(x), to rounding, which comes in steps."""
    torch.manual_seed(0)
    z = torch.randn(1000, 200, dtype=dtype)
    log_w = 100 * (td.Normal(0, 1).log_prob(z) + z.square() / 2) - 60
    assert len(log_w.unique()) > 1, "there is rounding"
    assert (pareto_shape(log_w) == -math.inf).all()
    assert (effective_sample_size(log_w) > 999).all()


def test_weights_without_a_tail_and_one_that_outweighs_all():
    assert pareto_shape(torch.zeros(100)) == -math.inf
    log_w = torch.zeros(100)
    log_w[3] = 2000.0
    assert pareto_shape(log_w) == math.inf
    assert effective_sample_size(log_w) == 1
    # Weights of 0, a few or most of them, are weights.
    few = log_weights_of_a_narrow_q(0.8, 400, 1)[:, 0]
    few[:100] = -math.inf
    assert 1 < effective_sample_size(few) < 300 and pareto_shape(few).isfinite()


def test_examples_do_not_depend_on_each_other():
    log_w = log_weights_of_a_narrow_q(0.7, 200, 1203)
    together = pareto_shape(log_w)
    assert together.shape == (1203,)
    for i in (0, 499, 500, 1202):
        torch.testing.assert_close(together[i], pareto_shape(log_w[:, i]))


def test_weights_in_any_form():
    log_w = log_weights_of_a_narrow_q(0.8, 100, 3)
    for score in (effective_sample_size, pareto_shape):
        assert score(log_w).dtype == torch.float64
        assert score(log_w.float()).dtype == torch.float32
        torch.testing.assert_close(score(log_w.numpy()), score(log_w))
        torch.testing.assert_close(score(log_w.tolist()).double(), score(log_w), rtol=1e-4, atol=0)
        with pytest.raises(ValueError, match="NaN or inf"):
            score(torch.full((30, 2), math.nan))
        with pytest.raises(ValueError, match="NaN or inf"):
            score(torch.full((30, 2), -math.inf))
        with pytest.raises(ValueError, match="shape"):
            score(torch.zeros(2, 3, 4))
        with pytest.raises(ValueError, match="shape"):
            score(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="25 draws"):
        pareto_shape(torch.zeros(24))
    assert effective_sample_size(torch.zeros(1)) == 1
