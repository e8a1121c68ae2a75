"""Exercises of chapter 1, the autoencoder and why it cannot generate."""

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vae_lib.exercises import Exercise, Mistake, Option, Question


def _negative_squared_error(x: Tensor, x_reconstructed: Tensor) -> Tensor:
    return -(torch.linalg.vector_norm(x - x_reconstructed, dim=-1) ** 2)


def _batches(generator: torch.Generator) -> list[tuple]:
    shapes = [(3, 5), (7, 4)]
    return [tuple(torch.rand(2, *s, generator=generator, dtype=torch.float64)) for s in shapes]


def _interpolate(z_a: Tensor, z_b: Tensor, n: int) -> Tensor:
    return torch.stack([torch.lerp(z_a, z_b, i / (n - 1)) for i in range(n)])


def _code_pairs(generator: torch.Generator) -> list[tuple]:
    sizes = [(2, 5), (3, 8)]
    codes = [torch.randn(2, size, generator=generator, dtype=torch.float64) for size, _ in sizes]
    return [(*pair, n) for pair, (_, n) in zip(codes, sizes, strict=True)]


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.vector_norm(a[:, None] - b, dim=-1)


def _energy_distance(a: Tensor, b: Tensor) -> Tensor:
    return 2 * _distances(a, b).mean() - _distances(a, a).mean() - _distances(b, b).mean()


def _without_own_pairs(a: Tensor, b: Tensor) -> Tensor:
    within = [_distances(x, x).sum() / (len(x) * (len(x) - 1)) for x in (a, b)]
    return 2 * _distances(a, b).mean() - sum(within)


def _samples(generator: torch.Generator) -> list[tuple]:
    def rows(n: int, n_columns: int) -> Tensor:
        return torch.randn(n, n_columns, generator=generator, dtype=torch.float64)

    return [(rows(6, 3), 2 * rows(9, 3) + 1), (rows(8, 2), rows(5, 2) - 2)]


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


EXERCISES = (
    Exercise(
        "1.1",
        oracle=_negative_squared_error,
        cases=_batches,
        mistakes=(
            Mistake(
                "no minus sign",
                lambda x, x_reconstructed: -_negative_squared_error(x, x_reconstructed),
                "An objective is maximised: with your sign the worst reconstruction would win.",
            ),
            Mistake(
                "mean over pixels",
                lambda x, x_reconstructed: -(x - x_reconstructed).square().mean(-1),
                "Each value is too small by the number of pixels: the book sums over the pixels "
                "of an example.",
            ),
            Mistake(
                "one number for the batch",
                lambda x, x_reconstructed: _negative_squared_error(x, x_reconstructed).mean(),
                "You return one number for the whole batch. Reduce over the last axis only: the "
                "mean over examples is `fit`'s business.",
            ),
            Mistake(
                "one number, averaged over all",
                lambda x, x_reconstructed: -(x - x_reconstructed).square().mean(),
                "You average over pixels and examples alike. Sum over the last axis only, so that "
                "one value for each example is left.",
            ),
            Mistake(
                "one number, summed over all",
                lambda x, x_reconstructed: -(x - x_reconstructed).square().sum(),
                "You sum over the examples as well. Which axis holds the pixels of one example?",
            ),
            Mistake(
                "sum over examples",
                lambda x, x_reconstructed: -(x - x_reconstructed).square().sum(0),
                "You sum over the first axis, which counts the examples, so one value for each "
                "pixel is left. Pixels are on the last axis.",
            ),
            Mistake(
                "not summed",
                lambda x, x_reconstructed: -(x - x_reconstructed).square(),
                "You still have one value for each pixel: what makes one value for each example "
                "of them?",
            ),
            Mistake(
                "distance, not its square",
                lambda x, x_reconstructed: -_distances(x, x_reconstructed).diagonal(),
                "That is the distance itself: the objective is its square.",
            ),
            Mistake(
                "absolute error",
                lambda x, x_reconstructed: -(x - x_reconstructed).abs().sum(-1),
                "You sum the absolute errors: the errors are to be squared before the sum.",
            ),
        ),
    ),
    Exercise(
        "1.2",
        oracle=_interpolate,
        cases=_code_pairs,
        mistakes=(
            Mistake(
                "reversed",
                lambda z_a, z_b, n: _interpolate(z_b, z_a, n),
                "Your path starts at `z_b`. Which of the two codes gets the weight `t`, if `t` "
                "grows from 0 to 1?",
            ),
            Mistake(
                "both ends left out",
                lambda z_a, z_b, n: _interpolate(z_a, z_b, n + 2)[1:-1],
                "Both ends are missing: the first of the `n` points is `z_a` and the last is "
                "`z_b`.",
            ),
            Mistake(
                "last end left out",
                lambda z_a, z_b, n: _interpolate(z_a, z_b, n + 1)[:-1],
                "You stop one step short of `z_b`: `n` points have `n - 1` steps between them.",
            ),
            Mistake(
                "n steps in place of n points",
                lambda z_a, z_b, n: _interpolate(z_a, z_b, n + 1),
                "You take `n` steps, which makes `n + 1` points. The ends are two of the `n`.",
            ),
            Mistake(
                "transposed",
                lambda z_a, z_b, n: _interpolate(z_a, z_b, n).T,
                "Your points are the columns: a decoder takes one code a row, shape (n, L).",
            ),
        ),
    ),
    Exercise(
        "1.3",
        oracle=_energy_distance,
        cases=_samples,
        mistakes=(
            Mistake(
                "no factor 2",
                lambda a, b: (
                    _distances(a, b).mean() - _distances(a, a).mean() - _distances(b, b).mean()
                ),
                "Two equal samples would score less than 0. Two distances within are taken away, "
                "so how often must the distance between count?",
            ),
            Mistake(
                "squared distances",
                lambda a, b: 2 * (a.mean(0) - b.mean(0)).square().sum(),
                "With squared distances all but the difference of the two means cancels, and a "
                "narrow cloud equals a wide one. Take the root of each squared distance first.",
            ),
            Mistake(
                "pairs of a row with itself left out",
                _without_own_pairs,
                "You leave out the pairs of a row with itself. That removes a bias, and it allows "
                "values under 0; the book's formula averages over all pairs.",
            ),
            Mistake(
                "only one distance within",
                lambda a, b: 2 * _distances(a, b).mean() - 2 * _distances(a, a).mean(),
                "You take the spread of `a` away twice and that of `b` never.",
            ),
            Mistake(
                "sums in place of means",
                lambda a, b: (
                    2 * _distances(a, b).sum() - _distances(a, a).sum() - _distances(b, b).sum()
                ),
                "You sum over the pairs, so the result grows with the size of the samples. The "
                "expectations are means.",
            ),
            Mistake(
                "square root of it",
                lambda a, b: _energy_distance(a, b).sqrt(),
                "You take a square root at the end, as some texts do: the book's formula has none.",
            ),
        ),
    ),
    Exercise(
        "1.4",
        oracle=_fitted_gaussian_draws,
        cases=_codes_and_noise,
        summarise=_mean_and_covariance,
        rtol=2e-3,  # whether the covariance was divided by N or by N - 1 makes 3e-4
        atol=2e-3,
        mistakes=(
            Mistake(
                "root not transposed",
                lambda codes, noise: (
                    codes.mean(0) + noise @ torch.linalg.cholesky(torch.cov(codes.T))
                ),
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
                "You took the root of the correlation matrix: the scales of the dimensions are "
                "lost.",
            ),
        ),
    ),
)

QUESTIONS = (
    Question(
        "A trained autoencoder is changed: its encoder now multiplies every code by 5, and "
        "its decoder first divides what it is given by 5. What is different?",
        options=(
            Option(
                "The squared error, which grows, since the codes lie five times as far apart",
                "The error compares images. The division undoes the stretch before the rest "
                "of the decoder sees it, so the codes' distances never reach the loss.",
            ),
            Option(
                "Nothing at all: the two autoencoders are one and the same",
                "To the objective they are, and only to it. A draw from N(0, I) was not "
                "stretched, so the new decoder divides it by 5 and decodes a point much "
                "nearer to the origin.",
            ),
            Option(
                "What draws from N(0, I) decode to, but no reconstruction",
                "The stretch cancels wherever a code comes from the encoder, and nowhere "
                "else. The objective leaves the distribution of the codes undetermined, and "
                "one that is named beforehand fits it by chance at best.",
                right=True,
            ),
            Option(
                "The capacity of the codes: larger numbers hold more detail",
                "A coordinate holds as much at one scale as at another, like a length in "
                "metres or in millimetres. The stretch can be undone, and is.",
            ),
        ),
    ),
    Question(
        "Half of the data are the number −1, the other half are +1. A generator always "
        "returns their mean, 0. What is its energy distance to the data, 2 E|X − Y| − E|X − "
        "X′| − E|Y − Y′|?",
        options=(
            Option(
                "0, because the means agree",
                "That is the value with squared distances, of which only the means survive. "
                "Without the squares it is 0 only between equal distributions.",
            ),
            Option(
                "1",
                "Every datum is 1 away, which makes 2. The draws do not differ from each "
                "other, which takes off nothing, and two data differ by 2 in half of all "
                "cases, which takes off 1. What is left is the spread that the generator "
                "lacks.",
                right=True,
            ),
            Option(
                "2",
                "That is the first term alone. The data differ among themselves as well, and "
                "what two samples of data would show must not be held against a generator.",
            ),
        ),
    ),
    Question(
        "A generator draws sevens that cannot be told from real ones, and never anything "
        "else. One tenth of the data are sevens. Which score does not notice?",
        options=(
            Option(
                "The mean distance from a draw to the nearest real digit",
                "Each draw has real sevens beside it, as a real seven has, so by this score "
                "the generator is perfect. That is why the distance is also taken the other "
                "way round.",
                right=True,
            ),
            Option(
                "The mean distance from a real digit to the nearest draw",
                "An eight finds only sevens among the draws, and is far from all of them. "
                "This is the direction that sees what is missing.",
            ),
            Option(
                "The energy distance",
                "It compares distributions as wholes. The draws lie much closer together than "
                "digits of ten kinds do, which leaves its three terms out of balance.",
            ),
            Option(
                "The nearest-neighbour two-sample score",
                "A real eight has real eights about it and no draw, so its neighbours give it "
                "away; and round a draw there are ten draws for each real seven. The score is "
                "close to 1.",
            ),
        ),
    ),
)
