"""Answers to the exercises of chapter 12."""

import math

import numpy as np
import torch
from scipy import special, stats
from torch import distributions as td


def categorical_terms(q, p, log_px):
    rate = td.kl_divergence(td.Categorical(probs=q), td.Categorical(probs=p)).mean()
    return [rate, -torch.einsum("nk,kn->n", q, log_px).mean()]


def table_in_numpy(q, p, log_px):
    q, p, log_px = (a.numpy() for a in (q, p, log_px))
    return special.rel_entr(q, p).sum(1).mean(), -np.trace(q @ log_px) / len(q)


def table_in_loops(q, p, log_px):
    rate = distortion = 0.0
    for n in range(len(q)):
        for k in range(len(p)):
            if q[n, k] > 0:
                rate += float(q[n, k] * math.log(q[n, k] / p[k]))
                distortion -= float(q[n, k] * log_px[k, n])
    return rate / len(q), distortion / len(q)


def rate_of(q, p):
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)


def distortion_of(q, log_px):
    return -(q * log_px.T).sum(1)


def betas_in_a_loop(rates, distortions):
    return [
        float((distortions[i + 1] - distortions[i - 1]) / (rates[i - 1] - rates[i + 1]))
        for i in range(1, len(rates) - 1)
    ]


def betas_by_regression(rates, distortions):
    pairs = zip(rates.unfold(0, 3, 1), distortions.unfold(0, 3, 1), strict=True)
    return np.array([-stats.linregress(r[::2], d[::2]).slope for r, d in pairs])


def log_scale(sse, n_pixels, sigma):
    return -sse / (2 * sigma**2) - n_pixels / 2 * math.log(2 * math.pi * sigma**2)


def gain_from_two_elbos(sse, n_pixels, sigma, beta):
    return log_scale(sse, n_pixels, math.sqrt(beta) * sigma) - log_scale(sse, n_pixels, sigma)


def gain_in_single_precision(sse, n_pixels, sigma, beta):
    sse, sigma, beta = (torch.tensor(v, dtype=torch.float32) for v in (sse, sigma, beta))
    return 0.5 * (sse / sigma**2 * (1 - 1 / beta) - n_pixels * beta.log())


def share_out(p, total):
    table = [1 + math.floor(v * (total - len(p))) for v in p.tolist()]
    table[np.argmax(p)] += total - sum(table)
    return table


def raise_then_pay(p, total):
    table = (p.numpy() * total).round().clip(1).astype(int)
    table[table.argmax()] -= table.sum() - total
    return table


def by_cumulative_shares(p, total):
    edges = (p.cumsum(0) * (total - len(p))).round().long()
    return 1 + torch.diff(edges, prepend=torch.zeros(1, dtype=torch.long))


def floored(p, total):
    return torch.floor(p * total).long()


def rounded_to_the_top(p, total):
    table = torch.floor(p * total).long()
    table[p.argmax()] += total - table.sum()
    return table


def the_least_probable_pays(p, total):
    table = (p * total).round().clamp_min(1)
    table[-1] += total - table.sum()
    return table


RIGHT = {
    "12.a": [
        lambda log_px, log_q, log_p: [torch.mean(log_q - log_p, 0), torch.mean(-log_px, 0)],
        lambda log_px, log_q, log_p: (
            (log_q.numpy() - log_p.numpy()).mean(0),
            -log_px.numpy().mean(0),
        ),
        lambda log_px, log_q, log_p: (
            (log_q.float() - log_p.float()).sum(0) / len(log_q),
            -log_px.float().sum(0) / len(log_px),
        ),
    ],
    "12.b": [
        lambda log_px, log_p, log_q: -(log_px + log_p - log_q) / np.log(2),
        lambda log_px, log_p, log_q: (log_q - log_px - log_p) * math.log2(math.e),
        lambda log_px, log_p, log_q: np.float32(-(log_px + log_p - log_q)) / np.float32(0.6931472),
        lambda log_px, log_p, log_q: torch.tensor(log_q - log_px - log_p) / math.log(2),
    ],
    "12.1": [categorical_terms, table_in_numpy, table_in_loops],
    "12.2": [
        betas_in_a_loop,
        betas_by_regression,
        lambda rates, distortions: -(np.gradient(distortions) / np.gradient(rates))[1:-1],
        lambda rates, distortions: (
            (distortions[:-2] - distortions[2:]).float() / (rates[2:] - rates[:-2]).float()
        ),
    ],
    "12.3": [
        gain_from_two_elbos,
        gain_in_single_precision,
        lambda sse, n_pixels, sigma, beta: torch.tensor(
            gain_from_two_elbos(sse, n_pixels, sigma, beta)
        ),
    ],
    "12.4": [share_out, raise_then_pay, by_cumulative_shares],
    "12.5": ["C", "line c", "(c)"],
}

WRONG = {
    "12.a": [
        ("sign of the distortion", lambda a, b, c: ((b - c).mean(0), a.mean(0))),
        ("sign of the rate", lambda a, b, c: [(c - b).mean(0), (-a).mean(0)]),
        ("the other way round", lambda a, b, c: (-a.mean(0), b.mean(0) - c.mean(0))),
        ("over the images", lambda a, b, c: ((b - c).mean(1), -a.mean(1))),
        ("without the prior", lambda a, b, c: (b.mean(0), -a.mean(0))),
        ("no mean", lambda a, b, c: (b - c, -a)),
        (None, lambda a, b, c: (b - c - a).mean(0)),
        (None, lambda a, b, c: ((b - c).mean(0), -a.logsumexp(0))),
        (None, lambda a, b, c: ((b.exp() * (b - c)).mean(0), -a.mean(0))),
    ],
    "12.b": [
        ("nats", lambda a, b, c: -(a + b - c)),
        ("no refund", lambda a, b, c: -(a + b) / math.log(2)),
        ("sign", lambda a, b, c: (a + b - c) / math.log(2)),
        ("refund charged", lambda a, b, c: -(a + b + c) / math.log(2)),
        ("distortion alone", lambda a, b, c: -a / math.log(2)),
        ("rate alone", lambda a, b, c: (c - b) / math.log(2)),
        ("multiplied by log 2", lambda a, b, c: np.log(2) * (c - a - b)),
        (None, lambda a, b, c: (a - b + c) / math.log(2)),
    ],
    "12.1": [
        (
            "0 log 0",
            lambda q, p, t: ((q * (q / p).log()).sum(1).mean(), distortion_of(q, t).mean()),
        ),
        ("sum over the images", lambda q, p, t: (rate_of(q, p).sum(), -(q * t.T).sum())),
        ("one for each image", lambda q, p, t: (rate_of(q, p), distortion_of(q, t))),
        (
            "sign of the distortion",
            lambda q, p, t: (rate_of(q, p).mean(), -distortion_of(q, t).mean()),
        ),
        (
            "information for rate",
            lambda q, p, t: (rate_of(q, q.mean(0)).mean(), distortion_of(q, t).mean()),
        ),
        ("the other way round", lambda q, p, t: (distortion_of(q, t).mean(), rate_of(q, p).mean())),
        (None, lambda q, p, t: (rate_of(q, p).mean(), -t.mean())),
        (None, lambda q, p, t: rate_of(q, p).mean() - -distortion_of(q, t).mean()),
    ],
    "12.2": [
        ("sign", lambda r, d: (d[2:] - d[:-2]) / (r[2:] - r[:-2])),
        ("upside down", lambda r, d: -(r[2:] - r[:-2]) / (d[2:] - d[:-2])),
        ("all slopes", lambda r, d: -torch.diff(d) / torch.diff(r)),
        ("next neighbour alone", lambda r, d: (d[1:-1] - d[2:]) / (r[2:] - r[1:-1])),
        ("last neighbour alone", lambda r, d: (d[:-2] - d[1:-1]) / (r[1:-1] - r[:-2])),
        ("the ratio itself", lambda r, d: d[1:-1] / r[1:-1]),
        ("parabola", lambda r, d: -np.gradient(d.numpy(), r.numpy())[1:-1]),
        ("ends included", lambda r, d: -np.gradient(d.numpy(), r.numpy())),
        (None, lambda r, d: d[2:] - d[:-2]),
        (None, lambda r, d: -np.gradient(d.numpy())[1:-1]),
    ],
    "12.3": [
        ("sign", lambda s, n, g, b: -gain_from_two_elbos(s, n, g, b)),
        ("constant forgotten", lambda s, n, g, b: s / (2 * g**2) - s / (2 * b * g**2)),
        ("error forgotten", lambda s, n, g, b: -n * math.log(b) / 2),
        ("one pixel", lambda s, n, g, b: s / (2 * g**2) * (1 - 1 / b) - 0.5 * math.log(b)),
        ("log β in full", lambda s, n, g, b: s / (2 * g**2) * (1 - 1 / b) - n * math.log(b)),
        ("β in place of its root", lambda s, n, g, b: log_scale(s, n, b * g) - log_scale(s, n, g)),
        (
            "divided by the root",
            lambda s, n, g, b: log_scale(s, n, g / b**0.5) - log_scale(s, n, g),
        ),
        ("per pixel", lambda s, n, g, b: gain_from_two_elbos(s, n, g, b) / n),
        (None, lambda s, n, g, b: log_scale(s, n, g * b**0.5)),
    ],
    "12.4": [
        ("zeros", rounded_to_the_top),
        ("zeros", the_least_probable_pays),
        ("rounded", floored),
        ("sum", lambda p, total: (p * total).ceil().long()),
        ("not whole", lambda p, total: p.numpy() * total),
        (None, lambda p, total: share_out(p, total - 1)),
        (None, lambda p, total: p),
        (None, lambda p, total: [max(1, int(v)) for v in p * total]),
    ],
    "12.5": [("line a", "a"), ("line b", "Line b"), ("line d", "d")],
}
