"""Exercise 1.4: draws from a fitted Gaussian."""

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vae_lib.exercises import Exercise, Mistake


def _fitted_gaussian_draws(codes: Tensor, noise: Tensor) -> Tensor:
    # The symmetric root of the covariance, where the solution takes Cholesky's.
    variances, directions = torch.linalg.eigh(torch.cov(codes.T))
    return codes.mean(0) + noise @ (directions * variances.sqrt()) @ directions.T


def _codes_and_noise(generator: torch.Generator) -> list[tuple]:
    """Correlated codes, and noise whose mean is exactly 0 and whose covariance is exactly I."""
    mixing = torch.tensor([[2.0, 0.0, 0.0], [1.5, 0.5, 0.0], [-1.0, 0.8, 1.4]]).double()
    centre = torch.tensor([3.0, -2.0, 1.0]).double()
    cases = []
    for n_dims in (2, 3):
        white, noise = torch.randn(2, 3000, n_dims, generator=generator, dtype=torch.float64)
        codes = centre[:n_dims] + white @ mixing[:n_dims, :n_dims].T
        noise = noise - noise.mean(0)
        whitening = torch.linalg.inv(torch.linalg.cholesky(torch.cov(noise.T)))
        cases.append((codes, noise @ whitening.T))
    return cases


def _mean_and_covariance(draws: Tensor, codes: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    return draws.mean(0), torch.cov(draws.T)


EXERCISE = Exercise(
    "1.4",
    oracle=_fitted_gaussian_draws,
    cases=_codes_and_noise,
    summarise=_mean_and_covariance,
    rtol=2e-3,  # whether the covariance was divided by N or by N - 1 makes 3e-4
    atol=2e-3,
    mistakes=(
        Mistake(
            "root not transposed",
            lambda codes, noise: codes.mean(0) + noise @ torch.linalg.cholesky(torch.cov(codes.T)),
            "The fault is still there. If `noise` has covariance I, then `noise @ A` has "
            "covariance AᵀA, while Cholesky's root R has RRᵀ = Σ: so what must A be?",
        ),
        Mistake(
            "independent dimensions",
            lambda codes, noise: codes.mean(0) + noise * codes.std(0),
            "Each dimension has the right spread, but your draws' dimensions are independent "
            "where those of the codes are not. The covariances are needed too.",
        ),
        Mistake(
            "variance as scale",
            lambda codes, noise: codes.mean(0) + noise * codes.var(0),
            "You scale by the variance, which squares the spread, and treat the dimensions as "
            "independent. What is the matrix form of a standard deviation?",
        ),
        Mistake(
            "covariance in place of its root",
            lambda codes, noise: codes.mean(0) + noise @ torch.cov(codes.T),
            "You multiply by the covariance Σ itself, so your draws have covariance Σ². Its "
            "root takes the place of σ.",
        ),
        Mistake(
            "no mean",
            lambda codes, noise: noise @ torch.linalg.cholesky(torch.cov(codes.T)).T,
            "The spread is right in all directions, but the draws lie round the origin: where "
            "do the codes lie?",
        ),
        Mistake(
            "noise of its own",
            lambda codes, noise: MultivariateNormal(codes.mean(0), torch.cov(codes.T)).sample(
                (len(noise),)
            ),
            "The distribution is right, but the draws come from noise of your own. Use "
            "`noise`: what turns it into draws is the point of the exercise.",
        ),
        Mistake(
            "correlation in place of covariance",
            lambda codes, noise: (
                codes.mean(0) + noise @ torch.linalg.cholesky(torch.corrcoef(codes.T)).T
            ),
            "You took the root of the correlation matrix: the scales of the dimensions are lost.",
        ),
    ),
)
