"""The card that every live figure is: its badge, its words on a touch screen, and the one nudge."""

import re

import pytest
from browser import next_frame, press, section
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
