"""Flax (linen) and optax as in Flax's VAE example, with the epoch as one compiled scan."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState
from jax import random

from contenders import HIDDEN, LATENT_DIM, LEARNING_RATE
from contenders.jax_epoch import compiled_epoch, train_epochs

LAYERS = ("encoder_hidden", "encoder_output", "decoder_hidden", "decoder_output")


class VAE(nn.Module):
    def setup(self):
        self.encoder_hidden = nn.Dense(HIDDEN)
        self.encoder_output = nn.Dense(2 * LATENT_DIM)
        self.decoder_hidden = nn.Dense(HIDDEN)
        self.decoder_output = nn.Dense(784)

    def __call__(self, x, key):
        h = nn.relu(self.encoder_hidden(x))
        mu, log_var = jnp.split(self.encoder_output(h), 2, axis=-1)
        z = mu + jnp.exp(0.5 * log_var) * random.normal(key, mu.shape)
        return self.decoder_output(nn.relu(self.decoder_hidden(z))), mu, log_var


def update(state, key, x):
    def loss(params):
        logits, mu, log_var = state.apply_fn({"params": params}, x, key)
        bce = optax.sigmoid_binary_cross_entropy(logits, x).sum()
        kl = 0.5 * (mu**2 + jnp.exp(log_var) - log_var - 1).sum()
        return (bce + kl) / len(x)

    return state.apply_gradients(grads=jax.grad(loss)(state.params))


def train(images, epochs, pause):
    vae = VAE()
    params = vae.init(random.key(0), jnp.zeros((1, 784)), random.key(0))["params"]
    state = TrainState.create(apply_fn=vae.apply, params=params, tx=optax.adam(LEARNING_RATE))

    def weights(state):
        layers = (state.params[name] for name in LAYERS)
        return [np.asarray(layer[part]).T for layer in layers for part in ("kernel", "bias")]

    train_epochs(compiled_epoch(update, images), state, weights, epochs, pause)
