"""Answers to the exercises of chapters 1 to 3."""

import math

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.neighbors import NearestNeighbors
from torch import distributions as td
from torch.nn import functional as F


def as_double(tensor):
    return tensor.detach().double()


def log_density_by_covariance(z, mu, log_var):
    return td.MultivariateNormal(mu, torch.diag_embed(log_var.exp())).log_prob(z)


def log_density_in_numpy(z, mu, log_var):
    z, mu, log_var = (np.asarray(a) for a in (z, mu, log_var))
    return norm.logpdf(z, mu, np.exp(log_var / 2)).sum(-1)


def codes_by_svd(codes, noise):
    _, s, directions = torch.linalg.svd(codes - codes.mean(0), full_matrices=False)
    return codes.mean(0) + noise * s / math.sqrt(len(codes) - 1) @ directions


def codes_in_numpy(codes, noise):
    root = np.linalg.cholesky(np.cov(codes.numpy().T))
    return codes.numpy().mean(0) + noise.numpy() @ root.T


def own_noise_whitened(codes, noise):
    own = torch.randn(noise.shape, dtype=codes.dtype)
    own = own - own.mean(0)
    own = own @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(own.T))).T
    return codes.mean(0) + own @ torch.linalg.cholesky(torch.cov(codes.T)).T


def energy_in_loops(a, b):
    def mean(p, q):
        return sum(math.dist(x, y) for x in p.tolist() for y in q.tolist()) / (len(p) * len(q))

    return 2 * mean(a, b) - mean(a, a) - mean(b, b)


def half_within(a, b):
    return (torch.cdist(a, a).mean() + torch.cdist(b, b).mean()) / 2


def neighbours(a, b, k, own=False, largest=False):
    """Which sample each row is from, (N,), and which its neighbours are from, (N, k)."""
    rows, first = torch.cat([a, b]), torch.arange(len(a) + len(b)) < len(a)
    distance = torch.cdist(rows, rows)
    if not own:
        distance.fill_diagonal_(-math.inf if largest else math.inf)
    return first, first[distance.topk(k, largest=largest).indices]


def share_by_topk(a, b, k, **which):
    first, near = neighbours(a, b, k, **which)
    return (near == first[:, None]).double().mean().item()


def share_by_sorting(a, b, k):
    rows, labels = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    order = np.linalg.norm(rows[:, None] - rows, axis=-1).argsort(1)[:, 1 : k + 1]
    return (labels[order] == labels[:, None]).mean()


def share_by_scikit(a, b, k):
    rows, labels = torch.cat([a, b]).float(), [0] * len(a) + [1] * len(b)
    near = NearestNeighbors(n_neighbors=k).fit(rows).kneighbors(return_distance=False)
    return float(np.mean([labels[j] == labels[i] for i, row in enumerate(near) for j in row]))


def two_sample_vote(a, b, k):
    first, near = neighbours(a, b, k)
    return ((near.double().mean(1) > 0.5) == first).double().mean()


def head(scale, joint=True, low=-20, high=20):
    def answer(output):
        mu, log_var = output.chunk(2, -1)
        q_z = td.Normal(mu, scale(log_var.clamp(low, high)))
        return td.Independent(q_z, 1) if joint else q_z

    return answer


def head_by_covariance(output):
    mu, log_var = output.chunk(2, dim=-1)
    return td.MultivariateNormal(
        mu, scale_tril=torch.diag_embed((log_var.clamp(-20, 20) / 2).exp())
    )


def head_of_another_law(output):
    mu, log_var = output.chunk(2, dim=-1)
    sigma = (log_var.clamp(-20, 20) / 2).exp()
    return td.Independent(td.Laplace(mu, sigma / math.sqrt(2)), 1)


def overlap_by_logarithms(mu_a, log_var_a, mu_b, log_var_b):
    s = log_var_a.exp() + log_var_b.exp()
    logs = (
        math.log(2) / 2 + (log_var_a + log_var_b) / 4 - s.log() / 2 - (mu_a - mu_b) ** 2 / (4 * s)
    )
    return logs.sum(-1).exp()


def overlap(combine=torch.Tensor.prod, scale=0.5):
    def answer(mu_a, log_var_a, mu_b, log_var_b):
        a, b = (scale * log_var_a).exp(), (scale * log_var_b).exp()
        width = (2 * a * b / (a**2 + b**2)).sqrt()
        return combine(width * (-((mu_a - mu_b) ** 2) / (4 * (a**2 + b**2))).exp(), -1)

    return answer


def sampler(codes=torch.randn, noise=torch.randn, scale=lambda sigma: sigma):
    def answer(decoder_mean, sigma, latent_dim, n):
        x_mean = decoder_mean(codes(n, latent_dim))
        return x_mean + scale(sigma) * noise(*x_mean.shape)

    return answer


def sample_in_numpy(decoder_mean, sigma, latent_dim, n):
    z = torch.from_numpy(np.random.randn(n, latent_dim)).float()  # noqa: NPY002
    x_mean = decoder_mean(z).detach().numpy()
    return x_mean + sigma * np.random.randn(*x_mean.shape)  # noqa: NPY002


def sample_with_fixed_seed(decoder_mean, sigma, latent_dim, n):
    rng = np.random.default_rng(0)
    x_mean = decoder_mean(torch.from_numpy(rng.standard_normal((n, latent_dim))).float())
    return x_mean.detach().numpy() + sigma * rng.standard_normal(x_mean.shape)


def sample_one_by_one(decoder_mean, sigma, latent_dim, n):
    z = torch.stack([torch.randn(latent_dim) for _ in range(n)])
    return td.Independent(td.Normal(decoder_mean(z), sigma), 1).sample()


def laplace(*shape):
    return td.Laplace(0.0, math.sqrt(0.5)).sample(shape)


def clamped(limit):
    return lambda *shape: torch.randn(*shape).clamp(-limit, limit)


def truncated(*shape):
    """At ±2, by the quantile function: torch's trunc_normal_ drew otherwise in older versions."""
    return torch.special.ndtri(0.0228 + (1 - 2 * 0.0228) * torch.rand(shape))


def antithetic(n, columns):
    z = torch.randn((n + 1) // 2, columns)
    return torch.cat([z, -z])[:n]


def by_box_and_muller(n, columns):
    u, v = torch.rand(2, n, columns)
    return (-2 * torch.log1p(-u)).sqrt() * torch.cos(2 * math.pi * v)


def effective_by_variance(correction):
    def answer(log_w):
        w = (log_w - log_w.max(0).values).exp()
        return len(w) / (1 + w.var(0, correction=correction) / w.mean(0) ** 2)

    return answer


def pool(size):
    return lambda n, columns: torch.randn(size, columns)[torch.randint(size, (n,))]


def importance_in_numpy(log_px, p_z, q_z, z):
    log_w = (log_px + p_z.log_prob(z) - q_z.log_prob(z)).numpy()
    return logsumexp(log_w, axis=0) - np.log(len(log_w))


def largest_taken_out(log_w):
    top = log_w.max(0).values
    return top + (log_w - top).exp().mean(0).log()


def sigma(log_var):
    return (log_var / 2).exp()


def reseeded(draw):
    def answer(*arguments):
        torch.manual_seed(0)
        return draw(*arguments)

    return answer


def add_up(prior, p_x_given_z):
    total = 0
    for weight, densities in zip(prior.tolist(), p_x_given_z.numpy(), strict=True):
        total = total + weight * densities
    return total


RIGHT = {
    "1.a": [
        lambda x, y: ((x.numpy() - y.numpy()) ** 2).sum(1),
        lambda x, y: F.mse_loss(x, y, reduction="none").sum(-1),
        lambda x, y: torch.stack([(a - b) @ (a - b) for a, b in zip(x, y, strict=True)]).float(),
    ],
    "1.b": [
        lambda a, b, t: (1 - t)[:, None] * a + t[:, None] * b,
        lambda a, b, t: torch.outer(1 - t, a) + torch.outer(t, b),
        lambda a, b, t: [(a + step * (b - a)).tolist() for step in t.tolist()],
        lambda a, b, t: (a.numpy() + np.outer(t.numpy(), b.numpy() - a.numpy())).astype("float32"),
    ],
    "1.1": [
        lambda g, z, A, b: g(torch.linalg.solve(A, (z - b).T).T),
        lambda g, z, A, b: g(np.linalg.solve(A.numpy(), (z - b).numpy().T).T),
        lambda g, z, A, b: torch.stack([g(torch.linalg.inv(A) @ (row - b)) for row in z]),
        lambda g, z, A, b: g(z @ torch.inverse(A).T - torch.inverse(A) @ b),
        lambda g, z, A, b: g(((z - b) @ torch.linalg.inv(A.T)).float()),
    ],
    "1.2": [
        energy_in_loops,
        lambda a, b: 2 * torch.cdist(a, b).mean() - sum(torch.cdist(c, c).mean() for c in (a, b)),
        lambda a, b: energy_in_loops(a.float(), b.float()),
    ],
    "1.3": [
        codes_by_svd,
        codes_in_numpy,
        lambda codes, noise: np.array(
            [codes_in_numpy(codes, row[None])[0] for row in noise]  # a root for every draw
        ),
        lambda codes, noise: (
            codes.mean(0) + noise @ torch.linalg.cholesky(torch.cov(codes.T), upper=True)
        ),
        lambda codes, noise: (
            codes.mean(0) - noise @ torch.linalg.cholesky(torch.cov(codes.T, correction=0)).T
        ),
    ],
    "1.4": [share_by_topk, share_by_sorting, share_by_scikit],
    "2.a": [
        lambda log_var: np.sqrt(np.exp(log_var.numpy())),
        lambda log_var: torch.exp(log_var) ** 0.5,
        lambda log_var: torch.exp(log_var.float() / 2),
        lambda log_var: math.e ** (log_var / 2),
    ],
    "2.b": [
        lambda q, p: -(q * (p / q).log()).sum(),
        lambda q, p: sum(a * math.log(a / b) for a, b in zip(q.tolist(), p.tolist(), strict=True)),
        lambda q, p: F.kl_div(p.log(), q, reduction="sum"),
        lambda q, p: (q.numpy() * np.log(q.numpy() / p.numpy())).sum(),
    ],
    "2.1": [log_density_by_covariance, log_density_in_numpy],
    "2.2": [
        lambda mu, log_var, eps: mu - sigma(log_var) * eps,
        lambda mu, log_var, eps: mu.numpy() + np.exp(log_var.numpy() / 2) * eps.numpy(),
        lambda mu, log_var, eps: torch.stack([mu + sigma(log_var) * row for row in eps]),
        lambda mu, log_var, eps: td.Normal(mu, sigma(log_var)).icdf(torch.special.ndtr(eps)),
    ],
    "2.3": [head_by_covariance, head(lambda v: v.exp().sqrt()), head(lambda v: (v / 2).exp())],
    "2.4": [
        overlap_by_logarithms,
        overlap(),
        lambda *pair: overlap()(*(a.float() for a in pair)),
    ],
    "3.a": [
        add_up,
        lambda prior, p_x_given_z: (prior[:, None] * p_x_given_z).float().sum(0),
        lambda prior, p_x_given_z: np.average(p_x_given_z.numpy(), axis=0, weights=prior.numpy()),
        lambda prior, p_x_given_z: (prior.log()[:, None] + p_x_given_z.log()).logsumexp(0).exp(),
    ],
    "3.b": [
        lambda n_pixels, sigma: torch.tensor(n_pixels * sigma**2),
        lambda n_pixels, sigma: np.sum(np.full(n_pixels, sigma) ** 2),
        lambda n_pixels, sigma: (math.sqrt(n_pixels) * sigma) ** 2,
    ],
    "3.1": [
        largest_taken_out,
        lambda log_px: logsumexp(log_px.numpy(), axis=0) - np.log(len(log_px)),
        lambda log_px: torch.logsumexp(log_px - math.log(len(log_px)), 0),
    ],
    "3.2": [sampler(), sample_in_numpy, sample_one_by_one, sampler(codes=by_box_and_muller)],
    "3.3": ["C", "(c)", "line c", "Line c.", "c)", "# c", "line_c"],
    "3.4": [
        importance_in_numpy,
        lambda log_px, p, q, z: largest_taken_out(log_px + p.log_prob(z) - q.log_prob(z)),
    ],
    "3.5": [
        effective_by_variance(correction=0),
        lambda log_w: 1 / torch.softmax(log_w, 0).square().sum(0),
        lambda log_w: (lambda w: w.sum(0) ** 2 / (w * w).sum(0))(
            (log_w - log_w.max(0).values).exp()
        ),
        lambda log_w: np.exp(2 * logsumexp(log_w, axis=0) - logsumexp(2 * log_w, axis=0)),
    ],
}

WRONG = {
    "1.a": [
        ("minus sign", lambda x, y: -F.mse_loss(x, y, reduction="none").sum(1)),
        ("one number, averaged over all", lambda x, y: F.mse_loss(x, y)),
        ("distance, not its square", lambda x, y: (x - y).norm(dim=1)),
        ("mean over pixels", lambda x, y: ((x - y) ** 2).numpy().mean(1)),
        ("half of it", lambda x, y: 0.5 * ((x - y) ** 2).sum(-1)),
        (None, lambda x, y: (x - y).sum(-1) ** 2),
        (None, lambda x, y: (x**2 - y**2).sum(-1)),
    ],
    "1.b": [
        ("reversed", lambda a, b, t: t[:, None] * a + (1 - t)[:, None] * b),
        ("transposed", lambda a, b, t: a[:, None] + t * (b - a)[:, None]),
        (
            "steps of equal size in place of t",
            lambda a, b, t: np.linspace(a.numpy(), b.numpy(), len(t)),
        ),
        (None, lambda a, b, t: a + t * (b - a)),
        (None, lambda a, b, t: a + t.mean() * (b - a)),
        (None, lambda a, b, t: a - t[:, None] * (b - a)),
        (None, lambda a, b, t: a + t[:, None] * (b + a)),
    ],
    "1.1": [
        ("shift left", lambda g, z, A, b: g(torch.linalg.solve(A, z.T).T)),
        ("shift undone last", lambda g, z, A, b: g(torch.linalg.solve(A, z.T).T - b)),
        ("inverse on the wrong side", lambda g, z, A, b: g((z - b) @ A.inverse())),
        ("transpose for inverse", lambda g, z, A, b: g((z - b) @ A)),
        (None, lambda g, z, A, b: g((z + b) @ A.inverse().T)),
        (None, lambda g, z, A, b: g((z - b) / A.diagonal().sum())),
        (None, lambda g, z, A, b: (z - b) @ A.inverse().T),
    ],
    "1.2": [
        ("squared distances", lambda a, b: 2 * ((a.mean(0) - b.mean(0)) ** 2).sum()),
        ("half of it", lambda a, b: torch.cdist(a, b).mean() - half_within(a, b)),
        (
            "pairs of a row with itself left out",
            lambda a, b: (
                2 * torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean()
            ),
        ),
        (None, lambda a, b: torch.cdist(a, b).mean()),
        (None, lambda a, b: 2 * (a.mean(0) - b.mean(0)).norm()),
    ],
    "1.3": [
        ("noise of its own", own_noise_whitened),
        ("noise of its own", lambda codes, noise: codes[: len(noise)]),
        ("no mean", lambda codes, noise: noise @ torch.linalg.cholesky(torch.cov(codes.T)).T),
        (None, lambda codes, noise: codes.mean(0) + noise),
        (None, lambda codes, noise: codes.mean(0) + noise @ torch.cov(codes.T).sqrt()),  # NaN
        (None, lambda codes, noise: codes_by_svd(codes, noise - noise.mean(0))),
    ],
    "1.4": [
        ("majority vote", two_sample_vote),
        ("a row as its own neighbour", lambda a, b, k: share_by_topk(a, b, k, own=True)),
        ("neighbours from the other sample", lambda a, b, k: 1 - share_by_topk(a, b, k)),
        ("a number for each row", lambda a, b, k: k * share_by_topk(a, b, k)),
        (None, lambda a, b, k: share_by_topk(a, b, k, largest=True)),
        (None, lambda a, b, k: share_by_topk(a, b, k + 1)),
        (None, lambda a, b, k: share_by_topk(a, b, 1)),
    ],
    "2.a": [
        ("variance", np.exp),
        ("half the log-variance", lambda log_var: log_var / 2),
        ("half of the variance", lambda log_var: torch.exp(log_var) / 2),
        ("softplus", lambda log_var: torch.log1p(torch.exp(log_var))),
        (None, lambda log_var: log_var.sqrt()),
        (None, lambda log_var: log_var),
        (None, lambda log_var: torch.exp(0.5 * log_var).mean()),
        (None, torch.sigmoid),
    ],
    "2.b": [
        ("exchanged", lambda q, p: (p * (p / q).log()).sum()),
        ("exchanged", lambda q, p: F.kl_div(q.log(), p, reduction="sum")),
        ("sign", lambda q, p: (q * (p.log() - q.log())).sum()),
        ("bits", lambda q, p: (q * torch.log2(q / p)).sum()),
        ("leads unweighted", lambda q, p: (q / p).log().sum()),
        ("mean of the terms", lambda q, p: (q * (q / p).log()).mean()),
        ("not added", lambda q, p: q * (q / p).log()),
        (None, lambda q, p: (q - p).abs().sum()),
        (None, lambda q, p: (q / p).log()),
        (None, lambda q, p: -(q * q.log()).sum()),
    ],
    "2.1": [
        ("variance as scale", lambda z, m, v: td.Normal(m, v.exp()).log_prob(z).sum(-1)),
        ("one value per dimension", lambda z, m, v: norm.logpdf(z, m, np.exp(v / 2))),
        (None, lambda z, m, v: log_density_by_covariance(z, m, v).exp()),
        (None, lambda z, m, v: -log_density_by_covariance(z, m, v)),
        (None, lambda z, m, v: log_density_by_covariance(z, m, v).mean()),
    ],
    "2.2": [
        ("variance as scale", lambda m, v, eps: m.numpy() + np.exp(v.numpy()) * eps.numpy()),
        ("mean as draw", lambda m, v, eps: m + 0 * eps),
        ("noise of its own", lambda m, v, eps: td.Normal(m, sigma(v)).sample(eps.shape[:1])),
        ("noise of its own", lambda m, v, eps: m + sigma(v) * torch.randn_like(eps)),
        ("noise of its own", reseeded(lambda m, v, eps: m + sigma(v) * torch.randn_like(eps))),
        ("noise of its own", lambda m, v, eps: m + sigma(v) * eps.abs()),
        ("noise of its own", lambda m, v, eps: m + sigma(v) * (eps + eps.roll(1, 0)) / 2**0.5),
        (None, lambda m, v, eps: m + 2 * sigma(v) * eps),
        ("mean left out", lambda m, v, eps: sigma(v) * eps),
        ("noise not scaled", lambda m, v, eps: m + eps),
        (None, lambda m, v, eps: m + v.sqrt() * eps),
    ],
    "2.3": [
        ("variance as scale", head(lambda v: v.exp())),
        ("one value per dimension", head(lambda v: (v / 2).exp(), joint=False)),
        (None, lambda output: output.chunk(2, dim=-1)),
        (None, head_of_another_law),
        (None, head(lambda v: (v / 2).exp(), low=-10, high=10)),
        (None, lambda output: head(lambda v: (v / 2).exp())(output.clamp(-20, 20))),
    ],
    "2.4": [
        ("mean over dimensions", overlap(torch.Tensor.mean)),
        ("variance as scale", overlap(scale=1.0)),
        (None, overlap(torch.Tensor.sum)),
        (None, overlap(lambda t, dim: t)),
    ],
    "3.a": [
        ("plain mean", lambda prior, p_x_given_z: p_x_given_z.numpy().mean(0)),
        ("plain sum", lambda prior, p_x_given_z: p_x_given_z.sum(0)),
        ("not summed", lambda prior, p_x_given_z: (p_x_given_z.T * prior).T),
        ("sum over images", lambda prior, p_x_given_z: prior * p_x_given_z.sum(1)),
        ("one number", lambda prior, p_x_given_z: (prior @ p_x_given_z).sum()),
        ("logarithm", lambda prior, p_x_given_z: torch.log(prior @ p_x_given_z)),
        (None, lambda prior, p_x_given_z: p_x_given_z.prod(0)),
        (None, lambda prior, p_x_given_z: prior.square() @ p_x_given_z),
    ],
    "3.b": [
        ("one pixel", lambda n_pixels, sigma: torch.tensor(sigma) ** 2),
        ("distance, not its square", lambda n_pixels, sigma: math.sqrt(n_pixels) * sigma),
        ("scale not squared", lambda n_pixels, sigma: n_pixels * sigma),
        ("number of pixels squared", lambda n_pixels, sigma: n_pixels**2 * sigma**2),
        ("number of pixels alone", lambda n_pixels, sigma: n_pixels),
        (None, lambda n_pixels, sigma: n_pixels * sigma**2 * 2),
        (None, lambda n_pixels, sigma: 2 * sigma**2 / n_pixels),
    ],
    "3.1": [
        ("underflow", lambda log_px: np.log(np.exp(log_px.numpy()).mean(0))),
        ("mean of the logarithms", lambda log_px: log_px.sum(0) / len(log_px)),
        (None, lambda log_px: log_px.exp().sum(0).log()),
        (None, lambda log_px: (log_px.exp().mean(0) + 1e-8).log()),
        (None, lambda log_px: (log_px - log_px.max(0).values).exp().mean(0).log()),
        (None, lambda log_px: log_px.max(0).values),
        (None, lambda log_px: torch.logsumexp(log_px, 1) - math.log(log_px.shape[1])),
    ],
    "3.2": [
        ("mean as sample", sampler(noise=torch.zeros)),
        ("variance as scale", sampler(scale=lambda sigma: sigma**2)),
        ("uniform codes", sampler(codes=torch.rand)),
        ("noise of another shape", sampler(noise=laplace)),
        ("codes of another shape", sampler(codes=laplace)),
        (
            "draws that depend on each other",
            sampler(codes=lambda n, d: torch.randn(n // 2 + 1, d).repeat_interleave(2, 0)[:n]),
        ),
        ("codes of another shape", sampler(codes=clamped(2.0))),
        ("codes of another shape", sampler(codes=clamped(2.5))),
        ("codes of another shape", sampler(codes=truncated)),
        ("noise of another shape", sampler(noise=clamped(2.0))),
        ("draws that depend on each other", sampler(codes=antithetic)),
        ("the same in every call", sample_with_fixed_seed),
        (None, sampler(codes=pool(100))),
        (None, sampler(codes=torch.zeros, noise=torch.zeros)),
    ],
    "3.3": [("line b", "(B)"), ("line d", "line d"), (None, "cd"), (None, "e"), (None, 3)],
    "3.4": [
        ("mean of the log-weights", lambda t, p, q, z: (t + p.log_prob(z) - q.log_prob(z)).mean(0)),
        ("likelihood alone", lambda t, p, q, z: largest_taken_out(t)),
        (None, lambda t, p, q, z: (t + p.log_prob(z) - q.log_prob(z)).max(0).values),
        (
            "divided by the sum of the ratios",
            lambda t, p, q, z: (t + torch.log_softmax(p.log_prob(z) - q.log_prob(z), 0)).logsumexp(
                0
            ),
        ),
        (None, lambda t, p, q, z: largest_taken_out(t - p.log_prob(z) - q.log_prob(z))),
        (None, lambda t, p, q, z: largest_taken_out(t + (p.log_prob(z) - q.log_prob(z)).exp())),
        (None, lambda t, p, q, z: t.mean(0) - td.kl_divergence(q, p)),
    ],
    "3.5": [
        ("share of the draws", lambda w: 1 / (torch.softmax(w, 0) ** 2).mean(0) / len(w) ** 2),
        (None, lambda w: w.exp().sum(0) / w.exp().square().sum(0)),
        ("inverse", lambda w: (torch.softmax(w, 0) ** 2).sum(0)),
        (None, lambda w: (torch.softmax(w, 0) > 1 / len(w)).sum(0).double()),
        (None, effective_by_variance(correction=1)),
        (None, lambda w: td.Categorical(logits=w.T).entropy().exp()),
        (None, lambda w: 1 / torch.softmax(w, 0).max(0).values),
    ],
}
