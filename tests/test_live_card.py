"""The card that every live figure is: its badge, its words on a touch screen, and the one nudge."""

import re

import pytest
from browser import next_frame, press, scrolls_sideways, section
from figures import FIGURES, each_figure, made
from playwright.sync_api import expect

MAP = next(asked for asked in FIGURES if asked.name == "latent_map")
NUDGED = "(node) => node.classList.contains('vae-live-nudge')"


@each_figure
def test_all_have_one_look(asked, page_of):
    page = page_of(made(asked)[0])
    badge = section(page).locator("> .vae-live-badge")
    expect(badge).to_have_text("Live: try it")
    quiz = asked.name == "quiz"
    expect(badge).to_be_visible(visible=not quiz)
    width = section(page).evaluate("(node) => getComputedStyle(node).borderTopWidth")
    assert width == ("0px" if quiz else "1px")


def test_where_there_are_only_fingers_nothing_is_said_of_mouse_and_keys(page_of):
    figures = [made(asked)[0] for asked in FIGURES]
    page = page_of(*figures, touch=True)
    if not page.evaluate("matchMedia('(hover: none) and (pointer: coarse)').matches"):
        pytest.skip("this Chromium says that it has a mouse")
    for hint in page.locator(".vae-live-hint").all_inner_texts():
        assert not re.search(r"\b(mouse|arrow|keys?|drag)\b", hint, re.IGNORECASE), hint


def test_it_nudges_once_when_it_is_seen_until_it_is_touched(page_of):
    page = page_of(made(MAP)[0])
    page.wait_for_function("document.querySelector('.vae-live-nudge')")
    press(page.get_by_role("slider"), "ArrowRight")
    assert not section(page).evaluate(NUDGED)
    next_frame(page)
    assert not section(page).evaluate(NUDGED)


def test_it_does_not_nudge_a_reader_who_prefers_stillness(page_of):
    page = page_of(made(MAP)[0], still=True)
    page.wait_for_timeout(100)
    assert not section(page).evaluate(NUDGED)


SPLIT = {
    "posterior_ellipse",
    "decoded_draws",
    "sigma_slider",
    "one_pixel",
    "elbo_bars",
    "gradient_estimators",
    "explorer",
    "loss_calculator",
    "receptive_field",
    "linear_collapse",
    "rate_distortion",
    "conditional_digits",
    "rotated_latents",
}
PLOT = """(control) => {
  control.scrollIntoView({ block: "center" });
  const plot = control.closest(".vae-live").querySelector(".vae-live-main");
  const { top, bottom } = plot.getBoundingClientRect();
  return [top, bottom];
}"""


@pytest.mark.parametrize("name", sorted(SPLIT))
def test_on_a_phone_the_plot_is_in_view_whatever_is_moved(page_of, name):
    asked = next(asked for asked in FIGURES if asked.name == name)
    page = page_of(made(asked)[0], width=390, height=800, touch=True)
    worked = 0
    for control in section(page).locator("input, select, button, canvas[tabindex]").all():
        if control.is_visible():
            top, bottom = control.evaluate(PLOT)
            assert top >= -1 and bottom <= 640, control.evaluate("(one) => one.outerHTML")
            worked += 1
    assert worked >= 2
    assert not scrolls_sideways(page)
