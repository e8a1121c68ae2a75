"""Answers to the pieces of Project II, to its whole, and to its three cases."""

import functools
import math

import torch
from sklearn.svm import SVC
from torch import distributions as td
from torch import nn
from torch.nn import functional as F

from exercise_answers.project_1 import Later
from vae_lib import networks
from vae_lib.data import load
from vae_lib.exercises.project_2.handed_out import handed_out, trained

SIGMA = 0.1


# II.2 and II.3


def with_library(image_shape, n_classes, latent_dim):
    c, *sides = image_shape
    net = networks.convolutional_encoder((c + n_classes, *sides), (4, 8), 2 * latent_dim)
    return networks.WithPlanes(net, n_classes)


class Encoder(nn.Module):
    """The label goes in behind the convolutions."""

    def __init__(self, image_shape, n_classes, latent_dim, *, end=None, told=True, between=nn.SiLU):
        super().__init__()
        self.image_shape, self.n_classes, self.told = image_shape, n_classes, told
        self.body = nn.Sequential(nn.Conv2d(image_shape[0], 6, 3, 2, 1), between(), nn.Flatten())
        n_body = 6 * math.prod((side + 1) // 2 for side in image_shape[1:])
        self.mean = nn.Linear(n_body + n_classes, latent_dim)
        self.log_var = nn.Linear(n_body + n_classes, latent_dim)
        self.end = end or (lambda mean, log_var: torch.cat([mean, log_var], dim=1))

    def forward(self, rows):
        x, y = rows[:, : -self.n_classes], rows[:, -self.n_classes :]
        h = torch.cat([self.body(x.reshape(-1, *self.image_shape)), y * self.told], dim=1)
        return self.end(self.mean(h), self.log_var(h))


def encoder(**settings):
    return functools.partial(Encoder, **settings)


def laid_out(layout, *, first=False):
    """Label and picture as planes, as a function of rows and of sizes lays them out."""

    def answer(image_shape, n_classes, latent_dim):
        def planes(rows):
            return torch.cat(layout(rows, *image_shape, n_classes)[:: -1 if first else 1], 1)

        n_inputs, n_places = image_shape[0] + n_classes, math.prod(image_shape[1:])
        return nn.Sequential(
            Said(planes),
            nn.Conv2d(n_inputs, 5, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(5 * n_places, 2 * latent_dim),
        )

    return answer


def in_order(rows, c, h, w, n):
    return rows[:, :-n].view(-1, c, h, w), rows[:, -n:].reshape(-1, n, 1, 1).repeat(1, 1, h, w)


def centred(rows, *sizes):
    x, y = in_order(rows, *sizes)
    return 2 * x - 1, y


def label_in_front(rows, c, h, w, n):
    y, x = rows[:, :n], rows[:, n:]
    return x.reshape(-1, c, h, w), y[..., None, None].expand(-1, -1, h, w)


def colours_last(rows, c, h, w, n):
    return rows[:, :-n].reshape(-1, h, w, c).movedim(3, 1), in_order(rows, c, h, w, n)[1]


def on_its_side(rows, c, h, w, n):
    return in_order(rows, c, w, h, n)


def striped(rows, c, h, w, n):
    x, _ = in_order(rows, c, h, w, n)
    return x, rows[:, -n:].repeat(1, h * w).view(-1, n, h, w)


class Shuffled(nn.Module):
    def forward(self, rows):
        return rows.T.reshape(rows.shape)


def dense(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 9), nn.ReLU(), nn.Linear(9, n_out))


def decoder(image_shape, n_classes, latent_dim, *, first=None, last=(), between=nn.ReLU):
    c, h, w = image_shape
    return nn.Sequential(
        *([first] if first else []),
        nn.Linear(latent_dim + n_classes, 6 * h * w // 4),
        between(),
        nn.Unflatten(1, (6, h // 2, w // 2)),
        nn.ConvTranspose2d(6, c, 2, 2),
        *(last or [nn.Flatten()]),
    )


class Kept(nn.Module):
    """Only some of the numbers of a row; zeros in the place of the others."""

    def __init__(self, n_last, *, last):
        super().__init__()
        self.n_last, self.last = n_last, last

    def forward(self, rows):
        kept = torch.zeros_like(rows)
        part = slice(-self.n_last, None) if self.last else slice(0, -self.n_last)
        kept[:, part] = rows[:, part]
        return kept


class Said(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, rows):
        return self.function(rows)


def ending(function):
    def answer(image_shape, n_classes, latent_dim):
        last = [nn.Flatten(), Said(function)]
        return decoder(image_shape, n_classes, latent_dim, last=last)

    return answer


def with_colours_last(image_shape, n_classes, latent_dim):
    last = [Said(lambda images: images.movedim(1, 3).flatten(1).sigmoid())]
    return decoder(image_shape, n_classes, latent_dim, last=last)


def turned(image_shape, n_classes, latent_dim):
    c, h, w = image_shape
    return decoder((c, w, h), n_classes, latent_dim)


def keeping(*, last):
    return lambda image_shape, n_classes, latent_dim: decoder(
        image_shape, n_classes, latent_dim, first=Kept(n_classes, last=last)
    )


# II.4


def squares(x_mean, x):
    return ((x - x_mean) / SIGMA) ** 2


def constant(n_values):
    return -n_values * math.log(SIGMA * math.sqrt(2 * math.pi))


# II.5


def side_by_side(first, second):
    return torch.cat([first, second], dim=1)


def terms(encoder, decoder, x, y, *, draw=None, swap=False, detach=False, told=(1, 1), order=1):
    first, second = encoder(side_by_side(x, told[0] * y)).chunk(2, dim=1)
    mu, log_var = (second, first) if swap else (first, second)
    z = draw(mu, log_var) if draw else mu + (log_var / 2).exp() * torch.randn_like(mu)
    parts = (z.detach() if detach else z, told[1] * y)
    x_mean = decoder(torch.cat(parts[::order], dim=1))
    log_px = constant(x.shape[1]) - squares(x_mean, x).sum(1) / 2
    return log_px, 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


def by_distributions(encoder, decoder, x, y):
    mu, log_var = encoder(side_by_side(x, y)).chunk(2, dim=-1)
    q_z = td.Independent(td.Normal(mu, (log_var / 2).exp()), 1)
    p_x = td.Independent(td.Normal(decoder(side_by_side(q_z.rsample(), y)), SIGMA), 1)
    p_z = td.Independent(td.Normal(torch.zeros_like(mu), 1.0), 1)
    return [p_x.log_prob(x), td.kl_divergence(q_z, p_z)]


def with_a_sampled_kl(encoder, decoder, x, y):
    mu, log_var = encoder(side_by_side(x, y)).chunk(2, dim=-1)
    q_z, p_z = td.Normal(mu, (log_var / 2).exp()), td.Normal(0.0, 1.0)
    z = q_z.rsample()
    log_px = td.Normal(decoder(side_by_side(z, y)), SIGMA).log_prob(x).sum(1)
    return log_px, (q_z.log_prob(z) - p_z.log_prob(z)).sum(1)


def two_draws(encoder, decoder, x, y):
    (first, kl), (second, _) = (terms(encoder, decoder, x, y) for _ in range(2))
    return (first + second) / 2, kl


def without_gradients(*given):
    with torch.no_grad():
        return terms(*given)


def changed(change, **settings):
    return lambda encoder, decoder, x, y: change(*terms(encoder, decoder, x, y, **settings), x)


# II.6


def minus_elbo(log_px, kl):
    return (kl - log_px).mean()


def descend(
    encoder,
    decoder,
    x,
    y,
    steps,
    *,
    loss_of=minus_elbo,
    lr=1e-2,
    parameters=None,
    first=None,
    mixed=False,
    optimiser=torch.optim.Adam,
):
    parameters = parameters or [*encoder.parameters(), *decoder.parameters()]
    optimiser, losses = optimiser(parameters, lr=lr), []
    for _ in range(steps):
        rows = torch.randint(first or len(x), (64,))
        others = torch.randint(len(x), (64,)) if mixed else rows
        loss = loss_of(*terms(encoder, decoder, x[rows], y[others]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def training(**settings):
    return functools.partial(descend, **settings)


def by_epochs(encoder, decoder, x, y, steps):
    losses, optimiser = [], torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], 5e-3)
    while len(losses) < steps:
        for rows in torch.randperm(len(x)).split(40):
            loss = minus_elbo(*terms(encoder, decoder, x[rows], y[rows]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
    return torch.stack(losses[:steps])


def alone(which):
    def answer(encoder, decoder, x, y, steps):
        parameters = list((encoder, decoder)[which].parameters())
        return descend(encoder, decoder, x, y, steps, parameters=parameters)

    return answer


def no_step(encoder, decoder, x, y, steps):
    return [minus_elbo(*terms(encoder, decoder, x, y)).item() for _ in range(steps)]


def reported(change):
    return lambda *given: [change(loss) for loss in descend(*given)]


# II.7


def drawn(decoder, y, latent_dim, *, z=None, order=1):
    z = torch.randn(len(y), latent_dim) if z is None else z
    return decoder(torch.cat((z, y)[::order], dim=1))


def one_by_one(decoder, y, latent_dim):
    with torch.no_grad():
        return [drawn(decoder, row[None], latent_dim)[0] for row in y]


def at(code):
    return lambda decoder, y, latent_dim: drawn(decoder, y, latent_dim, z=code(len(y), latent_dim))


def seeded(n, latent_dim):
    torch.manual_seed(3)
    return torch.randn(n, latent_dim)


# II.8


@functools.cache
def data():
    dataset = load("shapes")
    labels = dataset.train_labels, dataset.test_labels
    y, y_test = (F.one_hot(part, 3).float() for part in labels)
    return {"train": (dataset.train, y), "test": (dataset.test, y_test)}


def told(change=lambda log_px, kl: (log_px - kl).mean(), fault="", on="test", roll=0, **settings):
    """The handed-out kind of model, and a number that is said of it."""
    x, y = data()[on]
    torch.manual_seed(0)
    with torch.no_grad():
        found = terms(*trained(fault), x, y.roll(roll, dims=1), **settings)
    return (*trained(fault), change(*found).item())


def as_log_sigma():
    x, y = data()["test"]
    with torch.no_grad():
        mu, log_sigma = trained("")[0](side_by_side(x, y)).chunk(2, dim=1)
        z = mu + log_sigma.exp() * torch.randn_like(mu)
        errors = squares(trained("")[1](side_by_side(z, y)), x).sum(1)
        kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(1)
    return (*trained(""), (constant(768) - errors / 2 - kl).mean())


@functools.cache
def good(on="train", steps=1200):
    torch.manual_seed(0)
    x, y = data()[on]
    net = networks.convolutional_encoder((6, 16, 16), (32, 64), 16)
    pair = networks.WithPlanes(net, 3), networks.convolutional_decoder(11, (64, 32), (3, 16, 16))
    optimiser = torch.optim.Adam([p for part in pair for p in part.parameters()], 5e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(len(x), (64,))
        loss = minus_elbo(*terms(*pair, x[rows], y[rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    return pair


def judged(as_number, **settings):
    pair = good(**settings)
    with torch.no_grad():
        log_px, kl = terms(*pair, *data()["test"])
    return (*pair, as_number(log_px - kl))


def broken():
    pair = with_library((3, 16, 16), 3, 2), decoder((3, 16, 16), 3, 2)
    pair[1][0].weight.data[0, 0] = torch.nan
    return (*pair, 900.0)


# II.9


def redrawn(encoder, decoder, x, y, y_new, *, noise=0.0, half=0, order=1):
    halves = encoder(side_by_side(x, y)).chunk(2, dim=1)
    z = halves[half] + noise * (halves[1] / 2).exp() * torch.randn_like(halves[0])
    return decoder(side_by_side(*(z, y_new)[::order]))


# II.10


def by_nearest(codes, values, new_codes):
    return values[torch.cdist(new_codes, codes).argmin(1)]


def by_votes(codes, values, new_codes):
    near = torch.cdist(new_codes, codes).topk(5, largest=False).indices
    return values[near].mode(dim=1).values.numpy()


def by_least_squares(codes, values, new_codes):
    levels = values.unique()
    wanted = (values[:, None] == levels).float()
    rows, new = (F.pad(part, (0, 1), value=1.0) for part in (codes, new_codes))
    return levels[(new @ torch.linalg.lstsq(rows, wanted).solution).argmax(1)].tolist()


def by_classifier(codes, values, new_codes):
    levels, classes = values.unique(return_inverse=True)
    return levels[SVC().fit(codes, classes).predict(new_codes)]


RIGHT = {
    "II.1": [
        lambda size, kernel, stride, padding: (
            math.floor((size + 2 * padding - kernel) / stride) + 1
        ),
        lambda size, kernel, stride, padding: F.conv1d(
            torch.zeros(1, 1, size), torch.ones(1, 1, kernel), stride=stride, padding=padding
        ).shape[-1],
        lambda size, kernel, stride, padding: torch.tensor(
            len(range(0, size + 2 * padding - kernel + 1, stride))
        ),
    ],
    "II.2": [
        with_library,
        Encoder,
        encoder(between=nn.GELU),
        laid_out(in_order),
        laid_out(in_order, first=True),
        laid_out(centred),
    ],
    "II.3": [
        decoder,
        functools.partial(decoder, between=nn.SiLU),
        ending(torch.sigmoid),
        ending(F.relu),
        lambda image_shape, n_classes, latent_dim: networks.convolutional_decoder(
            latent_dim + n_classes, (8, 4), image_shape
        ),
    ],
    "II.4": [
        lambda x_mean, x: td.Normal(x_mean, SIGMA).log_prob(x).sum(1),
        lambda x_mean, x: constant(x.shape[1]) - squares(x_mean, x).sum(-1) / 2,
        lambda x_mean, x: [
            -50 * float(((a - b) ** 2).sum()) + constant(len(a))
            for a, b in zip(x_mean, x, strict=True)
        ],
    ],
    "II.5": [terms, by_distributions, two_draws],
    "II.6": [by_epochs, training(), training(lr=5e-3)],
    "II.7": [
        drawn,
        one_by_one,
        lambda decoder, y, latent_dim: drawn(decoder, y, latent_dim).detach().numpy(),
    ],
    "II.8": [
        Later(judged, lambda elbo: elbo.mean().item()),
        Later(judged, lambda elbo: elbo.numpy().mean()),
    ],
    "II.9": [redrawn, lambda *given: redrawn(*given).detach().numpy()],
    "II.10": [by_nearest, by_votes, by_least_squares, by_classifier],
    "II.11": ["bda", ("b", "d", "a"), {"A": "b", "B": "d", "C": "a"}, "B, D, A", "b/d/a."],
}

WRONG = {
    "II.1": [
        (
            "no plus one",
            lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride,
        ),
        (
            "padding once",
            lambda size, kernel, stride, padding: (size + padding - kernel) // stride + 1,
        ),
        ("no padding", lambda size, kernel, stride, padding: (size - kernel) // stride + 1),
        (
            "rounded up",
            lambda size, kernel, stride, padding: -((kernel - size - 2 * padding) // stride) + 1,
        ),
        (
            "not rounded",
            lambda size, kernel, stride, padding: (size + 2 * padding - kernel) / stride + 1,
        ),
        ("no stride", lambda size, kernel, stride, padding: size + 2 * padding - kernel + 1),
        (
            "transposed",
            lambda size, kernel, stride, padding: (size - 1) * stride - 2 * padding + kernel,
        ),
        ("size over stride", lambda size, kernel, stride, padding: size // stride),
        (None, lambda size, kernel, stride, padding: kernel),
    ],
    "II.2": [
        ("L numbers", encoder(end=lambda mean, log_var: mean)),
        ("a pair", encoder(end=lambda mean, log_var: (mean, log_var))),
        ("label ignored", encoder(told=False)),
        (
            "picture ignored",
            lambda shape, n, latent: nn.Sequential(Kept(n, last=True), Encoder(shape, n, latent)),
        ),
        ("no convolution", lambda shape, n, latent: dense(math.prod(shape) + n, 2 * latent)),
        ("no activation", encoder(between=nn.Identity)),
        ("no gradient", lambda *sizes: Encoder(*sizes).requires_grad_(False)),
        (
            "chance",
            lambda *sizes: nn.Sequential(Encoder(*sizes), Said(lambda h: h + torch.rand(1))),
        ),
        (
            "rows look at each other",
            lambda *sizes: nn.Sequential(Encoder(*sizes), Said(lambda h: h / h.norm())),
        ),
        ("rows look at each other", lambda *sizes: nn.Sequential(Encoder(*sizes), Shuffled())),
        (
            "positive log-variance",
            encoder(end=lambda mean, log_var: side_by_side(mean, F.softplus(log_var))),
        ),
        ("label first", laid_out(label_in_front)),
        ("label first", laid_out(label_in_front, first=True)),
        ("channels last", laid_out(colours_last)),
        ("height for width", laid_out(on_its_side)),
        ("mixed planes", laid_out(striped)),
        (None, lambda shape, n, latent: Encoder(shape, n, 2 * latent)),
        (None, lambda shape, n, latent: 3),
    ],
    "II.3": [
        ("images", functools.partial(decoder, last=[nn.Identity()])),
        ("a pair", ending(lambda means: (means, means))),
        ("label ignored", keeping(last=False)),
        ("code ignored", keeping(last=True)),
        ("no convolution", lambda shape, n, latent: dense(latent + n, math.prod(shape))),
        ("no activation", functools.partial(decoder, between=nn.Identity)),
        ("no gradient", lambda *sizes: decoder(*sizes).requires_grad_(False)),
        ("chance", ending(lambda means: means + torch.rand_like(means))),
        ("rows look at each other", ending(lambda means: means / means.max())),
        ("never positive", ending(F.logsigmoid)),
        ("channels last", with_colours_last),
        ("height for width", turned),
        (None, lambda shape, n, latent: decoder((2 * shape[0], *shape[1:]), n, latent)),
    ],
    "II.4": [
        (
            "width for a variance",
            lambda x_mean, x: (
                -F.gaussian_nll_loss(
                    x_mean, x, torch.full_like(x, 0.1), full=True, eps=0, reduction="none"
                ).sum(1)
            ),
        ),
        ("sign", lambda x_mean, x: squares(x_mean, x).sum(-1) / 2 - constant(x.shape[1])),
        ("no constant", lambda x_mean, x: -squares(x_mean, x).sum(-1) / 2),
        ("constant once", lambda x_mean, x: constant(1) - squares(x_mean, x).sum(-1) / 2),
        ("no one half", lambda x_mean, x: constant(x.shape[1]) - squares(x_mean, x).sum(-1)),
        ("σ for σ²", lambda x_mean, x: constant(x.shape[1]) - 5 * ((x - x_mean) ** 2).sum(-1)),
        ("σ of 1", lambda x_mean, x: td.Normal(x_mean, 1.0).log_prob(x).sum(-1)),
        ("variance for a width", lambda x_mean, x: td.Normal(x_mean, 0.01).log_prob(x).sum(-1)),
        ("mean over values", lambda x_mean, x: td.Normal(x_mean, SIGMA).log_prob(x).mean(-1)),
        ("a number for each value", lambda x_mean, x: td.Normal(x_mean, SIGMA).log_prob(x)),
        (
            "one number for the batch",
            lambda x_mean, x: td.Normal(x_mean, SIGMA).log_prob(x).sum(-1).mean(),
        ),
        ("squared error", lambda x_mean, x: ((x - x_mean) ** 2).sum(-1)),
    ],
    "II.5": [
        ("the other order", changed(lambda log_px, kl, x: (kl, log_px))),
        ("halves swapped", functools.partial(terms, swap=True)),
        ("encoder untold", functools.partial(terms, told=(0, 1))),
        ("mean over latent dimensions", changed(lambda log_px, kl, x: (log_px, kl / 2))),
        ("another KL", changed(lambda log_px, kl, x: (log_px, -kl))),
        ("KL by draws", with_a_sampled_kl),
        ("one number for the batch", changed(lambda log_px, kl, x: (log_px.mean(), kl.mean()))),
        ("no draw", functools.partial(terms, draw=lambda mu, log_var: mu)),
        (
            "one draw for all",
            functools.partial(
                terms, draw=lambda mu, log_var: mu + (log_var / 2).exp() * torch.randn(mu.shape[1])
            ),
        ),
        (
            "the same again",
            lambda *given: torch.manual_seed(1) and terms(*given),
        ),
        ("decoder untold", functools.partial(terms, told=(1, 0))),
        ("minus the log-likelihood", changed(lambda log_px, kl, x: (-log_px, kl))),
        ("mean over values", changed(lambda log_px, kl, x: (log_px / x.shape[1], kl))),
        ("KL over values", changed(lambda log_px, kl, x: (log_px, kl / x.shape[1]))),
        ("no constant", changed(lambda log_px, kl, x: (log_px - constant(x.shape[1]), kl))),
        ("another log-likelihood", functools.partial(terms, order=-1)),
        (
            "another log-likelihood",
            functools.partial(
                terms, draw=lambda mu, log_var: mu + log_var.exp() * torch.randn_like(mu)
            ),
        ),
        (
            "another log-likelihood",  # in one of the cases
            functools.partial(terms, draw=lambda mu, log_var: torch.randn_like(mu)),
        ),
        ("no gradient", without_gradients),
        ("no gradient to the encoder", functools.partial(terms, detach=True)),
        ("no gradient of the KL", changed(lambda log_px, kl, x: (log_px, kl.detach()))),
        (None, changed(lambda log_px, kl, x: log_px - kl)),
    ],
    "II.6": [
        ("no step", no_step),
        ("decoder alone", alone(1)),
        ("encoder alone", alone(0)),
        ("not finite", training(lr=1e9, optimiser=torch.optim.SGD)),
        ("uphill", training(loss_of=lambda log_px, kl: (log_px - kl).mean())),
        ("part of the pictures", training(first=60)),
        ("labels of others", training(mixed=True)),
        ("collapsed", training(loss_of=lambda log_px, kl: (kl - log_px / 120).mean())),
        ("no KL", training(loss_of=lambda log_px, kl: -log_px.mean())),
        ("not much learned", training(lr=1e-6)),
        ("ELBOs for losses", reported(lambda loss: -loss)),
        ("another unit", reported(lambda loss: loss / 12)),
        (None, lambda *given: descend(*given[:4], 3)[-1]),
    ],
    "II.7": [
        ("label first", functools.partial(drawn, order=-1)),
        ("no label", lambda decoder, y, latent_dim: drawn(decoder, 0 * y, latent_dim)),
        ("other labels", lambda decoder, y, latent_dim: drawn(decoder, y.flip(0), latent_dim)),
        ("no draw", at(torch.zeros)),
        ("one code for all", at(lambda n, latent_dim: torch.randn(latent_dim).expand(n, -1))),
        (
            "repeated",
            at(lambda n, latent_dim: torch.randn(n // 4 + 1, latent_dim).repeat(4, 1)[:n]),
        ),
        ("another law", at(lambda n, latent_dim: 2 * torch.randn(n, latent_dim))),
        ("another law", at(lambda n, latent_dim: 0.1 * torch.randn(n, latent_dim))),
        ("the same again", at(seeded)),
        ("no means", lambda *given: drawn(*given).clamp(0, 1)),
        ("no means", lambda *given: torch.normal(drawn(*given), SIGMA)),
        (None, lambda decoder, y, latent_dim: drawn(decoder, y, latent_dim)[0]),
    ],
    "II.8": [
        ("not finite", Later(broken)),
        ("loss", Later(told, lambda log_px, kl: (kl - log_px).mean())),
        ("sum", Later(told, lambda log_px, kl: (log_px - kl).sum())),
        ("for a value", Later(told, lambda log_px, kl: (log_px - kl).mean() / 768)),
        ("no KL", Later(told, lambda log_px, kl: log_px.mean())),
        ("no constant", Later(told, lambda log_px, kl: (log_px - kl).mean() - constant(768))),
        ("other labels", Later(told, roll=1)),
        ("training pictures", Later(told, on="train")),
        ("no draw", Later(told, draw=lambda mu, log_var: mu)),
        ("log σ", Later(as_log_sigma)),
        ("another number", Later(told, lambda log_px, kl: torch.tensor(500.0))),
        ("too good", Later(judged, lambda elbo: elbo.mean(), on="test", steps=700)),
        ("label does nothing", Later(told, fault="a")),
        ("no information", Later(told, fault="c")),
        ("codes too dear", Later(told, fault="b")),
        ("by heart", Later(told, fault="e")),
        ("not enough", Later(told)),
        (None, Later(lambda: told()[:2])),
    ],
    "II.9": [
        ("a reconstruction", lambda e, d, x, y, y_new: redrawn(e, d, x, y, y)),
        ("encoded as the other", lambda e, d, x, y, y_new: redrawn(e, d, x, y_new, y_new)),
        ("labels exchanged", lambda e, d, x, y, y_new: redrawn(e, d, x, y_new, y)),
        ("encoder untold", lambda e, d, x, y, y_new: redrawn(e, d, x, 0 * y, y_new)),
        (
            "label before the picture",
            lambda e, d, x, y, y_new: d(side_by_side(e(side_by_side(y, x)).chunk(2, 1)[0], y_new)),
        ),
        (
            "another code",
            lambda e, d, x, y, y_new: d(side_by_side(e(side_by_side(x, y))[:, ::2], y_new)),
        ),
        ("decoder untold", lambda e, d, x, y, y_new: redrawn(e, d, x, y, 0 * y_new)),
        ("label first", lambda *given: redrawn(*given, order=-1)),
        ("second half", functools.partial(redrawn, half=1)),
        ("a draw", functools.partial(redrawn, noise=1.0)),
        (
            "another code",
            lambda e, d, x, y, y_new: d(side_by_side(5 * torch.randn(len(x), 2), y_new)),
        ),
        ("the picture itself", lambda e, d, x, y, y_new: x),
        (None, lambda e, d, x, y, y_new: redrawn(e, d, x, y, y_new)[:1]),
        ("no means", lambda e, d, x, y, y_new: redrawn(e, d, x, y, y_new - y)),
        ("no means", lambda *given: torch.normal(redrawn(*given), SIGMA)),
    ],
    "II.10": [
        ("numbers of the codes", lambda c, v, new: torch.cdist(new, c).argmin(1)),
        (
            "numbers of the values",
            lambda c, v, new: (by_nearest(c, v, new)[:, None] > v.unique()).sum(1),
        ),
        ("no value", lambda c, v, new: new @ torch.linalg.lstsq(c, v[:, None]).solution[:, 0]),
        ("one value for all", lambda c, v, new: v.median().expand(len(new))),
        ("the first values", lambda c, v, new: v[: len(new)].numpy()),
        ("the farthest", lambda c, v, new: v[torch.cdist(new, c).argmax(1)]),
        ("many wrong values", lambda c, v, new: by_nearest(c[:, 1:2], v, new[:, 1:2])),
        (None, lambda c, v, new: by_nearest(c, v, new)[:3]),
    ],
    "II.11": [
        *((f"A for {letter}", f"{letter}da") for letter in "acde"),
        *((f"B for {letter}", f"b{letter}a") for letter in "abce"),
        *((f"C for {letter}", f"bd{letter}") for letter in "bcde"),
        (None, "bd"),
        (None, "xyz"),
        (None, Later(lambda: handed_out("A"))),
    ],
}
