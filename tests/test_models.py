import pytest
import torch

from vae_lib.conditionals import DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.models import VAE, Autoencoder
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


@pytest.mark.parametrize("n", [0, -3])
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
