"""Answers to the fill-ins of chapter 0."""

import math

import numpy as np
import torch
from torch import distributions as td


def sigma(log_var):
    return (0.5 * log_var).exp()


def kl_in_numpy(mu, log_var):
    mu, log_var = mu.numpy(), log_var.numpy()
    return -0.5 * np.sum(1 + log_var - mu**2 - np.exp(log_var), axis=1)


def kl_by_difference(mu, log_var):
    """Its two parts, by the means of the logarithms of both densities."""
    log_q = -0.5 * (1 + log_var + math.log(2 * math.pi))
    log_p = -0.5 * (mu**2 + log_var.exp() + math.log(2 * math.pi))
    return (log_q - log_p).sum(1)


def kl_by_draws(mu, log_var):
    q_z = td.Normal(mu, sigma(log_var))
    z = q_z.sample((1000,))
    return (q_z.log_prob(z) - td.Normal(0, 1).log_prob(z)).mean(0).sum(-1)


def kl_reversed(mu, log_var):
    prior = td.Normal(torch.zeros_like(mu), 1.0)
    return td.kl_divergence(prior, td.Normal(mu, sigma(log_var))).sum(-1)


RIGHT = {
    "0.a": [
        lambda mu, log_var, eps: mu - sigma(log_var) * eps,
        lambda mu, log_var, eps: mu.numpy() + np.exp(log_var.numpy() / 2) * eps.numpy(),
        lambda mu, log_var, eps: torch.addcmul(mu, log_var.exp() ** 0.5, eps),
        lambda mu, log_var, eps: td.Normal(mu, sigma(log_var)).icdf(td.Normal(0, 1).cdf(eps)),
        lambda mu, log_var, eps: (mu + sigma(log_var) * eps).float(),
    ],
    "0.b": [
        kl_in_numpy,
        kl_by_difference,
        lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() - 1 - log_var).float().sum(1),
        lambda mu, log_var: [
            0.5 * float((m @ m) + (v.exp() - 1 - v).sum()) for m, v in zip(mu, log_var, strict=True)
        ],
    ],
    "0.c": ["C", "(c)", "c)", " c. "],
}

WRONG = {
    "0.a": [
        ("variance as width", lambda m, v, eps: m.numpy() + np.exp(v.numpy()) * eps.numpy()),
        ("no noise", lambda m, v, eps: m + 0 * eps),
        ("middle left out", lambda m, v, eps: v.exp().sqrt() * eps),
        (None, lambda m, v, eps: m + v.sqrt() * eps),
        (None, lambda m, v, eps: m + sigma(v) * eps.abs()),
        (None, lambda m, v, eps: m + sigma(v) * torch.randn_like(eps)),
        (None, lambda m, v, eps: m + sigma(v) * eps[:, :1]),
        (None, lambda m, v, eps: (m + sigma(v) * eps).sum(-1)),
        (None, lambda m, v, eps: m + sigma(-v) * eps),
    ],
    "0.b": [
        ("no half", lambda m, v: (m**2 + v.exp() - 1 - v).sum(-1)),
        ("sign", lambda m, v: 0.5 * (1 + v - m**2 - v.exp()).sum(-1)),
        ("mean over the two numbers", lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v).mean(-1)),
        ("not summed", lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v)),
        ("summed over the batch", lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v).sum()),
        ("no 1", lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(-1)),
        ("width for its square", lambda m, v: 0.5 * (m**2 + v.exp().sqrt() - 1 - v).sum(-1)),
        (None, lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v).sum(0)),
        (None, lambda m, v: 0.5 * (m + v.exp() - 1 - v).sum(-1)),
        (None, lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v.exp().sqrt().log()).sum(-1)),
        ("logarithm of the logarithm", lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v.log()).sum(-1)),
        (
            "log-variance taken for the variance throughout",
            lambda m, v: 0.5 * (m**2 + v - 1 - v.log()).sum(-1),
        ),
        (None, lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 1 - 2 * v).sum(-1)),
        (None, kl_by_draws),
        (None, kl_reversed),
    ],
    "0.c": [("a", "A"), ("b", "(b)"), (None, "d"), (None, 3)],
}
