"""The Fréchet distance between two sets of rows, each seen as a Gaussian."""

import torch
from torch import Tensor

from vae_lib import checks


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """||μ_a - μ_b||² + Tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½) for the rows of a, (N, D), and of b, (M, D).

    The squared 2-Wasserstein distance between Gaussians with the samples' means and covariances
    (divided by N - 1, M - 1): in the squared units of the data, at least 0, and blind to all that
    means and covariances do not show. On features of an Inception network it is called FID; here
    a and b may be pixels, or features from any network, the same for both.

    It is biased: for two samples of one Gaussian N(μ, σ² I) it is about
    σ² D (D + 5) / 4 (1/N + 1/M), where N and M are much larger than D, and 0 in truth. In general
    its mean is the truth and a term of the order of 1/N, which differs between models, so that of
    two at the same distance the narrower one seems closer. Compare samples of the same sizes, with
    `real_against_real` beside them. Where N is not above D a covariance lacks rank, and the number
    exists but says little.

    Computed in float64 as the sum of the singular values of a product of triangular factors, so
    there is no root of a matrix that might be complex. Rounding is about 1e-15 (Tr Σ_a + Tr Σ_b).

    Raises:
        ValueError: fewer than 2 rows, or what are no finite rows of one length.

    Source: Heusel et al. (2017); Dowson and Landau (1982). Bias: Bińkowski et al. (2018), Chong
    and Forsyth (2020).
    """
    a = checks.rows(a, "a").cpu().double()
    b = checks.rows(b, "b", n_columns=a.shape[1]).cpu().double()
    if min(len(a), len(b)) < 2:
        raise ValueError(
            f"A covariance needs 2 rows or more, but a and b have {len(a)} and {len(b)}."
        )
    apart = (a.mean(0) - b.mean(0)).square().sum()
    root_a, root_b = _root_of_covariance(a), _root_of_covariance(b)
    # Tr (Σ_a Σ_b)^½ with Σ = RᵀR is the sum of the singular values of R_a R_bᵀ.
    shared = torch.linalg.svdvals(root_a @ root_b.T).sum()
    squared = apart + root_a.square().sum() + root_b.square().sum() - 2 * shared
    return squared.clamp_min(0).item()


def _root_of_covariance(x: Tensor) -> Tensor:
    """R with RᵀR the covariance of the rows of x, (min(N, D), D)."""
    centred = (x - x.mean(0)) / (len(x) - 1) ** 0.5
    return torch.linalg.qr(centred, mode="r").R
