"""Whatever a live figure has to operate, operated: by keys, by mouse and by touch.

Each function takes a figure's section and works every control in it once, or `most` of each kind.
Handles, sliders, lists and drawing pads must each change what the figure tells; a button may have
nothing to tell just now. `check` gets the figure's numbers after each.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from browser import NEXT_FRAME, centre, finger_drag, mouse_drag
from playwright.sync_api import ElementHandle, Locator, Page

MUST_TELL = (
    "[role=slider], input[type=range], input[type=radio], input[type=number], select, "
    'canvas[tabindex="0"]'
)
MAY_TELL = "button, input[type=checkbox]"
STEP = 25  # pixels

# Asked of the elements themselves: a locator would look each up anew, which takes far longer.
LOOK = """(control) => {
  const { width, height } = control.getBoundingClientRect();
  const shown = width && height && control.checkVisibility({ visibilityProperty: true });
  return {
    kind: control.type?.replace("-one", "") ?? control.localName,
    name: control.ariaLabel ?? control.labels?.[0]?.textContent ?? control.outerHTML,
    chosen: control.type === "radio" && control.checked,
    kept: control.isConnected,
    usable: shown && !control.matches(":disabled, [aria-disabled=true]"),
    width,
    height,
  };
}"""
TOLD = f"""async (section) => {{
  await ({NEXT_FRAME})();
  const words = section.querySelector(".vae-live-readout")?.textContent;
  const fault = section.querySelector(".vae-live-fault")?.textContent;
  return {{ values: section.dataset.values, words, fault }};
}}"""
OTHERS = "({ options }) => [...options].filter((o) => !o.selected).map((o) => o.value)"


Check = Callable[[dict], None]


class Control(NamedTuple):
    """A control, what it is, and whether this is the second try, back again."""

    page: Page
    element: ElementHandle
    look: dict
    again: bool

    @property
    def kind(self) -> str:
        return self.look["kind"]

    def press(self, *keys: str) -> None:
        self.element.focus()
        for key in keys:
            self.page.keyboard.press(key)


Act = Callable[[Control], None]


def operate(section: Locator, act: Act, most: int, check: Check | None) -> None:
    """Work the controls."""
    worked = Counter()
    figure = section.element_handle()
    before = figure.evaluate(TOLD)
    for must, selector in ((True, MUST_TELL), (False, MAY_TELL)):
        for element in figure.query_selector_all(selector):
            look = element.evaluate(LOOK)
            name, kind = look["name"], look["kind"]
            assert look["kept"], f"{name}: another has taken its place"
            if worked[kind] == most or not look["usable"]:
                continue
            worked[kind] += 1
            act(Control(section.page, element, look, False))
            after = figure.evaluate(TOLD)
            if must and after == before:
                act(Control(section.page, element, look, True))
                after = figure.evaluate(TOLD)
            # To choose again what is chosen changes nothing.
            assert after != before or not must or look["chosen"], f"{name}: nothing changed"
            assert after["fault"] is None, f"{name}: {after['fault']}"
            if check is not None:
                check(json.loads(after["values"]))
            before = after


def by_keys(section: Locator, most: int = 100, check: Check | None = None) -> None:
    def act(control: Control) -> None:
        keys = {
            "select": ["ArrowUp"] if control.again else ["ArrowDown"],
            "range": ["ArrowLeft"] if control.again else ["ArrowRight"],
            "radio": ["ArrowLeft"] if control.again else ["ArrowRight"],
            "number": ["ArrowDown"] if control.again else ["ArrowUp"],
            "g": ["ArrowLeft", "ArrowDown"] if control.again else ["ArrowRight", "ArrowUp"],
            "canvas": ["Space", "Shift+ArrowRight", "Shift+ArrowDown", "Space"],
        }
        control.press(*keys.get(control.kind, ["Space"]))

    operate(section, act, most, check)


def by_mouse(section: Locator, most: int = 100, check: Check | None = None) -> None:
    def act(control: Control) -> None:
        page, element, look, again = control
        if control.kind == "select":
            another_option(element)
        elif control.kind == "range":
            across = (0.3 if again else 0.7) * look["width"]
            element.click(position={"x": across, "y": look["height"] / 2})
        elif control.kind in ("g", "canvas"):
            mouse_drag(page, centre(element), *((-STEP, STEP) if again else (STEP, -STEP)))
        elif control.kind == "number":
            element.click()
            control.press("ArrowDown" if again else "ArrowUp")
        else:
            element.click()

    operate(section, act, most, check)


def by_touch(section: Locator, most: int = 100, check: Check | None = None) -> None:
    def act(control: Control) -> None:
        page, element, _, again = control
        if control.kind == "select":
            another_option(element)
        elif control.kind in ("g", "canvas"):
            finger_drag(page, centre(element), *((-STEP, STEP) if again else (STEP, -STEP)))
        elif control.kind == "range":
            finger_drag(page, centre(element), (-1 if again else 1) * 2 * STEP)
        elif control.kind == "number":
            finger_drag(page, centre(element))
            control.press("ArrowDown" if again else "ArrowUp")
        else:
            finger_drag(page, centre(element))

    operate(section, act, most, check)


def another_option(control: ElementHandle) -> None:
    """A list opens outside the page, where only the browser's own interface reaches it."""
    centre(control)
    others = control.evaluate(OTHERS)
    if others:
        control.select_option(others[-1])
