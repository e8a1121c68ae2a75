"""`vae_lib.training.fit` on `elbo`; `binarize`, its transform, draws each batch afresh."""

import functools
import math

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

    fit(
        vae,
        elbo,
        torch.tensor(images) / 255,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        lr=LEARNING_RATE,
        transform=pausing_binarize(len(images), epochs, compile, lambda: pause(weights)),
        device="cpu",
        progress=False,
        bf16=bf16,
        compile=compile,
    )
    pause(weights)


def train_bf16(images, epochs, pause):
    train(images, epochs, pause, bf16=True)


def train_compiled(images, epochs, pause):
    train(images, epochs, pause, compile=True)


def pausing_binarize(n_images, epochs, compile, pause):
    """`binarize` that pauses when it meets an epoch's first batch: fit needs no hook for us."""
    n_batches = math.ceil(n_images / BATCH_SIZE)
    # After the first epoch fit compiles, with a batch of each size: that counts as part of it.
    n_compiled = len({min(n_images, BATCH_SIZE), n_images % BATCH_SIZE} - {0}) if compile else 0
    firsts = {0, *(n_batches * epoch + n_compiled for epoch in range(1, epochs))}
    n_calls = 0

    @functools.wraps(binarize)  # with the signature, in which fit looks for validate_args
    def transform(x, **options):
        nonlocal n_calls
        if n_calls in firsts:
            pause()
        n_calls += 1
        return binarize(x, **options)

    return transform
