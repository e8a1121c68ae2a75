"""Models that the book has yet to come to, written by a reader in a dozen lines each.

What works on chapter 8's VAE works on them as it is, through the public API: ELBO, IWAE, log p(x),
training, draws, checkpoints. Each is held to log p(x) by another route: quadrature over one latent
dimension, a sum over classes, or the closed form of a linear-Gaussian model.
"""

import math

import pytest
import torch
from torch import distributions as td
from torch import nn
from torch.nn.functional import one_hot

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.evaluation import log_likelihood
from vae_lib.models import VAE, ConditionalVAE
from vae_lib.networks import OverRows, mlp
from vae_lib.objectives import conditional_elbo, elbo, iwae
from vae_lib.training import fit

D, SIGMA = 4, 0.5


class FlowPrior(nn.Module):
    """z = sinh(u + a) with u standard normal, and a learned: heavy tails, and skewed."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([0.3]))

    def forward(self) -> td.Distribution:
        u = td.Independent(td.Normal(self.shift, torch.ones_like(self.shift)), 1)
        return td.TransformedDistribution(u, [Sinh()])


class Sinh(td.Transform):
    domain = codomain = td.constraints.independent(td.constraints.real, 1)
    bijective, sign = True, 1

    def _call(self, u: torch.Tensor) -> torch.Tensor:
        return u.sinh()

    def _inverse(self, z: torch.Tensor) -> torch.Tensor:
        return z.asinh()

    def log_abs_det_jacobian(self, u: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return u.cosh().log().sum(-1)


class MixturePrior(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([0.2, -0.5]))
        self.mu = nn.Parameter(torch.tensor([[-1.5], [1.0]]))

    def forward(self) -> td.Distribution:
        parts = td.Independent(td.Normal(self.mu, 0.5 * torch.ones_like(self.mu)), 1)
        return td.MixtureSameFamily(td.Categorical(logits=self.logits), parts)


class Chain(td.Distribution):
    """Two latents side by side, z = (z1, z2): z1 from `first`, then z2 from `second(z1)`."""

    arg_constraints, has_rsample = {}, True

    def __init__(self, first: td.Distribution, second: nn.Module) -> None:
        super().__init__(first.batch_shape, torch.Size([2]), validate_args=False)
        self.first, self.second = first, second

    def rsample(self, sample_shape=()):
        z1 = self.first.rsample(sample_shape)
        return torch.cat([z1, self.second(z1).rsample()], dim=-1)

    def log_prob(self, z):
        z1, z2 = z.chunk(2, dim=-1)
        return self.first.log_prob(z1) + self.second(z1).log_prob(z2)


class ChainPrior(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = StandardNormal(1), Gaussian(nn.Linear(1, 1), sigma=0.7)

    def forward(self) -> td.Distribution:
        return Chain(self.first(), self.second)


class ChainEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = DiagonalGaussian(nn.Linear(D, 2)), nn.Linear(D + 1, 2)

    def forward(self, x: torch.Tensor) -> td.Distribution:
        def second(z1):
            x_and_z1 = torch.cat([x.expand(*z1.shape[:-1], D), z1], dim=-1)
            return DiagonalGaussian(self.second)(x_and_z1)

        return Chain(self.first(x), second)


class OneHot(nn.Module):
    """One of three classes, as zeros and ones: straight through where a gradient is wanted."""

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()
        self.net, self.logits = net, nn.Parameter(torch.tensor([0.1, -0.4, 0.6]))

    def forward(self, *x: torch.Tensor) -> td.Distribution:
        logits = self.net(*x) if self.net else self.logits
        return td.OneHotCategoricalStraightThrough(logits=logits)


def wide_encoder(n_in: int) -> DiagonalGaussian:
    """Wider than any posterior here, so that no importance weight outweighs the others."""
    net = mlp(n_in, 8, 2)
    nn.init.constant_(net[-1].bias[1:], 1.5)
    return DiagonalGaussian(net)


def with_prior(prior: nn.Module) -> VAE:
    return VAE(wide_encoder(D), Gaussian(mlp(1, 8, D, activation=nn.Tanh), sigma=SIGMA), prior)


def hierarchy() -> VAE:
    return VAE(ChainEncoder(), Gaussian(nn.Linear(2, D), sigma=SIGMA), ChainPrior())


def one_hot_latent() -> VAE:
    return VAE(OneHot(mlp(D, 8, 3)), Gaussian(nn.Linear(3, D), sigma=SIGMA), OneHot())


def convolutional() -> VAE:
    """Batch norm and convolutions, over rows of 2 x 2 images, one latent dimension."""
    down = [nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)]
    up = [nn.ConvTranspose2d(1, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1)]
    encoder = DiagonalGaussian(OverRows(nn.Sequential(*down), (1, 2, 2)))
    return VAE(encoder, Bernoulli(OverRows(nn.Sequential(*up), (1, 1, 1))), StandardNormal(1))


def conditional() -> ConditionalVAE:
    decoder = Gaussian(mlp(1 + 3, 8, D, activation=nn.Tanh), sigma=SIGMA)
    return ConditionalVAE(wide_encoder(D + 3), decoder, DiagonalGaussian(mlp(3, 2)))


def by_quadrature(vae: VAE, x: torch.Tensor) -> torch.Tensor:
    """log ∫ p(x|z) p(z) dz by the trapezium rule in u, z = sinh(u): far out and fine inside."""
    u = torch.linspace(-6, 6, 801, dtype=torch.float64)[:, None, None]
    z = u.sinh().expand(-1, *(vae.prior().batch_shape or [1]), 1)  # one for all x, or for each y
    log_weight = (u.cosh() * 12 / 800).log()[..., 0]
    return (vae.decoder(z).log_prob(x) + vae.prior().log_prob(z) + log_weight).logsumexp(0)


def by_enumeration(vae: VAE, x: torch.Tensor) -> torch.Tensor:
    z = torch.eye(3, dtype=torch.float64)[:, None].expand(-1, len(x), 3)
    return (vae.decoder(z).log_prob(x) + vae.prior().log_prob(z)).logsumexp(0)


def by_linear_algebra(vae: VAE, x: torch.Tensor) -> torch.Tensor:
    """z2 = a z1 + b + 0.7 ε and x = W z + c + σ ε: everything is Gaussian."""
    a, b = vae.prior.second.net.weight[0, 0], vae.prior.second.net.bias[0]
    w, c = vae.decoder.net.weight, vae.decoder.net.bias
    mean = torch.stack([torch.zeros_like(b), b])
    covariance = torch.stack([torch.stack([a**0, a]), torch.stack([a, a**2 + 0.49])])
    noise = SIGMA**2 * torch.eye(D, dtype=torch.float64)
    return td.MultivariateNormal(w @ mean + c, w @ covariance @ w.T + noise).log_prob(x)


MODELS = {
    "a flow prior": (lambda: with_prior(FlowPrior()), by_quadrature),
    "a mixture prior": (lambda: with_prior(MixturePrior()), by_quadrature),
    "a hierarchy": (hierarchy, by_linear_algebra),
    "a one-hot latent": (one_hot_latent, by_enumeration),
    "convolutions over rows": (convolutional, by_quadrature),
    "a conditional model": (conditional, by_quadrature),
}


@pytest.fixture(params=MODELS)
def case(request):
    """A model in float64, its exact log p(x), and data: (x,), or (x, y) for a conditional one."""
    torch.manual_seed(0)
    make, exact = MODELS[request.param]
    model = make().double()
    x = torch.randn(32, D, dtype=torch.float64)
    if request.param == "convolutions over rows":
        x = (x > 0).double()
    y = one_hot(torch.arange(32) % 3, 3).double()
    return model, exact, (x, y) if isinstance(model, ConditionalVAE) else (x,)


def given(model: VAE | ConditionalVAE, x: torch.Tensor, *y: torch.Tensor) -> VAE:
    return model.given(*y) if y else model


def objective(model: VAE | ConditionalVAE, *batch: torch.Tensor) -> torch.Tensor:
    return conditional_elbo(model, *batch) if len(batch) > 1 else elbo(model, *batch)


def test_bounds_and_estimates_of_log_p_stand_as_they_must_to_its_exact_value(case):
    """ELBO <= IWAE <= log p(x), and importance sampling within what its draws allow."""
    model, exact, data = case
    model.eval()
    torch.manual_seed(1)
    with torch.no_grad():
        vae, x = given(model, *data), data[0]
        log_p = exact(vae, x)
        n = 500
        bound = elbo(vae, x, n_samples=n)
        tighter = torch.stack([iwae(vae, x, n_samples=10) for _ in range(n // 10)]).mean(0)
    assert bound.shape == tighter.shape == log_p.shape == (32,)
    assert bound.mean() < tighter.mean() < log_p.mean() + 0.02
    estimate, error = log_likelihood(model, *data, n_samples=2000, standard_error=True)
    assert ((estimate - log_p).abs() < 5 * error + 0.01).all()
    assert error.median() < 0.1


def test_the_gap_of_the_elbo_is_the_kl_to_the_true_posterior_where_z_is_one_of_three():
    torch.manual_seed(2)
    vae, x = one_hot_latent().double(), torch.randn(8, D, dtype=torch.float64)
    with torch.no_grad():
        z = torch.eye(3, dtype=torch.float64)[:, None].expand(-1, 8, 3)
        log_joint = vae.decoder(z).log_prob(x) + vae.prior().log_prob(z)
        q = vae.encoder(x).probs.T
        gap = (q * (q.log() - log_joint.log_softmax(0))).sum(0)
        n = 40_000
        value = elbo(vae, x, n_samples=n)
        spread = ((q * log_joint.square()).sum(0) - (q * log_joint).sum(0).square()).sqrt()
    error = value - (by_enumeration(vae, x) - gap)
    assert (error.abs() < 5 * spread / math.sqrt(n)).all()


def test_training_raises_the_objective_and_moves_every_part(case):
    model, _, data = case
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    history = fit(
        model, objective, rows_of(data), epochs=10, lr=0.02, batch_size=16, progress=False
    )
    assert history.train[-1] > history.train[0] + 0.1
    for name, parameter in model.named_parameters():
        unused = isinstance(model.encoder, OneHot) and name == "encoder.logits"
        assert unused or not torch.equal(parameter, before[name]), name


def rows_of(data: tuple[torch.Tensor, ...]) -> torch.Tensor | tuple[torch.Tensor, ...]:
    return data if len(data) > 1 else data[0]


def test_a_run_goes_on_from_its_checkpoint(case, tmp_path):
    model, _, data = case
    start = {name: value.clone() for name, value in model.state_dict().items()}

    def run(epochs: int, path: str) -> tuple[list[float], dict[str, torch.Tensor]]:
        model.load_state_dict(start)
        file = tmp_path / path
        rows = rows_of(data)
        history = fit(
            model, objective, rows, epochs=epochs, batch_size=32, checkpoint=file, progress=False
        )
        return history.train, {name: value.clone() for name, value in model.state_dict().items()}

    curve, uninterrupted = run(3, "whole")
    run(2, "parts")
    resumed_curve, resumed = run(3, "parts")
    assert resumed_curve == curve
    for name, value in uninterrupted.items():
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=0)


def test_draws_have_the_density_that_was_computed(case):
    """The mean of 1 / p(x) over draws from p, those outside a box counted as 0, is its volume."""
    model, exact, data = case
    model.eval()
    torch.manual_seed(3)
    vae = given(model, *(part[:1] for part in data))
    n = 2000
    x = vae.sample(n)
    assert x.shape == ((n, 1, D) if len(data) > 1 else (n, D))
    x = x.reshape(n, D)
    with torch.no_grad():
        inverse = (-exact(vae, x)).exp()
    if isinstance(vae.decoder, Bernoulli):
        inside, volume = torch.ones(n, dtype=torch.float64), 2.0**D
    else:
        middle, half = x.mean(0), x.std(0)
        inside = ((x - middle).abs() < half).all(1).double()
        volume = (2 * half).prod().item()
    terms = inside * inverse
    assert abs(terms.mean().item() - volume) < 5 * terms.std().item() / math.sqrt(n)
