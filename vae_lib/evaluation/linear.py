"""The best linear VAE for data of known covariance, in closed form: no model is ever trained."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_lib import checks


@dataclass(frozen=True)
class LinearOptimum:
    """The best linear VAE; latent dimensions in the order of the eigenvalues, largest first.

    Likelihoods are means over the data, in nats per example.
    """

    active: Tensor
    """Whether a dimension is used, bool (L,): λ_l > β σ²."""
    column_lengths: Tensor
    """||w_l||, the lengths of the decoder's columns, (L,): sqrt(λ_l - β σ²), or 0."""
    posterior_variances: Tensor
    """The variances of q(z|x), the same for every x, (L,): β σ² / λ_l, or 1."""
    kl: Tensor
    """The mean of KL(q(z_l|x) || p(z_l)), (L,): ½ log(λ_l / β σ²), or 0. Their sum is the rate."""
    squared_error: float
    """E ||x - W z||², z drawn from q(z|x), summed over the dimensions of x: the distortion."""
    expected_log_likelihood: float
    """E_q[log p(x|z)]."""
    log_likelihood: float
    """log p(x): the ELBO for β = 1, and above it for any other β that has active dimensions."""

    @property
    def rate(self) -> float:
        """The mean of KL(q(z|x) || p(z))."""
        return self.kl.sum().item()

    @property
    def elbo(self) -> float:
        """E_q[log p(x|z)] - KL, whatever the β for which the model is the best."""
        return self.expected_log_likelihood - self.rate


def linear_optimum(
    eigenvalues: Tensor, *, latent_dim: int, sigma: float, beta: float = 1.0
) -> LinearOptimum:
    """The exact optimum of E_q[log p(x|z)] - β KL for a linear decoder, p(x|z) = N(W z + m, σ² I).

    The encoder is linear too, q(z|x) = N(V (x - m), diag s), and the data have mean m and a
    covariance with these eigenvalues; nothing else about them matters. Dimension l of z is used if
    λ_l > β σ². Its column in W then lies along the l-th eigenvector and has the squared length
    λ_l - β σ², and s_l = β σ² / λ_l. The others are dark: column 0, q(z_l|x) = p(z_l).

    With β = 1 this is probabilistic PCA with σ fixed, q(z|x) is the posterior, and the ELBO is the
    largest log-likelihood. Turning z (W R for an orthogonal R) leaves log p(x) as it is, but the
    ELBO only where R mixes no two columns of different length, since q stays diagonal.

    Args:
        eigenvalues: λ, (D,), of the data's covariance, in any order; none below 0.
        latent_dim: L, 1 or more. Beyond D there is nothing to use.
        sigma: the decoder's fixed standard deviation, in the units of the data, above 0.
        beta: the weight of the KL, above 0.

    Raises:
        ValueError: eigenvalues that are none; sigma or beta that are not positive and finite.

    Source: Tipping and Bishop (1999), section 3.2; Lucas et al. (2019); for β, with β σ² in place
    of σ² in what is maximised. Taught in chapter 11.
    """
    spectrum = _spectrum(eigenvalues)
    latent_dim = checks.count(latent_dim, "latent_dim")
    sigma = sigma.item() if isinstance(sigma, Tensor) and sigma.ndim == 0 else sigma
    sigma, beta = checks.positive(sigma, "sigma"), checks.positive(beta, "beta")
    price, n_dims = beta * sigma**2, len(spectrum)
    # Dimensions of z without a direction of the data to themselves have no variance to explain.
    padded = torch.nn.functional.pad(spectrum, (0, max(0, latent_dim - n_dims)))[:latent_dim]
    active = padded > price
    used = torch.where(active, padded, price)
    explained = spectrum[: int(active.sum())]
    left = spectrum[len(explained) :].sum().item()
    squared_error = len(explained) * price + left
    log_scale = n_dims * math.log(2 * math.pi * sigma**2)
    return LinearOptimum(
        active=active,
        column_lengths=(used - price).sqrt(),
        posterior_variances=price / used,
        kl=0.5 * (used / price).log(),
        squared_error=squared_error,
        expected_log_likelihood=-0.5 * (log_scale + squared_error / sigma**2),
        log_likelihood=_mean_log_p(explained, price, sigma, n_dims, left),
    )


def _mean_log_p(explained: Tensor, price: float, sigma: float, n_dims: int, left: float) -> float:
    """The mean over the data of log N(x; m, W Wᵀ + σ² I)."""
    # The variances that the model gives the directions that it uses: ||w_l||² + σ².
    variances = explained - price + sigma**2
    log_p = (variances.log() + explained / variances).sum().item()
    log_p += (n_dims - len(explained)) * 2 * math.log(sigma) + left / sigma**2
    return -0.5 * (n_dims * math.log(2 * math.pi) + log_p)


def _spectrum(eigenvalues: object) -> Tensor:
    """The eigenvalues in float64, largest first; what is below 0 by rounding alone becomes 0."""
    values = checks.as_tensor(eigenvalues, "eigenvalues")
    if values.ndim != 1 or len(values) < 1 or values.is_complex():
        raise ValueError(
            "eigenvalues must be real numbers of shape (D,), D of 1 or more, but are "
            f"{values.dtype} of shape {tuple(values.shape)}. Those of data x, (N, D), are "
            "torch.linalg.eigvalsh(torch.cov(x.T))."
        )
    values = values.cpu().double().sort(descending=True).values
    if not values.isfinite().all() or values[-1] < -1e-6 * values[0].abs():
        raise ValueError(
            f"eigenvalues must be finite and none below 0, as those of a covariance are, but go "
            f"from {values[-1]:.6g} to {values[0]:.6g}."
        )
    return values.clamp_min(0)
