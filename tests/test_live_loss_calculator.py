"""Chapter 9's calculator in the page: as the chapter's own, and as autograd of the same code."""

import itertools
import math

import numpy as np
import pytest
import torch
from browser import press, readout, scrolls_sideways, section, sweep, touch_drag, values
from figures import SIZES, implied_ratio, like
from torch import distributions as td
from torch.nn import functional as F

from vae_lib.live import loss_calculator

BATCH = 6
TERMS = ("SSE", "half SSE", "BCE")
OVERS = ("", "batch", "pixels", "batch pixels")
KL_OVERS = [
    " ".join(axes)
    for n in range(4)
    for axes in itertools.combinations(("batch", "latents", "pixels"), n)
]
COMBINATIONS = list(itertools.product(TERMS, OVERS, KL_OVERS, (1.0, 0.03)))
START = {"a start": ("SSE", "batch", "batch", 1.0, SIZES)}


def filled(combinations):
    """The form's fields, for losses given as (term, over, kl_over, weight)."""
    reduced = {
        "over pixels": (1, "pixels"),
        "over the batch in Reconstruction": (1, "batch"),
        "over latents": (2, "latents"),
        "over the batch in KL": (2, "batch"),
        "and then": (2, "pixels"),
    }
    return [
        {"term": loss[0], "weight w": loss[3]}
        | {name: "mean" if axis in loss[i] else "sum" for name, (i, axis) in reduced.items()}
        for loss in combinations
    ]


@pytest.fixture
def random_output():
    """Binary x, and leaves x_mean in (0, 1), mu and log_var, in double precision."""
    torch.manual_seed(0)
    x = torch.rand(BATCH, SIZES["pixels"]).round().double()
    x_mean = 0.1 + 0.8 * torch.rand(BATCH, SIZES["pixels"], dtype=torch.float64)
    mu, log_var = torch.randn(2, BATCH, SIZES["latents"], dtype=torch.float64)
    return x, [leaf.clone().requires_grad_() for leaf in (x_mean, mu, log_var)]


def gradient(value, leaves):
    return torch.cat([g.flatten() for g in torch.autograd.grad(value, leaves)])


def gradient_of_code(code, x, leaves):
    """That of the loss as the figure writes it, executed."""
    x_mean, mu, log_var = leaves
    kl = -0.5 * (1 + log_var - mu.square() - log_var.exp())
    names = {"x": x, "x_mean": x_mean, "kl": kl, "F": F}
    exec(code, names)
    return gradient(names["loss"], leaves)


def gradient_of_elbo(term, sigma, beta, x, leaves):
    """That of minus the ELBO, from torch.distributions, its KL weighed by beta."""
    x_mean, mu, log_var = leaves
    p_x = td.Bernoulli(x_mean) if term == "BCE" else td.Normal(x_mean, sigma)
    kl = td.kl_divergence(td.Normal(mu, (0.5 * log_var).exp()), td.Normal(0.0, 1.0))
    return gradient(beta * kl.sum() - p_x.log_prob(x).sum(), leaves)


def assert_parallel(one, other, what):
    cosine = F.cosine_similarity(one, other, dim=0)
    assert cosine == pytest.approx(1, abs=1e-12), what


def test_every_combination_is_the_chapters_and_an_elbo(page_of, random_output):
    (x, leaves), ratio_of = random_output, implied_ratio()
    page = page_of(loss_calculator(START, batch=BATCH))
    page.get_by_label("σ claimed").fill("0.2")
    told = sweep(page, filled(COMBINATIONS))
    for (term, over, kl_over, weight), shown in zip(COMBINATIONS, told, strict=True):
        what = (term, over, kl_over, weight)
        ratio = ratio_of(*what, **SIZES, batch=BATCH)
        assert shown["ratio"] == pytest.approx(ratio, rel=1e-12), what
        assert shown["b"] / shown["a"] == pytest.approx(ratio, rel=1e-12), what
        letters = {"w": weight, "D": SIZES["pixels"], "L": SIZES["latents"], "B": BATCH}
        assert eval(shown["letters"].replace("·", "*"), letters) == pytest.approx(ratio), what
        found = gradient_of_code(shown["code"], x, leaves)
        if term == "BCE":
            assert shown["sigma"] is None
            assert_parallel(found, gradient_of_elbo(term, None, shown["beta"], x, leaves), what)
        else:
            as_sigma = gradient_of_elbo(term, shown["sigma"], 1.0, x, leaves)
            as_beta = gradient_of_elbo(term, 0.2, shown["beta"], x, leaves)
            assert_parallel(found, as_sigma, what)
            assert_parallel(found, as_beta, what)


def test_a_and_b_are_the_coefficients_themselves(page_of, random_output):
    x, leaves = random_output
    page = page_of(loss_calculator(START, batch=BATCH))
    combinations = COMBINATIONS[::7]
    for (term, *_), shown in zip(combinations, sweep(page, filled(combinations)), strict=True):
        found = gradient_of_code(shown["code"], x, leaves)
        exact = gradient_of_elbo(term, 1.0, shown["b"] / shown["a"], x, leaves)
        np.testing.assert_allclose(found, shown["a"] * exact, rtol=1e-9)


def test_a_known_loss_is_read_off_in_words(page_of):
    frames = {"pixels": 64 * 64 * 3, "latents": 32}
    losses = START | {"PyTorch-VAE": ("SSE", "batch pixels", "batch", 2.5e-4, frames)}
    page = page_of(loss_calculator(losses))
    page.get_by_label("A loss").select_option("PyTorch-VAE")
    shown = values(page)
    assert shown["ratio"] == pytest.approx(1.536)
    assert "ELBO with σ = 1.24 on data in [0, 1]" in readout(page)
    assert shown["sizes"] == {**frames, "batch": 128}
    page.get_by_label("pixels D").fill("64")
    assert values(page)["sigma"] == pytest.approx(math.sqrt(64 * 2.5e-4 / 2))
    assert page.get_by_label("A loss").input_value() == "own"


def test_the_two_buttons(page_of):
    losses = {"a mean": ("SSE", "batch pixels", "latents pixels", 0.7, SIZES)}
    page = page_of(loss_calculator(losses, batch=BATCH))
    page.get_by_label("σ claimed").fill("0.3")
    page.get_by_role("button", name="Choose w so that β = 1").click()
    shown = values(page)
    assert shown["beta"] == pytest.approx(1, abs=1e-8)
    assert shown["sigma"] == pytest.approx(0.3, abs=1e-8)
    page.get_by_role("button", name="Sum both").click()
    assert values(page)["ratio"] == pytest.approx(0.5)
    for size in ("pixels D", "latents L", "batch B"):
        page.get_by_label(size).fill("77")
    assert values(page)["ratio"] == pytest.approx(0.5)


def test_what_is_no_number_for_its_field_is_named(page_of):
    page = page_of(loss_calculator(START))
    for field, text, message in [
        ("latents L", "", "must be a whole number, 1 or more"),
        ("pixels D", "0", "must be a whole number, 1 or more"),
        ("batch B", "2.5", "must be a whole number, 1 or more"),
        ("weight w", "-1", "must be a number, 0 or more"),
        ("σ claimed", "0", "must be a number above 0"),
    ]:
        page.get_by_label(field).fill(text)
        assert message in readout(page), field
        assert values(page)["ratio"] is None
        assert page.get_by_label(field).get_attribute("aria-invalid") == "true"
        page.get_by_label(field).fill("3")
        assert values(page)["ratio"] > 0
        assert page.locator("[aria-invalid=true]").count() == 0


def test_ends_of_the_scale(page_of):
    ends = list(itertools.product(TERMS, (0.0, 1e-12, 1e12)))
    figure = loss_calculator(START)
    (loss,) = figure.state["losses"]
    states = [
        {"losses": [{**loss, "term": t, "over": [], "kl_over": [], "weight": w}]} for t, w in ends
    ]
    figures = [like(figure, {**figure.state, **state}) for state in states]
    page = page_of(*figures, width=390)
    for i, (term, weight) in enumerate(ends):
        assert values(page, i)["ratio"] == pytest.approx(weight / (2 if term == "SSE" else 1))
        assert ("no ELBO" in readout(page, i)) == (weight == 0)
        assert "NaN" not in section(page, i).inner_html()
    assert not scrolls_sideways(page)


def test_below_a_quarter_of_the_pixels_and_not_above_encoding_can_pay(page_of):
    page = page_of(loss_calculator({"SSE": ("half SSE", "", "", 1.0, SIZES)}))
    for weight, never in ((2.49, False), (2.5, True), (40, True)):
        page.get_by_label("weight w").fill(str(weight))
        assert ("never pays" in readout(page)) == never


def test_keys_and_fingers_on_a_phone(page_of):
    page = page_of(loss_calculator(START), width=390, touch=True, theme="dark")
    press(page.get_by_label("pixels D"), "ArrowUp", "ArrowUp")
    assert values(page)["sizes"]["pixels"] == SIZES["pixels"] + 2
    press(page.get_by_label("term"), "ArrowDown")
    assert values(page)["term"] == "half SSE"
    touch_drag(page.get_by_role("button", name="Choose w"))
    assert values(page)["beta"] == pytest.approx(1)
    assert page.get_by_role("group", name="Sizes").get_by_label("latents L").is_visible()
    assert not scrolls_sideways(page)


def test_the_picture_answers_every_loss():
    losses = {str(c): (*c, SIZES) for c in COMBINATIONS[:4]}
    bundle, _ = loss_calculator(losses)._repr_mimebundle_()
    assert len(bundle["image/png"]) > 1000


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (("MSE", "", "", 1.0, SIZES), "a: the term must be one of"),
        (("SSE", "latents", "", 1.0, SIZES), "averaged over some of 'batch pixels'"),
        (("SSE", "", "rows", 1.0, SIZES), "averaged over some of 'batch latents pixels'"),
        (("SSE", "", "", -1.0, SIZES), "weight must be a number, 0 or more"),
        (("SSE", "", "", math.nan, SIZES), "weight must be a number, 0 or more"),
        (("SSE", "", "", 1.0, {"pixels": 0, "latents": 3}), "whole numbers of 1 or more"),
        (("SSE", "", "", 1.0, {"pixels": 3}), "the sizes pixels, latents and batch"),
    ],
)
def test_what_is_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        loss_calculator({"a": loss})


def test_no_losses_are_refused():
    with pytest.raises(ValueError, match="one loss or more"):
        loss_calculator({})
