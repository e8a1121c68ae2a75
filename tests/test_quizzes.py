"""Each chapter's questions: their form, and the truth of every option, computed anew here.

A function below gets a question's options and says which of them are true, by an independent
computation; these verdicts must be the book's. One is there for every question.
"""

import itertools
import math
import re
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import integrate, linalg, optimize, stats
from scipy.spatial.distance import cdist
from sklearn.metrics import mutual_info_score
from sklearn.neighbors import KNeighborsClassifier
from torch import distributions as td
from torch import nn
from torch.nn import functional as F

from vae_lib.conditionals import DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.exercises import questions, quiz
from vae_lib.live import LiveFigure
from vae_lib.models import ConditionalVAE
from vae_lib.semi_supervised import SemiSupervisedVAE, semi_supervised_bound
from vae_lib.training import fit

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "chapters").glob("[0-9]*.ipynb"))
CHAPTERS = [str(int(path.name.partition("_")[0])) for path in NOTEBOOKS]
ALL = [(chapter, i) for chapter in CHAPTERS for i in range(len(questions(chapter)))]
TRUTHS = {}


def truth_of(chapter, number):
    """Registers what computes the truth of a question's options, by their texts."""

    def register(compute):
        assert (chapter, number - 1) not in TRUTHS
        TRUTHS[chapter, number - 1] = compute
        return compute

    return register


def first_number(text):
    """The number that an option names, with the sign that it is written with."""
    found = re.search(r"(−?)(\d[\d,]*\.?\d*)(?:/(\d+))?", text)
    sign, number, divisor = found.groups()
    value = float(number.replace(",", "")) / float(divisor or 1)
    return -value if sign else value


def equal_to(value, texts, *, rtol=0.02):
    """Which options name this number; the others must be far from it."""
    named = [first_number(text) if re.search(r"\d", text) else math.inf for text in texts]
    verdicts = [math.isclose(n, value, rel_tol=rtol, abs_tol=1e-9) for n in named]
    wrong = [n for n, verdict in zip(named, verdicts, strict=True) if not verdict]
    assert all(abs(n - value) > 0.03 * abs(value) for n in wrong)
    return verdicts


def by_words(texts, truths):
    """Which options are true, told by words that occur in one of them each."""
    assert len(truths) == len(texts)
    verdicts = []
    for text in texts:
        (found,) = [words for words in truths if words in text]
        verdicts.append(bool(truths[found]))
    return verdicts


# Their form


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_two_or_three_questions_of_the_right_form(chapter):
    asked = questions(chapter)
    assert 2 <= len(asked) <= 3
    for question in asked:
        texts = [option.text for option in question.options]
        reasons = [option.reason for option in question.options]
        assert 3 <= len(texts) <= 4
        assert len({*texts, *reasons}) == 2 * len(texts)
        assert sum(option.right for option in question.options) == 1
        assert question.text.endswith(("?", "?`"))
        for text, reason in zip(texts, reasons, strict=True):
            assert 1 <= len(re.findall(r"[.:](?:\s|$)", reason)) <= 5
            assert reason.endswith(".") and not text.endswith(".")
            assert len(text) < 10 or text.lower() not in reason.lower()


def texts_of(chapter):
    for question in questions(chapter):
        yield question.text
        for option in question.options:
            yield from (option.text, option.reason)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_texts_are_plain_with_code_in_backticks(chapter):
    for text in texts_of(chapter):
        assert text == text.strip() and "  " not in text
        assert text.count("`") % 2 == 0
        assert not re.search(r"[$\\{}]|</?[a-z]+>|\*\*|\^|_[a-z]\b", re.sub("`[^`]*`", "", text))
        assert not re.search(r"(?<![\w`])-\d", re.sub("`[^`]*`", "", text)), "a minus is −"


def test_the_right_option_is_now_here_now_there():
    places = [
        [option.right for option in question.options].index(True)
        for chapter in CHAPTERS
        for question in questions(chapter)
    ]
    assert max(Counter(places).values()) <= 0.4 * len(places)
    assert set(places) == {0, 1, 2, 3}
    for chapter in CHAPTERS:
        own = [[o.right for o in q.options].index(True) for q in questions(chapter)]
        assert len(set(own)) > 1


def test_the_right_option_is_not_known_by_its_length():
    asked = [question for chapter in CHAPTERS for question in questions(chapter)]
    longest = [max(q.options, key=lambda option: len(option.text)).right for q in asked]
    assert sum(longest) < 0.5 * len(asked)


def test_quiz_shows_a_chapters_questions():
    figure = quiz("6")
    assert isinstance(figure, LiveFigure) and "chapter 6" in figure.name
    shown = [question["text"] for question in figure.state["questions"]]
    assert shown == [question.text for question in questions("6")]
    assert quiz(6).state == figure.state


@pytest.mark.parametrize("unknown", ["-1", "99", "06", "elbo", ""])
def test_an_unknown_chapter_is_told_what_there_is(unknown):
    with pytest.raises(
        ValueError, match=r"no quiz for chapter .*; there are \"0\", \"1\", .*\"9\""
    ):
        quiz(unknown)


# Their truth


@pytest.mark.parametrize(("chapter", "i"), ALL)
def test_every_option_is_what_the_book_says(chapter, i):
    options = questions(chapter)[i].options
    verdicts = TRUTHS[chapter, i]([option.text for option in options])
    assert verdicts == [option.right for option in options]


# Chapter 1


@truth_of("0", 1)
def cost_of_a_moved_cloud(texts):
    q_z, prior = td.Normal(torch.tensor([2.0, 0.0]), 1.0), td.Normal(torch.zeros(2), 1.0)
    return equal_to(td.kl_divergence(q_z, prior).sum().item(), texts)


@truth_of("0", 2)
def what_gives_new_digits(texts):
    """In a model that is known: x = w z + noise in 64 dimensions, with its exact encoder."""
    rng = np.random.default_rng(0)
    w, sigma, z = rng.normal(size=64), 1.0, rng.normal(size=(20_000, 1))
    precision = 1 + w @ w / sigma**2

    def encoded(x):
        return x @ w / sigma**2 / precision

    x = w * z + sigma * rng.normal(size=(20_000, 64))
    fresh = rng.normal(size=20_000)  # from the prior
    near_one = encoded(x[0]) + rng.normal(size=20_000) / math.sqrt(precision)
    noise = encoded(rng.normal(size=(20_000, 64)) * x.std(0).mean())
    codes = encoded(x)
    distances = [stats.ks_2samp(codes, z).statistic for z in (fresh, near_one, noise)]
    best = np.argmin(distances)
    return by_words(texts, {"N(0, I)": best == 0, "some picture": best == 1, "pixels": best == 2})


@truth_of("0", 3)
def cost_of_a_pixel(texts):
    cost = -td.Bernoulli(probs=0.9).log_prob(torch.tensor([1.0, 0.0])).numpy()
    named = [np.array([float(n) for n in re.findall(r"[\d.]+", text)]) for text in texts]
    return [bool(np.abs(pair - cost).max() < 0.005) for pair in named]


@truth_of("1", 1)
def stretched_codes(texts):
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 2)).double()
    decoder = nn.Sequential(nn.Linear(2, 9), nn.Tanh(), nn.Linear(9, 6)).double()
    x, z = torch.randn(50, 6).double(), torch.randn(50, 2).double()
    with torch.no_grad():
        before, after = decoder(encoder(x)), decoder(5 * encoder(x) / 5)
        drawn_before, drawn_after = decoder(z), decoder(z / 5)
    same_error = torch.allclose(before, after)
    same_draws = torch.allclose(drawn_before, drawn_after)
    return by_words(
        texts,
        {
            "squared error": not same_error,
            "Nothing at all": same_error and same_draws,
            "What draws from N(0, I)": same_error and not same_draws,
            "more detail": not same_error,
        },
    )


def energy(a, b):
    return 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()


@truth_of("1", 2)
def energy_of_the_mean(texts):
    data, draws = np.array([[-1.0], [1.0]]), np.array([[0.0], [0.0]])
    squared = [np.square(cdist(a, b)).mean() for a, b in ((data, draws), (data, data))]
    assert 2 * squared[0] - squared[1] == 0  # what the first option's reason says
    assert 2 * cdist(data, draws).mean() == 2
    return equal_to(energy(data, draws), texts)


def five_neighbours_score(a, b):
    rows, labels = np.concatenate([a, b]), np.arange(len(a) + len(b)) < len(a)
    model = KNeighborsClassifier(6).fit(rows, labels)
    nearest = model.kneighbors(rows, return_distance=False)
    others = [[k for k in row if k != i][:5] for i, row in enumerate(nearest)]
    return ((labels[np.array(others)].mean(1) > 0.5) == labels).mean()


@truth_of("1", 3)
def nothing_but_sevens(texts):
    rng = np.random.default_rng(0)
    centres = 20 * rng.normal(size=(10, 8))

    def digits(labels):
        return centres[labels] + rng.normal(size=(len(labels), 8))

    real, again = digits(np.arange(1000) % 10), digits(np.arange(1000) % 10)
    sevens = digits(np.full(1000, 7))
    to_real = [cdist(draws, real).min(1).mean() for draws in (sevens, again)]
    to_draws = [cdist(real, draws).min(1).mean() for draws in (sevens, again)]
    score = five_neighbours_score(sevens, real)
    assert score == pytest.approx(0.95, abs=0.01)
    return by_words(
        texts,
        {
            "from a draw to": abs(to_real[0] / to_real[1] - 1) < 0.1,
            "from a real digit to": abs(to_draws[0] / to_draws[1] - 1) < 0.1,
            "energy": energy(sevens, real) < 10 * abs(energy(again, real)),
            "nearest neighbours give": score < 0.6,
        },
    )


# Chapter 2


@truth_of("2", 1)
def noise_of_a_code(texts):
    sigma = math.sqrt(math.exp(-2))
    assert 2 / sigma > 5
    scales = [re.search(r"z = 3 ([+-]) ([\d.]+) \* eps", text) for text in texts]
    named = [float(s[2]) if s and s[1] == "+" else math.inf for s in scales]
    assert named[0] == round(math.exp(-2), 2)
    return [abs(n - sigma) < 0.005 for n in named]


@truth_of("2", 2)
def best_widths(texts):
    slope, noise = 2.0, 1.0

    def cost(log_sigma, weight):
        q_z, p_z = td.Normal(0.0, math.exp(log_sigma)), td.Normal(0.0, 1.0)
        squared_error = (slope * math.exp(log_sigma)) ** 2 / (2 * noise**2)
        return squared_error + weight * td.kl_divergence(q_z, p_z).item()

    alone = optimize.minimize_scalar(lambda s: cost(s, 0.0), bounds=(-9, 2), method="bounded")
    both = optimize.minimize_scalar(lambda s: cost(s, 1.0), bounds=(-9, 2), method="bounded")
    best = math.exp(alone.x), math.exp(both.x)
    assert best[0] < 1e-3 and best[1] ** 2 == pytest.approx(0.2, rel=1e-3)
    named = [[float(n) for n in re.findall(r"\d\.?\d*", text)] for text in texts]
    return [abs(n[0] - best[0]) < 0.005 and abs(n[1] - best[1]) < 0.005 for n in named]


@truth_of("2", 3)
def correlation_over_the_data(texts):
    rng = np.random.default_rng(0)
    means = rng.choice([-1.0, 1.0], size=(200_000, 1))
    z = means + 0.1 * rng.normal(size=(200_000, 2))
    correlation = np.corrcoef(z.T)[0, 1]
    assert correlation == pytest.approx(1 / 1.01, abs=1e-3)
    return equal_to(correlation, texts, rtol=0.005)


# Chapter 3


@truth_of("3", 1)
def distance_of_draws(texts):
    distances = 0.1 * np.random.default_rng(0).normal(size=(2000, 784))
    distances = np.linalg.norm(distances, axis=1)
    assert distances.min() > 2 and math.sqrt(2 / 784) == pytest.approx(0.05, abs=0.002)
    assert np.square(distances).mean() == pytest.approx(7.84, rel=0.01)
    return equal_to(np.median(distances), texts)


@truth_of("3", 2)
def bias_of_the_logarithm(texts):
    """For log-normal values of p(x|z), whose mean is known."""
    rng, scale = np.random.default_rng(0), 1.0
    truth = scale**2 / 2
    bias, error = {}, {}
    for k, repeats in ((10, 200_000), (1000, 4000)):
        estimates = np.log(np.exp(scale * rng.normal(size=(repeats, k))).mean(1))
        bias[k] = estimates.mean() - truth
        error[k] = estimates.std() / math.sqrt(repeats)
    # To first order, the bias is half the squared relative standard error.
    assert bias[1000] == pytest.approx(-np.expm1(scale**2) / 2000, abs=4 * error[1000])
    below = all(bias[k] + 2 * error[k] < 0.0 for k in (10, 1000)) or bias[10] < -20 * error[10]
    equally = abs(bias[10] - bias[1000]) < 0.01
    return by_words(
        texts,
        {
            "Both at": not below,
            "that of K = 10 further": below and bias[10] < bias[1000] - 0.01,
            "equally far": below and equally,
            "Both above": all(value > 0 for value in bias.values()),
        },
    )


def second_moment(width, reach):
    """E_q[w²] of w = N(0, 1) / N(0, width²), over z in [-reach, reach]."""

    def integrand(z):
        return math.exp(2 * stats.norm.logpdf(z) - stats.norm.logpdf(z, scale=width))

    return integrate.quad(integrand, -reach, reach, limit=500)[0]


@truth_of("3", 3)
def width_of_a_proposal(texts):
    wide = second_moment(2.0, 30)
    assert wide == pytest.approx(4 / math.sqrt(7), rel=1e-6) and 1 - 1 / wide == (
        pytest.approx(1 / 3, abs=0.01)
    )
    diverges = second_moment(0.5, 12) > 1e6 * second_moment(0.5, 6) > 1e12
    mean = integrate.quad(stats.norm.pdf, -30, 30)[0]  # E_q[w], whatever q > 0 is
    unbiased = mean == pytest.approx(1)
    return by_words(
        texts,
        {
            "The narrow one": not diverges,
            "estimate is biased": not unbiased,
            "Neither": not diverges,
            "infinite variance": diverges and unbiased and wide < 2,
        },
    )


# Chapter 4


@truth_of("4", 1)
def best_shared_variance(texts):
    errors = torch.tensor([1.0, 3.0], dtype=torch.float64)
    best = optimize.minimize_scalar(
        lambda v: -td.Normal(0.0, math.sqrt(v)).log_prob(errors).sum().item(),
        bounds=(0.1, 50),
        method="bounded",
    ).x
    assert errors.var(correction=0) == 1 and errors.mean() ** 2 == 4
    return equal_to(best, texts, rtol=1e-3)


@truth_of("4", 2)
def the_same_balance(texts):
    def gradient(sigma, beta):
        torch.manual_seed(0)
        encoder, decoder = nn.Linear(5, 4).double(), nn.Linear(2, 5).double()
        x, eps = torch.randn(7, 5).double(), torch.randn(7, 2).double()
        mu, log_var = encoder(x).chunk(2, dim=-1)
        q_z = td.Normal(mu, (0.5 * log_var).exp())
        x_mean = decoder(mu + q_z.stddev * eps)
        log_px = td.Normal(x_mean, sigma).log_prob(x).sum(-1)
        kl = td.kl_divergence(q_z, td.Normal(0.0, 1.0)).sum(-1)
        leaves = [*encoder.parameters(), *decoder.parameters()]
        grads = torch.autograd.grad((log_px - beta * kl).sum(), leaves)
        return torch.cat([g.flatten() for g in grads])

    reference = gradient(0.1, 4.0)
    named = [float(text) if re.fullmatch(r"[\d.]+", text) else None for text in texts]
    parallel = [
        n is not None and torch.cosine_similarity(gradient(n, 1.0), reference, dim=0) > 1 - 1e-12
        for n in named
    ]
    pairs = zip(named, parallel, strict=True)
    return [bool(p) if n is not None else not any(parallel) for n, p in pairs]


@truth_of("4", 3)
def other_units(texts):
    torch.manual_seed(0)
    x, mu = torch.rand(2, 64).double()
    change = td.Normal(255 * mu, 255 * 0.2).log_prob(255 * x).sum()
    change = (change - td.Normal(mu, 0.2).log_prob(x).sum()).item()
    assert change / 64 == pytest.approx(-math.log(255)) and round(math.log(255), 1) == 5.5
    signs = {"falls": -1, "rises": 1}
    named = [sum(s for w, s in signs.items() if w in t) * first_number(t + " 0") for t in texts]
    return [abs(n - change) < 0.5 for n in named]


# Chapter 5


@truth_of("5", 1)
def floor_of_grey(texts):
    half = torch.full((100,), 0.5, dtype=torch.float64)
    bce = F.binary_cross_entropy(half, half, reduction="sum").item()
    draws = torch.bernoulli(half.expand(20, -1), generator=torch.Generator().manual_seed(0))
    costs = [F.binary_cross_entropy(half, b, reduction="sum").item() for b in draws]
    assert costs == pytest.approx([bce] * 20)  # at π = 0.5 every binarisation costs the same
    return equal_to(bce, texts, rtol=0.01)


@truth_of("5", 2)
def gradient_of_a_logit(texts):
    logit = torch.tensor(40.0, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(logit, torch.tensor(0.0))
    (gradient,) = torch.autograd.grad(loss, logit)
    assert loss == 40 and torch.sigmoid(logit) == 1
    return equal_to(gradient.item(), texts)


@truth_of("5", 3)
def comparable_scores(texts):
    """Which score is, for given networks, the average of the one in question over its draws."""
    x = torch.tensor([0.3, 0.9, 0.0, 0.5], dtype=torch.float64)
    logits = torch.tensor([-1.0, 2.0, -3.0, 0.4], dtype=torch.float64)
    score = -F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 4)
    weight = torch.where(images == 1, x, 1 - x).prod(-1)
    log_p = td.Bernoulli(logits=logits)
    scores = {
        "Gaussian": td.Normal(logits.sigmoid(), 0.2).log_prob(x).sum(),
        "continuous Bernoulli": td.ContinuousBernoulli(logits=logits).log_prob(x).sum(),
        "thresholded": log_p.log_prob((x > 0.5).double()).sum(),
        "dynamically": (weight * log_p.log_prob(images).sum(-1)).sum(),
    }
    assert scores["continuous Bernoulli"] - score > 4 * math.log(2)
    return by_words(texts, {name: torch.isclose(s, score) for name, s in scores.items()})


# Chapter 6


@truth_of("6", 1)
def gap_of_the_bound(texts):
    """First the identity on a model where everything is known, then the numbers by it."""
    x, s = torch.tensor(1.2, dtype=torch.float64), 0.5  # p(z) = N(0, 1), p(x|z) = N(z, s²)
    q_z, p_z = td.Normal(0.3, 0.8), td.Normal(0.0, 1.0)
    z = torch.linspace(-12, 12, 40_001, dtype=torch.float64)
    log_px = td.Normal(z, s).log_prob(x)
    elbo = torch.trapezoid(q_z.log_prob(z).exp() * log_px, z) - td.kl_divergence(q_z, p_z)
    posterior = td.Normal(x / (1 + s**2), s / math.sqrt(1 + s**2))
    evidence = td.Normal(0.0, math.sqrt(1 + s**2)).log_prob(x)
    torch.testing.assert_close(evidence - elbo, td.kl_divergence(q_z, posterior), rtol=1e-6, atol=0)
    assert -93 + 12 == -81
    return equal_to(-90 - -93, texts)


@truth_of("6", 2)
def a_frozen_decoder(texts):
    """On a linear-Gaussian model, a better encoder and the same decoder."""
    x, s = torch.tensor(1.2, dtype=torch.float64), 0.5
    z = torch.linspace(-12, 12, 40_001, dtype=torch.float64)
    log_joint = td.Normal(z, s).log_prob(x) + td.Normal(0.0, 1.0).log_prob(z)
    evidence = torch.logsumexp(log_joint, 0) + (z[1] - z[0]).log()
    posterior = log_joint - evidence
    elbos, kls = [], []
    for q_z in (td.Normal(0.0, 1.0), td.Normal(0.8, 0.5)):
        log_q = q_z.log_prob(z)
        elbos.append(torch.trapezoid(log_q.exp() * (log_joint - log_q), z))
        kls.append(torch.trapezoid(log_q.exp() * (log_q - posterior), z))
    assert elbos[1] > elbos[0] + 1
    moved = not torch.isclose(elbos[0] + kls[0], elbos[1] + kls[1])
    came_closer = torch.isclose(elbos[1] - elbos[0], kls[0] - kls[1], rtol=1e-6)
    return by_words(
        texts,
        {"risen by 2": moved, "risen too": moved, "Nothing": not moved and came_closer},
    )


@truth_of("6", 3)
def information_of_two_codes(texts):
    # Means ±6, and the width that makes the divergence to the prior 20 nats.
    def kl(sigma):
        return 0.5 * (36 + sigma**2 - 1 - 2 * math.log(sigma))

    sigma = optimize.brentq(lambda s: kl(s) - 20, 1e-4, 0.9)
    z = torch.linspace(-9, 9, 400_001, dtype=torch.float64)
    both = torch.stack([td.Normal(m, sigma).log_prob(z) for m in (-6.0, 6.0)])
    mixture = both.logsumexp(0) - math.log(2)
    inside = torch.where(both > -600, both.exp() * (both - mixture), 0.0)
    information = torch.trapezoid(inside, z).mean().item()
    p_z = td.Normal(0.0, 1.0).log_prob(z)
    marginal = torch.trapezoid(mixture.exp() * (mixture - p_z), z).item()
    assert information + marginal == pytest.approx(20, abs=1e-4)
    assert marginal == pytest.approx(19.3, abs=0.05)
    return equal_to(information, texts)


# Chapter 7


@truth_of("7", 1)
def lines_that_pass_gradients(texts):
    verdicts = []
    for text in texts:
        code = re.fullmatch(r"`z = (.*)`", text)[1]
        mu, sigma = (torch.tensor(v, requires_grad=True) for v in (0.3, 0.7))
        names = {"mu": mu, "sigma": sigma, "q_z": td.Normal(mu, sigma), "eps": torch.tensor(1.1)}
        z = eval(code, {}, names)
        gradients = (None, None)
        if z.requires_grad:
            log_px = td.Normal(z, 1.0).log_prob(torch.tensor(2.0))
            gradients = torch.autograd.grad(log_px, (mu, sigma), allow_unused=True)
        verdicts.append(gradients[0] is not None and gradients[1] is None)
    return verdicts


@truth_of("7", 2)
def a_thousand_more(texts):
    m, sigma, n = 0.8, 0.5, 1_000_000
    eps = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact, by_score, by_path, with_baseline = {}, {}, {}, {}
    for c in (0, 1000):
        mu = torch.tensor(m, dtype=torch.float64, requires_grad=True)
        grid = torch.linspace(-8, 8, 20_001, dtype=torch.float64)
        expectation = torch.trapezoid(
            td.Normal(mu, sigma).log_prob(grid).exp() * (grid**2 + c), grid
        )
        (exact[c],) = torch.autograd.grad(expectation, mu)
        z = (m + sigma * eps).requires_grad_()
        f = z**2 + c
        (by_path[c],) = torch.autograd.grad(f.sum(), z)
        f = f.detach()
        by_score[c], with_baseline[c] = f * eps / sigma, (f - f.mean()) * eps / sigma
    bias = by_score[1000].mean() - exact[1000]
    rise = by_score[1000].var() - by_score[0].var()
    assert rise > (1000 / sigma) ** 2 and with_baseline[1000].var() < by_score[0].var()
    return by_words(
        texts,
        {
            "The gradient of E[f]": not torch.isclose(*exact.values(), rtol=1e-6),
            "variance of the score-function": rise > 0,
            "mean of the score-function": bias.abs() > 4 * by_score[1000].std() / math.sqrt(n),
            "variance of the pathwise": not torch.isclose(*(g.var() for g in by_path.values())),
        },
    )


@truth_of("7", 3)
def path_over_a_step(texts):
    mu, sigma = torch.tensor(0.4, requires_grad=True), 0.8
    z = mu + sigma * torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    f = (z > 0).float() + 0 * z
    slopes = torch.autograd.grad(f.sum(), z, retain_graph=True)[0]
    (estimate,) = torch.autograd.grad(f.mean(), mu)
    right = stats.norm.pdf(0.0, 0.4, sigma)  # the derivative of Φ(μ/σ)
    step = 1e-5
    difference = [stats.norm.cdf((0.4 + s) / sigma) for s in (-step, step)]
    assert (difference[1] - difference[0]) / (2 * step) == pytest.approx(right, rel=1e-6)
    is_right = abs(estimate.item() - right) < 0.05
    return by_words(
        texts,
        {
            "one point": is_right,
            "0, whatever": estimate == 0 and bool((slopes == 0).all()),
            "large variance": is_right or slopes.var() > 0,
        },
    )


# Chapter 8


@truth_of("8", 1)
def nats_of_two_dimensions(texts):
    rng = np.random.default_rng(0)
    nats = {}
    for name, of_means, of_codes in (("A", 0.98, 0.02), ("B", 0.02, 0.98)):
        mu = torch.from_numpy(math.sqrt(of_means) * rng.normal(size=400_000))
        q_z = td.Normal(mu, math.sqrt(of_codes))
        nats[name] = td.kl_divergence(q_z, td.Normal(0.0, 1.0)).mean().item()
        assert nats[name] == pytest.approx(-0.5 * math.log(of_codes), abs=0.01)
    claimed = nats["A"] == pytest.approx(2, abs=0.1) and nats["B"] == pytest.approx(0.01, abs=0.005)
    return by_words(
        texts,
        {
            "B: its": nats["B"] > nats["A"],
            "Neither": math.isclose(nats["A"], nats["B"], rel_tol=0.1),
            "about 2 nats against 0.01": claimed,
            "0.98 against 0.02 nats": nats["A"] == pytest.approx(0.98, abs=0.1),
        },
    )


@truth_of("8", 2)
def gain_and_price(texts):
    change = 6 - 8
    signs = {"improved": 1, "fallen": -1}
    named = [sum(s for w, s in signs.items() if w in t) * first_number(t + " 0") for t in texts]
    return [n == change for n in named]


@truth_of("8", 3)
def paired_scores(texts):
    """Two data sets with the numbers of the question, and opposite answers."""
    rng, n = np.random.default_rng(0), 300

    def significant(correlation):
        common, a, b = rng.normal(size=(3, n))
        both = np.stack(
            [math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own for own in (a, b)]
        )
        both -= both.mean(1, keepdims=True)
        scores = both / both.std(1, keepdims=True) * 0.3 * math.sqrt(n)
        scores += np.array([[-23.1], [-23.6]])
        assert scores.std(1) / math.sqrt(n) == pytest.approx([0.3, 0.3])
        difference = scores[0] - scores[1]
        return difference.mean() / (difference.std() / math.sqrt(n)) > 3

    assert math.hypot(0.3, 0.3) == pytest.approx(0.42, abs=0.005)
    answers = {significant(0.98), significant(0.0)}
    return by_words(
        texts,
        {
            "differences, image by image": answers == {True, False},
            "intervals": answers == {False},
            "Yes": answers == {True},
            "more draws": not answers,  # of z; the scores here have no such noise at all
        },
    )


# Chapter 9


@truth_of("9", 1)
def weight_of_the_default_mean(texts):
    torch.manual_seed(0)
    x, logits = torch.rand(6, 784).round().double(), torch.randn(6, 784).double()
    leaves = [t.double().requires_grad_() for t in (logits, *torch.randn(2, 6, 20))]

    def terms():
        q_z = td.Normal(leaves[1], (0.5 * leaves[2]).exp())
        kl = td.kl_divergence(q_z, td.Normal(0.0, 1.0)).sum(-1)
        return td.Bernoulli(logits=leaves[0]).log_prob(x).sum(-1), kl

    def direction(value):
        gradients = torch.autograd.grad(value, leaves)
        return F.normalize(torch.cat([g.flatten() for g in gradients]), dim=0)

    loss = F.binary_cross_entropy_with_logits(leaves[0], x) + terms()[1].mean()
    found = direction(loss)
    verdicts = []
    for text in texts:
        log_px, kl = terms()
        exact = direction((first_number(text) * kl - log_px).mean())
        verdicts.append(torch.allclose(found, exact, rtol=1e-9, atol=1e-12))
    return verdicts


@truth_of("9", 2)
def above_the_evidence(texts):
    """On a linear-Gaussian model: the ELBO of the posterior, of others, and one that is wrong."""
    torch.manual_seed(0)
    s, n = 0.5, 4000
    x = math.sqrt(1 + s**2) * torch.randn(n, dtype=torch.float64)
    evidence = td.Normal(0.0, math.sqrt(1 + s**2)).log_prob(x)
    mean, sd = x / (1 + s**2), s / math.sqrt(1 + s**2)

    def excess(width, scale_of_noise):
        q_z = td.Normal(mean, width)
        z = mean + scale_of_noise * torch.randn(n, dtype=torch.float64)
        value = td.Normal(z, s).log_prob(x) - td.kl_divergence(q_z, td.Normal(0.0, 1.0))
        return value - evidence

    right = excess(sd, sd)
    assert (right > 0).double().mean() > 0.3  # for single images, often
    error = right.std() / math.sqrt(n)
    assert abs(right.mean()) < 4 * error
    others = [excess(w, w).mean() for w in (0.5 * sd, 2 * sd)]
    bounded = all(value < 0 for value in others)
    flatters = excess(sd, sd**2)  # less noise than the KL is charged for
    wrong = flatters.mean() > 5 * flatters.std() / math.sqrt(n)
    return by_words(
        texts,
        {
            "Noise": 0.9 / 0.02 < 5,
            "No lower bound": bounded and wrong and 0.9 / 0.02 > 40,
            "nearly tight": 0.9 <= 0,
            "better than the true posterior": not bounded,
        },
    )


@truth_of("9", 3)
def a_test_that_passes(texts):
    def passes(mu, log_var):
        eps = torch.randn(200_000, generator=torch.Generator().manual_seed(0)).double()
        z = mu + math.exp(log_var) * eps
        u = (z - mu) / math.exp(0.5 * log_var)
        assert u.var().item() == pytest.approx(math.exp(log_var), rel=0.02)
        return abs(u.mean().item()) < 0.02 and abs(u.var().item() - 1) < 0.02

    named = [re.findall(r"= (−?[\d.]+)", text) for text in texts]
    values = [[float(n.replace("−", "-")) for n in found] for found in named]
    passed = [passes(*pair) if pair else None for pair in values]
    return [p if p is not None else not any(passed) for p in passed]


# Chapter 10


@truth_of("10", 1)
def size_after_three(texts):
    x = torch.zeros(1, 1, 30, 30)
    for _ in range(3):
        x = F.conv2d(x, torch.zeros(1, 1, 4, 4), stride=2, padding=1)
    return equal_to(x.shape[-1], texts)


def trained_once(w, x):
    """The squared error of x W W' after some steps of Adam, from W given."""
    w = w.clone().requires_grad_()
    optimizer = torch.optim.Adam([w], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        (x - x @ w @ w.T).square().mean().backward()
        optimizer.step()
    return (x - x @ w @ w.T).square().mean().item()


@truth_of("10", 2)
def results_on_shuffled_images(texts):
    """All orders of the rows of the first weights stand for the seeds: each as likely as any."""
    torch.manual_seed(0)
    x, weights = torch.randn(20, 4).double(), torch.randn(4, 2).double()
    x = x * torch.tensor([3.0, 1.0, 0.5, 2.0])
    starts = [weights[list(order)] for order in itertools.permutations(range(4))]
    on_images = np.array([trained_once(w, x) for w in starts])
    on_shuffled = np.array([trained_once(w, x[:, [2, 0, 3, 1]]) for w in starts])
    by_seed = np.allclose(on_images, on_shuffled)
    in_all = np.allclose(np.sort(on_images), np.sort(on_shuffled))
    mean = on_shuffled.mean() - on_images.mean()
    return by_words(
        texts,
        {
            "Lower": mean > 1e-9,
            "Higher": mean < -1e-9,
            "seed by seed": by_seed,
            "in distribution": in_all and not by_seed,
        },
    )


@truth_of("10", 3)
def less_than_no_bits(texts):
    """A model that gives every level 1/256, as a density: a narrow Gaussian on each of them."""
    sigma = 2**-8.3 / (255 * math.sqrt(2 * math.pi))
    grid = np.arange(256) / 255
    density = np.mean(stats.norm.pdf(grid[100], grid, sigma))
    bits = -math.log2(density / 255)
    assert bits == pytest.approx(-0.3, abs=1e-6)
    cells = [(x - 1 / 510, x + 1 / 510) for x in grid]
    masses = [np.diff(stats.norm.cdf(cell, grid[:, None], sigma)).mean() for cell in cells]
    honest = -np.log2(masses)
    probabilities_score_below_0 = (honest < 0).any()
    return by_words(
        texts,
        {
            "no probability": not probabilities_score_below_0,
            "compresses better": honest.mean() < 3,
            "by heart": not np.allclose(honest, 8),  # it knows nothing
            "sign": not math.isclose(bits, -0.3, abs_tol=1e-6),  # it is what the formula gives
        },
    )


# Chapter 11


@truth_of("11", 1)
def lit_dimensions(texts):
    """By climbing the closed-form objective of three columns along the eigenvectors."""
    eigenvalues, beta = torch.tensor([5.0, 2.0, 0.9], dtype=torch.float64), 3.0
    length = torch.full((3,), 0.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([length], lr=0.05)
    for _ in range(2000):
        v = length.square() + beta  # σ = 1: the objective is that of noise with variance β
        optimizer.zero_grad()
        (0.5 * (v.log() + eigenvalues / v)).sum().backward()
        optimizer.step()
    return equal_to(int((length.detach().abs() > 1e-3).sum()), texts)


@truth_of("11", 2)
def above_the_ceiling(texts):
    """The entropy of the strings, and how far any other distribution's mean log p is below."""
    keep, n = 0.9, 12
    strings = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    changes = (strings[:, 1:] != strings[:, :-1]).sum(1)
    p = sum(0.25 * k ** (n - 1 - changes) * (1 - k) ** changes for k in (keep, 1 - keep))
    assert p.sum() == pytest.approx(1)
    entropy = -(p * np.log(p)).sum()
    assert entropy == pytest.approx(4.96, abs=0.005)
    rng = np.random.default_rng(0)
    others = [p * np.exp(s * rng.normal(size=len(p))) for s in (0.01, 0.1, 1.0)]
    never = all((p * np.log(q / q.sum())).sum() < -entropy for q in others)
    # Warm-up, encoder and free bits all end in some p(x), and in an ELBO not above its log.
    can = not never
    return by_words(texts, {"warm-up": can, "encoder": can, "Free bits": can, "Nothing": never})


@truth_of("11", 3)
def information_of_a_code(texts):
    """KL = information + aggregate's KL, checked on a mixture by quadrature, then inverted."""
    mu, s = np.array([-1.0, 0.2, 1.4]), 0.5
    grid = np.linspace(-9, 9, 20_001)
    q = stats.norm(mu[:, None], s).pdf(grid)
    prior, mixture = stats.norm.pdf(grid), q.mean(0)

    def integral(values):
        return integrate.trapezoid(values, grid)

    kl = np.mean([integral(row * np.log((row + 1e-300) / prior)) for row in q])
    aggregate = integral(mixture * np.log(mixture / prior))
    information = np.mean([integral(row * np.log((row + 1e-300) / mixture)) for row in q])
    assert kl == pytest.approx(information + aggregate, abs=1e-6)
    return equal_to(3.0 - 2.4, texts)


@truth_of("12", 1)
def two_prices(texts):
    """Neither model may gain by taking the other's place."""
    rates, first = (12.0, 8.0), 70.0

    def possible(second):
        a, b = (
            [first + beta * rates[0], second + beta * rates[1]]  # of the one and the other
            for beta in (1.0, 3.0)
        )
        return a[0] <= a[1] and b[1] <= b[0]

    return [possible(first_number(text)) for text in texts]


@truth_of("12", 2)
def networks_of_another_scale(texts):
    """Gradients in a small linear VAE point the same way for one of the scales alone."""
    torch.manual_seed(0)
    x, eps = torch.randn(20, 5, dtype=torch.float64), torch.randn(20, 2, dtype=torch.float64)
    leaves = [torch.randn(s, dtype=torch.float64).requires_grad_() for s in ((5, 2), (2, 5))]

    def direction(sigma, beta):
        q_z = td.Normal(x @ leaves[0], 0.5)
        log_px = td.Normal((q_z.mean + 0.5 * eps) @ leaves[1], sigma).log_prob(x).sum(1)
        kl = td.kl_divergence(q_z, td.Normal(0.0, 1.0)).sum(1)
        gradients = torch.autograd.grad((log_px - beta * kl).mean(), leaves)
        return F.normalize(torch.cat([g.flatten() for g in gradients]), dim=0)

    found = direction(1.0, 0.04)
    named = [first_number(text) if "=" in text else None for text in texts]
    same = [n and torch.allclose(found, direction(n, 1.0), rtol=1e-9) for n in named]
    return [bool(v) if n else not any(same) for n, v in zip(named, same, strict=True)]


@truth_of("12", 3)
def growth_of_a_message(texts):
    """A whole number from which 75 binary digits are read, and on which 30 and 80 are written."""
    message = 3**500
    after = ((message >> 75) << 30) << 80
    return equal_to(after.bit_length() - message.bit_length(), texts)


# Chapter 13


@truth_of("13", 1)
def best_bound_without_a_label(texts):
    """By a numerical search for the best q(y|x) over three classes."""
    bounds = np.array([-90.0, -92.0, -120.0])

    def minus_bound(logits):
        q = np.exp(logits - np.logaddexp.reduce(logits))
        return -(q @ bounds + stats.entropy(q))

    best = -optimize.minimize(minus_bound, np.zeros(3), tol=1e-12).fun
    certain = bounds[0]
    named = [first_number(text) for text in texts]
    assert abs(best - certain) > 0.1
    assert certain in named
    return [math.isclose(value, best, abs_tol=0.006) for value in named]


@truth_of("13", 2)
def a_classifier_without_alpha(texts):
    """Trained on labelled points of two blobs, with the weight of log q at 0 and above it."""
    torch.manual_seed(0)
    labels = torch.arange(60) % 2
    x = torch.randn(60, 2) + 4 * F.one_hot(labels, 2)
    y, moved, right = F.one_hot(labels, 2).float(), {}, {}
    for alpha in (0.0, 1.0):
        torch.manual_seed(1)
        parts = DiagonalGaussian(nn.Linear(4, 2)), Gaussian(nn.Linear(3, 2), sigma=1.0)
        cvae = ConditionalVAE(*parts, StandardNormal(1))
        model = SemiSupervisedVAE(nn.Linear(2, 2), cvae, torch.full((2,), 0.5))
        nn.init.zeros_(model.classifier.weight)
        nn.init.zeros_(model.classifier.bias)
        objective = partial(semi_supervised_bound, alpha=alpha)
        data = x, y, torch.ones(60)
        fit(model, objective, data, steps=60, lr=0.05, device="cpu", progress=False)
        moved[alpha] = bool(model.classifier.weight.abs().max() > 0)
        right[alpha] = (model.classifier(x).argmax(1) == labels).float().mean()
    assert moved[1.0]
    assert right[1.0] > 0.95
    stays = not moved[0.0]
    helps = moved[0.0] and right[0.0] > 0.6
    return by_words(texts, {"As well as": helps, "No better": stays, "Better than": helps})


@truth_of("13", 3)
def a_missing_pixel(texts):
    """By drawing codes and pixels, and keeping the images in which the seen part came about."""
    generator = np.random.default_rng(0)
    code = generator.integers(2, size=4_000_000)
    came_about = generator.random(len(code)) < np.array([0.09, 0.01])[code]
    black = generator.random(len(code)) < np.array([0.2, 0.7])[code]
    share = black[came_about].mean()
    return [math.isclose(first_number(text), share, abs_tol=0.005) for text in texts]


# Chapter 14


@truth_of("14", 1)
def a_floor_for_larger_samples(texts):
    """Distances of Gaussian samples, in enough dimensions: how the floor goes with the size."""
    rng = np.random.default_rng(0)

    def floor(n):
        found = []
        for _ in range(5):
            a, b = rng.normal(size=(2, n, 16))
            root = linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
            spread = np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
            found.append(((a.mean(0) - b.mean(0)) ** 2).sum() + spread)
        return np.mean(found)

    expected = 0.30 * floor(800) / floor(200)
    truths = {"or better": expected > 0.20, "since the distance is not 0": False}
    for named in (0.08, 0.15):
        truths[f"near {named}"] = bool(abs(expected - named) < 0.02 and expected < 0.20)
    return by_words(texts, truths)


@truth_of("14", 2)
def lost_to_noise(texts):
    """The most that any density loses, over densities of model and noise a long way apart."""
    log_p = np.linspace(-3000, 300, 500)[:, None]
    log_n = np.linspace(-3000, 300, 500)[None]
    lost = log_p - np.logaddexp(math.log(0.001) + log_p, math.log(0.999) + log_n)
    most = lost.max()
    truths = {
        "nats at most": bool(abs(most - 6.9) < 0.05),
        "99.9% of it": False,
        "each pixel": False,  # the density of the image as a whole was mixed, once
        "Without limit": bool(most > 100),
    }
    return by_words(texts, truths)


@truth_of("14", 3)
def what_equal_weights_say(texts):
    """Two posteriors with equal weights: q is all of the first, and half of the second."""
    z = torch.randn(1000, generator=torch.Generator().manual_seed(0)).double()
    log_q = td.Normal(0.0, 1.0).log_prob(z)
    evidence = 0.3
    humps = [(1.0, 0.0), (0.5, 0.5)]  # posterior mass where q is, and far away
    estimates, is_proportional, missed = [], [], []
    for here, away in humps:
        w = (math.log(evidence * here) + log_q - log_q).exp()
        estimates.append(w.mean().item())
        is_proportional.append(bool(torch.allclose(w, w[0])))
        missed.append(away > 0)
    size = (w.sum() ** 2 / (w**2).sum()).item()
    truths = {
        "exact": all(math.isclose(e, evidence) for e in estimates),
        "proportional": all(is_proportional),
        "missed a part": all(missed),
        "sample size is 1": size < 1.5,
    }
    return by_words(texts, truths)


# Chapter 15


@truth_of("15", 1)
def evidence_after_a_turn(texts):
    """A linear model, whose evidence is a Gaussian: before and after a rotation of its latents."""
    torch.manual_seed(0)
    weights = torch.randn(5, 3, dtype=torch.float64)
    q, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))
    x = torch.randn(50, 5, dtype=torch.float64)
    noise = 0.3 * torch.eye(5, dtype=torch.float64)
    before, after = (
        td.MultivariateNormal(torch.zeros(5, dtype=torch.float64), w @ w.T + noise).log_prob(x)
        for w in (weights, weights @ q.T)
    )
    change = after - before
    same = bool(change.abs().max() < 1e-9)
    truths = {
        "higher": bool(change.mean() > 1e-9),
        "same for every": same,
        "lower": bool(change.mean() < -1e-9),
        "on average": bool(change.mean().abs() < 1e-9 and not same),
    }
    return by_words(texts, truths)


@truth_of("15", 2)
def gap_of_a_doubled_hue(texts):
    """Counted out on codes that are the factors: two columns of hue, one of size."""
    hue, size = (grid.flatten() for grid in torch.meshgrid(*[torch.arange(4)] * 2, indexing="ij"))
    code = torch.stack([hue, 3 - hue, size], dim=1)
    gaps = []
    for factor in (hue, size):
        told = sorted(mutual_info_score(column, factor) for column in code.T)
        gaps.append((told[-1] - told[-2]) / math.log(4))
    return equal_to(sum(gaps) / 2, texts)


@truth_of("15", 3)
def pairs_that_differ_by_luck(texts):
    """By drawing pairs: the share that differ by 0.07 or more."""
    rng = np.random.default_rng(0)
    pairs = rng.normal(0, 0.04, (200_000, 2))
    share = (np.abs(pairs[:, 0] - pairs[:, 1]) >= 0.07).mean()
    sizes = {"Hardly ever": 0.0, "of five": 1 / 5, "of two": 1 / 2, "of twelve": 1 / 12}
    nearest = min(sizes, key=lambda words: abs(sizes[words] - share))
    return by_words(texts, {words: words == nearest for words in sizes})
