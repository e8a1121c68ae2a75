"""Few labels: the bounds with y known and y summed out, against models whose evidence is known."""

import copy
import math

import pytest
import torch
from torch import distributions as td
from torch import nn

from vae_lib.checks import trusting
from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.models import ConditionalVAE
from vae_lib.networks import mlp
from vae_lib.objectives import conditional_elbo
from vae_lib.semi_supervised import (
    SemiSupervisedVAE,
    class_bounds,
    labelled_bound,
    semi_supervised_bound,
    unlabelled_bound,
)
from vae_lib.training import fit

P_Y = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
SIGMA = 0.7


def one_hot(labels, n_classes=3):
    return nn.functional.one_hot(torch.as_tensor(labels), n_classes).double()


def random_model(*, data_dim=4, n_classes=3, latent_dim=2, p_y=P_Y, dtype=torch.float64):
    torch.manual_seed(0)
    encoder = DiagonalGaussian(mlp(data_dim + n_classes, 6, 2 * latent_dim))
    decoder = Bernoulli(mlp(latent_dim + n_classes, 6, data_dim))
    cvae = ConditionalVAE(encoder, decoder, StandardNormal(latent_dim))
    return SemiSupervisedVAE(mlp(data_dim, 5, n_classes), cvae, p_y).to(dtype)


def binary(n, data_dim=4, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(2, (n, data_dim), generator=generator).to(dtype)


class Posterior(nn.Module):
    """q(z|x, y) of x = w z + m_y + σ ε with one latent dimension: the posterior itself."""

    def __init__(self, w, means):
        super().__init__()
        self.w, self.means = w, means

    def forward(self, x_and_y):
        x, y = x_and_y[..., : len(self.w)], x_and_y[..., len(self.w) :]
        variance = 1 / (1 + self.w.square().sum() / SIGMA**2)
        mu = (x - y @ self.means) @ self.w / SIGMA**2 * variance
        normal = td.Independent(td.Normal(mu[..., None, None], variance.sqrt()), 1)
        # A mixture of one: torch knows no KL for it, so both terms of the bound take the same draw,
        # and where q is the posterior every draw gives the evidence itself.
        return td.MixtureSameFamily(td.Categorical(torch.ones_like(mu[..., None])), normal)


@pytest.fixture
def mixture():
    """A mixture of three Gaussians as such a model, its log joint (B, 3), and observations."""
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(5, generator=generator, dtype=torch.float64)
    means = 2 * torch.randn(3, 5, generator=generator, dtype=torch.float64)
    x = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    net = nn.Linear(1 + 3, 5, bias=False).double()
    net.weight.data = torch.cat([w[:, None], means.T], dim=1)
    decoder, prior = Gaussian(net, sigma=SIGMA), StandardNormal(1)
    cvae = ConditionalVAE(Posterior(w, means), decoder, prior).double()
    covariance = w[:, None] * w + SIGMA**2 * torch.eye(5, dtype=torch.float64)
    parts = [td.MultivariateNormal(mean, covariance) for mean in means]
    log_joint = torch.stack([part.log_prob(x) for part in parts], dim=1) + P_Y.log()
    return SemiSupervisedVAE(mlp(5, 3).double(), cvae, P_Y), x, log_joint


def test_with_the_exact_posterior_the_labelled_bound_is_log_p_of_x_and_y(mixture):
    model, x, log_joint = mixture
    torch.testing.assert_close(class_bounds(model, x).T, log_joint, rtol=0, atol=1e-10)
    labels = torch.arange(12) % 3
    expected = log_joint[range(12), labels]
    bound = labelled_bound(model, x, one_hot(labels))
    torch.testing.assert_close(bound, expected, rtol=0, atol=1e-10)


def test_summing_y_out_falls_short_of_the_evidence_by_the_kl_to_its_posterior(mixture):
    model, x, log_joint = mixture
    log_px = log_joint.logsumexp(1)
    q_y = td.Categorical(logits=model.log_q_y(x))
    gap = td.kl_divergence(q_y, td.Categorical(logits=log_joint))
    bound = unlabelled_bound(model, x)
    torch.testing.assert_close(bound, log_px - gap, rtol=0, atol=1e-10)
    assert (bound <= log_px).all()
    assert gap.max() > 0.1


class BestClassifier(nn.Module):
    """q(y|x) at its optimum: the softmax of the bounds themselves."""

    def __init__(self, log_joint):
        super().__init__()
        self.log_joint = log_joint

    def forward(self, x):
        return self.log_joint


def test_with_the_best_classifier_the_bound_is_the_evidence_of_a_mixture(mixture):
    model, x, log_joint = mixture
    model.classifier = BestClassifier(log_joint)
    torch.testing.assert_close(
        unlabelled_bound(model, x), log_joint.logsumexp(1), rtol=0, atol=1e-10
    )


def test_enumeration_is_the_mean_over_drawn_labels():
    model, x = random_model(), binary(6)
    model.cvae.encoder = Point()  # a q of no width, so that L(x, y) has no noise
    with torch.no_grad():
        q_y = td.Categorical(logits=model.log_q_y(x))
        labels = q_y.sample((20_000,))
        one_draw = torch.stack(
            [labelled_bound(model, x, one_hot([c] * 6)) for c in range(3)], dim=1
        ).expand(20_000, -1, -1)
        drawn = one_draw.gather(2, labels[..., None]).squeeze(2) - q_y.log_prob(labels)
        error = drawn.std(0) / math.sqrt(20_000)
        assert ((drawn.mean(0) - unlabelled_bound(model, x)).abs() < 4 * error).all()


class Point(nn.Module):
    """q(z|x, y) so narrow that every draw is its mean, to rounding."""

    def forward(self, x_and_y):
        mu = torch.zeros(*x_and_y.shape[:-1], 2, dtype=x_and_y.dtype)
        return td.Independent(td.Normal(mu, 1e-9), 1)


def test_each_example_is_judged_by_the_bound_that_its_label_allows():
    model, x = random_model(), binary(8)
    model.cvae.encoder = Point()
    labels = torch.arange(8) % 3
    labelled = torch.tensor([1.0, 0, 1, 1, 0, 0, 1, 0])
    y = one_hot(labels) * labelled[:, None]
    value = semi_supervised_bound(model, x, y, labelled, alpha=2.5)
    known = labelled.bool()
    with_label = labelled_bound(model, x[known], y[known])
    with_label = with_label + 2.5 * model.log_q_y(x)[known, labels[known]]
    torch.testing.assert_close(value[known], with_label, rtol=0, atol=1e-7)
    without = unlabelled_bound(model, x[~known])
    torch.testing.assert_close(value[~known], without, rtol=0, atol=1e-7)


def test_what_stands_in_y_without_a_label_does_not_matter():
    model, x = random_model(), binary(4)
    values = []
    for y in (torch.zeros(4, 3), one_hot([2, 1, 0, 0]), torch.full((4, 3), 7.0)):
        torch.manual_seed(0)
        values.append(semi_supervised_bound(model, x, y.double(), torch.zeros(4)))
    assert torch.equal(values[0], values[1])
    assert torch.equal(values[0], values[2])


def test_no_label_reaches_the_classifier_without_alpha():
    model, x = random_model(), binary(4)
    arguments = model, x, one_hot([0, 1, 2, 0]), torch.ones(4)
    semi_supervised_bound(*arguments, alpha=0.0).sum().backward()
    assert all((p.grad == 0).all() for p in model.classifier.parameters())
    semi_supervised_bound(*arguments, alpha=1.0).sum().backward()
    assert all((p.grad != 0).any() for p in model.classifier.parameters())


def test_a_class_is_sampled_and_scored_as_by_the_conditional_vae():
    model, x = random_model(), binary(5)
    torch.manual_seed(3)
    expected = conditional_elbo(model.cvae, x, one_hot([1] * 5)) + P_Y[1].log()
    torch.manual_seed(3)
    torch.testing.assert_close(labelled_bound(model, x, one_hot([1] * 5)), expected)


def test_class_probabilities_are_those_of_evaluation_mode_and_give_the_mode_back():
    model = random_model()
    model.classifier = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.9)).double()
    x = binary(6)
    model.train()
    probabilities = model.class_probabilities(x.numpy().tolist())
    expected = torch.softmax(model.classifier[0](x), dim=-1)
    torch.testing.assert_close(probabilities, expected.detach())
    assert model.training
    assert model.classifier[1].training


def test_fit_trains_all_parts_with_rows_that_travel_together():
    model = random_model(dtype=torch.float32)
    x, labels = binary(40, dtype=torch.float32), torch.arange(40) % 3
    before = copy.deepcopy(model.state_dict())
    data = x, one_hot(labels).float(), (torch.arange(40) < 10)
    history = fit(
        model, semi_supervised_bound, data, epochs=3, lr=1e-2, device="cpu", progress=False
    )
    assert all(math.isfinite(value) for value in history.train)
    after = model.state_dict()
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert {name.partition(".")[0] for name in moved} == {"classifier", "cvae"}
    assert torch.equal(before["log_p_y"], after["log_p_y"])


def test_extreme_logits_leave_the_bound_and_its_gradient_finite():
    model, x = random_model(), binary(2)
    model.classifier = BestClassifier(
        torch.tensor([[1e4, 0, -1e4], [0, 0, 500]], dtype=torch.float64, requires_grad=True)
    )
    bound = unlabelled_bound(model, x)
    bound.sum().backward()
    assert bound.isfinite().all()
    assert model.classifier.log_joint.grad.isfinite().all()


def test_one_image_one_pixel_one_latent_dimension_and_one_class():
    model = random_model(data_dim=1, n_classes=1, latent_dim=1, p_y=torch.ones(1))
    x = torch.ones(1, 1, dtype=torch.float64)
    torch.manual_seed(0)
    first = unlabelled_bound(model, x)
    torch.manual_seed(0)
    torch.testing.assert_close(first, labelled_bound(model, x, torch.ones(1, 1).double()))
    assert first.shape == (1,)


@pytest.mark.parametrize(
    "p_y",
    [[0.5, 0.4], [1.5, -0.5], [1.0, 0.0], [[0.5, 0.5]], [math.nan, 1.0], []],
    ids=["sum", "negative", "zero", "two axes", "NaN", "none"],
)
def test_what_is_no_distribution_over_classes_is_refused(p_y):
    with pytest.raises(ValueError, match=r"p_y must be the probabilities of C classes"):
        SemiSupervisedVAE(mlp(4, 2), random_model().cvae, torch.tensor(p_y))


def test_probabilities_that_were_rounded_add_up_to_one():
    model = SemiSupervisedVAE(mlp(4, 3), random_model().cvae, [0.33333, 0.33333, 0.33333])
    torch.testing.assert_close(model.log_p_y.exp().sum(), torch.tensor(1.0).double())
    torch.testing.assert_close(model.log_p_y, torch.full((3,), -math.log(3)).double())


def test_bad_input_is_refused_with_the_remedy():
    model, x = random_model(), binary(4)
    with pytest.raises(ValueError, match=r"one_hot\(labels, 3\)"):
        labelled_bound(model, x, torch.arange(4).double())
    with pytest.raises(ValueError, match="a single 1 among zeros"):
        labelled_bound(model, x, torch.full((4, 3), 1 / 3, dtype=torch.float64))
    with pytest.raises(ValueError, match="whether it has a label"):
        semi_supervised_bound(model, x, one_hot([0, 1, 2, 0]), torch.ones(4, 1))
    with pytest.raises(ValueError, match="a single 1 among zeros"):
        semi_supervised_bound(model, x, torch.zeros(4, 3).double(), torch.ones(4))
    for alpha in (-0.1, math.nan, math.inf, None):
        with pytest.raises(ValueError, match="alpha must be a finite number of 0 or more"):
            semi_supervised_bound(model, x, one_hot([0, 1, 2, 0]), torch.ones(4), alpha=alpha)
    model.classifier = mlp(4, 2).double()
    with pytest.raises(ValueError, match="needs 3 units"):
        unlabelled_bound(model, x)
    with pytest.raises(ValueError, match="NaN or infinite"):
        model.class_probabilities([[math.nan, 0.0, 0, 0]])
    with pytest.raises(ValueError, match="shape"):
        model.class_probabilities(x[:0])


def test_values_are_trusted_where_they_have_been_seen():
    model, x = random_model(), binary(4)
    with trusting(model):
        labelled_bound(model, x, torch.full((4, 3), 1 / 3, dtype=torch.float64))
