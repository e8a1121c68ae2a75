"""The laws of draws: what is uniform and independent passes, and each departure is seen."""

import math

import pytest
import torch

from vae_lib.exercises import laws

N = laws.MIN_ROWS


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_what_is_uniform_and_independent_passes_for_many_seeds():
    for seed in range(30):
        u, earlier = uniform(N, 3, seed=seed), [uniform(N, 3, seed=seed + 1000), uniform(7, 3)]
        assert laws.are_uniform(u)
        assert laws.are_independent_columns(u)
        assert laws.are_independent_rows(u)
        assert laws.are_independent_calls(u, earlier)


def test_the_statistics_are_standard_errors():
    """Their spread over seeds is that of standard normals, so that 8 of them mean what they say."""
    means = torch.stack([laws._cosines(uniform(N, 4, seed=s), orders=8).mean(0) for s in range(60)])
    assert (means * math.sqrt(N)).std() == pytest.approx(1, abs=0.06)
    assert (means * math.sqrt(N)).abs().max() < 5


@pytest.mark.parametrize(
    "other_shape",
    [
        lambda: math.sqrt(12) * (uniform(N, 1) - 0.5),
        lambda: torch.distributions.Laplace(0.0, math.sqrt(0.5)).icdf(uniform(N, 1)),
        lambda: math.sqrt(0.6) * normal(N, 1) / (normal(N, 5, seed=1) ** 2).mean(1, True).sqrt(),
        lambda: normal(N, 1).sign(),
        lambda: normal(N, 1).clamp(-1, 1),
        lambda: normal(N, 1).abs() - math.sqrt(2 / math.pi),
    ],
    ids=["uniform", "Laplace", "Student", "signs", "clamped", "half"],
)
def test_another_shape_with_the_same_two_moments_is_seen(other_shape):
    assert not laws.are_uniform(torch.special.ndtr(laws.standardised(other_shape())))


def test_dependence_between_columns_is_seen_without_correlation():
    z = normal(N, 2)
    squares = torch.stack([z[:, 0], z[:, 0].abs() * z[:, 1].sign()], dim=1)
    assert abs(torch.corrcoef(squares.T)[0, 1]) < 0.05
    assert not laws.are_independent_columns(torch.special.ndtr(squares))


@pytest.mark.parametrize("distance", [1, 17, N // 2])
def test_rows_that_repeat_or_resemble_each_other_are_seen(distance):
    z = normal(N, 2)
    alike = torch.special.ndtr(0.6 * z + 0.8 * z.roll(distance, 0))
    assert laws.are_uniform(alike) and not laws.are_independent_rows(alike)


def test_rows_repeated_in_disorder_are_seen():
    generator = torch.Generator().manual_seed(0)
    pool = uniform(3 * N, 2)[torch.randint(3 * N, (N,), generator=generator)]
    assert not laws.are_independent_rows(pool)


def test_a_call_that_repeats_an_earlier_one_is_seen_and_nan_passes_nothing():
    u = uniform(N, 2)
    assert not laws.are_independent_calls(u, [uniform(N, 2, seed=5), u])
    u[3, 1] = math.nan
    assert not laws.are_uniform(u)
    assert not laws.are_independent_calls(u, [uniform(N, 2, seed=5)])
