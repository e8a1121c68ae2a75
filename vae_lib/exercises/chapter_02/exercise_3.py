"""Exercise 2.3: find what is wrong."""

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from vae_lib.exercises import Exercise, Mistake


def _encoder_head(output: Tensor) -> Distribution:
    mu, log_var = output.tensor_split(2, dim=-1)
    variance = log_var.clamp(-20, 20).exp()
    return Independent(Normal(mu, variance.sqrt()), 1)


def _encoder_head_cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for n_images, latent_dim in [(3, 2), (2, 5)]:
        output = torch.randn(n_images, 2 * latent_dim, generator=generator, dtype=torch.float64)
        output[0, -1], output[1, -2], output[0, 0] = 60.0, -60.0, 30.0
        output[1, latent_dim - 2] = 0.0  # beside which single precision can hold its narrow σ
        cases.append((output,))
    return cases


def _shape_and_moments(q_z: Distribution, output: Tensor) -> tuple:
    """Its moments, and log-densities at its mean and beside it; fails where it is none."""
    z = torch.stack([q_z.mean, q_z.mean + 0.7 * q_z.stddev])
    return q_z.mean, q_z.stddev.log(), q_z.log_prob(z)


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


EXERCISE = Exercise(
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
)
