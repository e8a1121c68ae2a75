"""Answers to the exercises of chapter 15."""

import math

import numpy as np
import torch
from scipy import stats
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score


def gap_by_topk(information, entropies):
    most, second = information.topk(2, dim=0).values
    return ((most - second) / entropies).mean()


def gap_in_numpy(information, entropies):
    ranked = np.sort(information.numpy() / entropies.numpy(), axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))


def information_from_a_table(bins, values):
    table = np.zeros((int(bins.max()) + 1, int(values.max()) + 1))
    np.add.at(table, (bins.numpy(), values.numpy()), 1 / len(bins))
    apart = np.outer(table.sum(1), table.sum(0))
    return sum(p * math.log(p / a) for p, a in zip(table.flat, apart.flat, strict=True) if p)


def information_in_loops(bins, values):
    n, total = len(bins), 0.0
    for b in bins.unique():
        for v in values.unique():
            joint = ((bins == b) & (values == v)).float().mean()
            if joint > 0:
                p_b, p_v = (bins == b).sum() / n, (values == v).sum() / n
                total += joint * torch.log(joint / (p_b * p_v))
    return total


def information_without_nan(bins, values):
    table = torch.zeros(int(bins.max()) + 1, int(values.max()) + 1)
    for b, v in zip(bins.tolist(), values.tolist(), strict=True):
        table[b, v] += 1 / len(bins)
    apart = table.sum(1, keepdim=True) * table.sum(0, keepdim=True)
    return torch.nan_to_num(table * torch.log(table / apart)).sum()


def turned_by_cholesky(mu, variance, rotation):
    half = rotation * variance.sqrt()
    return rotation @ mu, half @ half.T


def turned_in_numpy(mu, variance, rotation):
    r = rotation.numpy()
    return r.dot(mu.numpy()), np.einsum("ij,j,kj->ik", r, variance.numpy(), r)


def disentanglement_by_scipy(importance):
    kept = [row for row in importance.tolist() if sum(row)]
    weights = [sum(row) for row in kept]
    scores = [1 - stats.entropy(row) / math.log(len(row)) for row in kept]
    return np.average(scores, weights=weights)


def disentanglement_with_xlogy(importance):
    rows = importance[importance.sum(1) > 0]
    share = rows / rows.sum(1, keepdim=True)
    score = 1 + torch.xlogy(share, share).sum(1) / math.log(importance.shape[1])
    return (score * rows.sum(1)).sum() / rows.sum()


def ranked(information):
    return information.sort(dim=0, descending=True).values


def shares(importance):
    return importance[importance.sum(1) > 0] / importance[importance.sum(1) > 0].sum(1)[:, None]


RIGHT = {
    "15.a": [gap_by_topk, gap_in_numpy, lambda i, h: gap_by_topk(i.float(), h.float())],
    "15.b": [
        lambda decoder, rotation, z: decoder(torch.linalg.solve(rotation, z.T).T),
        lambda decoder, rotation, z: decoder((rotation.T @ z.T).T),
        lambda decoder, rotation, z: torch.stack([decoder(rotation.T @ row) for row in z]),
    ],
    "15.1": [
        information_from_a_table,
        information_in_loops,
        information_without_nan,
        lambda bins, values: mutual_info_score(bins.numpy(), values.numpy()),
    ],
    "15.2": [turned_by_cholesky, turned_in_numpy, lambda *a: list(turned_by_cholesky(*a))],
    "15.3": ["d", "Line d.", "(D)"],
    "15.4": [
        disentanglement_by_scipy,
        disentanglement_with_xlogy,
        lambda importance: disentanglement_with_xlogy(importance.float()),
    ],
}

WRONG = {
    "15.a": [
        ("not normalised", lambda i, h: (ranked(i)[0] - ranked(i)[1]).mean()),
        ("one for each factor", lambda i, h: (ranked(i)[0] - ranked(i)[1]) / h),
        ("no second", lambda i, h: (i.max(0).values / h).mean()),
        ("along the rows", lambda i, h: -torch.diff((i / h).topk(2, dim=1).values).mean()),
        ("total entropy", lambda i, h: (ranked(i)[0] - ranked(i)[1]).sum() / h.sum()),
        ("total entropy", lambda i, h: (ranked(i)[0] - ranked(i)[1]).mean() / h.mean()),
        (None, lambda i, h: ((ranked(i)[0] - ranked(i)[1]) / ranked(i)[0]).mean()),
        (None, lambda i, h: ((ranked(i)[1] - ranked(i)[0]) / h).mean()),
        (None, lambda i, h: ((ranked(i)[0] - i.mean(0)) / h).mean()),
    ],
    "15.b": [
        ("turned on", lambda decoder, rotation, z: decoder((rotation @ z.T).T)),
        ("not turned", lambda decoder, rotation, z: decoder(z)),
        ("codes only", lambda decoder, rotation, z: (rotation.T @ z.T).T),
        (None, lambda decoder, rotation, z: decoder(-z @ rotation)),
        (None, lambda decoder, rotation, z: 2 * decoder(z @ rotation)),
    ],
    "15.1": [
        ("bits", lambda b, v: mutual_info_score(b, v) / math.log(2)),
        (
            "share of the entropy",
            lambda b, v: mutual_info_score(b, v) / stats.entropy(v.bincount()),
        ),
        ("sum over pictures", lambda b, v: len(b) * mutual_info_score(b, v)),
        ("sign", lambda b, v: -mutual_info_score(b, v)),
        (
            "conditional entropy",
            lambda b, v: stats.entropy(v.bincount()) - mutual_info_score(b, v),
        ),
        (None, normalized_mutual_info_score),
        (None, lambda b, v: np.corrcoef(b, v)[0, 1]),
        (None, lambda b, v: (b == v).double().mean()),
    ],
    "15.2": [
        ("covariance not turned", lambda m, v, r: (r @ m, torch.diag(v))),
        ("variances only", lambda m, v, r: (r @ m, r**2 @ v)),
        ("on one side", lambda m, v, r: (r @ m, r * v)),
        ("standard deviations", lambda m, v, r: (r @ m, (r * v.sqrt()) @ r.T)),
        ("turned the other way", lambda m, v, r: turned_by_cholesky(m, v, r.T)),
        ("covariance turned the other way", lambda m, v, r: (r @ m, r.T @ torch.diag(v) @ r)),
        (None, lambda m, v, r: (r @ m, (r * v) @ r)),
        ("mean not turned", lambda m, v, r: (m, (r * v) @ r.T)),
        ("mean turned the other way", lambda m, v, r: (r.T @ m, (r * v) @ r.T)),
        (None, lambda m, v, r: (r @ m, (r * v**2) @ r.T)),
    ],
    "15.3": [("line a", "a"), ("line e", "line e"), (None, "d and e"), (None, "topk")],
    "15.4": [
        (
            "not weighted",
            lambda i: (1 + torch.xlogy(shares(i), shares(i)).sum(1) / math.log(i.shape[1])).mean(),
        ),
        ("completeness", lambda i: disentanglement_with_xlogy(i.T)),
        ("entropy itself", lambda i: 1 - disentanglement_with_xlogy(i)),
        ("zeros", lambda i: disentanglement_with_nan(i)),
        (None, lambda i: i.max(1).values.sum() / i.sum()),
        (None, lambda i: 1 - stats.entropy(i.flatten()) / math.log(i.numel())),
        (None, lambda i: -disentanglement_with_xlogy(i)),
    ],
}


def disentanglement_with_nan(importance):
    share = importance / importance.sum(1, keepdim=True)
    score = 1 + (share * share.log()).sum(1) / math.log(importance.shape[1])
    return (score * importance.sum(1)).sum() / importance.sum()
