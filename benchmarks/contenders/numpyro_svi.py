"""NumPyro's SVI as in its VAE example: stax networks, Trace_ELBO, each epoch compiled whole."""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax import random
from jax.example_libraries import stax
from numpyro.infer import SVI, Trace_ELBO

from contenders import BATCH_SIZE, HIDDEN, LATENT_DIM, LEARNING_RATE
from contenders.jax_epoch import compiled_epoch, train_epochs

Sigma = stax.elementwise(lambda log_var: jnp.exp(0.5 * log_var))


def encoder():
    heads = stax.parallel(stax.Dense(LATENT_DIM), stax.serial(stax.Dense(LATENT_DIM), Sigma))
    return stax.serial(stax.Dense(HIDDEN), stax.Relu, stax.FanOut(2), heads)


def decoder():
    return stax.serial(stax.Dense(HIDDEN), stax.Relu, stax.Dense(784))


def model(x):
    decode = numpyro.module("decoder", decoder(), (len(x), LATENT_DIM))
    with numpyro.plate("batch", len(x)):
        z = numpyro.sample("z", dist.Normal(0, 1).expand([LATENT_DIM]).to_event(1))
        numpyro.sample("obs", dist.Bernoulli(logits=decode(z)).to_event(1), obs=x)


def guide(x):
    encode = numpyro.module("encoder", encoder(), (len(x), 784))
    mu, sigma = encode(x)
    with numpyro.plate("batch", len(x)):
        numpyro.sample("z", dist.Normal(mu, sigma).to_event(1))


def train(images, epochs, pause):
    svi = SVI(model, guide, numpyro.optim.Adam(LEARNING_RATE), Trace_ELBO())
    state = svi.init(random.key(0), jnp.zeros((BATCH_SIZE, 784)))
    # SVI's state carries its own key, so the epoch's is not needed.
    epoch = compiled_epoch(lambda state, key, x: svi.update(state, x)[0], images)

    def weights(state):
        parameters = svi.get_params(state)
        hidden, _, _, (mu, (log_var, _)) = parameters["encoder$params"]
        decoder_hidden, _, decoder_output = parameters["decoder$params"]
        heads = (np.concatenate(pair, axis=-1) for pair in zip(mu, log_var, strict=True))
        return [np.asarray(p).T for p in (*hidden, *heads, *decoder_hidden, *decoder_output)]

    train_epochs(epoch, state, weights, epochs, pause)
