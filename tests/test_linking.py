"""Plain text that mentions something is a link on the site, and reads as it did."""

import base64
import importlib
import io
import json
import re
import shutil
import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from pybtex.database import parse_file
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
sys.path.insert(0, str(BOOK))
citations, formulas, mentions, terms = map(
    importlib.import_module, ["citations", "formulas", "mentions", "terms"]
)

ENTRIES = parse_file(BOOK / "references.bib").entries


def surnames(key):
    people = ENTRIES[key].persons.get("author", [])
    return tuple(" ".join(map(str, [*p.rich_prelast_names, *p.rich_last_names])) for p in people)


WORKS = citations.lettered((key, surnames(key), ENTRIES[key].fields["year"]) for key in ENTRIES)
BIBLIOGRAPHY = citations.Bibliography(WORKS)


def names_of_entries():
    text = (BOOK / "glossary.md").read_text(encoding="utf-8").partition("{glossary}\n")[2]
    text = re.sub(r" : \w$", "", text, flags=re.MULTILINE)  # a letter of the index
    entries = [e.split("\n  ")[0].strip().split("\n") for e in re.split(r"\n\n", text)]
    return [tuple(entry) for entry in entries if entry[0] and "```" not in entry[0]]


def said(text, spans):
    return [(text[span.start : span.end], span.target) for span in spans]


# Mentions


@pytest.mark.parametrize("kind", [kind for kind in mentions.NUMBERS if kind != "project"])
@pytest.mark.parametrize("glue", [" and ", ", ", " to ", " or ", "–", " and\n"])
def test_every_number_of_a_list_is_a_mention(kind, glue):
    numbers = {"chapter": ("2", "13"), "fill-in": ("2.a", "13.b")}.get(kind, ("2.10", "13.4"))
    for word in (kind, kind.capitalize()):
        text = f"See {word}s {glue.join(numbers)}, and {word} {numbers[0]}."
        found = said(text, mentions.mentions(text))
        assert {target for _, target in found} == {(kind, number) for number in numbers}
        assert [words for words, _ in found] == [
            *(f"{word}s {numbers[0]}", numbers[1]),
            f"{word} {numbers[0]}",
        ]


def test_a_project_and_what_it_has_are_numbered_in_roman_numerals():
    text = (
        "In Project I, Figure I.1 and Exercises I.2 to II.10; a project I like, project II, IV.2."
    )
    assert [target for _, target in said(text, mentions.mentions(text))] == [
        ("project", "I"),
        ("figure", "I.1"),
        ("exercise", "I.2"),
        ("exercise", "II.10"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "in chapter 4 and 5 others",
        "chapter 4, 7 of them",
        "chapter 4.",
        "chapter\n04, which",
        "(chapter 4)",
        "chapter 4's",
    ],
)
def test_a_single_word_takes_a_single_number(text):
    assert [target for _, target in said(text, mentions.mentions(text))] == [("chapter", "4")]


@pytest.mark.parametrize(
    "text", ["section 5.5", "figure 2", "equation 3", "chapter 2.3", "Figure 1.2.3", "subchapter 4"]
)
def test_what_has_another_form_is_no_mention(text):
    assert not list(mentions.mentions(text))


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("chapter 29 of MacKay (2003)", False),
        ("chapters 9 and 12 of Bishop (2006)", False),
        ("Bishop (2006) has it in its chapters 9 and 12", False),
        ("MacKay (2003, chapter 29)", False),
        ("(MacKay, 2003, chapter 29)", False),
        ("MacKay (2003), chapter 29. More below.", False),
        ("chapter 4, as MacKay (2003) says", True),
        ("the figure 2.3 of chapter 2", True),
    ],
)
def test_another_works_chapters_are_not_ours(text, ours):
    cited = list(BIBLIOGRAPHY.citations(text))
    found = list(mentions.mentions(text))
    assert found
    assert all(mentions.belongs_elsewhere(text, span, cited) != ours for span in found)


# Citations


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.key)
def test_every_entry_is_found_in_every_form(work):
    names, year = list(work.surnames), work.year + work.letter
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if names[1:] else names[0]
    authors = [listed] + [f"{names[0]} and others", f"{names[0]} et al."] * (len(names) > 2)
    for by in authors:
        for text in (
            f"As {by} ({year}) show",
            f"known ({by}, {year}; Nobody, in press)",
            f"({by}, {year}, table 1)",
            f"In {by} ({year}, chapter 3), it",
            f"beside Adam, {by} ({year}) and",
            f"by\n{by.replace(' ', chr(10), 1)} ({year})",
        ):
            found = [span for span in BIBLIOGRAPHY.citations(text) if span.target]
            assert [span.target for span in found] == [("citation", work.key)], text
            linked = text[found[0].start : found[0].end]
            assert year in linked and names[0].split()[0] in linked.split()[0]
            assert linked.count("(") == linked.count(")")


@pytest.mark.parametrize(
    "text",
    [
        "Kingma and Welling (1900)",
        "as Nobody and Others (2014) say",
        "(Nobody, 2014)",
        "(Burda and others, 2016; Nobody et al., 2014)",
        "Kingma (2014)",
        "Kingma and others (2019)",
        "Alpaydin and Kaynak (1998)",
    ],
)
def test_a_citation_of_no_single_entry_is_reported(text):
    wrong = [span for span in BIBLIOGRAPHY.citations(text) if span.target is None]
    assert len(wrong) == 1
    assert len(wrong[0].reason) > 20


@pytest.mark.parametrize(
    "text",
    ["of December 2021", "In May, 2019, it", "(Cambridge University Press, 2011)", "in 2014"],
)
def test_a_year_alone_is_no_citation(text):
    assert not list(BIBLIOGRAPHY.citations(text))


def test_several_years_are_several_works():
    text = "Kingma and Welling (2014, 2019)"
    keys = [span.target[1] for span in BIBLIOGRAPHY.citations(text)]
    assert keys == ["kingma2014auto", "kingma2019introduction"]


def test_no_two_entries_are_one_work():
    titles = [re.sub(r"\W", "", entry.fields["title"]).lower() for entry in ENTRIES.values()]
    assert len(set(titles)) == len(titles)


# Terms and names


@pytest.mark.parametrize("names", names_of_entries(), ids=lambda names: names[0])
def test_an_entry_is_linked_where_it_is_first_used(names):
    glossary = terms.Glossary(names_of_entries())
    for form in [form for name in names for form in terms.forms(name)]:
        for shown in {form, form[0].upper() + form[1:], form.replace(" ", "\n")}:
            used = set()
            text = f"One {shown}, another {form}" + f", {form}like." * (" " not in form)
            found = said(text, glossary.first_uses(text, used, []))
            assert found == [(shown, ("term", names[0]))]
            assert not list(glossary.first_uses(text, used, []))


def test_the_longest_term_is_meant():
    text = "Posterior collapse, the aggregate posterior, and the posterior itself."
    found = said(text, terms.Glossary(names_of_entries()).first_uses(text, set(), []))
    assert [words for words, _ in found] == [
        "Posterior collapse",
        "aggregate posterior",
        "posterior",
    ]


def test_a_short_name_stands_for_what_the_page_imports():
    cells = [
        "%pip install x",
        "from vae_lib.objectives import elbo, iwae as bound\nfrom vae_lib.training import fit",
        "def fit(x):\n    return x",
    ]
    names = terms.imported_names(cells)
    assert names == {"elbo": "vae_lib.objectives.elbo", "bound": "vae_lib.objectives.iwae"}
    assert terms.library_name("elbo(vae, x)", names) == "vae_lib.objectives.elbo"
    assert terms.library_name("vae_lib.training.fit", names) == "vae_lib.training.fit"
    assert terms.library_name("fit", names) is None
    assert terms.library_name("elbo + 1", names) is None


# Formulas in docstrings


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("E_q[log p(x|z)], estimated", [r"\mathbb E_q[\log p(x \mid z)]"]),
        ("KL(q || p) of a VAE", [r"\operatorname{KL}(q \,\Vert\, p)"]),
        ("-||x - g(f(x))||² of x", [r"-\lVert x - g(f(x)) \rVert^2"]),
        (
            "p(x) = C(λ) λ^x (1 - λ)^(1 - x), for",
            [r"p(x) = C(\lambda ) \lambda ^x (1 - \lambda )^{1 - x}"],
        ),
        ("log (1/K) Σ_k w_k, (B,)", [r"\log (1/K) \sum_k w_k"]),
        ("E_q[log p(x)] - Σ_l max(floor, a", [r"\mathbb E_q[\log p(x)] - \sum_l"]),
        ("the last D are log σ². A q(z|x)", [r"\log \sigma ^2", r"q(z \mid x)"]),
        ("N(μ(x), diag σ²(x)): a", [r"\mathcal N(\mu (x), \operatorname{diag} \sigma ^2(x))"]),
        ("of the Bernoulli’s -log C(λ), and", [r"-\log C(\lambda )"]),
        ("where λ_l > βσ²; p_x of s_l", [r"\lambda _l", r"\beta \sigma ^2"]),
        ("x is (N, D), log-variances; a_b of 2", []),
        ("from 2^32 to table / 2^precision bits", ["2^{32}", r"2^{\text{precision}}"]),
        ("one of 2^latent_bits bins", [r"2^{\text{latent_bits}}"]),
        (
            "Tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½) for",
            [r"\Sigma_a + \Sigma_b - 2", r"(\Sigma_a \Sigma_b)^½"],
        ),
    ],
)
def test_formulas_are_found_in_plain_text(text, tex):
    found = [formulas.as_tex(text[start:end]) for start, end in formulas.formulas(text)]
    assert [" ".join(one.split()) for one in found] == tex


# A small book


def picture():
    png = io.BytesIO()
    Image.new("RGB", (2, 2)).save(png, "PNG")
    return base64.b64encode(png.getvalue()).decode()


FIRST = [
    new_markdown_cell(
        "# The first\n\n> What is asked?\n\nYou need nothing. **30 minutes** for a first reading, "
        "**75** for all of it.\n\nA code, codes, chapter 2 and chapters 1 and 2, in its chapter 9, "
        "Figure 1.1 and *Equation 1.1*.\nKingma\nand Welling (2014) and (Burda et al., 2016, "
        "table 1) agree. Codes and `elbo`."
    ),
    new_code_cell(
        "from vae_lib.objectives import elbo",
        outputs=[
            new_output("display_data", {"image/png": picture(), "text/plain": "Figure 7.7"}),
        ],
    ),
    new_markdown_cell("**Figure 1.1.** A caption with a code.\n\n$$\nx = 1 \\tag{1.1}\n$$"),
    new_code_cell("# Exercise 1.1\n# Give one.\ndef one():\n    return ...\n# chapter 77"),
]
SECOND = [
    new_markdown_cell(
        "# The second, of chapter 99\n\n> And then?\n\n**30 minutes** for all of it.\n\n"
        "On `chapter 98` and [chapter 97](https://example.org). "
        "See Exercise 1.1 and Exercise 2.1, Fill-in 2.a.\n\n## Tasks\n\n"
        "### Exercise 2.1: two\n\nGive two."
    ),
    new_code_cell("# Exercise 2.1\ndef two():\n    return ..."),
    new_markdown_cell("**Fill-in 2.a.** Give three."),
    new_code_cell("# Fill-in 2.a\ndef three():\n    return ..."),
]
CONFIGURATION = """
import sys
sys.path.insert(0, {book!r})
extensions = ["myst_nb", "sphinxcontrib.bibtex", "linking"]
root_doc = "index"
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
bibtex_bibfiles = ["references.bib"]
html_theme = "basic"
html_static_path = [{assets!r}]
"""
ROOT_PAGE = """# Book

```{toctree}
chapters/01_first
chapters/02_second
glossary
references
```
"""


def built(folder, *, first=(), second=()):
    """Build a small book; the folder with its pages, and the warnings."""
    source, out = folder / "source", folder / "out"
    (source / "chapters").mkdir(parents=True)
    (source / "assets").mkdir()
    for name, cells in [("01_first", [*FIRST, *first]), ("02_second", [*SECOND, *second])]:
        notebook = new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
        nbformat.write(notebook, source / "chapters" / f"{name}.ipynb")
    configuration = CONFIGURATION.format(book=str(BOOK), assets=str(BOOK / "assets"))
    (source / "conf.py").write_text(configuration)
    (source / "index.md").write_text(ROOT_PAGE)
    for name in ("references.md", "references.bib"):
        shutil.copy(BOOK / name, source)
    entries = (BOOK / "glossary.md").read_text(encoding="utf-8")
    entries = re.sub(r"chapter \d+", "the book", entries, flags=re.IGNORECASE)  # it has only two
    (source / "glossary.md").write_text(entries, encoding="utf-8")
    warnings = io.StringIO()
    with docutils_namespace():
        Sphinx(
            source, source, out, out / ".doctrees", "html", status=None, warning=warnings
        ).build()
    return out, [line for line in warnings.getvalue().splitlines() if "WARNING" in line]


class Words(HTMLParser):
    """A page's words, and its links: (where to, what they say)."""

    def __init__(self, page):
        super().__init__()
        self.links, self.words, self.inside = [], "", None
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a" and "to-" in attributes.get("class", ""):
            self.inside = len(self.words)
            self.links.append([attributes["href"], ""])

    def handle_endtag(self, tag):
        if tag == "a" and self.inside is not None:
            self.links[-1][1] = " ".join(self.words[self.inside :].split())
            self.inside = None

    def handle_data(self, data):
        self.words += data


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    out, warnings = built(tmp_path_factory.mktemp("small"))
    assert warnings == []
    return out


def test_a_small_book_has_its_links_and_no_others(small):
    assert Words(small / "chapters" / "01_first.html").links == [
        ["../glossary.html#term-code", "codes"],
        ["02_second.html", "chapter 2"],
        ["02_second.html", "2"],
        ["#figure-1-1", "Figure 1.1"],
        ["#equation-1-1", "Equation 1.1"],
        [f"../references.html#{anchor(small, 'Welling')}", "Kingma and Welling (2014)"],
        [f"../references.html#{anchor(small, 'Grosse')}", "Burda et al., 2016, table 1"],
    ]
    assert Words(small / "chapters" / "02_second.html").links == [
        ["01_first.html#exercise-1-1", "Exercise 1.1"],
        ["#exercise-2-1-two", "Exercise 2.1"],
        ["#fill-in-2-a", "Fill-in 2.a"],
    ]


def anchor(folder, name):
    """The anchor of the first entry of the bibliography by Kingma and Welling, or by Burda."""
    entries = previews(folder, "references")
    wanted = {"Welling": "Auto-encoding", "Grosse": "Importance weighted"}[name]
    return next(key for key, entry in entries.items() if wanted in entry["html"] and key)


def previews(folder, page):
    text = (folder / "_static" / "previews" / f"{page}.js").read_text(encoding="utf-8")
    name, _, entries = text.partition("=")
    assert name == f"bookPreviews[{json.dumps(page)}]"
    return json.loads(entries.strip().rstrip(";"))


def test_previews_show_what_is_there(small):
    first, second = previews(small, "chapters/01_first"), previews(small, "chapters/02_second")
    assert "What is asked?" in first[""]["html"]
    assert "<p>30 minutes, or 75 for all of it</p>" in first[""]["html"]
    assert second[""]["html"].endswith("And then?</p><p>30 minutes</p>")
    assert first["figure-1-1"]["html"].startswith("<p><strong>Figure 1.1.</strong>")
    assert (small / "_images" / first["figure-1-1"]["image"]).exists()
    assert r"\[x = 1\]" in first["equation-1-1"]["html"]
    assert first["exercise-1-1"]["html"].endswith("<p>Give one.</p>")
    assert second["exercise-2-1-two"]["html"].endswith("<p>Give two.</p>")
    assert "Give three." in second["fill-in-2-a"]["html"]
    terms_shown = previews(small, "glossary")
    assert "latent" in terms_shown["term-posterior-collapse"]["html"].lower()
    assert not any("<a" in entry["html"] for entry in terms_shown.values())


def test_words_read_as_without_links(small, tmp_path, monkeypatch):
    linking = importlib.import_module("linking")
    monkeypatch.setattr(linking.LinkMentions, "run", lambda self: None)
    plain, _ = built(tmp_path)
    for page in ("01_first", "02_second"):
        before, after = (Words(folder / "chapters" / f"{page}.html") for folder in (plain, small))
        assert before.words == after.words
        assert after.links and not before.links


WRONG = ["chapter 9", "Figure 1.9", "equation 1.8", "Exercise 2.9", "Fill-in 1.a", "Nobody (2001)"]


def test_what_is_not_there_is_a_warning_unless_it_is_no_reference(tmp_path):
    told = [new_markdown_cell(f"It is {wrong}.") for wrong in [*WRONG, "equations 1.1 and 1.7"]]
    untold = [
        new_markdown_cell(f"It is {wrong}<!-- no link -->, yes ({wrong}<!-- no link -->).")
        for wrong in WRONG
    ]
    _, warnings = built(tmp_path, first=told, second=untold)
    assert all("01_first" in warning for warning in warnings)
    assert [re.search("'(.*?)'", warning)[1] for warning in warnings] == [*WRONG, "1.7"]


def test_a_number_that_is_given_twice_is_a_warning(tmp_path):
    _, warnings = built(tmp_path, second=[new_markdown_cell("**Figure 1.1.** Another.")])
    assert len(warnings) == 1 and "figure 1.1" in warnings[0]


# The built site


class Plain(HTMLParser):
    """The text of a page's article that is neither link, code, heading nor output.

    A link becomes a "§", another piece that is left out a "¤", and the end of a block a "¶".
    """

    OUTSIDE = {"a": "§", "code": "¤", "pre": "¤", "script": "", "style": "", "svg": ""} | {
        f"h{i}": "¶" for i in range(1, 7)
    }
    BLOCKS = ("p", "li", "td", "th", "div", "blockquote", "summary", "dd", "dt", "section")
    EMPTY = ("img", "br", "hr", "input", "meta", "link", "col", "wbr")

    def __init__(self, page):
        super().__init__()
        self.text, self.open, self.terms, self.links = "", [], [], []
        text = page.read_text(encoding="utf-8")
        self.feed(text[text.index("<article") : text.index("</article>")])

    def leaves_out(self, tag, attributes):
        classes = attributes.get("class", "").split()
        if (
            (tag == "div" and "cell" in classes)
            or "math" in classes
            or "bibtex-citation" in classes
        ):
            return "¤"
        if tag == "strong" and self.text.endswith("¶"):
            return "¤"  # "Figure 2.3." or "Exercise 2.1." before a caption or a task
        return self.OUTSIDE.get(tag)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in self.EMPTY:
            return
        left_out = self.leaves_out(tag, attributes)
        if tag == "a" and "internal" in attributes.get("class", ""):
            self.links.append(attributes["href"])
        if tag in self.BLOCKS and not any(mark is not None for _, mark in self.open):
            self.text += "¶"
        if left_out is not None and not any(mark is not None for _, mark in self.open):
            self.text += left_out
        self.open.append((tag, left_out))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_comment(self, data):
        self.text += "†" if data.strip() == "no link" else ""

    def handle_data(self, data):
        if not any(mark is not None for _, mark in self.open):
            self.text += data if data.strip() or not self.text.endswith("¶") else ""


@pytest.fixture(scope="module")
def pages(site):
    return {path.stem: Plain(path) for path in sorted((site / "chapters").glob("*.html"))}


MENTION = re.compile(
    r"(?<!its )\b([Cc]hapter|Project|[Ff]igure|[Ee]quation|[Ee]xercise|[Ff]ill-in)s?\s+"
    r"((?:(?:\d+|[IVX]+)\.\w+|(?<=Project )[IVX]+|"
    r"(?<=hapter )\d+|(?<=hapters )\d+)\b)(?!\s+(?:and \d+ )?of\s+[§¤]|[^\w§¶]?†)"
)
SURNAME = r"[A-Z][\w’-]+"
CITED = re.compile(
    rf"{SURNAME}(?: and {SURNAME}| and others| et al\.)?’?s? \((?:1[89]|20)\d\d[a-z]?(?=[),])"
    rf"|(?:(?<=\()|(?<=; )){SURNAME}(?:(?:, {SURNAME})* and {SURNAME}| and others| et al\.)?, "
    r"(?:1[89]|20)\d\d\b"
)


def itself(name):
    return {"project_1": "project I", "project_2": "project II"}.get(
        name
    ) or f"chapter {name[:2].lstrip('0') or '0'}"


def test_every_mention_in_every_chapter_is_a_link(pages):
    left = [
        (name, found[0])
        for name, page in pages.items()
        for found in MENTION.finditer(page.text)
        if f"{found[1].lower()} {found[2]}" != itself(name)
    ]
    assert left == []


def test_every_citation_in_every_chapter_is_a_link(pages):
    left = [
        (name, found[0])
        for name, page in pages.items()
        for found in CITED.finditer(page.text)
        if page.text[found.end() : found.end() + 2].strip(")")[:1] != "†"
    ]
    assert left == []


def test_mentions_that_were_no_links_would_be_found():
    for text in ["in Figure 2.3 we", "by equations 3.4 and", "see chapter 4.", "Fill-in 2.a,"]:
        assert MENTION.search(text), text
    for text in [
        "of Kingma and Welling (2014) is",
        "as Burda et al. (2016), it",
        "(Williams, 1992)",
    ]:
        assert CITED.search(text), text
    for text in ["chapter 29 of § and", "Figure 9.9† is", "its chapters 9 and 12"]:
        assert not MENTION.search(text), text


def pattern_of(entry):
    forms = [terms.pattern(form) for name in entry for form in terms.forms(name)]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(forms)})(?![\w-])" if forms else "(?!)")


def test_every_term_that_a_chapter_uses_is_linked_once(pages, site):
    patterns = {entry: pattern_of(entry) for entry in names_of_entries()}
    longest = sorted(patterns, key=lambda entry: -len(entry[0]))
    for name, page in pages.items():
        linked = [link.partition("#")[2] for link in page.links if "glossary.html#" in link]
        # Captions begin with their number, which is left out.
        text = "¶".join(block for block in page.text.split("¶") if not block.startswith("¤"))
        for entry in longest:
            plain = (unicodedata.normalize("NFKD", one) for one in entry)
            plain = (one.encode("ascii", "ignore").decode() for one in plain)
            anchors = {f"term-{re.sub(r'[^A-Za-z]+', '-', one)}" for one in plain}
            assert anchors & set(previews(site, "book/glossary")), entry
            text, times = patterns[entry].subn("¤", text)
            assert times == 0 or anchors & set(linked), f"{name}: {entry}"


def test_every_link_within_the_book_has_a_preview(site):
    kinds = set()
    for path in [*(site / "chapters").glob("*.html"), *(site / "book").glob("*.html")]:
        text = path.read_text(encoding="utf-8")
        for kind, address in re.findall(r'<a class="to-([\w-]+) [^"]*" href="([^"]*)"', text):
            page, _, fragment = address.partition("#")
            target = (path.parent / page).resolve() if page else path
            name = target.relative_to(site).with_suffix("").as_posix()
            preview = previews(site, name)[fragment]
            assert len(re.sub(r"<[^>]*>", "", preview["html"])) > 20, (path.stem, address)
            assert kind != "figure" or (site / "_images" / preview["image"]).exists()
            assert kind != "chapter" or fragment or re.search(r"\d+ minutes", preview["html"])
            kinds.add(kind)
    assert kinds >= {"chapter", "figure", "equation", "exercise", "citation", "term", "name"}


def test_previews_are_light(site):
    files = list((site / "_static" / "previews").rglob("*.js"))
    assert len(files) > 10
    for file in files:
        assert file.stat().st_size < 60_000, file.relative_to(site)
