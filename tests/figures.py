"""The live figures and what is asked of each: one entry a figure, for the tests that hold for all.

An entry makes a small figure and its oracle, a function of the numbers that the figure tells: it
compares them with torch, scipy or mpmath, and is called after every move. The rules themselves are
in test_live_figures.py; what one figure alone has to keep is in test_live_<its name>.py.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mpmath
import nbformat
import numpy as np
import pytest
import torch
from scipy import optimize, special, stats
from torch import distributions as td
from torch import nn

from vae_lib import live
from vae_lib.conditionals import Bernoulli, DiagonalGaussian, Gaussian, StandardNormal
from vae_lib.data import binarize, load
from vae_lib.evaluation import mutual_information_gap
from vae_lib.live import LiveFigure
from vae_lib.models import VAE, ConditionalVAE, rotated
from vae_lib.networks import mlp

Oracle = Callable[[dict], None]


@dataclass(frozen=True)
class Asked:
    """One figure of the book.

    Attributes:
        name: of its script.
        chapter: where it stands; the quiz stands in all of them.
        make: gives a small figure, always the same, and its oracle.
        controls: what a reader can move, each by its accessible name, in the order of the page.
        needed: a part of its state, and what it says without it.
    """

    name: str
    chapter: str
    make: Callable[[], tuple[LiveFigure, Oracle]]
    controls: tuple[str, ...]
    needed: tuple[str, str]


@cache
def made(asked: Asked) -> tuple[LiveFigure, Oracle]:
    """An entry's figure and oracle, made once: most of the time goes into its picture."""
    return asked.make()


def like(figure: LiveFigure, state: dict) -> LiveFigure:
    """The figure with another state, and without the picture."""
    told = {"name": figure.name, "description": figure.description}
    return LiveFigure(figure.figure, **told, state=state, picture="<p>A picture</p>")


def close(found: object, expected: object) -> None:
    """What floats of a page owe to PyTorch."""
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def output(net: nn.Module, inputs: object) -> np.ndarray:
    """What a network gives, in double precision."""
    return net.double()(torch.as_tensor(inputs, dtype=torch.float64)).numpy()


# Quadrature: 20 points of Gauss and Legendre in each of many pieces, for smooth functions


def mean_by_quadrature(f: Callable, low: float, high: float, pieces: int = 100) -> float:
    """The integral of f, which takes an array of points."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(low, high, pieces + 1)
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half + half * nodes).ravel()
    return float(f(z) @ (half * weights).ravel())


# Chapter 0


def first_figure(*, seed: int = 0, **options) -> tuple[LiveFigure, nn.Module, nn.Module]:
    """Random networks, among whose codes are those of 60 real digits."""
    digits = load("digits")
    torch.manual_seed(seed)
    encoder, decoder = mlp(64, 16, 4), mlp(2, 16, 64)
    images, labels = digits.test[:60], digits.test_labels[:60]
    with torch.no_grad():
        codes = DiagonalGaussian(encoder)(images).mean
    settings = {"images": images, "image_shape": (8, 8), "drawing": "box", **options}
    return live.first_vae(encoder, decoder, codes, labels, **settings), encoder, decoder


def assert_first(shown: dict, encoder: nn.Module, decoder: nn.Module, images: torch.Tensor) -> None:
    """The figure's numbers against the networks in double precision."""
    x_mean = special.expit(output(decoder, shown["z"]))
    np.testing.assert_allclose(shown["x_mean"], x_mean, atol=1e-5)
    distances = np.linalg.norm(images.numpy() - x_mean, axis=1)
    assert distances[shown["nearest"]] <= distances.min() + 0.01  # grey in 255 steps
    if shown["q"] is None:
        assert shown["x"] is None
        return
    with torch.no_grad():
        q_z = DiagonalGaussian(encoder.double())(torch.tensor(shown["x"], dtype=torch.float64))
    close(shown["q"]["mu"], q_z.mean)
    np.testing.assert_allclose(shown["q"]["sigma"], q_z.stddev, rtol=1e-5)


def small_first_vae() -> tuple[LiveFigure, Oracle]:
    figure, *networks = first_figure()
    images = load("digits").test[:60]
    return figure, lambda shown: assert_first(shown, *networks, images)


# Chapter 1


def map_figure(**options) -> tuple[LiveFigure, nn.Module, torch.Tensor]:
    """A random decoder, its plane, and random distances on a grid."""
    torch.manual_seed(0)
    decoder, distances, codes = mlp(2, 16, 20), torch.rand(9, 9), torch.randn(30, 2)
    plane = {"low": (-3.0, -2.0), "high": (3.0, 4.0)}
    settings = {"image_shape": (4, 5), "usual": 0.5, **plane, **options}
    return live.latent_map(decoder, codes, distances, **settings), decoder, distances


def carried(packed: dict) -> torch.Tensor:
    """The real images in a figure's state."""
    pixels = np.frombuffer(packed["data"], "u1").reshape(packed["shape"])
    return torch.tensor(pixels / packed["steps"])


def assert_mapped(shown: dict, decoder: nn.Module, images: torch.Tensor) -> None:
    x_decoded = output(decoder, shown["z"])
    close(shown["x_decoded"], x_decoded)
    distances = np.linalg.norm(images.numpy() - x_decoded, axis=1)
    assert shown["nearest"] == distances.argmin()
    close(shown["distance"], distances.min())


def small_latent_map() -> tuple[LiveFigure, Oracle]:
    images = torch.rand(40, 20)
    figure, decoder, _ = map_figure(labels=torch.arange(30) % 10, images=images)
    near = carried(figure.state["images"])
    return figure, lambda shown: assert_mapped(shown, decoder, near)


# Chapter 2


def ellipse_figure(
    *, seed: int = 0, gain: float = 1.0, **options
) -> tuple[LiveFigure, nn.Module, nn.Module]:
    """Random networks, the encoder's last layer `gain` times as strong."""
    digits = load("digits")
    torch.manual_seed(seed)
    encoder, decoder = mlp(64, 16, 4), mlp(2, 16, 64, activation=nn.Tanh)
    with torch.no_grad():
        encoder[-1].weight.mul_(gain)
    settings = {"image_shape": (8, 8), "drawing": "box", **options}
    figure = live.posterior_ellipse(
        encoder,
        decoder,
        2 * torch.randn(60, 2),
        torch.arange(60) % 10,
        images=digits.test[::20],
        image_labels=digits.test_labels[::20],
        **settings,
    )
    return figure, encoder, decoder


def assert_ellipse(shown: dict, encoder: nn.Module, decoder: nn.Module) -> None:
    """The figure's numbers against the networks in double precision."""
    encoder, decoder = encoder.double(), decoder.double()
    with torch.no_grad():
        q_z = DiagonalGaussian(encoder)(torch.tensor(shown["x"], dtype=torch.float64))
        close(shown["mu"], q_z.mean)
        np.testing.assert_allclose(shown["sigma"], q_z.stddev, rtol=1e-5)
        steps = 2 * shown["scale"] * torch.tensor([[0, 0], [-1, 0], [1, 0], [0, 1], [0, -1]])
        points = q_z.mean + steps * q_z.stddev
        close(shown["points"], points)
        close(shown["decoded"], decoder(points))


def small_posterior_ellipse() -> tuple[LiveFigure, Oracle]:
    figure, encoder, decoder = ellipse_figure()

    def oracle(shown: dict) -> None:
        if shown["x"] is not None:
            assert_ellipse(shown, encoder, decoder)

    return figure, oracle


# Chapter 3


def draws_figure(
    *, seed: int = 0, sigma: float = 0.25, image_shape: tuple[int, int] = (4, 5), **options
) -> tuple[LiveFigure, nn.Module]:
    torch.manual_seed(seed)
    decoder = mlp(2, 16, image_shape[0] * image_shape[1], activation=nn.Tanh)
    figure = live.decoded_draws(decoder, sigma=sigma, image_shape=image_shape, **options)
    return figure, decoder


def assert_draws(shown: dict, decoder: nn.Module, sigma: float) -> None:
    np.testing.assert_allclose(shown["x_mean"], output(decoder, shown["z"]), atol=1e-6)
    if shown["draws"]:
        squares = np.square(np.subtract(shown["draws"], shown["x_mean"])).sum(-1)
        expected = squares / (len(shown["x_mean"]) * sigma**2)
        np.testing.assert_allclose(shown["distances"], expected, rtol=1e-5)


def small_decoded_draws() -> tuple[LiveFigure, Oracle]:
    figure, decoder = draws_figure()
    return figure, lambda shown: assert_draws(shown, decoder, 0.25)


# Chapter 4


def residuals(
    size: float, *, seed: int = 0, n: int = 6, n_pixels: int = 12
) -> tuple[torch.Tensor, torch.Tensor]:
    """Images, and reconstructions of very different quality."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, n_pixels, generator=generator)
    scales = size * torch.logspace(-1.5, 0.5, n)[:, None]
    return x, x + scales * torch.randn(n, n_pixels, generator=generator)


def slider_figure(x: torch.Tensor, x_mean: torch.Tensor, **options) -> LiveFigure:
    shown = {"an easy one": 0, "a hard one": len(x) - 1}
    settings = {"shown": shown, "image_shape": (3, 4), "value_range": (-1.5, 1.5), "sigma": 0.2}
    return live.sigma_slider(x, x_mean, **{**settings, **options})


def gaussian_cost(x: torch.Tensor, x_mean: torch.Tensor, sigma: float) -> float:
    """Mean over examples of -log N(x; x_mean, sigma² I), in nats, by torch in double precision."""
    p_x = td.Independent(td.Normal(x_mean.double(), sigma), 1)
    return -p_x.log_prob(x.double()).mean().item()


def assert_slider(shown: dict, x: torch.Tensor, x_mean: torch.Tensor) -> None:
    """Of the figure's images the last is the mean over all."""
    rows = [[0], [len(x) - 1], list(range(len(x)))][shown["image"]]
    total = gaussian_cost(x[rows], x_mean[rows], shown["sigma"])
    assert shown["total"] == pytest.approx(total, rel=1e-9)
    assert shown["error_term"] + shown["log_term"] == pytest.approx(total, rel=1e-9)
    # The logarithm is what a perfect reconstruction would cost.
    perfect = gaussian_cost(x[rows], x[rows], shown["sigma"])
    assert shown["log_term"] == pytest.approx(perfect, rel=1e-9)


def small_sigma_slider() -> tuple[LiveFigure, Oracle]:
    x, x_mean = residuals(0.3)
    return slider_figure(x, x_mean), lambda shown: assert_slider(shown, x, x_mean)


# Chapter 5


def one_pixel_exactly(logit: float, x: float) -> dict[str, float]:
    """What the figure should show, by the formulas of the chapter in 50 digits."""
    with mpmath.workdps(50):
        lam, x = 1 / (1 + mpmath.exp(-mpmath.mpf(logit))), mpmath.mpf(x)

        def times_log(weight, value):
            return weight * mpmath.log(value) if weight else mpmath.mpf(0)

        half = lam == mpmath.mpf(1) / 2
        atanh = mpmath.atanh(1 - 2 * lam)
        log_c = mpmath.log(2 if half else 2 * atanh / (1 - 2 * lam))
        mean = mpmath.mpf(1) / 2 if half else lam / (2 * lam - 1) + 1 / (2 * atanh)
        bce = -times_log(x, lam) - times_log(1 - x, 1 - lam)
        floor = -times_log(x, x) - times_log(1 - x, 1 - x)
        result = {
            "lambda": lam,
            "bce": bce,
            "floor": floor,
            "kl": bce - floor,
            "log_c": log_c,
            "cost": bce - log_c,
            "mean": mean,
            "density": mpmath.exp(log_c - bce),
            "weight": mpmath.exp(-bce),
        }
        result = {name: float(value) for name, value in result.items()}
    return {**result, "mass": mass_of(logit)}


def mass_of(logit: float) -> float:
    """The integral of λ^t (1 - λ)^(1 - t), by quadrature: the function is smooth."""
    log_lam, log_rest = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    return mean_by_quadrature(lambda t: np.exp(t * log_lam + (1 - t) * log_rest), 0, 1, pieces=8)


def assert_one_pixel(shown: dict) -> None:
    for name, value in one_pixel_exactly(shown["logit"], shown["x"]).items():
        assert shown[name] == pytest.approx(value, rel=1e-9, abs=1e-12), (name, shown)


def small_one_pixel() -> tuple[LiveFigure, Oracle]:
    return live.one_pixel(), assert_one_pixel


# Chapter 6


def bars_decoder(n_pixels: int, spread: float, seed: int) -> nn.Module:
    """A network whose posteriors are skewed or two-peaked, the more so the larger the spread."""
    torch.manual_seed(seed)
    decoder = mlp(1, 12, n_pixels, activation=nn.Tanh)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.mul_(spread)
    return decoder


def binary_images() -> torch.Tensor:
    return (torch.rand(3, 12, generator=torch.Generator().manual_seed(2)) < 0.5).float()


def bars_figure(
    decoder: nn.Module, x: torch.Tensor, mu: float = 0.3, sigma: float = 0.7
) -> LiveFigure:
    names = [f"image {i}" for i in range(len(x))]
    q = {"mu": torch.full((len(x),), mu), "sigma": torch.full((len(x),), sigma)}
    return live.elbo_bars(decoder, x, image_shape=(3, 4), names=names, **q)


def bernoulli_log_likelihood(decoder: nn.Module, x: torch.Tensor) -> Callable:
    """From points z, as an array, to log p(x|z), by torch in double precision."""
    sizes = [decoder[0].in_features, decoder[0].out_features, decoder[-1].out_features]
    double = mlp(*sizes, activation=nn.Tanh).double()
    double.load_state_dict({k: v.double() for k, v in decoder.state_dict().items()})

    def at(z: np.ndarray) -> np.ndarray:
        p = special.expit(output(double, np.asarray(z)[:, None]))
        return stats.bernoulli(p).logpmf(x.numpy().astype(int)).sum(-1)

    return at


def bars_exactly(decoder: nn.Module, x: torch.Tensor, mu: float, sigma: float) -> dict[str, float]:
    log_px_z, prior, q = bernoulli_log_likelihood(decoder, x), stats.norm(), stats.norm(mu, sigma)
    log_px = math.log(
        mean_by_quadrature(lambda z: np.exp(log_px_z(z)) * prior.pdf(z), -9, 9, pieces=200)
    )

    def mean_under_q(f: Callable) -> float:
        return mean_by_quadrature(lambda z: q.pdf(z) * f(z), mu - 9 * sigma, mu + 9 * sigma)

    reconstruction = mean_under_q(log_px_z)
    kl_prior = mean_under_q(lambda z: q.logpdf(z) - prior.logpdf(z))
    kl_posterior = mean_under_q(lambda z: q.logpdf(z) - log_px_z(z) - prior.logpdf(z) + log_px)
    return {
        "log_px": log_px,
        "reconstruction": reconstruction,
        "kl_prior": kl_prior,
        "elbo": reconstruction - kl_prior,
        "kl_posterior": kl_posterior,
    }


def assert_bars(shown: dict, decoder: nn.Module, x: torch.Tensor) -> None:
    for name, value in bars_exactly(decoder, x, shown["mu"], shown["sigma"]).items():
        assert shown[name] == pytest.approx(value, abs=1e-5, rel=1e-5), name


def small_elbo_bars() -> tuple[LiveFigure, Oracle]:
    decoder, x = bars_decoder(12, 3.0, seed=1), binary_images()
    return bars_figure(decoder, x), lambda shown: assert_bars(shown, decoder, x[shown["image"]])


# Chapter 7

FUNCTIONS = {
    "square": lambda z: z.square(),
    "offset": lambda z: z.square() + 10,
    "log_px": lambda z: td.Normal(torch.tanh(2 * z), 0.3).log_prob(torch.full_like(z, 0.4)),
    "wave": lambda z: torch.sin(8 * z),
    "step": lambda z: (z > 0).to(z.dtype) + 0 * z,  # 0 * z gives autograd a slope to find
}


def settings_of(shown: dict) -> tuple:
    tensors = (torch.tensor(shown[name], dtype=torch.float64) for name in ("mu", "sigma", "eps"))
    return FUNCTIONS[shown["f"]], *tensors


def estimates_of(shown: dict) -> dict[str, np.ndarray]:
    """Both estimates for each draw, by autograd from the ε that the figure reports."""
    f, mu, sigma, eps = settings_of(shown)
    path_mu = mu.expand(len(eps)).clone().requires_grad_()
    (pathwise,) = torch.autograd.grad(f(path_mu + sigma * eps).sum(), path_mu)

    z = mu + sigma * eps
    score_mu = mu.expand(len(eps)).clone().requires_grad_()
    (score,) = torch.autograd.grad(td.Normal(score_mu, sigma).log_prob(z).sum(), score_mu)
    f_z, baseline = f(z), torch.zeros_like(z)
    if shown["baseline"] == "others":
        others = ~torch.eye(len(eps), dtype=torch.bool)
        baseline = (others.double() @ f_z) / (len(eps) - 1)
    if shown["baseline"] == "best":
        baseline = torch.full_like(z, shown["best_baseline"])
    return {"pathwise": pathwise.numpy(), "score": ((f_z - baseline) * score).numpy()}


def gradient_by_quadrature(shown: dict) -> tuple[float, float]:
    """The exact gradient and the best constant baseline, E[f s] and E[f s²] / E[s²]."""
    f, mu, sigma, _ = settings_of(shown)
    mu, sigma = mu.item(), sigma.item()
    low, high = mu - 12 * sigma, mu + 12 * sigma
    edges = [low, 0.0, high] if low < 0 < high else [low, high]  # the step is smooth on each side

    def moment(power: int) -> float:
        def integrand(z: np.ndarray) -> np.ndarray:
            value = f(torch.from_numpy(z)).numpy()
            return stats.norm.pdf(z, mu, sigma) * value * ((z - mu) / sigma**2) ** power

        return sum(mean_by_quadrature(integrand, *ends) for ends in itertools.pairwise(edges))

    return moment(1), moment(2) * sigma**2


def assert_estimates(shown: dict) -> None:
    for name, estimates in estimates_of(shown).items():
        told, half = shown[name], shown["half_width"]
        assert told["mean"] == pytest.approx(estimates.mean(), rel=1e-5, abs=1e-9)
        assert told["sd"] == pytest.approx(estimates.std(ddof=1), rel=1e-5, abs=1e-9)
        inside = np.abs(estimates) <= half
        assert told["beyond"] == (~inside).sum()
        # An estimate at the very edge of a bin may be rounded into either.
        counts, _ = np.histogram(estimates[inside], bins=61, range=(-half, half))
        assert np.abs(np.subtract(told["counts"], counts)).sum() <= 4
        assert sum(told["counts"]) + told["beyond"] == len(estimates)


def assert_exact_gradient(shown: dict) -> None:
    gradient, best = gradient_by_quadrature(shown)
    assert shown["exact"] == pytest.approx(gradient, abs=1e-5, rel=1e-5)
    assert shown["best_baseline"] == pytest.approx(best, abs=1e-5, rel=1e-5)


def small_gradient_estimators() -> tuple[LiveFigure, Oracle]:
    def oracle(shown: dict) -> None:
        assert_estimates(shown)
        assert_exact_gradient(shown)

    return live.gradient_estimators(seed=1), oracle


# Chapter 8

ONE_OF_EACH = list(range(0, 297, 30))


def explorer_figure(vae: VAE, **options) -> LiveFigure:
    digits = load("digits")
    with torch.no_grad():
        codes = vae.encoder(binarize(digits.test[:100], threshold=0.5)).mean
    real = digits.train[:50]
    settings = {"image_shape": (8, 8), "drawing": "box", "real": real, **options}
    return live.explorer(
        vae.encoder.net,
        vae.decoder.net,
        codes.float(),
        digits.test_labels[:100],
        images=digits.test[ONE_OF_EACH],
        image_labels=digits.test_labels[ONE_OF_EACH],
        **settings,
    )


def random_vae(seed: int = 0, activation: type[nn.Module] = nn.ReLU) -> VAE:
    torch.manual_seed(seed)
    encoder = DiagonalGaussian(mlp(64, 16, 4, activation=activation))
    return VAE(encoder, Bernoulli(mlp(2, 16, 64, activation=activation)), StandardNormal(2))


def decoded(vae: VAE, z: object) -> np.ndarray:
    return special.expit(output(vae.decoder.net, z))


def assert_explored(shown: dict, vae: VAE) -> None:
    np.testing.assert_allclose(shown["x_mean"], decoded(vae, shown["z"]), atol=1e-5)
    assert set(shown["x_draw"]) <= {0, 1}
    if shown["nearest"] is not None:
        real = load("digits").train[:50].numpy()
        assert shown["nearest"] == np.linalg.norm(real - shown["x_mean"], axis=1).argmin()
    own = shown["own"]
    if own is None:
        return
    x = binarize(torch.tensor(own["grey"], dtype=torch.float64), threshold=0.5)
    np.testing.assert_array_equal(own["x"], x)
    with torch.no_grad():
        q_z = DiagonalGaussian(vae.encoder.net.double())(x)
    np.testing.assert_allclose(own["mu"], q_z.mean, atol=1e-5)
    np.testing.assert_allclose(own["sigma"], q_z.stddev, rtol=1e-5)
    np.testing.assert_allclose(own["reconstruction"], decoded(vae, own["mu"]), atol=1e-5)


def small_explorer() -> tuple[LiveFigure, Oracle]:
    vae = random_vae()
    return explorer_figure(vae), lambda shown: assert_explored(shown, vae)


# Chapter 9

SIZES = {"pixels": 10, "latents": 3}


def implied_ratio() -> Callable:
    """Chapter 9's function, from its cell."""
    chapters = Path(__file__).resolve().parents[1] / "chapters"
    cells = nbformat.read(chapters / "09_loss_audit.ipynb", as_version=4).cells
    names = {"math": math}
    exec(next(c.source for c in cells if c.source.startswith("def implied_ratio")), names)
    return names["implied_ratio"]


def small_loss_calculator() -> tuple[LiveFigure, Oracle]:
    ratio_of = implied_ratio()
    figure = live.loss_calculator({"a start": ("SSE", "batch", "batch", 1.0, SIZES)}, batch=6)

    def oracle(shown: dict) -> None:
        over, kl_over = " ".join(shown["over"]), " ".join(shown["kl_over"])
        ratio = ratio_of(shown["term"], over, kl_over, shown["weight"], **shown["sizes"])
        assert shown["ratio"] == pytest.approx(ratio, rel=1e-12)
        assert shown["beta"] == pytest.approx(ratio / shown["claimed"] ** 2, rel=1e-12)

    return figure, oracle


# Chapter 10


def field_networks(*, seed: int = 0, activation: type[nn.Module] = nn.SiLU) -> tuple:
    """Three convolutions of unlike kernels, strides and paddings, and an MLP, for 3 x 7 x 9."""
    torch.manual_seed(seed)
    convolutions = (
        nn.Conv2d(3, 4, (3, 4), stride=2, padding=(1, 2)),
        nn.Conv2d(4, 5, 3, stride=(2, 1), padding=1),
        nn.Conv2d(5, 3, (1, 2), stride=2, padding=1),
    )
    layers = [part for conv in convolutions for part in (conv, activation())]
    encoder = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(2))
    encoder(torch.zeros(1, 3, 7, 9))
    return encoder, mlp(3 * 7 * 9, 20, 2)


def field_figure(*, seed: int = 0, **options) -> tuple[LiveFigure, nn.Module, nn.Module]:
    encoder, dense = field_networks(seed=seed)
    images = field_images()
    settings = {"image_shape": (3, 7, 9), "names": ["one", "two"], "mlp": dense, **options}
    return live.receptive_field(encoder, images, **settings), encoder, dense


def field_images() -> torch.Tensor:
    return torch.rand(2, 3 * 7 * 9, generator=torch.Generator().manual_seed(4))


def raw_outputs(encoder: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Each convolution's result, before its activation, in double precision."""
    found, values = [], x[None].double()
    for part in encoder.double():
        if isinstance(part, nn.Flatten):
            break
        values = part(values)
        if isinstance(part, nn.Conv2d):
            found.append(values[0])
    return found


def whole_box(convolutions: list[nn.Conv2d], unit: list[int]) -> list[int]:
    """Top, left, bottom, right of all that a unit can see, by the recursion from the image up."""
    ends = []
    for axis in (0, 1):
        size, jump, start = 1, 1, 0
        for conv in convolutions:
            size += (conv.kernel_size[axis] - 1) * jump
            start -= conv.padding[axis] * jump
            jump *= conv.stride[axis]
        first = start + unit[axis] * jump
        ends.append((first, first + size - 1))
    (top, bottom), (left, right) = ends
    return [top, left, bottom, right]


def visible_pixels(convolutions: list[nn.Conv2d], shape: tuple, unit: list[int]) -> torch.Tensor:
    """Where in the image a unit would have a gradient if all weights were 1."""
    x = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
    values = x
    for conv in convolutions:
        ones = torch.ones_like(conv.weight, dtype=torch.float64)
        values = nn.functional.conv2d(values, ones, None, conv.stride, conv.padding)
    (gradient,) = torch.autograd.grad(values[0, 0, unit[0], unit[1]], x)
    return gradient[0, 0] != 0


def repainted(x: torch.Tensor, pixel: list[int]) -> torch.Tensor:
    """The image, (C, H, W) with values in [0, 1], with one pixel at the farther end of that."""
    changed = x.clone()
    changed[:, pixel[0], pixel[1]] = (x[:, pixel[0], pixel[1]] <= 0.5).to(x.dtype)
    return changed


def assert_field(shown: dict, encoder: nn.Module, dense: nn.Module | None) -> None:
    x = field_images()[shown["image"]].reshape(3, 7, 9)
    layer, unit, box = shown["layer"], shown["unit"], shown["box"]
    convolutions = [part for part in encoder if isinstance(part, nn.Conv2d)][: layer + 1]
    assert box == whole_box(convolutions, unit)
    visible = visible_pixels(convolutions, x.shape, unit)
    assert visible.sum() == math.prod(shown["inside"])
    grid = x.clone().requires_grad_()
    raw = raw_outputs(encoder, grid)
    value = raw[layer][shown["feature"], unit[0], unit[1]]
    weights = torch.autograd.grad(value, grid)[0].abs().sum(0)
    assert shown["value"] == pytest.approx(value.item(), rel=1e-5, abs=1e-6)
    close(shown["weights"], weights.flatten())
    assert not weights[~visible].any()
    held = weights.flatten().sort(descending=True).values.cumsum(0) - weights.sum() / 2
    n_most = shown["n_most"]
    assert held[n_most - 1] >= -1e-6 if n_most else not weights.any()
    assert n_most < 2 or held[n_most - 2] < 1e-6
    assert_noticed(shown, raw, encoder, dense, x)


@torch.no_grad()
def assert_noticed(
    shown: dict, raw: list[torch.Tensor], encoder: nn.Module, dense: nn.Module | None, x: object
) -> None:
    """What changes with the pixel, in each layer and in the MLP."""
    changed = repainted(x, shown["pixel"])
    changes = [
        (a - b).abs().amax(0) for a, b in zip(raw_outputs(encoder, changed), raw, strict=True)
    ]
    for found, expected in zip(shown["changes"], changes, strict=True):
        close(found, expected.flatten())
    counts = [int((change > 1e-12).sum()) for change in changes]
    if dense is not None:
        difference = (changed.double() - x.double()).flatten()
        noticed = (dense[0].double().weight @ difference).abs()
        close(shown["mlp"], noticed)
        counts.append(int((noticed > 0).sum()))
    assert shown["counts"] == counts


def small_receptive_field() -> tuple[LiveFigure, Oracle]:
    figure, *networks = field_figure()
    return figure, lambda shown: assert_field(shown, *networks)


# Chapter 11


def collapse_case(
    *, n: int = 40, n_pixels: int = 6, latent_dim: int = 4, seed: int = 3
) -> dict[str, torch.Tensor]:
    """Data and, in double precision, their mean, eigenvalues and eigenvectors."""
    random = np.random.default_rng(seed)
    scales = 0.5 ** np.arange(n_pixels)
    data = 0.5 + random.normal(size=(n, n_pixels)) * scales @ random.normal(size=(n_pixels,) * 2)
    values, vectors = np.linalg.eigh(np.cov(data.T, bias=True))
    facts = {"data": data, "mean": data.mean(0), "eigenvalues": values[::-1].copy()}
    facts["components"] = vectors[:, ::-1].T[:latent_dim].copy()
    return {name: torch.from_numpy(value) for name, value in facts.items()}


def collapse_figure(case: dict[str, torch.Tensor], **options) -> LiveFigure:
    images = case["data"][:2]
    settings = {"images": images, "names": ["one", "another"], "image_shape": (2, 3), **options}
    parts = {name: case[name] for name in ("components", "mean")}
    latent_dim = len(case["components"])
    return live.linear_collapse(case["eigenvalues"], latent_dim=latent_dim, **parts, **settings)


def dimension_at_best(value: float, variance: float, beta: float) -> np.ndarray:
    """(w, v, s) of one dimension of a linear VAE, where a numerical minimiser finds the least.

    The loss is E (x - w z)² / 2σ² + β KL for x of variance `value` and z from N(v x, s²).
    """

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        w, v, log_s = at
        s2 = np.exp(2 * log_s)
        cost = ((1 - w * v) ** 2 * value + w**2 * s2) / (2 * variance)
        cost += beta * (v**2 * value + s2 - 1 - 2 * log_s) / 2
        slope = [
            (-(1 - w * v) * v * value + w * s2) / variance,
            -(1 - w * v) * w * value / variance + beta * v * value,
            w**2 * s2 / variance + beta * (s2 - 1),
        ]
        return cost, np.array(slope)

    start = [math.sqrt(value) + 0.01, 1 / (math.sqrt(value) + 0.01), -0.5]
    options = {"gtol": 1e-12, "maxiter": 2000}
    return optimize.minimize(loss, start, jac=True, method="BFGS", options=options).x


def collapse_at_best(case: dict[str, torch.Tensor], variance: float, beta: float) -> dict:
    """What the figure should show, the sums of data and mean over a model found numerically."""
    values = case["eigenvalues"].tolist()
    n_latents, n_pixels = len(case["components"]), len(values)
    w, v, log_s = np.array([dimension_at_best(x, variance, beta) for x in values[:n_latents]]).T
    rows, mean = case["components"].numpy(), case["mean"].numpy()
    centred = case["data"].numpy() - mean
    codes = centred @ rows.T * v
    q, prior = stats.norm(codes, np.exp(log_s)), stats.norm()
    kl = -q.entropy() + (codes**2 + np.exp(2 * log_s) + math.log(2 * math.pi)) / 2
    x_mean = codes * w @ rows
    error = np.square(centred - x_mean).sum(1) + (w**2 * np.exp(2 * log_s)).sum()
    distortion = (
        -n_pixels * prior.logpdf(0) + (n_pixels * math.log(variance) + error / variance) / 2
    )
    return {"kl": kl.mean(0), "distortion": distortion.mean(), "x_mean": mean + x_mean, "w": w}


def assert_collapse(shown: dict, case: dict[str, torch.Tensor]) -> None:
    expected = collapse_at_best(case, shown["variance"], shown["beta"])
    np.testing.assert_allclose(shown["kl"], expected["kl"], atol=2e-4)
    assert shown["rate"] == pytest.approx(expected["kl"].sum(), abs=1e-5)
    assert shown["distortion"] == pytest.approx(expected["distortion"], rel=1e-5, abs=1e-5)
    assert shown["elbo"] == pytest.approx(-shown["distortion"] - shown["rate"], rel=1e-12)
    np.testing.assert_allclose(shown["x_mean"], expected["x_mean"][shown["image"]], atol=1e-3)
    draw = np.abs(expected["w"]) * shown["eps"] @ case["components"].numpy()
    np.testing.assert_allclose(shown["draw"], case["mean"].numpy() + draw, atol=1e-2)


def small_linear_collapse() -> tuple[LiveFigure, Oracle]:
    case = collapse_case()
    return collapse_figure(case), lambda shown: assert_collapse(shown, case)


# Chapter 12

BETAS = (0.1, 0.5, 1.0, 2.0, 4.0)


def curve_models(*, seed: int = 0, hidden: int = 6, gaussian: bool = False) -> list[VAE]:
    """Random models of images of 3 by 4 pixels, with three latent dimensions, one a β."""
    torch.manual_seed(seed)
    models = []
    for gain in (5.0, 4.0, 3.0, 2.0, 1.0):
        encoder, net = DiagonalGaussian(mlp(12, 6, 6)), mlp(3, hidden, 12, activation=nn.Tanh)
        with torch.no_grad():
            net[-1].weight.mul_(gain)
        decoder = Gaussian(net, sigma=0.3) if gaussian else Bernoulli(net)
        models.append(VAE(encoder, decoder, StandardNormal(3)))
    return models


def curve_figure(models: list[VAE], **options) -> LiveFigure:
    settings = {
        "image_shape": (3, 4),
        "rates": [7.506, 4.75, 3.123, 1.5, 0.25],
        "distortions": [2.504, 3.0, 4.0, 6.25, 9.75],
        "real": torch.rand(20, 12, generator=torch.Generator().manual_seed(1)),
        **options,
    }
    return live.rate_distortion(models, BETAS, binary_images(), **settings)


def assert_on_curve(shown: dict, models: list[VAE], real: torch.Tensor | None) -> None:
    """The pictures' numbers against the models in double precision; the bars' by arithmetic."""
    model = models[shown["model"]].double()
    x = binary_images().double()
    with torch.no_grad():
        x_mean = model.reconstruct(x)
        draws = model.decoder(torch.tensor(shown["eps"], dtype=torch.float64)).mean
    assert shown["beta"] == BETAS[shown["model"]]
    assert shown["total"] == pytest.approx(shown["rate"] + shown["distortion"], abs=1e-9)
    close(shown["errors"], (x_mean - x).norm(dim=1))
    close(shown["reconstruction"], x_mean[0])
    close(shown["ink"], draws.sum(1))
    close(shown["draw"], draws[0])
    if real is not None:
        distances = torch.cdist(draws, real)
        assert shown["nearest"] == distances.argmin(1).tolist()
        close(shown["distances"], distances.amin(1))


def small_rate_distortion() -> tuple[LiveFigure, Oracle]:
    models = curve_models()
    figure = curve_figure(models)
    real = carried(figure.state["real"])
    return figure, lambda shown: assert_on_curve(shown, models, real)


# Chapter 13

CLASSES = 4


def random_cvae(*, seed: int = 0, gain: float = 3.0, hidden: int = 8) -> ConditionalVAE:
    """For images of 3 by 4 pixels, with two style dimensions and four classes."""
    torch.manual_seed(seed)
    net = mlp(2 + CLASSES, hidden, 12, activation=nn.Tanh)
    with torch.no_grad():
        net[-1].weight.mul_(gain)
    encoder = DiagonalGaussian(mlp(12 + CLASSES, 6, 4))
    return ConditionalVAE(encoder, Bernoulli(net), StandardNormal(2))


def labelled_images(n: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    """Binary images, the first four of them one of each class."""
    generator = torch.Generator().manual_seed(3)
    x = (torch.rand(n, 12, generator=generator) < 0.5).float()
    return x, torch.arange(n) % CLASSES


def conditional_figure(cvae: ConditionalVAE, **options) -> LiveFigure:
    settings = {"image_shape": (3, 4), "n_classes": CLASSES, "label": 1, **options}
    return live.conditional_digits(cvae, *labelled_images(), **settings)


def styled(cvae: ConditionalVAE, z: object, label: int) -> td.Distribution:
    """p(x|z, y) in double precision, by the model itself."""
    z = torch.as_tensor(z, dtype=torch.float64).reshape(-1, 2)
    y = nn.functional.one_hot(torch.tensor(label), CLASSES).double().expand(len(z), -1)
    return cvae.double().given(y).decoder(z)


@torch.no_grad()
def filled_exactly(
    cvae: ConditionalVAE, x: torch.Tensor, erased: torch.Tensor, half: float = 4.0, n: int = 25
) -> dict[str, np.ndarray]:
    """The sums over a grid of styles and all labels, with torch's own distributions."""
    z = torch.cartesian_prod(*2 * [torch.linspace(-half, half, n, dtype=torch.float64)])
    log_pz = td.Normal(0.0, 1.0).log_prob(z).sum(1)
    log_w, means = [], []
    for label in range(CLASSES):
        p_x = td.Bernoulli(styled(cvae, z, label).mean)
        seen = p_x.log_prob(x.double())[:, ~erased].sum(1)
        log_w.append(seen + log_pz + 2 * math.log(2 * half / (n - 1)) - math.log(CLASSES))
        means.append(p_x.mean)
    log_w, means = torch.stack(log_w), torch.stack(means)  # (C, styles), (C, styles, D)
    log_px = log_w.logsumexp((0, 1))
    w = (log_w - log_px).exp()
    filled = torch.where(erased, torch.einsum("cs,csd->d", w, means), x.double())
    return {
        "p_y": w.sum(1).numpy(),
        "x_filled": filled.numpy(),
        "z_mean": (w.sum(0) @ z).numpy(),
        "log_px": log_px.item(),
    }


def assert_conditional(shown: dict, cvae: ConditionalVAE) -> None:
    x, _ = labelled_images()
    if shown["gaps"]:
        erased = torch.tensor(shown["erased"]).bool()
        assert shown["n_gaps"] == erased.sum()
        for name, value in filled_exactly(cvae, x[shown["image"]], erased).items():
            close(shown[name], value)
        return
    with torch.no_grad():
        digits = [styled(cvae, shown["z"], label).mean[0].numpy() for label in range(CLASSES)]
    close(shown["x_mean"], digits[shown["label"]])
    close(shown["ink"], [digit.sum() for digit in digits])
    distances = np.linalg.norm(x.numpy() - shown["x_mean"], axis=1)
    close(distances[shown["nearest"]], distances.min())
    close(shown["distance"], distances.min())


def small_conditional_digits() -> tuple[LiveFigure, Oracle]:
    cvae = random_cvae()
    return conditional_figure(cvae), lambda shown: assert_conditional(shown, cvae)


# Chapter 15


def turned_figure(**options) -> tuple[LiveFigure, VAE, torch.Tensor, dict]:
    """Random networks, and 400 images of two factors that their codes know."""
    torch.manual_seed(0)
    levels = torch.randint(0, 5, (400, 2))
    x = torch.cat([torch.nn.functional.one_hot(v, 5) for v in levels.T], dim=1).float()
    x = torch.cat([x, torch.rand(400, 2)], dim=1)
    encoder = nn.Linear(12, 4)
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.weight[0, :5] = encoder.weight[1, 5:10] = torch.linspace(-1.5, 1.5, 5)
        encoder.weight[2:, 10:] = torch.eye(2)
        encoder.bias.copy_(torch.tensor([0.0, 0.0, -4.0, -3.0]))
    decoder = mlp(2, 16, 12, activation=nn.Tanh)
    factors = {"x": levels[:, 0], "y": levels[:, 1]}
    settings = {"sigma": 0.5, "image_shape": (3, 4), **options}
    figure = live.rotated_latents(encoder, decoder, x, factors, **settings)
    vae = VAE(DiagonalGaussian(encoder), Gaussian(decoder, sigma=0.5), StandardNormal(2)).double()
    return figure, vae, x.double(), factors


def packed(part: dict) -> torch.Tensor:
    kind = {"float32": "f4", "uint8": "u1"}[part["dtype"]]
    return torch.from_numpy(np.frombuffer(part["data"], kind).reshape(part["shape"]).copy())


@torch.no_grad()
def assert_turned(
    shown: dict, figure: LiveFigure, vae: VAE, x: torch.Tensor, factors: dict
) -> None:
    """MIG by the library; the ELBO by a VAE that is turned, at the figure's own draws."""
    a = math.radians(shown["angle"])
    rotation = torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]).double()
    codes = packed(figure.state["codes"]).double() @ rotation.T
    gaps = mutual_information_gap(codes, factors, each=True)
    np.testing.assert_allclose(shown["gaps"], gaps, atol=1e-5)
    assert shown["mig"] == pytest.approx(gaps.mean().item(), abs=1e-5)
    turned, eps = rotated(vae, rotation), packed(figure.state["eps"]).double()
    q_z, x = turned.encoder(x[: len(eps)]), x[: len(eps)]
    z = q_z.mean + (q_z.root @ eps[..., None])[..., 0]
    log_px = turned.decoder(z).log_prob(x).mean().item()
    kl = td.kl_divergence(q_z, turned.prior()).mean().item()
    assert shown["reconstruction"] == pytest.approx(log_px, rel=1e-5, abs=1e-5)
    assert shown["kl"] == pytest.approx(kl, rel=1e-5, abs=1e-5)
    assert shown["elbo"] == pytest.approx(log_px - kl, rel=1e-5, abs=1e-5)
    covariance = q_z.covariance_matrix[0]
    close(shown["correlation"], covariance[0, 1] / covariance.diagonal().prod().sqrt())
    along = torch.tensor(figure.state["along"]).double()
    for axis, images in enumerate(shown["images"]):
        close(images, turned.decoder(along[:, None] * torch.eye(2)[axis].double()).mean)


def small_rotated_latents() -> tuple[LiveFigure, Oracle]:
    figure, *parts = turned_figure()
    return figure, lambda shown: assert_turned(shown, figure, *parts)


# Chapter 14

JUDGED = ("nearest", "energy", "accuracy")


def judged_sets() -> tuple[dict, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Defects of 40 digits, the digits, the held-out ones, and a floor."""
    rows = load("digits").train[:200].double()
    draws, held_out, others = rows[:40], rows[40:80], rows[80:120]
    generator = torch.Generator().manual_seed(0)
    noise = 0.3 * torch.randn(draws.shape, generator=generator, dtype=draws.dtype)
    defects = {"noisy": ((draws + noise).clamp(0, 1), "mix"), "others": (others, "replace")}
    pairs = [rows[torch.randperm(200, generator=generator)[:80]].split(40) for _ in range(8)]
    floor = torch.tensor([judged_scores(*pair) for pair in pairs], dtype=torch.float64)
    return defects, draws, held_out, floor


def judged_scores(held_out: torch.Tensor, drawn: torch.Tensor) -> tuple[float, float, float]:
    between = torch.cdist(drawn, held_out)
    energy = 2 * between.mean() - sum(torch.cdist(a, a).mean() for a in (drawn, held_out))
    return between.amin(1).mean().item(), energy.item(), (between < 3).double().mean().item()


def small_planted_defects() -> tuple[LiveFigure, Oracle]:
    defects, draws, held_out, floor = judged_sets()
    figure = live.planted_defects(
        draws,
        defects,
        lambda drawn: judged_scores(held_out, drawn),
        floor,
        names=JUDGED,
        image_shape=(8, 8),
        start="others",
    )

    def oracle(shown: dict) -> None:
        spoilt, way = defects[shown["defect"]]
        share = shown["share"]
        if way == "mix":
            drawn = torch.lerp(draws, spoilt, share)
        else:
            drawn = torch.cat([spoilt[: round(40 * share)], draws[round(40 * share) :]])
        z = (np.array(judged_scores(held_out, drawn)) - floor.numpy().mean(0)) / floor.numpy().std(
            0, ddof=1
        )
        close(shown["deviations"], z)
        assert shown["rings"] == [n for n, d in zip(JUDGED, z, strict=True) if abs(d) > 4]

    return figure, oracle


# Every chapter

QUESTIONS = [
    {
        "text": "What does `a < b & c` show?",
        "options": [
            {"text": "<b>bold</b>", "reason": "No tag is one: `<b>` is text.", "right": False},
            {"text": "Itself, & `σ²`", "reason": "It is shown as written.", "right": True},
            {"text": "Nothing", "reason": "It is not left out.", "right": False},
        ],
    },
    {
        "text": "Is log p(x|z) ≤ 0?",
        "options": [
            {"text": "Not always", "reason": "A density may exceed 1.", "right": True},
            {"text": "Always", "reason": "That holds for probabilities.", "right": False},
        ],
    },
]


def small_quiz() -> tuple[LiveFigure, Oracle]:
    right = [[option["right"] for option in question["options"]] for question in QUESTIONS]

    def oracle(shown: dict) -> None:
        for question, of in zip(shown["questions"], right, strict=True):
            assert question["solved"] == any(of[k] for k in question["checked"])

    return live.quiz_figure(QUESTIONS), oracle


PLACE_OF_Z = "The code z"
FIGURES = (
    Asked(
        "first_vae",
        "0",
        small_first_vae,
        ("Draw a digit", "Clear", "Write one", PLACE_OF_Z),
        ("encoder", "a network is missing"),
    ),
    Asked("latent_map", "1", small_latent_map, (PLACE_OF_Z,), ("distances", "missing")),
    Asked(
        "posterior_ellipse",
        "2",
        small_posterior_ellipse,
        ("Draw a digit", "Clear", "show", "σ times"),
        ("encoder", "a network is missing"),
    ),
    Asked(
        "decoded_draws",
        "3",
        small_decoded_draws,
        (PLACE_OF_Z, "1. Draw z from p(z)", "2. Draw x from p(x | z)", "Both, 8 times"),
        ("sigma", "sigma is missing"),
    ),
    Asked(
        "sigma_slider",
        "4",
        small_sigma_slider,
        ("σ, on the curve", "σ", "Image", "Best σ", "Halve σ", "Double σ", "Draw again"),
        ("mean_sse", "This figure cannot be shown"),
    ),
    Asked(
        "one_pixel",
        "5",
        small_one_pixel,
        (
            "The decoder's λ, on the curve of the BCE",
            "The grey value x, on the curve of the density",
            "grey value x",
            "decoder's λ",
            "Least BCE",
            "Least −log p",
        ),
        ("logit", "is missing"),
    ),
    Asked(
        "elbo_bars",
        "6",
        small_elbo_bars,
        ("The mean of q", "μ", "σ", "Image", "The encoder's q", "The best Gaussian"),
        ("decoder", "a network is missing"),
    ),
    Asked(
        "gradient_estimators",
        "7",
        small_gradient_estimators,
        ("μ", "σ", "f(z) =", "baseline b", "Fresh ε"),
        ("sigma", "sigma or n_draws is missing"),
    ),
    Asked(
        "explorer",
        "8",
        small_explorer,
        (
            PLACE_OF_Z,
            "Walk",
            "Draw",
            "New draws",
            "walk from a",
            "to a",
            "t",
            "Play the walk",
            "Draw a digit",
            "Clear",
        ),
        ("images", "an array is missing"),
    ),
    Asked(
        "loss_calculator",
        "9",
        small_loss_calculator,
        (
            "A loss",
            "term",
            "σ claimed",
            "over pixels",
            "over the batch",
            "weight w",
            "over latents",
            "over the batch",
            "and then",
            "pixels D",
            "latents L",
            "batch B",
            "Sum both, average over the batch",
            "Choose w so that β = 1",
        ),
        ("losses", "the losses to choose from are missing"),
    ),
    Asked(
        "receptive_field",
        "10",
        small_receptive_field,
        ("The pixel", "Image", "Layer 1", "Layer 2", "Layer 3", "feature"),
        ("encoder", "a network is missing"),
    ),
    Asked(
        "linear_collapse",
        "11",
        small_linear_collapse,
        (
            "The line βσ²",
            "Image",
            "Draw again",
            "σ²",
            "β",
            "Best σ²",
            "Darken one",
            "Light one",
        ),
        ("variance", "variance is missing"),
    ),
    Asked(
        "rate_distortion",
        "12",
        small_rate_distortion,
        ("The model, on the curve", "β", "New draws"),
        ("decoders", "decoders is missing"),
    ),
    Asked(
        "conditional_digits",
        "13",
        small_conditional_digits,
        (
            PLACE_OF_Z,
            "Style and label",
            "Erase and fill in",
            *map(str, range(CLASSES)),
            "Erase pixels",
            "a real",
            "Lower half",
            "Restore",
        ),
        ("decoder", "a network is missing"),
    ),
    Asked(
        "rotated_latents",
        "15",
        small_rotated_latents,
        (
            "The end of the old axis z₁",
            "angle",
            "As trained",
            "Largest MIG",
            "Smallest MIG",
            "Colour by",
        ),
        ("decoder", "a network is missing"),
    ),
    Asked(
        "planted_defects",
        "14",
        small_planted_defects,
        ("noisy", "others", "how much"),
        ("deviations", "missing"),
    ),
    Asked(
        "quiz",
        "every",
        small_quiz,
        (
            "A. <b>bold</b>",
            "B. Itself, & σ²",
            "C. Nothing",
            "Check",
            "A. Not always",
            "B. Always",
            "Check",
        ),
        ("questions", "questions are missing"),
    ),
)
each_figure = pytest.mark.parametrize("asked", FIGURES, ids=lambda asked: asked.name)
