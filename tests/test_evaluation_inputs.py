"""Scores of models: what goes in, what is left as it was, and models of other kinds."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import distributions as td
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import (
    active_units,
    bits_per_dim,
    energy_distance,
    exact_log_likelihood,
    log_likelihood,
    nearest_distance,
    two_sample_accuracy,
)
from vae_lib.models import VAE
from vae_lib.networks import mlp

X = (torch.rand(6, 5, generator=torch.Generator().manual_seed(0)) < 0.4).float()


def make_vae(*, dropout=0.0):
    torch.manual_seed(1)
    encoder = nn.Sequential(nn.Dropout(dropout), mlp(5, 8, 4))
    return VAE(DiagonalGaussian(encoder), Bernoulli(mlp(2, 8, 5)), StandardNormal(2))


MODEL_SCORES = {
    "importance-weighted": lambda vae, x: log_likelihood(vae, x, n_samples=5, chunk_size=12),
    "exact": lambda vae, x: exact_log_likelihood(vae, x, tolerance=0.1),
    "active units": lambda vae, x: active_units(vae, x, threshold=1e-3),
}
score_of_models = pytest.mark.parametrize("score", MODEL_SCORES.values(), ids=MODEL_SCORES)


def seeded(score, *args):
    torch.manual_seed(2)
    return score(*args)


FORMS = {
    "NumPy": lambda x: x.numpy(),
    "NumPy float64": lambda x: x.double().numpy(),
    "read-only": lambda x: np.broadcast_to(x.numpy(), x.shape),
    "backwards": lambda x: x.numpy()[::-1].copy()[::-1],
    "float64": lambda x: x.double(),
    "half": lambda x: x.half(),
    "bfloat16": lambda x: x.bfloat16(),
    "bool": lambda x: x.bool(),
    "list": lambda x: x.tolist(),
    "transposed": lambda x: x.t().contiguous().t(),
    "with a gradient": lambda x: x.clone().requires_grad_(),
}


@score_of_models
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_models_are_scored_by_data_in_any_form(score, form):
    vae, x = make_vae(), form(X)
    value, expected = seeded(score, vae, x), seeded(score, vae, X)
    torch.testing.assert_close(value, expected, check_dtype=False, rtol=0, atol=1e-6)
    if expected.dtype != torch.bool:
        is_double = getattr(x, "dtype", None) in (torch.float64, np.float64)
        assert value.dtype == (torch.float64 if is_double or isinstance(x, list) else torch.float32)
    assert not value.requires_grad


@pytest.mark.parametrize("score", [energy_distance, nearest_distance, two_sample_accuracy])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_draws_are_scored_in_any_form(score, form):
    assert score(form(X), X.flip(1)) == pytest.approx(score(X, X.flip(1)))
    assert score(X.flip(1), form(X)) == pytest.approx(score(X.flip(1), X))


@score_of_models
def test_whole_numbers_get_a_sentence(score):
    with pytest.raises(ValueError, match=r"floating-point.*\.float\(\)"):
        score(make_vae(), X.int())


@score_of_models
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_is_given_data_in_its_own_precision(score, dtype):
    vae = make_vae()
    expected = seeded(score, vae, X)
    value = seeded(score, vae.to(dtype), X)
    assert value.dtype in (torch.float32, torch.bool)
    if dtype == torch.float64:
        # Other random numbers: five draws an image differ by some tenths.
        torch.testing.assert_close(value.float(), expected.float(), rtol=0, atol=0.5)


@pytest.fixture
def torchs_checks_are_off():
    """As torch.compile, and other libraries, leave them for the whole process."""
    td.Distribution.set_default_validate_args(False)
    yield
    td.Distribution.set_default_validate_args(True)


class OwnBernoulli(nn.Module):
    """Somebody's decoder, with torch's distribution as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(2, 8, 5)

    def forward(self, z: torch.Tensor) -> td.Distribution:
        return td.Independent(td.Bernoulli(logits=self.net(z)), 1)


@score_of_models
@pytest.mark.parametrize("own", [False, True])
def test_grey_pixels_are_refused_whatever_torchs_flag_says(score, own, torchs_checks_are_off):
    vae, x = make_vae(), X.clone()
    if own:
        vae.decoder = OwnBernoulli()
    score(vae, x)
    x[-1, -1] = 0.5
    with pytest.raises(ValueError, match="binarize"):
        score(vae, x)


@score_of_models
def test_what_is_flattened_otherwise_is_refused(score):
    vae = make_vae()
    vae.decoder = Plain(lambda z: td.Bernoulli(logits=torch.zeros(*z.shape[:-1], 5)))
    with pytest.raises(ValueError, match="Independent"):
        score(vae, X)


class Plain(nn.Module):
    """A function as a module."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: torch.Tensor) -> object:
        return self.function(*args)


@score_of_models
def test_models_are_judged_in_evaluation_mode_and_get_their_modes_back(score):
    vae = make_vae(dropout=0.5)
    expected = seeded(score, vae.eval(), X)
    vae.train()
    vae.decoder.eval()  # a part that somebody froze
    modes = [part.training for part in vae.modules()]
    torch.testing.assert_close(seeded(score, vae, X), expected, rtol=0, atol=0)
    assert [part.training for part in vae.modules()] == modes
    vae.encoder.register_forward_hook(raise_when_trusted)
    with pytest.raises(KeyboardInterrupt):
        score(vae, X)
    assert [part.training for part in vae.modules()] == modes
    assert vae.encoder.validate_args is vae.decoder.validate_args is True


def raise_when_trusted(module, args, output):
    if module.validate_args is False:
        raise KeyboardInterrupt


@score_of_models
@pytest.mark.parametrize("form", ["with a gradient", "NumPy", "float64"])
def test_a_model_that_works_in_place_leaves_the_data_alone(score, form):
    vae, x = make_vae(), FORMS[form](X.clone())
    net = vae.encoder.net
    vae.encoder.net = Plain(lambda x: net(x.mul_(0).add_(1)))
    score(vae, x)
    np.testing.assert_array_equal(torch.as_tensor(x).detach().numpy(), X.numpy())


@pytest.mark.parametrize("name", ["exact", "active units"])
def test_scores_without_draws_leave_the_random_numbers_alone(name):
    before = torch.get_rng_state()
    MODEL_SCORES[name](make_vae(), X)
    torch.manual_seed(1)
    made = torch.get_rng_state()
    vae = make_vae()
    after = torch.get_rng_state()
    MODEL_SCORES[name](vae, X)
    assert torch.equal(torch.get_rng_state(), after)
    assert not torch.equal(before, made)


@score_of_models
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_model_that_has_diverged_is_named(score, part):
    vae = make_vae()
    with torch.no_grad():
        next(getattr(vae, part).parameters()).fill_(math.nan)
    with pytest.raises(ValueError, match="NaN among its parameters"):
        score(vae, X)


NO_COUNTS = [True, False, 16.5, "16", None, math.nan, math.inf, -1]


@pytest.mark.parametrize("value", NO_COUNTS)
@pytest.mark.parametrize(
    "call",
    [
        lambda n: log_likelihood(make_vae(), X, n_samples=n),
        lambda n: log_likelihood(make_vae(), X, chunk_size=n),
        lambda n: exact_log_likelihood(make_vae(), X, max_points=n),
        lambda n: two_sample_accuracy(X, X, n_neighbors=n),
        lambda n: bits_per_dim(torch.zeros(3), n),
    ],
    ids=["n_samples", "chunk_size", "max_points", "n_neighbors", "n_dims"],
)
def test_counts_are_whole_numbers(call, value, request):
    if value is None and "chunk_size" in request.node.callspec.id:
        assert call(value).isfinite().all()  # whatever suits the device
        return
    with pytest.raises(ValueError, match=f"whole number of .*, not {value!r}"):
        call(value)


def test_counts_may_come_from_numpy():
    for n in (np.int64(7), 7.0):
        value = seeded(lambda vae, x, n=n: log_likelihood(vae, x, n_samples=n), make_vae(), X)
        expected = seeded(lambda vae, x: log_likelihood(vae, x, n_samples=7), make_vae(), X)
        assert torch.equal(value, expected)


@pytest.mark.parametrize(
    "nats", [-7.0, [-7.0, -7.0], np.array([-7.0]), torch.tensor(-7), torch.tensor(-7.0).half()]
)
def test_bits_of_nats_in_any_form(nats):
    bits = bits_per_dim(nats, 2)
    assert bits.dtype in (torch.float32, torch.float64)
    np.testing.assert_allclose(bits, 3.5 * math.log2(math.e), rtol=1e-6)


def test_bits_pass_a_gradient_on():
    nats = torch.tensor([-7.0], requires_grad=True)
    bits_per_dim(nats, 2).sum().backward()
    assert nats.grad.item() == pytest.approx(-0.5 * math.log2(math.e))


# Models of other kinds, by an oracle: p(x|z) is N(W z + b, σ² I) in all of them.

W = torch.tensor([[1.0, 0.3], [-0.5, 0.8], [0.2, -1.0]], dtype=torch.float64)
SIGMA = 0.7


def linear_decoder():
    net = nn.Linear(2, 3).double()
    with torch.no_grad():
        net.weight.copy_(W)
        net.bias.zero_()
    return Gaussian(net, sigma=SIGMA).double()


def evidence(mean, scale):
    """p(x) where z has independent dimensions with this mean and scale."""
    mean, scale = (torch.as_tensor(part, dtype=torch.float64) for part in (mean, scale))
    root = W * scale
    covariance = root @ root.T + SIGMA**2 * torch.eye(3, dtype=torch.float64)
    return td.MultivariateNormal(W @ mean, covariance)


def wide_encoder():
    """Twice as wide as any posterior here, so that weights are bounded."""
    net = nn.Linear(3, 4).double()
    with torch.no_grad():
        net.weight.zero_()
        net.weight[:2] = torch.linalg.pinv(W.float())
        net.bias.copy_(torch.tensor([0.0, 0.0, 0.5, 0.5]))
    return DiagonalGaussian(net)


def normal(mean, scale):
    mean, scale = (torch.as_tensor(part, dtype=torch.float64) for part in (mean, scale))
    return td.Independent(td.Normal(mean, scale), 1)


def flow_prior():
    """An affine map of a standard normal, which says nothing of its mean."""
    map_ = td.AffineTransform(torch.tensor([0.5, -1.0]).double(), torch.tensor([0.6, 1.4]).double())
    return td.TransformedDistribution(normal([0.0, 0.0], [1.0, 1.0]), [map_])


def mixture_prior():
    weights = td.Categorical(torch.tensor([0.3, 0.7], dtype=torch.float64))
    parts = normal([[2.0, 0.0], [-1.0, 1.0]], [[0.5, 1.0], [0.3, 0.4]])
    return td.MixtureSameFamily(weights, parts)


def mixture_evidence(x):
    parts = [evidence([2.0, 0.0], [0.5, 1.0]), evidence([-1.0, 1.0], [0.3, 0.4])]
    log_weights = torch.tensor([0.3, 0.7], dtype=torch.float64).log()
    return (torch.stack([p.log_prob(x) for p in parts], -1) + log_weights).logsumexp(-1)


PRIORS = {
    "flow": (flow_prior, lambda x: evidence([0.5, -1.0], [0.6, 1.4]).log_prob(x)),
    "mixture": (mixture_prior, mixture_evidence),
}


@pytest.mark.parametrize(("prior", "log_p"), PRIORS.values(), ids=PRIORS)
@pytest.mark.parametrize("encoder", [wide_encoder, None])
def test_priors_of_other_kinds_give_the_evidence(prior, log_p, encoder):
    x = evidence([0.0, 0.0], [1.0, 1.0]).sample((4,))
    vae = VAE(encoder and encoder(), linear_decoder(), Plain(prior))
    value = exact_log_likelihood(vae, x)
    torch.testing.assert_close(value, log_p(x), rtol=0, atol=1e-3)
    if encoder is not None:
        value, error = log_likelihood(vae, x, n_samples=20_000, standard_error=True)
        assert ((value - log_p(x)).abs() < 5 * error).all() and (error < 0.05).all()


def test_an_encoder_without_moments_is_asked_by_draws():
    # Nearly all of p(x) lies between two points of the first grid: only the encoder leads there.
    def mean(z):
        return 1 - torch.exp(-0.5 * ((z - 0.456) / 0.002) ** 2)

    def flow(x):
        move = td.AffineTransform(torch.full((len(x), 1), 0.456, dtype=x.dtype), 1e-3)
        return td.TransformedDistribution(normal(torch.zeros(len(x), 1), 1.0), [move])

    def joint(z):
        return stats.norm(mean(torch.tensor(z)).item(), 0.2).pdf(0) * stats.norm.pdf(z)

    decoder = Gaussian(Plain(mean), sigma=0.2).double()
    vae, x = VAE(Plain(flow), decoder, StandardNormal(1).double()), torch.zeros(1, 1).double()
    expected, _ = integrate.quad(joint, -7, 7, points=[0.44, 0.456, 0.472], limit=200)
    assert exact_log_likelihood(vae, x).item() == pytest.approx(math.log(expected), abs=2e-3)
    with pytest.raises(ValueError, match=r"mean of q\(z\|x\)"):
        active_units(vae, x.repeat(2, 1))


WIDE = {
    "normal": (lambda: normal([0.0, 0.0], [3.0, 3.0]), 25.0),
    "far away": (lambda: normal([20.0, 0.0], [1.0, 1.0]), 30.0),
}


@pytest.mark.parametrize(("prior", "radius"), WIDE.values(), ids=WIDE)
def test_a_prior_beyond_the_grid_is_refused(prior, radius):
    vae = VAE(None, linear_decoder(), Plain(prior))
    base = prior().base_dist
    p_x = evidence(base.loc, base.scale)
    x = p_x.sample((2,))
    with pytest.raises(ValueError, match=r"prior integrates to .*larger radius"):
        exact_log_likelihood(vae, x)
    value = exact_log_likelihood(vae, x, radius=radius)
    torch.testing.assert_close(value, p_x.log_prob(x), rtol=0, atol=1e-3)


def test_a_prior_without_a_density_is_refused():
    vae = VAE(None, linear_decoder(), Plain(lambda: td.OneHotCategorical(torch.ones(2).double())))
    with pytest.raises(ValueError, match=r"prior integrates|support"):
        exact_log_likelihood(vae, torch.zeros(1, 3).double())


def test_an_image_beyond_the_grid_is_named():
    decoder = linear_decoder()
    decoder.log_var.fill_(2 * math.log(0.05))
    vae = VAE(None, decoder, StandardNormal(2).double())
    covariance = W @ W.T + 0.05**2 * torch.eye(3, dtype=torch.float64)
    p_x = td.MultivariateNormal(torch.zeros(3).double(), covariance)
    x = (W @ torch.tensor([9.0, 0.0], dtype=torch.float64))[None]
    with pytest.raises(ArithmeticError, match="larger radius"):
        exact_log_likelihood(vae, x)
    value = exact_log_likelihood(vae, x, radius=12.0)
    torch.testing.assert_close(value, p_x.log_prob(x), rtol=0, atol=1e-3)


# A conditional model: x = W z + V y + σ ε.

V = torch.tensor([[3.0, 0.0], [0.0, -2.0], [1.0, 1.0]], dtype=torch.float64)


class Shifted(nn.Module):
    """A map from y to the VAE whose data have moved by V y, with its true posterior."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = linear_decoder()

    def given(self, y: torch.Tensor) -> VAE:
        shift, eye = y @ V.T, torch.eye(2, dtype=torch.float64)
        precision = eye + W.T @ W / SIGMA**2

        def posterior(x):
            if len(x) != len(y):
                raise ValueError("rows of x and y")
            mean = torch.linalg.solve(precision, W.T @ (x - shift).T / SIGMA**2).T
            return td.MultivariateNormal(mean, precision_matrix=precision)

        def likelihood(z):
            mean = self.decoder(z).mean + shift
            return td.Independent(td.Normal(mean, torch.tensor(SIGMA, dtype=mean.dtype)), 1)

        def prior():
            return normal(torch.zeros(len(y), 2), 1.0)

        return VAE(Plain(posterior), Plain(likelihood), Plain(prior))


def conditional_data(n):
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return x, y, evidence([0.0, 0.0], [1.0, 1.0]).log_prob(x - y @ V.T)


@pytest.mark.parametrize("chunk_size", [1, 7, 64, 10_000])
def test_rows_of_a_conditional_model_travel_together(chunk_size):
    # With the true posterior every weight is p(x|y): a row that met another's y would show.
    x, y, expected = conditional_data(9)
    value = log_likelihood(Shifted(), x, y, n_samples=11, chunk_size=chunk_size)
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)
    value = log_likelihood(Shifted(), x.numpy(), y.tolist(), n_samples=3, chunk_size=chunk_size)
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)


def test_quadrature_of_a_conditional_model():
    x, y, expected = conditional_data(3)
    value = exact_log_likelihood(Shifted(), x, y)
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-3)
    assert active_units(Shifted(), x, y).tolist() == [True, True]


@pytest.mark.parametrize("score", [log_likelihood, exact_log_likelihood, active_units])
def test_rows_that_cannot_travel_together_are_refused(score):
    x, y, _ = conditional_data(4)
    with pytest.raises(ValueError, match=r"a row for each of 4 .*3, 2"):
        score(Shifted(), x, y[:3])
    with pytest.raises(ValueError, match="conditional"):
        score(Shifted(), x)
    with pytest.raises(ValueError, match="conditional"):
        score(make_vae(), X, X)
    with pytest.raises(ValueError, match=r"given\[0\] has NaN"):
        score(Shifted(), x, y * math.nan)
