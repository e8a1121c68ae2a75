"""Answers to the exercises of chapter 14."""

import numpy as np
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors


def frechet_by_trace(mean_a, var_a, mean_b, var_b):
    spread = var_a + var_b - 2 * (var_a * var_b).sqrt()
    return (mean_a - mean_b).square().sum() + spread.sum()


def frechet_in_numpy(mean_a, var_a, mean_b, var_b):
    means = np.linalg.norm(mean_a.numpy() - mean_b.numpy()) ** 2
    return means + np.sum((np.sqrt(var_a.numpy()) - np.sqrt(var_b.numpy())) ** 2)


def share_in_loops(distance, radii):
    inside = [any(d <= r for d, r in zip(row, radii, strict=True)) for row in distance]
    return sum(inside) / len(inside)


def share_by_margin(distance, radii):
    return ((radii - distance).max(dim=1).values >= 0).float().mean()


def precision_by_topk(real, drawn, n_neighbors):
    among = torch.cdist(real, real).fill_diagonal_(float("inf"))
    radii = among.topk(n_neighbors, largest=False).values[:, -1]
    return (torch.cdist(drawn, real) <= radii).any(dim=1).double().mean()


def precision_by_sorting(real, drawn, n_neighbors):
    radii = np.sort(cdist(real, real), axis=1)[:, n_neighbors]
    return (cdist(drawn, real) <= radii).any(axis=1).mean()


def precision_by_sklearn(real, drawn, n_neighbors):
    found, _ = NearestNeighbors(n_neighbors=n_neighbors).fit(real).kneighbors()
    return float((cdist(drawn, real) <= found[:, -1]).any(1).mean())


def effective_by_softmax(log_w):
    return 1 / torch.softmax(log_w, dim=0).square().sum(0)


def effective_in_numpy(log_w):
    w = np.exp(log_w.numpy() - log_w.numpy().max(axis=0))
    return w.sum(0) ** 2 / (w**2).sum(0)


def effective_by_one_maximum(log_w):
    w = torch.exp(log_w - log_w.max())
    return w.sum(0) ** 2 / (w**2).sum(0)


def area_by_ranks(normal, odd):
    result = stats.mannwhitneyu(normal.numpy(), odd.numpy())
    return result.statistic / (len(normal) * len(odd))


def area_in_loops(normal, odd):
    wins = [1.0 if n > o else 0.5 if n == o else 0.0 for n in normal for o in odd]
    return sum(wins) / len(wins)


RIGHT = {
    "14.a": [
        frechet_by_trace,
        frechet_in_numpy,
        lambda ma, va, mb, vb: frechet_by_trace(ma.float(), va.float(), mb.float(), vb.float()),
    ],
    "14.b": [share_in_loops, share_by_margin, lambda d, r: (d.numpy() <= r.numpy()).any(1).mean()],
    "14.1": [precision_by_topk, precision_by_sorting, precision_by_sklearn],
    "14.2": [
        effective_by_softmax,
        effective_in_numpy,
        lambda log_w: torch.exp(2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)),
    ],
    "14.3": ["c", "Line c.", "(C)"],
    "14.4": [
        area_by_ranks,
        area_in_loops,
        lambda normal, odd: (torch.sign(normal[:, None] - odd).mean() + 1) / 2,
    ],
}

WRONG = {
    "14.a": [
        (
            "variances for standard deviations",
            lambda ma, va, mb, vb: ((ma - mb) ** 2 + (va - vb) ** 2).sum(),
        ),
        ("means only", lambda ma, va, mb, vb: torch.dist(ma, mb) ** 2),
        ("root of the whole", lambda *a: frechet_by_trace(*a).sqrt()),
        ("mean over dimensions", lambda *a: frechet_by_trace(*a) / len(a[0])),
        (
            "root forgotten",
            lambda ma, va, mb, vb: ((ma - mb) ** 2 + va + vb - 2 * va * vb).sum(),
        ),
        (None, lambda ma, va, mb, vb: (ma - mb).abs().sum() + (va.sqrt() - vb.sqrt()).abs().sum()),
        (None, lambda ma, va, mb, vb: ((ma - mb) ** 2 + va + vb).sum()),
    ],
    "14.b": [
        ("share of pairs", lambda d, r: (d <= r).double().mean()),
        ("share of balls", lambda d, r: (d <= r).any(0).double().mean()),
        ("inside all", lambda d, r: (d <= r).all(1).double().mean()),
        ("edge", lambda d, r: ((d - r).amin(1) < 0).double().mean()),
        ("number of draws", lambda d, r: (d <= r).any(1).sum()),
        (None, lambda d, r: (d.amin(1) <= r.mean()).double().mean()),
        (None, lambda d, r: (d <= r.amax()).any(1).double().mean() + 1),
    ],
    "14.1": [
        (
            "itself a neighbour",
            lambda real, drawn, k: (
                (cdist(drawn, real) <= np.sort(cdist(real, real), 1)[:, k - 1]).any(1).mean()
            ),
        ),
        (
            "share of balls",
            lambda real, drawn, k: (
                (cdist(real, drawn) <= np.sort(cdist(real, real), 1)[:, [k]]).any(1).mean()
            ),
        ),
        (
            "share of pairs",
            lambda real, drawn, k: (
                cdist(drawn, real) <= np.sort(cdist(real, real), 1)[:, k]
            ).mean(),
        ),
        ("recall", lambda real, drawn, k: precision_by_topk(drawn, real, k)),
        ("one neighbour too many", lambda real, drawn, k: precision_by_topk(real, drawn, k + 1)),
        ("outside", lambda real, drawn, k: 1 - precision_by_topk(real, drawn, k)),
        ("number of draws", lambda real, drawn, k: len(drawn) * precision_by_topk(real, drawn, k)),
        (None, lambda real, drawn, k: torch.cdist(drawn, real).amin(1).mean()),
        (None, lambda real, drawn, k: 1.0),
    ],
    "14.2": [
        ("weights themselves", lambda log_w: log_w.exp().sum(0) ** 2 / (2 * log_w).exp().sum(0)),
        ("one constant for all examples", effective_by_one_maximum),
        ("share", lambda log_w: effective_by_softmax(log_w) / log_w.shape[0]),
        ("inverse", lambda log_w: torch.softmax(log_w, 0).square().sum(0)),
        ("over the examples", lambda log_w: 1 / torch.softmax(log_w, 1).square().sum(1)),
        ("logarithm", lambda log_w: 2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)),
        (None, lambda log_w: effective_by_softmax(log_w).sqrt()),
        (None, lambda log_w: effective_by_softmax(log_w).mean()),
    ],
    "14.3": [("line a", "a"), ("line d", "line d"), (None, "c and d"), (None, "100")],
    "14.4": [
        ("other way round", lambda normal, odd: area_in_loops(odd, normal)),
        ("ties lost", lambda normal, odd: (normal[:, None] > odd).double().mean()),
        ("ties won", lambda normal, odd: (normal[:, None] >= odd).double().mean()),
        ("against the mean", lambda normal, odd: (odd < normal.mean()).double().mean()),
        (
            "one for each normal image",
            lambda normal, odd: (1 + torch.sign(normal[:, None] - odd)).mean(1) / 2,
        ),
        ("number of pairs", lambda normal, odd: stats.mannwhitneyu(normal, odd).statistic),
        (None, lambda normal, odd: 2 * area_in_loops(normal, odd) - 1),
        (
            None,
            lambda normal, odd: roc_auc_score(
                [0] * len(normal) + [1] * len(odd), torch.cat([normal, odd]).abs()
            ),
        ),
    ],
}
