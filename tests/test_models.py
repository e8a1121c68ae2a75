import numpy as np
import pytest
import torch
from torch import distributions as td
from torch import nn
from torch.nn.functional import one_hot

from vae_lib.checks import trusting
from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.models import VAE, Autoencoder, ConditionalVAE
from vae_lib.networks import mlp


def small_vae(sigma: float = 0.5) -> VAE:
    torch.manual_seed(0)
    decoder = Gaussian(mlp(2, 8, 5), sigma=sigma)
    return VAE(DiagonalGaussian(mlp(5, 8, 4)), decoder, StandardNormal(2))


def test_autoencoder_is_the_composition():
    model = Autoencoder(mlp(5, 2), mlp(2, 5))
    x = torch.randn(3, 5)
    torch.testing.assert_close(model(x), model.decoder(model.encoder(x)))


def test_samples_are_draws_and_not_means():
    vae = small_vae(sigma=3.0)
    torch.manual_seed(1)
    x = vae.sample(20_000)
    # By the law of total variance a draw varies by σ² on top of what the means vary by.
    z = vae.prior().sample((20_000,))
    variance = vae.decoder(z).mean.var(0) + 9
    torch.testing.assert_close(x.var(0), variance, rtol=0.05, atol=0)
    assert not x.requires_grad


@pytest.mark.parametrize("n", [0, -3, 2.5, True, None, "3"])
def test_sample_refuses_fewer_than_one(n):
    with pytest.raises(ValueError, match="1 or more"):
        small_vae().sample(n)


def test_reconstruction_is_the_mean_at_the_mean():
    vae = small_vae()
    x = torch.randn(4, 5)
    torch.testing.assert_close(vae.reconstruct(x), vae.decoder.net(vae.encoder(x).mean))
    torch.testing.assert_close(vae.reconstruct(x), vae.reconstruct(x), rtol=0, atol=0)


def test_the_prior_moves_with_the_model():
    assert small_vae().double().sample(1).dtype == torch.float64


def dropping() -> VAE:
    """A VAE whose parts behave otherwise while they are trained, one kept in evaluation mode."""
    torch.manual_seed(0)
    encoder = DiagonalGaussian(nn.Sequential(nn.BatchNorm1d(5), nn.Dropout(0.5), mlp(5, 4)))
    decoder = Gaussian(nn.Sequential(mlp(2, 8), nn.Dropout(0.5), mlp(8, 5)), sigma=1e-4)
    vae = VAE(encoder, decoder, StandardNormal(2)).train()
    vae.encoder.net[0].eval()
    return vae


CALLS = {"sample": lambda vae: vae.sample(6), "reconstruct": lambda vae: vae.reconstruct(X)}
X = torch.randn(6, 5, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("call", CALLS)
def test_draws_and_reconstructions_are_made_in_evaluation_mode(call):
    vae = dropping()
    modes = [part.training for part in vae.modules()]
    torch.manual_seed(1)
    result = CALLS[call](vae)
    assert [part.training for part in vae.modules()] == modes
    torch.manual_seed(1)
    torch.testing.assert_close(result, CALLS[call](vae.eval()), rtol=0, atol=0)


@pytest.mark.parametrize("fault", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("call", CALLS)
def test_modes_come_back_after_a_fault_too(call, fault):
    vae = dropping()

    def fail(*_):
        raise fault

    vae.decoder.register_forward_hook(fail)
    modes = [part.training for part in vae.modules()]
    with pytest.raises(fault):
        CALLS[call](vae)
    assert [part.training for part in vae.modules()] == modes


@pytest.mark.parametrize(
    "convert",
    [
        torch.Tensor.double,
        torch.Tensor.numpy,
        torch.Tensor.tolist,
        lambda x: x.numpy()[::-1].copy()[::-1],
        lambda x: x.T.contiguous().T,
        lambda x: x.clone().requires_grad_(),
    ],
)
def test_reconstructions_of_whatever_holds_rows(convert):
    vae = small_vae()
    torch.testing.assert_close(vae.reconstruct(convert(X)), vae.reconstruct(X))
    assert not vae.reconstruct(convert(X)).requires_grad


@pytest.mark.parametrize("x", [torch.zeros(5), torch.zeros(0, 5), torch.full((2, 5), torch.nan)])
def test_reconstructions_of_what_is_no_data_are_refused(x):
    with pytest.raises(ValueError, match=r"^x "):
        small_vae().reconstruct(x)


def test_a_distribution_without_a_mean_is_named():
    class Flow(nn.Module):
        def forward(self, x):
            base = td.Independent(td.Normal(x[:, :2], 1.0), 1)
            return td.TransformedDistribution(base, [td.TanhTransform()])

    vae = VAE(Flow(), Gaussian(mlp(2, 5)), StandardNormal(2))
    with pytest.raises(ValueError, match=r"q\(z\|x\) is a TransformedDistribution.*mean"):
        vae.reconstruct(X)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_draws_and_reconstructs_in_float32(dtype):
    vae, exact = small_vae().to(dtype), small_vae()
    assert vae.sample(3).dtype == torch.float32
    torch.testing.assert_close(vae.reconstruct(X), exact.reconstruct(X), rtol=0.05, atol=0.05)


def conditional_vae(prior=None) -> ConditionalVAE:
    torch.manual_seed(0)
    encoder, decoder = DiagonalGaussian(mlp(5 + 3, 8, 4)), Gaussian(mlp(2 + 3, 8, 5), sigma=0.5)
    return ConditionalVAE(encoder, decoder, prior or DiagonalGaussian(mlp(3, 4))).double()


Y = one_hot(torch.arange(6) % 3, 3).double()


@pytest.mark.parametrize("prior", [None, StandardNormal(2)])
def test_given_y_every_part_is_that_of_x_or_z_and_y_together(prior):
    cvae, x = conditional_vae(prior), X.double()
    vae = cvae.given(Y)
    z = torch.randn(4, 6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    for i in range(6):  # example by example, draw by draw, by hand
        q_z = cvae.encoder(torch.cat([x[i], Y[i]]))
        torch.testing.assert_close(vae.encoder(x).mean[i], q_z.mean)
        torch.testing.assert_close(vae.encoder(x).stddev[i], q_z.stddev)
        for k in range(4):
            p_x = cvae.decoder(torch.cat([z[k, i], Y[i]]))
            torch.testing.assert_close(vae.decoder(z).mean[k, i], p_x.mean)
        p_z = cvae.prior() if prior else cvae.prior(Y[i])
        torch.testing.assert_close(vae.prior().mean[i], p_z.mean)
    assert vae.prior().batch_shape == (6,)


@pytest.mark.parametrize("prior", [None, StandardNormal(2)])
def test_draws_given_y_are_from_p_of_x_given_y(prior):
    """By the laws of total mean and variance, with z drawn from p(z|y) by hand."""
    cvae = conditional_vae(prior)
    torch.manual_seed(4)
    x = cvae.given(Y[:3]).sample(20_000)
    assert x.shape == (20_000, 3, 5)
    for i in range(3):
        z = (cvae.prior() if prior else cvae.prior(Y[i])).sample((20_000,))
        mean = cvae.decoder(torch.cat([z, Y[i].expand(20_000, 3)], dim=1)).mean
        torch.testing.assert_close(x[:, i].mean(0), mean.mean(0), rtol=0, atol=0.04)
        torch.testing.assert_close(x[:, i].var(0), mean.var(0) + 0.25, rtol=0.06, atol=0)
    assert cvae.given(Y).reconstruct(X).shape == (6, 5)


def test_what_is_learned_given_y_the_conditional_model_learns():
    cvae = conditional_vae()
    vae = cvae.given(Y)
    vae.decoder(vae.prior().rsample()).log_prob(X.double()).sum().backward()
    learned = {name for name, p in cvae.named_parameters() if p.grad is not None}
    assert {name.partition(".")[0] for name in learned} == {"decoder", "prior"}


def test_trust_and_modes_reach_the_parts_given_y():
    cvae = ConditionalVAE(
        DiagonalGaussian(mlp(8, 4)), Bernoulli(mlp(5, 5)), StandardNormal(2)
    ).train()
    y, grey = Y.float(), torch.full((6, 5), 0.5)
    vae = cvae.given(y)
    for outer, inner in ((cvae, vae), (vae, cvae.given(y))):
        with pytest.raises(ValueError, match="binarize"):
            inner.decoder(torch.zeros(6, 2)).log_prob(grey)
        with trusting(outer):
            assert inner.decoder(torch.zeros(6, 2)).log_prob(grey).isfinite().all()
    vae.sample(2)
    assert all(part.training for part in cvae.modules())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (torch.arange(6), r"torch\.int64 of \(6,\).*one_hot"),
        (one_hot(torch.arange(6)), r"torch\.int64 of \(6, 6\).*float\(\)"),
        (torch.zeros(6), r"\(6,\)"),
        (np.zeros((6, 3)), "ndarray"),
        ([0, 1, 2], "list"),
    ],
)
def test_what_is_no_y_names_the_remedy(y, message):
    with pytest.raises(ValueError, match=message):
        conditional_vae().given(y)


@pytest.mark.parametrize("n", [1, 5, 7])
def test_x_and_z_go_with_as_many_rows_of_y(n):
    vae, z = conditional_vae().given(torch.ones(n, 3).double()), torch.zeros(4, 6, 2).double()
    for call in (lambda: vae.encoder(X.double()), lambda: vae.decoder(z)):
        with pytest.raises(ValueError, match=rf"y has {n} rows.*\(\.\.\., {n}, D\).*6, "):
            call()
