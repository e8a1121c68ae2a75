"""Chapter 9's calculator in the page: the chapter's own, and what autograd says."""

import itertools
import math
from pathlib import Path

import nbformat
import pytest
import torch
from browser import next_frame, press, readout, scrolls_sideways, values
from torch import distributions as td
from torch.nn import functional as F

from vae_lib.live import loss_calculator

CHAPTER = Path(__file__).resolve().parents[1] / "chapters" / "09_loss_audit.ipynb"
SIZES = {"pixels": 10, "latents": 3}
BATCH = 6
TERMS = ("SSE", "half SSE", "BCE")
OVERS = ("", "batch", "pixels", "batch pixels")
KL_OVERS = ("", "batch", "latents", "batch latents", "batch pixels")
WEIGHTS = (1.0, 0.03)
COMBINATIONS = list(itertools.product(TERMS, OVERS, KL_OVERS, WEIGHTS))


@pytest.fixture(scope="module")
def implied_ratio():
    """The chapter's function, from its cell."""
    cells = nbformat.read(CHAPTER, as_version=4).cells
    source = next(c.source for c in cells if c.source.startswith("def implied_ratio"))
    names = {"math": math}
    exec(source, names)
    return names["implied_ratio"]


def figure_of(combinations):
    choices = {str(c): (*c, SIZES) for c in combinations}
    return loss_calculator(choices, batch=BATCH)


def ratios_shown(page, n):
    choice = page.get_by_label("A loss from the table")
    found = []
    for i in range(n):
        choice.select_option(str(i))
        found.append(values(page)["ratio"])
    return found


def loss_gradient(term, over, kl_over, weight, x, leaves):
    """The gradient of the loss as code would write it, with torch's own sums and means."""
    output, mu, log_var = leaves
    terms = {
        "SSE": (x - output).square(),
        "half SSE": (x - output).square() / 2,
        "BCE": F.binary_cross_entropy_with_logits(output, x, reduction="none"),
    }
    kl_terms = -0.5 * (1 + log_var - mu.square() - log_var.exp())
    value = terms[term].mean(-1) if "pixels" in over else terms[term].sum(-1)
    value = value.mean() if "batch" in over else value.sum()
    kl = kl_terms.mean(-1) if "latents" in kl_over else kl_terms.sum(-1)
    kl = kl.mean() if "batch" in kl_over else kl.sum()
    if "pixels" in kl_over:
        kl = kl / SIZES["pixels"]
    return torch.cat([g.flatten() for g in torch.autograd.grad(value + weight * kl, leaves)])


def elbo_gradient(term, ratio, x, leaves):
    """That of minus the ELBO, from torch.distributions, with the implied sigma or beta."""
    output, mu, log_var = leaves
    kl = td.kl_divergence(td.Normal(mu, (0.5 * log_var).exp()), td.Normal(0.0, 1.0)).sum()
    if term == "BCE":
        value = -td.Bernoulli(logits=output).log_prob(x).sum() + ratio * kl
    else:
        value = -td.Normal(output, math.sqrt(ratio)).log_prob(x).sum() + kl
    return torch.cat([g.flatten() for g in torch.autograd.grad(value, leaves)])


def test_every_combination_is_the_chapters_and_an_elbo(page_of, implied_ratio):
    torch.manual_seed(0)
    x = torch.rand(BATCH, SIZES["pixels"]).round().double()
    shapes = [(BATCH, SIZES["pixels"]), *[(BATCH, SIZES["latents"])] * 2]
    leaves = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    page = page_of(figure_of(COMBINATIONS))
    for combination, ratio in zip(COMBINATIONS, ratios_shown(page, len(COMBINATIONS)), strict=True):
        expected = implied_ratio(*combination, **SIZES, batch=BATCH)
        assert ratio == pytest.approx(expected, rel=1e-12), combination
        gradient = loss_gradient(*combination, x, leaves)
        exact = elbo_gradient(combination[0], ratio, x, leaves)
        cosine = F.cosine_similarity(gradient, exact, dim=0)
        assert cosine == pytest.approx(1, abs=1e-12), combination
        assert gradient @ exact > 0


def test_another_form_than_the_table_is_computed(page_of):
    page = page_of(figure_of([("BCE", "", "", 1.0)]))
    page.get_by_label("Reconstruction").select_option("SSE")
    page.get_by_label("It is", exact=True).select_option("batch pixels")
    page.get_by_label("The KL is").select_option("batch")
    page.get_by_label("Pixels D").fill("12288")
    page.get_by_label("KL weight").fill("0.00025")
    assert values(page)["ratio"] == pytest.approx(1.536)
    assert "σ = 1.24" in readout(page)
    page.get_by_role("button", name="Sum both terms").click()
    assert values(page)["ratio"] == pytest.approx(0.5)
    assert page.get_by_label("KL weight").input_value() == "1"


@pytest.mark.parametrize("text", ["", "0", "-3"])
def test_a_size_that_is_none_is_named(page_of, text):
    page = page_of(figure_of([("SSE", "batch", "batch", 1.0)]))
    page.get_by_label("Latents L").fill(text)
    assert "latents must be a number above 0" in readout(page)
    assert values(page)["ratio"] is None
    page.get_by_label("Latents L").fill("8")
    assert values(page)["ratio"] == pytest.approx(0.5)


@pytest.mark.parametrize("weight", [1e-12, 1e12])
def test_ends_of_the_scale(page_of, weight):
    page = page_of(figure_of([("BCE", "batch", "batch", weight)]))
    assert values(page)["ratio"] == pytest.approx(weight)
    assert "10^" in readout(page)
    assert not scrolls_sideways(page)


def test_keys_on_a_phone(page_of):
    page = page_of(figure_of([("BCE", "batch", "batch", 1.0)]), width=390)
    press(page.get_by_label("Pixels D"), "ArrowUp", "ArrowUp")
    assert values(page)["pixels"] == SIZES["pixels"] + 2
    press(page.get_by_label("Reconstruction"), "ArrowUp")
    next_frame(page)
    assert values(page)["term"] == "half SSE"
    assert not scrolls_sideways(page)


def test_what_is_refused():
    with pytest.raises(ValueError, match="one loss at least"):
        loss_calculator({})
    with pytest.raises(ValueError, match="term of 'a' must be one of"):
        loss_calculator({"a": ("MSE", "", "", 1.0, SIZES)})
    with pytest.raises(ValueError, match="above 0"):
        loss_calculator({"a": ("SSE", "", "", 0.0, SIZES)})
