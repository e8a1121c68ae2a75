"""Whatever a live figure has to operate, operated: by keys, by mouse and by touch.

Each function takes a figure's section and works every control in it once, or `most` of each kind.
Handles, sliders, lists and drawing pads must each change what the figure tells; a button may have
nothing to tell just now. `check` gets the figure's numbers after each.
"""

import json
from collections import Counter
from collections.abc import Callable

from browser import NEXT_FRAME, centre, drag, press, touch_drag
from playwright.sync_api import Locator

MUST_TELL = (
    "[role=slider], input[type=range], input[type=radio], input[type=number], select, "
    'canvas[tabindex="0"]'
)
MAY_TELL = "button, input[type=checkbox]"
STEP = 25  # pixels

KIND = "(control) => control.type?.replace('-one', '') ?? control.localName"
TOLD = f"""async (section) => {{
  await ({NEXT_FRAME})();
  return [section.dataset.values, section.querySelector(".vae-live-readout")?.textContent].join();
}}"""
NAME = "(control) => control.ariaLabel ?? control.labels?.[0]?.textContent ?? control.outerHTML"
OTHERS = "({ options }) => [...options].filter((o) => !o.selected).map((o) => o.value)"


Check = Callable[[dict], None]
Act = Callable[[Locator, str, bool], None]


def told(section: Locator) -> str:
    """What the figure shows after the next frame, as numbers and in words."""
    return section.evaluate(TOLD)


def operate(section: Locator, act: Act, most: int, check: Check | None) -> None:
    """Work the controls: act(control, its kind, whether this is the second try, back again)."""
    worked = Counter()
    before = told(section)
    for must, selector in ((True, MUST_TELL), (False, MAY_TELL)):
        for control in section.locator(selector).all():
            kind = control.evaluate(KIND)
            if worked[kind] == most or not control.is_visible() or control.is_disabled():
                continue
            worked[kind] += 1
            chosen = kind == "radio" and control.is_checked()  # to choose it again changes nothing
            act(control, kind, False)
            after = told(section)
            if must and after == before:
                act(control, kind, True)
                after = told(section)
            name = control.evaluate(NAME)
            assert after != before or not must or chosen, f"{name}: nothing changed"
            assert section.locator(".vae-live-fault").count() == 0, name
            if check is not None:
                check(json.loads(section.get_attribute("data-values")))
            before = after


def by_keys(section: Locator, most: int = 100, check: Check | None = None) -> None:
    def act(control: Locator, kind: str, again: bool) -> None:
        keys = {
            "select": ["ArrowUp"] if again else ["ArrowDown"],
            "range": ["ArrowLeft"] if again else ["ArrowRight"],
            "radio": ["ArrowLeft"] if again else ["ArrowRight"],
            "number": ["ArrowDown"] if again else ["ArrowUp"],
            "g": ["ArrowLeft", "ArrowDown"] if again else ["ArrowRight", "ArrowUp"],
            "canvas": ["Space", "Shift+ArrowRight", "Shift+ArrowDown", "Space"],
        }
        press(control, *keys.get(kind, ["Space"]))

    operate(section, act, most, check)


def by_mouse(section: Locator, most: int = 100, check: Check | None = None) -> None:
    def act(control: Locator, kind: str, again: bool) -> None:
        if kind == "select":
            another_option(control)
        elif kind == "range":
            box = control.bounding_box()
            across = (0.3 if again else 0.7) * box["width"]
            control.click(position={"x": across, "y": box["height"] / 2})
        elif kind in ("g", "canvas"):
            drag(control, *((-STEP, STEP) if again else (STEP, -STEP)))
        elif kind == "number":
            control.click()
            press(control, "ArrowDown" if again else "ArrowUp")
        else:
            control.click()

    operate(section, act, most, check)


def by_touch(section: Locator, most: int = 100, check: Check | None = None) -> None:
    def act(control: Locator, kind: str, again: bool) -> None:
        if kind == "select":
            another_option(control)
        elif kind in ("g", "canvas"):
            touch_drag(control, *((-STEP, STEP) if again else (STEP, -STEP)))
        elif kind == "range":
            touch_drag(control, (-1 if again else 1) * 2 * STEP)
        elif kind == "number":
            touch_drag(control)
            press(control, "ArrowDown" if again else "ArrowUp")
        else:
            touch_drag(control)

    operate(section, act, most, check)


def another_option(control: Locator) -> None:
    """A list opens outside the page, where only the browser's own interface reaches it."""
    centre(control)
    others = control.evaluate(OTHERS)
    if others:
        control.select_option(others[-1])
