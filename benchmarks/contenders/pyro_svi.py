"""Pyro's SVI as in its VAE tutorial: a DataLoader, Trace_ELBO (KL by one draw), Pyro's Adam."""

import pyro
import pyro.distributions as dist
import torch
from pyro.infer import SVI, JitTrace_ELBO, Trace_ELBO
from pyro.optim import Adam
from torch.utils.data import DataLoader, TensorDataset

from contenders import BATCH_SIZE, LATENT_DIM, LEARNING_RATE
from contenders.explicit_loop import binarized, networks, weights_of


def train(images, epochs, pause, loss=None):
    pyro.set_rng_seed(0)
    pyro.enable_validation(False)
    encoder, decoder = networks()

    def model(x):
        pyro.module("decoder", decoder)
        with pyro.plate("data", x.shape[0]):
            zeros = x.new_zeros(x.shape[0], LATENT_DIM)
            z = pyro.sample("latent", dist.Normal(zeros, torch.ones_like(zeros)).to_event(1))
            pyro.sample("obs", dist.Bernoulli(logits=decoder(z)).to_event(1), obs=x)

    def guide(x):
        pyro.module("encoder", encoder)
        with pyro.plate("data", x.shape[0]):
            mu, log_var = encoder(x).chunk(2, dim=1)
            pyro.sample("latent", dist.Normal(mu, (0.5 * log_var).exp()).to_event(1))

    def weights():
        return weights_of(encoder, decoder)

    svi = SVI(model, guide, Adam({"lr": LEARNING_RATE}), loss=loss or Trace_ELBO())
    dataset = TensorDataset(torch.tensor(images) / 255)
    loader = DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True)
    for _ in range(epochs):
        pause(weights)
        for (grey,) in loader:
            svi.step(binarized(grey))
    pause(weights)


def train_jit(images, epochs, pause):
    train(images, epochs, pause, loss=JitTrace_ELBO())
