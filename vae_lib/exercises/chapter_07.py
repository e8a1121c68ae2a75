"""Exercises of chapter 7, the reparameterisation trick."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _pathwise_gradients(slope: Tensor, log_var: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """By autograd through the draw; the mean is 0, since the slopes are given."""
    mu = torch.zeros_like(log_var).requires_grad_()
    log_var = log_var.detach().clone().requires_grad_()
    z = mu + torch.diag_embed(log_var.exp().sqrt()).matmul(eps.unsqueeze(-1)).squeeze(-1)
    return torch.autograd.grad((slope * z).sum() / len(eps), (mu, log_var))


def _pathwise_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, n_images, latent_dim in [(5, 3, 2), (4, 2, 6)]:
        shape = 2 * n_draws + 1, n_images, latent_dim
        numbers = torch.randn(*shape, generator=generator, dtype=torch.float64)
        cases.append((numbers[:n_draws], 1.5 * numbers[-1], numbers[n_draws:-1]))
    return cases


def _pathwise_with(
    slope: Tensor, log_var: Tensor, eps: Tensor, *, half: float, power: float
) -> tuple[Tensor, Tensor]:
    return slope.mean(0), (slope * half * (power * log_var).exp() * eps).mean(0)


def _score_gradient(f_z: Tensor, z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    """By autograd of the surrogate f log q."""
    mu = mu.detach().clone().requires_grad_()
    log_q = Normal(mu, sigma).log_prob(z).sum(-1)
    return torch.autograd.grad((f_z * log_q).mean(), mu)[0]


def _score_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, latent_dim in [(7, 3), (5, 2)]:
        numbers = torch.randn(n_draws + 2, latent_dim, generator=generator, dtype=torch.float64)
        mu, sigma = numbers[0], (0.7 * numbers[1]).exp()
        f_z = 2 + torch.randn(n_draws, generator=generator, dtype=torch.float64)
        cases.append((f_z, mu + sigma * numbers[2:], mu, sigma))
    return cases


def _weighted_scores(
    f_z: Tensor, z: Tensor, mu: Tensor, sigma: Tensor, *, power: int = 2, total: bool = False
) -> Tensor:
    products = f_z[:, None] * (z - mu) / sigma**power
    return products.sum(0) if total else products.mean(0)


def _score_with_baseline(f_z: Tensor, z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return _weighted_scores(f_z - f_z.mean(), z, mu, sigma)


def _best_baseline(f_z: Tensor, score: Tensor) -> Tensor:
    """By least squares: f s is to be explained by b s, for one dimension at a time."""
    solutions = [torch.linalg.lstsq(s[:, None], (f_z * s)[:, None]).solution for s in score.T]
    return torch.stack(solutions).flatten()


def _baseline_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, latent_dim in [(9, 3), (6, 2)]:
        score = 0.5 + torch.randn(n_draws, latent_dim, generator=generator, dtype=torch.float64)
        f_z = 3 + 2 * torch.randn(n_draws, generator=generator, dtype=torch.float64)
        cases.append((f_z, score))
    return cases


def _mean_of_f(f_z: Tensor, score: Tensor) -> Tensor:
    return f_z.mean().expand(score.shape[-1]).clone()


def _weighted_by_score(f_z: Tensor, score: Tensor) -> Tensor:
    return (f_z[:, None] * score).sum(0) / score.sum(0)


def _not_normalised(f_z: Tensor, score: Tensor) -> Tensor:
    return (f_z[:, None] * score**2).mean(0)


def _regression_slope(f_z: Tensor, score: Tensor) -> Tensor:
    return (f_z[:, None] * score).sum(0) / (score**2).sum(0)


def _pooled(f_z: Tensor, score: Tensor) -> Tensor:
    squared_norm = (score**2).sum(-1)
    best = (f_z * squared_norm).sum() / squared_norm.sum()
    return best.expand(score.shape[-1]).clone()


def _enumerated_gradient(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    """π (1 - π) times the expected difference that each bit makes, bit by bit."""
    probs = logits.sigmoid()
    return probs * (1 - probs) * _gradient_for_probs(f, logits)


def _gradient_for_probs(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    outcomes, weight = _outcomes(logits)
    differences = []
    for i, prob in enumerate(logits.sigmoid()):
        is_on = outcomes[:, i] == 1
        with_bit = (weight * f(outcomes))[is_on].sum() / prob
        differences.append(with_bit - (weight * f(outcomes))[~is_on].sum() / (1 - prob))
    return torch.stack(differences)


def _outcomes(logits: Tensor) -> tuple[Tensor, Tensor]:
    """All outcomes, (2^L, L), and the probability of each, (2^L,)."""
    n_bits = len(logits)
    codes = torch.arange(2**n_bits)[:, None] >> torch.arange(n_bits) & 1
    outcomes = codes.to(logits.dtype)
    probs = logits.sigmoid()
    return outcomes, (outcomes * probs + (1 - outcomes) * (1 - probs)).prod(-1)


def _enumeration_cases(generator: torch.Generator) -> list[tuple]:
    return [_enumeration_case(n_bits, generator) for n_bits in (3, 5)]


def _enumeration_case(n_bits: int, generator: torch.Generator) -> tuple:
    weights = torch.randn(n_bits, 2, generator=generator, dtype=torch.float64)
    logits = 1.5 * torch.randn(n_bits, generator=generator, dtype=torch.float64)

    def f(z: Tensor) -> Tensor:
        return (z @ weights).square().sum(-1) + torch.sin(3 * z[..., 0])

    return f, logits


def _gradient_at_the_mean(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    logits = logits.detach().clone().requires_grad_()
    return torch.autograd.grad(f(logits.sigmoid()[None]).sum(), logits)[0]


def _without_weights(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    outcomes, _ = _outcomes(logits)
    return (f(outcomes)[:, None] * (outcomes - logits.sigmoid())).mean(0)


def _of_log_q(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    outcomes, _ = _outcomes(logits)
    return (f(outcomes)[:, None] * (outcomes - logits.sigmoid())).sum(0)


EXERCISES = (
    Exercise(
        "7.1",
        oracle=_pathwise_gradients,
        cases=_pathwise_cases,
        mistakes=(
            Mistake(
                "gradient for σ",
                lambda slope, log_var, eps: (slope.mean(0), (slope * eps).mean(0)),
                "Your second gradient is the one for σ. One more link of the chain leads from σ "
                "to log σ².",
            ),
            Mistake(
                "no half",
                lambda slope, log_var, eps: _pathwise_with(slope, log_var, eps, half=1, power=0.5),
                "Your second gradient is twice what it should be: it is the one for log σ.",
            ),
            Mistake(
                "gradient for σ²",
                lambda slope, log_var, eps: _pathwise_with(
                    slope, log_var, eps, half=0.5, power=-0.5
                ),
                "Your second gradient is the one for the variance. What is asked for is the one "
                "for its logarithm.",
            ),
            Mistake(
                "variance as scale",
                lambda slope, log_var, eps: _pathwise_with(slope, log_var, eps, half=0.5, power=1),
                "`log_var.exp()` is σ², and a draw moves in proportion to σ.",
            ),
            Mistake(
                "variance as scale, differentiated",
                lambda slope, log_var, eps: _pathwise_with(slope, log_var, eps, half=1, power=1),
                "These are the gradients of the draw `mu + log_var.exp() * eps`, whose noise is "
                "scaled by the variance.",
            ),
            Mistake(
                "sum over draws",
                lambda slope, log_var, eps: tuple(
                    len(eps) * g for g in _pathwise_gradients(slope, log_var, eps)
                ),
                "An expectation is estimated by the mean over the K draws; you have their sum.",
            ),
            Mistake(
                "no reduction",
                lambda slope, log_var, eps: (slope, slope * 0.5 * (0.5 * log_var).exp() * eps),
                "These are the K estimates, one for each draw. What is left to do with them?",
            ),
        ),
    ),
    Exercise(
        "7.2",
        oracle=_score_gradient,
        cases=_score_cases,
        mistakes=(
            Mistake(
                "noise as score",
                lambda f_z, z, mu, sigma: _weighted_scores(f_z, z, mu, sigma, power=1),
                "You multiply by ε = (z - μ)/σ. Differentiate log q(z) with respect to μ again: "
                "which power of σ is left?",
            ),
            Mistake(
                "no σ",
                lambda f_z, z, mu, sigma: _weighted_scores(f_z, z, mu, sigma, power=0),
                "Your score does not depend on σ, but the exponent of a Gaussian does.",
            ),
            Mistake(
                "sign",
                lambda f_z, z, mu, sigma: -_weighted_scores(f_z, z, mu, sigma),
                "The sign is reversed: a large f to the right of μ must push μ to the right.",
            ),
            Mistake(
                "sum over draws",
                lambda f_z, z, mu, sigma: _weighted_scores(f_z, z, mu, sigma, total=True),
                "An expectation is estimated by the mean over the K draws; you have their sum.",
            ),
            Mistake(
                "score alone",
                lambda f_z, z, mu, sigma: ((z - mu) / sigma**2).mean(0),
                "This is the mean score, whose expectation is zero whatever f is.",
            ),
            Mistake(
                "mean baseline",
                _score_with_baseline,
                "You subtract the mean of f over all draws. That is no part of the task, and it "
                "shrinks the estimate by (K - 1)/K, since each draw is in its own baseline.",
            ),
        ),
    ),
    Exercise(
        "7.3",
        oracle=_best_baseline,
        cases=_baseline_cases,
        mistakes=(
            Mistake(
                "mean of f",
                _mean_of_f,
                "The mean of f is a good baseline, but not the best: a draw with a large score "
                "should count for more.",
            ),
            Mistake(
                "weighted by the score",
                _weighted_by_score,
                "Your weights are the scores, which may be negative and whose expected sum is "
                "zero. Which power of the score stands in equation 7.6?",
            ),
            Mistake(
                "not normalised",
                _not_normalised,
                "If f is a constant, the best baseline is that constant. Yours is not: what is "
                "missing below the line?",
            ),
            Mistake(
                "regression slope",
                _regression_slope,
                "This is the slope of f as a function of the score. Look at the numerator of "
                "equation 7.6 again.",
            ),
            Mistake(
                "one for all dimensions",
                _pooled,
                "This is the best constant that all dimensions can share. Each has a score of "
                "its own, and may have a baseline of its own.",
            ),
        ),
    ),
    Exercise(
        "7.4",
        oracle="e",
        mistakes=(
            Mistake("line a", "a", "Line a is the encoder, as everywhere in the book."),
            Mistake(
                "line b",
                "b",
                "With the score function z is held constant, so `sample` is what is wanted here.",
            ),
            Mistake(
                "line c",
                "c",
                "Line c is right: it is where the decoder's gradient comes from. Follow where "
                "`log_px` is used.",
            ),
            Mistake(
                "line d",
                "d",
                "Line d is the mean over the seven other draws, as it should be. What happens to "
                "it on the way back is decided elsewhere.",
            ),
            Mistake(
                "line f",
                "f",
                "Line f is right: a mean over draws, less an exact KL divergence.",
            ),
        ),
    ),
    Exercise(
        "7.5",
        oracle=_enumerated_gradient,
        cases=_enumeration_cases,
        mistakes=(
            Mistake(
                "gradient for the probabilities",
                _gradient_for_probs,
                "This is the gradient for the probabilities π. What is the derivative of the "
                "sigmoid?",
            ),
            Mistake(
                "f at the mean",
                _gradient_at_the_mean,
                "You differentiate f at the probabilities, where no bit ever is. The mean of f is "
                "not f of the mean unless f is linear.",
            ),
            Mistake(
                "equal weights",
                _without_weights,
                "You give all outcomes the same weight. How probable is each?",
            ),
            Mistake(
                "sum of f log q",
                _of_log_q,
                "You differentiate the sum of f log q, every outcome counting once. The "
                "expectation weights f by q itself.",
            ),
            Mistake(
                "sign",
                lambda f, logits: -_enumerated_gradient(f, logits),
                "The sign is reversed: a logit should go up if its bit raises f.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "`mu` and `sigma` come from the encoder, `q_z` is `Normal(mu, sigma)`, and `eps` is "
        "standard normal noise. With which of these lines does log p(x|z) pass a gradient to "
        "`mu`, but none to `sigma`?",
        options=(
            Option(
                "`z = q_z.sample()`",
                "Here neither gets one: the draw has forgotten where it came from, and the "
                "encoder answers to the KL alone.",
            ),
            Option(
                "`z = q_z.rsample()`",
                "This draw remembers its path, μ + σε, and so both get theirs.",
            ),
            Option(
                "`z = mu + sigma * eps.detach()`",
                "The noise has no parameters behind it, so detaching it changes nothing. "
                "Shift and scale are both still differentiated.",
            ),
            Option(
                "`z = mu + (sigma * eps).detach()`",
                "The shift can be differentiated, the scale is cut off. It is left to the KL, "
                "which pulls it to 1.",
                right=True,
            ),
        ),
    ),
    Question(
        "f(z) = z² is replaced by f(z) = z² + 1000, for z from N(μ, σ²). What does that change?",
        options=(
            Option(
                "The gradient of E[f] with respect to μ",
                "E[f] is higher by 1000 wherever μ is, so its slope is the same.",
            ),
            Option(
                "The variance of the score-function estimate of that gradient",
                "Each draw's score, ε/σ, is multiplied by the height of f. The 1000 leave its "
                "mean alone and raise its variance by more than 1000²/σ², which a baseline "
                "takes away again.",
                right=True,
            ),
            Option(
                "The mean of the score-function estimate, which is now biased",
                "The score has mean zero, and 1000 times zero is zero. What comes in is "
                "noise, not bias.",
            ),
            Option(
                "The variance of the pathwise estimate of that gradient",
                "It is made of slopes, 2z, and does not see how high f is.",
            ),
        ),
    ),
    Question(
        "f(z) is 1 for z > 0 and 0 otherwise, and z comes from N(μ, σ²). What does the "
        "pathwise estimate of ∂E[f]/∂μ give, with more and more draws?",
        options=(
            Option(
                "The right value: the jump is one point, of probability 0",
                "The draws miss it indeed, and that is the trouble. E[f] changes because "
                "draws cross the jump, and no slope at a draw shows it.",
            ),
            Option(
                "0, whatever the number of draws",
                "The slope is 0 wherever it exists, though E[f] = Φ(μ/σ) does grow with μ. "
                "Derivative and expectation may be exchanged for a continuous f; the score "
                "function needs no slope.",
                right=True,
            ),
            Option(
                "The right value, though with a very large variance",
                "Its variance is 0: every draw gives the same answer. Not noisy, but wrong.",
            ),
        ),
    ),
)
