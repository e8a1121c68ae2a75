"""The rules that every live figure keeps, for each entry of figures.py.

On the built pages test_browser_site.py asks the same of the figures as large as they are there.
"""

import base64
import json
from pathlib import Path

import drive
import nbformat
from browser import next_frame, scrolls_sideways, section, values
from figures import FIGURES, each_figure
from live_page import page_with
from playwright.sync_api import expect
from test_browser_site import LEFTOVERS, MOST_STATE, PROBE

from vae_lib.live import source

CHAPTERS = sorted((Path(__file__).resolve().parents[1] / "chapters").glob("*.ipynb"))
CONTROLS = "[role=slider], [role=application], input, select, button"
NAMES = "(all) => all.map((one) => one.ariaLabel ?? (one.labels?.[0] ?? one).textContent)"
NOTHING = {"listeners": 0, "timers": 0, "frames": 0, "observers": 0}


def test_every_script_has_its_entry():
    assert sorted(asked.name for asked in FIGURES) == source.figures()


@each_figure
def test_its_chapter_shows_it(asked):
    call = f"{asked.name}("  # quiz_figure is quiz's, for one chapter
    every = asked.chapter == "every"
    here = [c for c in CHAPTERS if every or c.name.startswith(f"{int(asked.chapter):02d}_")]
    assert here
    for chapter in here:
        cells = nbformat.read(chapter, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        assert any(call in source for source in code), chapter.name


@each_figure
def test_its_state_is_small_and_its_picture_there(asked):
    figure, _ = asked.make()
    data, _ = figure._repr_mimebundle_()
    stand_in = data.get("image/png") or data["text/html"]
    assert base64.b64decode(stand_in).startswith(b"\x89PNG") or stand_in.startswith("<")
    assert len(state_as_json(figure)) < MOST_STATE
    assert data["text/plain"] == f"{figure.name}: {figure.description}"
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == figure.model_id


def state_as_json(figure):
    """As it stands in a page, its bytes in base64."""
    return json.dumps(figure.state, default=lambda data: base64.b64encode(data).decode())


@each_figure
def test_its_numbers_are_right_whatever_moves_it(asked, page_of):
    """With mouse, finger and keys, on a phone in the dark: each control changes what is told."""
    figure, oracle = asked.make()
    page = page_of(figure, touch=True, width=390, height=844, theme="dark", still=True)
    shown = section(page)
    found = page.locator(CONTROLS).evaluate_all(NAMES)
    assert [name.partition(". Arrow keys")[0] for name in found] == list(asked.controls)
    oracle(values(page))
    assert not scrolls_sideways(page)
    for way in (drive.by_mouse, drive.by_touch, drive.by_keys):
        way(shown, check=oracle)
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
    figure, _ = asked.make()
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
    page.set_content(page_with(asked.make()[0], host=""))
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
    figures = []
    for state in (lambda s: {k: v for k, v in s.items() if k != part}, lambda s: {**s, part: None}):
        figure, _ = asked.make()
        figure.state = state(figure.state)
        figures.append(figure)
    page = page_of(*figures)
    alerts = page.get_by_role("alert").all_inner_texts()
    assert len(alerts) == 2
    for alert in alerts:
        assert alert.startswith("This figure cannot be shown: ")
    assert any(message in alert for alert in alerts), alerts
