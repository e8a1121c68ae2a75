"""The frame of every live figure with its handles and controls: keys, mouse, finger, clean-up."""

import numpy as np
import pytest
from browser import (
    centre,
    drag,
    next_frame,
    press,
    readout,
    scrolls_sideways,
    section,
    touch_drag,
    values,
)
from playwright.sync_api import expect
from test_browser_site import LEFTOVERS

# Handles and controls

HANDLE = """(options) => {
  window.ended = lib.show((frame) => {
    const axes = lib.plot({ x: [-2, 2], y: [-1, 1], label: "A plane" });
    lib.panel(frame, "", axes.box);
    const told = [];
    const point = lib.handle(frame, axes, {
      x: 0.5, y: 0.2, label: "The point", step: 0.1, ...options,
      onMove: (to) => { told.push(to); frame.request(); },
    });
    frame.draw(() => frame.tell(`at ${point.x}, ${point.y}`, { x: point.x, y: point.y, told }));
    window.axes = axes;
  });
}"""


def place(page):
    now = values(page)
    return pytest.approx((now["x"], now["y"]), abs=1e-9)


def with_handle(page, **options):
    """A handle alone on its page, where it starts."""
    page.evaluate("document.querySelector('main').replaceChildren()")
    page.evaluate(HANDLE, options)
    return page.get_by_role("slider")


KEYS = [
    (["ArrowRight"], (0.6, 0.2)),
    (["ArrowLeft", "ArrowLeft"], (0.3, 0.2)),
    (["ArrowUp"], (0.5, 0.3)),
    (["ArrowDown"], (0.5, 0.1)),
    (["Shift+ArrowRight"], (1.5, 0.2)),
    (["PageUp"], (0.5, 1.0)),
    (["PageDown"], (0.5, -0.8)),
    (["Shift+ArrowRight"] * 3 + ["ArrowDown"], (2.0, 0.1)),
    (["Shift+ArrowLeft"] * 9, (-2.0, 0.2)),
    (["ArrowUp", "Shift+ArrowLeft", "Home"], (0.5, 0.2)),
    (["a", "Enter"], (0.5, 0.2)),
]
FREE_KEYS = [
    ("x", ["ArrowUp"], (0.6, 0.2)),
    ("x", ["ArrowDown", "ArrowLeft"], (0.3, 0.2)),
    ("x", ["PageUp"], (1.5, 0.2)),
    ("y", ["ArrowRight"], (0.5, 0.3)),
    ("y", ["ArrowLeft", "ArrowDown"], (0.5, 0.0)),
    ("y", ["Home"], (0.5, 0.2)),
]


def test_keys_move_a_handle_and_the_axes_hold_it(lib):
    page = lib()
    for keys, expected in KEYS:
        press(with_handle(page), *keys)
        assert expected == place(page), keys


def test_a_handle_that_is_free_in_one_direction_takes_all_keys_for_it(lib):
    page = lib()
    for free, keys, expected in FREE_KEYS:
        mark = with_handle(page, free=free)
        press(mark, *keys)
        assert expected == place(page), (free, keys)
        vertical = mark.get_attribute("aria-orientation")
        assert vertical == ("vertical" if free == "y" else None)


def test_a_handle_says_what_it_is(lib):
    page = lib()
    mark = with_handle(page)
    expect(mark).to_have_accessible_name("The point")
    assert mark.get_attribute("aria-valuemin") == "-2"
    assert mark.get_attribute("aria-valuemax") == "2"
    press(mark, "ArrowRight")
    assert float(mark.get_attribute("aria-valuenow")) == pytest.approx(0.6)
    assert mark.get_attribute("aria-valuetext") == "0.60, 0.20"


def per_unit(page):
    """Pixels of the window to a unit of x and of y."""
    return page.evaluate(
        """() => {
          const scale = axes.svg.getBoundingClientRect().width / axes.area.width;
          return [scale * (axes.px(1) - axes.px(0)), scale * (axes.py(0) - axes.py(1))];
        }"""
    )


@pytest.mark.parametrize("move", [drag, touch_drag])
@pytest.mark.parametrize("width", [800, 390])
def test_a_handle_follows_mouse_and_finger(lib, move, width):
    page = lib(touch=True, width=width)
    mark = with_handle(page)
    across, up = per_unit(page)
    move(mark, 0.8 * across, 0.6 * up)
    now = values(page)
    assert (now["x"], now["y"]) == pytest.approx((1.3, -0.4), abs=0.02)
    assert len(now["told"]) >= 5, "it is told on the way, not only at the end"
    move(mark, 50 * across if width > 400 else 100, 0)
    assert values(page)["x"] == pytest.approx(2.0, abs=0.01 if width > 400 else 0.5)
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("tap", [drag, touch_drag])
def test_a_plane_brings_its_handle_to_the_pointer(lib, tap):
    page = lib(touch=True)
    with_handle(page, plane=True)
    tap(page.locator(".sheet"), 0, 0)
    now = values(page)
    assert (now["x"], now["y"]) == pytest.approx((0, 0), abs=0.02)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "The point"


def test_without_a_plane_only_the_handle_is_taken(lib):
    page = lib()
    mark = with_handle(page)
    x, y = centre(page.locator(".vae-live-plot"))
    page.mouse.move(x - 60, y + 40)
    page.mouse.down()
    page.mouse.move(x, y)
    page.mouse.up()
    assert values(page)["told"] == []
    mark.click(button="right")
    assert values(page)["told"] == []
    mark.hover()
    page.mouse.move(10, 10)
    assert values(page)["told"] == [], "a pointer that passes by moves nothing"


CONTROLS = """() => {
  window.ended = lib.show((frame) => {
    const now = { range: 0.5, clicks: 0, chosen: "b", number: 3 };
    const change = (name) => (value) => { now[name] = value; frame.request(); };
    window.range = lib.slider(frame, {
      label: "A range", min: 0, max: 1, step: 0.1, value: 0.5, onInput: change("range"),
      format: (v) => `${Math.round(100 * v)} %`,
    });
    lib.button(frame, { label: "A button", onClick: () => change("clicks")(now.clicks + 1) });
    lib.button(frame, { label: "A toggle", pressed: true, onClick: () => {} });
    const options = [["a", "first"], ["b", "second"], ["c", "third"]];
    lib.choice(frame, { label: "A list", options, value: "b", onChange: change("chosen") });
    lib.field(frame, { label: "A number", min: 0, step: 1, value: 3, onInput: change("number") });
    frame.draw(() => frame.tell(`range ${now.range}, ${now.clicks} clicks`, now));
  });
}"""


@pytest.fixture
def controls(lib):
    page = lib(touch=True)
    page.evaluate(CONTROLS)
    return page


def test_a_slider_has_a_name_and_a_value_in_words(controls):
    slider = controls.get_by_role("slider", name="A range")
    assert slider.get_attribute("aria-valuetext") == "50 %"
    press(slider, "ArrowRight", "ArrowRight")
    assert values(controls)["range"] == pytest.approx(0.7)
    assert controls.locator("output").inner_text() == "70 %"
    slider.click(position={"x": 1, "y": 5})
    assert values(controls)["range"] == 0
    touch_drag(slider)
    assert values(controls)["range"] == pytest.approx(0.5)
    controls.evaluate("range.set(0.9)")
    assert (slider.input_value(), slider.get_attribute("aria-valuetext")) == ("0.9", "90 %")
    assert values(controls)["range"] == pytest.approx(0.5), "setting it tells nobody"


def test_a_button_answers_mouse_finger_and_keys(controls):
    button = controls.get_by_role("button", name="A button")
    button.click()
    touch_drag(button)
    press(button, "Enter", "Space")
    assert values(controls)["clicks"] == 4
    toggle = controls.get_by_role("button", name="A toggle")
    assert toggle.get_attribute("aria-pressed") == "true"
    assert button.get_attribute("aria-pressed") is None


def test_a_list_and_a_number_can_be_chosen(controls):
    chosen = controls.get_by_role("combobox", name="A list")
    assert chosen.input_value() == "b"
    press(chosen, "ArrowDown")
    assert values(controls)["chosen"] == "c"
    chosen.select_option("first")
    assert values(controls)["chosen"] == "a"
    number = controls.get_by_role("spinbutton", name="A number")
    press(number, "ArrowUp")
    assert values(controls)["number"] == 4


def test_what_has_the_focus_is_seen(lib):
    page = lib()
    with_handle(page)
    page.evaluate(CONTROLS)
    seen = """() => {
      const focused = document.activeElement;
      const ring = focused.querySelector(".reach");
      const style = getComputedStyle(ring ?? focused);
      return ring ? style.stroke !== "none" : parseFloat(style.outlineWidth) >= 2;
    }"""
    unfocused = "getComputedStyle(document.querySelector('.reach')).stroke"
    assert page.evaluate(unfocused) == "none"
    labels = []
    for _ in range(6):
        page.keyboard.press("Tab")
        labels.append(page.evaluate("document.activeElement.localName"))
        assert page.evaluate(seen), labels[-1]
    assert labels == ["g", "input", "button", "button", "select", "input"]


# The frame

FRAMES = """() => {
  window.frames_ = [];
  document.addEventListener("vae-live-frame", (event) => frames_.push(event.detail));
}"""


def test_many_changes_are_one_frame(controls):
    controls.evaluate(FRAMES)
    next_frame(controls)
    assert controls.evaluate("frames_.length") == 0, "at rest nothing is drawn"
    controls.evaluate(
        """() => {
          const input = document.querySelector("input[type=range]");
          for (const value of [0.1, 0.2, 0.3]) {
            input.value = value;
            input.dispatchEvent(new Event("input"));
          }
        }"""
    )
    next_frame(controls)
    assert controls.evaluate("frames_.length") == 1
    assert 0 <= controls.evaluate("frames_[0]") < 1000
    assert values(controls)["range"] == pytest.approx(0.3)


def test_a_screen_reader_is_told_once_things_rest(controls):
    status = section(controls).locator("p[role=status]")
    expect(status).to_have_text("range 0.5, 0 clicks")
    told = """() => {
      window.told = [];
      const status = document.querySelector(".vae-live-status");
      const tell = () => told.push(status.textContent);
      new MutationObserver(tell).observe(status, { childList: true });
    }"""
    controls.evaluate(told)
    press(controls.get_by_role("slider"), *["ArrowRight"] * 4)
    assert readout(controls) == "range 0.9, 0 clicks"
    expect(status).to_have_text("range 0.9, 0 clicks")
    assert controls.evaluate("told") == ["range 0.9, 0 clicks"]


def test_a_figure_has_a_name_and_a_description(controls):
    expect(section(controls)).to_have_accessible_name("A figure")
    expect(section(controls)).to_have_accessible_description("What it is.")


@pytest.mark.parametrize("when", ["building", "drawing", "moving", "later"])
def test_a_fault_becomes_a_message(lib, when):
    page = lib()
    page.evaluate(LEFTOVERS, "")
    page.evaluate(
        """(when) => {
          window.ended = lib.show((frame) => {
            const fail = (now) => { if (now === when) throw new Error("the weights are missing"); };
            const onClick = () => { fail("moving"); frame.request(); };
            lib.button(frame, { label: "Move", onClick });
            fail("building");
            let first = true;
            frame.draw(() => { if (!first) fail("drawing"); first = false; frame.tell("well"); });
            frame.later(() => fail("later"), 10);
          });
        }""",
        when,
    )
    if when in ("drawing", "moving"):
        page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text(
        "This figure cannot be shown: the weights are missing."
    )
    assert page.get_by_role("button").count() == 0
    assert page.evaluate("counted()") == {"listeners": 0, "timers": 0, "frames": 0, "observers": 0}


def test_a_figure_that_is_taken_away_leaves_nothing(lib):
    page = lib()
    page.evaluate(LEFTOVERS, "")
    with_handle(page, plane=True)
    press(page.get_by_role("slider"), "ArrowRight")
    there = page.evaluate("counted()")
    assert there["listeners"] >= 6 and there["observers"] == 1 and there["timers"] == 1
    found = page.evaluate(
        """() => {
          const [el, end] = ended;
          axes.svg.querySelector(".handle").dispatchEvent(
            new KeyboardEvent("keydown", { key: "ArrowLeft" }));
          const asked = counted().frames;
          end();
          return { asked, ...counted(), html: el.innerHTML };
        }"""
    )
    assert found == {
        "asked": 1, "listeners": 0, "timers": 0, "frames": 0, "observers": 0, "html": ""
    }  # fmt: skip


def test_what_is_put_off_can_be_called_off(lib):
    page = lib()
    happened = page.evaluate(
        """async () => {
          const happened = [];
          const [, end] = lib.show((frame) => {
            frame.draw(() => {});
            frame.later(() => happened.push("first"), 5);
            frame.later(() => happened.push("called off"), 5)();
            frame.later(() => happened.push("too late"), 60);
          });
          await new Promise((done) => setTimeout(done, 30));
          end();
          await new Promise((done) => setTimeout(done, 80));
          return happened;
        }"""
    )
    assert happened == ["first"]


@pytest.mark.parametrize("still", [False, True])
def test_the_readers_wish_for_stillness_is_known(lib, still):
    page = lib(still=still)
    page.evaluate("lib.show((frame) => { window.still = frame.reducedMotion(); })")
    assert page.evaluate("still") is still


THEMES = """
  html[data-theme="dark"], body[data-jp-theme-light="false"], body.vscode-dark {
    --pst-color-text-base: #dcdfe3;
  }
  @media (prefers-color-scheme: dark) { html { --pst-color-text-base: #dcdfe3 } }
"""


@pytest.mark.parametrize(
    "change",
    [
        'document.documentElement.dataset.theme = "dark"',
        'document.body.dataset.jpThemeLight = "false"',
        'document.body.className = "vscode-dark"',
        "system",
    ],
)
def test_a_change_of_theme_draws_again(controls, change):
    controls.add_style_tag(content=THEMES)
    controls.evaluate(FRAMES)
    if change == "system":
        controls.emulate_media(color_scheme="dark")
    else:
        controls.evaluate(change)
    controls.wait_for_function("frames_.length >= 1", timeout=5000)


def test_a_class_that_changes_no_colour_draws_nothing(controls):
    controls.add_style_tag(content=THEMES)
    controls.evaluate(FRAMES)
    controls.evaluate('document.body.className = "scrolled"')
    controls.evaluate('document.documentElement.dataset.theme = "light"')
    next_frame(controls)
    next_frame(controls)
    assert controls.evaluate("frames_.length") == 0


@pytest.mark.parametrize(("theme", "ink"), [("light", [31, 35, 40]), ("dark", [220, 223, 227])])
def test_pixels_are_ink_of_the_theme_on_its_paper(lib, theme, ink):
    page = lib(theme=theme)
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    found = page.evaluate(
        """() => {
          let context;
          lib.show((frame) => {
            const image = lib.pixels([2, 3], { label: "An image" });
            lib.panel(frame, "", lib.captioned(image, "below").figure);
            image.show([-1, 0, 1, 2, 3, 9], [0, 3]);
            context = image.canvas.getContext("2d");
          });
          return [...context.getImageData(0, 0, 3, 2).data];
        }"""
    )
    pixels = np.reshape(found, (6, 4))
    np.testing.assert_allclose(pixels[:, 3], [0, 0, 85, 170, 255, 255], atol=1)
    np.testing.assert_array_equal(pixels[4:, :3], [ink, ink])
    np.testing.assert_allclose(pixels[3, :3], ink, atol=2)
    expect(page.get_by_role("img", name="An image")).to_be_visible()
    assert page.locator(".vae-live-caption").inner_text() == "below"
