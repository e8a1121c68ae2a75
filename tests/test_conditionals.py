"""Laws that every conditional distribution obeys, and what each one is in particular."""

import math
import re

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import (
    LOG_VAR_RANGE,
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    DiagonalGaussian,
    DiscretisedLogistic,
    Gaussian,
    StandardNormal,
)
from vae_lib.networks import OverRows, mlp

D, L = 3, 2


def doubled(module: nn.Module) -> nn.Module:
    return module.double()


CONDITIONALS = {
    "diagonal Gaussian": lambda: doubled(DiagonalGaussian(mlp(L, 8, 2 * D))),
    "fixed Gaussian": lambda: doubled(Gaussian(mlp(L, 8, D), sigma=0.3)),
    "learned Gaussian": lambda: doubled(Gaussian(mlp(L, 8, D), sigma="learned")),
    "Bernoulli": lambda: doubled(Bernoulli(mlp(L, 8, D))),
    "continuous Bernoulli": lambda: doubled(ContinuousBernoulli(mlp(L, 8, D))),
    "categorical": lambda: doubled(Categorical(mlp(L, 8, 5 * D), n_levels=5)),
    "discretised logistic": lambda: doubled(DiscretisedLogistic(mlp(L, 8, 2 * D), n_levels=16)),
    "discretised logistic, learned": lambda: doubled(
        DiscretisedLogistic(mlp(L, 8, D), scale="learned")
    ),
}


@pytest.fixture(params=CONDITIONALS, ids=lambda name: name.replace(" ", "_"))
def conditional(request):
    torch.manual_seed(0)
    return CONDITIONALS[request.param]()


@pytest.fixture
def z():
    return torch.randn(5, 4, L, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_shapes(conditional, z):
    p_x = conditional(z)
    assert isinstance(p_x, td.Distribution)
    assert p_x.batch_shape == (5, 4)
    assert p_x.event_shape == (D,)
    x = p_x.sample((6,))
    assert x.shape == (6, 5, 4, D)
    assert p_x.log_prob(x).shape == (6, 5, 4)


def test_draws_have_the_mean_and_the_variance(conditional):
    p_x = conditional(torch.zeros(1, L, dtype=torch.float64))
    torch.manual_seed(2)
    x = p_x.sample((40_000,))
    standard_error = (p_x.variance / len(x)).sqrt()
    assert ((x.mean(0) - p_x.mean).abs() < 4.5 * standard_error).all()
    torch.testing.assert_close(x.var(0), p_x.variance, rtol=0.05, atol=0)


def test_gradients_reach_every_parameter(conditional, z):
    p_x = conditional(z)
    p_x.log_prob(p_x.sample()).mean().backward()
    for name, parameter in conditional.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_the_density_is_a_product_over_dimensions(conditional, z):
    p_x = conditional(z)
    x = p_x.sample()
    torch.testing.assert_close(p_x.log_prob(x), p_x.base_dist.log_prob(x).sum(-1))


def test_a_shape_that_would_broadcast_is_refused(conditional, z):
    with pytest.raises(ValueError, match="broadcast"):
        conditional(z).log_prob(torch.zeros(5, 4, 1, dtype=torch.float64))


def test_a_shape_that_would_broadcast_is_refused_by_whoever_does_not_look_too(conditional, z):
    conditional.validate_args = False
    with pytest.raises(ValueError, match=r"last dimension of 3.*\(5, 4, 1\)"):
        conditional(z).log_prob(torch.zeros(5, 4, 1, dtype=torch.float64))


def test_nan_is_refused(conditional, z):
    with pytest.raises(ValueError, match="nan"):
        conditional(z).log_prob(torch.full((D,), math.nan, dtype=torch.float64))


def test_validation_can_be_turned_off(conditional, z):
    conditional.validate_args = False
    log_p = conditional(z).log_prob(torch.full((D,), math.nan, dtype=torch.float64))
    assert log_p.isnan().all()


@pytest.mark.parametrize("looks", [True, False])
def test_what_is_looked_at_is_kept_by_expand(conditional, looks):
    conditional.validate_args = looks
    p_x = conditional(torch.zeros(1, L, dtype=torch.float64)).expand([4])
    assert p_x.batch_shape == (4,) and p_x.event_shape == (D,)
    bad = torch.full((4, D), math.nan, dtype=torch.float64)
    if looks:
        with pytest.raises(ValueError, match="nan"):
            p_x.log_prob(bad)
    else:
        assert p_x.log_prob(bad).isnan().all()
    assert StandardNormal(D)().expand([2]).looks is True


@pytest.fixture
def torchs_flag_off():
    before = td.Distribution._validate_args
    td.Distribution.set_default_validate_args(False)
    yield
    td.Distribution.set_default_validate_args(before)


@pytest.mark.usefixtures("torchs_flag_off")
def test_values_are_looked_at_whatever_torchs_own_flag_says(conditional, z):
    with pytest.raises(ValueError, match="nan"):
        conditional(z).log_prob(torch.full((D,), math.nan, dtype=torch.float64))
    with pytest.raises(ValueError, match="nan"):
        StandardNormal(D)().log_prob(torch.full((D,), math.nan))


NETS = {
    "a perceptron": lambda n_out: mlp(L, 8, n_out),
    "a convolution": lambda n_out: OverRows(
        nn.Sequential(nn.ConvTranspose2d(L, 4, 2), nn.ReLU(), nn.Flatten(1), nn.Linear(16, n_out)),
        (L, 1, 1),
    ),
    "batch norm, evaluating": lambda n_out: nn.Sequential(nn.BatchNorm1d(L), mlp(L, n_out)).eval(),
    "layer norm": lambda n_out: nn.Sequential(nn.LayerNorm(L), mlp(L, 8, n_out)),
}


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("batch", [(), (1,), (4,), (3, 4), (2, 3, 4), (3, 1), (0,), (0, 4), (3, 0)])
def test_leading_axes_are_examples_to_the_network(net, batch):
    """(..., D_in) to (..., D_out) is one example after the other, however they are arranged."""
    torch.manual_seed(0)
    net = NETS[net](D).double()
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(*batch, L, dtype=torch.float64, generator=generator)
    p_x = Gaussian(net, sigma=0.3)(z)
    assert p_x.batch_shape == batch and p_x.event_shape == (D,)
    one_by_one = [net(row[None])[0] for row in z.reshape(-1, L)] if z.numel() else []
    expected = torch.stack(one_by_one) if one_by_one else torch.empty(0, D).double()
    torch.testing.assert_close(p_x.mean, expected.reshape(*batch, D))
    # Axes in another order in memory are the same axes.
    if len(batch) > 1:
        swapped = Gaussian(net)(z.transpose(0, 1)).mean
        torch.testing.assert_close(swapped, p_x.mean.transpose(0, 1))


@pytest.mark.parametrize("shape", [(6, L), (3, 2, L), (1, 6, L)])
def test_batch_norm_sees_samples_and_examples_as_one_batch(shape):
    norm = nn.BatchNorm1d(L).double()
    z = torch.arange(6.0 * L, dtype=torch.float64).view(shape).square()
    rows = z.reshape(6, L)
    mean = Gaussian(norm)(z).mean
    expected = (rows - rows.mean(0)) / (rows.var(0, correction=0) + norm.eps).sqrt()
    torch.testing.assert_close(mean, expected.view(shape))
    torch.testing.assert_close(norm.running_mean, 0.1 * rows.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * rows.var(0))


def test_rows_are_all_that_a_network_meets(conditional):
    seen = []
    conditional.net.register_forward_pre_hook(lambda net, args: seen.append(args[0].shape))
    for shape in [(L,), (7, L), (3, 7, L), (2, 3, 7, L)]:
        conditional(torch.zeros(shape, dtype=torch.float64))
    assert seen == [(1, L), (7, L), (21, L), (42, L)]


@pytest.mark.parametrize(
    ("net", "came"),
    [
        (lambda z: z.sum(-1), r"gave \(12,\)"),
        (lambda z: z.view(-1, 1, L), r"gave \(12, 1, 2\)"),
        (lambda z: z[:3], r"gave \(3, 2\)"),
        (lambda z: z.mean(), r"gave \(\)"),
        (lambda z: (z, z), "gave a tuple"),
        (lambda z: Z0, r"gave \(1,\)"),
    ],
)
def test_a_network_that_gives_no_row_for_each_row_is_named(net, came):
    with pytest.raises(ValueError, match=rf"a row of numbers for each row.*\(12, D\).*{came}"):
        Bernoulli(net)(torch.zeros(4, 3, L))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_networks_have_distributions_and_draws_in_float32(conditional, dtype):
    conditional.to(dtype)
    p_x = conditional(torch.zeros(2, 3, L))  # as a prior's draws come, in float32
    assert p_x.sample().dtype == p_x.mean.dtype == p_x.log_prob(p_x.sample()).dtype == torch.float32
    prior = StandardNormal(2).to(dtype)
    torch.manual_seed(0)
    z = prior().sample((4096,))
    assert z.dtype == prior().log_prob(z).dtype == torch.float32
    # In half precision a few hundred values would be all there are near 1.
    assert len(z.unique()) > 8000


def constant(*values: float) -> nn.Module:
    """A network that gives the same outputs whatever its input."""
    net = nn.Linear(1, len(values))
    nn.init.zeros_(net.weight)
    net.bias.data = torch.tensor(values, dtype=torch.float64)
    return net.double()


Z0 = torch.zeros(1, dtype=torch.float64)


def integral(p_x: td.Distribution, low: float, high: float, n: int = 20_001) -> float:
    x = torch.linspace(low, high, n, dtype=torch.float64)
    return torch.trapezoid(p_x.log_prob(x[:, None]).exp(), x).item()


@pytest.mark.parametrize("log_var", [-20.0, -3.0, 0.0, 6.0, 20.0])
def test_diagonal_gaussian_against_scipy(log_var):
    q_z = DiagonalGaussian(constant(0.7, log_var))(Z0)
    sigma = math.exp(log_var / 2)
    z = torch.tensor([[0.7], [0.7 + sigma], [0.7 - 3 * sigma]], dtype=torch.float64)
    expected = stats.norm(0.7, sigma).logpdf(z[:, 0].numpy())
    np.testing.assert_allclose(q_z.log_prob(z).detach(), expected, rtol=1e-9)


def test_diagonal_gaussian_integrates_to_one():
    q_z = DiagonalGaussian(constant(0.5, -3.0))(Z0)
    assert integral(q_z, -4, 5) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("log_var", [-1e6, -20.5, 20.5, 1e6])
def test_log_variance_is_clamped(log_var):
    q_z = DiagonalGaussian(constant(0.0, log_var))(Z0)
    limit = LOG_VAR_RANGE[0] if log_var < 0 else LOG_VAR_RANGE[1]
    assert q_z.variance.item() == pytest.approx(math.exp(limit))


@pytest.mark.parametrize("log_var", [-20.0, -10.0, 0.0, 10.0, 20.0])
def test_gradients_are_finite_in_float32_over_the_whole_range(log_var):
    net = constant(0.1, log_var).float()
    q_z = DiagonalGaussian(net)(torch.zeros(1))
    (q_z.log_prob(q_z.rsample()) + td.kl_divergence(q_z, StandardNormal(1)())).backward()
    assert net.bias.grad.isfinite().all()


def test_log_variance_range_is_a_floor_for_sigma():
    q_z = DiagonalGaussian(constant(0.0, -9.0), log_var_range=(-2.0, 2.0))(Z0)
    assert q_z.stddev.item() == pytest.approx(math.exp(-1))
    for none in ((1.0, 1.0), (2, 1), (-math.inf, 0.0), (0.0, math.nan), (1.0,), 3.0, None):
        with pytest.raises(ValueError, match=r"log_var_range must be .* low < high"):
            DiagonalGaussian(constant(0.0, 0.0), log_var_range=none)


def test_diagonal_gaussian_needs_two_outputs_a_dimension():
    with pytest.raises(ValueError, match="2 D units"):
        DiagonalGaussian(constant(0.0, 0.0, 0.0))(Z0)


@pytest.mark.parametrize("sigma", [0.01, 0.1, 1.0, 30.0])
def test_gaussian_is_the_squared_error_and_a_constant(sigma):
    mu, x = torch.randn(2, D, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    p_x = Gaussian(constant(*mu.tolist()), sigma=sigma)(Z0)
    squared_error = ((x - mu) ** 2).sum().item()
    expected = squared_error / (2 * sigma**2) + D / 2 * math.log(2 * math.pi * sigma**2)
    assert -p_x.log_prob(x).item() == pytest.approx(expected, rel=1e-6)


def test_fixed_sigma_is_not_trained_and_is_saved():
    p = Gaussian(constant(0.0), sigma=0.3)
    assert p.sigma.item() == pytest.approx(0.3)
    assert not any("log_var" in name for name, _ in p.named_parameters())
    other = Gaussian(constant(0.0), sigma=2.0)
    other.load_state_dict(p.state_dict())
    assert other.sigma.item() == pytest.approx(0.3)


@pytest.mark.parametrize("sigma", [1e-6, 4e-5, 0.1, 1 / 3, 3e4, 1e9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_fixed_sigma_is_used_as_it_was_given(sigma, dtype):
    """Not clamped to the range of learned ones, and with the digits that the precision has."""
    p = Gaussian(constant(0.0), sigma=sigma).float().to(dtype)
    rel = 1e-14 if dtype == torch.float64 else 2e-6
    assert p.sigma.item() == pytest.approx(sigma, rel=rel)
    z = torch.zeros(1, dtype=dtype)
    assert p(z).stddev.item() == pytest.approx(sigma, rel=rel)
    back_and_forth = p.bfloat16().float().double()
    assert back_and_forth.sigma.item() == pytest.approx(sigma, rel=1e-14)


def test_a_sigma_that_was_loaded_survives_conversions():
    p = Gaussian(constant(0.0).float(), sigma=2.0)
    # As it was always saved: one number, the logarithm of σ², beside the network.
    state = {"net.weight": torch.zeros(1, 1), "net.bias": torch.zeros(1)}
    p.load_state_dict({"log_var": torch.tensor(-2.0), **state})
    for converted in (p, p.bfloat16(), p.double()):
        assert converted.sigma.item() == pytest.approx(math.exp(-1), rel=1e-7)
    saved = Gaussian(constant(0.0), sigma=0.1).double().state_dict()
    other = Gaussian(constant(0.0), sigma=7.0).double()
    other.load_state_dict(saved)
    assert other.sigma.item() == pytest.approx(0.1, rel=1e-15)


@pytest.mark.parametrize("log_var", [-50.0, 50.0])
def test_a_learned_sigma_is_clamped(log_var):
    p = Gaussian(constant(0.0), sigma="learned").double()
    with torch.no_grad():
        p.log_var.fill_(log_var)
    assert p.sigma.item() == pytest.approx(math.exp(math.copysign(10, log_var)))


def test_learned_sigma_starts_at_one_and_its_gradient_is_right():
    p = Gaussian(constant(0.0), sigma="learned").double()
    assert p.sigma.item() == 1
    p(Z0).log_prob(torch.tensor([2.0], dtype=torch.float64)).backward()
    # d/d log σ² of -(x²/2σ² + ½ log σ²) = ½ (x²/σ² - 1)
    assert p.log_var.grad.item() == pytest.approx(0.5 * (4 - 1))


@pytest.mark.parametrize("sigma", [0, -1.0, math.inf, math.nan, "learnt"])
def test_gaussian_refuses_scales_that_are_none(sigma):
    with pytest.raises(ValueError, match="sigma must be"):
        Gaussian(constant(0.0), sigma=sigma)


def test_bernoulli_sums_to_one_over_all_images():
    p_x = Bernoulli(constant(-1.0, 0.3, 4.0))(Z0)
    every_image = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 3)
    assert p_x.log_prob(every_image).exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("logit", [-1000.0, -20.0, 0.0, 20.0, 1000.0])
def test_bernoulli_is_finite_however_sure(logit):
    net = constant(logit).float()
    p_x = Bernoulli(net)(torch.zeros(1))
    for x in (0.0, 1.0):
        expected = -mpmath.log1p(mpmath.exp(-logit if x else logit))
        log_p = p_x.log_prob(torch.tensor([x]))
        assert log_p.item() == pytest.approx(float(expected), rel=1e-5, abs=1e-8)
        log_p.backward(retain_graph=True)
        assert net.bias.grad.isfinite().all()


@pytest.mark.parametrize("value", [0.99999994, 1.0000001, 1e-30])
def test_a_value_that_is_refused_is_told_apart_from_those_that_are_not(value):
    x = torch.tensor([value])
    with pytest.raises(ValueError, match=r"Got the value (\S+)\. A Bern") as refusal:
        Bernoulli(constant(0.0))(Z0).log_prob(x)
    said = float(re.search(r"value (\S+)\. ", str(refusal.value))[1])
    assert said not in (0, 1) and torch.tensor(said) == x


def test_bernoulli_names_the_remedies_for_grey_pixels():
    with pytest.raises(ValueError, match=r"0\.25.*binarize.*ContinuousBernoulli"):
        Bernoulli(constant(0.0))(Z0).log_prob(torch.tensor([0.25], dtype=torch.float64))


@pytest.mark.parametrize("logit", [-50.0, -12.0, -3.0, -1e-3, 0.0, 1e-4, 0.5, 8.0, 12.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_continuous_bernoulli_integrates_to_one(logit, dtype):
    p_x = ContinuousBernoulli(constant(logit).to(dtype))(Z0.to(dtype))
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = torch.tensor((nodes + 1) / 2, dtype=dtype)
    density = p_x.log_prob(x[:, None]).exp().detach().double().numpy()
    assert (density * weights / 2).sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("logit", [-6.0, -0.8, 0.0, 2.0, 12.0])
def test_continuous_bernoulli_against_mpmath(logit):
    p_x = ContinuousBernoulli(constant(logit))(Z0)
    rate = mpmath.mpf(logit)
    normaliser = rate / mpmath.expm1(rate) if logit else mpmath.mpf(1)
    for x in (0.0, 0.3, 1.0):
        log_p = p_x.log_prob(torch.tensor([x], dtype=torch.float64)).item()
        assert log_p == pytest.approx(float(mpmath.log(normaliser) + rate * x), abs=1e-6)
    mean = 1 / (1 - mpmath.exp(-rate)) - 1 / rate if logit else 0.5
    assert p_x.mean.item() == pytest.approx(float(mean), abs=1e-6)


def test_continuous_bernoulli_refuses_values_outside():
    with pytest.raises(ValueError, match="between 0 and 1"):
        ContinuousBernoulli(constant(0.0))(Z0).log_prob(torch.tensor([1.5]).double())


def test_standard_normal_against_scipy_and_moves_with_its_module():
    prior = StandardNormal(3)
    z = torch.randn(10, 3, generator=torch.Generator().manual_seed(4))
    expected = stats.multivariate_normal(np.zeros(3), np.eye(3)).logpdf(z.numpy())
    np.testing.assert_allclose(prior().log_prob(z), expected, rtol=1e-5)
    assert prior.double()().mean.dtype == torch.float64
    assert prior().event_shape == (3,)
    assert prior.state_dict() == {}
    with pytest.raises(ValueError, match="1 or more"):
        StandardNormal(0)


def test_kl_between_the_books_gaussians_is_torchs():
    q_z = DiagonalGaussian(constant(0.4, -0.3, 1.1, -2.0))(Z0)
    mu, sigma = q_z.mean, q_z.stddev
    expected = 0.5 * (mu**2 + sigma**2 - 1 - (sigma**2).log()).sum()
    kl = td.kl_divergence(q_z, StandardNormal(2).double()())
    torch.testing.assert_close(kl, expected)
    assert kl > 0
