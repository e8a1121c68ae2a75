"""The commands: the same with make and without, and what they do to a folder and an environment."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import answers
import dist
import pytest

from book import __main__ as commands

ROOT = Path(__file__).resolve().parents[1]


def without_make(*arguments):
    """What `python -m book` prints, and its exit status."""
    environment = {name: value for name, value in os.environ.items() if name != "MAKELEVEL"}
    command = [sys.executable, "-m", "book", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def by_make(*arguments):
    """What make says; it is not told that `make test` may have started the tests."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFL"))
    }
    done = subprocess.run(["make", *arguments], cwd=ROOT, env=own, capture_output=True, text=True)
    return done.stdout


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


# The same with make and without


def test_make_has_every_command():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony.split() == list(commands.COMMANDS)


@needs_make
def test_make_alone_lists_every_command():
    said = by_make("-s")
    assert re.findall(r"^make (\w+) +\w", said, re.MULTILINE) == list(commands.COMMANDS)


def test_without_make_they_are_listed_as_they_are_called():
    said = without_make().stdout
    assert re.findall(r"^python -m book (\w+) +\w", said, re.MULTILINE) == list(commands.COMMANDS)


@needs_make
@pytest.mark.parametrize(
    ("asked", "handed_on"),
    [
        ("book", "book"),
        ("book DATASET=mnist", "book"),
        ("lab FOLDER=chapters", "lab chapters"),
        ("serve PORT=8001", "serve --port 8001"),
        ("audit SEEDS=3 CHAPTERS=a.ipynb", "audit --seeds 3 a.ipynb"),
        ("fix CHAPTERS=a.ipynb", "fix a.ipynb"),
        ("handout", "handout"),
        ("handout CHAPTERS=02 TO=there", 'handout 02 --to "there"'),
        ("grade FOLDER=in CHAPTERS=02 GRADE=--jobs=2", 'grade "in" --chapters 02 --jobs=2'),
        ("address URL=git@github.com:you/fork.git", "address git@github.com:you/fork.git"),
        ("release VERSION=0.2.0", "release 0.2.0"),
    ],
)
def test_make_hands_its_variables_on(asked, handed_on):
    said = by_make("--dry-run", "PYTHON=python", *asked.split())
    assert said.split() == f"python -m book {handed_on}".split()


@needs_make
def test_make_hands_the_data_set_on_to_every_command(tmp_path):
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@, $VAE_BOOK_DATASET."\n')
    (tmp_path / "python").chmod(0o755)
    for name in ("book", "pdf", "zip"):
        said = by_make(f"PYTHON={tmp_path / 'python'}", name, "DATASET=mnist")
        assert said == f"-m book {name}, mnist.\n"


def test_a_command_that_is_not_there_is_answered_with_those_that_are():
    done = without_make("bok")
    assert done.returncode == 2
    assert "no command 'bok'" in done.stderr and "python -m book book" in done.stdout


def test_the_commands_need_nothing_that_is_not_in_python_and_no_newer_syntax():
    files = [ROOT / "book" / name for name in ("__init__.py", "__main__.py", "processes.py")]
    trees = [ast.parse(path.read_text("utf-8"), feature_version=(3, 8)) for path in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in imported}
    assert names <= {*sys.stdlib_module_names, "book.processes"}


def test_every_program_that_a_command_runs_is_there():
    for _, steps in commands.COMMANDS.values():
        for step in steps:
            if not isinstance(step, str) and step[1] != "-m":
                assert (ROOT / step[1]).is_file(), step[1]


def test_what_follows_a_command_is_handed_on_and_the_first_failure_ends_it(monkeypatch, tmp_path):
    ran = []

    def run(line, **others):
        ran.append(line)
        assert others["env"]["OMP_NUM_THREADS"] and others["env"]["PYTHONUTF8"] == "1"
        return 7 if "mend" in line[1] else 0

    monkeypatch.setattr(commands, "call", run)
    monkeypatch.delenv("PYTHONUTF8", raising=False)
    assert commands.run("fix", tmp_path, "python", ["a.ipynb"]) == 7
    assert ran[-1] == ["python", "book/mend.py", "a.ipynb"]
    assert all("a.ipynb" not in line for line in ran[:-1])
    ran.clear()
    assert commands.run("serve", tmp_path, "python", ["--port", "1"]) == 0
    assert ran == [["python", "book/build.py", "--serve", "--port", "1"]]


def test_with_here_nothing_is_installed(monkeypatch):
    lines = []
    monkeypatch.setattr(commands, "call", lambda line, **_: lines.append(line) or 0)
    monkeypatch.setattr(commands, "install", lambda root: pytest.fail("installs"))
    assert commands.main(["--here", "book"]) == 0
    assert lines == [[sys.executable, "book/build.py"]]


def test_an_old_python_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr(commands.sys, "version_info", (3, 10, 2))
    monkeypatch.setattr(commands, "install", lambda root: pytest.fail("installs"))
    assert commands.main(["book"]) == 1
    said = capsys.readouterr().err
    assert "needs Python 3.11 or newer, but this is 3.10.2" in said


TIDY = """
import sys, time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.6)  # puts away what it has begun
    sys.exit(5)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C in another way")
def test_what_is_interrupted_ends_in_its_own_way():
    """A terminal's Ctrl-C reaches all that runs in it; JupyterLab then asks and stops kernels."""
    outer = f"import processes, sys; sys.exit(processes.call([sys.executable, '-c', {TIDY!r}]))"
    options = {"cwd": ROOT / "book", "stdout": subprocess.PIPE, "start_new_session": True}
    # Whoever started the tests may have had Ctrl-C ignored, as a shell does in the background.
    options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen([sys.executable, "-c", outer], **options) as process:
        assert process.stdout.readline() == b"ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 5


# The environment


@pytest.fixture
def bare(tmp_path):
    """A folder with what is to be installed, and nothing yet."""
    for name in commands.REQUIREMENTS:
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.fixture
def ran(monkeypatch, bare):
    """What is run to install: nothing really, but that a venv gets a Python."""
    lines = []

    def run(line, **_):
        lines.append(line)
        python = commands.python_of(bare / ".venv")
        has_pip = python.exists() and python.read_text() == "whole"
        if "venv" in line:
            python.parent.mkdir(parents=True, exist_ok=True)
            python.write_text("whole")
        return 0 if has_pip or "venv" in line else 1

    monkeypatch.setattr(commands, "call", run)
    monkeypatch.setattr(
        commands, "has_pip", lambda python: python.exists() and python.read_text() == "whole"
    )
    return lines


def test_an_environment_is_made_once(bare, ran):
    assert commands.install(bare) == 0
    assert ran[0][1:] == ["-m", "venv", "--clear", ".venv"]
    assert ran[-1][1:4] == ["-m", "pip", "install"] and commands.EXTRAS in ran[-1]
    ran.clear()
    assert commands.install(bare) == 0 and ran == []


def test_an_environment_whose_making_was_interrupted_is_made_anew(bare, ran):
    """Python is there and pip is not: as a Ctrl-C leaves it."""
    python = commands.python_of(bare / ".venv")
    python.parent.mkdir(parents=True)
    python.write_text("half")
    assert commands.install(bare) == 0
    assert any("--clear" in line for line in ran)


@pytest.mark.parametrize("name", commands.REQUIREMENTS)
def test_a_change_of_what_is_needed_is_installed_into_the_same_environment(bare, ran, name):
    commands.install(bare)
    ran.clear()
    later = (bare / ".venv" / ".ready").stat().st_mtime + 1
    os.utime(bare / name, (later, later))
    assert commands.install(bare) == 0
    assert not any("venv" in line for line in ran) and "install" in ran[-1]


def test_a_failed_installation_is_tried_again(bare, ran, monkeypatch):
    monkeypatch.setattr(commands, "has_pip", lambda python: True)  # and pip fails
    assert commands.install(bare) == 1
    assert not commands.is_ready(bare)


def test_cleaning_leaves_answers_and_data(bare):
    for name in ("_build", ".venv", "my_answers", "data", "vae_lib.egg-info"):
        (bare / name).mkdir()
        (bare / name / "file").write_text("")
    (bare / ".coverage").write_text("")
    commands.clean(bare)
    left = {path.name for path in bare.iterdir()}
    assert left == {"my_answers", "data", *commands.REQUIREMENTS}
    commands.clean(bare)


# A learner's answers


@pytest.fixture
def chapters(tmp_path):
    folder = tmp_path / "chapters"
    folder.mkdir()
    for name in ("01_a.ipynb", "02_b.ipynb"):
        (folder / name).write_text(f"{name} as it was")
    return folder


def contents(folder):
    return {path.name: path.read_text() for path in folder.glob("*.ipynb")}


def test_a_learner_works_on_copies_that_no_update_touches(chapters, tmp_path):
    mine = tmp_path / "my_answers"
    assert answers.lay_out(chapters, mine) == []
    assert contents(mine) == contents(chapters)
    (mine / "01_a.ipynb").write_text("my answer")
    assert contents(chapters)["01_a.ipynb"] == "01_a.ipynb as it was"
    (chapters / "01_a.ipynb").write_text("new")
    (chapters / "03_c.ipynb").write_text("added")
    assert answers.lay_out(chapters, mine) == ["01_a.ipynb"]
    assert contents(mine)["01_a.ipynb"] == "my answer"
    assert contents(mine)["03_c.ipynb"] == "added"


def test_a_chapter_that_changed_can_be_had_beside_ones_own(chapters, tmp_path):
    mine = tmp_path / "my_answers"
    answers.lay_out(chapters, mine)
    (chapters / "01_a.ipynb").write_text("new")
    (mine / "01_a.ipynb").rename(mine / "01_a_mine.ipynb")
    assert answers.lay_out(chapters, mine) == []
    kept = contents(mine)
    assert (kept["01_a.ipynb"], kept["01_a_mine.ipynb"]) == ("new", "01_a.ipynb as it was")


@pytest.mark.parametrize("damage", ["", "[]", "{", None])
def test_answers_are_safe_whatever_became_of_the_record(chapters, tmp_path, damage):
    mine = tmp_path / "my_answers"
    answers.lay_out(chapters, mine)
    (mine / "02_b.ipynb").write_text("my answer")
    record = mine / answers.BEGUN
    record.unlink() if damage is None else record.write_text(damage)
    answers.lay_out(chapters, mine)
    assert contents(mine)["02_b.ipynb"] == "my answer"
    assert set(json.loads(record.read_text())) <= {"01_a.ipynb", "02_b.ipynb"}


def test_git_sees_no_answers():
    asked = ["git", "check-ignore", "-q", f"{answers.FOLDER}/01_autoencoder.ipynb"]
    status = subprocess.run(asked, cwd=ROOT, capture_output=True).returncode
    if status == 128:
        pytest.skip("this is not a git checkout")
    assert status == 0


# The site in one file


def test_the_site_is_packed_whole_and_always_the_same(tmp_path):
    site = tmp_path / "html"
    (site / "chapters").mkdir(parents=True)
    (site / "index.html").write_text("<p>σ</p>", encoding="utf-8")
    (site / "chapters" / "picture.png").write_bytes(b"\x89PNG")
    packed = [tmp_path / "one.zip", tmp_path / "folder" / "two.zip"]
    for output in packed:
        dist.zip_site(site, output)
        os.utime(site / "index.html", (0, 0))
    assert packed[0].read_bytes() == packed[1].read_bytes()
    with zipfile.ZipFile(packed[0]) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    out = tmp_path / "out" / dist.TOP
    files = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert files == {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
