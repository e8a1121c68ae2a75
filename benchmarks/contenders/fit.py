"""`vae_lib.training.fit` on `elbo`; `binarize`, its transform, draws each batch afresh."""

import torch

from contenders import BATCH_SIZE, HIDDEN, LATENT_DIM, LEARNING_RATE
from vae_lib.conditionals import Bernoulli, DiagonalGaussian, StandardNormal
from vae_lib.data import binarize
from vae_lib.models import VAE
from vae_lib.networks import mlp
from vae_lib.objectives import elbo
from vae_lib.training import fit


def make_vae():
    encoder = DiagonalGaussian(mlp(784, HIDDEN, 2 * LATENT_DIM))
    decoder = Bernoulli(mlp(LATENT_DIM, HIDDEN, 784))
    return VAE(encoder, decoder, StandardNormal(LATENT_DIM))


def train(images, epochs, pause, *, bf16=False, compile=False):
    torch.manual_seed(0)
    vae = make_vae()

    def weights():
        return [p.detach().numpy() for p in vae.parameters()]

    pause(weights)
    fit(
        vae,
        elbo,
        torch.tensor(images) / 255,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        lr=LEARNING_RATE,
        transform=binarize,
        device="cpu",
        after_epoch=lambda vae, history: pause(weights),
        progress=False,
        bf16=bf16,
        compile=compile,
    )


def train_bf16(images, epochs, pause):
    train(images, epochs, pause, bf16=True)


def train_compiled(images, epochs, pause):
    train(images, epochs, pause, compile=True)
