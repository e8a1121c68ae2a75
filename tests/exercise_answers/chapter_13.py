"""Answers to the exercises of chapter 13."""

import math

import numpy as np
import torch
from scipy.special import logsumexp, softmax
from torch import distributions as td
from torch.nn import functional as F


def input_by_indexing(z, labels, n_classes):
    return torch.cat([z, torch.eye(n_classes)[labels]], dim=1)


def input_in_numpy(z, labels, n_classes):
    return np.concatenate([z.numpy(), np.eye(n_classes)[labels.numpy()]], axis=1)


def summed_in_a_loop(bounds, log_q_y):
    total = 0
    for c in range(bounds.shape[1]):
        total = total + log_q_y[:, c].exp() * (bounds[:, c] - log_q_y[:, c])
    return total


def grid_in_loops(z, n_classes):
    return [[[*code, *np.eye(n_classes)[c]] for c in range(n_classes)] for code in z.tolist()]


def grid_by_repeating(z, n_classes):
    codes = z.repeat_interleave(n_classes, dim=0)
    classes = torch.eye(n_classes, dtype=z.dtype).repeat(len(z), 1)
    return torch.cat([codes, classes], dim=1).reshape(len(z), n_classes, -1)


def grid_laid_out_wrongly(z, n_classes):
    codes = z.repeat(n_classes, 1)
    classes = torch.eye(n_classes, dtype=z.dtype).repeat_interleave(len(z), dim=0)
    return torch.cat([codes, classes], dim=1).reshape(len(z), n_classes, -1)


def m2_with_one_hot(bounds, log_q_y, labels, alpha):
    known = labels >= 0
    value = (log_q_y.exp() * (bounds - log_q_y)).sum(1)
    y = F.one_hot(labels[known], bounds.shape[1]).to(bounds.dtype)
    value[known] = (y * (bounds[known] + alpha * log_q_y[known])).sum(1)
    return value


def m2_in_numpy(bounds, log_q_y, labels, alpha):
    bounds, log_q, labels = bounds.numpy(), log_q_y.numpy(), labels.numpy()
    rows = np.arange(len(labels))
    with_label = bounds[rows, labels] + alpha * log_q[rows, labels]
    return np.where(labels < 0, (np.exp(log_q) * (bounds - log_q)).sum(1), with_label)


def m2_by_ignoring(bounds, log_q_y, labels, alpha):
    loss = F.nll_loss(log_q_y, labels, ignore_index=-1, reduction="none")
    with_label = bounds.gather(1, labels.clamp(min=0)[:, None])[:, 0] - alpha * loss
    return torch.where(labels < 0, (log_q_y.exp() * (bounds - log_q_y)).sum(1), with_label)


def m2_indexed_by_minus_one(bounds, log_q_y, labels, alpha):
    rows = torch.arange(len(labels))
    return bounds[rows, labels] + alpha * log_q_y[rows, labels]


def m2_with_cross_entropy_added(bounds, log_q_y, labels, alpha):
    known = labels >= 0
    value = (log_q_y.exp() * (bounds - log_q_y)).sum(1)
    loss = F.cross_entropy(log_q_y[known], labels[known], reduction="none")
    value[known] = bounds[known, labels[known]] + alpha * loss
    return value


def posterior_by_distribution(elbos, p_y):
    return td.Categorical(logits=elbos + p_y.log()).probs


def posterior_in_numpy(elbos, p_y):
    return softmax(elbos.numpy() + np.log(p_y.numpy()), axis=1)


def posterior_shifted_by_hand(elbos, p_y):
    joint = (elbos - elbos.max(1, keepdim=True).values).exp() * p_y
    return joint / joint.sum(1, keepdim=True)


def filled_in_numpy(x, seen, m, S):
    x, seen, m, S = (part.numpy() for part in (x, seen, m, S))
    o, missing = np.flatnonzero(seen), np.flatnonzero(~seen)
    filled = x.copy()
    regression = S[np.ix_(missing, o)] @ np.linalg.inv(S[np.ix_(o, o)])
    filled[missing] = m[missing] + regression @ (x[o] - m[o])
    return filled


def filled_by_gibbs(x, seen, m, S):
    """Each missing entry at its mean given all the others, round after round."""
    precision = torch.linalg.inv(S)
    x = torch.where(seen, x, m)
    for _ in range(3000):
        for i in (~seen).nonzero()[:, 0]:
            rest = torch.arange(len(x)) != i
            x[i] = m[i] - precision[i, rest] @ (x - m)[rest] / precision[i, i]
    return x


def filled(x, seen, m, S, *, known=None, block=None):
    x_o = x[seen] - m[seen] if known is None else known
    block = S[seen][:, seen] if block is None else block
    return torch.zeros_like(x).masked_scatter(
        ~seen, S[~seen][:, seen] @ torch.linalg.solve(block, x_o) + m[~seen]
    ) + torch.where(seen, x, 0)


def log_pixels(logits, x):
    return -F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none")


def missing_by_weights(logits, x, seen):
    log_px = td.Bernoulli(logits=logits).log_prob(x)
    log_w = log_px[:, seen].sum(1).log_softmax(0)
    return (log_w + log_px[:, ~seen].sum(1)).logsumexp(0)


def missing_in_numpy(logits, x, seen):
    t, x, seen = logits.numpy(), x.numpy(), seen.numpy()
    log_px = t * x - np.logaddexp(0, t)
    return float(logsumexp(log_px.sum(1)) - logsumexp(log_px[:, seen].sum(1)))


RIGHT = {
    "13.a": [input_by_indexing, input_in_numpy],
    "13.b": [
        summed_in_a_loop,
        lambda bounds, log_q_y: (
            bounds.logsumexp(1)
            - td.kl_divergence(td.Categorical(logits=log_q_y), td.Categorical(logits=bounds))
        ),
    ],
    "13.1": [
        grid_in_loops,
        grid_by_repeating,
        lambda z, n: torch.stack(
            [input_by_indexing(z, torch.full((len(z),), c), n) for c in range(n)], 1
        ),
    ],
    "13.2": [m2_with_one_hot, m2_in_numpy, m2_by_ignoring],
    "13.3": [posterior_by_distribution, posterior_in_numpy, posterior_shifted_by_hand],
    "13.4": [filled_in_numpy, filled],
    "13.5": [missing_by_weights, missing_in_numpy],
}
WRONG = {
    "13.a": [
        ("the label as a number", lambda z, y, n: torch.cat([z, y.unsqueeze(-1)], dim=-1)),
        ("the label first", lambda z, y, n: torch.hstack([torch.eye(n)[y], z])),
        (
            "as many classes as there are in the batch",
            lambda z, y, n: torch.hstack([z, F.one_hot(y)]),
        ),
        ("the label alone", lambda z, y, n: torch.eye(n)[y]),
        (None, lambda z, y, n: torch.hstack([z, 2 * torch.eye(n)[y] - 1])),
        (None, lambda z, y, n: z),
    ],
    "13.b": [
        ("no entropy", lambda bounds, log_q: (torch.exp(log_q) * bounds).sum(1)),
        ("entropy subtracted", lambda b, q: ((b + q) * q.exp()).sum(1)),
        ("classes not weighted", lambda b, q: b.sum(1) - q.sum(1)),
        ("the best that U can be", lambda b, q: torch.logsumexp(b, 1)),
        ("plain mean over classes", lambda b, q: (b - q).mean(1)),
        (None, lambda b, q: (b + q).logsumexp(1)),
        (None, lambda b, q: b.gather(1, q.argmax(1, keepdim=True))[:, 0]),
        (None, lambda b, q: q.exp() * (b - q)),
    ],
    "13.1": [
        ("reshaped into place", grid_laid_out_wrongly),
        ("flat", lambda z, n: grid_by_repeating(z, n).reshape(len(z) * n, -1)),
        ("classes first", lambda z, n: grid_by_repeating(z, n).permute(1, 0, 2)),
        (None, lambda z, n: torch.hstack([z, torch.eye(n)[:1].expand(len(z), -1)])),
    ],
    "13.2": [
        ("minus one as an index", m2_indexed_by_minus_one),
        ("the classifier's loss added", m2_with_cross_entropy_added),
        ("the classifier is not taught", lambda b, q, y, alpha: m2_with_one_hot(b, q, y, 0.0)),
        ("a loss", lambda *given: -m2_with_one_hot(*given)),
        ("one number", lambda *given: m2_with_one_hot(*given).mean()),
        (
            "alpha for both terms",
            lambda b, q, y, alpha: torch.where(
                y < 0,
                (q.exp() * (b - q)).sum(1),
                alpha * (b + q).gather(1, y.clamp(0)[:, None])[:, 0],
            ),
        ),
        (
            "the best that U can be",
            lambda b, q, y, alpha: torch.where(
                y < 0, b.logsumexp(1), m2_with_one_hot(b, q, y, alpha)
            ),
        ),
        (
            "class 0 taken for none",
            lambda b, q, y, alpha: m2_with_one_hot(b, q, torch.where(y > 0, y, -1), alpha),
        ),
        ("without alpha", lambda b, q, y, alpha: m2_with_one_hot(b, q, y, 1.0)),
        (None, lambda b, q, y, alpha: (q.exp() * (b - q)).sum(1)),
    ],
    "13.3": [
        ("underflow", lambda elbos, p_y: (elbos.exp() * p_y) / (elbos.exp() * p_y).sum(1)[:, None]),
        ("p(y) left out", lambda elbos, p_y: softmax(elbos.numpy(), axis=1)),
        ("multiplied after the softmax", lambda elbos, p_y: torch.softmax(elbos, 1) * p_y),
        ("logarithms", lambda elbos, p_y: posterior_by_distribution(elbos, p_y).log()),
        ("over the images", lambda elbos, p_y: torch.softmax(elbos + p_y.log(), dim=0)),
        (None, lambda elbos, p_y: elbos / elbos.sum(1, keepdim=True)),
        (None, lambda elbos, p_y: p_y.expand_as(elbos)),
    ],
    "13.4": [
        ("the mean", lambda x, seen, m, S: torch.where(seen, x, m)),
        ("not centred", lambda x, seen, m, S: filled(x, seen, m, S, known=x[seen])),
        (
            "entry by entry",
            lambda x, seen, m, S: filled(x, seen, m, S, block=S[seen][:, seen].diag().diag()),
        ),
        (
            "missing entries only",
            lambda x, seen, m, S: filled_in_numpy(x, seen, m, S)[~seen.numpy()],
        ),
        (
            "covariance not divided",
            lambda x, seen, m, S: filled(x, seen, m, S, block=torch.eye(int(seen.sum())).double()),
        ),
        (None, lambda x, seen, m, S: x),
        (None, lambda x, seen, m, S: torch.where(seen, x, x[seen].mean())),
    ],
    "13.5": [
        (
            "the missing pixels alone",
            lambda t, x, s: log_pixels(t, x)[:, ~s].sum(1).logsumexp(0) - math.log(len(t)),
        ),
        ("all pixels", lambda t, x, s: log_pixels(t, x).sum(1).logsumexp(0) - math.log(len(t))),
        ("sign", lambda t, x, s: -missing_by_weights(t, x, s)),
        ("seen and missing exchanged", lambda t, x, s: missing_by_weights(t, x, ~s)),
        (None, lambda t, x, s: log_pixels(t.mean(0), x)[~s].sum()),
        (
            "underflow",
            lambda t, x, s: torch.log(
                log_pixels(t, x).sum(1).exp().sum() / log_pixels(t, x)[:, s].sum(1).exp().sum()
            ),
        ),
        (None, lambda t, x, s: missing_by_weights(t, x, s).exp()),
        (None, lambda t, x, s: missing_by_weights(t, x, s) / (~s).sum()),
    ],
}
