"""The ten digits as a pen would draw them: strokes of points (x, y) in the unit square, y down."""

import numpy as np
from browser import next_frame
from playwright.sync_api import Locator, Page

Stroke = list[tuple[float, float]]


def arc(x: float, y: float, r: float, s: float, start: float, end: float, n: int = 24) -> Stroke:
    """Part of an ellipse, from `start` to `end` in degrees, clockwise from 3 o'clock."""
    angle = np.radians(np.linspace(start, end, n))
    return list(
        zip((x + r * np.cos(angle)).tolist(), (y + s * np.sin(angle)).tolist(), strict=True)
    )


DIGITS: dict[int, list[Stroke]] = {
    0: [arc(0.5, 0.5, 0.2, 0.32, -90, 270)],
    1: [[(0.36, 0.34), (0.52, 0.18), (0.52, 0.82)]],
    2: [[*arc(0.5, 0.35, 0.19, 0.17, -170, 30), (0.31, 0.82), (0.71, 0.82)]],
    3: [[*arc(0.47, 0.33, 0.19, 0.15, -150, 90), *arc(0.47, 0.65, 0.22, 0.17, -90, 150)]],
    4: [[(0.55, 0.18), (0.3, 0.6), (0.75, 0.6)], [(0.6, 0.42), (0.56, 0.84)]],
    5: [[(0.7, 0.18), (0.36, 0.18), (0.34, 0.45), *arc(0.47, 0.62, 0.2, 0.2, -110, 150)]],
    6: [[(0.58, 0.16), *arc(0.5, 0.64, 0.2, 0.18, -170, 190)]],
    7: [[(0.3, 0.2), (0.7, 0.2), (0.45, 0.84)], [(0.4, 0.5), (0.66, 0.5)]],
    8: [[*arc(0.5, 0.34, 0.16, 0.16, 90, 450), *arc(0.5, 0.66, 0.19, 0.16, -90, 270)]],
    9: [[*arc(0.49, 0.36, 0.18, 0.18, 0, 360), *arc(0.47, 0.6, 0.2, 0.24, -50, 130)]],
}


def pad_of(page: Page) -> Locator:
    """The figure's drawing pad."""
    return page.get_by_role("application", name="Draw a digit")


BOX = """(pad) => {
  pad.scrollIntoViewIfNeeded();
  const { x, y, width, height } = pad.getBoundingClientRect();
  return [x, y, width, height];
}"""
# All on the way in one frame: the screen is not waited for after each.
ON_THE_WAY = """(pad, places) => {
  const mouse = { pointerId: 1, isPrimary: true, bubbles: true };
  for (const [clientX, clientY] of places)
    pad.dispatchEvent(new PointerEvent("pointermove", { ...mouse, clientX, clientY }));
}"""
FEW = 4  # places that the mouse goes to one by one


def draw(page: Page, strokes: list[Stroke]) -> None:
    """Draw with the mouse."""
    pad = pad_of(page).element_handle()
    left, top, width, height = pad.evaluate(BOX)
    for stroke in strokes:
        start, *rest, end = [(left + u * width, top + v * height) for u, v in stroke]
        page.mouse.move(*start)
        page.mouse.down()
        if len(rest) > FEW:
            pad.evaluate(ON_THE_WAY, rest)
            rest = []
        for place in [*rest, end]:
            page.mouse.move(*place)
        page.mouse.up()
    next_frame(page)
