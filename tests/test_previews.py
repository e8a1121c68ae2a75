"""The card beside a link: by mouse and keyboard, never by touch; from a folder or from a server."""

import pytest
from browser import next_frame, opened, scrolls_sideways
from playwright.sync_api import expect
from static_server import serving
from test_browser_site import PATIENCE, load, policy, refused

CHAPTER = "chapters/06_elbo"
# A kind of link, and what its card has in it.
KINDS = {
    "to-figure": "img",
    "to-equation": "mjx-container[display]",
    "to-chapter": "strong",
    "to-citation": "em",
    "to-term": "strong",
    "to-name": "code",
}


# Whether the card is in the window, just below or above a line of its link, and nothing is cut.
BESIDE = """(link) => {
  const element = document.querySelector(".book-preview");
  const card = element.getBoundingClientRect();
  const beside = [...link.getClientRects()].some((line) => {
    const gap = Math.max(card.top - line.bottom, line.top - card.bottom);
    return gap >= 0 && gap < 12;
  });
  const inside = card.left >= 0 && card.right <= innerWidth && card.top >= 0;
  const isCut = element.scrollWidth > element.clientWidth;
  return beside && inside && card.bottom <= innerHeight && !isCut;
}"""


@pytest.fixture(scope="module")
def page(chromium, site):
    """A chapter from a server that allows no scripts but the site's, in a window of some width."""
    headers = {"Content-Security-Policy": policy(site / f"{CHAPTER}.html")}
    with (
        serving(site, headers) as address,
        opened(chromium, width=1200, origins=(address,)) as page,
    ):
        load(page, f"{address}/{CHAPTER}.html")
        page.complaints[:] = [c for c in page.complaints if "Content Security" not in c]
        page.refused_before = refused(page)
        yield page


@pytest.fixture(autouse=True)
def at_rest(request):
    """Every test begins with the mouse in a corner and no card."""
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        page.mouse.move(1, 1)
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement?.blur()")


def shown(page):
    return page.locator(".book-preview.is-shown")


def link_of(page, kind, which=0):
    link = page.locator(f"article a.{kind}").nth(which)
    link.scroll_into_view_if_needed()
    return link


def expect_card(page):
    expect(shown(page)).to_be_visible(timeout=PATIENCE)
    return shown(page)


@pytest.mark.parametrize("kind", KINDS)
def test_the_mouse_shows_where_a_link_leads(page, kind):
    link = link_of(page, kind)
    before = link.inner_text()
    link.hover()
    card = expect_card(page)
    expect(card.locator(KINDS[kind]).first).to_be_visible()
    assert "\\(" not in card.inner_text() and "\\[" not in card.inner_text()
    assert link.get_attribute("aria-describedby") == card.get_attribute("id")
    assert card.get_attribute("role") == "tooltip"
    assert link.inner_text() == before
    assert page.evaluate(BESIDE, link.element_handle())
    assert refused(page) <= page.refused_before


def test_a_card_can_be_reached_and_leaves_after_the_mouse(page):
    link_of(page, "to-term").hover()
    box = expect_card(page).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.wait_for_timeout(600)
    expect(shown(page)).to_have_count(1)
    page.mouse.move(1, 1)
    expect(shown(page)).to_have_count(0, timeout=PATIENCE)
    assert page.locator("[aria-describedby='book-preview']").count() == 0


def test_the_keyboard_shows_it_and_escape_takes_it_away(page):
    link = link_of(page, "to-term")
    page.keyboard.press("Tab")  # what is focused from now on is so by the keyboard
    link.focus()
    expect_card(page)
    page.keyboard.press("Escape")
    expect(shown(page)).to_have_count(0)
    expect(link).to_be_focused()
    page.keyboard.press("Shift+Tab")
    link.focus()
    expect_card(page)
    page.keyboard.press("Tab")
    expect(page.locator("[aria-describedby='book-preview']").and_(link)).to_have_count(0)


def test_a_mouse_on_its_way_elsewhere_shows_nothing(page):
    box = link_of(page, "to-figure").bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.move(1, 1)
    page.wait_for_timeout(500)
    expect(shown(page)).to_have_count(0)


def test_the_card_of_the_link_that_is_pointed_at_now(page):
    first, second = link_of(page, "to-figure"), link_of(page, "to-term", 1)
    first.hover()
    second.hover()
    expect_card(page)
    assert second.get_attribute("aria-describedby") and not first.get_attribute("aria-describedby")
    assert page.locator(".book-preview").count() == 1


def test_print_has_no_card(page):
    link_of(page, "to-term").hover()
    expect_card(page)
    page.emulate_media(media="print")
    assert not page.locator(".book-preview").is_visible()
    page.emulate_media(media="screen")


def test_other_links_show_nothing(page):
    link = page.locator("article a.headerlink").nth(1)
    link.scroll_into_view_if_needed()
    link.hover(force=True)
    page.wait_for_timeout(500)
    expect(shown(page)).to_have_count(0)


@pytest.mark.long
def test_a_finger_follows_the_link(chromium, site):
    uri = (site / f"{CHAPTER}.html").as_uri()
    with opened(chromium, touch=True, width=390, theme="dark", still=True, offline=True) as page:
        load(page, uri)
        for kind in ("to-equation", "to-chapter"):
            link = link_of(page, kind)
            address = link.evaluate("(link) => link.href")
            link.tap()
            page.wait_for_url(address)
            expect(shown(page)).to_have_count(0)


@pytest.mark.long
def test_a_card_opens_from_a_folder_on_a_narrow_screen_without_a_network(chromium, site):
    with opened(chromium, width=390, theme="dark", still=True, offline=True) as page:
        load(page, (site / f"{CHAPTER}.html").as_uri())
        for kind in KINDS:
            link = link_of(page, kind)
            link.hover()
            expect(expect_card(page).locator(KINDS[kind]).first).to_be_visible()
            assert page.evaluate(BESIDE, link.element_handle()), kind
            assert not scrolls_sideways(page), kind
            page.keyboard.press("Escape")
        duration = "getComputedStyle(document.querySelector('.book-preview')).transitionDuration"
        assert page.evaluate(duration) == "0s"


def without_formulas(site):
    """A page that has no formula and leads to an equation."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (site / "book").glob("*.html")}
    found = [n for n, text in texts.items() if 'class="math' not in text and "to-equation" in text]
    assert found, "each page of book/ that leads to an equation has a formula of its own"
    return f"book/{found[0]}"


@pytest.mark.long
def test_a_page_without_formulas_sets_those_of_a_card(chromium, site):
    name = without_formulas(site)
    with serving(site) as address, opened(chromium, origins=(address,)) as page:
        load(page, f"{address}/{name}.html")
        assert page.locator("mjx-container").count() == 0
        page.locator("article a.to-equation").first.hover()
        expect(expect_card(page).locator("mjx-container").first).to_be_visible(timeout=PATIENCE)
        next_frame(page)
        assert page.locator("article mjx-container").count() == 0


@pytest.mark.parametrize(("theme", "ending"), [("dark", "-dark.webp"), ("light", ".webp")])
def test_a_photograph_has_its_colours_on_a_card_too(chromium, site, theme, ending):
    url = (site / "book" / "faq.html").as_uri()
    with opened(chromium, width=1200, theme=theme) as page:
        load(page, url)
        page.locator("article a.to-figure[href$='10_images.html#figure-10-5']").first.hover()
        picture = expect_card(page).locator("img")
        expect(picture).to_be_visible()
        name = picture.get_attribute("src")
        assert name.endswith(ending) and ("-dark" in name) == (theme == "dark")
        assert picture.evaluate("(one) => getComputedStyle(one).filter") == "none"
        assert picture.evaluate("(one) => one.naturalWidth") > 0
        page.mouse.move(1, 1)
        plots = page.locator("article a.to-figure[href*='11_posterior_collapse.html#figure-']")
        plots.first.hover()
        expect(page.locator(".book-preview.is-shown img:not([src*='-dark'])")).to_be_visible()
        shown_as = page.locator(".book-preview img").evaluate("(x) => getComputedStyle(x).filter")
        assert (shown_as == "none") == (theme == "light")
