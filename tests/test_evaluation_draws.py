"""Precision and recall, and the Fréchet distance, against other ways to the same numbers."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy import linalg, special

from vae_lib.evaluation import frechet_distance, precision_recall


def normal(n, d=3, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, dtype=torch.float64, generator=generator)


def share_inside(points, centres, n_neighbors):
    """By the definition, with numbers in lists and a sort."""
    inside = 0
    for point in points.tolist():
        balls = []
        for i, centre in enumerate(centres.tolist()):
            others = [c for j, c in enumerate(centres.tolist()) if j != i]
            radius = sorted(math.dist(centre, c) for c in others)[n_neighbors - 1]
            balls.append(math.dist(point, centre) <= radius)
        inside += any(balls)
    return inside / len(points)


@pytest.mark.parametrize("n_neighbors", [1, 2, 3, 5])
@pytest.mark.parametrize(("n", "m", "d"), [(6, 9, 1), (20, 12, 2), (15, 30, 8)])
def test_precision_and_recall_by_brute_force(n, m, d, n_neighbors):
    real, drawn = normal(n, d), 1.5 * normal(m, d, seed=1) + 0.3
    expected = share_inside(drawn, real, n_neighbors), share_inside(real, drawn, n_neighbors)
    assert precision_recall(real, drawn, n_neighbors=n_neighbors) == pytest.approx(expected)


def test_precision_and_recall_by_hand():
    # Balls with one neighbour: [-1, 1], [0, 2] and [1.5, 10.5] of the data; [4, 6], [5, 7] and
    # [8.5, 21.5] of the draws.
    real = torch.tensor([[0.0], [1.0], [6.0]])
    assert precision_recall(real, torch.tensor([[5.0], [6.0], [15.0]]), n_neighbors=1) == (
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
    )


def test_the_edge_of_a_ball_is_inside_whatever_rounding_does():
    # Many rows and a large offset, where squares of distances come from matrix products. Each draw
    # is a copy of a row of data, and data lie on the edges of the draws' balls.
    real = 1000 + normal(400, 20)
    drawn = torch.cat([real[:200], real[:200]])  # with one neighbour, balls of radius 0
    assert precision_recall(real, drawn, n_neighbors=1) == (1.0, 0.5)
    # On a line of equal steps every ball ends at its neighbours.
    line = torch.arange(100.0)[:, None] * 0.1 + 1000
    assert precision_recall(line[::2], line[1::2], n_neighbors=1) == (1.0, 1.0)
    assert precision_recall(line[:50], line[50:], n_neighbors=1) == (1 / 50, 1 / 50)


def test_swapping_the_samples_swaps_precision_and_recall():
    real, drawn = normal(60), 0.5 * normal(80, seed=1)
    assert precision_recall(real, drawn) == precision_recall(drawn, real)[::-1]


def test_precision_and_recall_do_not_see_where_and_how_large():
    real, drawn = normal(60), normal(60, seed=1)
    rotation = torch.linalg.qr(normal(3, seed=2)).Q
    moved = [1e3 * (rows @ rotation) - 7e4 for rows in (real, drawn)]
    assert precision_recall(*moved) == precision_recall(real, drawn)


def test_a_narrow_model_is_precise_and_a_wide_one_recalls():
    real = normal(300, 5)
    narrow = precision_recall(real, 0.3 * normal(300, 5, seed=1))
    wide = precision_recall(real, 3 * normal(300, 5, seed=1))
    assert narrow[0] > 0.95 and narrow[1] < 0.3
    assert wide[0] < 0.3 and wide[1] > 0.95


def test_many_rows_are_taken_in_parts():
    real, drawn = normal(1003, 2), normal(2100, 2, seed=1)
    in_order = precision_recall(real, drawn)
    shuffled = precision_recall(real.flip(0), drawn.flip(0))
    assert in_order == pytest.approx(shuffled)
    assert min(in_order) > 0.9


def test_precision_and_recall_need_more_rows_than_neighbours():
    with pytest.raises(ValueError, match="less than the number of rows, 3 and 9"):
        precision_recall(normal(3), normal(9, seed=1), n_neighbors=3)
    with pytest.raises(ValueError, match="n_neighbors"):
        precision_recall(normal(9), normal(9, seed=1), n_neighbors=0)


def by_scipy(a, b):
    """The formula as it is written, with a root of a matrix."""
    a, b = a.numpy(), b.numpy()
    cov_a, cov_b = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (a, b))
    shared = linalg.sqrtm(cov_a @ cov_b)
    means = np.square(a.mean(0) - b.mean(0)).sum()
    return means + np.trace(cov_a + cov_b - 2 * np.real(shared))


@pytest.mark.parametrize(("n", "m", "d"), [(50, 80, 1), (40, 60, 5), (300, 200, 12)])
def test_the_frechet_distance_is_scipys(n, m, d):
    a = normal(n, d) @ normal(d, d, seed=1) + 2
    b = normal(m, d, seed=2) @ normal(d, d, seed=3)
    assert frechet_distance(a, b) == pytest.approx(by_scipy(a, b), rel=1e-8)


def by_mpmath(a, b):
    with mpmath.workdps(60):
        x, y = (mpmath.matrix(rows.tolist()) for rows in (a, b))
        covariances, means = [], []
        for rows in (x, y):
            n, d = rows.rows, rows.cols
            mean = [mpmath.fsum(rows[:, j]) / n for j in range(d)]
            centred = mpmath.matrix(n, d)
            for i in range(n):
                for j in range(d):
                    centred[i, j] = rows[i, j] - mean[j]
            covariances.append(centred.T * centred / (n - 1))
            means.append(mean)
        # The trace of the root is the sum of the roots of the eigenvalues.
        values = mpmath.eig(covariances[0] * covariances[1], left=False, right=False)
        shared = mpmath.fsum(mpmath.re(mpmath.sqrt(value)) for value in values)
        apart = mpmath.fsum((s - t) ** 2 for s, t in zip(*means, strict=True))
        traces = mpmath.fsum(c[i, i] for c in covariances for i in range(c.rows))
        return float(apart + traces - 2 * shared)


@pytest.mark.parametrize(("n", "m"), [(30, 20), (3, 20), (3, 2)])
def test_the_frechet_distance_with_60_digits(n, m):
    # Scales from 1 to 1e-6; with 3 rows of 4 numbers a covariance has rank 2.
    scales = torch.tensor([1.0, 1e-2, 1e-4, 1e-6], dtype=torch.float64)
    a, b = normal(n, 4) * scales, normal(m, 4, seed=1) * scales.flip(0)
    assert frechet_distance(a, b) == pytest.approx(by_mpmath(a, b), rel=1e-12)


def test_between_gaussians_it_is_the_closed_form():
    # Rows whitened so that means and covariances are exactly those of N(0, I) and N(3, 4 I).
    def whitened(rows):
        centred = rows - rows.mean(0)
        return centred @ torch.linalg.inv(torch.linalg.cholesky(centred.T.cov())).T

    a, b = whitened(normal(50, 4)), 2 * whitened(normal(70, 4, seed=1)) + 3
    assert frechet_distance(a, b) == pytest.approx(4 * 3**2 + 4 * (2 - 1) ** 2)


def test_the_frechet_distance_is_symmetric_and_0_for_itself_and_scales_as_a_square():
    a, b = normal(50, 6), normal(40, 6, seed=1) + 1
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert 0 <= frechet_distance(a, a) < 1e-13
    assert frechet_distance(3 * a, 3 * b) == pytest.approx(9 * frechet_distance(a, b))
    rotation = torch.linalg.qr(normal(6, 6, seed=2)).Q
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(frechet_distance(a, b))
    assert frechet_distance(a, a + 2) == pytest.approx(6 * 2**2)


def test_fewer_rows_than_dimensions_give_a_number_that_a_root_of_a_matrix_does_not():
    a, b = normal(5, 40), normal(6, 40, seed=1)
    value = frechet_distance(a, b)
    # In the 9 dimensions that the rows span, the distance is the same, and the formula works.
    basis = torch.linalg.qr(torch.cat([a - a[0], b - a[0]])[1:].T).Q
    assert value == pytest.approx(frechet_distance((a - a[0]) @ basis, (b - a[0]) @ basis))
    assert value == pytest.approx(by_mpmath((a - a[0]) @ basis, (b - a[0]) @ basis))


def test_constant_rows_have_a_distance():
    a = torch.ones(5, 3)
    assert frechet_distance(a, a) == 0
    assert frechet_distance(a, torch.zeros(4, 3)) == pytest.approx(3)


def test_in_one_dimension_its_mean_is_the_exact_one():
    """E = σ_a²(1 + 1/N) + σ_b²(1 + 1/M) - 2 c(N) c(M) σ_a σ_b, where E[s] = c(N) σ."""

    def c(n):
        return math.sqrt(2 / (n - 1)) * math.exp(
            special.gammaln(n / 2) - special.gammaln(n / 2 - 0.5)
        )

    generator = torch.Generator().manual_seed(0)
    for n, m, sigma in [(5, 8, 1.0), (20, 10, 2.0)]:
        a = torch.randn(4000, n, 1, generator=generator)
        b = sigma * torch.randn(4000, m, 1, generator=generator)
        values = torch.tensor([frechet_distance(x, y) for x, y in zip(a, b, strict=True)])
        exact = (1 + 1 / n) + sigma**2 * (1 + 1 / m) - 2 * c(n) * c(m) * sigma
        assert abs(values.mean() - exact) < 4 * values.std() / math.sqrt(4000)
        assert exact > (1 - sigma) ** 2 * 1.02, "the bias is not 0"


@pytest.mark.parametrize(("n", "m", "d"), [(400, 200, 4), (1000, 1000, 10)])
def test_the_floor_between_samples_of_one_gaussian(n, m, d):
    generator = torch.Generator().manual_seed(0)
    values = torch.tensor(
        [
            frechet_distance(
                3 * torch.randn(n, d, generator=generator),
                3 * torch.randn(m, d, generator=generator),
            )
            for _ in range(200)
        ]
    )
    expected = 3**2 * d * (d + 5) / 4 * (1 / n + 1 / m)
    assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(200) + 0.01 * expected


def test_its_mean_is_the_truth_and_a_term_that_halves_as_samples_double():
    """Between N(0, I) and N(μ, σ² I) the term is D (1/N + σ²/M) + σ D (D + 1)/4 (1/N + 1/M)."""
    generator = torch.Generator().manual_seed(0)
    d, sigma = 8, 1.5
    truth = d * (sigma - 1) ** 2 + d * 0.2**2

    def draws_at(n, repeats):
        pairs = [torch.randn(2, n, d, generator=generator) for _ in range(repeats)]
        return torch.tensor([frechet_distance(a, sigma * b + 0.2) for a, b in pairs])

    values = {n: draws_at(n, 60_000 // n) for n in (50, 100, 200)}
    for n, sample in values.items():
        term = d * (1 + sigma**2) / n + sigma * d * (d + 1) / 2 / n
        error = sample.std().item() / math.sqrt(len(sample))
        assert sample.mean().item() - truth == pytest.approx(term, abs=4 * error + 0.05 * term)
        assert term > 8 * error, "the bias is seen"
    _, at_infinity = np.polyfit(
        [1 / n for n in values], [v.mean().item() for v in values.values()], 1
    )
    assert at_infinity == pytest.approx(truth, abs=0.1)


def test_two_models_at_one_distance_have_different_biases():
    """So more draws, the same for both, do not make their order right (Chong and Forsyth, 2020)."""
    generator = torch.Generator().manual_seed(0)
    d, n = 10, 100
    wide, narrow = [], []
    for _ in range(300):
        real, other = torch.randn(2, n, d, generator=generator)
        wide.append(frechet_distance(real, 1.5 * other))
        narrow.append(frechet_distance(real, 0.5 * other))
    # Both are d (1 - 1/2)² = 2.5 away, and their terms are d (3.25 + 1.5 · 5.5)/n = 1.15 and
    # d (1.25 + 0.5 · 5.5)/n = 0.4.
    assert np.mean(wide) - np.mean(narrow) == pytest.approx(0.75, abs=0.15)


@pytest.mark.parametrize("score", [precision_recall, frechet_distance])
def test_scores_of_draws_take_what_people_have(score):
    a, b = normal(20, 4), normal(30, 4, seed=1)
    expected = score(a, b)
    assert score(a.numpy(), b.tolist()) == expected
    assert score(a.float(), b.float().numpy()) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match=r"b has 3 columns"):
        score(a, b[:, :3])
    with pytest.raises(ValueError, match="NaN"):
        score(a * math.nan, b)
    with pytest.raises(ValueError, match="shape"):
        score(a[:0], b)


def test_copies_of_one_point_lie_on_the_edge_of_balls_without_extent():
    one = torch.ones(9, 2)
    assert precision_recall(one, one[:5]) == (1.0, 1.0)
    assert precision_recall(one, 2 * one) == (0.0, 0.0)


def test_the_frechet_distance_needs_two_rows():
    with pytest.raises(ValueError, match="2 rows or more"):
        frechet_distance(normal(1), normal(5))
