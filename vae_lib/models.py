"""The models of the book: maps put together, and nothing else."""

import inspect

import torch
from torch import Tensor, nn
from torch import distributions as td

from vae_lib.checks import as_tensor, count, device_of, dtype_of, evaluating, moved, rows

_NO_AXES = torch.Size()


class Autoencoder(nn.Module):
    """A deterministic autoencoder: x to the code z = f(x), and back to x' = g(z).

    `encoder` maps (..., D) to (..., L), `decoder` maps (..., L) to (..., D).

    Taught in chapter 1.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction g(f(x)), of x's shape."""
        return self.decoder(self.encoder(x))


class VAE(nn.Module):
    """Three maps into distributions: x to q(z|x), z to p(x|z), and nothing to p(z).

    `encoder(x)`, `decoder(z)` and `prior()` each return a `torch.distributions` object. What is
    maximised, and how, is a function of the three: see `vae_lib.objectives`.

    Source: Kingma and Welling (2014). Taught in chapters 2, 3 and 8.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """`n` draws of x, (n, D), by ancestral sampling: z from p(z), then x from p(x|z).

        These are draws, noise included. The mean of p(x|z) is another thing, and the book never
        calls it a sample. They are made in evaluation mode, and each part then has its mode back.
        """
        with evaluating(self):
            return self.decoder(self.prior().sample((count(n, "The number of samples"),))).sample()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """The mean of p(x|z) at the mean of q(z|x): `x_mean`, of x's shape (B, D).

        In evaluation mode, like `sample`. x may be whatever holds rows of numbers: it is converted
        to what the model computes in, and must not hold NaN or infinite values.
        """
        x = rows(x, "x", dtype=dtype_of(self)).to(device_of(self))
        with evaluating(self):
            z = _mean(self.encoder(x), "q(z|x)")
            return _mean(self.decoder(z), "p(x|z)")


def _mean(distribution: td.Distribution, name: str) -> Tensor:
    try:
        return distribution.mean
    except NotImplementedError as error:
        raise ValueError(
            f"{name} is a {type(distribution).__name__}, whose mean torch does not know, and a "
            "reconstruction is made of means. Draw instead: decoder(encoder(x).sample()).sample()."
        ) from error


class ConditionalVAE(nn.Module):
    """A map from y to a VAE: q(z|x, y), p(x|z, y), and a prior p(z|y) or p(z).

    y is what is known of an example besides x: its class as one of C zeros and ones, or C numbers
    of any kind. `given(y)` is a `VAE`, so that whatever works on one works on it as it is, with
    x and y taken together. Objectives for `vae_lib.training.fit` take y after x, such as
    `vae_lib.objectives.conditional_elbo`.

    Args:
        encoder: takes x and y side by side, so its network maps rows (N, D + C).
        decoder: takes z and y side by side: (N, L + C).
        prior: called with y if it takes an argument, (N, C), and else with nothing: p(z|y) or p(z).

    Source: Sohn, Lee and Yan (2015); Kingma et al. (2014). Taught in chapter 13.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior
        parameters = inspect.signature(getattr(prior, "forward", prior)).parameters.values()
        self.prior_takes_y = any(
            p.default is p.empty and p.kind < p.VAR_POSITIONAL for p in parameters
        )

    def given(self, y: Tensor) -> VAE:
        """The VAE of the examples whose other part is y, (B, C).

        Its parts are this model's, so what it learns this model learns. Everything in it has the
        batch_shape (B,): `.sample(n)` gives n draws for each row of y, (n, B, D), and
        `.reconstruct(x)` goes row by row with y, (B, D).

        Raises:
            ValueError: y is not (B, C) or not floating-point (labels 0, 1, 2, ... must be made
                rows of zeros and ones); later, x or z go with another number of rows than y's.
        """
        if not isinstance(y, Tensor) or y.ndim != 2 or not y.is_floating_point():
            came = f"{y.dtype} of {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
            raise ValueError(
                f"y must be a floating-point tensor of shape (B, C), but is {came}. Labels become "
                "rows of zeros and ones by torch.nn.functional.one_hot(labels, n_classes).float()."
            )
        prior = _PriorGiven(self.prior, y, self.prior_takes_y)
        return VAE(_Given(self.encoder, y), _Given(self.decoder, y), prior)


class _Given(nn.Module):
    """A conditional of an input and of y (B, C), as one of the input alone, (..., B, D_in)."""

    def __init__(self, conditional: nn.Module, y: Tensor) -> None:
        super().__init__()
        self.conditional, self.y = conditional, y

    def forward(self, x: Tensor) -> td.Distribution:
        if x.shape[-2:-1] != self.y.shape[:1]:
            raise ValueError(
                f"y has {len(self.y)} rows, so what goes with it must have shape "
                f"(..., {len(self.y)}, D), but has {tuple(x.shape)}. One row of y goes with B "
                "examples as y.expand(B, -1). Batches of both: log_likelihood(cvae, x, y)."
            )
        y = self.y.to(x.dtype).expand(*x.shape[:-1], -1)
        return self.conditional(torch.cat([x, y], dim=-1))


class _PriorGiven(nn.Module):
    """p(z|y), or p(z) once for each row of y: batch_shape (B,), called with no argument."""

    def __init__(self, prior: nn.Module, y: Tensor, takes_y: bool) -> None:
        super().__init__()
        self.prior, self.y, self.takes_y = prior, y, takes_y

    def forward(self) -> td.Distribution:
        return self.prior(self.y) if self.takes_y else self.prior().expand(self.y.shape[:1])


def rotated(vae: VAE, rotation: Tensor) -> VAE:
    """The same model with its latent space turned: z' = R z, for R an orthogonal (L, L) matrix.

    q'(z'|x) = q(Rᵀz'|x), p'(x|z') = p(x|Rᵀz') and p'(z') = p(Rᵀz'). N(0, I) stays N(0, I), and
    q keeps its shape but not its axes: N(R μ, R diag(σ²) Rᵀ), with covariances between the
    dimensions. Every draw of z turns with its ε, so from one seed all objectives, ELBO and
    likelihood among them, are what they were to rounding, while what a single dimension means is
    not. Where the σ of an example differ by a factor of thousands, make the model `.double()`.

    The parts are those of `vae`, so what one learns the other learns; `vae` is not changed.

    Raises:
        ValueError: a matrix that is not orthogonal, or not of the size of the latent space; a
            conditional model (turn `cvae.given(y)`); later, a q or prior that is not Gaussian, for
            which no turned distribution is at hand.

    Source: Locatello et al. (2019), on what data alone cannot tell. Taught in chapter 15.
    """
    if isinstance(vae, ConditionalVAE):
        raise ValueError("A conditional model is turned as rotated(cvae.given(y), rotation).")
    # On the CPU, because not every GPU has float64.
    rotation = as_tensor(rotation, "rotation").cpu().double()
    eye = torch.eye(rotation.shape[-1] if rotation.ndim else 0, dtype=torch.float64)
    if rotation.shape != eye.shape or not torch.allclose(rotation @ rotation.T, eye, atol=1e-5):
        raise ValueError(
            f"The rotation must be an orthogonal matrix (L, L), but has shape "
            f"{tuple(rotation.shape)} or columns that are not of length 1 and at right angles: "
            "torch.linalg.qr(torch.randn(L, L)).Q is one."
        )
    rotation = moved(rotation, device_of(vae), dtype_of(vae))
    encoder = None if vae.encoder is None else _TurnedGaussian(vae.encoder, rotation)
    turned = VAE(encoder, _TurnedInput(vae.decoder, rotation), _TurnedGaussian(vae.prior, rotation))
    turned.prior()  # refuses a rotation of another size now
    return turned.train(vae.training)


class _TurnedInput(nn.Module):
    """A conditional of z' = R z."""

    def __init__(self, conditional: nn.Module, rotation: Tensor) -> None:
        super().__init__()
        self.conditional = conditional
        self.register_buffer("rotation", rotation)

    def forward(self, z: Tensor) -> td.Distribution:
        return self.conditional(z @ self.rotation.to(z.dtype))


class _TurnedGaussian(nn.Module):
    """What a conditional or a prior gives, N(μ, S Sᵀ), turned: N(R μ, R S Sᵀ Rᵀ)."""

    def __init__(self, conditional: nn.Module, rotation: Tensor) -> None:
        super().__init__()
        self.conditional = conditional
        self.register_buffer("rotation", rotation)

    def forward(self, *inputs: Tensor) -> "_FactoredNormal":
        p = self.conditional(*inputs)
        if isinstance(p, td.MultivariateNormal):
            root = getattr(p, "root", p.scale_tril)
        elif isinstance(getattr(p, "base_dist", None), td.Normal) and len(p.event_shape) == 1:
            root = torch.diag_embed(p.stddev)
        else:
            raise ValueError(
                f"Only Gaussians over z can be turned, but this is a {type(p).__name__}: give the "
                "model an encoder and a prior such as DiagonalGaussian and StandardNormal."
            )
        rotation = self.rotation.to(root.dtype)
        if len(rotation) != p.event_shape[0]:
            raise ValueError(
                f"The rotation is for {len(rotation)} dimensions, but the model has a latent space "
                f"of {p.event_shape[0]}."
            )
        return _FactoredNormal(p.mean @ rotation.T, rotation @ root)


class _FactoredNormal(td.MultivariateNormal):
    """N(μ, A Aᵀ), drawn as μ + A ε. torch's would draw with another ε for the same point."""

    def __init__(self, loc: Tensor, root: Tensor) -> None:
        # A Aᵀ = Rᵀ R for the triangle R of A transposed, without squaring what is small.
        triangle = torch.linalg.qr(root.mT).R
        signs = torch.where(triangle.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).to(root.dtype)
        scale_tril = (signs[..., None] * triangle).mT
        super().__init__(loc, scale_tril=scale_tril, validate_args=False)
        self.root = root

    def rsample(self, sample_shape: torch.Size = _NO_AXES) -> Tensor:
        shape = self._extended_shape(sample_shape)
        eps = torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + (self.root @ eps[..., None])[..., 0]

    def expand(self, batch_shape: torch.Size) -> "_FactoredNormal":
        loc = self.loc.expand(*batch_shape, -1)
        return _FactoredNormal(loc, self.root.expand(*batch_shape, -1, -1))
