"""The explicit loop and `fit` by turns in one process: the fairest ratio of the two."""

import random
import time

from contenders import explicit_loop, fit


def train(images, epochs, pause):
    """Report (seconds of fit, seconds of the loop) for each round, in an order drawn by lot."""
    coin = random.Random(0)
    loop_first = [coin.random() < 0.5 for _ in range(epochs)]
    loop_weights, loop_epoch = explicit_loop.set_up(images)
    n_done = -1
    fit_started = loop_seconds = 0.0

    def timed_loop():
        start = time.perf_counter()
        loop_epoch()
        return time.perf_counter() - start

    def between_epochs_of_fit(weights):
        nonlocal n_done, fit_started, loop_seconds
        fit_seconds = time.perf_counter() - fit_started
        n_done += 1
        if n_done == 0:
            pause(loop_weights)
        else:
            if not loop_first[n_done - 1]:
                loop_seconds = timed_loop()
            pause(loop_weights, seconds=(fit_seconds, loop_seconds))
        if n_done < epochs and loop_first[n_done]:
            loop_seconds = timed_loop()
        fit_started = time.perf_counter()

    fit.train(images, epochs, between_epochs_of_fit)
