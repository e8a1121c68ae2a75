"""What gives the pages their form, on a small book: openings, folds, attempts, cards, progress."""

import html
import importlib
import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urljoin

import nbformat
import pytest
import reading
import small_book
from axe_playwright_python.sync_playwright import Axe
from browser import scrolls_sideways, watched

ROOT = Path(__file__).resolve().parents[1]
BASE = "https://somebody.github.io/Their.Book/"
CHAPTER = f"chapters/{small_book.NAME}"
KEY = "vae-book-read"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The folder of the small book's pages."""
    return small_book.build(tmp_path_factory.mktemp("book") / "source")


@pytest.fixture(scope="module")
def module():
    """A module of book/ by its name."""
    sys.path.insert(0, str(ROOT / "book"))
    yield importlib.import_module
    sys.path.remove(str(ROOT / "book"))


@pytest.fixture(scope="module")
def text_of(small):
    """The article of a page as HTML."""

    def text(page):
        whole = (small / f"{page}.html").read_text(encoding="utf-8")
        return re.search(r"<article.*?</article>", whole, re.DOTALL)[0]

    return text


def words(fragment):
    """What a piece of HTML says."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", fragment)).split())


# A chapter's parts


def test_the_opening_is_one_card_with_nothing_else_in_it(text_of):
    text = text_of(CHAPTER)
    (opening,) = re.findall(
        r'<div class="chapter-opening.*?</strong> for all of it\.</p>\n</div>', text, re.DOTALL
    )
    assert re.search(r'<blockquote class="chapter-question">.*How far does', opening, re.DOTALL)
    assert opening.count("<li>") == 3
    assert "Why, in a paragraph." not in opening
    plain = text_of("chapters/03_plain")
    assert words(plain).find("5 minutes") < words(plain).find("Then there is text.")
    assert re.search(r"5 minutes</strong> for all of it\.</p>\n</div>", plain)
    assert "chapter-opening" not in text_of("book/claims")


def test_folded_code_is_called_what_its_line_says(text_of):
    folds = re.findall(r"<summary>\s*<p class.*?</summary>", text_of(CHAPTER), re.DOTALL)
    assert [words(fold) for fold in folds] == ["show the code hide the code"] * 5
    assert "Toggle hidden content" not in text_of(CHAPTER)


def test_code_that_is_folded_together_stands_behind_one_line(text_of):
    """Imports, training and the call of a figure; the next ones each have an output above them."""
    text = text_of(CHAPTER)
    folds = re.findall(r'<details class="admonition hide.*?</details>', text, re.DOTALL)
    code = [words(re.sub(r"<summary>.*?</summary>", "", fold, flags=re.DOTALL)) for fold in folds]
    assert [re.sub(" ", "", one) for one in code] == [
        "importmathfit(...)live.one_pixel(x=0.3,probs=0.7)",
        "print(1)",
        "print(2)",
        "claim(...)",
        "plt.show()",
    ]
    assert text.count("vnd.jupyter.widget-view") == 1


def test_a_caption_follows_its_picture_whatever_else_its_cell_shows(text_of):
    text = text_of(CHAPTER)
    claim, caption = text.index("three is three"), text.index("Figure 2.1.")
    assert claim < text.rindex("<img", 0, caption) < caption


@pytest.mark.parametrize(("kind", "number"), [("Fill-in", "2.a"), ("Exercise", "2.1")])
def test_an_attempt_is_one_unit_from_its_stub_to_its_solution(text_of, kind, number):
    text = text_of(CHAPTER)
    unit = re.search(rf'<div class="attempt {kind.lower()}.*?</details>\s*</div>', text, re.DOTALL)[
        0
    ]
    assert words(unit).startswith(f"# {kind} {number} # of shape")
    assert f"Solution {number}" in unit and unit.count("<details") == 1
    assert "Return the argument." not in unit
    assert text.count('<div class="attempt') == 2


def test_where_nothing_can_be_attempted_the_page_says_where_it_can(text_of, small):
    text = text_of(CHAPTER)
    assert "not attempted" not in text
    address = (
        f"https://colab.research.google.com/github/Somebody/Their.Book/blob/trunk/{CHAPTER}.ipynb"
    )
    assert re.findall(r'class="to-try-colab" href="([^"]*)"', text) == [address] * 2
    downloads = re.findall(r'<a href="([^"]*)" download', text)
    assert len(downloads) == 2
    for download in downloads:
        notebook = (small / CHAPTER).parent / download
        outputs = [
            c.outputs for c in nbformat.read(notebook, 4).cells if c.source.startswith("check(")
        ]
        assert all("not attempted yet" in output[0]["data"]["text/plain"] for output in outputs)


def test_code_says_nothing_to_a_linter(text_of):
    text = text_of(CHAPTER)
    assert "noqa" not in text
    assert re.search(r"x = 1\s+y = 2", re.sub(r"<[^>]*>", "", text))


# The landing page


def test_every_chapter_has_a_card_with_its_question_and_its_minutes(text_of):
    cards = re.findall(r'<li class="chapter-card">.*?</li>', text_of("book/intro"), re.DOTALL)
    said = r"How far does \(\log p(x \mid z)\) go? 12 minutes, or 34 for all of it"
    assert words(cards[0]) == f"2 A small chapter {said}"
    assert words(cards[1]) == "3 A plain one How short can it be? 5 minutes"
    assert 'href="../chapters/03_plain.html"' in cards[1]
    assert words(cards[2]) == "Project I: A small one Can it be done? 20 minutes"
    assert len(cards) == 3


def test_a_parts_reading_order_is_what_its_chapters_say_they_need(text_of):
    table = re.search(r"<table.*?</table>", text_of("book/intro"), re.DOTALL)[0]
    rows = [words(row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]
    assert rows == [
        "To read you need",
        "2 A small chapter nothing",
        "3 A plain one nothing",
        "Project I: A small one all of it",
    ]
    assert 'href="../chapters/03_plain.html"' in table


def test_a_project_stands_behind_its_parts_chapters_without_a_number(text_of, small):
    whole = (small / "book" / "intro.html").read_text(encoding="utf-8")
    sidebar = re.search(r'<nav class="bd-links.*?</nav>', whole, re.DOTALL)[0]
    named = [name for name in re.findall(r'href="\.\./chapters/(\w+)\.html"', sidebar)]
    assert named == [small_book.NAME, "03_plain", "project_1"]
    assert re.search(r'project_1\.html">\s*Project I: A small one', sidebar)


def test_the_start_leads_to_the_first_chapter(text_of):
    text = text_of("book/intro")
    start = re.search(r'<div class="start.*?</div>', text, re.DOTALL)[0]
    assert words(start) == "Start: a small chapter claims"
    assert f'href="../{CHAPTER}.html"' in start


def test_the_landing_page_shows_a_chapters_live_figure(text_of, small):
    text = text_of("book/intro")
    assert "it has not been executed" not in text
    assert "It has <em>none</em> to show." in text
    (view,) = re.findall(
        r'<script type="application/vnd.jupyter.widget-view\+json">(.*?)</script>', text
    )
    whole = (small / "book" / "intro.html").read_text(encoding="utf-8")
    (states,) = re.findall(
        r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', whole
    )
    assert list(json.loads(states)["state"]) == [json.loads(view)["model_id"]]
    assert "_static/live/one_pixel.js" in whole
    assert re.search(r'<div class="vae-live-placeholder[^>]*>\s*<img alt="[^"]{8,}"', text)


# What is said to others


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("https://github.com/Some-One/a.book", "https://some-one.github.io/a.book/"),
        ("https://github.com/someone/someone.github.io/", "https://someone.github.io/"),
        ("https://example.org/someone/book", ""),
        ("", ""),
    ],
)
def test_the_sites_address_follows_from_the_repositorys(module, repository, address):
    assert module("publishing").address_of(repository) == address


def test_every_page_says_where_it_is_and_how_a_preview_of_it_looks(small):
    for page in ("book/intro", CHAPTER):
        text = (small / f"{page}.html").read_text(encoding="utf-8")
        tags = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]+)"', text))
        assert tags["og:url"] == f"{BASE}{page}.html"
        assert f'<link rel="canonical" href="{BASE}{page}.html"' in text
        assert (small / tags["og:image"].removeprefix(BASE)).is_file()
        assert tags["og:title"] and "\\" not in tags["og:description"]
    assert tags["og:description"] == "How far does log p(x | z) go?"
    entrance = (small / "index.html").read_text(encoding="utf-8")
    assert f'property="og:url" content="{BASE}book/intro.html"' in entrance


def test_the_sitemap_lists_the_pages(small):
    listed = re.findall(r"<loc>([^<]*)</loc>", (small / "sitemap.xml").read_text(encoding="utf-8"))
    pages = ("book/claims", "book/intro", CHAPTER, "chapters/03_plain", "chapters/project_1")
    assert listed == [f"{BASE}{page}.html" for page in pages]


def test_an_address_that_leads_nowhere_leads_back(small):
    """Its own address may have any depth, so its links are relative to the site's."""
    text = (small / "404.html").read_text(encoding="utf-8")
    assert '<base href="/Their.Book/">' in text
    for link in re.findall(r'<(?:a|link)[^>]*href="([^"]*)"', text):
        assert (small / link).is_file(), link
        assert urljoin(f"{BASE}some/where/else", link) != f"{BASE}{link}"


# In a browser


@pytest.fixture
def visit(small, open_page):
    """A function that opens a page of the small book from the disk."""

    def visit(name, **options):
        page = open_page(**options)
        page.goto((small / f"{name}.html").as_uri())
        page.evaluate("async () => { await window.MathJax?.startup?.promise; }")
        return page

    return visit


@pytest.mark.parametrize("width", [1280, 1366])
def test_lines_of_84_characters_fit_beside_text_that_is_hardly_larger(visit, width):
    page = visit(CHAPTER, width=width)
    for place in ("div.cell_input pre", "details.solution pre"):
        fits = page.evaluate(
            """(place) => {
              const pre = document.querySelector(place);
              pre.closest("details")?.setAttribute("open", "");
              pre.textContent = "x".repeat(84);
              return pre.clientWidth > 0 && pre.scrollWidth <= pre.clientWidth;
            }""",
            place,
        )
        assert fits, place
    sizes = page.evaluate(
        """() => ["div.cell_input pre", "article section > p"].map((place) =>
          parseFloat(getComputedStyle(document.querySelector(place)).fontSize))"""
    )
    assert sizes[0] > 0.8 * sizes[1]


@pytest.mark.parametrize(
    ("width", "length", "smaller", "scrolls"),
    [(1280, 0.9, 0, 0), (1280, 1.1, 1, 0), (1280, 2, 0, 1), (390, 1.8, 1, 0), (390, 3, 0, 1)],
)
def test_a_formula_that_is_hardly_too_wide_is_set_smaller(visit, width, length, smaller, scrolls):
    """On a phone a good deal smaller; and one that is far too wide scrolls in its own box."""
    page = visit(CHAPTER, width=width)
    found = page.evaluate(
        """async (length) => {
          const box = document.querySelector("article div.math");
          const formula = box.querySelector("mjx-container");
          const { width } = formula.querySelector("mjx-math").getBoundingClientRect();
          box.style.width = `${Math.floor(width / length)}px`;
          const before = parseFloat(getComputedStyle(formula).fontSize);
          window.dispatchEvent(new Event("load"));
          await new Promise((done) => setTimeout(done, 50));
          const after = parseFloat(getComputedStyle(formula).fontSize);
          return [after < before, formula.scrollWidth > formula.clientWidth + 1];
        }""",
        length,
    )
    assert found == [bool(smaller), bool(scrolls)]


LINES_ON_A_PHONE = {
    r"a = b, \quad c = d, \qquad e": 3,
    r"a = b": 1,
    r"\left(a \quad = b\right) + \text{c \quad d}": 1,
    r"a \quad\Longrightarrow\quad b": 2,
    r"a = b \quad\text{so that}\quad c = d": 2,
    r"a = b = " + "+".join(["c"] * 45): 2,
    r"\sum_{k=1}^K " + "+".join(["a"] * 40) + " = " + "+".join(["c"] * 30): 2,
}


@pytest.fixture(scope="module")
def formulas(small, contexts):
    """The chapter with all these formulas in the place of its own, by the window's width."""
    text = (small / f"{CHAPTER}.html").read_text(encoding="utf-8")
    boxes = [
        rf'<div class="math notranslate nohighlight">\[{tex} \tag{{2.{i}}}\]</div>'
        for i, tex in enumerate(LINES_ON_A_PHONE)
    ]
    place = r'<div class="math[^>]*>\s*\\\[\s*p\(x \\mid z\)\s*\\\]\s*</div>'
    text, found = re.subn(place, lambda _: "\n".join(boxes), text)
    assert found == 1
    own = small / "chapters" / "broken.html"
    own.write_text(text, encoding="utf-8")
    with ExitStack() as stack:
        pages = {w: stack.enter_context(watched(contexts(width=w))) for w in (390, 1280)}
        for page in pages.values():
            page.goto(own.as_uri())
            page.evaluate("async () => { await window.MathJax?.startup?.promise; }")
        own.unlink()
        yield pages


@pytest.mark.parametrize("tex", LINES_ON_A_PHONE)
def test_on_a_phone_a_long_formula_has_several_lines(formulas, tex):
    number = list(LINES_ON_A_PHONE).index(tex)
    for width, expected in ((390, LINES_ON_A_PHONE[tex]), (1280, 1)):
        box = formulas[width].locator("article div.math").nth(number)
        assert box.locator("mjx-merror").count() == 0
        rows = box.locator("mjx-itable mjx-itable mjx-mtr").count()
        assert max(rows, 1) == expected
        assert f"(2.{number})" in box.inner_text()


def test_a_formula_fits_again_when_the_window_has_another_width(visit):
    page = visit(CHAPTER, width=1280)
    page.evaluate("document.querySelector('article div.math').style.width = '40px'")
    sizes = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("new Promise((done) => setTimeout(done, 100))")
        style = page.evaluate("document.querySelector('article div.math').style.fontSize")
        sizes.append(style)
    assert sizes[0].endswith("%") and sizes[1] == ""


LINES = """(pre) => {
  const lines = [...pre.querySelectorAll(".line")];
  const edge = pre.getBoundingClientRect().left;
  return lines.map((line) => {
    const text = document.createRange();
    text.selectNodeContents(line);
    const rows = [...text.getClientRects()].filter((row) => row.width > 1);
    return [...new Set(rows.map((row) => row.top))].map((top) =>
      Math.min(...rows.filter((row) => row.top === top).map((row) => row.left - edge)));
  });
}"""


def test_a_long_line_of_code_goes_on_below_and_further_in(visit):
    page = visit(CHAPTER, width=390)
    pre = page.locator("div.attempt pre").first
    before = pre.inner_text()
    assert [line.strip() for line in before.split("\n") if line.strip()] == [
        "# Fill-in 2.a",
        "# of shape (N,)",
        "def answer(x):",
        "return ...",
    ]
    pre.evaluate("(pre) => pre.lastElementChild.append(' + x'.repeat(30))")
    lines = pre.evaluate(LINES)
    assert [len(line) for line in lines[:3]] == [1, 1, 1] and len(lines[3]) > 2
    letter = pre.evaluate("(pre) => parseFloat(getComputedStyle(pre).fontSize)") * 0.6
    start = lines[0][0]
    assert all(left == pytest.approx(start + 6 * letter, abs=3) for left in lines[3][1:])
    assert pre.evaluate("(pre) => pre.scrollWidth <= pre.clientWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_code_has_pieces_where_a_colour_begins_and_looks_as_with_all_of_them(visit, theme):
    """Each piece that is left out would have had the colour which the code around it has."""
    page = visit(CHAPTER, theme=theme)
    block = page.locator("div.attempt div.highlight").first
    pieces = block.locator(".line span")
    assert pieces.count() > 0
    colours = pieces.evaluate_all("(all) => all.map((one) => getComputedStyle(one).color)")
    around = block.locator("pre").evaluate("(pre) => getComputedStyle(pre).color")
    assert around not in colours
    for left_out in ("n", "nn", "p", "w"):
        block.evaluate(
            """(block, name) => block.querySelector(".line").insertAdjacentHTML(
                "beforeend", `<span class="${name}">x</span>`)""",
            left_out,
        )
        put_back = block.locator(".line").first.locator("span").last
        assert put_back.evaluate("(one) => getComputedStyle(one).color") == around


def test_the_space_before_the_name_of_a_line_can_be_given_up():
    code = '<span class="n">x</span>   <span class="c1"># a</span>\n<span class="c1"># why</span>'
    opening = '<div class="highlight-python notranslate"><div class="highlight"><pre>'
    shown = reading.CODE.sub(reading.in_lines, f"{opening}{code}</pre></div></div>")
    assert 'x<span class="before-label">   </span><span class="c1"># a</span>' in shown
    assert shown.count("before-label") == 1


def test_a_printed_table_keeps_its_columns_on_a_phone(visit):
    """A wide one scrolls: letters that are any smaller are not read."""
    page = visit(CHAPTER, width=390)
    pre = page.locator("div.cell_output pre", has_text="mean").first
    assert [len(line) for line in pre.evaluate(LINES)] == [1, 1, 1]
    assert pre.evaluate("(pre) => parseFloat(getComputedStyle(pre).fontSize)") >= 10
    assert pre.evaluate("(pre) => pre.scrollWidth > pre.clientWidth")
    assert pre.evaluate("(pre) => getComputedStyle(pre).overflowX") == "auto"
    assert not scrolls_sideways(page)
    assert pre.inner_text().split("\n")[0] == small_book.TABLE.split("\n")[0]


def test_folded_code_costs_a_line_and_opens_by_the_keyboard(visit):
    page = visit(CHAPTER, width=1280)
    fold = page.locator("details.hide").first
    assert fold.bounding_box()["height"] <= 26
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("pre").first.is_visible()
    assert fold.bounding_box()["height"] > 40


def test_claims_stand_close_together_and_their_code_costs_nothing(visit):
    page = visit(CHAPTER, width=1280)
    cell = page.locator("div.cell", has=page.locator("details.vae-claim")).first
    assert cell.bounding_box()["height"] <= 56
    page.locator("details.vae-claim summary").first.click()
    assert page.locator("details.vae-claim p").first.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [CHAPTER, "book/intro"])
def test_no_barrier(visit, name, theme):
    page = visit(name, theme=theme, width=1280, still=True)  # or a colour may be halfway
    page.evaluate(
        """([key, read]) => {
          localStorage.setItem(key, read);
          window.dispatchEvent(new Event("storage"));
          for (const details of document.querySelectorAll("details")) details.open = true;
        }""",
        [KEY, json.dumps({"02_small": "first"})],
    )
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, {"include": [["article"], [".bd-sidebar-primary"]]}, options)
    page.evaluate("localStorage.clear()")
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert not serious, [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in serious]


def read_so_far(page):
    return json.loads(page.evaluate("(key) => localStorage.getItem(key) ?? '{}'", KEY))


def test_what_has_been_read_is_remembered_until_it_is_to_be_forgotten(visit):
    page = visit(CHAPTER, width=1280)
    assert read_so_far(page) == {}
    ends = {"first": "section#key-points li", "all": "section#references-and-further-reading p"}
    for how, place in ends.items():
        page.locator(place).last.scroll_into_view_if_needed()
        kept = json.dumps({small_book.NAME: how}, separators=(",", ":"))
        page.wait_for_function(
            "([key, kept]) => localStorage.getItem(key) === kept", arg=[KEY, kept]
        )
    assert page.locator(".bd-sidebar-primary .read-tick").count() == 1
    page.goto(page.url.replace(CHAPTER, "book/intro"))
    assert page.locator(".chapter-card .read-tick").count() == 1
    assert page.locator(".read-go-on").inner_text() == "Go on: A plain one"
    page.locator("ul.chapter-cards + .read-forget").click()
    assert page.locator(".read-tick, .read-forget, .read-go-on").count() == 0
    assert read_so_far(page) == {}


@pytest.mark.parametrize("kept", [None, "[1]", "nonsense", '{"02_small": "<b>"}'])
def test_where_nothing_may_be_stored_or_something_else_is_nothing_breaks(small, open_page, kept):
    page = open_page(width=1280)
    forbid = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })"
    )
    # The theme's own scripts ask for storage without a guard: only ours are judged.
    guard = forbid if kept is None else f"localStorage.setItem('{KEY}', {json.dumps(kept)})"
    page.add_init_script(guard)
    page.goto((small / "book" / "intro.html").as_uri())
    assert page.locator(".chapter-card").count() == 3
    assert page.locator(".read-tick, .read-forget").count() == 0
    assert not [complaint for complaint in page.complaints if "progress" in complaint]
    page.complaints.clear()


def test_print_is_black_on_white_and_whole(visit):
    page = visit(CHAPTER, theme="dark", width=680)
    page.evaluate("document.querySelectorAll('article pre')[1].textContent = 'x'.repeat(150)")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    colours = page.evaluate(
        """() => ["body", "article p", "article pre span", "article h1"].map((place) => {
          const style = getComputedStyle(document.querySelector(place));
          return [style.color, style.display];
        })"""
    )
    assert {colour for colour, _ in colours} <= {"rgb(0, 0, 0)", "rgb(68, 68, 68)"}
    assert "none" not in {display for _, display in colours}
    cut = page.evaluate(
        """() => [...document.querySelectorAll("article pre")].filter(
          (pre) => pre.scrollWidth > pre.clientWidth + 1).length"""
    )
    assert cut == 0
    assert page.locator("details.solution pre").first.is_visible()
    for hidden in ("details.hide", "section.vae-live", ".to-try", ".bd-sidebar-primary"):
        assert not page.locator(hidden).first.is_visible(), hidden
    clinging = page.evaluate(
        """() => [...document.querySelectorAll("article pre > .line")].filter((line) => {
          const { breakBefore, breakAfter } = getComputedStyle(line);
          return (!line.previousElementSibling && breakBefore === "avoid")
            || (!line.nextElementSibling && breakAfter === "avoid");
        }).length"""
    )
    assert clinging == 0, "code clings to what stands about it, and both leave a gap"
    squashed = page.evaluate(
        """() => [...document.querySelectorAll("div.cell_output img")].filter((image) => {
          image.style.cssText = "width: 500px; height: 650px;"; // its own style
          const { width, height } = image.getBoundingClientRect();
          const kept = Math.abs(width / height - 500 / 650) < 0.01;
          return !kept && getComputedStyle(image).objectFit !== "contain";
        }).length"""
    )
    assert squashed == 0, "a figure that is too tall for its page loses its proportions"
    assert page.locator(".vae-live-placeholder img").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("section.vae-live").is_visible()
    assert not page.locator(".vae-live-placeholder").is_visible()
    assert not page.locator("details.solution pre").first.is_visible()


IN_RESULTS = "(tex) => Search.htmlToText(`<div role='main'>${tex}</div>`)"


@pytest.fixture(scope="module")
def search_page(small, contexts):
    with watched(contexts()) as page:
        page.goto((small / "search.html").as_uri())
        yield page


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\(q(z \mid x)\)", "q(z | x)"),
        (r"\(\log p(x)\)", "log p(x)"),
        (r"\(\mathbb E_{q}[\sigma^2]\)", "E_q[σ²]"),
        (r"\[\frac{1}{2} \tag{6.2}\]", "(1)/(2) (6.2)"),
        (r"f(x) costs $5", "f(x) costs $5"),
    ],
)
def test_formulas_in_search_results_read_as_text(search_page, tex, shown):
    assert search_page.evaluate(IN_RESULTS, tex).strip() == shown


# The whole book on paper


def test_the_book_is_printed_as_one_file_with_numbered_contents(module, small, chromium_path):
    document = module("one_document").one_document
    pdf = module("pdf")
    (small.parent / "_config.yml").write_text(
        "title: A small book\nauthor: We\nhtml: {extra_footer: Free}\n"
        "sphinx: {config: {language: en}}\n"
    )
    text = document(small.parent, small)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    links = set(re.findall(r'href="#([^"]+)"', text))
    assert links <= set(ids)
    assert f"chapters-{small_book.NAME}--exercises" in links
    output = small.parent / "book.pdf"
    # On its own, since the tests' browser runs in this process.
    where = ["--root", small.parent, "--site", small, "--output", output]
    environment = {**os.environ, pdf.VARIABLE: chromium_path}
    command = [sys.executable, ROOT / "book" / "pdf.py", *where]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    printed = output.read_bytes()
    numbers = pdf.page_numbers(printed)
    pages = ("02_small", "03_plain", "project_1")
    places = [numbers[name] for name in ("book-intro", *(f"chapters-{page}" for page in pages))]
    assert places == sorted(set(places)) and places[0] > 2
    assert b"/Outlines" in printed


def test_without_a_browser_it_says_what_is_missing(module, monkeypatch, capsys, tmp_path):
    pdf = module("pdf")
    monkeypatch.setenv(pdf.VARIABLE, "no-such-browser")
    assert pdf.main(["--output", str(tmp_path / "book.pdf")]) == 0
    assert "no Chromium" in capsys.readouterr().err
    assert not (tmp_path / "book.pdf").exists()
