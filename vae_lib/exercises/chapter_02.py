"""Exercises of chapter 2, the probabilistic encoder."""

import math

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _log_density(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return Independent(Normal(mu, (0.5 * log_var).exp()), 1).log_prob(z)


def _log_density_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 2), (4, 5), (2, 7)]
    return [tuple(torch.randn(3, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _variance_as_scale(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return Independent(Normal(mu, log_var.exp()), 1).log_prob(z)


def _whole_log_variance(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) - 0.5 * log_var.sum(-1)


def _without_log_variance(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) + 0.5 * log_var.sum(-1)


def _without_constant(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) + 0.5 * z.shape[-1] * math.log(2 * math.pi)


def _one_constant(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _without_constant(z, mu, log_var) - 0.5 * math.log(2 * math.pi)


def _mean_over_dimensions(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return _log_density(z, mu, log_var) / z.shape[-1]


def _per_dimension(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    return Normal(mu, (0.5 * log_var).exp()).log_prob(z)


def _draw(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    covariance = torch.diag_embed(log_var.exp())
    factor = torch.linalg.cholesky(covariance)
    return mu + (factor @ eps.unsqueeze(-1)).squeeze(-1)


def _draw_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_draws, n_images, latent_dim in [(5, 3, 2), (4, 2, 6)]:
        shape = n_draws + 2, n_images, latent_dim
        numbers = torch.randn(*shape, generator=generator, dtype=torch.float64)
        cases.append((numbers[0], 2 * numbers[1], numbers[2:]))
    return cases


def _encoder_head(output: Tensor) -> Distribution:
    mu, log_var = output.tensor_split(2, dim=-1)
    variance = log_var.clamp(-20, 20).exp()
    return Independent(Normal(mu, variance.sqrt()), 1)


def _encoder_head_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_images, latent_dim in [(3, 2), (2, 5)]:
        output = torch.randn(n_images, 2 * latent_dim, generator=generator, dtype=torch.float64)
        output[0, -1], output[1, -2] = 60.0, -60.0
        cases.append((output,))
    return cases


def _shape_and_moments(q_z: Distribution, output: Tensor) -> tuple:
    return q_z.mean, q_z.stddev.log(), q_z.log_prob(q_z.mean)


def _head(output: Tensor, *, halved: bool, clamped: bool, joint: bool) -> Distribution:
    mu, log_var = output.chunk(2, dim=-1)
    log_var = log_var.clamp(-20, 20) if clamped else log_var
    q_z = Normal(mu, (0.5 * log_var if halved else log_var).exp())
    return Independent(q_z, 1) if joint else q_z


def _head_as_printed(output: Tensor) -> Distribution:
    return _head(output, halved=False, clamped=False, joint=False)


def _head_with_variance_as_scale(output: Tensor) -> Distribution:
    return _head(output, halved=False, clamped=True, joint=True)


def _head_with_variance_as_scale_unclamped(output: Tensor) -> Distribution:
    return _head(output, halved=False, clamped=False, joint=True)


def _head_per_dimension(output: Tensor) -> Distribution:
    return _head(output, halved=True, clamped=True, joint=False)


def _head_with_scale_alone_mended(output: Tensor) -> Distribution:
    return _head(output, halved=True, clamped=False, joint=False)


def _head_unclamped(output: Tensor) -> Distribution:
    return _head(output, halved=True, clamped=False, joint=True)


def _head_with_half_log_variance_clamped(output: Tensor) -> Distribution:
    mu, log_var = output.chunk(2, dim=-1)
    return Independent(Normal(mu, (0.5 * log_var).clamp(-20, 20).exp()), 1)


def _overlap(mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor) -> Tensor:
    """By quadrature: ∫ √(q_a q_b) dz is a product of integrals over one dimension each."""
    z = torch.linspace(-60, 60, 40_001, dtype=mu_a.dtype).reshape(-1, 1, 1)
    log_a = Normal(mu_a, (0.5 * log_var_a).exp()).log_prob(z)
    log_b = Normal(mu_b, (0.5 * log_var_b).exp()).log_prob(z)
    return torch.trapezoid((0.5 * (log_a + log_b)).exp(), z, dim=0).prod(-1)


def _overlap_cases(generator: torch.Generator) -> list[tuple]:
    shapes = [(4, 2), (2, 3)]
    return [tuple(torch.randn(4, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _log_overlap_of_means(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor, factor: float = 0.25
) -> Tensor:
    return -factor * (mu_a - mu_b).square() / (log_var_a.exp() + log_var_b.exp())


def _log_overlap_of_widths(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    geometric_mean = 0.5 * (log_var_a + log_var_b)
    return 0.5 * (geometric_mean + math.log(2) - torch.logaddexp(log_var_a, log_var_b))


def _overlap_without_widths(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    return _log_overlap_of_means(mu_a, log_var_a, mu_b, log_var_b).sum(-1).exp()


def _overlap_halved_twice(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    means = _log_overlap_of_means(mu_a, log_var_a, mu_b, log_var_b, factor=0.125)
    return (means + _log_overlap_of_widths(mu_a, log_var_a, mu_b, log_var_b)).sum(-1).exp()


def _overlap_with_variance_as_scale(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    return _overlap_of_gaussians(mu_a, 2 * log_var_a, mu_b, 2 * log_var_b).prod(-1)


def _overlap_averaged(mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor) -> Tensor:
    return _overlap_of_gaussians(mu_a, log_var_a, mu_b, log_var_b).mean(-1)


def _overlap_without_root(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    scale = 0.5 * torch.logaddexp(log_var_a, log_var_b)
    return Independent(Normal(mu_b, scale.exp()), 1).log_prob(mu_a).exp()


def _logarithm_of_overlap(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    return _overlap_of_gaussians(mu_a, log_var_a, mu_b, log_var_b).prod(-1).log()


def _overlap_of_gaussians(
    mu_a: Tensor, log_var_a: Tensor, mu_b: Tensor, log_var_b: Tensor
) -> Tensor:
    means = _log_overlap_of_means(mu_a, log_var_a, mu_b, log_var_b)
    return (means + _log_overlap_of_widths(mu_a, log_var_a, mu_b, log_var_b)).exp()


EXERCISES = (
    Exercise(
        "2.1",
        oracle=_log_density,
        cases=_log_density_cases,
        mistakes=(
            Mistake(
                "variance as scale",
                _variance_as_scale,
                "You use `log_var.exp()` as if it were σ. What is σ, if `log_var` is log σ²?",
            ),
            Mistake(
                "whole log-variance",
                _whole_log_variance,
                "Your normalising term is log σ² where it should be log σ: which factor relates "
                "the two?",
            ),
            Mistake(
                "no log-variance",
                _without_log_variance,
                "A wide Gaussian must be lower at its centre than a narrow one, yet at z = μ your "
                "density does not depend on σ.",
            ),
            Mistake(
                "no constant",
                _without_constant,
                "Your density does not integrate to 1: which term depends on neither z, μ nor σ?",
            ),
            Mistake(
                "one constant",
                _one_constant,
                "You count the constant once for an image. How many one-dimensional densities are "
                "multiplied, and how many constants does that make?",
            ),
            Mistake(
                "mean over dimensions",
                _mean_over_dimensions,
                "The logarithm of a product is the sum of the logarithms, not their mean.",
            ),
            Mistake(
                "one value per dimension",
                _per_dimension,
                "These are the right one-dimensional log densities, (B, L). The density of the "
                "whole z is one number an image, (B,): how do they combine?",
            ),
        ),
    ),
    Exercise(
        "2.2",
        oracle=_draw,
        cases=_draw_cases,
        mistakes=(
            Mistake(
                "variance as scale",
                lambda mu, log_var, eps: mu + log_var.exp() * eps,
                "Your draws have the standard deviation σ²: the noise is scaled by σ, and "
                "`log_var.exp()` is not σ.",
            ),
            Mistake(
                "log-variance as scale",
                lambda mu, log_var, eps: mu + log_var * eps,
                "You scale the noise by log σ², which may be negative and is 0 where σ is 1.",
            ),
            Mistake(
                "half the log-variance as scale",
                lambda mu, log_var, eps: mu + 0.5 * log_var * eps,
                "You scale the noise by log σ. One step is missing to come from log σ to σ.",
            ),
            Mistake(
                "mean as draw",
                lambda mu, log_var, eps: mu.expand_as(eps),
                "You return the mean of q(z|x), which is no draw: where is the noise?",
            ),
            Mistake(
                "mean scaled as well",
                lambda mu, log_var, eps: (mu + eps) * (0.5 * log_var).exp(),
                "Only the noise is scaled by σ: your draws scatter about σμ instead of μ.",
            ),
            Mistake(
                "precision as scale",
                lambda mu, log_var, eps: mu + eps * (-0.5 * log_var).exp(),
                "You divide the noise by σ: where q(z|x) is wide, your draws are narrow.",
            ),
        ),
    ),
    Exercise(
        "2.3",
        oracle=_encoder_head,
        cases=_encoder_head_cases,
        summarise=_shape_and_moments,
        mistakes=(
            Mistake(
                "as printed",
                _head_as_printed,
                "This is still the head as printed. Begin with its second line: what does the "
                "second half of the output stand for, and what does `Normal` take?",
            ),
            Mistake(
                "variance as scale",
                _head_with_variance_as_scale,
                "`Normal` takes a standard deviation and you give it the variance.",
            ),
            Mistake(
                "variance as scale, unbounded",
                _head_with_variance_as_scale_unclamped,
                "q now has one density an image. But `Normal` takes a standard deviation and you "
                "give it the variance.",
            ),
            Mistake(
                "one value per dimension",
                _head_per_dimension,
                "The scale is right and bounded, but `log_prob` still returns one value for every "
                "dimension. `td.Independent` makes one distribution of L dimensions of them.",
            ),
            Mistake(
                "scale alone mended",
                _head_with_scale_alone_mended,
                "The scale is right. Look at the shape that `log_prob` returns: (B, L), not (B,).",
            ),
            Mistake(
                "no bound",
                _head_unclamped,
                "Two of the three faults are mended. An output of 200 still gives a σ of 2.7e43, "
                "which float32 cannot hold: bound the log-variance.",
            ),
            Mistake(
                "bound on log σ",
                _head_with_half_log_variance_clamped,
                "You bound log σ between -20 and 20. The range is that of log σ², so the bound "
                "comes before the halving.",
            ),
        ),
    ),
    Exercise(
        "2.4",
        oracle=_overlap,
        cases=_overlap_cases,
        mistakes=(
            Mistake(
                "means alone",
                _overlap_without_widths,
                "Two Gaussians about the same mean get an overlap of 1 from you even if one is "
                "far wider than the other: the factor with the widths is missing.",
            ),
            Mistake(
                "halved twice",
                _overlap_halved_twice,
                "Your exponent is half of what it should be. Is the width you divide by the sum "
                "of the two variances, or their mean?",
            ),
            Mistake(
                "variance as scale",
                _overlap_with_variance_as_scale,
                "The formula wants σ². You square `log_var.exp()` once more, as if it were σ.",
            ),
            Mistake(
                "mean over dimensions",
                _overlap_averaged,
                "An integral of a product over independent dimensions is a product of integrals; "
                "you take the mean of them.",
            ),
            Mistake(
                "no square root",
                _overlap_without_root,
                "You integrate q_a q_b. Without the square root, two equal Gaussians do not get "
                "the overlap 1.",
            ),
            Mistake(
                "logarithm",
                _logarithm_of_overlap,
                "This is the logarithm of the overlap: an overlap lies between 0 and 1.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "For some image the encoder puts out μ = 3 and log σ² = −2 in one latent dimension. "
        "How is a code drawn, with `eps` standard normal?",
        options=(
            Option(
                "`z = 3 + 0.14 * eps`",
                "0.14 is e⁻², the variance. Noise is scaled by the standard deviation, whose "
                "logarithm is half as large.",
            ),
            Option(
                "`z = 3 + 0.37 * eps`",
                "Half of the log-variance is the logarithm of σ, and e⁻¹ is about 0.37. "
                "Without the half nothing crashes, and the noise is too weak here and too "
                "strong elsewhere.",
                right=True,
            ),
            Option(
                "`z = 3 - 2 * eps`",
                "That takes the output for σ itself. This Gaussian would be more than five "
                "times as wide as the one that the encoder means.",
            ),
            Option(
                "Not at all, since a variance cannot be negative",
                "The logarithm is negative, not the variance; it only says that σ is below 1. "
                "The network puts out a logarithm so that any number will do.",
            ),
        ),
    ),
    Question(
        "One latent dimension. Where the code lies, the decoder's mean is a straight line of "
        "slope ‖J‖ = 2, and its noise is σₓ = 1. Which width σ of q(z|x) is best for the "
        "reconstruction term alone, and which for the ELBO?",
        options=(
            Option(
                "0 and 0, since noise never helps to reconstruct",
                "It does not, but the ELBO's second term pays for width: it contains log σ, "
                "which goes to minus infinity at 0, and no finite gain in reconstruction "
                "makes up for that.",
            ),
            Option(
                "0 and 0.20",
                "1/(1 + ‖J‖²/σₓ²) = 0.2 is the best variance. The width is its square root.",
            ),
            Option(
                "0 and 0.45",
                "Alone, noise costs σ² ‖J‖²/2σₓ² nats and earns none, so σ collapses. With "
                "the second term the best variance is 1/(1 + ‖J‖²/σₓ²) = 0.2, whose root is "
                "0.45.",
                right=True,
            ),
            Option(
                "0.45 and 1, the width of the prior",
                "Width 1 is what the second term wants by itself; the ELBO strikes a balance "
                "below it. And with the reconstruction term alone nothing stops σ before 0.",
            ),
        ),
    ),
    Question(
        "A data set has two images, equally frequent, with q(z|x) = N((1, 1), 0.1² I) for the "
        "one and N((−1, −1), 0.1² I) for the other. What is the correlation of z₁ and z₂ over "
        "the data?",
        options=(
            Option(
                "About 0.99",
                "The means move z₁ and z₂ together, with a variance and a covariance of 1; "
                "the two Gaussians add a variance of 0.01 to each and no covariance: 1/1.01. "
                "Independent given x is not independent over the data.",
                right=True,
            ),
            Option(
                "0, since both covariances are diagonal",
                "They are, and given the image z₁ tells nothing about z₂. Forget the image, "
                "and z₁ = 0.95 tells which one it was, and with that where z₂ must be.",
            ),
            Option(
                "There is none: the mixture is not a Gaussian",
                "A correlation needs two variances and a covariance, which every mixture of "
                "Gaussians has. The shape of the density does not enter.",
            ),
        ),
    ),
)
