"""Every live figure of the built site in a headless Chromium: how long a frame takes it.

Handles, sliders, lists and pads are moved by keys, handles and pads by the mouse too, until a
figure has drawn some hundred frames. It measures a frame itself, around everything that it computes
and draws in it, and reports it in an event. Its first frame is counted from the moment at which its
page was asked for; its state is what the page carries for it, as JSON.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
sys.path += [str(ROOT / "tests"), str(ROOT / "book")]

from browser import centre, find_chromium, launched, next_frame, opened, press  # noqa: E402
from static_server import serving  # noqa: E402

PROBE = ROOT / "tests" / "probe.js"
MOST_MS = 8  # of a frame: half of what a screen at 60 Hz leaves

LISTEN = """
window.frames_ = new Map();
window.first = new Map();
addEventListener("vae-live-frame", (event) => {
  if (!first.has(event.target)) first.set(event.target, performance.now());
  frames_.set(event.target, [...(frames_.get(event.target) ?? []), event.detail]);
}, true);
"""
MOVES = '[role=slider], input[type=range], select, input[type=radio], canvas[tabindex="0"]'
KEYS = ["ArrowRight"] * 3 + ["ArrowUp"] + ["ArrowLeft"] * 3 + ["ArrowDown"]


def n_frames(figure):
    return figure.evaluate("(figure) => (frames_.get(figure) ?? []).length")


def by_keys(control):
    down = ["Space"] if control.evaluate("(c) => c.localName") == "canvas" else []
    for key in [*down, *KEYS]:
        press(control, key)


def by_mouse(page, control, i):
    if control.evaluate("(c) => c.localName") not in ("g", "canvas"):
        return
    x, y = centre(control)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 3 * step * (-1) ** i, y + 2 * step * (-1) ** (i // 2))
        next_frame(page)
    page.mouse.up()


def measure(page, figure, n_wanted):
    """The figure's frames, in ms, of at least that many, its first one left out."""
    controls = [c for c in figure.locator(MOVES).all() if c.is_visible() and c.is_enabled()]
    for i in range(n_wanted):
        for control in controls:
            by_keys(control)
            by_mouse(page, control, i)
        if n_frames(figure) > n_wanted:
            break
    return figure.evaluate("(figure) => frames_.get(figure) ?? []")[1:]


def figures_of(browser, address, name, n_wanted):
    """What was measured of each figure on a page, one dictionary each."""
    with opened(browser, width=1200, origins=(address,)) as page:
        page.add_init_script(LISTEN)
        page.add_init_script(path=PROBE)
        page.goto(f"{address}/{name}")
        for widget in page.evaluate("probe.states()"):
            shown = widget["state"]
            name_of_it = json.dumps(shown["name"], ensure_ascii=False)
            part = page.locator(f"section.vae-live[aria-label={name_of_it}]")
            first = part.evaluate("(figure) => first.get(figure)")
            frames = measure(page, part, n_wanted)
            yield {
                "page": Path(name).stem,
                "figure": shown["figure"],
                "frames": len(frames),
                "median_ms": statistics.median(frames),
                "p95_ms": statistics.quantiles(frames, n=20)[-1],
                "first_frame_ms": first,
                "state_bytes": len(json.dumps(widget, separators=(",", ":"))),
            }


def report(rows):
    print(f"{'page':28} {'figure':22} frames  median ms  95 % ms  first frame s  state kB")
    for row in rows:
        slow = "  slow" if row["p95_ms"] > MOST_MS else ""
        print(
            f"{row['page']:28} {row['figure']:22} {row['frames']:6} {row['median_ms']:10.2f} "
            f"{row['p95_ms']:8.2f} {row['first_frame_ms'] / 1000:14.2f} "
            f"{row['state_bytes'] / 1000:9.1f}{slow}"
        )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=SITE, help="the built site's folder")
    parser.add_argument("--frames", type=int, default=200, help="of each figure, at least")
    parser.add_argument("--results", type=Path, default=ROOT / "_build/bench/frames.json")
    return parser.parse_args()


def main():
    options = parse_arguments()
    chromium = find_chromium()
    if chromium is None or not (options.site / "index.html").exists():
        missing = "a Chromium" if chromium is None else f"a site in {options.site} (make book)"
        print(f"The live figures' frames were not measured: there is no {missing}.")
        return
    listed = [p for folder in ("book", "chapters") for p in (options.site / folder).glob("*.html")]
    names = sorted(path.relative_to(options.site).as_posix() for path in listed)
    with serving(options.site) as address, launched(chromium) as browser:
        rows = [row for name in names for row in figures_of(browser, address, name, options.frames)]
    report(rows)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(rows, indent=1))
    print(f"The aim: frames below {MOST_MS} ms. Written to {options.results}")


if __name__ == "__main__":
    main()
