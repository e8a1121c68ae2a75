"""The executor and its records: one run a chapter, kept under all that it depends on."""

import copy
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import build
import execution
import nbformat
import pytest
import records
import serve
import staging
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "book" / "build.py"


def write_chapter(path, *cells, kernel="python3"):
    path.parent.mkdir(exist_ok=True, parents=True)
    spec = {"name": kernel, "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": spec}), path)
    return path


def allowed_to_raise(source):
    return new_code_cell(source, metadata={"tags": ["raises-exception"]})


def run_build(root, *options):
    command = [sys.executable, BUILD, "--root", root, *options]
    return subprocess.run(command, capture_output=True, text=True)


def test_what_fails_is_reported_by_chapter_and_cell_and_the_others_still_run(tmp_path):
    chapters = tmp_path / "chapters"
    broken = [new_markdown_cell("# Prose"), new_code_cell("x = 1\nx.missing")]
    write_chapter(chapters / "01_broken.ipynb", *broken, new_code_cell("print(x); 1 / 0"))
    fine = [allowed_to_raise("1 / 0"), new_code_cell("import os; print(6 * 7)")]
    write_chapter(chapters / "02_fine.ipynb", *fine, kernel="another-machines-kernel")
    (chapters / "03_unreadable.ipynb").write_text("{ half a notebook")
    silent = new_code_cell("1 + 1", metadata={"mystnb": {"image": {"alt": "A flow"}}})
    write_chapter(chapters / "04_silent.ipynb", new_code_cell("x = 1"), silent)
    write_chapter(chapters / "05_dies.ipynb", new_code_cell("import os; os.kill(os.getpid(), 9)"))
    crash = "import faulthandler, sys; faulthandler.enable(sys.__stderr__); faulthandler._sigabrt()"
    write_chapter(chapters / "06_crashes.ipynb", new_code_cell(crash))
    # Under pytest a kernel makes no outputs of what is written to its file 2.
    complaint = "import os; os.write(2, b'Traceback of a shutdown')"
    write_chapter(chapters / "07_complains.ipynb", new_code_cell(complaint))
    done = run_build(tmp_path, "--jobs", "2")
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr, done.stderr
    said = dict(re.findall(r"chapters/(\d\d)_\w+\.ipynb (.*)", done.stdout))
    assert said["01"].startswith("FAILED in cell 2, which begins with `x = 1`: AttributeError")
    assert said["01"].endswith("(and 1 more)"), "a run goes on, and finds all that is wrong"
    assert re.fullmatch(r"\d+\.\d s", said["02"])
    assert "no notebook that can be read" in said["03"]
    assert said["04"].startswith("FAILED in cell 2") and "no picture" in said["04"]
    assert said["05"].startswith("FAILED in cell 1") and "DeadKernelError" in said["05"]
    assert "last words" not in said["05"] and "last words: Fatal Python error" in said["06"]
    assert re.fullmatch(r"\d+\.\d s", said["07"]), "what a kernel says as it ends is its own"
    kept = sorted(path.name for path in (tmp_path / "_build" / "executed").glob("*.*"))
    both = [f"{name}.{kind}" for name in ("02_fine", "07_complains") for kind in ("ipynb", "json")]
    assert [name for name in kept if not name.startswith(".")] == both
    executed = nbformat.read(tmp_path / "_build/executed/02_fine.ipynb", as_version=4)
    assert executed.cells[1].outputs[0].text == "42\n"


def test_a_figure_that_drew_nothing_is_found():
    cell = new_code_cell("plots.flow_diagram()", metadata={"mystnb": {"image": {"alt": "A flow"}}})
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), cell])
    assert [found["cell"] for found in execution.missing_pictures(notebook)] == [1]
    cell.outputs = [new_output("display_data", data={"image/png": "", "text/plain": "<Figure>"})]
    assert execution.missing_pictures(notebook) == []


# One run, until something changes


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A small book whose kernels are counted, not started: what a chapter prints is its count."""
    write_chapter(
        tmp_path / "chapters" / "01_a.ipynb",
        new_code_cell("count()", metadata={"tags": ["nbval-check-output", "keep_output"]}),
        new_markdown_cell("It is 1<!-- =count:d -->."),
        new_code_cell("live.rose(x)"),
    )
    write_chapter(tmp_path / "chapters" / "02_b.ipynb", new_code_cell("count()" * 9))
    for name in ("models.py", "live/rose.js", "live/rose.py", "live/tulip.js", "live/live.css"):
        (tmp_path / "vae_lib" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "vae_lib" / name).write_text("a")
    for name in (
        "exercises/chapter_01/fill_a.py",
        "exercises/chapter_02/fill_a.py",
        "exercises/guard.py",
    ):
        (tmp_path / "vae_lib" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "vae_lib" / name).write_text("a")
    return Book(tmp_path, monkeypatch)


class Book:
    def __init__(self, root, monkeypatch):
        self.root, self.folder = root, root / "_build" / "executed"
        self.library, self.runs, self.outcome = root / "vae_lib", [], "good"
        self.chapter = root / "chapters" / "01_a.ipynb"
        monkeypatch.setattr(execution, "run", self.run)

    def run(self, notebook, *, dataset="", before="", timeout=0):
        self.runs.append(len(notebook.cells))
        notebook = copy.deepcopy(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                text = f"{len(self.runs)}\n"
                cell.outputs = [new_output("stream", name="stdout", text=text)]
        values = [[str(len(self.runs))], []] if len(notebook.cells) == 3 else [[]]
        stopped = None if self.outcome == "good" else {"cell": 0, "reason": self.outcome}
        return execution.Run(notebook, dataset, 1.0 * len(notebook.cells), values, stopped)

    def ask(self, dataset=""):
        return records.outcome(self.root, self.chapter, self.folder, dataset=dataset)

    def stale(self, dataset=""):
        chapters = sorted((self.root / "chapters").glob("*.ipynb"))
        planned = records.plan(self.root, chapters, self.folder, dataset=dataset)
        return [path.stem for path in planned]

    def run_all(self):
        chapters = sorted((self.root / "chapters").glob("*.ipynb"))
        arguments = {"dataset": "", "jobs": 2}
        return list(records.run_all(self.root, chapters, self.folder, **arguments))


def test_a_chapter_runs_again_only_when_something_that_it_depends_on_has_changed(book):
    sized = sorted(book.root.glob("chapters/*"), key=lambda path: -path.stat().st_size)
    assert book.stale() == [path.stem for path in sized], "the larger first while no time is known"
    book.run_all()
    assert book.stale() == []
    for name, stale in [
        ("models.py", ["01_a", "02_b"]),  # the one that took longest first
        ("live/live.css", ["01_a", "02_b"]),
        ("exercises/guard.py", ["01_a", "02_b"]),
        ("live/rose.js", ["01_a"]),  # the figure that only chapter 1 shows
        ("live/rose.py", ["01_a"]),
        ("live/tulip.js", []),
        ("exercises/chapter_01/fill_a.py", ["01_a"]),
        ("exercises/chapter_02/fill_a.py", ["02_b"]),
    ]:
        (book.library / name).write_text("b")
        assert book.stale() == stale, name
        (book.library / name).write_text("a")
    assert book.stale(dataset="mnist") == ["01_a", "02_b"]


def test_what_a_first_build_begins_with_are_chapters():
    assert set(records.LONGEST) <= {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}


def test_the_executor_and_the_packages_are_among_what_a_run_depends_on(book, monkeypatch):
    book.run_all()
    for path in records.EXECUTOR:
        assert path.is_file()
    monkeypatch.setattr(records, "EXECUTOR", [*records.EXECUTOR, BUILD])
    assert len(book.stale()) == 2
    monkeypatch.undo()
    versions = {package: records.version(package) for package in records.PACKAGES}
    for package in records.PACKAGES:
        newer = {**versions, package: "newer"}
        monkeypatch.setattr(records, "version", newer.get)
        assert len(book.stale()) == 2, package
        monkeypatch.undo()


def test_what_is_left_out_of_a_key_is_used_by_no_other_chapter():
    figures = {path.stem for path in (ROOT / "vae_lib" / "live").glob("*.js")} - {"quiz"}
    for path in [*(ROOT / "vae_lib").rglob("*.py"), *(ROOT / "vae_lib").rglob("*.js")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.match(r"\s*(import|from)\b", line) and path.name != "__init__.py":
                named = figures & set(re.findall(r"\w+", line)) - {path.stem}
                others = set(re.findall(r"\b(?:chapter|project)_\d+", line)) - {path.parent.name}
                assert not named and not others, f"{path.name}: {line}"
    for path in (ROOT / "chapters").glob("*.ipynb"):
        number = {"project_1": "I", "project_2": "II"}.get(path.stem) or str(int(path.name[:2]))
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        used = re.findall(r'\bcheck\(\s*"(\d+|[IVX]+)\.|\bquiz\(\s*"(\d+)"', code)
        assert {a or b for a, b in used} <= {number}, path.name


def test_prose_and_stored_outputs_change_without_a_run_and_are_judged_anew(book):
    assert book.ask().findings["outputs"], "no output is stored yet"
    notebook = nbformat.read(book.chapter, as_version=4)
    notebook.cells[0].outputs = [new_output("stream", name="stdout", text="1\n")]
    notebook.cells[1].source = "It was 7<!-- =count:d --> yesterday."
    nbformat.write(notebook, book.chapter)
    known = book.ask()
    assert len(book.runs) == 1 and not known.findings["outputs"]
    assert "the run gives 1" in known.findings["prose"][0]["problem"]
    executed = nbformat.read(book.folder / "01_a.ipynb", as_version=4)
    assert executed.cells[1].source.endswith("yesterday.") and executed.cells[0].outputs
    assert json.loads((book.folder / "01_a.json").read_text())["findings"] == known.findings
    notebook.cells[1].source = "It was 7<!-- =count + 1:d --> yesterday."
    nbformat.write(notebook, book.chapter)
    book.ask()
    assert len(book.runs) == 2, "another expression has to be asked of a kernel"


def test_a_run_that_fails_replaces_nothing_and_is_not_published(book):
    book.ask()
    good = (book.folder / "01_a.ipynb").read_text(), (book.folder / "01_a.json").read_text()
    (book.library / "models.py").write_text("b")
    for _ in range(2):
        book.outcome = "Kernel died"
        assert book.ask().failed
        assert not build.run_chapters(book.root, book.folder, jobs=1, dataset="")
    after = (book.folder / "01_a.ipynb").read_text(), (book.folder / "01_a.json").read_text()
    assert after == good
    (book.library / "models.py").write_text("a")
    book.outcome = "good"
    assert not book.ask().ran_now, "the sources of the good run are back, and so is the run"


@pytest.mark.parametrize("part", ["01_a.json", "01_a.ipynb"])
@pytest.mark.parametrize("damage", ["empty", "half", "gone", "another", "folder"])
def test_half_a_record_is_as_good_as_none(book, part, damage):
    book.ask()
    path = book.folder / part
    text = path.read_text()
    path.unlink()
    if damage == "folder":
        path.mkdir()
        path.rmdir()
    elif damage != "gone":
        half = {"empty": "", "half": text[: len(text) // 2], "another": '{"key": 1, "cells": []}'}
        path.write_text(half[damage])
    assert "01_a" in book.stale()
    assert book.ask().ran_now and len(book.runs) == 2
    assert not book.ask().ran_now


def test_a_kill_between_the_copy_and_its_record_leaves_no_pair_that_does_not_fit(book, monkeypatch):
    book.ask()
    (book.library / "models.py").write_text("b")
    real, written = os.replace, []

    def killed(source, target):
        if written:
            raise SystemExit("killed")
        written.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(SystemExit):
        book.ask()
    monkeypatch.setattr(os, "replace", real)
    for content in ("a", "b"):
        (book.library / "models.py").write_text(content)
        assert records.read_record(book.folder, "01_a") == {} or book.ask().ran_now


def test_of_two_who_want_a_chapter_one_runs_it_and_the_other_waits(book):
    started, outcomes = threading.Event(), []
    run = book.run

    def slow(*arguments, **named):
        started.set()
        time.sleep(0.2)
        return run(*arguments, **named)

    execution.run = slow
    workers = [threading.Thread(target=lambda: outcomes.append(book.ask())) for _ in range(2)]
    workers[0].start()
    started.wait(5)
    workers[1].start()
    for worker in workers:
        worker.join(20)
    assert len(book.runs) == 1
    assert sorted(known.ran_now for known in outcomes) == [False, True]


# The build around it


def test_a_second_build_says_so_and_waits(tmp_path):
    write_chapter(tmp_path / "chapters" / "01_a.ipynb", new_code_cell("1 / 0"))
    (tmp_path / "_build").mkdir()
    lock = FileLock(tmp_path / "_build" / ".building.lock")
    lock.acquire()
    command = [sys.executable, BUILD, "--root", tmp_path]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, **pipes) as second:
        assert "Another build is at work" in second.stdout.readline()
        lock.release()
        rest = second.stdout.read()
    assert "chapters: 1 to run" in rest and "Traceback" not in rest


def small_site(tmp_path):
    """A book for `build_site`, with the configuration's two files and a page, and nothing run."""
    for name in staging.STAGED_FILES:
        (tmp_path / name).write_text("title: A\n")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.md").write_text("# A\n")
    (tmp_path / "chapters").mkdir()
    (tmp_path / "vae_lib").mkdir()
    (tmp_path / "_build" / "executed").mkdir(parents=True)
    return tmp_path, tmp_path / "_build"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A small book, and a count of how often Jupyter Book was asked to build it."""
    root, built = small_site(tmp_path)
    asked = []

    def jupyter_book(source, output):
        asked.append(source)
        html = output / "_build" / "html"
        html.mkdir(parents=True)
        for name in ("index.html", "intro.html"):
            (html / name).write_text(f"{name} {len(asked)}")
        return "it failed" if (root / "book" / "wrong.md").exists() else None

    monkeypatch.setattr(staging, "jupyter_book", jupyter_book)
    return root, built, asked


def test_the_site_is_built_again_when_a_source_has_changed_or_a_page_is_gone(site):
    root, built, asked = site
    for _ in range(2):
        assert staging.build_site(root, built) is None
    assert len(asked) == 1
    (built / "html" / "intro.html").unlink()
    staging.build_site(root, built)
    assert len(asked) == 2 and (built / "html" / "intro.html").exists()
    (built / "html" / "intro.html").write_text("")
    staging.build_site(root, built)
    for name in ("a.py", "live.css", "frame.js"):
        (root / "vae_lib" / name).write_text("b")
        staging.build_site(root, built)
    assert len(asked) == 6
    assert sorted(path.name for path in built.iterdir()) == [
        "executed", "html", "site.json", "source"
    ]  # fmt: skip


def test_a_site_that_cannot_be_built_leaves_the_old_one_to_read(site):
    root, built, _ = site
    staging.build_site(root, built)
    (root / "book" / "wrong.md").write_text("# B\n")
    assert staging.build_site(root, built) == "it failed"
    assert (built / "html" / "intro.html").read_text() == "intro.html 1"
    assert staging.build_site(root, built) == "it failed", "and is not taken for a good one"


def test_what_an_interrupted_build_left_is_cleared(site):
    root, built, _ = site
    (built / "source" / "chapters" / "deep").mkdir(parents=True)
    (built / "next" / "_build" / "html").mkdir(parents=True)
    (built / "old").write_text("a file in a folder's place")
    assert staging.build_site(root, built) is None
    assert not (built / "source" / "chapters" / "deep").exists()


def test_a_taken_port_is_a_sentence_and_no_traceback(tmp_path, capsys):
    first = serve.listen(tmp_path, 0)
    try:
        port = first.server_port
        assert serve.listen(tmp_path, port) is None
        assert f"make serve PORT={port + 1}" in capsys.readouterr().err
    finally:
        first.server_close()


def test_the_old_site_is_served_while_a_new_one_is_built(site):
    root, built, _ = site
    staging.build_site(root, built)
    server = serve.listen(built / "html", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen = []
    real = staging.jupyter_book

    def watched(source, output):
        seen.append(page(server))
        return real(source, output)

    staging.jupyter_book = watched
    (root / "book" / "intro.md").write_text("# B\n")
    try:
        staging.build_site(root, built)
        assert seen == [b"intro.html 1"] and page(server) == b"intro.html 2"
    finally:
        server.shutdown()
        server.server_close()


def page(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("GET", "/intro.html")
    answer = connection.getresponse().read()
    connection.close()
    return answer


def test_a_source_that_goes_is_a_change(tmp_path):
    root, _ = small_site(tmp_path)
    (root / "book" / "faq.md").write_text("# B\n")
    before = serve.changes(root)
    (root / "book" / "__pycache__").mkdir()
    (root / "book" / "__pycache__" / "a.pyc").write_text("")
    assert serve.changes(root) == before
    (root / "book" / "faq.md").unlink()
    assert serve.changes(root) != before


def test_a_build_that_is_killed_leaves_no_kernel_behind(tmp_path):
    beat = tmp_path / "beat"
    source = (
        f"import time\nwhile True:\n    open({str(beat)!r}, 'a').write('.')\n    time.sleep(0.05)"
    )
    write_chapter(tmp_path / "chapters" / "01_a.ipynb", new_code_cell(source))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, BUILD, "--root", tmp_path], **quiet) as running:
        assert within(60, beat.exists)
        running.kill()
    sizes = [beat.stat().st_size]

    def still():
        time.sleep(0.3)
        sizes.append(beat.stat().st_size)
        return sizes[-1] == sizes[-2]

    assert within(30, still), "the kernel goes on"
    assert list((tmp_path / "_build" / "executed").glob("*.ipynb")) == []


def within(seconds, happened):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.05)
    return False
