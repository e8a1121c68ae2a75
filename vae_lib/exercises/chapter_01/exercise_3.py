"""Exercise 1.3: draws from a fitted Gaussian."""

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vae_lib.exercises import Exercise, Mistake


def _fitted_gaussian_draws(codes: Tensor, noise: Tensor) -> Tensor:
    # The symmetric root of the covariance, where the solution takes Cholesky's.
    variances, directions = torch.linalg.eigh(torch.cov(codes.T))
    return codes.mean(0) + noise @ (directions * variances.sqrt()) @ directions.T


def _codes_and_noise(generator: torch.Generator) -> list[tuple]:
    """Correlated codes, and noise whose own mean and covariance are not quite 0 and I."""
    mixing = torch.tensor([[2.0, 0.0, 0.0], [1.5, 0.5, 0.0], [-1.0, 0.8, 1.4]])
    centre = torch.tensor([3.0, -2.0, 1.0])
    cases = []
    for n_codes, n_draws, n_dims in [(1000, 40, 2), (3000, 300, 3), (500, 7, 3)]:
        white = torch.randn(n_codes, n_dims, generator=generator)
        codes = centre[:n_dims] + white @ mixing[:n_dims, :n_dims].T
        cases.append((codes, torch.randn(n_draws, n_dims, generator=generator)))
    return cases


def _law(draws: Tensor, codes: Tensor, noise: Tensor) -> tuple[str, Tensor, Tensor]:
    """The Gaussian that the draws come from, read off the map that made them of the noise.

    A Gaussian's draws are b + Aᵀε for noise ε, exactly, row by row, and any A with AᵀA = Σ will do.
    Moments of the draws would be right for draws that were not made from the noise as well.
    """
    draws = torch.as_tensor(draws).detach().double()
    if not draws.isfinite().all():
        return "draws that are no numbers", codes.new_zeros(noise.shape[1:]), codes.T.cov() * 0
    inputs = torch.cat([torch.ones(len(noise), 1), noise], dim=1).double()
    coefficients = torch.linalg.lstsq(inputs, draws).solution
    if not torch.allclose(inputs @ coefficients, draws, rtol=1e-3, atol=1e-3):
        return "draws made otherwise", codes.new_zeros(noise.shape[1:]), codes.T.cov() * 0
    mean, root = coefficients[0], coefficients[1:]
    return "draws made from the rows of `noise`", mean, root.T @ root


EXERCISE = Exercise(
    "1.3",
    oracle=_fitted_gaussian_draws,
    cases=_codes_and_noise,
    summarise=_law,
    rtol=5e-3,  # whether the covariance was divided by N or by N - 1 makes 2e-3
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
            "Your draws don't follow from `noise` row by row, by the map that makes a Gaussian of "
            "it: start from `noise`, since what turns it into draws is the point of the exercise.",
        ),
        Mistake(
            "correlation in place of covariance",
            lambda codes, noise: (
                codes.mean(0) + noise @ torch.linalg.cholesky(torch.corrcoef(codes.T)).T
            ),
            "You took the root of the correlation matrix: the scales of the dimensions are lost.",
        ),
        Mistake(
            "one mean for all dimensions",
            lambda codes, noise: codes.mean() + noise @ torch.linalg.cholesky(torch.cov(codes.T)).T,
            "You add one number to all dimensions. Each of them has a mean of its own.",
        ),
    ),
)
