"""The rules that every live figure keeps, for each entry of figures.py.

On the built pages test_browser_site.py asks the same of the figures as large as they are there.
"""

import base64
import json
import re
from pathlib import Path

import drive
import nbformat
import pytest
from browser import next_frame, scrolls_sideways, section, values
from figures import FIGURES, each_figure, like, made
from live_page import page_with
from playwright.sync_api import expect
from test_browser_site import LEFTOVERS, MOST_STATE, PROBE

from vae_lib.live import source

CHAPTERS = sorted((Path(__file__).resolve().parents[1] / "chapters").glob("*.ipynb"))
PRINT = (CHAPTERS[0].parents[1] / "book/assets/print.css").read_text(encoding="utf-8")
CONTROLS = "[role=slider], [role=application], input, select, button"
NAMES = "(all) => all.map((one) => one.ariaLabel ?? (one.labels?.[0] ?? one).textContent)"
NOTHING = {"listeners": 0, "timers": 0, "frames": 0, "observers": 0}


def test_every_script_has_its_entry():
    assert sorted(asked.name for asked in FIGURES) == source.figures()


@each_figure
def test_its_chapter_shows_it(asked):
    call = f"{asked.name}("  # quiz_figure is quiz's, for one chapter
    begins = r"\d" if asked.chapter == "every" else f"{int(asked.chapter):02d}_"
    here = [chapter for chapter in CHAPTERS if re.match(begins, chapter.name)]
    assert here
    for chapter in here:
        cells = nbformat.read(chapter, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        assert any(call in source for source in code), chapter.name


@each_figure
def test_its_state_is_small_and_its_picture_there(asked):
    figure, _ = made(asked)
    data, _ = figure._repr_mimebundle_()
    stand_in = data.get("image/png") or data["text/html"]
    assert stand_in.startswith(("<", base64.b64encode(b"\x89PNG\r\n").decode()[:8]))
    assert len(state_as_json(figure)) < MOST_STATE
    assert data["text/plain"] == f"{figure.name}: {figure.description}"
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == figure.model_id


def test_paper_says_that_a_figure_is_live(open_page):
    page = open_page()
    placeholder = '<div class="vae-live-placeholder"><img src="data:," alt=""></div>'
    page.set_content(f'<style>{PRINT}</style><div class="bd-article">{placeholder}</div>')
    note = "() => getComputedStyle(document.querySelector('div div'), '::after').content"
    assert page.evaluate(note) == "none"
    page.emulate_media(media="print")
    assert "this figure is live" in page.evaluate(note)


def state_as_json(figure):
    """As it stands in a page, its bytes in base64."""
    return json.dumps(figure.state, default=lambda data: base64.b64encode(data).decode())


@each_figure
@pytest.mark.parametrize("way", [drive.by_mouse, drive.by_touch, drive.by_keys])
def test_its_numbers_are_right_whatever_moves_it(asked, way, page_of):
    """On a phone in the dark: each control changes what is told, and then the figure rests."""
    figure, oracle = made(asked)
    page = page_of(figure, touch=True, width=390, height=844, theme="dark", still=True)
    found = page.locator(CONTROLS).evaluate_all(NAMES)
    assert [name.partition(". Arrow keys")[0] for name in found] == list(asked.controls)
    oracle(values(page))
    way(section(page), check=oracle)
    assert not scrolls_sideways(page)
    page.evaluate("() => { window.drawn = 0; }")
    page.evaluate("addEventListener('vae-live-frame', () => { drawn += 1; }, true)")
    next_frame(page)
    next_frame(page)
    assert page.evaluate("drawn") == 0, "it moves although the reader wishes for stillness"
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function("drawn >= 1")


@each_figure
def test_it_is_read_out_and_fits_a_page(asked, page_of):
    figure, _ = made(asked)
    page = page_of(figure)
    shown = section(page)
    expect(shown).to_have_accessible_name(figure.name)
    expect(shown).to_have_accessible_description(figure.description)
    words = shown.locator(".vae-live-readout").inner_text()
    expect(shown.locator("p.vae-live-status[role=status]")).to_have_text(words)
    assert len(words) > 10 and len(figure.description) > 30
    assert not scrolls_sideways(page)


@each_figure
def test_it_leaves_nothing_behind(asked, borrow_page):
    page = borrow_page()
    page.set_content(page_with(made(asked)[0], host=""))
    page.add_script_tag(path=PROBE)
    page.evaluate(LEFTOVERS, "")
    page.evaluate("probe.show(0)")
    for way in (drive.by_mouse, drive.by_keys):
        way(section(page), most=2)
    assert page.evaluate("counted().listeners") > 0
    left = page.evaluate(
        "() => { probe.end(); return { ...counted(), html: probe.el.innerHTML }; }"
    )
    assert left == NOTHING | {"html": ""}


@each_figure
def test_without_a_part_of_its_state_it_says_so(asked, page_of):
    part, message = asked.needed
    figure, _ = made(asked)
    without = {key: value for key, value in figure.state.items() if key != part}
    figures = [like(figure, without), like(figure, {**figure.state, part: None})]
    page = page_of(*figures)
    alerts = page.get_by_role("alert").all_inner_texts()
    assert len(alerts) == 2
    for alert in alerts:
        assert alert.startswith("This figure cannot be shown: ")
    assert any(message in alert for alert in alerts), alerts
