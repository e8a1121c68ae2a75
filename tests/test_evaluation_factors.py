"""What codes tell of factors: counts by hand, scikit-learn, quadrature, and known answers."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from sklearn.metrics import mutual_info_score

from vae_lib.data import load
from vae_lib.evaluation import dci, factor_information, mutual_information_gap
from vae_lib.evaluation.factors import _entropy, _entropy_share

LEVELS = {"shape": 3, "hue": 6, "size": 4, "x": 8, "y": 8}


def grid(levels=LEVELS):
    """Every combination of the factors once, (N, F), in a random order."""
    rows = torch.tensor(list(itertools.product(*[range(n) for n in levels.values()])))
    return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]


def standardised(factors):
    """The oracle's code: each factor alone in a dimension."""
    return ((factors - factors.double().mean(0)) / factors.double().std(0)).double()


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def turned(i, j, n, degrees=45.0):
    """The rotation in the plane of dimensions i and j of n."""
    rotation, angle = torch.eye(n, dtype=torch.float64), math.radians(degrees)
    rotation[i, i] = rotation[j, j] = math.cos(angle)
    rotation[i, j], rotation[j, i] = -math.sin(angle), math.sin(angle)
    return rotation


def test_information_by_hand():
    # One factor is a fair coin. The first dimension tells it, the second one half of the time.
    factor = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    codes = torch.tensor([[5.0, 0], [5, 0], [5, 1], [5, 1], [-1, 1], [-1, 1], [-1, 2], [-1, 2]])
    information = factor_information(codes, factor)
    expected = torch.tensor([[math.log(2)], [math.log(2) / 2]])
    torch.testing.assert_close(information, expected)
    assert mutual_information_gap(codes, factor) == pytest.approx(0.5)
    assert mutual_information_gap(codes[:, :1], factor) == pytest.approx(1.0)


def test_entropy_by_hand():
    assert _entropy(torch.tensor([0, 1, 2, 3])) == pytest.approx(math.log(4))
    assert _entropy(torch.tensor([0, 0, 0, 5])) == pytest.approx(stats.entropy([3, 1]))
    assert _entropy(torch.tensor([7, 7])) == 0


@pytest.mark.parametrize("n_bins", [2, 7, 20])
def test_information_is_scikit_learns_with_bins_by_rank(n_bins):
    factors = grid()[:1000]
    codes = normal(1000, 4) + factors[:, [0, 1, 2, 3]]
    information = factor_information(codes, factors, n_bins=n_bins)
    for l, f in itertools.product(range(4), range(5)):  # noqa: E741
        bins = n_bins * (stats.rankdata(codes[:, l]) - 0.5) // 1000
        expected = mutual_info_score(bins, factors[:, f])
        assert information[l, f].item() == pytest.approx(expected, abs=1e-12)


def test_information_of_few_values_is_scikit_learns_without_bins():
    factors = grid()[:500]
    codes = (factors @ torch.randint(0, 3, (5, 3), generator=torch.Generator().manual_seed(1))) % 17
    information = factor_information(codes.double(), factors)
    for l, f in itertools.product(range(3), range(5)):  # noqa: E741
        expected = mutual_info_score(codes[:, l], factors[:, f])
        assert information[l, f].item() == pytest.approx(expected, abs=1e-12)


def test_information_through_noise_is_that_by_quadrature():
    """v is -1 or 1, z = v + σ ε: I = H(z) - H(ε) by an integral; bins lose little of it."""
    sigma, n = 0.8, 200_000
    v = torch.randint(0, 2, (n,), generator=torch.Generator().manual_seed(0))
    z = 2.0 * v - 1 + sigma * normal(n)

    def density(x):
        return 0.5 * (stats.norm.pdf(x, -1, sigma) + stats.norm.pdf(x, 1, sigma))

    entropy, _ = integrate.quad(lambda x: -density(x) * math.log(density(x)), -7, 7)
    exact = entropy - stats.norm(0, sigma).entropy()
    found = factor_information(z[:, None], v, n_bins=50).item()
    assert 0.98 * exact < found < exact + 0.003
    assert factor_information(z[:, None], v, n_bins=2).item() < 0.95 * exact


@pytest.mark.parametrize("n", [500, 4000])
def test_independent_codes_seem_to_know_what_the_formula_says(n):
    """(bins - 1)(values - 1)/2N nats on average."""
    generator = torch.Generator().manual_seed(0)
    factor = torch.randint(0, 6, (n,), generator=generator)
    codes = torch.randn(n, 200, generator=generator)
    information = factor_information(codes, factor)
    assert information.mean().item() == pytest.approx(19 * 5 / 2 / n, rel=0.1)
    assert mutual_information_gap(codes[:, :5], factor) < 20 / n


def test_the_mig_of_the_oracles_code_is_1():
    factors = grid()
    assert mutual_information_gap(standardised(factors), factors) == pytest.approx(1, abs=1e-12)
    # Of most of the combinations, drawn at random, it is 1 within 0.01.
    some = factors[:4096]
    assert mutual_information_gap(standardised(some), some) == pytest.approx(1, abs=0.01)
    # Also with dimensions besides that say nothing.
    codes = torch.cat([normal(4096, 3), standardised(some)], dim=1)
    assert mutual_information_gap(codes, some) == pytest.approx(1, abs=0.02)


def test_the_mig_of_two_factors_turned_by_45_degrees_is_near_0():
    factors = grid()[:4096]
    codes = standardised(factors) @ turned(3, 4, 5).T
    gaps = mutual_information_gap(codes, factors, each=True)
    assert (gaps[3:] < 0.05).all() and (gaps[:3] > 0.99).all()
    assert mutual_information_gap(codes[:, 3:], factors[:, 3:]) < 0.05
    # All that was known still is: both factors from both dimensions together.
    assert torch.linalg.matrix_rank(turned(3, 4, 5)) == 5


def test_the_mig_falls_as_the_code_turns_and_rises_again():
    factors = grid()[:, 3:]
    at = [
        mutual_information_gap(standardised(factors) @ turned(0, 1, 2, a).T, factors)
        for a in (0, 20, 45, 70, 90)
    ]
    assert at[0] == pytest.approx(1) and at[4] == pytest.approx(1)
    assert at[2] < 0.05 < at[1] < 1
    assert at[1] == pytest.approx(at[3], abs=0.02)


def test_a_random_rotation_of_five_dimensions_leaves_some_gap():
    """Chance favours some dimension, so near 0 is only where a symmetry makes two equal."""
    factors = grid()[:4096]
    found = []
    for seed in range(8):
        rotation = torch.linalg.qr(normal(5, 5, seed=seed)).Q
        found.append(mutual_information_gap(standardised(factors) @ rotation.T, factors))
    assert max(found) < 0.6
    assert np.mean(found) > 0.05


def test_one_dimension_for_two_factors_is_disentangled_to_mig_and_not_to_dci():
    factors = torch.stack([grid()[:, 0], grid()[:, 2]], dim=1)
    both = (4 * factors[:, 0] + factors[:, 1]).double()
    codes = torch.stack([both, normal(len(both))], dim=1)
    assert mutual_information_gap(codes, factors) > 0.95
    scores = dci(codes, factors)
    assert scores.disentanglement < 0.1
    assert scores.completeness > 0.9 and scores.informativeness > 0.99


def test_a_factor_in_two_dimensions_has_no_gap_and_no_completeness():
    factors = grid()[:, 3:]
    codes = standardised(factors)[:, [0, 0, 1]]
    gaps = mutual_information_gap(codes, factors, each=True)
    assert gaps[0] == pytest.approx(0) and gaps[1] == pytest.approx(1)
    noisy = codes + 1e-3 * normal(*codes.shape)
    scores = dci(noisy, factors)
    assert scores.disentanglement > 0.99
    assert scores.completeness < 0.9


CHANGES = {
    "permuted": lambda z: z[:, [3, 0, 4, 2, 1]],
    "scaled": lambda z: z * torch.tensor([1e-6, 3.0, 1e6, 0.1, 7.0]),
    "moved": lambda z: z + torch.tensor([5.0, -1e3, 0.0, 1.0, 2.0]),
    "sign changed": lambda z: z * torch.tensor([-1.0, 1, -1, 1, -1]),
    "bent": lambda z: torch.sinh(2 * z),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_scores_see_no_order_scale_or_sign_of_dimensions(change):
    factors = grid()[:2000]  # a multiple of the bins, so that they are the same from either end
    codes = standardised(factors) @ turned(1, 3, 5, 20).T + 0.2 * normal(2000, 5)
    before = mutual_information_gap(codes, factors, each=True)
    after = mutual_information_gap(change(codes), factors, each=True)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-9)


def test_what_differs_by_rounding_is_one_value():
    factors = grid()[:2000]
    codes = standardised(factors)
    rotation = torch.linalg.qr(normal(5, 5)).Q
    for dtype in (torch.float64, torch.float32):
        there_and_back = (codes.to(dtype) @ rotation.to(dtype).T) @ rotation.to(dtype)
        assert len(there_and_back[:, 0].unique()) > 20 > len(codes[:, 0].unique())
        found = factor_information(there_and_back, factors)
        torch.testing.assert_close(found.double(), factor_information(codes, factors))


def test_one_wild_code_does_no_harm():
    factors = grid()[:2000]
    codes = standardised(factors) + 0.1 * normal(2000, 5)
    before = mutual_information_gap(codes, factors)
    codes[7] = 1e9
    assert mutual_information_gap(codes, factors) == pytest.approx(before, abs=0.01)
    assert mutual_information_gap(codes.float(), factors) == pytest.approx(before, abs=0.01)


def test_noise_in_draws_counts_and_in_means_it_cannot():
    """A dimension whose mean moves by a hundredth of its σ: exact as a mean, nothing as a draw."""
    factors = grid()[:, 3:]
    means = 0.01 * standardised(factors)
    assert mutual_information_gap(means, factors) == pytest.approx(1)
    assert mutual_information_gap(means + normal(*means.shape), factors) < 0.03


def test_factors_may_have_names_and_any_numbers():
    factors = grid()[:1000]
    codes = standardised(factors) + 0.5 * normal(1000, 5)
    expected = factor_information(codes, factors)
    named = {name: (6.5 - 0.3 * factors[:, i].float()) for i, name in enumerate(LEVELS)}
    torch.testing.assert_close(factor_information(codes, named), expected)
    torch.testing.assert_close(factor_information(codes.numpy(), factors.numpy()), expected)
    torch.testing.assert_close(factor_information(codes, factors[:, 0]), expected[:, :1])
    assert factor_information(codes.float(), factors).dtype == torch.float32
    flags = factors[:, 0] > 0
    assert factor_information(codes, flags).shape == (5, 1)


def test_what_factors_cannot_be():
    codes, factors = normal(100, 3), torch.arange(100) % 4
    with pytest.raises(ValueError, match="factor 0 has 100 values in 100 examples"):
        factor_information(codes, torch.arange(100))
    with pytest.raises(ValueError, match="hue has one value only"):
        mutual_information_gap(codes, {"shape": factors, "hue": torch.ones(100)})
    with pytest.raises(ValueError, match="factors must be"):
        dci(codes, factors[:50])
    with pytest.raises(ValueError, match="size must be"):
        factor_information(codes, {"size": factors[:50]})
    with pytest.raises(ValueError, match="one number an example"):
        factor_information(codes, {"size": factors[:, None]})
    with pytest.raises(ValueError, match="no factor"):
        factor_information(codes, {})
    with pytest.raises(ValueError, match="NaN"):
        factor_information(codes * math.nan, factors)
    with pytest.raises(ValueError, match="n_bins"):
        factor_information(codes, factors, n_bins=1)
    with pytest.raises(ValueError, match="n_trees"):
        dci(codes, factors, n_trees=10)


def test_dci_of_the_oracles_code_of_a_rotation_and_of_noise():
    factors = grid()[:1000]
    oracle = dci(standardised(factors), factors)
    assert min(oracle.disentanglement, oracle.completeness, oracle.informativeness) > 0.99
    torch.testing.assert_close(oracle.importance, torch.eye(5).double(), rtol=0, atol=0.01)
    rotation = torch.linalg.qr(normal(5, 5)).Q
    entangled = dci(standardised(factors) @ rotation.T, factors)
    assert entangled.disentanglement < 0.5 and entangled.completeness < 0.5
    noise = dci(normal(1000, 5), factors)
    assert noise.disentanglement < 0.1 and noise.completeness < 0.1
    assert noise.informativeness == pytest.approx(noise.guessing.mean().item(), abs=0.05)


def test_dci_is_lower_for_a_noisier_code_of_the_same_kind():
    factors = grid()[:1500, 3:]
    clear, noisy = (dci(standardised(factors) + s * normal(1500, 2), factors) for s in (0.1, 1.0))
    assert clear.disentanglement > 0.99 > 0.95 > noisy.disentanglement
    assert noisy.informativeness < clear.informativeness


def test_dci_has_the_formulas_of_its_importances():
    factors = grid()[:600]
    scores = dci(standardised(factors)[:, :3] @ turned(0, 1, 3, 30).T, factors, seed=3)
    r = scores.importance.numpy()
    assert r.shape == (3, 5)
    np.testing.assert_allclose(r.sum(0), 1)
    rows = 1 - stats.entropy(r, base=5, axis=1)
    assert scores.disentanglement == pytest.approx((rows * r.sum(1)).sum() / r.sum())
    columns = 1 - stats.entropy(r, base=3, axis=0)
    assert scores.completeness == pytest.approx(columns.mean())
    assert scores.informativeness == pytest.approx(scores.accuracy.mean().item())


def test_dci_depends_on_its_seed_alone():
    factors = grid()[:300]
    codes = standardised(factors) + normal(300, 5)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = dci(codes, factors, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(first.importance, dci(codes, factors, seed=1).importance)
    assert not torch.equal(first.importance, dci(codes, factors, seed=2).importance)


def test_one_dimension_and_one_factor_and_dimensions_that_never_move():
    factors = grid()[:300]
    alone = dci(standardised(factors)[:, :1], factors[:, :1])
    assert (alone.disentanglement, alone.completeness) == (1, 1)
    still = dci(torch.zeros(300, 2), factors)
    assert (still.disentanglement, still.completeness) == pytest.approx((0, 0), abs=1e-6)
    assert mutual_information_gap(torch.zeros(300, 2), factors) == 0
    assert factor_information(torch.zeros(300, 1), factors).abs().max() == 0


def test_the_share_of_entropy_of_zeros_is_whole():
    shares = _entropy_share(torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 2, 2]]))
    assert shares.tolist() == pytest.approx([1, 0, 1])


def test_on_the_shapes_the_oracles_code_has_a_mig_of_1_and_turned_by_45_degrees_near_0():
    data = load("shapes")
    codes = standardised(torch.stack(list(data.factors.values()), dim=1))
    assert mutual_information_gap(codes, data.factors) == pytest.approx(1, abs=0.01)
    places = {name: data.factors[name] for name in ("x", "y")}
    turned_codes = codes[:, 3:] @ turned(0, 1, 2).T
    assert mutual_information_gap(codes[:, 3:], places) == pytest.approx(1, abs=0.01)
    assert mutual_information_gap(turned_codes, places) < 0.05
    assert mutual_information_gap(normal(*codes.shape), data.factors) < 0.01


def test_guessing_knows_only_what_was_learned_from():
    """Of two values as frequent, what one half has more of the other has less of."""
    codes, factor = torch.randn(60, 1, generator=torch.Generator().manual_seed(0)), torch.arange(60)
    guessing = [dci(codes, factor % 2, n_trees=30, seed=seed).guessing.item() for seed in range(4)]
    assert max(guessing) <= 0.5 > min(guessing)
