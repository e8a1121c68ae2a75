"""Answers to the exercises of chapters 7 to 9."""

import itertools
import math

import numpy as np
import torch
from scipy import stats
from scipy.special import logsumexp
from torch import distributions as td
from torch.nn import functional as F


def sigma(log_var):
    return (log_var / 2).exp()


def score(z, mu, scale):
    return (z - mu) / scale**2


def by_leave_one_out(f_z, z, mu, scale):
    baseline = (f_z.sum() - f_z) / (len(f_z) - 1)
    return ((f_z - baseline)[:, None] * score(z, mu, scale)).mean(0)


def score_by_autograd(f_z, z, mu, scale):
    mu = mu.clone().requires_grad_()
    log_q = td.Normal(mu, scale).log_prob(z).sum(-1)
    return torch.autograd.grad(f_z @ log_q / len(z), mu)[0]


def enumerated_in_loops(f, logits):
    total, pi = torch.zeros_like(logits), torch.sigmoid(logits)
    for bits in itertools.product([0.0, 1.0], repeat=len(logits)):
        z = torch.tensor(bits)
        total += torch.where(z == 1, pi, 1 - pi).prod() * f(z[None])[0] * (z - pi)
    return total


def enumerated_in_single_precision(f, logits):
    outcomes = torch.tensor(list(itertools.product([0.0, 1.0], repeat=len(logits))))
    logits = logits.detach().clone().requires_grad_()
    q = td.Bernoulli(logits=logits).log_prob(outcomes).sum(-1).exp()
    return torch.autograd.grad((q * f(outcomes)).sum(), logits)[0]


def outcomes(logits):
    rows = itertools.product([0.0, 1.0], repeat=len(logits))
    return torch.tensor(list(rows), dtype=logits.dtype)


def probabilities(logits):
    """Of all outcomes, as a product of powers."""
    z, pi = outcomes(logits), torch.sigmoid(logits)
    return (pi**z * (1 - pi) ** (1 - z)).prod(1)


def expected(f, logits):
    return probabilities(logits) @ f(outcomes(logits))


def slope_at(function, logits):
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(function(logits), logits)[0]


def enumerated_with(weight):
    """f times the score of each outcome, weighted; right where the weight is the probability."""

    def answer(f, logits):
        z = outcomes(logits)
        return (weight(probabilities(logits)) * f(z)) @ (z - torch.sigmoid(logits))

    return answer


def enumerated_for_probabilities(f, logits):
    pi = torch.sigmoid(logits)
    return slope_at(lambda t: expected(f, t), logits) / (pi * (1 - pi))


def by_differences_of_logits(f, logits, step=1e-4):
    rows = step * torch.eye(len(logits), dtype=logits.dtype)
    return [float(expected(f, logits + r) - expected(f, logits - r)) / (2 * step) for r in rows]


def by_sampling(f, logits):
    z = td.Bernoulli(logits=logits).sample((200,))
    return (f(z)[:, None] * (z - torch.sigmoid(logits))).mean(0)


def loss(log_px):
    """Minus the mean ELBO, from a function of logits and pixels."""

    def answer(mu, log_var, logits, x):
        kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
        return (kl - log_px(logits, x).sum(1)).mean()

    return answer


def binary_cross_entropy_loss(mu, log_var, logits, x):
    bce = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    return bce + td.kl_divergence(td.Normal(mu, sigma(log_var)), td.Normal(0.0, 1.0)).sum() / len(x)


def loss_in_numpy(mu, log_var, logits, x):
    mu, log_var, logits, x = (a.numpy() for a in (mu, log_var, logits, x))
    log_px = (logits * x - np.logaddexp(0, logits)).sum(-1)
    return (0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(-1) - log_px).mean()


def by_probability(logits, x):
    pi = torch.sigmoid(logits)
    return x * torch.log(pi) + (1 - x) * torch.log(1 - pi)


def arc_in_numpy(z_a, z_b, t):
    z_a, z_b, t = z_a.numpy(), z_b.numpy(), t.numpy()[:, None]
    omega = np.arccos(z_a @ z_b / np.linalg.norm(z_a) / np.linalg.norm(z_b))
    return (np.sin((1 - t) * omega) * z_a + np.sin(t * omega) * z_b) / np.sin(omega)


def arc_row_by_row(z_a, z_b, t):
    omega = torch.acos(F.cosine_similarity(z_a, z_b, dim=0))
    weights = [(torch.sin((1 - s) * omega), torch.sin(s * omega)) for s in t]
    return torch.stack([a * z_a + b * z_b for a, b in weights]) / torch.sin(omega)


def normalised_line(z_a, z_b, t):
    line = torch.lerp(z_a[None], z_b[None], t[:, None])
    return F.normalize(line) * torch.lerp(z_a.norm(), z_b.norm(), t)[:, None]


def stops_at_the_first_fall(validation):
    for i in range(1, len(validation)):
        if validation[i] < validation[i - 1]:
            return i
    return len(validation)


def page(quantiles):
    return [[z_1, z_2] for z_2 in quantiles[::-1] for z_1 in quantiles]


def quantiles(n):
    return [stats.norm.ppf((2 * i + 1) / (2 * n)) for i in range(n)]


def page_by_meshgrid(n):
    q = td.Normal(0.0, 1.0).icdf(torch.arange(1, 2 * n, 2) / (2 * n))
    z_2, z_1 = torch.meshgrid(q.flip(0), q, indexing="ij")
    return torch.stack([z_1.flatten(), z_2.flatten()], dim=1)


def mixture_in_numpy(z, means, log_vars, weights):
    rows = [
        np.log(w) + stats.norm.logpdf(z.numpy(), m, np.exp(v / 2)).sum(-1)
        for m, v, w in zip(means.numpy(), log_vars.numpy(), weights.numpy(), strict=True)
    ]
    return logsumexp(rows, axis=0)


def mixture_by_densities(z, means, log_vars, weights):
    p = [
        w * td.MultivariateNormal(m, torch.diag(v.exp())).log_prob(z).exp()
        for m, v, w in zip(means, log_vars, weights, strict=True)
    ]
    return torch.stack(p).sum(0).log()


RIGHT = {
    "7.a": [
        lambda f, z, mu, s: f * ((z - mu) / s) / s,
        lambda f, z, mu, s: f.numpy() * score(z, mu, s).numpy(),
        lambda f, z, mu, s: [a * score(b, mu, s).float() for a, b in zip(f, z, strict=True)],
    ],
    "7.b": [
        lambda slope, eps: [slope, eps * slope],
        lambda slope, eps: torch.stack([slope, slope * eps]),
        lambda slope, eps: (slope.numpy(), np.multiply(slope, eps)),
    ],
    "7.1": [
        lambda s, v, e: [s.sum(0) / len(s), 0.5 * v.exp().sqrt() * (s * e).mean(0)],
        lambda s, v, e: (s.numpy().mean(0), (s * e).numpy().mean(0) * np.exp(v.numpy() / 2) / 2),
        lambda s, v, e: (s.mean(0).float(), (s * 0.5 * sigma(v) * e).mean(0).float()),
    ],
    "7.2": [
        score_by_autograd,
        lambda f, z, mu, s: f @ score(z, mu, s) / len(f),
        lambda f, z, mu, s: np.mean(f.numpy()[:, None] * score(z, mu, s).numpy(), axis=0),
    ],
    "7.3": [
        lambda f, s: (f[:, None] * s**2).mean(0) / (s**2).mean(0),
        lambda f, s: np.average(np.tile(f[:, None], s.shape[1]), axis=0, weights=s.numpy() ** 2),
        lambda f, s: f.float() @ (s.float() ** 2 / (s.float() ** 2).sum(0)),
    ],
    "7.4": ["E", "line e", "(e)"],
    "7.5": [
        enumerated_in_loops,
        enumerated_in_single_precision,
        enumerated_with(lambda q: q),
        lambda f, logits: slope_at(lambda t: expected(f, t), logits),
        by_differences_of_logits,
    ],
    "8.a": [
        lambda log_px, kl: -torch.mean(log_px - kl),
        lambda log_px, kl: float(np.mean(kl.numpy()) - np.mean(log_px.numpy())),
        lambda log_px, kl: (kl.float() - log_px.float()).sum() / len(kl),
    ],
    "8.b": [
        lambda validation: int(np.argmax(validation)) + 1,
        lambda validation: torch.tensor(validation).argmax() + 1,
        lambda validation: max((v, e) for e, v in enumerate(validation, start=1))[1],
        lambda validation: sorted(range(len(validation)), key=validation.__getitem__)[-1] + 1.0,
    ],
    "8.1": [
        binary_cross_entropy_loss,
        loss_in_numpy,
        loss(lambda t, x: F.logsigmoid((2 * x - 1) * t)),
        loss(lambda t, x: td.Bernoulli(logits=t).log_prob(x)),
    ],
    "8.2": [
        lambda step, n: torch.clamp(torch.tensor(step / n), max=1.0),
        lambda step, n: float(np.clip(step / n, 0, 1)),
        lambda step, n: step / n if step < n else 1,
        lambda step, n: np.interp(step, [0, n], [0, 1]),
        lambda step, n: torch.linspace(0, 1, n + 1)[min(step, n)],
    ],
    "8.3": [arc_in_numpy, arc_row_by_row, lambda *a: arc_row_by_row(*(b.float() for b in a))],
    "8.4": ["D", "line d", "d."],
    "8.5": [
        page_by_meshgrid,
        lambda n: page(quantiles(n)),
        lambda n: np.array(page(quantiles(n)), dtype=np.float32),
        lambda n: page(
            math.sqrt(2) * torch.erfinv(torch.linspace(1 / n - 1, 1 - 1 / n, n)).numpy()
        ),
    ],
    "9.a": [
        lambda n_pixels, weight: torch.tensor(n_pixels * weight) / 2,
        lambda n_pixels, weight: weight / (2 / n_pixels),
        lambda n_pixels, weight: np.float32(0.5 * n_pixels * weight),
    ],
    "9.b": [
        lambda values, log_px: stats.ttest_rel(values.numpy(), log_px.numpy()).statistic,
        lambda values, log_px: stats.ttest_1samp((values - log_px).float().numpy(), 0.0)[0],
        lambda values, log_px: (
            (values - log_px).sum() / ((values - log_px).var() * len(values)).sqrt()
        ),
    ],
    "9.1": ["B", "line b", "b)"],
    "9.2": [
        lambda batches: sum(b.sum() for b in batches) / sum(len(b) for b in batches),
        lambda batches: np.mean(np.concatenate([b.numpy() for b in batches])),
        lambda batches: float(
            np.average([b.mean() for b in batches], weights=list(map(len, batches)))
        ),
    ],
    "9.3": [
        lambda b, d, t, w: torch.tensor(w * b * d / t),
        lambda b, d, t, w: (w / t) / (1 / (b * d)),
        lambda b, d, t, w: np.float32(w) * b * d / t,
    ],
    "9.4": [
        lambda z, mu, v: torch.einsum("ki,kj->ij", *[(z - mu) / sigma(v)] * 2) / len(z),
        lambda z, mu, v: (lambda u: u.T @ u / len(u))(((z - mu) / sigma(v)).numpy()),
        lambda z, mu, v: (lambda u: u.T @ u / len(u))(((z - mu) * (-v / 2).exp()).float()),
    ],
    "9.5": [
        mixture_in_numpy,
        mixture_by_densities,
        lambda *a: mixture_by_densities(*(b.float() for b in a)),
    ],
}

WRONG = {
    "7.a": [
        ("noise as score", lambda f, z, mu, s: (f * (z - mu)).div(s)),
        ("no σ", lambda f, z, mu, s: f * z - f * mu),
        ("averaged", lambda f, z, mu, s: f @ score(z, mu, s) / len(f)),
        ("score alone", lambda f, z, mu, s: score(z, mu, s)),
        (None, lambda f, z, mu, s: f * z / s**2),
        (None, lambda f, z, mu, s: (f - f.mean()) * score(z, mu, s)),
        (None, lambda f, z, mu, s: f * (z - mu) / s**3),
    ],
    "7.b": [
        ("the wrong way round", lambda slope, eps: torch.stack([slope * eps, slope])),
        ("noise without the slope", lambda slope, eps: (slope, 1 * eps)),
        ("slope twice", lambda slope, eps: (slope, slope.clone())),
        ("averaged", lambda slope, eps: (slope.mean(), (slope @ eps) / len(eps))),
        (None, lambda slope, eps: slope * eps),
        (None, lambda slope, eps: (slope, slope + eps)),
        (None, lambda slope, eps: (slope, slope * eps**2)),
    ],
    "7.1": [
        ("no half", lambda s, v, e: (s.mean(0), (s * sigma(v) * e).mean(0))),
        ("gradient for σ", lambda s, v, e: [s.mean(0), (s * e).mean(0)]),
        (None, lambda s, v, e: s.mean(0)),
        (None, lambda s, v, e: ((s * 0.5 * sigma(v) * e).mean(0), s.mean(0))),
        (None, lambda s, v, e: (s.mean(0), s.mean(0) * 0.5 * sigma(v) * e.mean(0))),
        ("sum over draws", lambda s, v, e: (s.sum(0), (s * 0.5 * sigma(v) * e).sum(0))),
        (None, lambda s, v, e: (s.mean(0), (s * v * e).mean(0))),
    ],
    "7.2": [
        ("covariance over K - 1", by_leave_one_out),
        ("covariance", lambda f, z, mu, s: by_leave_one_out(f, z, mu, s) * (len(f) - 1) / len(f)),
        ("product of the means", lambda f, z, mu, s: f.mean() * score(z, mu, s).mean(0)),
        ("no reduction", lambda f, z, mu, s: f[:, None] * score(z, mu, s)),
        ("noise as score", lambda f, z, mu, s: f @ ((z - mu) / s) / len(f)),
        ("sum over draws", lambda f, z, mu, s: torch.einsum("k,kl->l", f, score(z, mu, s))),
        ("score of σ", lambda f, z, mu, s: (f[:, None] * ((z - mu) ** 2 / s**3 - 1 / s)).mean(0)),
        ("score alone", lambda f, z, mu, s: score(z, mu, s).numpy().mean(0)),
        ("sign", lambda f, z, mu, s: f @ ((mu - z) / s**2) / len(f)),
        (None, lambda f, z, mu, s: (f[:, None] * z / s**2).mean(0)),
        (None, lambda f, z, mu, s: (f[:, None] * score(z, mu, s)).mean()),
        (None, lambda f, z, mu, s: f * score(z, mu, s)),
    ],
    "7.3": [
        ("mean of f", lambda f, s: f.mean().repeat(s.shape[1])),
        ("regression slope", lambda f, s: f @ s / (s**2).sum(0)),
        (None, lambda f, s: f.mean()),
        ("not normalised", lambda f, s: f @ s**2 / len(f)),
        ("weighted by the score", lambda f, s: (f.numpy() @ s.numpy()) / s.numpy().sum(0)),
        ("squared mean below the line", lambda f, s: len(f) * (f @ s.square()) / s.sum(0).square()),
        (
            "one for all dimensions",
            lambda f, s: ((f @ s**2).sum() / s.square().sum()).repeat(s.shape[1]),
        ),
        (None, lambda f, s: (f[:, None] * s.abs()).sum(0) / s.abs().sum(0)),
        (None, lambda f, s: f.median().repeat(s.shape[1])),
        (None, lambda f, s: (f[:, None] / s**2).sum(0) / (1 / s**2).sum(0)),
    ],
    "7.4": [
        ("line a", "a."),
        ("line b", "line b"),
        ("line c", "(c)"),
        ("line d", "it is line d"),
        ("line f", "F"),
        (None, "b and e"),
        (None, "x"),
        (None, 5),
        (None, "surrogate"),
    ],
    "7.5": [
        ("sign", lambda f, logits: -enumerated_in_loops(f, logits.float())),
        ("gradient for the probabilities", enumerated_for_probabilities),
        ("f at the mean", lambda f, logits: slope_at(lambda t: f(t.sigmoid()[None])[0], logits)),
        ("equal weights", enumerated_with(lambda q: torch.full_like(q, 1 / len(q)))),
        ("sum of f log q", enumerated_with(torch.ones_like)),
        ("the mean of f", lambda f, logits: expected(f, logits)),
        (None, by_sampling),
        (None, lambda f, logits: enumerated_in_loops(f, logits) * len(logits)),
        (None, lambda f, logits: f(torch.sigmoid(logits)[None])),
        (None, lambda f, logits: f(torch.eye(len(logits))) - f(torch.zeros(1, len(logits)))),
        (None, enumerated_with(lambda q: q**2)),
    ],
    "8.a": [
        ("sign", lambda log_px, kl: np.mean(log_px.numpy() - kl.numpy())),
        ("KL subtracted", lambda log_px, kl: -log_px.mean() - kl.mean()),
        ("not averaged", lambda log_px, kl: -(log_px - kl)),
        ("sum", lambda log_px, kl: sum(kl) - sum(log_px)),
        ("no KL", lambda log_px, kl: -log_px.mean()),
        ("KL alone", lambda log_px, kl: kl.numpy().mean()),
        ("mean absolute value", lambda log_px, kl: np.abs((log_px - kl).numpy()).mean()),
        (None, lambda log_px, kl: (kl - log_px).median()),
    ],
    "8.b": [
        ("counted from 0", lambda validation: np.argmax(validation)),
        ("smallest", lambda validation: int(np.argmin(validation)) + 1),
        ("last", len),
        ("the value", max),
        ("the first fall", stops_at_the_first_fall),
        ("the last rise", lambda v: max(i + 1 for i in range(1, len(v)) if v[i] > v[i - 1])),
        (None, lambda validation: -1),
        (None, lambda validation: sorted(validation)),
        (None, lambda validation: len(validation) // 2),
    ],
    "8.1": [
        ("logarithm of a sigmoid", loss(by_probability)),
        (
            "logarithm of a sigmoid",
            loss(lambda t, x: -F.binary_cross_entropy(t.sigmoid(), x, reduction="none")),
        ),
        ("softplus by hand", loss(lambda t, x: x * t - torch.log1p(t.exp()))),
        ("sum over the batch", lambda *a: binary_cross_entropy_loss(*a) * len(a[0])),
        ("sign", lambda *a: -loss_in_numpy(*a)),
        (
            "first term summed over the batch",
            lambda m, v, t, x: (
                F.binary_cross_entropy_with_logits(t, x, reduction="sum")
                + 0.5 * (m**2 + v.exp() - 1 - v).sum(-1).mean()
            ),
        ),
        (
            "KL without its half",
            lambda m, v, t, x: (
                F.softplus(t).sum(-1) - (t * x).sum(-1) + (m**2 + v.exp() - 1 - v).sum(-1)
            ).mean(),
        ),
        (
            "mean over pixels",
            lambda m, v, t, x: (
                F.binary_cross_entropy_with_logits(t, x)
                + 0.5 * (m**2 + v.exp() - 1 - v).sum(-1).mean()
            ),
        ),
        (None, loss(lambda t, x: 2 * td.Bernoulli(logits=t).log_prob(x))),
        (None, loss(lambda t, x: -((t.sigmoid() - x) ** 2))),
    ],
    "8.2": [
        ("no ceiling", lambda step, n: np.float64(step) / n),
        ("a switch", lambda step, n: step >= n),
        ("a switch", lambda step, n: min(1, step // n)),
        ("one step short", lambda step, n: torch.linspace(0, 1, n)[min(step, n - 1)]),
        ("a saw", lambda step, n: (step / n) % 1),
        (None, lambda step, n: 1 / (1 + math.exp(-(step - n / 2)))),
        (None, lambda step, n: 0.5 * min(1.0, step / n)),
    ],
    "8.3": [
        ("a straight line", lambda a, b, t: torch.lerp(a[None], b[None], t[:, None])),
        ("reversed", lambda a, b, t: arc_row_by_row(a, b, 1 - t)),
        (None, normalised_line),
        (
            "not divided by the sine",
            lambda a, b, t: (
                arc_row_by_row(a, b, t) * torch.sin(torch.acos(F.cosine_similarity(a, b, dim=0)))
            ),
        ),
    ],
    "8.4": [("line g", "line g"), (None, "sample"), (None, "")],
    "8.5": [
        ("upside down", lambda n: [[a, -b] for a, b in page(quantiles(n))]),
        ("probabilities", lambda n: page([(i + 0.5) / n for i in range(n)])),
        ("coordinates exchanged", lambda n: page_by_meshgrid(n).flip(1)),
        (None, lambda n: page_by_meshgrid(n).reshape(n, n, 2)),
        (None, lambda n: torch.randn(n * n, 2)),
    ],
    "9.a": [
        ("half forgotten", lambda n_pixels, weight: n_pixels * weight),
        ("error summed", lambda n_pixels, weight: 0.5 * weight),
        ("standard deviation", lambda n_pixels, weight: math.sqrt(n_pixels * weight / 2)),
        ("upside down", lambda n_pixels, weight: 1 / (n_pixels * weight / 2)),
        ("weight forgotten", lambda n_pixels, weight: n_pixels / 2),
        (None, lambda n_pixels, weight: weight * n_pixels**2 / 2),
        (None, lambda n_pixels, weight: weight),
    ],
    "9.b": [
        ("mean only", lambda v, log_px: v.mean() - log_px.mean()),
        ("standard deviation", lambda v, log_px: (v - log_px).mean() / (v - log_px).std()),
        ("not paired", lambda v, log_px: stats.ttest_ind(v, log_px, equal_var=False)[0]),
        ("reversed", lambda v, log_px: stats.ttest_rel(log_px, v).statistic),
        ("each difference", lambda v, log_px: (v - log_px) / (v - log_px).std()),
        (None, lambda v, log_px: (v - log_px).mean().abs() / (v - log_px).std() * len(v) ** 0.5),
        (None, lambda v, log_px: ((v - log_px) > 0).double().mean()),
    ],
    "9.1": [("line c", "line c"), ("line e", "e."), (None, "b, c"), (None, "net")],
    "9.2": [
        ("mean of means", lambda batches: np.mean([float(b.mean()) for b in batches])),
        ("no division", lambda batches: torch.cat(batches).sum()),
        (
            "all batches full",
            lambda batches: (
                torch.nn.utils.rnn.pad_sequence(batches).sum() / len(batches[0]) / len(batches)
            ),
        ),
        (None, lambda batches: torch.stack([b[0] for b in batches]).mean()),
        (None, lambda batches: torch.cat(batches).median()),
        (None, lambda batches: torch.cat(batches)),
    ],
    "9.3": [
        ("usual reductions", lambda b, d, t, w: w * d),
        ("the batch cancels", lambda b, d, t, w: d / t * w),
        (None, lambda b, d, t, w: w * b * d * t),
        (None, lambda b, d, t, w: w),
    ],
    "9.4": [
        ("covariance", lambda z, mu, v: np.cov(((z - mu) / sigma(v)).T.numpy())),
        ("correlation", lambda z, mu, v: np.corrcoef(z.numpy().T)),
        (
            "divided by K - 1",
            lambda z, mu, v: (lambda u: u.T @ u / (len(u) - 1))((z - mu) / sigma(v)),
        ),
        (
            "standardised by the sample",
            lambda z, mu, v: (lambda u: u.T @ u / len(u))(stats.zscore(z.numpy(), ddof=1)),
        ),
        (None, lambda z, mu, v: ((z - mu) / sigma(v)).square().mean(0)),
        (None, lambda z, mu, v: (z - mu).T @ (z - mu) / len(z)),
        (None, lambda z, mu, v: torch.eye(len(mu))),
    ],
    "9.5": [
        (
            "mean of logarithms",
            lambda z, m, v, w: sum(
                c * td.Normal(a, sigma(b)).log_prob(z).sum(-1)
                for a, b, c in zip(m, v, w, strict=True)
            ),
        ),
        ("no weights", lambda z, m, v, w: mixture_by_densities(z, m, v, torch.ones_like(w))),
        (None, lambda z, m, v, w: mixture_by_densities(z, m, v, w).exp()),
        (None, lambda z, m, v, w: mixture_by_densities(z, m, v, torch.full_like(w, 1 / len(w)))),
    ],
}
