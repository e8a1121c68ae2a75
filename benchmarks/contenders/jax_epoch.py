"""A whole epoch as one compiled function, for the contenders in JAX."""

import jax
import jax.numpy as jnp
from jax import lax, random

from contenders import BATCH_SIZE


def compiled_epoch(update, images):
    """epoch(state, key): `update(state, key, x)` on every batch, drawn binary, in random order."""
    data = jnp.asarray(images, jnp.float32) / 255
    whole = len(data) // BATCH_SIZE * BATCH_SIZE

    def step(state, batch):
        indices, key = batch
        key_x, key_update = random.split(key)
        x = random.bernoulli(key_x, data[indices]).astype(jnp.float32)
        return update(state, key_update, x), None

    @jax.jit
    def epoch(state, key):
        key_order, key_rest, *_ = keys = random.split(key, 2 + whole // BATCH_SIZE)
        order = random.permutation(key_order, len(data))
        batches = order[:whole].reshape(-1, BATCH_SIZE)
        state, _ = lax.scan(step, state, (batches, keys[2:]))
        if whole < len(data):
            state, _ = step(state, (order[whole:], key_rest))
        return state

    return epoch


def train_epochs(epoch, state, weights_of, epochs, pause):
    for key in random.split(random.key(1), epochs):
        pause(lambda state=state: weights_of(state))
        state = jax.block_until_ready(epoch(state, key))
    pause(lambda: weights_of(state))
