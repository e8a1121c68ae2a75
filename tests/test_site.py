"""The site: one address everywhere, nothing dangling, and nothing loaded from another server."""

import importlib
import re
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from docutils import nodes
from docutils.utils import new_document
from nbformat.v4 import new_code_cell, new_notebook, new_output
from printed_numbers import is_checked
from release import release_tag
from sphinx.ext.napoleon.docstring import GoogleDocstring

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
ADDRESS = CONFIG["repository"]["url"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(scope="session")
def module():
    """A module of book/ by its name; the folder is no package, since its programs run by path."""
    sys.path.insert(0, str(BOOK))
    yield importlib.import_module
    sys.path.remove(str(BOOK))


def markdown():
    """The text of every page and of every markdown cell, with the name of its file."""
    pages = [(page.name, page.read_text(encoding="utf-8")) for page in sorted(BOOK.glob("*.md"))]
    for chapter in CHAPTERS:
        cells = nbformat.read(chapter, as_version=4).cells
        pages += [(chapter.name, cell.source) for cell in cells if cell.cell_type == "markdown"]
    return pages


# One address, one version


def test_the_address_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["repository-code"] == ADDRESS
    assert ADDRESS in project.get("urls", {"Repository": ADDRESS}).values()
    assert f"git clone {ADDRESS}\n" in (ROOT / "README.md").read_text()
    assert f"git clone {ADDRESS}\n" in (BOOK / "how_to_use.md").read_text()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_installs_the_library_from_the_books_tag(chapter):
    first = nbformat.read(chapter, as_version=4).cells[0]
    assert "remove-cell" in first.metadata.tags
    assert f'"vae-lib @ git+{ADDRESS}@v{VERSION}"' in first.source


# What the pages name exists


def test_the_contents_list_every_page_and_chapter():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [entry["file"] for part in contents["parts"] for entry in part["chapters"]]
    present = [f"chapters/{path.stem}" for path in CHAPTERS]
    # Each in its order; a project stands behind its part's chapters, not behind all of them.
    chapters = [name for name in listed if name.startswith("chapters/")]
    assert sorted(chapters) == present
    assert [name for name in chapters if "project" not in name] == [
        name for name in present if "project" not in name
    ]
    pages = {f"book/{path.stem}" for path in BOOK.glob("*.md")}
    assert {contents["root"], *listed} - set(present) == pages


def test_every_glossary_term_exists():
    glossary = (BOOK / "glossary.md").read_text(encoding="utf-8")
    terms = set(re.findall(r"^[^`#\s].*$", glossary.partition("{glossary}")[2], re.MULTILINE))
    for name, text in markdown():
        for term in re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", text):
            assert term in terms, f"{name} uses the term {term!r}, which the glossary lacks"


def test_a_word_is_where_one_looks_for_it_in_the_glossary():
    entries = (BOOK / "glossary.md").read_text(encoding="utf-8").partition("{glossary}\n")[2]
    words = [entry.split("\n")[0] for entry in re.split(r"\n\n(?=\S)", entries)]
    assert len(words) > 50
    plain = [normalize("NFKD", word.casefold()).encode("ascii", "ignore") for word in words]
    spelt = [word.replace(b"-", b" ") for word in plain]
    assert spelt == sorted(spelt)


def test_every_citation_exists():
    keys = set(re.findall(r"^@\w+\{([^,]+),", (BOOK / "references.bib").read_text(), re.MULTILINE))
    for name, text in markdown():
        for cited in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text):
            assert set(cited.replace(" ", "").split(",")) <= keys, f"{name} cites {cited}"


def test_every_module_of_the_library_has_its_place_in_the_reference():
    library = ROOT / "vae_lib"
    modules = {path.stem for path in library.glob("[a-z]*.py")}
    modules |= {path.parent.name for path in library.glob("*/__init__.py")}
    shown = set(re.findall(r"auto\w+:: vae_lib\.(\w+)", (BOOK / "api.md").read_text()))
    assert shown == modules


# How docstrings become pages


@pytest.mark.parametrize(
    ("docstring", "shown"),
    [
        ("KL(q(z|x) || p(z))", r"KL(q(z\|x) \|\| p(z))"),
        ("`x` is (N, D)", "``x`` is (N, D)"),
        ("``x`` is (N, D)", "``x`` is (N, D)"),
        ("`2 * (a | b)`", "``2 * (a | b)``"),
        ("see `vae_lib.training.fit`", "see :py:obj:`vae_lib.training.fit`"),
        ("calls :class:`~torch.Tensor.expand`", "calls ``torch.Tensor.expand``"),
        ("*static* or 2 * 3", r"*static* or 2 \* 3"),
        ("x_mean of p_ is log_px", r"x_mean of p\_ is log_px"),
        ("latent_dim: L.", r"latent_dim: \L."),
    ],
)
def test_docstrings_are_read_as_plain_text_with_code(module, docstring, shown):
    lines = [docstring]
    module("typesetting").process_docstring(None, "function", "f", None, None, lines)
    assert lines == [shown]


def test_a_comma_stays_where_it_stands_although_others_read_the_same(module):
    document = new_document("page")
    paragraph = nodes.paragraph()
    document += paragraph
    formula = [nodes.math(letter, letter) for letter in "Dabs"]
    link = nodes.reference("", "chapter 12")
    paragraph += [nodes.Text("In "), link, nodes.Text(", "), formula[0], nodes.Text(" is not ")]
    paragraph += [formula[1], nodes.Text(", "), formula[2], nodes.Text(", "), formula[3]]
    said = paragraph.astext()
    assert said == "In chapter 12, D is not a, b, s"
    module("typesetting").KeepTogether(document).run()
    assert paragraph.astext() == said
    kept = [node.astext() for node in paragraph.findall(nodes.inline)]
    assert kept == ["a,", "b,"]


def test_a_comma_stays_with_its_number_though_a_comment_stands_between(module):
    document, paragraph = new_document("page"), nodes.paragraph()
    document += paragraph
    comment = nodes.raw("", "<!-- =mean:.1f -->", format="html")
    paragraph += [nodes.Text("has "), nodes.math("-7.1", "-7.1"), comment, nodes.Text(", and")]
    module("typesetting").KeepTogether(document).run()
    (kept,) = paragraph.findall(nodes.inline)
    assert kept.astext() == "-7.1,"
    assert [child.astext() for child in paragraph][-2:] == [comment.astext(), " and"]


def test_code_in_a_docstring_stands_as_it_was_written(module):
    code = ["Write::", "", "    a = [2 * e for e in (b | c)]", "", "where 2 * 3"]
    lines = list(code)
    module("typesetting").process_docstring(None, "function", "f", None, None, lines)
    assert lines == [*code[:4], r"where 2 \* 3"]


def test_what_an_attribute_says_before_a_colon_is_not_its_type(module):
    lines = ["Its length in bits: that of all words."]
    module("typesetting").process_docstring(None, "property", "bits", None, None, lines)
    read = str(GoogleDocstring(lines, what="property", name="bits"))
    assert " ".join(read.split()) == "Its length in bits: that of all words."


# The built pages


class Page(HTMLParser):
    """What a page loads, where it leads, its anchors and its description."""

    def __init__(self, path):
        super().__init__()
        self.path, self.tags = path, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def values(self, tag, attribute):
        return [a[attribute] for name, a in self.tags if name == tag and a.get(attribute)]

    def anchors(self):
        return {a["id"] for _, a in self.tags if a.get("id")} | set(self.values("a", "name"))

    def loaded(self):
        sources = [a["src"] for _, a in self.tags if a.get("src")]
        linked = {"stylesheet", "preload", "icon", "shortcut icon", "manifest", "modulepreload"}
        links = [a["href"] for t, a in self.tags if t == "link" and a.get("rel") in linked]
        return sources + links


@pytest.fixture(scope="session")
def html(site):
    """The site's folder."""
    return site


@pytest.fixture(scope="session")
def pages(html):
    return {
        path: Page(path) for path in sorted(html.rglob("*.html")) if "_static" not in path.parts
    }


# A cell shows what it prints and draws. The value of its last line is shown beside that where
# nobody thinks of it: `fit(...)` without `_ =` before it fills a page with a History.

UNREADABLE = re.compile(r"<[^<>]* at 0x[0-9a-f]+>|\bHistory\(|\btensor\(\[[^)]{200}")


def shown_by_accident(notebook):
    """What cells show that nobody meant: values that are no picture and are not verified, and what
    is printed of objects that have no words for themselves, or of tensors of many numbers."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            is_text = set(data) == {"text/plain"}
            text = data["text/plain"] if is_text else output.get("text", "")
            if (is_text and not is_checked(cell)) or UNREADABLE.search(text):
                found.append(f"{cell.source.splitlines()[-1]!r} shows {text[:80]!r}")
    return found


def test_no_cell_shows_a_value_by_accident(html):
    folder = html.parent / "executed"
    if not folder.is_dir():
        pytest.skip("a site from elsewhere, without the executed chapters beside it")
    copies = sorted(folder.glob("*.ipynb"))
    assert {copy.stem for copy in copies} == {chapter.stem for chapter in CHAPTERS}
    for copy in copies:
        found = shown_by_accident(nbformat.read(copy, as_version=4))
        assert not found, f"{copy.stem}: {found}; give it to a name, as in `_ = fit(...)`"


BY_ACCIDENT = (
    "History(train=[-3.0], held_out=[])",
    "torch.zeros(2)",
    "[0.5, 0.25]",
    "plt.plot([1, 2])",
    "print(History(train=[-3.0]))",
    "print(object())",
    "print('weights:', torch.zeros(40, 30))",
)
MEANT = (
    "_ = History(train=[-3.0])",
    "plt.plot([1, 2])\nplt.show()",
    "print('means', torch.zeros(3), torch.Size([2, 3]), '1 < 2 > 0')",
    "claim('one is one', 1.0, equals=1)",
    "quiz('01')",
    "check('2.1', ...)",
)


def test_a_value_that_is_shown_by_accident_is_found(module):
    begin = """
        %matplotlib inline
        import torch
        from matplotlib import pyplot as plt
        from vae_lib.claims import claim
        from vae_lib.exercises import check, quiz
        from vae_lib.training import History
    """
    cells = [new_code_cell(source) for source in (dedent(begin), *BY_ACCIDENT, *MEANT)]
    run = module("execution").run(new_notebook(cells=cells), dataset="")
    assert run.stopped is None
    assert all(cell.outputs for cell in run.notebook.cells[1:] if not cell.source.startswith("_"))
    shown = shown_by_accident(run.notebook)
    assert len(shown) == len(BY_ACCIDENT), shown
    assert all(repr(a) in said for a, said in zip(BY_ACCIDENT, shown, strict=True))
    verified = new_code_cell("x.shape", metadata={"tags": ["nbval-check-output", "keep_output"]})
    verified.outputs = [new_output("execute_result", data={"text/plain": "torch.Size([2])"})]
    assert shown_by_accident(new_notebook(cells=[verified])) == []


def is_elsewhere(address):
    return urlsplit(address).netloc != ""


def test_pages_load_nothing_from_another_server(pages):
    for page in pages.values():
        for address in page.loaded():
            assert not is_elsewhere(address), f"{page.path.name} loads {address}"


def test_the_books_own_style_and_mathjax_are_on_every_chapter(pages, html):
    chapters = [page for page in pages.values() if page.path.parent.name == "chapters"]
    assert len(chapters) == len(CHAPTERS)
    for page in chapters:
        files = [urlsplit(address).path for address in page.loaded()]
        assert any(name.endswith("_static/book.css") for name in files)
    mathjax = html / "_static" / "mathjax"
    assert (mathjax / "tex-chtml.js").exists()
    licence = " ".join((mathjax / "LICENSE").read_text(encoding="utf-8").split())
    assert licence.startswith("Apache License Version 2.0, January 2004")
    assert "You must give any other recipients of the Work" in licence


def test_captions_are_set_as_captions(pages, html):
    for path, page in pages.items():
        marked = [
            a for tag, a in page.tags if tag == "p" and "figure-caption" in a.get("class", "")
        ]
        text = path.read_text(encoding="utf-8")
        captions = re.findall(r"<p[^>]*><strong>Figure [\dIVX]+\.\d+\.", text)
        assert len(marked) == len(captions), path.name
    assert any("figure-caption" in path.read_text(encoding="utf-8") for path in pages)


def test_styles_load_nothing_from_another_server(html):
    for style in html.rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", style.read_text(encoding="utf-8"), flags=re.DOTALL)
        for address in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", text):
            assert not is_elsewhere(address), f"{style.name} loads {address}"


def test_links_and_anchors_lead_somewhere(pages):
    for path, page in pages.items():
        for address in page.values("a", "href"):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.name} links to {address}"
            if target in pages and parts.fragment:
                known = pages[target].anchors()
                assert unquote(parts.fragment) in known, f"{path.name} links to {address}"


def test_every_page_introduces_itself(pages, html):
    for path, page in pages.items():
        if path == html / "index.html":
            continue  # sends the reader on to the first page
        tags = [tag for tag, _ in page.tags]
        assert "title" in tags, path.name
        assert page.values("html", "lang") == ["en"], path.name
        named = [a for tag, a in page.tags if tag == "meta" and a.get("name") == "description"]
        assert len(named) == 1, path.name
        assert 10 <= len(named[0]["content"]) <= 165, path.name


def test_every_image_is_described_or_marked_as_ornament(pages):
    for page in pages.values():
        for tag, attributes in page.tags:
            if tag == "img":
                alt = attributes.get("alt")
                named = f"{page.path.name}: {attributes.get('src')}"
                assert alt is not None, named
                assert not re.search(r"\.(png|svg|jpg)$", alt), f"{named} has its path for a text"


def test_every_chapter_opens_in_colab_and_can_be_edited(pages):
    slug = ADDRESS.removeprefix("https://github.com/")
    ref = release_tag(ROOT) or "main"
    for path, page in pages.items():
        if path.parent.name == "chapters":
            links = page.values("a", "href")
            notebook = f"chapters/{path.stem}.ipynb"
            assert f"https://colab.research.google.com/github/{slug}/blob/{ref}/{notebook}" in links
            assert f"{ADDRESS}/edit/main/{notebook}" in links
            assert any(link.startswith(f"{ADDRESS}/issues/new") for link in links)
            assert any(link.endswith(f"_sources/{notebook}") for link in links)
