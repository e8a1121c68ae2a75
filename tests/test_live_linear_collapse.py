"""Chapter 11's figure: the optimum of a linear VAE, against minimisers without formulas."""

import math
import re

import numpy as np
import pytest
import torch
from browser import drag, press, readout, scrolls_sideways, sweep, touch_drag, values
from figures import assert_collapse, collapse_at_best, collapse_case, collapse_figure
from scipy import optimize
from torch import distributions as td

from vae_lib.live import linear_collapse


@pytest.fixture
def case():
    return collapse_case()


def setting(variance, beta=1.0):
    """The sliders as they stand for σ² and β."""
    return {"σ²": math.log10(variance), "β": math.log10(beta)}


def click(page, name):
    page.get_by_role("button", name=name).click()


def test_the_numbers_are_a_minimisers_over_the_sliders(page_of, case):
    figure = collapse_figure(case)
    low, high = figure.state["variance_range"]
    settings = [
        {**setting(variance, beta), "Image": name}
        for variance in np.geomspace(low, high, 7)
        for beta, name in ((0.1, "one"), (1.0, "another"), (3.2, "one"), (10.0, "another"))
    ]
    n_on = set()
    for shown in sweep(page_of(figure), settings):
        assert_collapse(shown, case)
        n_on.add(shown["n_on"])
    assert n_on == set(range(5))


def trained_loss(case, variance, beta, seed):
    """What a linear VAE of full matrices costs after L-BFGS from a random start, per example."""
    torch.manual_seed(seed)
    data, n_latents = case["data"], len(case["components"])
    shapes = [
        (data.shape[1], n_latents),
        (n_latents, data.shape[1]),
        (data.shape[1],),
        (n_latents,),
    ]
    parts = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    optimiser = torch.optim.LBFGS(parts, max_iter=1500, line_search_fn="strong_wolfe")
    optimiser.param_groups[0].update(tolerance_grad=1e-11, tolerance_change=1e-14)

    def loss():
        w, v, b, log_s = parts
        mu = (data - b) @ v.T
        q = td.Independent(td.Normal(mu, log_s.exp().expand_as(mu)), 1)
        prior = td.Independent(td.Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
        p_x = td.Independent(td.Normal(b + mu @ w.T, math.sqrt(variance)), 1)
        # E log p(x|z): what the spread of z adds to the squared error is exact for a linear map.
        spread = (w.square() * (2 * log_s).exp()).sum() / (2 * variance)
        return (spread - p_x.log_prob(data) + beta * td.kl_divergence(q, prior)).mean()

    def closure():
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)
    return loss().item()


@pytest.mark.parametrize(("variance", "beta"), [(0.02, 1.0), (0.3, 1.0), (0.05, 4.0), (0.1, 0.5)])
def test_no_linear_vae_is_better_and_training_finds_one_as_good(page_of, case, variance, beta):
    (shown,) = sweep(page_of(collapse_figure(case)), [setting(variance, beta)])
    assert 0 < shown["n_on"] <= 4
    # The slider goes in steps, so the figure says where it stands.
    found = [trained_loss(case, shown["variance"], shown["beta"], seed) for seed in range(3)]
    assert min(found) == pytest.approx(shown["loss"], abs=1e-5)
    assert min(found) > shown["loss"] - 1e-7


def test_at_weight_one_the_elbo_is_the_log_likelihood(page_of, case):
    """Of the Gaussian that the decoder makes of the prior: q is the posterior then."""
    data, rows = case["data"], case["components"]
    for shown in sweep(page_of(collapse_figure(case)), [setting(v) for v in (0.01, 0.1, 1.0)]):
        w = torch.tensor(np.abs(collapse_at_best(case, shown["variance"], 1.0)["w"]))
        cov = rows.T @ torch.diag(w**2) @ rows
        cov += shown["variance"] * torch.eye(len(cov), dtype=torch.float64)
        log_px = td.MultivariateNormal(case["mean"], cov).log_prob(data).mean()
        assert shown["elbo"] == pytest.approx(log_px.item(), abs=1e-5)


@pytest.mark.parametrize("beta", [0.1, 1.0, 3.0, 10.0])
def test_the_button_goes_to_the_best_variance(page_of, case, beta):
    page = page_of(collapse_figure(case))
    shown = sweep(page, [{**setting(1.0, beta), "Best σ²": None}])[0]

    def loss(log_variance):
        found = collapse_at_best(case, math.exp(log_variance), shown["beta"])
        return found["distortion"] + shown["beta"] * found["kl"].sum()

    ends = [math.log(v) for v in (1e-4, 20.0)]
    grid = np.linspace(*ends, 25)
    start = grid[np.argmin([loss(at) for at in grid])]
    best = optimize.minimize_scalar(loss, bounds=(start - 0.6, start + 0.6), method="bounded")
    assert shown["variance"] == shown["best_variance"] == pytest.approx(math.exp(best.x), rel=1e-3)
    assert shown["loss"] == pytest.approx(best.fun, abs=1e-5)
    assert shown["excess"] == 0


def test_at_weight_one_the_best_variance_is_what_the_latents_leave_and_all_are_on(page_of, case):
    page = page_of(collapse_figure(case))
    click(page, "Best σ²")
    shown = values(page)
    assert shown["variance"] == pytest.approx(case["eigenvalues"][4:].mean().item(), rel=1e-9)
    assert shown["n_on"] == 4


def test_a_dimension_goes_dark_where_the_line_passes_its_eigenvalue(page_of, case):
    page = page_of(collapse_figure(case))
    eigenvalues = case["eigenvalues"][:4].tolist()
    assert values(page)["n_on"] == 2, "half of them, at first"
    for n_on in (1, 0, 0):
        click(page, "Darken one")
        shown = values(page)
        assert shown["n_on"] == n_on == sum(v > shown["threshold"] for v in eigenvalues)
    assert shown["rate"] == 0
    np.testing.assert_allclose(shown["x_mean"], case["mean"], atol=1e-6)
    np.testing.assert_allclose(shown["draw"], case["mean"], atol=1e-6)
    for n_on in (1, 2, 3, 4, 4):
        click(page, "Light one")
        assert values(page)["n_on"] == n_on
    for value in eigenvalues:
        for beta in (1.0, 2.5):
            for factor, on in ((0.97, True), (1.03, False)):
                (shown,) = sweep(page, [setting(factor * value / beta, beta)])
                assert shown["on"][eigenvalues.index(value)] is on


@pytest.mark.parametrize(("latent_dim", "n_on"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_about_half_are_dark_at_first(page_of, case, latent_dim, n_on):
    shown = values(page_of(linear_collapse(case["eigenvalues"], latent_dim=latent_dim)))
    assert (shown["n_on"], shown["beta"]) == (n_on, 1)


def test_only_the_product_decides_what_is_dark(page_of, case):
    settings = [setting(0.4 / beta, beta) for beta in (0.25, 1.0, 4.0)]
    found = sweep(page_of(collapse_figure(case)), settings)
    for shown in found[1:]:
        np.testing.assert_allclose(shown["kl"], found[0]["kl"], atol=0.02)
        np.testing.assert_allclose(shown["x_mean"], found[0]["x_mean"], atol=0.02)
    assert len({shown["n_on"] for shown in found}) == 1


def printed(text):
    """Distortion, rate and -ELBO, as they are read."""
    found = re.search(r"Distortion (\S+) \+ rate (\S+) = −ELBO (\S+) nats", text)
    return [float(part.replace("−", "-")) for part in found.groups()]


def test_what_is_printed_adds_up(page_of, case):
    page = page_of(collapse_figure(case))
    for variance in np.geomspace(0.003, 5, 25):
        (shown,) = sweep(page, [setting(variance)])
        distortion, rate, total = printed(readout(page))
        assert distortion + rate == pytest.approx(total, abs=1e-9)
        expected = [shown["distortion"], shown["rate"], -shown["elbo"]]
        np.testing.assert_allclose([distortion, rate, total], expected, atol=0.0101)
        above = page.locator(".vae-live-sum .number").all_inner_texts()
        assert [float(part.replace("−", "-")) for part in above] == [distortion, rate, total]


def test_the_best_is_marked_once_it_is_found(page_of, case):
    page = page_of(collapse_figure(case))
    name = page.locator("text.name", has_text="best")
    assert not values(page)["found"] and not name.is_visible()
    assert "best" not in readout(page)
    click(page, "Best σ²")
    assert values(page)["found"] and name.is_visible()
    assert "as it is here" in readout(page)


def test_the_line_and_the_bars_stand_where_the_numbers_are(page_of, case):
    """On the logarithmic axis, what a bar has above the line is twice its KL."""
    page = page_of(collapse_figure(case))
    for shown in sweep(page, [setting(v) for v in (0.05, 0.4)])[-1:]:
        bars = page.locator("rect.fill-blue").evaluate_all(
            "(all) => all.map((b) => b.height.baseVal.value)"
        )
        whole = page.locator("rect.band").evaluate_all(
            "(all) => all.map((b) => b.height.baseVal.value)"
        )
        scale = (whole[0] - whole[1]) / math.log(case["eigenvalues"][0] / case["eigenvalues"][1])
        np.testing.assert_allclose(np.array(bars) / scale, 2 * np.array(shown["kl"]), atol=0.01)


def test_mouse_touch_and_keys_move_the_line(page_of, case):
    page = page_of(collapse_figure(case), touch=True, width=390)
    line = page.get_by_role("slider", name="The line βσ²")
    before = values(page)["threshold"]
    press(line, "ArrowUp", "Shift+ArrowUp")
    assert values(page)["threshold"] == pytest.approx(before * 10**0.22, rel=1e-9)
    drag(line, 0, 40)
    lower = values(page)["threshold"]
    assert lower < before
    touch_drag(line, 0, -40)
    assert values(page)["threshold"] > lower
    sweep(page, [{"β": 1.0}])
    before = values(page)
    press(line, "ArrowDown")
    assert values(page)["beta"] == before["beta"] == 10
    assert values(page)["variance"] < before["variance"]
    assert not scrolls_sideways(page)


def test_new_draws_are_of_the_prior(page_of, case):
    page = page_of(collapse_figure(case))
    told = sweep(page, [{"Draw again": None}] * 400)
    eps = np.array([shown["eps"] for shown in told])
    assert np.abs(eps.mean(0)).max() < 0.2
    np.testing.assert_allclose(eps.std(0), 1, atol=0.15)


@pytest.mark.parametrize("shape", [(3, 2, 1), (2, 3), (6, 1)])
def test_images_of_other_shapes(page_of, case, shape):
    page = page_of(collapse_figure(case, image_shape=shape, value_range=(1.0, 0.0)))
    assert page.get_by_role("img").count() == 3
    assert_collapse(values(page), case)


def test_without_components_there_are_no_pictures(page_of, case):
    page = page_of(linear_collapse(case["eigenvalues"], latent_dim=1, sigma=2.0, beta=0.5))
    shown = values(page)
    assert (shown["variance"], shown["beta"]) == (4.0, 0.5)
    assert page.get_by_role("img").count() == 0 and "x_mean" not in shown
    page.get_by_role("button", name="Light one").click()
    assert values(page)["n_on"] == 1


def test_almost_no_variance_may_be_left(page_of):
    """The axis stays readable, and the best σ² can still be gone to."""
    page = page_of(linear_collapse(torch.tensor([1.0, 0.5, 1e-9, 0.0]), latent_dim=2))
    assert values(page)["n_on"] == 1
    assert len(page.locator(".axes .end").all()) <= 7
    shown = sweep(page, [{"β": 1.0}, {"Best σ²": None}, {"β": 0.0, "Best σ²": None}])
    assert shown[-1]["variance"] == pytest.approx(1e-9 / 2, rel=1e-6)
    assert shown[-1]["n_on"] == 2


def test_many_dimensions_have_room(page_of):
    eigenvalues = torch.logspace(0, -3, 100)
    page = page_of(linear_collapse(eigenvalues, latent_dim=64), width=390)
    assert values(page)["n_on"] == 32
    assert page.locator("rect.band").count() == 64
    assert not scrolls_sideways(page)


def test_what_is_refused(case):
    good = case["eigenvalues"]
    for eigenvalues, options, message in [
        (good[None], {}, "finite eigenvalues"),
        (good * float("nan"), {}, "finite eigenvalues"),
        (good.flip(0), {}, "largest first"),
        (torch.zeros(6), {}, "not all zero"),
        (torch.zeros(0), {}, "not all zero"),
        (good, {"latent_dim": 6}, "latent_dim must leave"),
        (good, {"latent_dim": 0}, "latent_dim must leave"),
        (torch.tensor([1.0, 0.0, 0.0]), {"latent_dim": 1}, "latent_dim must leave"),
        (good, {"sigma": 0.0}, "sigma must be"),
        (good, {"sigma": math.inf}, "sigma must be"),
        (good, {"beta": 20.0}, "beta one from"),
        (good, {"components": case["components"]}, "give mean, images"),
    ]:
        with pytest.raises(ValueError, match=message):
            linear_collapse(eigenvalues, **{"latent_dim": 4, **options})
    for wrong, message in [
        ({"names": ["one"]}, "with N names"),
        ({"image_shape": (2, 2)}, "an image_shape of as many"),
        ({"images": case["data"][:2, :4]}, "an image_shape of as many"),
    ]:
        with pytest.raises(ValueError, match=message):
            collapse_figure(case, **wrong)
    with pytest.raises(ValueError, match="orthogonal rows"):
        collapse_figure({**case, "components": 2 * case["components"]})
