"""A fork: one command gives it its own address, and nothing of the old one is left."""

import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
import set_repository

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = set_repository.repository(ROOT)
OWNER, NAME = set_repository.parse(ADDRESS)
NEW = "https://github.com/Some-One/my.fork"


@pytest.fixture(scope="module")
def everything():
    """Every file of the book, with its content."""
    return {path.relative_to(ROOT): path.read_bytes() for path in set_repository.own_files(ROOT)}


@pytest.fixture
def copy(everything, tmp_path):
    """The whole book, in a folder that is no git checkout."""
    for path, content in everything.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def texts(folder):
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(folder).parts:
            yield path, path.read_bytes().decode("utf-8", "ignore")


# The old address in every form, and what of it is somebody else's.
TRACE = re.compile(
    rf"{re.escape(OWNER)}/{re.escape(NAME)}(?![\w-])|{re.escape(OWNER)}\.github\.io"
    rf"|(?:cd|conda activate|^name:) {re.escape(NAME)}\b",
    re.IGNORECASE | re.MULTILINE,
)


def test_no_trace_of_the_old_address_is_left(copy):
    forms = f"""
git clone {ADDRESS}.git
    cd {NAME} && make book
git@github.com:{OWNER}/{NAME}.git
<https://{OWNER}.github.io/{NAME}/chapters/01_autoencoder.html>
https://raw.githubusercontent.com/{OWNER}/{NAME}/main/README.md
https://mybinder.org/v2/gh/{OWNER}/{NAME}/v0.1.0?urlpath=lab
https://nbviewer.org/github/{OWNER}/{NAME}/blob/main/chapters
https://api.github.com/repos/{OWNER}/{NAME}/issues
HTTP://GITHUB.COM/{OWNER.upper()}/{NAME.upper()}
if: github.repository == '{OWNER}/{NAME}'
conda activate {NAME}
"""
    workflows = copy / ".github" / "workflows"
    workflows.mkdir(parents=True, exist_ok=True)
    for place in (copy / "CONTRIBUTING.md", workflows / "one_more.yml", copy / ".ci" / "notes"):
        place.write_text(forms)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(forms)])
    nbformat.write(notebook, copy / "chapters" / "99_forms.ipynb")
    set_repository.set_repository(copy, NEW + "/")
    assert set_repository.repository(copy) == NEW
    for path, text in texts(copy):
        alone = re.search(rf"(?<![\w-]){re.escape(NAME)}(?![\w-])", text)
        assert alone is None or "-" not in NAME, f"{path} still says {NAME}"  # "vae" is a word
    left = {str(path): TRACE.findall(text) for path, text in texts(copy) if TRACE.search(text)}
    assert left == {}
    now = (copy / "CONTRIBUTING.md").read_text()
    assert "cd my.fork && make book\n" in now and "git@github.com:Some-One/my.fork.git\n" in now
    assert "<https://some-one.github.io/my.fork/chapters/01_autoencoder.html>" in now
    assert "github.repository == 'Some-One/my.fork'" in now
    assert "mybinder.org/v2/gh/Some-One/my.fork/v0.1.0?urlpath=lab" in now
    assert set_repository.set_repository(copy, NEW) == []


def test_nothing_else_is_changed(copy, everything):
    changed = {path.relative_to(copy) for path in set_repository.set_repository(copy, NEW)}
    named = {Path(name) for name in ("README.md", "_config.yml", "environment.yml")}
    assert named < changed
    for path, content in everything.items():
        now = (copy / path).read_bytes()
        assert (now != content) == (path in changed)
        assert now.count(b"\n") == content.count(b"\n")
    for chapter in sorted((copy / "chapters").glob("*.ipynb")):
        before, after = (nbformat.read(p / "chapters" / chapter.name, 4) for p in (ROOT, copy))
        nbformat.validate(after)
        assert after.cells[1:] == before.cells[1:]
        assert f"git+{NEW}@v" in after.cells[0].source


def test_there_and_back_is_where_it_began(copy, everything):
    (copy / "tests" / Path(__file__).name).unlink()  # which names the new one
    set_repository.set_repository(copy, NEW)
    set_repository.set_repository(copy, ADDRESS)
    for path, content in everything.items():
        assert not (copy / path).exists() or (copy / path).read_bytes() == content, path


def test_in_a_checkout_what_git_does_not_see_is_left_alone(tmp_path):
    shutil.copy2(ROOT / "_config.yml", tmp_path)
    shutil.copy2(ROOT / ".gitignore", tmp_path)
    mine = tmp_path / "my_answers" / "01.ipynb"
    mine.parent.mkdir()
    mine.write_text(ADDRESS)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    changed = set_repository.set_repository(tmp_path, NEW)
    assert changed == [tmp_path / "_config.yml"]
    assert mine.read_text() == ADDRESS


def test_a_longer_name_and_other_uses_of_the_words_are_left_alone(tmp_path):
    shutil.copy2(ROOT / "_config.yml", tmp_path)
    others = f"{ADDRESS}-solutions {ADDRESS}.old cd {NAME}-2 the {NAME} itself {OWNER}/other\n"
    ours = "{0}.git {0}/issues {0}. {0}, ({0})\n"
    (tmp_path / "README.md").write_text(others + ours.format(ADDRESS))
    set_repository.set_repository(tmp_path, NEW)
    assert (tmp_path / "README.md").read_text() == others + ours.format(NEW)


def test_line_ends_and_pictures_stay_as_they_are(tmp_path):
    shutil.copy2(ROOT / "_config.yml", tmp_path)
    (tmp_path / "windows.md").write_bytes(f"{ADDRESS}\r\nnext\r\n".encode())
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff" + ADDRESS.encode())
    set_repository.set_repository(tmp_path, NEW)
    assert (tmp_path / "windows.md").read_bytes() == f"{NEW}\r\nnext\r\n".encode()
    assert ADDRESS.encode() in (tmp_path / "picture.png").read_bytes()


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/Some-One/my.fork",
        "https://github.com/Some-One/my.fork/",
        "https://github.com/Some-One/my.fork.git",
        "http://github.com/Some-One/my.fork",
        "https://www.github.com/Some-One/my.fork",
        "git@github.com:Some-One/my.fork.git",
        "git@github.com:Some-One/my.fork",
        "ssh://git@github.com/Some-One/my.fork.git",
        "github.com/Some-One/my.fork",
        " https://github.com/Some-One/my.fork\n",
    ],
)
def test_an_address_is_taken_as_it_is_offered_for_cloning(tmp_path, address):
    shutil.copy2(ROOT / "_config.yml", tmp_path)
    set_repository.set_repository(tmp_path, address)
    assert set_repository.repository(tmp_path) == NEW


@pytest.mark.parametrize(
    "address",
    [
        "you/fork",
        "https://example.org/you/fork",
        "https://gitlab.com/you/fork",
        "git@gitlab.com:you/fork.git",
        "https://github.com/you",
        "https://github.com/you/fork/tree/main",
        "https://github.com.example.org/you/fork",
        "https://github.com/you/..",
        "",
    ],
)
def test_an_address_that_colab_could_not_open_is_refused_in_a_sentence(tmp_path, address):
    shutil.copy2(ROOT / "_config.yml", tmp_path)
    before = (tmp_path / "_config.yml").read_bytes()
    with pytest.raises(ValueError, match=r"expected an address such as .* has to be on GitHub"):
        set_repository.set_repository(tmp_path, address)
    assert (tmp_path / "_config.yml").read_bytes() == before


@pytest.mark.parametrize(("given", "status"), [([], 2), (["--help"], 2), (["git@x:y/z"], 1)])
def test_the_command_says_what_it_takes(capsys, given, status):
    assert set_repository.main(given) == status
    assert "https://github.com/you/fork" in capsys.readouterr().err
