"""The built site in a real browser: every page, every live figure on it, and nothing from outside.

Whatever every single control of a figure does is asked of small ones, in test_live_figures.py, with
an oracle; here the figures are as the book has them, on its pages.
"""

import base64
import hashlib
import html
import json
import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote_plus, unquote, urldefrag, urlsplit

import drive
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from browser import next_frame, opened, scrolls_sideways
from built_site import MOST_STATE
from playwright.sync_api import expect
from static_server import serving, weight

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 1_500_000  # of a page with all that it loads, compressed
MOST_SECONDS = 2.5  # to the first live figure's first frame
WIDTH = 1200  # of the window, in pixels
PAPER = 680  # pixels between the margins of A4
UNFIT = """() => {
  for (const box of document.querySelectorAll("article div.math")) box.style.fontSize = "";
}"""
AXE = {"resultTypes": ["violations"], "preload": False}  # no style sheet fetched again
AXE_CONTRAST = {**AXE, "runOnly": ["color-contrast"]}
AXE_OTHERS = {**AXE, "rules": {"color-contrast": {"enabled": False}}}
# Of code, probe.faintCode judges the contrast: axe takes seconds for its many small pieces.
TEXT = {"include": [["[data-unlike]"]], "exclude": [[".highlight pre"], ["dt.sig"]]}
AS_IT_IS = "book/notation"  # formulas and code are alike on all pages: axe sees those of one
PHONE = {"width": 390, "height": 844, "touch": True, "theme": "dark", "still": True}
PATIENCE = 20_000  # ms, for what should take a moment on an idle machine

contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
LISTED = [contents["root"], *(e["file"] for part in contents["parts"] for e in part["chapters"])]
NAMES = [*LISTED, "genindex", "py-modindex", "search"]
# `make test` goes to one page of each kind; `make long` to the others.
ONE_OF_EACH = {"book/intro", "book/notation", "chapters/06_elbo"}
PAGES = [
    pytest.param(name, marks=[] if name in ONE_OF_EACH else pytest.mark.long) for name in NAMES
]


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served."""
    with serving(site) as address:
        yield address


NONSENSE = r"NaN|undefined|Infinity|\bnull\b|\[object"
PROBE = ROOT / "tests" / "probe.js"
LEFTOVERS = (ROOT / "tests" / "leftovers.js").read_text(encoding="utf-8")


def load(page, url):
    """Open a page and wait until it is at rest."""
    page.add_init_script(path=PROBE)
    page.goto(url, timeout=6 * PATIENCE)
    page.evaluate("probe.settled()")
    next_frame(page)
    return page


# A strict content security policy: the theme's own scripts by their hashes, and no others


def policy(path):
    """What the theme needs on a page, and MathJax, which writes styles."""
    text = re.sub(r"<article.*</article>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    inline = re.findall(r"<script(?![^>]*\b(?:src|type)=)[^>]*>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in inline]
    assert hashes
    allowed = " ".join(f"'sha256-{h}'" for h in hashes)
    return (
        f"default-src 'none'; script-src 'self' 'report-sample' {allowed}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'"
    )


def refused(page):
    """What the policy refuses on a page: directive, what it was, and how it begins."""
    return {tuple(entry) for entry in page.evaluate("probe.refused")}


@contextmanager
def visited(chromium, site, name):
    """A page as a server sends it that allows the theme's own scripts alone."""
    requested = set()
    headers = {"Content-Security-Policy": policy(site / f"{name}.html")}
    with (
        serving(site, headers) as address,
        opened(chromium, width=WIDTH, touch=True, origins=(address,)) as page,
    ):
        page.on("request", lambda request: requested.add(urldefrag(request.url).url))
        load(page, f"{address}/{name}.html")
        # What it refuses is judged by itself, in words that tell a figure's from the theme's.
        page.complaints[:] = [c for c in page.complaints if "Content Security" not in c]
        yield SimpleNamespace(name=name, page=page, requested=requested, address=address)


@pytest.fixture(scope="session")
def refused_of_the_theme(chromium, site):
    with visited(chromium, site, "book/notation") as visit:
        return refused(visit.page)


@pytest.fixture(scope="module", params=PAGES)
def visit(request, chromium, site):
    """.name, .page, .address, and .requested, the addresses asked for."""
    with visited(chromium, site, request.param) as visit:
        yield visit


def has_figures(page):
    return bool(page.evaluate("probe.promised()"))


def sections(page):
    return page.locator("css:light=section.vae-live").all()


def assert_complete(page):
    """Every figure, formula and picture is there."""
    assert page.evaluate("probe.shown()") == len(page.evaluate("probe.promised()"))
    for fault in ("faults", "unset", "brokenImages"):
        assert page.evaluate(f"probe.{fault}()") == [], fault


# Every page


def test_the_page_shows_everything(visit):
    assert_complete(visit.page)
    assert visit.page.complaints == []


@pytest.mark.parametrize("width", [390, 900, 1280, 1366, "paper"])
def test_nothing_is_wider_than_its_column(visit, width):
    """Not with everything open either; on paper formulas fit as they are."""
    page, on_paper = visit.page, width == "paper"
    page.evaluate("probe.openAll()")
    try:
        page.set_viewport_size({"width": PAPER if on_paper else width, "height": 900})
        if on_paper:
            page.emulate_media(media="print")
        for _ in range(20):  # formulas are fitted a moment after the width has changed
            next_frame(page)
            if on_paper:
                page.evaluate(UNFIT)
            found = page.evaluate("probe.tooWide()")
            if not found:
                break
            page.wait_for_timeout(100)
        assert found == []
        assert not scrolls_sideways(page)
    finally:
        page.evaluate("probe.shutAll()")
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": WIDTH, "height": 900})


def test_the_page_is_light(visit, site):
    local = {url for url in visit.requested if url.startswith("http")}
    sizes = {url: weight(site, url) for url in local}
    heaviest = sorted(sizes, key=sizes.get, reverse=True)[:5]
    listed = "\n".join(f"{sizes[url]:9,} {urlsplit(url).path}" for url in heaviest)
    assert 10_000 < sum(sizes.values()) < MOST_BYTES, f"{sum(sizes.values()):,} bytes:\n{listed}"


def test_the_first_figure_is_there_soon(visit, chromium):
    if not has_figures(visit.page):
        return
    seconds = visit.page.evaluate("probe.firstFrame") / 1000
    for _ in range(2):  # another program may have had the processor
        if seconds < MOST_SECONDS:
            break
        with opened(chromium, origins=(visit.address,)) as page:
            page.on("console", lambda _: page.complaints.clear())
            seconds = load(page, visit.page.url).evaluate("probe.firstFrame") / 1000
    assert seconds < MOST_SECONDS


@pytest.fixture(scope="session")
def judged():
    """By theme, the kinds of text whose contrast has been judged, on this page or on others."""
    return {"light": set(), "dark": set()}


def test_no_serious_barrier(visit, judged):
    page, faint = visit.page, set()
    thins = visit.name != AS_IT_IS
    try:
        if thins:
            page.evaluate("probe.thin('mjx-container')")
        for theme in ("light", "dark"):
            show_in(page, theme)
            faint.update(page.evaluate("probe.faintCode()"))
        if thins:
            page.evaluate("probe.thin('.highlight pre')")
        found = faint_text(page, judged["dark"])
        show_in(page, "light")
        found += faint_text(page, judged["light"])
        # Nothing but colours differs in the dark.
        found += Axe().run(page, options=AXE_OTHERS).response["violations"]
    finally:
        page.evaluate("probe.restore()")
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    serious = [
        f"{violation['id']}: {node['target']} {node['html'][:200]}\n  {node['failureSummary']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert not serious, "\n".join(serious)
    assert not faint


def show_in(page, theme):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    next_frame(page)


def faint_text(page, known):
    """What axe finds of the kinds of text that are not among the known; they then are."""
    known.update(page.evaluate("(known) => probe.markUnlike(known)", list(known)))
    if not page.locator("[data-unlike]").count():
        return []
    return Axe().run(page, TEXT, AXE_CONTRAST).response["violations"]


def test_barriers_would_be_found_beside_what_is_thinned(open_page, address):
    page = load(open_page(origins=(address,)), f"{address}/book/how_to_use.html")
    code = page.inner_html("article")
    page.evaluate("""() => document.querySelector("article").insertAdjacentHTML("beforeend",
        `<p style='color: #ccc; background: #fff'>faint</p><button></button>`)""")
    page.evaluate("['mjx-container', '.highlight pre'].forEach(probe.thin)")
    faults = faint_text(page, set())
    faults += Axe().run(page, options=AXE_OTHERS).response["violations"]
    assert {fault["id"] for fault in faults} >= {"color-contrast", "button-name"}
    page.evaluate("""() => {
        probe.restore();
        document.querySelector("article > p:last-of-type").remove();
        document.querySelector("article > button").remove();
        for (const one of document.querySelectorAll("[data-unlike]")) delete one.dataset.unlike;
    }""")
    assert page.inner_html("article") == code


def test_faint_code_would_be_found(open_page, address):
    page = load(open_page(origins=(address,)), f"{address}/book/how_to_use.html")
    assert page.evaluate("probe.faintCode()") == []
    page.add_style_tag(content=".highlight span { color: #888 !important; }")
    assert len(page.evaluate("probe.faintCode()")) >= 1


def test_in_the_dark_comments_are_the_quietest_part_of_code(open_page, address):
    page = load(open_page(origins=(address,), theme="dark"), f"{address}/chapters/06_elbo.html")

    def contrasts(pieces):
        return [one["contrast"] for one in page.evaluate("(all) => probe.contrasts(all)", pieces)]

    comments = contrasts(".highlight .c1")
    assert min(comments) >= 7
    assert max(comments) < min(contrasts(".highlight .line span[class]:not(.c1, .before-label)"))


SCROLLS = """async () => {
  for (const place of [2000, 1500, 1200]) {
    window.scrollTo({ top: place, behavior: "instant" });
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
  }
}"""
ON_THE_TEXT = """() => {
  const { right } = document.querySelector("article").getBoundingClientRect();
  const top = document.querySelector(".bd-header-article").getBoundingClientRect().bottom;
  const lies = (node) => {
    const box = node.getBoundingClientRect();
    const { position, visibility } = getComputedStyle(node);
    const seen = visibility === "visible" && box.width > 0 && box.height > 0;
    const inView = box.left < right && box.right > 0 && box.top < innerHeight && box.bottom > top;
    return position === "fixed" && seen && inView;
  };
  const all = [...document.querySelectorAll("body *")];
  return all.filter(lies).map((node) => node.id || node.className);
}"""


@pytest.mark.parametrize("width", [390, 820, WIDTH])
def test_nothing_lies_on_the_text_when_somebody_scrolls_up(open_page, address, width):
    page = load(open_page(origins=(address,), width=width), f"{address}/chapters/06_elbo.html")
    page.evaluate(SCROLLS)
    assert page.evaluate(ON_THE_TEXT) == []
    page.evaluate("""() => document.querySelector("article").insertAdjacentHTML("beforeend",
        "<button id='lies' style='position: fixed; top: 90vh; left: 50vw'>to the top</button>")""")
    assert page.evaluate(ON_THE_TEXT) == ["lies"]


def test_its_links_lead_somewhere(visit, site):
    here = site / f"{visit.name}.html"
    for link in visit.page.evaluate("() => [...document.links].map((link) => link.href)"):
        if not link.startswith(visit.page.url.removesuffix(f"{visit.name}.html")):
            assert not link.startswith("javascript:"), link
            continue
        parts = urlsplit(link)
        target = site / unquote(parts.path).lstrip("/")
        assert target.is_file(), f"{visit.name} links to {link}"
        if parts.fragment and target == here:
            found = visit.page.evaluate(
                "(id) => !!document.getElementById(id)", unquote(parts.fragment)
            )
            assert found, link
        elif parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in anchors(target), f"{visit.name} links to {link}"


@cache
def anchors(path):
    text = path.read_text(encoding="utf-8")
    return {html.unescape(found) for found in re.findall(r'\s(?:id|name)="([^"]*)"', text)}


# The same page from a file on a phone, in the dark, with no network and a wish for stillness


@pytest.fixture(scope="module")
def phone(visit, chromium, site):
    with opened(chromium, offline=True, **PHONE) as page:
        yield load(page, (site / f"{visit.name}.html").as_uri())


def test_a_phone_shows_everything_without_server_or_network(phone):
    assert_complete(phone)
    assert not scrolls_sideways(phone)
    assert phone.evaluate("probe.brokenNumbers()") == []
    assert phone.complaints == []


def test_figures_answer_fingers_and_keys_and_rest(phone):
    for figure in sections(phone):
        drive.by_touch(figure, most=1)  # of a kind; test_live_figures.py works all of them
        drive.by_keys(figure, most=1)
    if has_figures(phone):
        assert phone.evaluate("probe.framesAtRest()") == 0
    assert not scrolls_sideways(phone)
    # Otherwise each part of each formula has a transition, and a page takes ten seconds more.
    assert phone.evaluate("getComputedStyle(document.body).transitionDuration") == "0s"
    assert phone.complaints == []


# Live figures


def test_figures_answer_the_mouse_and_ask_nobody(visit, refused_of_the_theme):
    asked = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.page.context.set_offline(True)
    try:
        for figure in sections(visit.page):
            drive.by_mouse(figure, most=4)  # of a kind
    finally:
        visit.page.context.set_offline(False)
    assert asked == []
    assert refused(visit.page) <= refused_of_the_theme


def test_without_scripts_something_stands_for_each_figure(visit, chromium):
    promised = visit.page.evaluate("probe.promised()")
    if not promised:
        return
    with opened(chromium, scripts=False, origins=(visit.address,)) as page:
        page.goto(visit.page.url)
        stand_ins = page.locator(".vae-live-placeholder").all()
        assert len(stand_ins) == len(promised)
        for stand_in in stand_ins:
            assert stand_in.is_visible()
            box = stand_in.bounding_box()
            assert box["width"] > 100 and box["height"] > 40
            assert stand_in.locator("img").count() or stand_in.inner_text().strip()


def test_a_figure_in_a_page_has_a_name_and_tells_what_it_shows(visit):
    for figure in sections(visit.page):
        assert len(figure.get_attribute("aria-label")) > 8
        described = figure.get_attribute("aria-describedby")
        assert len(visit.page.locator(f"#{described}").inner_text()) > 30
        words = figure.locator(".vae-live-readout").inner_text()
        assert len(words) > 10
        assert not re.search(NONSENSE, words), words
        assert json.loads(figure.get_attribute("data-values"))
        status = figure.locator(".vae-live-status[role=status]")
        expect(status).to_have_text(words, timeout=PATIENCE)


def test_a_figures_state_is_small(visit):
    for state in visit.page.evaluate("probe.states()"):
        size = len(json.dumps(state, separators=(",", ":")))
        assert size < MOST_STATE, f"{state['state']['figure']}: {size:,} bytes"


def test_a_figure_says_what_is_missing(visit):
    """Any part of its state may be: there is a message then, or the figure does without it."""
    for i, name in enumerate(visit.page.evaluate("probe.promised()")):
        found = visit.page.evaluate("(i) => probe.withoutOnePart(i)", i)
        assert any(part["fault"] for part in found), name
        for part in found:
            said = f"{name} without {part['gone']}: {part['said']}"
            assert len(part["said"]) > 15, said
            assert part["fault"] or not re.search(NONSENSE, part["said"]), said


# The whole site


def test_every_page_was_visited(site):
    built = {
        path.relative_to(site).with_suffix("").as_posix()
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }
    assert built == {*NAMES, "index", "404"}


def test_the_address_alone_leads_to_the_first_page(open_page, address):
    page = open_page(origins=(address,))
    page.goto(f"{address}/")
    page.wait_for_url(f"{address}/{contents['root']}.html")


def test_a_search_finds_its_word(open_page, address):
    page = open_page(origins=(address,))
    page.goto(f"{address}/search.html?q=reparameterisation")
    expect(page.locator("#search-results li").first).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("conditional VAE", r"13\. Conditional and semi-supervised VAEs"),
        ("posterior collapse", r"11\. Posterior collapse"),
        ("the Gaussian likelihood", r"4\. The Gaussian likelihood"),
        ("mutual information gap", "Glossary"),
    ],
)
def test_a_search_finds_first_the_chapter_or_else_the_term_of_that_name(
    open_page, address, query, best
):
    page = open_page(origins=(address,))
    page.goto(f"{address}/search.html?q={quote_plus(query)}")
    first = page.locator("#search-results li > a").first
    expect(first).to_have_text(re.compile(f"{best}$"), timeout=PATIENCE)
