"""A release: one version everywhere, and a tag that installs the library a chapter came with."""

import datetime
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import nbformat
import publishing
import pytest
import reading
import release
import staging
import yaml

ROOT = Path(__file__).resolve().parents[1]


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A checkout of what a release writes to, with two chapters, whose tests have passed."""
    book = tmp_path / "checkout"
    for name in (*release.PLACES, "_config.yml", ".gitignore"):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, book / name)
    (book / "chapters").mkdir()
    for chapter in sorted((ROOT / "chapters").glob("*.ipynb"))[:2]:
        shutil.copy2(chapter, book / "chapters")
    for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(variable, "A")
    for variable in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "a@example.org")
    git(book, "init", "--quiet", "--initial-branch=main")
    git(book, "add", "--all")
    git(book, "commit", "--quiet", "-m", "All")
    release.note_tested(book)
    return book


def test_the_version_is_the_same_everywhere():
    versions = list(release.standing(ROOT))
    assert {version for _, version in versions} == {release.version_of(ROOT)}
    chapters = {f"chapters/{path.name}" for path in (ROOT / "chapters").glob("*.ipynb")}
    assert {name for name, _ in versions} == {*release.PLACES, *chapters}


@pytest.mark.parametrize("name", ["README.md", "CITATION.cff", "chapters/01_autoencoder.ipynb"])
def test_a_version_that_lags_behind_is_seen(book, name):
    now = release.version_of(book)
    path = book / name
    path.write_text(re.sub(rf"(?<=v){now}|(?<=version: ){now}", "0.0.1", path.read_text()))
    assert "0.0.1" in {version for where, version in release.standing(book) if where == name}


def test_a_release_writes_its_version_everywhere_commits_and_tags(book):
    before = {path.name: nbformat.read(path, 4) for path in (book / "chapters").iterdir()}
    assert release.release(book, "12.0.3") is None
    assert {version for _, version in release.standing(book)} == {"12.0.3"}
    assert release.is_clean(book)
    assert git(book, "log", "-1", "--format=%s").strip() == "Version 12.0.3"
    assert git(book, "cat-file", "-t", "v12.0.3").strip() == "tag"
    citation = yaml.safe_load((book / "CITATION.cff").read_text())
    assert citation["date-released"] == datetime.date.today()
    for path in (book / "chapters").iterdir():
        after = nbformat.read(path, 4)
        nbformat.validate(after)
        assert after.cells[1:] == before[path.name].cells[1:]
        assert after.cells[0].id == before[path.name].cells[0].id
    changed = git(book, "show", "--numstat", "--format=", "HEAD").splitlines()
    assert all(int(line.split()[0]) <= 3 for line in changed), changed


def test_a_chapter_of_the_tag_installs_the_library_of_the_tag(book, tmp_path):
    release.release(book, "12.0.3")
    (book / "README.md").write_text("work that goes on\n")
    git(book, "commit", "--quiet", "--all", "-m", "More")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch", "v12.0.3", str(book), str(clone))
    address = yaml.safe_load((clone / "_config.yml").read_text())["repository"]["url"]
    tag = git(clone, "describe", "--tags", "--exact-match").strip()
    assert tag == f"v{release.version_of(clone)}"
    for chapter in (clone / "chapters").iterdir():
        asked = re.search(r'vae-lib @ git\+(\S+)@(\S+)"', nbformat.read(chapter, 4).cells[0].source)
        assert asked.groups() == (address, tag)
    assert f"/blob/{tag}/chapters/" in (clone / "README.md").read_text()


def test_the_first_release_is_of_the_version_that_stands_there(book):
    now = release.version_of(book)
    assert release.release(book, now) is None
    assert "there already" in release.release(book, now)


@pytest.mark.parametrize("version", ["v0.2.0", "0.2", "1.2.3.4", "0.2.0 ", "", "one"])
def test_what_is_no_version_is_refused(book, version):
    assert "expected a version such as" in release.release(book, version)


def test_an_earlier_version_is_refused(book):
    assert "comes before" in release.release(book, "0.0.9")


@pytest.mark.parametrize("name", ["README.md", "new.txt"])
def test_a_tree_that_is_not_clean_is_refused(book, name):
    (book / name).write_text("changed")
    assert "not committed" in release.release(book, "12.0.3")
    assert release.version_of(book) != "12.0.3"
    assert git(book, "tag") == ""


def test_a_commit_on_which_the_tests_have_not_passed_is_refused(book):
    (book / "README.md").write_text((book / "README.md").read_text() + "\nMore.\n")
    git(book, "commit", "--quiet", "--all", "-m", "More")
    assert "run `make test`" in release.release(book, "12.0.3")
    release.note_tested(book)
    assert release.release(book, "12.0.3") is None


@pytest.mark.parametrize("record", ["", "{}", "[]", json.dumps({"tree": "0" * 40})])
def test_a_damaged_record_of_the_tests_is_as_good_as_none(book, record):
    (book / release.TESTED).write_text(record)
    assert "run `make test`" in release.release(book, "12.0.3")


def test_tests_on_what_is_not_committed_count_for_nothing(book):
    (book / release.TESTED).unlink()
    (book / "README.md").write_text("changed")
    release.note_tested(book)
    assert not (book / release.TESTED).exists()


def test_where_git_refuses_everything_is_put_back(book):
    hook = book / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    now = release.version_of(book)
    assert "git would not commit" in release.release(book, "12.0.3")
    assert release.is_clean(book) and release.version_of(book) == now
    assert git(book, "tag") == ""


def test_what_publishes_a_tag_sees_whether_it_is_that_release(book):
    now = release.version_of(book)
    assert "not at this commit" in release.check(book, f"v{now}")
    assert "pyproject.toml says" in release.check(book, "v12.0.3")
    release.release(book, "12.0.3")
    assert release.check(book, "v12.0.3") is None
    git(book, "tag", "v13.0.0")  # by hand, over what asks for another
    said = release.check(book, "v13.0.0")
    assert "chapters/01_autoencoder.ipynb says 12.0.3" in said


# The site of a release


def opened_at(book, tmp_path):
    """Where the site that is built from a folder opens its notebooks; nothing for the branch."""
    (book / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    (book / "book").mkdir(exist_ok=True)
    (book / "book" / "claims.md").write_text("# Claims\n")
    for name in ("_toc.yml", "book"):
        git(book, "add", name)
    staged = tmp_path / "staged"
    tag = release.release_tag(book)
    staging.stage(book, book / "chapters", staged)
    config = yaml.safe_load((staged / "_config.yml").read_text())
    assert config["repository"]["branch"] == "main"  # where edits go
    assert config["sphinx"]["config"].get("notebooks_ref", "") == tag
    return tag


def test_the_site_of_a_release_opens_its_notebooks_and_another_those_of_the_branch(book, tmp_path):
    opened_at(book, tmp_path)
    git(book, "commit", "--quiet", "--all", "-m", "Pages")
    release.note_tested(book)
    assert opened_at(book, tmp_path) == ""
    release.release(book, "12.0.3")
    assert opened_at(book, tmp_path) == "v12.0.3"
    (book / "README.md").write_text("work that goes on\n")
    assert opened_at(book, tmp_path) == ""
    git(book, "commit", "--quiet", "--all", "-m", "More")
    assert opened_at(book, tmp_path) == ""


@pytest.mark.parametrize(("ref", "opened"), [("", "main"), ("v12.0.3", "v12.0.3")])
def test_every_button_of_a_page_opens_the_same_notebook(ref, opened):
    theme = {"repository_url": "https://github.com/main/main", "repository_branch": "main"}
    app = SimpleNamespace(config=SimpleNamespace(notebooks_ref=ref, html_theme_options=theme))
    colab = "https://colab.research.google.com/github/main/main/blob/{}/main/main.ipynb"
    binder = "https://mybinder.org/v2/gh/main/main/{}?urlpath=lab/tree/main/main.ipynb"
    buttons = [{"text": "", "url": address.format("main")} for address in (colab, binder)]
    edit = {"label": "edit", "url": "https://github.com/main/main/edit/main/main/main.ipynb"}
    groups = [{"label": "launch-buttons", "buttons": buttons}, dict(edit)]
    publishing.open_notebooks_at_ref(app, "", "", {"header_buttons": groups}, None)
    assert [button["url"] for button in buttons] == [colab.format(opened), binder.format(opened)]
    assert groups[1] == edit
    assert reading.links_to_notebook(app, "main/main")[0] == colab.format(opened)
