"""A claim holds exactly where every value keeps its bar, and says what it was, in every place."""

import math
import pickle
import re
import sys
from html.parser import HTMLParser

import IPython
import IPython.display
import numpy as np
import pytest
import torch

from vae_lib.claims import ClaimFailed, claim


def holds(measured, **bars):
    try:
        claim("it is so", measured, **bars)
    except ClaimFailed:
        return False
    return True


@pytest.fixture
def notebook(monkeypatch):
    """As in a notebook: what is displayed, as (data, metadata)."""
    shown = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(
        IPython.display, "display", lambda data, raw, metadata: shown.append((data, metadata))
    )
    return shown


@pytest.mark.parametrize(
    ("bars", "allowed"),
    [
        ({"above": 1.0}, lambda v: v > 1),
        ({"below": 1.0}, lambda v: v < 1),
        ({"equals": 1.0}, lambda v: v == 1),
        ({"equals": 1.0, "within": 0.5}, lambda v: abs(v - 1) <= 0.5),
        ({"between": (0.5, 1.0)}, lambda v: 0.5 <= v <= 1),
        ({"above": 0.0, "below": 2.0}, lambda v: 0 < v < 2),
    ],
)
def test_every_value_has_to_keep_every_bar(bars, allowed):
    values = [-math.inf, -1.0, 0.0, 0.5, 1 - 1e-12, 1.0, 1 + 1e-12, 1.5, 2.0, math.inf, math.nan]
    for value in values:
        assert holds(value, **bars) == bool(allowed(value)), value
        assert holds([1.0, value], **bars) == all(map(allowed, (1.0, value))), value


@pytest.mark.parametrize("kind", ["above", "below", "equals", "between"])
def test_nan_bears_nothing_out_on_either_side(kind):
    nan = math.nan
    pair = kind == "between"
    assert not holds(nan, **{kind: (0.0, 1.0) if pair else 0.0})
    for bar in [(nan, 1.0), (0.0, nan)] if pair else [nan]:
        assert not holds(0.5, **{kind: bar})


@pytest.mark.parametrize(
    "several",
    [
        [1.0, 2.0, 3.0],
        (1, 2, 3),
        torch.tensor([1.0, 2.0, 3.0], dtype=torch.bfloat16),
        torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True),
        [torch.tensor(1.0), torch.tensor(2.0), np.float32(3)],
        np.arange(6)[1:4],
        np.array([3.0, 2.0, 1.0])[::-1],
        range(1, 4),
    ],
)
def test_numbers_are_taken_as_they_come(several):
    assert holds(several, above=[0.5, 1.5, 2.5], below=3.5, seeds=range(3))
    assert not holds(several, above=[0.5, 2.5, 1.5])  # the bars stand in the values' order
    assert holds({"a": several, "b": 9}, above={"a": 0.5, "b": 8})
    assert not holds({"a": several, "b": 7}, above={"a": 0.5, "b": 8})


def test_a_truth_value_is_a_number():
    assert holds(torch.ones(3, dtype=torch.bool), equals=True)
    assert not holds(torch.tensor([True, False]), equals=True)


@pytest.mark.parametrize(
    ("measured", "bars", "complaint"),
    [
        (1.0, {}, "needs a bar"),
        (1.0, {"within": 0.1}, "needs a bar"),
        ([], {"above": 0}, "Nothing was measured"),
        ([1.0, 2.0], {"above": 0, "seeds": range(5)}, "each of the 5 seeds, but there are 2"),
        ([1.0, 2.0], {"above": [0, 0, 0]}, "each of the 2 values, but above has 3"),
        ({"a": 1.0}, {"above": {"b": 1.0}}, "a bar for each of a, but above has b"),
        ("many", {"above": 0}, "Expected a number"),
        ({"a": {"b": 1}}, {"above": 0}, "Expected a number"),
    ],
)
def test_what_claims_nothing_is_refused(measured, bars, complaint):
    with pytest.raises(ValueError, match=complaint):
        claim("it is so", measured, **bars)


def test_a_false_claim_says_which_values_fail_and_by_how_much():
    with pytest.raises(AssertionError) as raised:
        claim("A beats B", [0.5, 0.75, math.nan], below=[0.6, 0.7, 0.7], seeds=[3, 4, 8])
    lines = str(raised.value).splitlines()
    assert lines == [
        "This does not hold: A beats B",
        "  seed 4: 0.75, not below 0.7: misses by 0.05",
        "  seed 8: nan, not below 0.7: which is no number",
    ]
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is ClaimFailed and str(again) == str(raised.value)
    with pytest.raises(ClaimFailed, match="and 88 more"):
        claim("all are positive", torch.zeros(100), above=0)
    with pytest.raises(ClaimFailed, match=r"1, not above 1: misses by 5\.96e−08"):
        claim("it is above one", 0.9999999404, above=1)


def test_in_a_terminal_it_is_a_line_and_its_numbers(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)  # of which another test may have had a shell
    claim("it beats PCA", [0.123456789, 0.2], below=0.25, seeds=range(2))
    printed = capsys.readouterr().out
    assert printed == "✓ it beats PCA\n  0.1235 to 0.2: below 0.25; margin 0.05; seeds 0, 1\n"


class Reading(HTMLParser):
    """The tags in order, and the text of the summary and of the rest."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.summary, self.rest, self.inside = [], "", "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = self.inside or tag == "summary"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "summary"

    def handle_data(self, text):
        if self.inside:
            self.summary += text
        else:
            self.rest += text


def test_in_a_notebook_it_is_one_line_that_unfolds_to_the_numbers(notebook):
    claim("a < b & `code` <b>bold</b>", {"<i>": [0.5, 1.5]}, below=2, seeds=[0, 1])
    ((data, metadata),) = notebook
    assert data["text/plain"] == "✓ a < b & `code` <b>bold</b>"
    read = Reading(data["text/html"])
    names = [name for name, _ in read.tags]
    assert names[:2] == ["details", "summary"] and "b" not in names and "i" not in names
    assert "open" not in read.tags[0][1]
    assert read.summary == "✓ a < b & code <b>bold</b>"
    assert "<i>, seed 1" in read.rest and "0.5 to spare" in read.rest
    recorded = metadata["vae_book"]["claim"]
    assert recorded["holds"] is True and recorded["seeds"] == [0, 1]
    assert recorded["margin"] == "0.5" and recorded["missed"] == []


def test_its_colours_are_legible_in_light_and_dark(notebook):
    claim("it is so", 1, above=0)
    with pytest.raises(ClaimFailed):
        claim("it is so", 0, above=0)
    for data, _ in notebook:
        for colour in re.findall(r"#[0-9a-f]{6}", data["text/html"]):
            for ground in ("#ffffff", "#121212"):
                assert contrast(colour, ground) >= 3, (colour, ground)


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_a_false_one_is_shown_and_recorded_too(notebook):
    with pytest.raises(ClaimFailed):
        claim("it is so", [1.0, 3.0], above=2.0)
    ((data, metadata),) = notebook
    assert data["text/plain"].startswith("✗") and "Not so" in data["text/html"]
    assert metadata["vae_book"]["claim"]["holds"] is False
    assert metadata["vae_book"]["claim"]["missed"] == [
        "value 1: 1, not above 2: misses by 1"
    ]  # fmt: skip


def test_what_is_shown_is_the_same_on_machines_that_differ_in_the_last_digits(notebook):
    for value in (0.12345678, 0.12345681):
        claim("it is so", value, above=0.0)
    assert notebook[0] == notebook[1]
    for value in (1.0, 1.0 + 1e-9):
        claim("it is so", value, equals=1.0, within=1e-6)
    numbers = [metadata["vae_book"]["claim"]["numbers"] for _, metadata in notebook[2:]]
    assert numbers == ["equal to 1 within 1e−06"] * 2


def test_bars_that_differ_are_named_as_such(notebook):
    claim("it is so", [1.0, 2.0], equals=[1.0, 2.0])
    claim("it is so", [1.0, 2.0], above=[0.5, 1.0])
    numbers = [metadata["vae_book"]["claim"]["numbers"] for _, metadata in notebook]
    assert numbers == ["each equals its own bar", "1 to 2: each above its own bar; margin 0.5"]


def test_many_values_are_shown_by_their_worst(notebook):
    claim("all are close", torch.linspace(0, 1, 1797), below=1.5)
    data, metadata = notebook[0]
    assert len(data["text/html"]) < 5000 and "of 1,797" in data["text/html"]
    assert metadata["vae_book"]["claim"]["numbers"] == "0 to 1: below 1.5; margin 0.5"
