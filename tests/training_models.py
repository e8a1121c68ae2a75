"""Small models, data and runs that the tests of training share."""

import torch
from torch import nn

from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.training import fit

DATA = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) + 2.0
BINARY = (DATA > 2).float()


class Location(nn.Module):
    """One parameter vector, whose best value under a squared error is the mean of the data."""

    def __init__(self) -> None:
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(3))


def closeness(model, x):
    return -(x - model.mu).square().sum(-1)


def run(model, objective, data=DATA, **changes):
    settings = {"batch_size": 16, "progress": False, "device": "cpu"} | changes
    if "steps" not in settings:
        settings = {"epochs": 3} | settings
    return fit(model, objective, data, **settings)


def small_vae():
    torch.manual_seed(0)
    decoder = Gaussian(mlp(2, 8, 3), sigma=0.5)
    return VAE(DiagonalGaussian(mlp(3, 8, 4)), decoder, StandardNormal(2))


def binary_vae(data_dim=3):
    torch.manual_seed(0)
    encoder = DiagonalGaussian(mlp(data_dim, 8, 4))
    return VAE(encoder, Bernoulli(mlp(2, 8, data_dim)), StandardNormal(2))


def bits(model):
    """The state of a model as bytes, for comparisons to the bit."""
    return {name: value.numpy().tobytes() for name, value in model.state_dict().items()}
