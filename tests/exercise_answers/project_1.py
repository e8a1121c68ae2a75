"""Answers to the pieces of Project I, and to its whole."""

import functools
import itertools

import numpy as np
import torch
from torch import distributions as td
from torch import nn
from torch.nn import functional as F

from vae_lib.data import binarize, load


class Later:
    """An answer that takes training: made when it is wanted."""

    def __init__(self, make, *arguments, **settings):
        self.make = functools.partial(make, *arguments, **settings)

    def __call__(self):
        return self.make()


# I.1


def perceptron(*sizes, between=nn.ReLU, end=None):
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), between()]
    return nn.Sequential(*layers[:-1], *([end] if end else []))


def networks(n_pixels, latent_dim, *, encoder_end=None, decoder_end=None, hidden=32):
    return (
        perceptron(n_pixels, hidden, 2 * latent_dim, end=encoder_end),
        perceptron(latent_dim, hidden, n_pixels, end=decoder_end),
    )


class TwoHeads(nn.Module):
    def __init__(self, n_pixels, latent_dim, *, join=True):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_pixels, 40), nn.SiLU())
        self.mean, self.log_var = nn.Linear(40, latent_dim), nn.Linear(40, latent_dim)
        nn.init.zeros_(self.log_var.weight)
        nn.init.zeros_(self.log_var.bias)
        self.join = join

    def forward(self, x):
        h = self.body(x)
        parts = self.mean(h), self.log_var(h)
        return torch.cat(parts, dim=-1) if self.join else parts


class Noisy(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        mu, log_var = self.network(x).chunk(2, dim=-1)
        return torch.cat([mu + torch.exp(log_var / 2) * torch.randn_like(mu), log_var], dim=-1)


class OverTheBatch(nn.Module):
    """A mean over images."""

    def forward(self, x):
        return x - x.mean(0)


def frozen(n_pixels, latent_dim):
    encoder, decoder = networks(n_pixels, latent_dim)
    return encoder.requires_grad_(False), decoder


def with_batch_norm(n_pixels, latent_dim):
    encoder = nn.Sequential(
        nn.Linear(n_pixels, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2 * latent_dim)
    )
    return encoder, perceptron(latent_dim, 16, 16, n_pixels, between=nn.Tanh)


# I.2


def sigma(log_var):
    return torch.exp(0.5 * log_var)


def by_cholesky(mu, log_var):
    return td.MultivariateNormal(mu, scale_tril=torch.diag_embed(sigma(log_var))).rsample()


# I.5


def terms(encoder, decoder, x, *, draw=None, swap=False, detach=False):
    first, second = encoder(x).chunk(2, dim=-1)
    mu, log_var = (second, first) if swap else (first, second)
    z = draw(mu, log_var) if draw else mu + sigma(log_var) * torch.randn_like(mu)
    logits = decoder(z.detach() if detach else z)
    log_px = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)
    return log_px, 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(-1)


def five_draws(encoder, decoder, x):
    drawn = [terms(encoder, decoder, x) for _ in range(5)]
    return torch.stack([log_px for log_px, _ in drawn]).mean(0), drawn[0][1]


def by_distributions(encoder, decoder, x):
    mu, log_var = encoder(x).chunk(2, dim=-1)
    q_z = td.Independent(td.Normal(mu, sigma(log_var)), 1)
    z = q_z.rsample()
    p_x = td.Independent(td.Bernoulli(logits=decoder(z)), 1)
    p_z = td.Independent(td.Normal(torch.zeros_like(mu), 1.0), 1)
    return [p_x.log_prob(x), td.kl_divergence(q_z, p_z)]


def without_gradients(encoder, decoder, x):
    with torch.no_grad():
        return terms(encoder, decoder, x)


def of_other_networks(encoder, decoder, x):
    torch.manual_seed(0)
    return terms(*networks(x.shape[1], 2), x)


def scaled(a, b, **settings):
    def answer(encoder, decoder, x):
        log_px, kl = terms(encoder, decoder, x, **settings)
        return a(log_px, x) if callable(a) else a * log_px, b * kl

    return answer


# I.6

adam = functools.partial(torch.optim.Adam, fused=True)  # in half the time


def minus_elbo(log_px, kl):
    return (kl - log_px).mean()


def descend(
    encoder,
    decoder,
    x,
    steps,
    *,
    loss_of=minus_elbo,
    lr=2e-3,
    parameters=None,
    clear=True,
    data=None,
    optimiser=adam,
):
    parameters = parameters or [*encoder.parameters(), *decoder.parameters()]
    optimiser, losses = optimiser(parameters, lr=lr), []
    data = x if data is None else data
    for _ in range(steps):
        batch = data[torch.randint(len(data), (min(128, len(data)),))]
        loss = loss_of(*terms(encoder, decoder, batch))
        if clear:
            optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def by_epochs(encoder, decoder, x, steps):
    losses, optimiser = [], torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], 1e-2)
    while len(losses) < steps:
        for batch in x[torch.randperm(len(x))].split(50):
            loss = minus_elbo(*terms(encoder, decoder, batch))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
    return torch.stack(losses[:steps])


def on_all_images(encoder, decoder, x, steps):
    losses = np.zeros(steps, dtype="float32")
    optimiser = torch.optim.Adam([*decoder.parameters(), *encoder.parameters()], lr=5e-3)
    for step in range(steps):
        optimiser.zero_grad(set_to_none=False)
        log_px, kl = terms(encoder, decoder, x)
        loss = -(log_px - kl).mean()
        loss.backward()
        optimiser.step()
        losses[step] = loss.item()
    return losses


def no_step(encoder, decoder, x, steps):
    return [minus_elbo(*terms(encoder, decoder, x)).item() for _ in range(steps)]


def one_epoch(encoder, decoder, x, steps):
    return descend(encoder, decoder, x, 4) + [10.0] * (steps - 4)


def training(**settings):
    return functools.partial(descend, **settings)


def alone(which):
    def answer(encoder, decoder, x, steps):
        parameters = list((encoder, decoder)[which].parameters())
        return descend(encoder, decoder, x, steps, parameters=parameters)

    return answer


def on_the_first_images(encoder, decoder, x, steps):
    return descend(encoder, decoder, x, steps, data=x[:64], lr=1e-2)


def reported(change):
    def answer(encoder, decoder, x, steps):
        return [change(loss) for loss in descend(encoder, decoder, x, steps, lr=1e-2)]

    return answer


# I.7


def new(decoder, latent_dim, n, *, z=None):
    z = torch.randn(n, latent_dim) if z is None else z
    x_mean = torch.sigmoid(decoder(z))
    return torch.bernoulli(x_mean), x_mean


def from_codes(draw):
    return lambda decoder, latent_dim, n: new(decoder, latent_dim, n, z=draw(n, latent_dim))


def changed(change):
    return lambda decoder, latent_dim, n: change(*new(decoder, latent_dim, n))


def one_by_one(decoder, latent_dim, n):
    with torch.no_grad():
        means = [torch.sigmoid(decoder(torch.randn(latent_dim))) for _ in range(n)]
    return [(torch.rand(len(m)) < m).float() for m in means], means


# I.8


def mean_elbo(encoder, decoder, x, **settings):
    with torch.no_grad():
        log_px, kl = terms(encoder, decoder, x, **settings)
    return log_px - kl


def in_chunks(encoder, decoder, x):
    return sum(mean_elbo(encoder, decoder, part).sum().item() for part in x.split(100)) / len(x)


# I.9


@functools.cache
def data():
    dataset = load("digits")
    train, test = (binarize(part, threshold=0.5) for part in (dataset.train, dataset.test))
    return {"train": train, "test": test, "grey": dataset.train, "grey test": dataset.test}


@functools.cache
def trained(on="train", steps=400, latent_dim=8, log_px_weight=1.0, kl_weight=1.0, few=None):
    torch.manual_seed(0)
    encoder, decoder = networks(64, latent_dim, hidden=128)
    descend(
        encoder,
        decoder,
        data()[on][:few],
        steps,
        lr=4e-3,
        loss_of=lambda log_px, kl: (kl_weight * kl - log_px_weight * log_px).mean(),
    )
    return encoder, decoder


def told(change=lambda elbo: elbo.mean().item(), judged="test", **settings):
    encoder, decoder = trained(**settings)
    torch.manual_seed(1)
    return encoder, decoder, change(mean_elbo(encoder, decoder, data()[judged]))


def never_trained():
    encoder, decoder = networks(64, 8)
    return encoder, decoder, mean_elbo(encoder, decoder, data()["test"]).mean()


def broken():
    encoder, decoder = networks(64, 8)
    decoder[0].weight.data[0, 0] = torch.nan
    return encoder, decoder, torch.nan


def with_terms(of_terms, steps=200):
    """Trained and judged by terms with a slip of their own."""
    torch.manual_seed(0)
    encoder, decoder = networks(64, 8, hidden=128)
    optimiser = adam([*encoder.parameters(), *decoder.parameters()], lr=4e-3)
    x = data()["train"]
    for _ in range(steps):
        loss = minus_elbo(*of_terms(encoder, decoder, x[torch.randint(len(x), (100,))]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    log_px, kl = of_terms(encoder, decoder, data()["test"])
    return encoder, decoder, (log_px - kl).mean()


def as_log_sigma(encoder, decoder, x):
    mu, log_sigma = encoder(x).chunk(2, dim=-1)
    z = mu + log_sigma.exp() * torch.randn_like(mu)
    log_px = -F.binary_cross_entropy_with_logits(decoder(z), x, reduction="none").sum(-1)
    return log_px, 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(-1)


def sigmoid_twice(encoder, decoder, x):
    return terms(encoder, lambda z: torch.sigmoid(decoder(z)), x)


def without_kl():
    encoder, decoder = trained()
    with torch.no_grad():
        return encoder, decoder, terms(encoder, decoder, data()["test"])[0].mean()


def weighted(n_draws=100):
    encoder, decoder = trained()
    x = data()["test"]
    with torch.no_grad():
        mu, log_var = encoder(x).chunk(2, dim=-1)
        q_z, p_z = td.Normal(mu, sigma(log_var)), td.Normal(0.0, 1.0)
        z = q_z.sample((n_draws,))
        log_px = td.Bernoulli(logits=decoder(z)).log_prob(x).sum(-1)
        log_w = log_px + (p_z.log_prob(z) - q_z.log_prob(z)).sum(-1)
    return encoder, decoder, (log_w.logsumexp(0) - np.log(n_draws)).mean()


def no_draw():
    encoder, decoder = trained()
    elbo = mean_elbo(encoder, decoder, data()["test"], draw=lambda mu, log_var: mu)
    return encoder, decoder, elbo.mean()


RIGHT = {
    "I.1": [
        lambda n, latent: (TwoHeads(n, latent), perceptron(latent, 20, 30, n, between=nn.GELU)),
        with_batch_norm,
        lambda n, latent: list(networks(n, latent, hidden=7)),
    ],
    "I.2": [
        by_cholesky,
        lambda mu, log_var: mu - sigma(log_var) * torch.randn(mu.shape),
        lambda mu, log_var: (
            torch.stack(
                [
                    td.Normal(m, v.exp().sqrt()).rsample()
                    for m, v in zip(mu.T, log_var.T, strict=True)
                ]
            ).T
        ),
    ],
    "I.3": [
        lambda logits, x: (logits * x - F.softplus(logits)).sum(1),
        lambda logits, x: F.logsigmoid((2 * x - 1) * logits).sum(-1),
        lambda logits, x: (logits * x).numpy().sum(1) - np.logaddexp(0, logits.numpy()).sum(1),
    ],
    "I.4": [
        lambda mu, log_var: td.kl_divergence(
            td.Normal(mu, sigma(log_var)), td.Normal(0.0, 1.0)
        ).sum(1),
        lambda mu, log_var: (
            (mu.numpy() ** 2 + np.expm1(log_var.numpy()) - log_var.numpy()).sum(1) / 2
        ),
        lambda mu, log_var: [
            (0.5 * (m @ m + v.exp().sum() - len(v) - v.sum())).item()
            for m, v in zip(mu, log_var, strict=True)
        ],
    ],
    "I.5": [five_draws, by_distributions, terms],
    "I.6": [by_epochs, on_all_images, training(lr=1e-3)],
    "I.7": [
        one_by_one,
        lambda decoder, latent_dim, n: [
            part.detach().numpy() for part in new(decoder, latent_dim, n)
        ],
        lambda decoder, latent_dim, n: (lambda p: (p.sample(), p.mean))(
            td.Bernoulli(logits=decoder(td.Normal(0.0, 1.0).sample((n, latent_dim))))
        ),
    ],
    "I.8": [
        in_chunks,
        lambda encoder, decoder, x: mean_elbo(encoder, decoder, x).numpy().mean(),
        lambda encoder, decoder, x: torch.stack(
            [mean_elbo(encoder, decoder, x).mean() for _ in range(7)]
        ).mean(),
    ],
    "I.9": [
        Later(told),
        Later(told, lambda elbo: elbo.numpy().mean()),
        Later(lambda: list(told(lambda elbo: elbo.mean()))),
    ],
}

WRONG = {
    "I.1": [
        ("decoder first", lambda n, latent: networks(n, latent)[::-1]),
        ("L numbers", lambda n, latent: (perceptron(n, 9, latent), perceptron(latent, 9, n))),
        ("a pair", lambda n, latent: (TwoHeads(n, latent, join=False), networks(n, latent)[1])),
        ("means detached", frozen),
        ("chance in the encoder", lambda n, d: (Noisy(networks(n, d)[0]), networks(n, d)[1])),
        ("images look at each other", functools.partial(networks, encoder_end=OverTheBatch())),
        ("positive log-variance", functools.partial(networks, encoder_end=nn.ReLU())),
        ("positive log-variance", functools.partial(networks, encoder_end=nn.Softplus())),
        ("probabilities", functools.partial(networks, decoder_end=nn.Sigmoid())),
        ("logits never negative", functools.partial(networks, decoder_end=nn.ReLU())),
        ("linear decoder", lambda n, d: (networks(n, d)[0], nn.Linear(d, n))),
        (
            "linear decoder",
            lambda n, d: (networks(n, d)[0], nn.Sequential(nn.Linear(d, 9), nn.Linear(9, n))),
        ),
        (None, lambda n, latent: networks(n, 2 * latent)),
        (None, lambda n, latent: networks(n, latent)[0]),
    ],
    "I.2": [
        ("variance for a width", lambda mu, log_var: mu + log_var.exp() * torch.randn_like(mu)),
        ("log-variance for a width", lambda mu, log_var: mu + log_var * torch.randn_like(mu)),
        ("log for a width", lambda mu, log_var: mu + log_var / 2 * torch.randn_like(mu)),
        ("one for a width", lambda mu, log_var: mu + torch.randn_like(mu)),
        ("no noise", lambda mu, log_var: mu),
        ("no mean", lambda mu, log_var: sigma(log_var) * torch.randn_like(mu)),
        ("shared by images", lambda mu, log_var: mu + sigma(log_var) * torch.randn(mu.shape[1])),
        (
            "shared by dimensions",
            lambda mu, log_var: mu + sigma(log_var) * torch.randn(len(mu), 1),
        ),
        ("another law", lambda mu, log_var: mu + sigma(log_var) * torch.rand_like(mu)),
        ("no gradient", lambda mu, log_var: torch.normal(mu, sigma(log_var)).detach()),
        ("no gradient", lambda mu, log_var: td.Normal(mu, sigma(log_var)).sample()),
        (
            "no gradient to log_var",
            lambda mu, log_var: mu + sigma(log_var).detach() * torch.randn_like(mu),
        ),
        (None, lambda mu, log_var: torch.randn(len(mu))),
    ],
    "I.3": [
        ("sign", lambda logits, x: (F.softplus(logits) - logits * x).sum(-1)),
        (
            "mean of all, sign",
            lambda logits, x: F.binary_cross_entropy_with_logits(logits, x),
        ),
        ("mean of all", lambda logits, x: -F.binary_cross_entropy_with_logits(logits, x)),
        (
            "one number for each pixel",
            lambda logits, x: -F.binary_cross_entropy_with_logits(logits, x, reduction="none"),
        ),
        (
            "sum over the batch",
            lambda logits, x: -F.binary_cross_entropy_with_logits(logits, x, reduction="sum"),
        ),
        ("mean over pixels", lambda logits, x: (logits * x - F.softplus(logits)).mean(-1)),
        (
            "sigmoid twice",
            lambda logits, x: (
                -F.binary_cross_entropy_with_logits(torch.sigmoid(logits), x, reduction="none").sum(
                    -1
                )
            ),
        ),
        (
            "logarithm of a sigmoid",
            lambda logits, x: (
                -F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none").sum(-1)
            ),
        ),
        ("black pixels only", lambda logits, x: (x * F.logsigmoid(logits)).sum(-1)),
        (
            "softplus by hand",
            lambda logits, x: (logits * x - torch.log(1 + logits.exp())).sum(-1),
        ),
        ("squared error", lambda logits, x: -0.5 * ((x - logits.sigmoid()) ** 2).sum(-1)),
        (None, lambda logits, x: -((x - logits.sigmoid()) ** 2).sum(-1)),
    ],
    "I.4": [
        ("no half", lambda mu, log_var: (mu**2 + log_var.exp() - 1 - log_var).sum(-1)),
        ("σ for σ²", lambda mu, log_var: (mu**2 + sigma(log_var) - 1 - log_var).sum(-1) / 2),
        (
            "log σ for log σ²",
            lambda mu, log_var: td.kl_divergence(
                td.Normal(mu, log_var.exp()), td.Normal(0.0, 1.0)
            ).sum(-1),
        ),
        (
            "one for each dimension",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var),
        ),
        (
            "mean over the batch",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(-1).mean(),
        ),
        (
            "mean over latent dimensions",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var).mean(-1),
        ),
        ("sign", lambda mu, log_var: 0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(-1)),
        ("no square", lambda mu, log_var: 0.5 * (mu + log_var.exp() - 1 - log_var).sum(-1)),
        ("no 1", lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - log_var).sum(-1)),
        (None, lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 + log_var).sum(-1)),
    ],
    "I.5": [
        ("the other order", lambda e, d, x: terms(e, d, x)[::-1]),
        ("halves swapped", functools.partial(terms, swap=True)),
        ("another KL", of_other_networks),
        ("another KL", scaled(1.0, 0.5)),
        ("another KL", scaled(1.0, -1.0)),
        ("one number for the batch", lambda e, d, x: [t.mean() for t in terms(e, d, x)]),
        ("no draw", functools.partial(terms, draw=lambda mu, log_var: mu)),
        (
            "one draw for all",
            functools.partial(
                terms, draw=lambda mu, log_var: mu + sigma(log_var) * torch.randn(mu.shape[1])
            ),
        ),
        ("minus the log-likelihood", scaled(-1.0, 1.0)),
        ("mean over pixels", scaled(lambda log_px, x: log_px / x.shape[1], 1.0)),
        ("another log-likelihood", sigmoid_twice),
        (
            "another log-likelihood",
            functools.partial(
                terms, draw=lambda mu, log_var: mu + log_var.exp() * torch.randn_like(mu)
            ),
        ),
        ("no gradient", without_gradients),
        ("no gradient to the encoder", functools.partial(terms, detach=True)),
        (
            "no gradient of the KL",
            lambda e, d, x: (terms(e, d, x)[0], terms(e, d, x)[1].detach()),
        ),
        (None, lambda e, d, x: terms(e, d, x)[0]),
    ],
    "I.6": [
        ("no step", no_step),
        ("decoder alone", alone(1)),
        ("encoder alone", alone(0)),
        ("not finite", training(lr=1e9, optimiser=torch.optim.SGD)),
        ("uphill", training(loss_of=lambda log_px, kl: (log_px - kl).mean())),
        ("part of the images", on_the_first_images),
        ("collapsed", training(loss_of=lambda log_px, kl: (kl - log_px / 16).mean(), lr=1e-2)),
        ("no KL", training(loss_of=lambda log_px, kl: -log_px.mean(), lr=1e-2)),
        ("too little", one_epoch),
        ("too little", training(lr=1e-6)),
        ("ELBOs", reported(lambda loss: -loss)),
        ("another unit", reported(lambda loss: loss / 16)),
        ("another unit", reported(lambda loss: loss * 128)),
        (None, lambda encoder, decoder, x, steps: descend(encoder, decoder, x, 3)[-1]),
    ],
    "I.7": [
        ("means first", changed(lambda x, x_mean: (x_mean, x))),
        ("draws twice", changed(lambda x, x_mean: (x, x))),
        ("means twice", changed(lambda x, x_mean: (x_mean, x_mean))),
        (
            "logits for means",
            changed(lambda x, x_mean: (x, torch.log(x_mean) - torch.log1p(-x_mean))),
        ),
        ("thresholds", changed(lambda x, x_mean: (x_mean.round(), x_mean))),
        (
            "draws at other means",
            lambda d, latent, n: (new(d, latent, n)[0], new(d, latent, n)[1]),
        ),
        ("draws at other means", changed(lambda x, x_mean: (1 - x, x_mean))),
        (
            "one draw for all pixels",
            changed(lambda x, x_mean: ((torch.rand(len(x), 1) < x_mean).float(), x_mean)),
        ),
        (
            "codes from elsewhere",
            changed(lambda x, x_mean: (torch.bernoulli(x_mean**2), x_mean**2)),
        ),
        ("codes that repeat", from_codes(lambda n, d: torch.randn(1, d).repeat(n, 1))),
        ("codes from elsewhere", from_codes(torch.rand)),
        ("codes from elsewhere", from_codes(lambda n, d: 2 * torch.rand(n, d) - 1)),
        ("codes from elsewhere", from_codes(lambda n, d: 1.5 * torch.randn(n, d))),
        (
            "same codes again",
            from_codes(lambda n, d: torch.randn(n, d, generator=torch.Generator().manual_seed(3))),
        ),
    ],
    "I.8": [
        ("loss", lambda e, d, x: -mean_elbo(e, d, x).mean().item()),
        ("sum", lambda e, d, x: mean_elbo(e, d, x).sum().item()),
        ("for a pixel", lambda e, d, x: mean_elbo(e, d, x).mean().item() / x.shape[1]),
        ("no KL", lambda e, d, x: terms(e, d, x)[0].mean().item()),
        ("KL added", lambda e, d, x: sum(terms(e, d, x)).mean().item()),
        (
            "no draw",
            lambda e, d, x: mean_elbo(e, d, x, draw=lambda mu, log_var: mu).mean().item(),
        ),
        ("first batch", lambda e, d, x: mean_elbo(e, d, x[:128]).mean().item()),
        (
            "mean of means",
            lambda e, d, x: np.mean([mean_elbo(e, d, p).mean().item() for p in x.split(128)]),
        ),
        ("with a graph", lambda e, d, x: -minus_elbo(*terms(e, d, x))),
        (None, lambda e, d, x: mean_elbo(e, d, x[:-1]).sum().item() / (len(x) - 20)),
        (None, mean_elbo),
    ],
    "I.9": [
        ("not finite", Later(broken)),
        ("loss", Later(told, lambda elbo: -elbo.mean().item())),
        ("sum", Later(told, torch.sum)),
        ("for a pixel", Later(told, lambda elbo: elbo.mean() / 64)),
        ("no KL", Later(without_kl)),
        ("training images", Later(told, on="test", judged="train")),
        ("grey images", Later(told, judged="grey test")),
        ("no draw", Later(no_draw)),
        ("log σ", Later(with_terms, as_log_sigma, steps=400)),
        ("sigmoid twice", Later(with_terms, sigmoid_twice)),
        ("weighted bound", Later(weighted)),
        ("another number", Later(told, lambda elbo: -22.0)),
        ("too good", Later(told, on="test")),
        ("not trained", Later(never_trained)),
        ("no information", Later(told, log_px_weight=1 / 64, steps=200)),
        ("codes too dear", Later(told, kl_weight=0.0, steps=200)),
        ("codes too dear", Later(told, kl_weight=1 / 16)),
        ("grey training", Later(told, on="grey")),
        ("not enough", Later(told, latent_dim=1)),
        ("not enough", Later(told, steps=150)),
        (None, Later(lambda: told()[:2])),
        (None, Later(lambda: (*networks(100, 8), -18.0))),
    ],
}
