"""Exercises of chapter 8, training a VAE."""

from collections.abc import Callable

import torch
from scipy import stats
from torch import Tensor
from torch import distributions as td

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _terms(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    q_z = td.Independent(td.Normal(mu, log_var.exp().sqrt()), 1)
    p_z = td.Independent(td.Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    log_px = td.Independent(td.Bernoulli(logits=logits), 1).log_prob(x)
    return log_px, td.kl_divergence(q_z, p_z)


def _batch_loss(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl - log_px).mean()


def _batches(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_examples, latent_dim, data_dim in ((3, 2, 5), (4, 6, 7)):
        mu, log_var = torch.randn(
            2, n_examples, latent_dim, generator=generator, dtype=torch.float64
        )
        shape = (n_examples, data_dim)
        logits = 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)
        x = torch.rand(*shape, generator=generator, dtype=torch.float64).round()
        cases.append((mu, log_var, logits, x))
    return cases


def _sigma_for_variance(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, _ = _terms(mu, log_var, logits, x)
    kl = 0.5 * (mu.square() + (0.5 * log_var).exp() - 1 - log_var).sum(-1)
    return (kl - log_px).mean()


def _sigmoid_of_logits(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    return _batch_loss(mu, log_var, torch.sigmoid(logits), x)


def _combined(log_px_weight: float, kl_weight: float) -> Callable[..., Tensor]:
    def wrong(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
        log_px, kl = _terms(mu, log_var, logits, x)
        return (kl_weight * kl + log_px_weight * log_px).mean()

    return wrong


def _mean_over_pixels(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl - log_px / x.shape[-1]).mean()


def _mean_over_latents(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl / mu.shape[-1] - log_px).mean()


def _mean_over_both(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return (kl / mu.shape[-1] - log_px / x.shape[-1]).mean()


def _not_averaged(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    log_px, kl = _terms(mu, log_var, logits, x)
    return kl - log_px


def _summed(mu: Tensor, log_var: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    return _not_averaged(mu, log_var, logits, x).sum()


def _kl_weight(step: int, n_warm_up: int) -> float:
    return sorted((0.0, step / n_warm_up, 1.0))[1]


def _steps(generator: torch.Generator) -> list[tuple]:
    n = int(torch.randint(40, 80, (1,), generator=generator))
    return [(0, n), (1, n), (n // 3, n), (n, n), (3 * n, n)]


def _arc(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    # By turning in the plane of the two codes, each length apart: |z_a| and |z_b| scale the two
    # unit arcs that start at a and end at b.
    a, b = z_a / z_a.norm(), z_b / z_b.norm()
    across = b - (a @ b) * a
    across = across / across.norm()
    omega = torch.atan2(b @ across, b @ a)
    basis = torch.stack([a, across])  # (2, L)
    on_circle = torch.stack([torch.cos(t * omega), torch.sin(t * omega)], dim=-1)
    # A unit arc's point is u a + v b; its two weights then go to z_a and z_b themselves.
    weights = on_circle @ torch.linalg.pinv(torch.stack([a, b]) @ basis.T)
    return weights @ torch.stack([z_a, z_b])


def _code_pairs(generator: torch.Generator) -> list[tuple]:
    cases = []
    for latent_dim, n in ((3, 5), (8, 4)):
        z_a, z_b = torch.randn(2, latent_dim, generator=generator, dtype=torch.float64)
        t = torch.rand(n, generator=generator, dtype=torch.float64)
        # Short enough for arccos to take the scalar product of codes that were not normalised.
        cases.append((1.4 * z_a / z_a.norm(), 0.6 * z_b / z_b.norm(), t))
    return cases


def _straight(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return z_a + t[:, None] * (z_b - z_a)


def _not_normalised(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return _by_weights(z_a, z_b, t, torch.arccos(z_a @ z_b))


def _by_weights(z_a: Tensor, z_b: Tensor, t: Tensor, omega: Tensor) -> Tensor:
    t = t[:, None]
    return (torch.sin((1 - t) * omega) * z_a + torch.sin(t * omega) * z_b) / torch.sin(omega)


def _cosine_for_angle(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return _by_weights(z_a, z_b, t, torch.cosine_similarity(z_a, z_b, dim=0))


def _unit_codes(z_a: Tensor, z_b: Tensor, t: Tensor) -> Tensor:
    return _arc(z_a / z_a.norm(), z_b / z_b.norm(), t)


def _plane(n: int) -> Tensor:
    quantiles = stats.norm.ppf([(i + 0.5) / n for i in range(n)]).tolist()
    return torch.tensor([[z_1, z_2] for z_2 in reversed(quantiles) for z_1 in quantiles])


def _equal_steps(n: int) -> Tensor:
    low, high = stats.norm.ppf([0.5 / n, 1 - 0.5 / n])
    axis = torch.linspace(low, high, n)
    return torch.cartesian_prod(axis.flip(0), axis).flip(-1)


def _with_ends(n: int) -> Tensor:
    quantiles = torch.tensor(stats.norm.ppf(torch.linspace(0, 1, n).tolist()))
    return torch.cartesian_prod(quantiles.flip(0), quantiles).flip(-1)


def _without_half_steps(n: int) -> Tensor:
    quantiles = torch.tensor(stats.norm.ppf([(i + 1) / (n + 1) for i in range(n)]))
    return torch.cartesian_prod(quantiles.flip(0), quantiles).flip(-1)


EXERCISES = (
    Exercise(
        "8.1",
        oracle=_batch_loss,
        cases=_batches,
        mistakes=(
            Mistake(
                "sign",
                _combined(1.0, -1.0),
                "That is the ELBO itself. Adam makes its number small, so what should it be given?",
            ),
            Mistake(
                "KL subtracted",
                _combined(-1.0, -1.0),
                "You reward the KL divergence: in minus the ELBO it has a plus sign.",
            ),
            Mistake(
                "reconstruction with the wrong sign",
                _combined(1.0, 1.0),
                "Minimising this would make the images improbable: which sign does log p(x|z) "
                "have in minus the ELBO?",
            ),
            Mistake(
                "no KL",
                _combined(-1.0, 0.0),
                "That is the reconstruction term alone; chapter 2 showed what becomes of sigma.",
            ),
            Mistake(
                "mean over pixels",
                _mean_over_pixels,
                "You average the log-likelihood over pixels and sum the KL over latent dimensions: "
                "the KL weighs D times too much. Sum over both.",
            ),
            Mistake(
                "mean over latent dimensions",
                _mean_over_latents,
                "You average the KL over latent dimensions: it weighs L times too little. The "
                "divergence of independent dimensions is a sum.",
            ),
            Mistake(
                "means over both",
                _mean_over_both,
                "You average over pixels and over latent dimensions. Both are sums over the "
                "dimensions of an example; the only mean is over the batch.",
            ),
            Mistake(
                "standard deviation for variance",
                _sigma_for_variance,
                "Your KL has sigma where it should have its square: what does `exp(log_var)` give?",
            ),
            Mistake(
                "a sigmoid too many",
                _sigmoid_of_logits,
                "A sigmoid has been applied twice: `logits` go into the softplus form as they are.",
            ),
            Mistake(
                "not averaged",
                _not_averaged,
                "One loss for each image, and each is right: `backward` needs one number.",
            ),
            Mistake(
                "sum over the batch",
                _summed,
                "You sum over the batch, so the size of a step would depend on the batch size.",
            ),
        ),
    ),
    Exercise(
        "8.2",
        oracle=_kl_weight,
        cases=_steps,
        mistakes=(
            Mistake(
                "no ceiling",
                lambda step, n_warm_up: step / n_warm_up,
                "After the warm-up your weight goes on growing past 1.",
            ),
            Mistake(
                "max in place of min",
                lambda step, n_warm_up: max(1.0, step / n_warm_up),
                "Your weight is never below 1: the smaller of the two numbers is wanted.",
            ),
            Mistake(
                "falling",
                lambda step, n_warm_up: max(0.0, 1 - step / n_warm_up),
                "Your weight falls from 1 to 0: the price of information should rise.",
            ),
            Mistake(
                "one step early",
                lambda step, n_warm_up: min(1.0, (step + 1) / n_warm_up),
                "At step 0 your weight is not 0 yet: steps are counted from 0.",
            ),
            Mistake(
                "a switch",
                lambda step, n_warm_up: float(step >= n_warm_up),
                "Your weight jumps from 0 to 1. It should grow by the same amount at every step "
                "of the warm-up.",
            ),
        ),
    ),
    Exercise(
        "8.3",
        oracle=_arc,
        cases=_code_pairs,
        mistakes=(
            Mistake(
                "a straight line",
                _straight,
                "That is the straight line: the weights are sines of parts of the angle.",
            ),
            Mistake(
                "scalar product without normalising",
                _not_normalised,
                "The scalar product is the cosine of the angle only for codes of length 1.",
            ),
            Mistake(
                "cosine for angle",
                _cosine_for_angle,
                "You use the cosine of the angle where the angle itself belongs.",
            ),
            Mistake(
                "codes of length 1",
                _unit_codes,
                "The normalised codes give the angle; the codes that are weighted keep their "
                "lengths.",
            ),
            Mistake(
                "reversed",
                lambda z_a, z_b, t: _arc(z_b, z_a, t),
                "At t = 0 you are at `z_b`.",
            ),
            Mistake(
                "transposed",
                lambda z_a, z_b, t: _arc(z_a, z_b, t).T,
                "Your codes are columns: a decoder takes one code a row, shape (n, L).",
            ),
        ),
    ),
    Exercise(
        "8.4",
        oracle="d",
        mistakes=(
            Mistake("line a", "a", "Line a is right: a fresh permutation, cut into batches."),
            Mistake("line b", "b", "Line b is right: every batch is binarised afresh."),
            Mistake(
                "line c", "c", "Line c is right: the encoder looks at what is to be explained."
            ),
            Mistake(
                "line e",
                "e",
                "Line e is right: one value for each image. Ask which parameters it depends on.",
            ),
            Mistake(
                "line f",
                "f",
                "Line f is right, and it is all that the encoder learns from. What should reach it "
                "besides?",
            ),
            Mistake("line g", "g", "Line g is minus the ELBO, averaged: the signs are right."),
        ),
    ),
    Exercise(
        "8.5",
        oracle=_plane,
        cases=lambda generator: [(4,), (7,)],
        mistakes=(
            Mistake(
                "equal steps in z",
                _equal_steps,
                "Your codes are at equal steps of z. Equal steps in *probability* come closer "
                "together where the prior is dense: `Normal.icdf`.",
            ),
            Mistake(
                "both ends",
                _with_ends,
                "The quantiles at probability 0 and 1 are infinite: begin half a step inside.",
            ),
            Mistake(
                "n + 1 steps",
                _without_half_steps,
                "Your probabilities are i / (n + 1): with half a step at either end they are "
                "(i + 1/2) / n, and each image stands for 1 / n of the prior.",
            ),
            Mistake(
                "upside down",
                lambda n: _plane(n) * torch.tensor([1.0, -1.0]),
                "Your page is upside down: the first row is the one with the largest z_2.",
            ),
            Mistake(
                "coordinates exchanged",
                lambda n: _plane(n).flip(-1),
                "Along a row z_1 should grow, but your z_2 changes: the columns are exchanged.",
            ),
            Mistake(
                "columns first",
                lambda n: _plane(n).reshape(n, n, 2).transpose(0, 1).reshape(n * n, 2),
                "You fill the page column by column: the second code belongs to the right of the "
                "first.",
            ),
            Mistake(
                "mirrored",
                lambda n: _plane(n) * torch.tensor([-1.0, 1.0]),
                "Left and right are exchanged: along a row z_1 should grow.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "In latent dimension A the mean μ(x) varies over the images with a variance of 0.98, "
        "and σ² is 0.02 for all of them. In dimension B it is the other way round: 0.02 and "
        "0.98. The mean of μ(x) is 0 in both. Which dimension carries more nats of KL?",
        options=(
            Option(
                "B: its distributions are wider",
                "Width is not content. With σ² near 1 and means that hardly move, q(z|x) is "
                "next to the prior for every image.",
            ),
            Option(
                "Neither: each adds up to 1, as the prior asks",
                "That sum says that the codes fill the prior, however it is divided. The KL "
                "is taken image by image, and the part that belongs to the means is what "
                "tells images apart.",
            ),
            Option(
                "A, with about 2 nats against 0.01",
                "Averaged over the images, the KL is −½ log σ² where the two variances add up "
                "to 1. A decoder learns to ignore B.",
                right=True,
            ),
            Option(
                "A, but only by a little: 0.98 against 0.02 nats",
                "These are shares of a variance, not nats. What narrowness costs grows with "
                "−½ log σ², which is beyond 1 here.",
            ),
        ),
    ),
    Question(
        "From one epoch to a later one, the expected log-likelihood of held-out images rises "
        "by 6 nats and their KL by 8. What do you conclude?",
        options=(
            Option(
                "The model has improved by 6 nats: the KL is only a regulariser",
                "Both terms are nats of one sum. What the code costs counts as fully as what "
                "it brings.",
            ),
            Option(
                "The model has improved by 14 nats: more is told and more is reconstructed",
                "The KL is subtracted. It is the price of the code, not a merit of its own.",
            ),
            Option(
                "The bound has fallen by 2 nats: the gain was not worth its price",
                "6 − 8 = −2. A reconstruction term that rises does not say whether the rise "
                "was paid for; on held-out images this is often overfitting.",
                right=True,
            ),
            Option(
                "Nothing, as long as the scales of the two terms are not known",
                "They are known: both are sums over the dimensions of one image, in nats, "
                "with weight 1. That is what the convention is for.",
            ),
        ),
    ),
    Question(
        "On the same 300 test images model A scores −23.1 nats and model B −23.6, each with a "
        "standard error of 0.3. Is A the better one?",
        options=(
            Option(
                "That depends on the differences, image by image",
                "Images differ by many nats, and both models feel that alike. The standard "
                "error of the paired differences can be far below 0.3, or not: it has to be "
                "computed.",
                right=True,
            ),
            Option(
                "No: the intervals −23.1 ± 0.3 and −23.6 ± 0.3 overlap",
                "The two errors come from the same images and largely cancel in the "
                "difference. Overlap of the separate intervals decides nothing.",
            ),
            Option(
                "Yes: the difference exceeds one standard error",
                "If the scores were independent, the difference would have a standard error "
                "of 0.42, and 0.5 would be nothing unusual. They are not independent, so "
                "neither number is the yardstick.",
            ),
            Option(
                "Only more draws of z for each image can tell",
                "The 0.3 come from which images are in the test set. No number of draws makes "
                "the 300 images more.",
            ),
        ),
    ),
)
