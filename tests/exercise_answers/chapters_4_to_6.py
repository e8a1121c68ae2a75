"""Answers to the exercises of chapters 4 to 6."""

import math

import numpy as np
import torch
from scipy import stats
from scipy.special import logsumexp
from torch import distributions as td
from torch.nn import functional as F


def nll(x, mu, sigma):
    return -td.Normal(mu, sigma).log_prob(x).sum(-1)


def standard(mu):
    return td.Independent(td.Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)


def diagonal(mu, log_var):
    return td.Independent(td.Normal(mu, (log_var / 2).exp()), 1)


def gaussian_elbo(kl_weight=1.0, reduce=torch.sum):
    def answer(x, x_mean, mu, log_var, sigma):
        kl = td.kl_divergence(diagonal(mu, log_var), standard(mu))
        return reduce(td.Normal(x_mean, sigma).log_prob(x), -1) - kl_weight * kl

    return answer


def reseeded(draw):
    def answer(*arguments):
        torch.manual_seed(0)
        return draw(*arguments)

    return answer


def draw_in_loops(x, u):
    drawn = [float(b < a) for a, b in zip(x.flatten().tolist(), u.flatten().tolist(), strict=True)]
    return torch.tensor(drawn).reshape(x.shape)


def entropy_in_numpy(x):
    x = x.numpy()
    return stats.bernoulli(x).entropy().sum(-1)


def clamped_entropy(x):
    x = x.clamp(1e-10, 1 - 1e-10)
    return -(x * x.log() + (1 - x) * torch.log1p(-x)).sum(-1)


def evidence(log_px):
    """From a function of logits and pixels, by draws."""

    def answer(logits, x):
        return torch.stack([log_px(t, x).sum(-1) for t in logits]).logsumexp(0) - math.log(
            len(logits)
        )

    return answer


def evidence_in_numpy(logits, x):
    t, x = logits.numpy(), x.numpy()
    return logsumexp((t * x - np.logaddexp(0, t)).sum(-1), axis=0) - np.log(len(t))


def by_probability(logits, x):
    pi = torch.sigmoid(logits)
    return x * torch.log(pi) + (1 - x) * torch.log(1 - pi)


def with_overflow(logits, x):
    return x * logits - torch.log(1 + torch.exp(logits))


def safely_by_probability(logits, x):
    pi = torch.sigmoid(logits)
    return x * torch.log(pi + 1e-10) + (1 - x) * torch.log(1 - pi + 1e-10)


def normaliser_with_series(logits):
    small = logits.abs() < 0.05
    t = torch.where(small, torch.ones_like(logits), logits)
    log_c = t.abs().log() + torch.log1p((-t.abs()).exp()) - torch.log(-torch.expm1(-t.abs()))
    return torch.where(small, math.log(2) + logits**2 / 12 - logits**4 * 7 / 1440, log_c)


def normaliser_in_numpy(logits):
    t = np.where(np.abs(logits.numpy()) < 1e-4, 1e-4, logits.numpy())
    return np.log(t / np.tanh(t / 2))


def normaliser_by_exponentials(logits):
    t = torch.where(logits == 0, 1e-4, logits)
    return torch.log(t * (t.exp() + 1) / (t.exp() - 1))


def normaliser_with_plateau(width):
    def answer(logits):
        t = torch.where(logits.abs() < width, torch.ones_like(logits), logits)
        return torch.where(logits.abs() < width, math.log(2), torch.log(t / torch.tanh(t / 2)))

    return answer


def kl_to_standard_normal(mu, log_var):
    """As the chapter prints it."""
    return 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum(-1)


def kl_in_numpy(mu, log_var):
    mu, log_var = np.asarray(mu), np.asarray(log_var)
    return torch.from_numpy(0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1))


def kl_to_any_in_numpy(mu, log_var, m, w):
    mu, log_var, m, w = (part.numpy() for part in (mu, log_var, m, w))
    ratio = np.exp(log_var - w)
    return 0.5 * (((mu - m) ** 2 / np.exp(w)) + ratio - 1 - np.log(ratio)).sum(axis=1)


def kl_by_torch(mu, log_var, m, w):
    return td.kl_divergence(diagonal(mu, log_var), diagonal(m.expand_as(mu), w.expand_as(mu)))


def kl_of_full_covariances(mu, log_var, m, w):
    prior = td.MultivariateNormal(m, torch.diag(w.exp()))
    q = [td.MultivariateNormal(a, torch.diag(b.exp())) for a, b in zip(mu, log_var, strict=True)]
    return [td.kl_divergence(one, prior).item() for one in q]


def variances_by_cholesky(S):
    root = torch.linalg.inv(torch.linalg.cholesky(S))
    return 1 / (root**2).sum(0)


def expected_by_trace(x, W, s, mu, sigma):
    spread = torch.trace(W @ torch.diag(sigma**2) @ W.T)
    log_px = td.Normal(W @ mu, s).log_prob(x).sum()
    return log_px - spread / (2 * s**2)


def expected_in_numpy(x, W, s, mu, sigma):
    x, W, mu, sigma = (a.numpy() for a in (x, W, mu, sigma))
    variance = s**2 * np.ones(len(x))
    spread = ((W * sigma) ** 2).sum() / (2 * s**2)
    return stats.multivariate_normal(W @ mu, np.diag(variance)).logpdf(x) - spread


def expected_by_draws(x, W, s, mu, sigma):
    z = mu + sigma * torch.randn(200, len(mu), dtype=mu.dtype)
    return td.Normal(z @ W.T, s).log_prob(x).sum(-1).mean()


def cross_entropy_in_numpy(pi, x):
    pi, x = pi.numpy(), x.numpy()
    return -np.where(x == 1, np.log(pi), np.log1p(-pi)).sum(1)


def levels_in_loops(logits, x):
    n_levels = logits.shape[-1]
    totals = []
    for image, pixels in zip(torch.log_softmax(logits.double(), -1), x, strict=True):
        chosen = [round(float(p) * (n_levels - 1)) for p in pixels]
        totals.append(sum(float(row[k]) for row, k in zip(image, chosen, strict=True)))
    return torch.tensor(totals)


def levels_by_one_hot(logits, x):
    n_levels = logits.shape[-1]
    is_level = F.one_hot(torch.round(x * (n_levels - 1)).long(), n_levels)
    return (is_level * torch.log_softmax(logits, -1)).sum((-1, -2))


def levels_by_floor(logits, x):
    """k / (K - 1) times K is k and a fraction, but for the last level."""
    n_levels = logits.shape[-1]
    level = (x * n_levels).floor().clamp(max=n_levels - 1)
    return levels_by_one_hot(logits, level / (n_levels - 1))


def levels_by_cross_entropy(logits, x, convert=torch.round, reduction="none"):
    level = convert(x * (logits.shape[-1] - 1)).long()
    cost = F.cross_entropy(logits.flatten(0, 1), level.flatten(), reduction="none")
    cost = cost.reshape(x.shape)
    return -cost.sum(-1) if reduction == "none" else -cost.mean(-1)


RIGHT = {
    "4.a": [
        lambda x, mu, s: F.gaussian_nll_loss(
            mu, x, torch.full_like(x, s**2), full=True, reduction="none"
        ).sum(-1),
        lambda x, mu, s: -stats.norm.logpdf(x.numpy(), mu.numpy(), s).sum(-1),
        lambda x, mu, s: nll(x.float(), mu.float(), torch.tensor(s)),
    ],
    "4.b": [
        lambda s, b: math.sqrt(b * s * s),
        lambda s, b: torch.tensor(s) * torch.tensor(b).sqrt(),
        lambda s, b: np.float32(np.sqrt(b)) * s,
    ],
    "4.1": [
        lambda x, y: np.sqrt(np.mean((x.numpy() - y.numpy()) ** 2)),
        lambda x, y: F.mse_loss(x, y) ** 0.5,
        lambda x, y: (x - y).norm().item() / math.sqrt(x.numel()),
    ],
    "4.2": [
        lambda n, w: (n * w / 2) ** 0.5,
        lambda n, w: torch.sqrt(torch.tensor(n * w / 2)),
        lambda n, w: np.float32(np.sqrt(0.5 * n * w)),
    ],
    "4.3": [
        gaussian_elbo(),
        lambda x, y, mu, v, s: -nll(x, y, s) - kl_in_numpy(mu, v),
        lambda x, y, mu, v, s: gaussian_elbo()(*(a.float() for a in (x, y, mu, v)), s),
    ],
    "4.4": [
        lambda p, n, k: -p / n / math.log(2) + math.log2(k),
        lambda p, n, k: np.log2(k) - p.numpy() / (n * np.log(2)),
        lambda p, n, k: torch.tensor([math.log2(k) - float(q) / n / math.log(2) for q in p]),
    ],
    "5.a": [
        cross_entropy_in_numpy,
        lambda pi, x: F.binary_cross_entropy(pi, x, reduction="none").sum(-1),
        lambda pi, x: -torch.where(x == 1, pi, 1 - pi).prod(-1).log(),
        lambda pi, x: -(x * pi.log() + (1 - x) * (1 - pi).log()).float().sum(1),
    ],
    "5.b": [
        lambda x, u: (u > 1 - x).to(x.dtype),
        lambda x, u: ((x + u) / 2 > 0.5).float(),
        lambda x, u: torch.floor(x + u),
        lambda x, u: (u.numpy() <= x.numpy()).astype(np.float32),
        lambda x, u: torch.ceil(x - u),
        draw_in_loops,
    ],
    "5.1": [
        entropy_in_numpy,
        clamped_entropy,
        lambda x: F.binary_cross_entropy(x, x, reduction="none").sum(-1),
    ],
    "5.2": ["D", "line d", "(d)", "d)"],
    "5.3": [
        evidence(lambda t, x: -F.binary_cross_entropy_with_logits(t, x, reduction="none")),
        evidence(lambda t, x: td.Bernoulli(logits=t).log_prob(x)),
        evidence(lambda t, x: F.logsigmoid((2 * x - 1) * t)),
        evidence_in_numpy,
    ],
    "5.4": [
        normaliser_with_series,
        normaliser_in_numpy,
        lambda t: normaliser_with_series(t.float()),
        normaliser_with_plateau(1e-3),
    ],
    "5.5": [
        levels_by_one_hot,
        levels_by_floor,
        levels_in_loops,
        levels_by_cross_entropy,
        lambda t, x: levels_by_one_hot(t.double(), x.double()),
    ],
    "6.a": [
        lambda w: w.numpy().mean(axis=0),
        lambda w: [float(column.mean()) for column in w.T],
        lambda w: torch.einsum("kb->b", w.float()) / w.shape[0],
        lambda w: w.exp().log().mean(dim=-2),
    ],
    "6.b": [
        lambda j, h: (j + h).mean(0),
        lambda j, h: j.numpy().mean(0) + h.numpy(),
        lambda j, h: torch.add(h.float(), j.sum(0) / len(j)),
    ],
    "6.1": [
        kl_to_any_in_numpy,
        kl_by_torch,
        lambda mu, v, m, w: kl_to_standard_normal((mu - m) / (w / 2).exp(), v - w),
        lambda mu, v, m, w: (
            0.5 * (w - v + v.exp() / w.exp() + (mu - m) ** 2 / w.exp()).sum(1) - len(m) / 2
        ).float(),
        kl_of_full_covariances,
    ],
    "6.2": [
        lambda w: (w - w.mean(0)).logsumexp(0) - math.log(len(w)),
        lambda w: (lambda d: d.exp().mean(0).log() - d.mean(0))(w - w.max(0).values),
        lambda w: logsumexp(w.numpy(), axis=0, b=1 / len(w)) - w.numpy().mean(0),
    ],
    "6.3": ["C", "line c", "c."],
    "6.4": [
        variances_by_cholesky,
        lambda S: 1 / torch.linalg.solve(S, torch.eye(len(S))).diagonal(),
        lambda S: 1 / np.diag(np.linalg.inv(S.numpy())),
    ],
    "6.5": [
        expected_by_trace,
        expected_in_numpy,
        lambda x, W, s, mu, sigma: expected_by_trace(x, W, torch.tensor(s), mu, sigma),
    ],
}

WRONG = {
    "4.a": [
        ("wrong sign", lambda x, mu, s: td.Normal(mu, s).log_prob(x).sum(-1)),
        ("mean over pixels", lambda x, mu, s: -td.Normal(mu, s).log_prob(x).mean(-1)),
        (None, lambda x, mu, s: -td.Normal(mu, s**2).log_prob(x).sum(-1)),
        (None, lambda x, mu, s: -td.Normal(mu, s).log_prob(x)),
        (None, lambda x, mu, s: F.mse_loss(x, mu)),
        ("no logarithm", lambda x, mu, s: ((x - mu) ** 2).sum(1) / (2 * s**2)),
        (
            "constant of one pixel",
            lambda x, mu, s: (
                ((x - mu) / s).pow(2).sum(1) / 2 + math.log(s * math.sqrt(2 * math.pi))
            ),
        ),
    ],
    "4.b": [
        ("product with σ", lambda s, b: torch.tensor(s * b)),
        ("variance", lambda s, b: s * s * b),
        ("divided", lambda s, b: math.sqrt(s * s / b)),
        ("divided by β", lambda s, b: np.float64(s) / b),
        ("σ as it was", lambda s, b: max(s, 0)),
        ("root of the product", lambda s, b: math.sqrt(s * b)),
        (None, lambda s, b: b),
        (None, lambda s, b: s + b**0.5),
    ],
    "4.1": [
        ("variance", F.mse_loss),
        ("standard deviation of the residuals, divided by n", lambda x, y: np.std((x - y).numpy())),
        (None, lambda x, y: (x - y).square().mean(0).sqrt()),
        (None, lambda x, y: (x - y).std(0).mean()),
        ("mean absolute error", lambda x, y: F.l1_loss(x, y)),
        ("mean of roots", lambda x, y: (x - y).pow(2).mean(1).sqrt().mean().item()),
        ("sum over pixels", lambda x, y: ((x - y) ** 2).sum(1).mean() ** 0.5),
    ],
    "4.2": [
        ("no half", lambda n, w: (n * w) ** 0.5),
        ("variance", lambda n, w: 0.5 * n * w),
        (None, lambda n, w: math.sqrt(2 * n * w)),
        (None, lambda n, w: w),
        ("mean taken for a sum", lambda n, w: np.sqrt(w / 2)),
        ("weight the wrong way round", lambda n, w: math.sqrt(n / w / 2)),
        ("pixels the wrong way round", lambda n, w: torch.tensor(w / (2 * n)).sqrt()),
    ],
    "4.3": [
        ("KL added", gaussian_elbo(kl_weight=-1)),
        ("mean over pixels", gaussian_elbo(reduce=torch.mean)),
        (None, gaussian_elbo(kl_weight=0)),
        (None, gaussian_elbo(kl_weight=2)),
        (None, lambda x, y, mu, v, s: gaussian_elbo()(x, y, mu, 2 * v, s)),
        ("KL of the whole batch", lambda x, y, mu, v, s: -nll(x, y, s) - kl_in_numpy(mu, v).sum()),
        (
            "scale for variance",
            lambda x, y, mu, v, s: (
                -((x - y) ** 2).sum(1) / (2 * s)
                - x.shape[1] / 2 * math.log(2 * math.pi * s)
                - kl_in_numpy(mu, v)
            ),
        ),
        (
            None,
            lambda x, y, mu, v, s: -nll(x, y, s) - td.kl_divergence(standard(mu), diagonal(mu, v)),
        ),
        (None, lambda x, y, mu, v, s: nll(x, y, s) + kl_in_numpy(mu, v).mean()),
    ],
    "4.4": [
        ("nats", lambda p, n, k: math.log(k) - p / n),
        ("bits per image", lambda p, n, k: n * math.log2(k) - p / math.log(2)),
        (None, lambda p, n, k: -p / n + math.log2(k)),
        ("density for probability", lambda p, n, k: -p / math.log(2) / n),
        ("wrong sign", lambda p, n, k: p / n / math.log(2) - math.log2(k)),
        ("width of one pixel", lambda p, n, k: (math.log2(k) - p / math.log(2)) / n),
        (None, lambda p, n, k: math.log2(k - 1) - p / n / math.log(2)),
        (None, lambda p, n, k: 8 - p / n / math.log(2)),
        (None, lambda p, n, k: (n * math.log(k) - p) / n * math.log(2)),
    ],
    "5.a": [
        ("mean over pixels", lambda pi, x: F.binary_cross_entropy(pi, x, reduction="none").mean(1)),
        ("one number, averaged over all", F.binary_cross_entropy),
        ("one number for the batch", lambda pi, x: -td.Bernoulli(pi).log_prob(x).sum()),
        ("sign", lambda pi, x: td.Bernoulli(pi).log_prob(x).sum(-1)),
        ("not summed", lambda pi, x: F.binary_cross_entropy(pi, x, reduction="none")),
        ("black pixels only", lambda pi, x: -torch.xlogy(x, pi).sum(-1)),
        ("probability", lambda pi, x: torch.where(x == 1, pi, 1 - pi).prod(-1)),
        (None, lambda pi, x: (x - pi).square().sum(-1)),
        (None, lambda pi, x: F.binary_cross_entropy_with_logits(pi, x, reduction="none").sum(-1)),
    ],
    "5.b": [
        ("a threshold", lambda x, u: torch.round(x)),
        ("black and white exchanged", lambda x, u: (u < 1 - x).float()),
        ("x is not used", lambda x, u: torch.round(u)),
        (
            "dependent pixels",
            lambda x, u: (
                u.repeat_interleave(2, -1)[..., ::4].repeat_interleave(2, -1) < x
            ).float(),
        ),
        (None, lambda x, u: (u < x**2).float()),
        (None, lambda x, u: x * u),
        ("booleans", lambda x, u: torch.gt(x, u)),
        ("noise of its own", lambda x, u: td.Bernoulli(probs=x).sample()),
        ("noise of its own", reseeded(lambda x, u: (torch.rand_like(x) < x).float())),
        (None, lambda x, u: torch.bernoulli(u)),
        (None, lambda x, u: (u < x).int()),
    ],
    "5.1": [
        ("0 log 0", lambda x: -(x * torch.log(x) + (1 - x) * torch.log(1 - x)).sum(-1)),
        (
            "mean over pixels",
            lambda x: torch.xlogy(x, x).neg().mean(-1) - torch.xlogy(1 - x, 1 - x).mean(-1),
        ),
        (
            "0 log 0",
            lambda x: F.binary_cross_entropy_with_logits(torch.logit(x), x, reduction="none").sum(
                -1
            ),
        ),
        (None, lambda x: F.binary_cross_entropy(x, x)),
        (None, lambda x: td.Bernoulli(x).entropy()),
        (None, lambda x: td.Bernoulli(x.clamp(0.05, 0.95)).entropy().sum(-1)),
    ],
    "5.2": [("line c", "C"), ("line b", "line b"), (None, "c and d"), (None, "bce")],
    "5.3": [
        ("logarithm of a sigmoid", evidence(by_probability)),
        (
            "logarithm of a sigmoid",
            evidence(lambda t, x: -F.binary_cross_entropy(torch.sigmoid(t), x, reduction="none")),
        ),
        ("logarithm of a sigmoid", evidence(safely_by_probability)),
        ("softplus by hand", evidence(with_overflow)),
        ("underflow", lambda t, x: td.Bernoulli(logits=t).log_prob(x).sum(-1).exp().mean(0).log()),
        ("sum over draws", lambda t, x: evidence_in_numpy(t, x) + math.log(len(t))),
        (None, lambda t, x: td.Bernoulli(logits=t.mean(0)).log_prob(x).sum(-1)),
        (None, lambda t, x: td.Bernoulli(logits=t).log_prob(x).sum(-1).logsumexp(0) / len(t)),
    ],
    "5.4": [
        ("not right near 0", normaliser_with_plateau(0.04)),
        ("no limit at 0", lambda t: t.div(torch.tanh(t / 2)).log()),
        (None, normaliser_by_exponentials),
        (None, lambda t: math.log(2) + t.square() / 12),
        (None, lambda t: td.ContinuousBernoulli(logits=t)._cont_bern_log_norm()),
    ],
    "5.5": [
        ("cut off", lambda t, x: levels_by_cross_entropy(t, x, convert=torch.floor)),
        ("mean over pixels", lambda t, x: levels_by_cross_entropy(t, x, reduction="mean")),
        ("sign", lambda t, x: -levels_by_one_hot(t, x)),
        ("bits", lambda t, x: levels_by_one_hot(t, x) / np.log(2)),
        ("probabilities for logits", lambda t, x: levels_by_one_hot(torch.softmax(t, -1), x)),
        (None, lambda t, x: levels_by_one_hot(t, 1 - x)),
        (None, lambda t, x: levels_by_one_hot(t, x).exp()),
        (None, lambda t, x: levels_by_one_hot(t, x).mean()),
    ],
    "6.a": [
        ("logarithm of the mean", lambda w: torch.log(torch.exp(w).mean(0))),
        ("mean of the weights", lambda w: np.exp(w.numpy()).mean(0)),
        ("sum over the draws", lambda w: w.sum(dim=0)),
        ("mean over the images", lambda w: w.mean(-1)),
        ("one number", torch.mean),
        (None, lambda w: w.median(0).values),
        (None, lambda w: -w.mean(0)),
        (None, lambda w: w.mean(0).exp()),
    ],
    "6.b": [
        ("entropy subtracted", lambda j, h: j.mean(0) - h),
        ("no entropy", lambda j, h: j.mean(0)),
        ("logarithm of the mean", lambda j, h: j.exp().mean(0).log() + h),
        ("sum over the draws", lambda j, h: (j + h / len(j)).sum(0)),
        ("one number", lambda j, h: j.mean() + h),
        (None, lambda j, h: j.mean(0) + h.sum()),
        (None, lambda j, h: j + h),
        (None, lambda j, h: j.mean(0) + h.exp()),
    ],
    "6.1": [
        ("the other way round", lambda mu, v, m, w: kl_by_torch(m.expand_as(mu), w, mu, v)),
        ("the standard prior", lambda mu, v, m, w: kl_to_standard_normal(mu, v)),
        ("distance not scaled", lambda mu, v, m, w: kl_to_standard_normal(mu - m, v - w)),
        ("no half", lambda *a: kl_by_torch(*a) + torch.from_numpy(kl_to_any_in_numpy(*a))),
        ("sign", lambda mu, v, m, w: -kl_by_torch(mu, v, m, w)),
        (
            "difference of two divergences",
            lambda mu, v, m, w: kl_to_standard_normal(mu, v) - kl_to_standard_normal(m, w),
        ),
        (
            "the prior's logarithm is missing",
            lambda mu, v, m, w: 0.5 * (((mu - m) ** 2 + v.exp()) / w.exp() - 1 - v).sum(-1),
        ),
        (
            "distance scaled by the standard deviation",
            lambda mu, v, m, w: kl_to_standard_normal((mu - m) / (w / 4).exp(), v - w),
        ),
        ("mean over dimensions", lambda *a: kl_by_torch(*a) / len(a[2])),
        ("mean over the batch", lambda *a: kl_by_torch(*a).mean()),
        (None, lambda mu, v, m, w: kl_to_standard_normal(mu - m, v)),
        (None, lambda *a: kl_by_torch(*a).sum()),
        (None, lambda mu, v, m, w: kl_to_standard_normal((mu - m) / w.exp(), v - w)),
        (None, lambda mu, v, m, w: (mu - m).square().sum(-1) / 2),
    ],
    "6.2": [
        ("underflow", lambda w: np.log(np.exp(w.numpy()).mean(0)) - w.numpy().mean(0)),
        ("sum of the weights", lambda w: w.logsumexp(0) - w.mean(0)),
        ("the largest weight", lambda w: w.amax(0) - w.mean(dim=0)),
        (
            "over the images",
            lambda w: logsumexp(w.T.numpy(), 0) - w.mean(1).numpy() - np.log(w.shape[1]),
        ),
        ("sign", lambda w: w.mean(0) - torch.logsumexp(w, 0) + math.log(len(w))),
        ("the evidence alone", lambda w: logsumexp(w.numpy(), axis=0) - math.log(len(w))),
        ("the ELBO alone", lambda w: torch.mean(w, 0)),
        (None, lambda w: (w.logsumexp(0) - math.log(len(w)) - w.mean(0)).mean()),
        (None, lambda w: w.logsumexp(0) - math.log(w.shape[1]) - w.mean(0)),
        (None, lambda w: w.var(0) / 2),
    ],
    "6.3": [
        ("line b", "b)"),
        ("line a", "Line a"),
        ("line d", "# d"),
        (None, "all"),
        (None, ["c"]),
        (None, "c, d"),
        (None, 3),
        (None, "kl"),
    ],
    "6.4": [
        ("marginal variances", lambda S: np.diag(S.numpy())),
        ("standard deviations", lambda S: torch.linalg.inv(S).diagonal().rsqrt()),
        ("precisions", lambda S: np.diag(np.linalg.inv(S.numpy()))),
        ("inverse of the marginal variances", lambda S: 1 / np.diag(S)),
        (None, torch.linalg.inv),
        (None, lambda S: torch.linalg.eigvalsh(S)),
        (None, lambda S: torch.linalg.cholesky(S).diagonal() ** 2),
        (None, lambda S: torch.linalg.inv(S).diagonal().diag().inverse()),
        (None, lambda S: torch.det(S) ** (1 / len(S)) * torch.ones(len(S))),
    ],
    "6.5": [
        ("the mean decoded", lambda x, W, s, mu, sigma: td.Normal(W @ mu, s).log_prob(x).sum()),
        ("sign", lambda *a: -expected_by_trace(*a)),
        (None, expected_by_draws),
        (
            "standard deviation in the trace",
            lambda x, W, s, mu, sigma: expected_by_trace(x, W, s, mu, sigma.sqrt()),
        ),
        (
            "columns added first",
            lambda x, W, s, mu, sigma: (
                td.Normal(W @ mu, s).log_prob(x).sum()
                - ((W * sigma).sum(1) ** 2).sum() / (2 * s * s)
            ),
        ),
        (
            "scale as variance",
            lambda x, W, s, mu, sigma: expected_by_trace(x, W, s**0.5, mu, sigma),
        ),
        (
            "the whole ELBO",
            lambda x, W, s, mu, sigma: (
                expected_by_trace(x, W, s, mu, sigma) - kl_to_standard_normal(mu, 2 * sigma.log())
            ),
        ),
        ("mean over pixels", lambda *a: expected_by_trace(*a) / len(a[0])),
        (None, lambda x, W, s, mu, sigma: td.Normal(W @ (mu + sigma), s).log_prob(x).sum()),
    ],
}
