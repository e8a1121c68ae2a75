"""Answers to the exercises of chapter 11."""

import math

import numpy as np
import torch
from scipy.special import logsumexp
from torch import distributions as td


def by_optimum(eigenvalues, latent_dim, sigma, beta=1.0):
    """The chapter's own tool."""
    from vae_lib.evaluation import linear_optimum

    return linear_optimum(eigenvalues, latent_dim=latent_dim, sigma=sigma, beta=beta)


def kl_in_numpy(eigenvalues, latent_dim, sigma):
    largest = np.sort(np.asarray(eigenvalues))[::-1][:latent_dim]
    return np.maximum(0, 0.5 * np.log(largest / sigma**2)).astype(np.float32)


def kl_by_max(eigenvalues, latent_dim, sigma):
    ordered = sorted(eigenvalues.tolist(), reverse=True)[:latent_dim]
    return [max(0.0, 0.5 * math.log(value / sigma**2)) for value in ordered]


def charge_in_a_loop(kl, floor):
    total = 0.0
    for column in kl.T.tolist():
        mean = sum(column) / len(column)
        total += mean if mean > floor else floor
    return total


def charge_by_where(kl, floor):
    """As the library does: example by example, and then their mean."""
    return torch.where(kl.mean(0) > floor, kl, torch.full_like(kl, floor)).sum(-1).mean()


def information_in_numpy(log_q):
    table = log_q.numpy()
    return np.mean(np.diag(table) - logsumexp(table, axis=1) + np.log(table.shape[0]))


def information_by_loop(log_q):
    values = []
    for n, row in enumerate(log_q):
        values.append(row[n] - torch.log(torch.exp(row).mean()))
    return torch.stack(values).mean()


def information_by_softmax(log_q):
    return math.log(len(log_q)) - torch.nn.functional.cross_entropy(
        log_q.float(), torch.arange(len(log_q))
    )


RIGHT = {
    "11.a": [
        lambda variance, beta: np.sqrt(variance / beta),
        lambda variance, beta: torch.tensor(variance / beta).sqrt(),
        lambda variance, beta: math.exp(0.5 * (math.log(variance) - math.log(beta))),
    ],
    "11.b": [
        charge_in_a_loop,
        charge_by_where,
        lambda kl, floor: np.maximum(kl.numpy().mean(axis=0), floor).sum(),
        lambda kl, floor: floor * kl.shape[1] + (kl.float().mean(0) - floor).relu().sum(),
    ],
    "11.1": [
        lambda e, n, s, b: int(by_optimum(e, n, s, b).active.sum()),
        lambda e, n, s, b: min(n, int((e > b * s**2).sum())),
        lambda e, n, s, b: (e.topk(n).values > b * s**2).sum(),
        lambda e, n, s, b: np.count_nonzero(np.sort(e.numpy())[-n:] > b * s**2),
    ],
    "11.2": [
        kl_in_numpy,
        kl_by_max,
        lambda e, n, s: by_optimum(e, n, s).kl,
        lambda e, n, s: (e.topk(n).values.sqrt() / s).log().relu(),
    ],
    "11.3": [
        lambda mu, log_var, threshold: mu.var(0) > threshold,
        lambda mu, log_var, threshold: mu.float().var(0, correction=0) > threshold,
        lambda mu, log_var, threshold: np.var(mu.numpy(), axis=0) > threshold,
        lambda mu, log_var, threshold: [bool(v > threshold) for v in mu.var(0)],
        lambda mu, log_var, threshold: torch.cov(mu.T).diagonal() > threshold,
    ],
    "11.4": [information_in_numpy, information_by_loop, information_by_softmax],
}

WRONG = {
    "11.a": [
        ("variance", lambda variance, beta: torch.tensor(variance / beta)),
        ("beta left out", lambda variance, beta: variance**0.5),
        ("beta the wrong way round", lambda variance, beta: np.sqrt(beta * variance)),
        ("beta outside the root", lambda variance, beta: variance**0.5 / beta),
        ("the variance itself", lambda variance, beta: variance),
        (None, lambda variance, beta: variance * beta),
        (None, lambda variance, beta: math.sqrt(beta / variance)),
    ],
    "11.b": [
        ("maximum for each example", lambda kl, floor: np.maximum(kl.numpy(), floor).sum(1).mean()),
        ("floor for the sum", lambda kl, floor: max(floor, kl.sum(-1).mean())),
        ("minimum", lambda kl, floor: kl.mean(0).clamp(max=floor).sum()),
        ("what is above the floor", lambda kl, floor: torch.relu(kl.mean(0) - floor).sum()),
        ("mean over dimensions", lambda kl, floor: kl.mean(0).clamp(min=floor).mean()),
        ("sum over the batch", lambda kl, floor: kl.sum(0).clamp(min=floor).sum()),
        ("no floor", lambda kl, floor: kl.sum(1).mean()),
        ("not summed", lambda kl, floor: kl.mean(0).clamp(min=floor)),
        (None, lambda kl, floor: kl.mean(1).clamp(min=floor).sum()),
        (None, lambda kl, floor: -kl.mean(0).clamp(min=floor).sum()),
    ],
    "11.1": [
        ("latent dimension forgotten", lambda e, n, s, b: int((e > b * s**2).sum())),
        ("the first ones, as they come", lambda e, n, s, b: (e[:n] > b * s**2).sum()),
        ("beta left out", lambda e, n, s, b: min(n, int((e > s**2).sum()))),
        ("beta squared", lambda e, n, s, b: min(n, int((e.sqrt() > b * s).sum()))),
        ("sigma not squared", lambda e, n, s, b: min(n, int((e > b * s).sum()))),
        ("dark ones", lambda e, n, s, b: n - min(n, int((e > b * s**2).sum()))),
        ("all of them", lambda e, n, s, b: n),
        (None, lambda e, n, s, b: min(n, int((b * e > s**2).sum()))),
        (None, lambda e, n, s, b: e.topk(n).values > b * s**2),
        (None, lambda e, n, s, b: int((e.sort().values[:n] > b * s**2).sum())),
    ],
    "11.2": [
        ("negative ones", lambda e, n, s: 0.5 * torch.log(e.topk(n).values / s**2)),
        ("no half", lambda e, n, s: torch.log(e.topk(n).values / s**2).relu()),
        ("sigma not squared", lambda e, n, s: 0.5 * (e.topk(n).values / s).log().relu()),
        ("in the order that came", lambda e, n, s: 0.5 * (e[:n] / s**2).log().relu()),
        ("their sum", lambda e, n, s: by_optimum(e, n, s).rate),
        ("bits", lambda e, n, s: 0.5 * (e.topk(n).values / s**2).log2().relu()),
        ("squared column lengths", lambda e, n, s: by_optimum(e, n, s).column_lengths ** 2),
        (None, lambda e, n, s: by_optimum(e, n, s).kl.flip(0)),
        (None, lambda e, n, s: by_optimum(e, n, s).posterior_variances),
        (None, lambda e, n, s: 0.5 * (s**2 / e.topk(n).values).log().relu()),
    ],
    "11.3": [
        ("standard deviation", lambda mu, log_var, threshold: mu.std(0) > threshold),
        ("mean square", lambda mu, log_var, threshold: (mu**2).mean(0) > threshold),
        ("variance of q", lambda mu, log_var, threshold: log_var.exp().mean(0) > threshold),
        ("narrow q", lambda mu, log_var, threshold: log_var.exp().mean(0) < 1 - threshold),
        ("inactive ones", lambda mu, log_var, threshold: ~(mu.var(0) > threshold)),
        ("how many", lambda mu, log_var, threshold: int((mu.var(0) > threshold).sum())),
        ("over the dimensions", lambda mu, log_var, threshold: mu.var(-1) > threshold),
        (None, lambda mu, log_var, threshold: mu.var(0)),
        (None, lambda mu, log_var, threshold: mu.var() > threshold),
        (None, lambda mu, log_var, threshold: mu.abs().mean(0) > threshold),
    ],
    "11.4": [
        (
            "sum in place of the mean",
            lambda log_q: (log_q.diagonal() - log_q.logsumexp(1)).mean(),
        ),
        (
            "over the wrong axis",
            lambda log_q: (log_q.diagonal() - log_q.logsumexp(0)).mean() + math.log(len(log_q)),
        ),
        ("mean of the logarithms", lambda log_q: log_q.diagonal().mean() - log_q.mean()),
        ("sign", lambda log_q: -information_by_loop(log_q)),
        (
            "for each code",
            lambda log_q: log_q.diagonal() - log_q.exp().mean(1).log(),
        ),
        ("all pairs", lambda log_q: log_q.mean() - log_q.exp().mean(1).log().mean()),
        ("bits", lambda log_q: information_by_loop(log_q) / math.log(2)),
        (None, lambda log_q: log_q.diagonal().mean()),
        (None, lambda log_q: td.Categorical(logits=log_q).entropy().mean()),
        (None, lambda log_q: math.log(len(log_q))),
        (None, lambda log_q: log_q.diagonal().exp().mean().log() - log_q.exp().mean().log()),
    ],
}
