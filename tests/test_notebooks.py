"""Rules that every chapter keeps, read off the file without running it. nbval runs the chapters."""

import ast
import builtins
import re
import symtable
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from mend import HIDDEN, stripped
from printed_numbers import BEFORE_COMMENT, CHECKED, COMMENT, KEPT, prose_numbers

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
PAGE_TAGS = {
    f"{verb}-{part}" for verb in ("remove", "hide") for part in ("cell", "input", "output")
}
TAGS = PAGE_TAGS | {CHECKED, KEPT, "raises-exception"}

CAPTION = re.compile(r"\*\*Figure (\d+|[IVX]+)\.(\d+)\.\*\*")
PROJECTS = {"project_1": "I", "project_2": "II"}  # the numbers of those that have no chapter's
PATH = re.compile(r"(/|\.\.?/|~/|[A-Za-z]:[\\/])[\w.]")
ADDRESS = re.compile(
    r"(?:github\.com|colab\.research\.google\.com/github)/([\w-]+)/([\w-]+(?:\.[\w-]+)*)"
)

# What a decimal number in prose may be without being the result of a run.
NOT_A_RESULT = re.compile(
    r"^[ >]*#.*$"  # headings
    r"|<[^>]+>"  # tags, and their attributes
    r"|\]\([^)]*\)|https?://\S+|\b(?:arXiv|doi)[:\s]\s*\S+"
    r"|\b(?:Exercise|Fill-in|Solution|Figure|Section|Chapter|Equation|Table|Version|Python|PyTorch)s?"
    r"\s+(?:\d+|[IVX]+)(?:\.\d+)+(?:(?:,| and| to| or)\s+(?:\d+|[IVX]+)(?:\.\d+)+)*",
    re.MULTILINE | re.IGNORECASE,
)
CODE_AND_MATHS = re.compile(
    r"^(```|~~~).*?^\1|\$\$.*?\$\$|\\begin\{(\w+\*?)\}.*?\\end\{\2\}|`+[^`]*`+|\$[^$\n]+(?:\n[^$\n]+)*\$",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def chapter_number(path):
    return PROJECTS.get(path.stem) or str(int(path.name.split("_")[0]))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def where(cell):
    return f"the cell that starts with {cell.source.strip().partition(chr(10))[0]!r}"


def as_python(source):
    """A cell's source with `%magics` turned into calls, so that it parses."""
    return TransformerManager().transform_cell(source)


def repository():
    url = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    return ADDRESS.search(url).groups()


def addresses(text):
    return {(owner, name.removesuffix(".git")) for owner, name in ADDRESS.findall(text)}


def chapters():
    return [path for path in CHAPTERS if path.stem not in PROJECTS]


def test_every_chapter_is_in_the_table_of_contents_and_the_other_way_round():
    listed = re.findall(r"chapters/(\w+)", (ROOT / "_toc.yml").read_text())
    assert sorted(listed) == [path.stem for path in CHAPTERS]


def test_chapters_are_numbered_from_nought():
    numbers = [int(path.name.split("_")[0]) for path in chapters()]
    assert numbers == list(range(numbers[0], len(chapters()) + numbers[0]))
    assert numbers[0] in (0, 1)


def test_a_part_ends_in_its_project():
    names = re.findall(r"chapters/(\w+)", (ROOT / "_toc.yml").read_text())
    places = [names.index(name) for name in PROJECTS]
    assert places == sorted(places)
    assert [names[place - 1] for place in places] == [
        "09_loss_audit",
        "15_disentanglement",
    ]


def test_the_file_is_a_valid_notebook_with_unique_ids(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


def test_nothing_is_stored_but_verified_text(notebook):
    assert notebook == stripped(notebook), "not stripped: run `make fix`"
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {"text/plain": ""})
            assert set(data) == {"text/plain"}, f"{where(cell)} stores {sorted(data)}"
            assert output.get("name", "stdout") == "stdout", f"{where(cell)} stores a warning"
            assert output.output_type != "error", f"{where(cell)} stores an error"


def test_metadata_is_what_the_book_reads(notebook):
    assert notebook.metadata == {"kernelspec": KERNEL}, "`make fix` removes what editors add"
    for cell in notebook.cells:
        known = {"tags", "mystnb", "jupyter"}
        assert set(cell.metadata) <= known, f"{where(cell)}: {cell.metadata}"
        folded = {"jupyter": {"source_hidden": True}} if tags(cell) & HIDDEN else {}
        assert {k: v for k, v in cell.metadata.items() if k == "jupyter"} == folded, (
            f"{where(cell)}: `make fix` folds in JupyterLab what is folded on the page"
        )
        assert tags(cell) <= TAGS, f"{where(cell)}: unknown tags {tags(cell) - TAGS}"
        assert "# NBVAL_" not in cell.source, f"{where(cell)}: use tags, which readers don't see"


def test_verified_cells_carry_both_tags_and_their_output(notebook):
    verified = [cell for cell in code_cells(notebook) if tags(cell) & {CHECKED, KEPT}]
    assert len(verified) >= 2, "a chapter has at least two cells whose output is verified"
    for cell in verified:
        assert tags(cell) >= {CHECKED, KEPT}, f"{where(cell)} has one of {CHECKED} and {KEPT} only"
        assert cell.outputs, f"{where(cell)} stores no output: run `make fix`"


def test_cells_are_short(notebook):
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 25, f"{where(cell)} has more than 25 lines"


def test_the_chapter_opens_with_the_install_cell_and_its_only_title(notebook):
    install, title = notebook.cells[:2]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    owner, name = repository()
    assert "remove-cell" in tags(install)
    assert f"https://github.com/{owner}/{name}@v{version}" in install.source
    assert title.cell_type == "markdown" and title.source.startswith("# ")
    text = CODE_AND_MATHS.sub("", "\n".join(cell.source for cell in markdown_cells(notebook)))
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1, "more than one title"


def test_the_install_cell_is_the_same_everywhere():
    sources = {nbformat.read(path, as_version=4).cells[0].source for path in CHAPTERS}
    assert len(sources) == 1


def test_all_imports_are_in_one_cell(notebook):
    cells = [
        cell
        for cell in code_cells(notebook)[1:]
        if any(
            isinstance(node, ast.Import | ast.ImportFrom)
            for node in ast.walk(ast.parse(as_python(cell.source)))
        )
    ]
    assert len(cells) == 1, f"imports in {len(cells)} cells: {[where(cell) for cell in cells]}"


def function_scopes(table):
    """The tables of all functions and methods, as far as they were written with `def`."""
    for child in table.get_children():
        if child.get_type() == "function" and child.get_name() not in ANONYMOUS:
            yield child
        yield from function_scopes(child)


ANONYMOUS = {"lambda", "listcomp", "setcomp", "dictcomp", "genexpr"}


def globals_read(notebook):
    """(function, name) for each notebook variable that a function reads."""
    source = "\n".join(as_python(cell.source) for cell in code_cells(notebook))
    top = symtable.symtable(source, "<chapter>", "exec")
    shared = {
        symbol.get_name()
        for symbol in top.get_symbols()
        if symbol.is_assigned() and not symbol.is_imported() and not symbol.is_namespace()
    }
    return [
        (scope.get_name(), symbol.get_name())
        for scope in function_scopes(top)
        for symbol in scope.get_symbols()
        if symbol.is_global() and symbol.get_name() in shared - set(dir(builtins))
    ]


def test_functions_read_their_arguments_not_the_notebook(notebook):
    for function, name in globals_read(notebook):
        pytest.fail(f"{function}() reads the notebook's variable {name!r}: pass it as an argument")


def test_a_chapter_copied_alone_still_runs(notebook):
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(as_python(cell.source))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not PATH.match(node.value), f"{where(cell)} names the path {node.value!r}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "open", f"{where(cell)} opens a file"


def test_only_exercises_may_raise(notebook):
    for cell in code_cells(notebook):
        exercise = re.match(r"# (?:Exercise|Fill-in) [\dIVX]|check\(", cell.source) is not None
        assert exercise == ("raises-exception" in tags(cell)), where(cell)


def draws(tree, drawing_functions=()):
    """Whether running this code, short of calling what it defines, draws a figure."""
    if isinstance(tree, ast.FunctionDef | ast.Lambda | ast.ClassDef):
        return False
    if isinstance(tree, ast.Call):
        match tree.func:
            case ast.Attribute(value=ast.Name(id="plots"), attr=name):
                if name != "use_book_style":
                    return True
            case ast.Attribute(value=ast.Name(id="plt"), attr=name):
                if name not in {"close", "get_cmap"}:
                    return True
            case ast.Name(id=name) if name in drawing_functions:
                return True
    return any(draws(child, drawing_functions) for child in ast.iter_child_nodes(tree))


def figure_positions(notebook):
    """Which of the notebook's cells draw, themselves or through a function of the notebook."""
    trees = {
        i: ast.parse(as_python(cell.source))
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
    }
    functions = [
        node
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    drawing = set()
    for function in functions:
        if any(draws(statement, drawing) for statement in function.body):
            drawing.add(function.name)
    return [i for i, tree in trees.items() if draws(tree, drawing)]


def assert_described(cell):
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    assert len(alt) >= 30, f"{where(cell)} draws, but mystnb.image.alt is {alt!r}"


def test_every_live_figure_has_a_description_for_where_it_is_a_picture(notebook, chapter_number):
    alive = [cell for cell in code_cells(notebook) if re.search(r"\blive\.\w+\(", cell.source)]
    assert alive or chapter_number.isalpha()  # a project has none
    for cell in alive:
        assert_described(cell)


def test_every_figure_has_a_description_and_a_caption(notebook):
    cells = notebook.cells
    for i in figure_positions(notebook):
        assert_described(cells[i])
        assert i + 1 < len(cells) and CAPTION.match(cells[i + 1].source), (
            f"{where(cells[i])} draws: the next cell must start with **Figure N.M.**"
        )


def test_captions_are_numbered_without_gaps_and_follow_their_figures(notebook, chapter_number):
    numbers = []
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        caption = CAPTION.match(cell.source) if cell.cell_type == "markdown" else None
        if caption:
            assert before.cell_type == "code", f"{where(cell)} does not follow a figure"
            numbers.append(caption.groups())
    assert numbers == [(chapter_number, str(m + 1)) for m in range(len(numbers))]


def unverified_decimals(markdown):
    """Decimal numbers that read like a result and have no verifying comment."""
    for comment in reversed(list(COMMENT.finditer(markdown))):
        number = BEFORE_COMMENT.search(markdown, 0, comment.start())
        start = number.start() if number else comment.start()
        markdown = markdown[:start] + "verified" + markdown[comment.end() :]
    lines = [line for line in re.split(r"\n\s*\n|\n(?=\|)", markdown) if "{cite" not in line]
    text = CODE_AND_MATHS.sub(" ", "\n\n".join(lines))
    return re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\.\d)", NOT_A_RESULT.sub(" ", text))


def test_results_in_prose_are_verified(notebook):
    for cell in markdown_cells(notebook):
        loose = unverified_decimals(cell.source)
        assert not loose, (
            f"{where(cell)} states {', '.join(loose)}: if a run gave it, let an invisible comment "
            "such as <!-- =elbo:.1f --> follow; if it was chosen, set it as maths or code"
        )


def test_verified_numbers_are_well_formed(notebook):
    for cell in markdown_cells(notebook):
        for number in prose_numbers(cell.source):
            complaint = f"{where(cell)}: {number.expression!r}"
            assert number.printed, f"{complaint} has no number right before it"
            assert number.expression, f"{complaint} has no format, as in <!-- =elbo:.1f -->"
            ast.parse(number.expression, mode="eval")


def test_nothing_is_left_to_do(path):
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text(encoding="utf-8"))


def test_citations_are_in_the_bibliography(notebook):
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"^@\w+\{([^,\s]+)", bibliography, re.MULTILINE))
    for cell in markdown_cells(notebook):
        for cited in re.findall(r"\{cite[\w:]*\}`([^`]+)`", cell.source):
            missing = {key.strip() for key in cited.split(",")} - keys
            assert not missing, f"{where(cell)} cites {missing}"


def test_the_repository_has_one_address():
    ours = repository()
    naming = [ROOT / name for name in ("README.md", "CITATION.cff", "pyproject.toml")]
    for path in naming:
        assert ours in addresses(path.read_text(encoding="utf-8")), f"{path.name} lacks {ours}"
    pages = [*naming, *CHAPTERS, *(ROOT / "book").rglob("*.md"), *ROOT.glob("*.md")]
    for path in pages:
        for owner, name in addresses(path.read_text(encoding="utf-8")):
            if owner == ours[0] or name == ours[1]:
                assert (owner, name) == ours, f"{path.name} names {owner}/{name}, not {ours}"
