"""Pages in a real Chromium: fixtures and helpers for every test that touches a figure.

A test takes `page_of`, shows a figure, moves it, and reads its numbers back:

    def test_keys_move_the_code(page_of):
        page = page_of(latent_map(...), theme="dark", width=390)
        press(page.get_by_role("slider"), "ArrowRight")
        assert values(page)["z"] == pytest.approx([0.05, 0.0])

Whatever a page complains about fails the test that opened it: an error on its console, an exception
that nobody caught, a request to another server. The environment variable VAE_BOOK_BROWSER names
the program to use, or says "required", so that a machine without one fails and does not skip.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from urllib.parse import urlsplit

import pytest
from live_page import page_with
from pdf import PROGRAMS, VARIABLE, find_browser
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    ElementHandle,
    Locator,
    Page,
    Request,
    sync_playwright,
)

ARGUMENTS = (
    "--no-sandbox",  # as root, in a container, there is none to be had
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
)
LOCAL_SCHEMES = ("about", "blob", "data", "file")
# A figure that was moved has asked for the frame before this asks for it.
# The browser makes a click of a tap in its own time.
TAPPED = """() => {
  const once = { capture: true, once: true };
  window.tapped_ = new Promise((end) => addEventListener("click", end, once));
}"""
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
# What is under a plot that stays in view, a reader would scroll out from there.
CENTRE = """(target) => {
  const middle = () => {
    const { x, y, width, height } = target.getBoundingClientRect();
    return [x + width / 2, y + height / 2];
  };
  target.scrollIntoViewIfNeeded();
  const over = document.elementFromPoint(...middle());
  if (over?.closest(".vae-live-main") && !over.contains(target) && !target.contains(over)) {
    target.scrollIntoView({ block: "center" });
  }
  return middle();
}"""

VALUES = f"""async (which) => {{
  await ({NEXT_FRAME})();
  return document.querySelectorAll("section.vae-live")[which].dataset.values;
}}"""
READOUT = f"""async (which) => {{
  await ({NEXT_FRAME})();
  const section = document.querySelectorAll("section.vae-live")[which];
  return section.querySelector(".vae-live-readout").innerText;
}}"""
SWEEP = """async (settings) => {
  await (NEXT_FRAME)(); // which may have been asked for
  const section = document.querySelector("section.vae-live");
  const labels = [...section.querySelectorAll("label")];
  const labelled = (name) => {
    const [text, group] = name.split(" in ");
    const inGroup = (label) => !group || label.closest("fieldset").firstChild.textContent === group;
    return labels.find((label) => label.textContent === text && inGroup(label)).control;
  };
  const buttons = [...section.querySelectorAll("button")];
  const change = (control, value) => {
    const option = [...(control.options ?? [])].find((one) => one.text === value);
    control.value = option ? option.value : value;
    const type = control.localName === "select" ? "change" : "input";
    control.dispatchEvent(new Event(type, { bubbles: true }));
  };
  const move = ([name, value]) => {
    if (value === null) buttons.find((button) => button.textContent === name).click();
    else change(labelled(name), value);
  };
  const wait = window.requestAnimationFrame;
  window.requestAnimationFrame = (draw) => (queueMicrotask(draw), 1);
  const told = [];
  for (const setting of settings) {
    Object.entries(setting).forEach(move);
    await null;
    await null;
    told.push(section.dataset.values);
  }
  window.requestAnimationFrame = wait;
  return `[${told}]`;
}""".replace("NEXT_FRAME", NEXT_FRAME)


def find_chromium() -> str | None:
    """The path of a Chromium, or None where there is none and none is asked for."""
    found, wanted = find_browser(), os.environ.get(VARIABLE, "")
    if found is None and wanted:
        raise FileNotFoundError(f"{VARIABLE} is {wanted!r}, but there is no such browser.")
    return found


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = find_chromium()
    if found is None:
        pytest.skip(f"no Chromium here: none of {', '.join(PROGRAMS)} (or name one in {VARIABLE})")
    return found


@contextmanager
def launched(path: str) -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """One browser for all tests of a process."""
    with launched(chromium_path) as browser:
        yield browser


def watch(page: Page, origins: tuple[str, ...]) -> list[str]:
    """A list that fills with what the page complains about.

    A request is in order if it stays on the machine's files or goes to one of the origins, such as
    "http://127.0.0.1:8000".
    """
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES and f"{parts.scheme}://{parts.netloc}" not in origins:
            complaints.append(f"request: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    page.on("request", on_request)
    return complaints


def make_context(
    browser: Browser,
    *,
    theme: str = "light",
    width: int = 800,
    height: int = 900,
    touch: bool = False,
    still: bool = False,
    scripts: bool = True,
    offline: bool = False,
) -> BrowserContext:
    """A reader's circumstances.

    Args:
        theme: "light" or "dark", what the reader's system prefers.
        width, height: of the window, in pixels.
        touch: whether there is a touch screen.
        still: whether the reader prefers reduced motion.
        scripts: False where JavaScript is off.
        offline: whether the network is cut off.
    """
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce" if still else "no-preference",
        has_touch=touch,
        java_script_enabled=scripts,
        offline=offline,
    )


@contextmanager
def watched(context: BrowserContext, origins: tuple[str, ...] = ()) -> Iterator[Page]:
    """An empty page, whose complaints are an AssertionError at the end.

    `page.complaints` is the list so far: a test that provokes one checks it and clears it.
    """
    page = context.new_page()
    page.complaints = watch(page, origins)
    try:
        yield page
    finally:
        page.close()
    assert not page.complaints, "\n".join(page.complaints)


@contextmanager
def opened(browser: Browser, *, origins: tuple[str, ...] = (), **options) -> Iterator[Page]:
    """A watched page in a context of its own; options as for `make_context`."""
    with make_context(browser, **options) as context, watched(context, origins) as page:
        yield page


@pytest.fixture(scope="session")
def contexts(chromium: Browser) -> Callable[..., BrowserContext]:
    """A function that gives a context by its options, the same for the same ones.

    Each costs a process; an empty page in it keeps that alive.
    """

    @cache
    def context(**options) -> BrowserContext:
        made = make_context(chromium, **options)
        made.new_page()
        return made

    return context


@pytest.fixture
def open_page(contexts: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """A function that opens a watched page, with the options of `make_context` and its origins."""
    with ExitStack() as pages:

        def open_page(*, origins: tuple[str, ...] = (), **options) -> Page:
            return pages.enter_context(watched(contexts(**options), origins))

        yield open_page


@pytest.fixture(scope="session")
def used_pages() -> dict[tuple, list[Page]]:
    """Pages that have been looked at, by their circumstances: a new one takes far longer."""
    return defaultdict(list)


@pytest.fixture
def borrow_page(
    contexts: Callable[..., BrowserContext], used_pages: dict[tuple, list[Page]]
) -> Iterator[Callable[..., Page]]:
    """As `open_page`, for tests that leave no route, script or listener with the page.

    What was in it is gone, its globals too; it comes back for another test if nobody complained.
    """
    with ExitStack() as pages:

        def borrow(*, origins: tuple[str, ...] = (), **options) -> Page:
            kept = used_pages[origins, *sorted(options.items())]
            context = contexts(**options)
            return pages.enter_context(borrowed(context, kept, origins, options))

        yield borrow


@contextmanager
def borrowed(
    context: BrowserContext, kept: list[Page], origins: tuple[str, ...], options: dict
) -> Iterator[Page]:
    page = kept.pop() if kept else context.new_page()
    page.bring_to_front()  # behind another, it would be given one frame a second
    if not hasattr(page, "complaints"):
        page.complaints = watch(page, origins)
    yield page
    if page.complaints:
        page.close()
        raise AssertionError("\n".join(page.complaints))
    # Nothing may move the mouse there: Chromium would give the next document no pointer capture.
    page.goto("about:blank")
    page.emulate_media(color_scheme=options.get("theme", "light"))
    kept.append(page)


@pytest.fixture
def page_of(borrow_page: Callable[..., Page]) -> Callable[..., Page]:
    """A function that shows one figure, or several, on a page of their own.

    `page_of(figure, theme="dark", width=390, touch=True, still=True)`, options as for `open_page`.
    """

    def show(*figures, theme: str = "light", **options) -> Page:
        page = borrow_page(theme=theme, **options)
        page.set_content(page_with(*figures, theme=theme))
        return page

    return show


def next_frame(page: Page) -> None:
    """Wait until what has been asked for is drawn."""
    page.evaluate(NEXT_FRAME)


def section(page: Page, which: int = 0) -> Locator:
    """A live figure of the page, counted from 0."""
    return page.locator("section.vae-live").nth(which)


def values(page: Page, which: int = 0) -> dict:
    """The numbers that a figure shows, as it told them with its last frame."""
    return json.loads(page.evaluate(VALUES, which))


def readout(page: Page, which: int = 0) -> str:
    """What a figure says in words."""
    return page.evaluate(READOUT, which)


def sweep(page: Page, settings: list[dict[str, object]]) -> list[dict]:
    """What a figure tells in each of many settings, one after the other.

    A setting gives each control that it moves, by its label, a value; a button None, which is a
    click. A list is chosen from by its option's value or text. "over the batch in KL" is the one in
    that group. The figure draws each setting, but
    does not wait for the screen to be ready for it.
    """
    return json.loads(page.evaluate(SWEEP, settings))


def press(target: Locator, *keys: str) -> None:
    """Focus something and press keys, e.g. "ArrowRight", "Shift+ArrowUp", "Home"."""
    target.focus()
    for key in keys:
        target.page.keyboard.press(key)
    next_frame(target.page)


def centre(target: Locator | ElementHandle) -> tuple[float, float]:
    """The middle of something, in pixels of the window, after scrolling it into view."""
    x, y = target.evaluate(CENTRE)
    return x, y


def drag(target: Locator, dx: float, dy: float, *, steps: int = 5) -> None:
    """Take hold of something with the mouse and drag it by some pixels."""
    mouse_drag(target.page, centre(target), dx, dy, steps=steps)
    next_frame(target.page)


def mouse_drag(
    page: Page, start: tuple[float, float], dx: float, dy: float, *, steps: int = 5
) -> None:
    """The same from a place in the window, without waiting for the next frame."""
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=steps)
    page.mouse.up()


def touch_drag(target: Locator, dx: float = 0, dy: float = 0, *, steps: int = 5) -> None:
    """The same with a finger; without a distance it is a tap. Open the page with touch=True."""
    finger_drag(target.page, centre(target), dx, dy, steps=steps)
    next_frame(target.page)


def finger_drag(
    page: Page, start: tuple[float, float], dx: float = 0, dy: float = 0, *, steps: int = 5
) -> None:
    """The same with a finger; without a distance it is a tap."""
    x, y = start
    if not dx and not dy:  # down and up at once: on a busy machine it may become a long press
        page.evaluate(TAPPED)
        page.touchscreen.tap(x, y)
        page.evaluate("Promise.race([tapped_, new Promise((end) => setTimeout(end, 1000))])")
        return
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": a, "y": b} for a, b in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x, y))
    for i in range(1, steps + 1):
        touch("touchMove", (x + dx * i / steps, y + dy * i / steps))
    touch("touchEnd")
    fingers.detach()


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return page.evaluate(
        "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
