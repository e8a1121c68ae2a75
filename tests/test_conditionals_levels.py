"""Likelihoods over the levels of digital images: probabilities that sum to one, to every digit."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Categorical, DiagonalGaussian, DiscretisedLogistic, StandardNormal
from vae_lib.conditionals.on_levels import LevelsCategorical, LevelsLogistic
from vae_lib.evaluation import bits_per_dim
from vae_lib.models import VAE
from vae_lib.networks import convolutional_decoder, convolutional_encoder
from vae_lib.objectives import elbo

mpmath.mp.dps = 60


def levels(n, dtype=torch.float64):
    return torch.arange(n, dtype=dtype) / (n - 1)


def logistic(loc, log_scale, n_levels=256, dtype=torch.float64):
    return LevelsLogistic(
        torch.tensor(loc, dtype=dtype), torch.tensor(log_scale, dtype=dtype), n_levels
    )


def exact(loc, log_scale, k, n_levels=256):
    """log P of the level k by the definition, a difference of two sigmoids, in 60 digits."""
    loc, scale = mpmath.mpf(loc), mpmath.exp(mpmath.mpf(log_scale))
    last = n_levels - 1

    def below(steps):
        return 1 / (1 + mpmath.exp(-(steps / last - loc) / scale))

    low, high = k - mpmath.mpf(1) / 2, k + mpmath.mpf(1) / 2
    if (low + high) / 2 / last > loc:  # its mirror image, for 1 - 1e-99 takes 99 digits
        a, b = 2 * loc * last - high, 2 * loc * last - low
        first, final = k == last, k == 0
    else:
        a, b, first, final = low, high, k == 0, k == last
    return mpmath.log((1 if final else below(b)) - (0 if first else below(a)))


EXTREMES = [
    (loc, log_scale)
    for log_scale in (-20.0, -10.0, -5.0, -1.5, 0.0, 3.0, 20.0)
    for loc in (-1000.0, -1.0, -1e-3, 0.0, 100 / 255, 0.5, 100.5 / 255, 1.0, 1.7, 1000.0)
]


@pytest.mark.parametrize(("loc", "log_scale"), EXTREMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_logistics_probabilities_sum_to_one(loc, log_scale, dtype):
    """However narrow or broad, wherever its centre: between levels, on one, at an end, far away."""
    p = logistic(loc, log_scale, dtype=dtype).expand([256])
    log_p = p.log_prob(levels(256, dtype))
    assert log_p.isfinite().all() and (log_p <= 0).all()
    total = log_p.double().exp().sum().item()
    assert total == pytest.approx(1, abs=3e-6 if dtype == torch.float32 else 1e-13)


@pytest.mark.parametrize("n_levels", [2, 3, 16, 1000])
@pytest.mark.parametrize(("loc", "log_scale"), [(0.3, -2.0), (-4.0, 1.0), (1.0, -9.0)])
def test_any_number_of_levels_sums_to_one(n_levels, loc, log_scale):
    p = logistic(loc, log_scale, n_levels).expand([n_levels])
    assert p.log_prob(levels(n_levels)).exp().sum().item() == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize(("loc", "log_scale"), EXTREMES)
def test_the_logistic_is_its_definition_in_the_far_tails_too(loc, log_scale):
    p = logistic(loc, log_scale)
    for k in (0, 1, 99, 100, 101, 254, 255):
        found = p.log_prob(torch.tensor(k / 255, dtype=torch.float64)).item()
        # The centre has 16 digits, and a distance from it is counted in scales.
        rounding = 1e-15 * max(1, abs(loc)) * math.exp(-log_scale)
        expected = float(exact(loc, log_scale, k))
        assert found == pytest.approx(expected, rel=1e-11, abs=rounding)


@pytest.mark.parametrize("k", [0, 3, 250, 255])
def test_where_nothing_is_left_the_logarithm_falls_in_a_straight_line(k):
    """log sigmoid(-t) is -t to every digit when t is large; P is that of the nearer end."""
    p = logistic(100 / 255, -18.0)
    nearer = k + 0.5 if k < 100 else k - 0.5
    expected = -abs(nearer - 100) / 255 * math.exp(18)
    found = p.log_prob(torch.tensor(k / 255, dtype=torch.float64)).item()
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("log_scale", [-10.0, -6.0, -3.0, 0.0, 10.0])
def test_float32_agrees_with_60_digits(log_scale):
    for loc in (-2.0, 0.25, 0.8, 3.0):  # the same numbers in float32, or nearly
        p = logistic(loc, log_scale, dtype=torch.float32)
        loc_32 = p.loc.item()
        for k in (0, 1, 64, 128, 254, 255):
            expected = float(exact(loc_32, log_scale, k))
            found = p.log_prob(torch.tensor(k / 255)).item()
            # The centre has 7 digits, and a distance from it is counted in scales.
            rounding = 6e-8 * max(1, abs(loc)) * math.exp(-log_scale)
            assert found == pytest.approx(expected, rel=5e-6, abs=1e-7 + 2 * rounding)


@pytest.mark.parametrize(("loc", "log_scale"), EXTREMES)
def test_the_logistics_gradient_is_finite_everywhere(loc, log_scale):
    loc, log_scale = (torch.full((256,), value, requires_grad=True) for value in (loc, log_scale))
    p = LevelsLogistic(loc, log_scale, 256)
    p.log_prob(levels(256, torch.float32)).sum().backward()
    assert loc.grad.isfinite().all() and log_scale.grad.isfinite().all()


@pytest.mark.parametrize("k", [0, 1, 7, 14, 15])
@pytest.mark.parametrize("log_scale", [-5.0, -2.0, 2.0])
def test_the_logistics_gradient_is_the_slope(k, log_scale):
    x = torch.tensor(k / 15, dtype=torch.float64)
    parameters = torch.tensor([0.4, log_scale], dtype=torch.float64, requires_grad=True)
    log_p = LevelsLogistic(*parameters, 16).log_prob(x)
    log_p.backward()
    slopes = [
        mpmath.diff(lambda loc: exact(loc, log_scale, k, 16), 0.4),
        mpmath.diff(lambda s: exact(mpmath.mpf("0.4"), s, k, 16), log_scale),
    ]
    np.testing.assert_allclose(parameters.grad, [float(slope) for slope in slopes], rtol=1e-6)


P_OF_K = {
    "logistic": lambda: logistic(0.3, -1.6, 16),
    "logistic beyond an end": lambda: logistic(1.2, -1.0, 16),
    "logistic between levels": lambda: logistic(0.5, -4.0, 16),
    "categorical": lambda: LevelsCategorical(
        logits=torch.randn(16, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    ),
}


@pytest.fixture(params=P_OF_K, ids=lambda name: name.replace(" ", "_"))
def p(request):
    return P_OF_K[request.param]()


def test_draws_have_the_probabilities(p):
    """By a chi-squared test over the levels that are to be expected five times and more."""
    torch.manual_seed(3)
    n = 50_000
    x = p.sample((n,))
    assert (x * 15).round().div(15).equal(x) and x.dtype == torch.float64
    found = np.bincount((x * 15).round().long(), minlength=16)
    expected = n * p.log_prob(levels(16).reshape(16, *[1] * len(p.batch_shape))).exp().numpy()
    often = expected >= 5
    found, expected = (
        np.append(values[often], values[~often].sum()) for values in (found, expected)
    )
    keep = expected > 0
    statistic = ((found - expected)[keep] ** 2 / expected[keep]).sum()
    assert stats.chi2.sf(statistic, keep.sum() - 1) > 1e-3
    assert found[~keep].sum() == 0


def test_mean_and_variance_are_sums_over_the_levels(p):
    x = levels(16)
    probabilities = p.log_prob(x).exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-13)
    mean = (x * probabilities).sum()
    torch.testing.assert_close(p.mean, mean)
    torch.testing.assert_close(p.variance, ((x - mean) ** 2 * probabilities).sum())
    assert 0 <= p.mean <= 1


def test_expanding_repeats(p):
    wide = p.expand([3, 2])
    assert wide.batch_shape == (3, 2) and wide.sample((4,)).shape == (4, 3, 2)
    x = torch.tensor(4 / 15, dtype=torch.float64)
    torch.testing.assert_close(wide.log_prob(x), p.log_prob(x).expand(3, 2))
    torch.testing.assert_close(wide.mean, p.mean.expand(3, 2))


def test_nan_stays_nan(p):
    values = torch.tensor([math.nan, 0.0, 1.0], dtype=torch.float64)
    assert p.log_prob(values).isnan().tolist() == [True, False, False]


def constant(*values: float) -> nn.Module:
    """A network that gives the same outputs whatever its input."""
    net = nn.Linear(1, len(values))
    nn.init.zeros_(net.weight)
    net.bias.data = torch.tensor(values, dtype=torch.float64)
    return net.double()


Z0 = torch.zeros(1, dtype=torch.float64)


def test_categorical_is_torchs_own():
    logits = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    k = torch.tensor([4, 0, 2])
    p_x = Categorical(constant(*logits.T.flatten().tolist()), n_levels=5)(Z0)
    expected = td.Categorical(logits=logits)
    torch.testing.assert_close(p_x.log_prob(k / 4.0), expected.log_prob(k).sum())
    torch.testing.assert_close(p_x.entropy(), expected.entropy().sum())
    assert p_x.mode.tolist() == (logits.argmax(1) / 4).tolist()


def test_categorical_takes_the_logits_level_by_level():
    """First D of the level 0, as images that lie one behind the other."""
    p_x = Categorical(constant(9, 0, 0, 0, 9, 9), n_levels=2)(Z0)
    assert p_x.mean.round().tolist() == [0, 1, 1]


@pytest.mark.parametrize("logit", [1e4, 1e30, -1e4])
def test_categorical_is_finite_however_sure(logit):
    net = constant(logit, 0.0, 0.0).float()
    p_x = Categorical(net, n_levels=3)(torch.zeros(1))
    for x in (0.0, 0.5, 1.0):
        log_p = p_x.log_prob(torch.tensor([x]))
        assert log_p.isfinite()
        log_p.backward(retain_graph=True)
        assert net.bias.grad.isfinite().all()
    assert p_x.sample((9,)).unique().tolist() == ([0.0] if logit > 0 else [0.5, 1.0])


def test_a_uniform_guess_costs_eight_bits_a_value():
    x = torch.randint(256, (4, 3)) / 255
    p_x = Categorical(constant(*[0.7] * 768))(Z0.expand(4, 1))
    torch.testing.assert_close(
        bits_per_dim(p_x.log_prob(x.double()), 3), torch.full((4,), 8.0).double()
    )


LIKELIHOODS = {
    "categorical": lambda: Categorical(constant(*[0.0] * 512)),
    "logistic": lambda: DiscretisedLogistic(constant(0.4, 0.5, -2.0, -3.0)),
    "learned": lambda: DiscretisedLogistic(constant(0.4, 0.5), scale="learned").double(),
}


@pytest.fixture(params=LIKELIHOODS)
def likelihood(request):
    return LIKELIHOODS[request.param]()


@pytest.mark.parametrize(
    "bad", [100 / 256, 0.5, -1 / 255, 256 / 255, 1.02, 128.0, math.inf, -math.inf, math.nan]
)
def test_values_that_are_no_level_are_refused(likelihood, bad):
    x = torch.tensor([1.0, bad], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"Got the value (\S+)\. .*round\(\) / 255.*Gaussian"):
        likelihood(Z0).log_prob(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_levels", [2, 17, 256, 65_536])
def test_every_level_is_accepted_however_it_was_computed(dtype, n_levels):
    net = constant(0.5, -2.0).to(dtype)
    p_x = DiscretisedLogistic(net, n_levels)(torch.zeros(1, dtype=dtype))
    k = torch.arange(n_levels)[:: max(1, n_levels // 1000)]
    for x in (k.to(dtype) / (n_levels - 1), k.to(dtype) * (1 / (n_levels - 1))):
        assert p_x.log_prob(x[:, None]).isfinite().all()


def test_a_value_that_was_rounded_is_the_level_it_came_from():
    p_x = DiscretisedLogistic(constant(0.4, -3.0))(Z0)
    exact_x = torch.tensor([77 / 255], dtype=torch.float64)
    torch.testing.assert_close(p_x.log_prob(exact_x.float()), p_x.log_prob(exact_x), rtol=0, atol=0)


@pytest.mark.parametrize("log_scale", [-1e6, -10.5, 10.5, 1e6])
def test_log_scales_are_clamped(log_scale):
    p_x = DiscretisedLogistic(constant(0.2, log_scale))(Z0)
    assert p_x.base_dist.log_scale.item() == math.copysign(10, log_scale)
    narrow = DiscretisedLogistic(constant(0.2, log_scale), log_scale_range=(-2.0, 2.0))(Z0)
    assert narrow.base_dist.log_scale.item() == math.copysign(2, log_scale)
    for none in ((1.0, 1.0), (2, 1), (-math.inf, 0.0), (0.0, math.nan), (1.0,), 3.0, None):
        with pytest.raises(ValueError, match=r"log_scale_range must be .* low < high"):
            DiscretisedLogistic(constant(0.0, 0.0), log_scale_range=none)


def test_a_learned_scale_in_half_precision_is_counted_with_in_single():
    """log s = -2 is exact in bfloat16, but exp(2) would be off by a five-hundredth in it."""
    net = constant(0.2)
    half = DiscretisedLogistic(net, scale="learned").bfloat16()
    x = torch.arange(256.0)[:, None] / 255
    expected = LevelsLogistic(torch.tensor(0.2).bfloat16().float(), torch.tensor(-2.0), 256)
    log_p = half(Z0).log_prob(x)
    assert log_p.dtype == torch.float32
    torch.testing.assert_close(log_p.flatten(), expected.log_prob(x).flatten(), rtol=1e-5, atol=0)


def test_what_is_said_of_the_lower_end_of_the_range():
    """A step is 86 scales long, and being one level off costs 43 nats."""
    p_x = DiscretisedLogistic(constant(100 / 255, -10.0))(Z0)
    at, beside = (p_x.log_prob(torch.tensor([k / 255]).double()).item() for k in (100, 101))
    assert round(math.exp(10) / 255) == 86
    assert at == pytest.approx(0, abs=1e-15) and round(beside) == -43


def test_a_learned_scale_is_one_parameter_for_all_pixels():
    p = DiscretisedLogistic(constant(0.1, 0.9), scale="learned").double()
    assert p(Z0).base_dist.log_scale.tolist() == [-2, -2]
    assert p.log_scale.shape == () and "log_scale" in dict(p.named_parameters())
    p(Z0).log_prob(torch.tensor([0.0, 1.0]).double()).backward()
    pixels = torch.tensor([0.1, 0.9], dtype=torch.float64)
    s = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)
    LevelsLogistic(pixels, s, 256).log_prob(torch.tensor([0.0, 1.0]).double()).sum().backward()
    torch.testing.assert_close(p.log_scale.grad, s.grad)


def test_what_is_no_likelihood_of_levels_is_refused():
    with pytest.raises(ValueError, match=r'"per value" or "learned", not \'shared\''):
        DiscretisedLogistic(constant(0.0), scale="shared")
    for make in (Categorical, DiscretisedLogistic):
        with pytest.raises(ValueError, match="n_levels must be a whole number of 2 or more"):
            make(constant(0.0, 0.0), n_levels=1)
    with pytest.raises(ValueError, match=r"3 logits.*4 outputs.*3 D units"):
        Categorical(constant(0, 0, 0, 0), n_levels=3)(Z0)
    with pytest.raises(ValueError, match=r"3\. Give its last layer 2 D units.*learned"):
        DiscretisedLogistic(constant(0, 0, 0))(Z0)


@pytest.mark.parametrize("image_shape", [(1, 1), (3, 4, 5)])
def test_a_vae_of_levels_learns_by_the_same_objective(image_shape):
    """From one-pixel images on, and with samples as a leading axis."""
    torch.manual_seed(0)
    d, options = math.prod(image_shape), {"kernel": 3}
    x = torch.randint(4, (6, d)) / 3
    for make, n_per_value in ((DiscretisedLogistic, 2), (Categorical, 4)):
        encoder = convolutional_encoder(image_shape, (4,), 2, **options)
        decoder = convolutional_decoder(1, (4,), image_shape, n_per_value=n_per_value, **options)
        vae = VAE(DiagonalGaussian(encoder), make(decoder, n_levels=4), StandardNormal(1))
        value = elbo(vae, x, n_samples=3)
        assert value.shape == (6,) and (value < 0).all()
        value.sum().backward()
        # An activation may be off for all six images, so biases of the last map stand for it.
        assert all(parameter.grad.isfinite().all() for parameter in vae.parameters())
        assert decoder.net[-1].bias.grad.abs().sum() > 0
        assert vae.sample(5).shape == (5, d) and vae.reconstruct(x).shape == (6, d)
        assert elbo(vae, x[:1]).shape == (1,)
