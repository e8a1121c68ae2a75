"""A book of two chapters and a project, with what makes real pages, built in seconds for tests."""

import base64
import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from ipywidgets.embed import dependency_state
from PIL import Image

from vae_lib import live

ROOT = Path(__file__).resolve().parents[1]
NAME = "02_small"
QUESTION = r"How far does $\log p(x \mid z)$ go?"
OPENING = f"""# A small chapter

> {QUESTION}

After this chapter you can

- do one thing;
- do another;
- do a third.

You need nothing. **12 minutes** for a first reading, **34** for all of it.

Why, in a paragraph."""
PLAIN = """# A plain one

> *How* short can it be?

After this chapter you can

- stop.

You need nothing. **5 minutes** for all of it.

Then there is text."""
PROJECT = """# Project I: A small one

> Can it be done?

After this project you can

- do it.

You need all of it. **20 minutes** for all of it.

Then there is a task."""
POINTS = """## Key points

- One.
- Two.

This ends the first reading. Go on to the [exercises](#exercises)."""
SOLUTION = """<details class="solution">

<summary>Solution {number}</summary>

As it was said.

```python
def answer(x):
    return x
```

</details>"""
TABLE = "\n".join(f"{row:<30}{row:>30}" for row in ("mean", "one", "two"))
STATED = "**Exercise 2.1.** Return the argument."
CONFIG = """
import sys
sys.path[:0] = [{root!r}, {book!r}]
project = html_title = "A small book"
extensions = ["myst_nb", "sphinx_togglebutton", "sphinx_book_theme", "sphinx_external_toc",
    "sphinx-mathjax-offline", "sphinx.ext.autodoc", "typesetting", "live_figures",
    "reading", "landing", "publishing"]
language, root_doc = "en", "book/intro"
external_toc_path = "_toc.yml"
nb_execution_mode, nb_ipywidgets_js, nb_merge_streams = "off", {{}}, True
nb_code_prompt_show, nb_code_prompt_hide = "show the code", "hide the code"
myst_heading_anchors = 3
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
html_theme, html_favicon = "sphinx_book_theme", {icon!r}
html_static_path, html_css_files = [{assets!r}], ["book.css"]
html_theme_options = {{
    "repository_url": "https://github.com/Somebody/Their.Book",
    "repository_branch": "trunk",
    "use_download_button": True,
    "launch_buttons": {{"colab_url": "https://colab.research.google.com"}},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}}
"""
TOC = """
format: jb-book
root: book/intro
parts:
  - caption: Part I
    chapters:
      - file: chapters/02_small
      - file: chapters/03_plain
  - chapters:
      - file: chapters/project_1
  - caption: Reference
    chapters:
      - file: book/claims
"""
INTRO = """# The small book

It has two chapters.

```{start}
[claims](claims.md)
```

```{live-figure} chapters/01_missing chapters/02_small

(it has not been executed)
```

```{live-figure} chapters/03_plain

It has *none* to show.
```

```{chapter-cards}
```

```{reading-order} Part I
```
"""


def prose(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text)


def code(text: str, *outputs: nbformat.NotebookNode, tags: tuple[str, ...] = ()) -> object:
    metadata = {"tags": list(tags)} if tags else {}
    return nbformat.v4.new_code_cell(text, metadata=metadata, outputs=list(outputs))


def display(**data: object) -> nbformat.NotebookNode:
    by_type = {kind.replace("_", "/", 1): content for kind, content in data.items()}
    return nbformat.v4.new_output("display_data", by_type)


def claimed(sentence: str) -> nbformat.NotebookNode:
    """A claim's output, as the library makes it."""
    line = (
        f'<summary style="cursor: pointer;"><span aria-hidden="true">✓</span> {sentence}</summary>'
    )
    return display(
        text_html=f'<details class="vae-claim" style="margin: 0.5em 0;">{line}<p>1</p></details>',
        text_plain=f"✓ {sentence}",
    )


def attempt(kind: str, number: str) -> list[nbformat.NotebookNode]:
    """Stub, check and solution, as they lie in a notebook that nobody has touched."""
    untouched = f"○ {kind} {number}: not attempted yet."
    verdict = display(text_html=f'<div role="status">{untouched}</div>', text_plain=untouched)
    stub = f"# {kind} {number}\n# of shape (N,)\ndef answer(x):\n    return ..."
    tags = ("raises-exception",)
    return [
        code(stub, tags=tags),
        code(f'check("{number}", answer)', verdict, tags=tags),
        prose(SOLUTION.format(number=number)),
    ]


def plot() -> nbformat.NotebookNode:
    """A picture, as tall as a page is not."""
    file = io.BytesIO()
    Image.new("RGB", (480, 400), "white").save(file, "PNG")
    return display(image_png=base64.b64encode(file.getvalue()).decode())


def shown(figure: live.LiveFigure) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", figure._repr_mimebundle_()[0])


def shown_by_a_kernel() -> nbformat.NotebookNode:
    """A progress bar, of which a page has nothing."""
    view = {"model_id": "0", "version_major": 2, "version_minor": 0}
    data = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "Bar()"}
    return nbformat.v4.new_output("display_data", data)


def chapter() -> nbformat.NotebookNode:
    """A chapter with everything that the pages give a form to."""
    figure = live.one_pixel(x=0.3, probs=0.7)
    folded = ("hide-input",)
    cells = [
        code("import vae_lib", tags=("remove-cell",)),
        prose(OPENING),
        code("import math  # noqa: F401", tags=folded),
        code("fit(...)", shown_by_a_kernel(), tags=folded),
        code("live.one_pixel(x=0.3, probs=0.7)", shown(figure), tags=folded),
        prose("## First\n\nText with $\\sigma^2$ and a formula:\n\n$$\np(x \\mid z)\n$$"),
        code("x = 1  # noqa: E731\ny = 2"),
        code("print(1)", nbformat.v4.new_output("stream", text="1"), tags=folded),
        code("print(2)", nbformat.v4.new_output("stream", text=TABLE), tags=folded),
        *attempt("Fill-in", "2.a"),
        code("claim(...)", claimed("one is one"), claimed("two is two"), tags=folded),
        code("plt.show()", plot(), claimed("three is three"), tags=folded),
        prose("**Figure 2.1.** White."),
        prose(POINTS),
        prose("## Closer\n\n### A proof\n\nIt follows.\n\n" + "More of it.\n\n" * 60),
        prose(f"## Exercises\n\n{STATED}"),
        *attempt("Exercise", "2.1"),
        prose("## References and further reading\n\nNone."),
    ]
    language = {"name": "python", "pygments_lexer": "ipython3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": language})
    states = {"state": dependency_state([figure], drop_defaults=False)}
    notebook.metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {
            "version_major": 2,
            "version_minor": 0,
            **states,
        }
    }
    return notebook


def write(folder: Path) -> None:
    """The sources of the small book."""
    for name in ("book", "chapters"):
        (folder / name).mkdir(parents=True)
    paths = {"root": ROOT, "book": ROOT / "book", "assets": ROOT / "book" / "assets"}
    paths["icon"] = ROOT / "book" / "assets" / "logo.svg"
    config = CONFIG.format(**{name: str(path) for name, path in paths.items()})
    (folder / "conf.py").write_text(config, encoding="utf-8")
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    (folder / "book" / "intro.md").write_text(INTRO, encoding="utf-8")
    (folder / "book" / "claims.md").write_text("# Claims\n\nNone so far.\n", encoding="utf-8")
    nbformat.write(chapter(), folder / "chapters" / f"{NAME}.ipynb")
    plain = nbformat.v4.new_notebook(cells=[prose(PLAIN)])
    nbformat.write(plain, folder / "chapters" / "03_plain.ipynb")
    project = nbformat.v4.new_notebook(cells=[prose(PROJECT)])
    nbformat.write(project, folder / "chapters" / "project_1.ipynb")


def build(folder: Path) -> Path:
    """Write and build it; returns the folder with the pages."""
    write(folder)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, str(folder), str(folder / "html")],
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return folder / "html"
