"""Chapter 15's figure: what turns and what stands still, and what it refuses."""

import numpy as np
import pytest
import torch
from browser import press, sweep, values
from figures import assert_turned, turned_figure
from torch import nn

from vae_lib.evaluation import mutual_information_gap
from vae_lib.live import rotated_latents
from vae_lib.networks import mlp


def at_angles(page, angles):
    return sweep(page, [{"angle": float(angle)} for angle in angles])


def test_every_number_is_the_librarys_at_every_angle(page_of):
    figure, *parts = turned_figure()
    for shown in at_angles(page_of(figure), range(-180, 181, 24)):
        assert_turned(shown, figure, *parts)


def test_the_mig_moves_and_the_elbo_stands_still(page_of):
    figure, *_ = turned_figure()
    shown = at_angles(page_of(figure), range(0, 91, 5))
    elbos, migs = ([one[name] for one in shown] for name in ("elbo", "mig"))
    assert np.ptp(elbos) < 1e-9
    assert max(migs) > 0.7 and min(migs) < 0.1
    assert np.ptp([one["kl"] for one in shown]) < 1e-9
    assert max(abs(one["correlation"]) for one in shown) > 0.1


def test_images_along_an_axis_are_others_after_a_turn(page_of):
    figure, *_ = turned_figure()
    first, quarter = at_angles(page_of(figure), [0, 90])
    np.testing.assert_allclose(quarter["images"][1], first["images"][0], atol=1e-6)
    assert np.abs(np.subtract(quarter["images"][0], first["images"][0])).max() > 1e-3


def test_the_buttons_find_the_most_and_the_least(page_of):
    figure, *_ = turned_figure()
    page = page_of(figure)
    migs = [one["mig"] for one in at_angles(page, range(90))]
    for name, best in (("Largest MIG", max(migs)), ("Smallest MIG", min(migs))):
        page.get_by_role("button", name=name).click()
        page.wait_for_function("() => new Promise((done) => requestAnimationFrame(done)) || true")
        assert values(page)["mig"] == pytest.approx(best)
    page.get_by_role("button", name="As trained").click()
    page.wait_for_timeout(50)
    assert values(page)["angle"] == 0


def test_keys_turn_the_old_axis(page_of):
    figure, *_ = turned_figure(angle=0.0)
    page = page_of(figure)
    knob = page.get_by_role("slider", name="The end of the old axis z₁")
    for keys, angle in (
        (["ArrowUp"], 1),
        (["ArrowRight", "Shift+ArrowUp"], 12),
        (["ArrowLeft", "PageDown", "ArrowDown"], 0),
        (["Shift+PageDown", "Shift+PageDown"], 160),  # past −180 it goes on from 180
        (["Home"], 0),
    ):
        press(knob, *keys)
        assert values(page)["angle"] == pytest.approx(angle, abs=1e-9)
    assert knob.get_attribute("aria-valuetext") == "0°"


def test_the_slider_stays_at_either_end(page_of):
    page = page_of(turned_figure()[0])
    slider = page.get_by_role("slider", name="angle")
    for key, angle in (("End", 180), ("Home", -180)):
        press(slider, key)
        assert values(page)["angle"] == angle == float(slider.input_value())


def test_it_starts_at_the_angle_asked_for_with_codes_drawn_from_q():
    figure, vae, x, factors = turned_figure(angle=30.0, seed=3)
    again, *_ = turned_figure(angle=30.0, seed=3)
    other, *_ = turned_figure(angle=30.0, seed=4)
    assert figure.state["angle"] == 30
    assert figure.state["codes"] == again.state["codes"] != other.state["codes"]
    packed = figure.state["codes"]
    codes = torch.from_numpy(np.frombuffer(packed["data"], "f4").reshape(packed["shape"]).copy())
    with torch.no_grad():
        q = vae.encoder(x)
    standard = (codes - q.mean) / q.stddev
    assert standard.mean().abs() < 0.1 and standard.std().item() == pytest.approx(1, abs=0.1)
    assert mutual_information_gap(codes, factors) > 0.7


def test_what_it_refuses():
    torch.manual_seed(0)
    x, few = torch.rand(20, 6), torch.arange(20) % 3
    good = {
        "encoder": nn.Linear(6, 4), "decoder": mlp(2, 4, 6), "x": x,
        "factors": {"a": few, "b": few}, "sigma": 0.1, "image_shape": (2, 3),
    }  # fmt: skip
    assert rotated_latents(**good).figure == "rotated_latents"
    wrong = [
        ({"image_shape": (3, 3)}, "images"),
        ({"factors": {"a": few}}, "two factors"),
        ({"factors": {"a": few, "b": few[:5]}}, "two factors"),
        ({"factors": {"a": few, "b": torch.zeros(20)}}, "one value"),
        ({"sigma": 0.0}, "sigma"),
    ]
    for change, message in wrong:
        with pytest.raises(ValueError, match=message):
            rotated_latents(**{**good, **change})
