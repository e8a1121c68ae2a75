"""What scores give by chance: the floor, and the error from one sample to the next."""

import math

import numpy as np
import pytest
import torch

from vae_lib.evaluation import (
    energy_distance,
    frechet_distance,
    jackknife_error,
    precision_recall,
    real_against_real,
    two_sample_accuracy,
)


def normal(n, d=3, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, dtype=torch.float64, generator=generator)


def difference_of_means(a, b):
    return (a.mean() - b.mean()).item()


def test_samples_of_the_floor_have_their_sizes_and_share_no_row():
    seen = []

    def score(a, b):
        seen.append((a.flatten().tolist(), b.flatten().tolist()))
        return len(a), len(b)

    data = torch.arange(20.0)[:, None]
    sizes = real_against_real(score, data, sizes=(7, 4), n_repeats=30)
    assert sizes.tolist() == [[7, 4]] * 30
    assert all(len({*a, *b}) == 11 and {*a, *b} <= set(range(20)) for a, b in seen)
    assert len({tuple(a) for a, _ in seen}) == 30, "each time others"
    chosen = np.bincount([int(row) for a, b in seen for row in [*a, *b]], minlength=20)
    assert chosen.min() > 5, "no row is left out"


def test_halves_are_the_default_and_one_number_makes_one_axis():
    sizes = real_against_real(lambda a, b: len(a) * 100.0 + len(b), normal(9), n_repeats=2)
    assert sizes.tolist() == [404, 404] and sizes.dtype == torch.float64


def test_the_floor_depends_on_the_seed_alone():
    torch.manual_seed(0)
    data, before = normal(60), torch.get_rng_state()
    first = real_against_real(energy_distance, data, n_repeats=3, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    assert torch.equal(first, real_against_real(energy_distance, data, n_repeats=3, seed=1))
    assert not torch.equal(first, real_against_real(energy_distance, data, n_repeats=3, seed=2))


def test_the_floor_of_a_mean_has_the_spread_of_a_permutation():
    """Var of the difference of the means of two halves of n numbers: 4 s²/n, exactly."""
    data = normal(40, 1)
    values = real_against_real(difference_of_means, data, n_repeats=4000)
    exact = 4 * data.var() / 40
    assert values.mean().abs() < 4 * math.sqrt(exact / 4000)
    assert values.var() == pytest.approx(exact.item(), rel=0.1)


def test_the_floor_is_where_a_right_model_lies_and_a_wrong_one_does_not():
    data, drawn = normal(400), normal(200, seed=1)
    for score in (energy_distance, frechet_distance):
        floor = real_against_real(score, data, n_repeats=50)
        assert floor.min() < score(drawn, data[:200]) < floor.max()
        assert score(1.5 * drawn, data[:200]) > 2 * floor.max()


def test_the_floor_refuses_more_rows_than_there_are():
    with pytest.raises(ValueError, match="need 11 rows, but data has 10"):
        real_against_real(energy_distance, normal(10), sizes=(6, 5))
    with pytest.raises(ValueError, match="first of sizes"):
        real_against_real(energy_distance, normal(1))
    with pytest.raises(ValueError, match="n_repeats"):
        real_against_real(energy_distance, normal(10), n_repeats=0)


def test_the_jackknife_of_means_is_the_textbook_error():
    """One row left out at a time: exactly sqrt(s_a²/n + s_b²/n)."""
    a, b = normal(30, 1), 2 * normal(30, 1, seed=1)
    # Leaving out the pair (i, j) at once adds a cross term, so each alone has to be still.
    expected = (a.var() / 30).sqrt().item()
    still = torch.zeros(30, 1)
    assert jackknife_error(difference_of_means, a, still, n_groups=30) == pytest.approx(expected)
    errors = [
        jackknife_error(difference_of_means, a, b, n_groups=30, seed=seed) for seed in range(200)
    ]
    # Over the random pairing the square is s_a²/n + s_b²/n on average.
    mean_square = torch.stack(errors).square().mean().item()
    assert mean_square == pytest.approx(((a.var() + b.var()) / 30).item(), rel=0.03)


@pytest.mark.parametrize(
    ("score", "most"), [(energy_distance, 1.3), (frechet_distance, 1.3), (precision_recall, 2.6)]
)
def test_the_jackknife_is_the_spread_over_new_samples_or_somewhat_more(score, most):
    """Between two distributions that differ: 60 pairs of samples, and the error told by 12."""

    def pair(seed):
        return normal(200, 4, seed=2 * seed), 1.3 * normal(200, 4, seed=2 * seed + 1) + 0.5

    values = torch.tensor([score(*pair(seed)) for seed in range(60)], dtype=torch.float64)
    told = torch.stack([jackknife_error(score, *pair(seed), seed=seed) for seed in range(12)])
    ratio = told.square().mean(0).sqrt() / values.std(0)
    assert (ratio > 0.75).all() and (ratio < most).all(), ratio


@pytest.mark.parametrize("score", [energy_distance, frechet_distance, two_sample_accuracy])
def test_the_jackknife_is_too_large_rather_than_too_small_for_one_distribution(score):
    values, told = [], []
    for seed in range(60):
        a, b = normal(200, 4, seed=2 * seed), normal(200, 4, seed=2 * seed + 1)
        values.append(score(a, b))
        if seed < 12:
            told.append(jackknife_error(score, a, b).item())
    ratio = np.sqrt(np.mean(np.square(told))) / np.std(values)
    assert 1.1 < ratio < 2.5


def test_the_jackknife_depends_on_its_seed_alone_and_takes_sorted_rows():
    a, b = normal(100, 1).sort(0).values, normal(100, 1, seed=1).sort(0).values
    before = torch.get_rng_state()
    error = jackknife_error(difference_of_means, a, b, n_groups=10, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert error == jackknife_error(difference_of_means, a, b, n_groups=10, seed=3)
    textbook = ((a.var() + b.var()) / 100).sqrt().item()
    errors = [jackknife_error(difference_of_means, a, b, n_groups=10, seed=s) for s in range(50)]
    assert torch.stack(errors).square().mean().sqrt() == pytest.approx(textbook, rel=0.15)


def test_the_jackknife_needs_a_row_for_each_group():
    with pytest.raises(ValueError, match="n_groups must be 5"):
        jackknife_error(energy_distance, normal(5), normal(50))
    with pytest.raises(ValueError, match="n_groups"):
        jackknife_error(energy_distance, normal(5), normal(50), n_groups=1)
