"""A made-up class: notebooks that were handed in, right, wrong, and hostile.

Each is made from a chapter of the book, so that what is graded is what a learner hands in.
"""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
STUB = re.compile(r"# (?:Exercise|Fill-in) ((?:\d+|[IVX]+)\.\w+)")
SUMMARY = re.compile(r"<summary>Solution (\S+)</summary>")
FENCE = re.compile(r"```python\n(.+?)\n```", re.DOTALL)
CHAPTER = "02_probabilistic_encoder"

# What learners write in the place of the solution, by exercise.
WRONG = {
    "2.a": "def standard_deviation(log_var):\n    return log_var.exp()",
    "2.b": "def kl_divergence(log_q, log_p):\n    return 0.0",
    "2.1": "def log_density(z, mu, log_var):\n    return -((z - mu) ** 2).sum(-1)",
    "2.2": "def draw_codes(mu, log_var, eps):\n    return mu + log_var.exp() * eps",
    "2.3": "def encoder_head(output):\n    return td.Normal(*output.chunk(2, dim=-1))",
    "2.4": "def overlap_of(mu_a, log_var_a, mu_b, log_var_b):\n    return mu_a.sum(-1)",
}

FORK_BOMB = """
import os
def standard_deviation(log_var):
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""
TWENTY_GIBIBYTES = """
def standard_deviation(log_var):
    held = [bytearray(2**28) for _ in range(80)]
    for block in held:
        block[::4096] = b"x" * len(block[::4096])
    return torch.exp(0.5 * log_var)
"""
DELETES = """
import os, shutil
for folder in ({folder!r}, {root!r}, os.path.expanduser("~"), os.getcwd(), "/"):
    shutil.rmtree(folder, ignore_errors=True)
def standard_deviation(log_var):
    return log_var
"""
PATCHES = """
import sys
import torch
import vae_lib.exercises
import vae_lib.exercises.judging as judging
from vae_lib.exercises import Verdict
for place in (judging, vae_lib.exercises):
    place.judge = place.verdict = lambda *a: Verdict("2.a", "correct")
judging._compared = lambda *a, **k: Verdict("2.a", "correct")
torch.allclose = torch.equal = lambda *a, **k: True
torch.isclose = lambda a, b, *r: torch.ones_like(a, dtype=torch.bool)
class Same(torch.Tensor):
    def __eq__(self, other):
        return True
def standard_deviation(log_var):
    return log_var.as_subclass(Same)
"""
MARKUP = """
print("<script>alert(1)</script>")
class Evil(Exception):
    pass
Evil.__name__ = "=HYPERLINK<img src=x onerror=alert(2)>"
def standard_deviation(log_var):
    print("<script>alert(3)</script>" * 100_000)
    raise Evil("</td><script>alert(4)</script>\\x1b[31m\\n=cmd|' /C calc'!A0")
"""
NEVER_ENDS = """
def standard_deviation(log_var):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""


def can_lock():
    """Whether the system has what answers are locked in by, asked of a program that is not ours.

    The continuous build has to have it, and its tests fail where it has not.
    """
    if os.environ.get("CI") and sys.platform == "linux":
        return True
    kinds = ("--user", "--map-root-user", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork")
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, *kinds, "true"]).returncode == 0


def chapter(name=CHAPTER):
    return nbformat.read(CHAPTERS / f"{name}.ipynb", as_version=4)


def solutions(notebook):
    """The printed solutions, by exercise."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (summary := SUMMARY.search(cell.source)):
            found[summary[1]] = FENCE.search(cell.source)[1]
    return found


def filled_in(notebook, answers):
    """A copy of a notebook in which some stubs have been filled in, each under its own comment."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        stub = STUB.match(cell.source) if cell.cell_type == "code" else None
        if stub and stub[1] in answers:
            cell.source = f"{stub[0]}\n{answers[stub[1]]}"
    return notebook


def answered(answers, name=CHAPTER):
    """A chapter in which some stubs have been filled in."""
    return filled_in(chapter(name), answers)


def all_right(name=CHAPTER):
    return answered(solutions(chapter(name)), name)


def with_the_rest_right(answer):
    """One hostile answer, in the first fill-in, among right ones."""
    return answered(solutions(chapter()) | {"2.a": answer})


def hand_in_a_class(folder):
    """Twelve hand-ins, six of which attack; returns what is to be known of them afterwards."""
    known = {"folder": str(folder), "root": str(CHAPTERS.parent)}
    right = solutions(chapter())
    mixed = {"2.a": right["2.a"], "2.1": WRONG["2.1"], "2.3": right["2.3"]}
    broken = right | {"2.2": "def draw_codes(mu, log_var, eps)\n    return mu"}
    notebooks = {
        "anna": all_right(),
        "ben": answered(WRONG),
        "chris": answered(mixed),
        "dora": chapter(),
        "emil": answered(broken),
        "fork": with_the_rest_right(FORK_BOMB),
        "gib": with_the_rest_right(TWENTY_GIBIBYTES),
        "hack": with_the_rest_right(DELETES.format(**known)),
        "ida": with_the_rest_right(PATCHES),
        "jan": with_the_rest_right(MARKUP),
        "kim": with_the_rest_right(NEVER_ENDS),
    }
    for name, notebook in notebooks.items():
        (folder / name).mkdir()
        nbformat.write(notebook, folder / name / f"{CHAPTER}.ipynb")
    (folder / "lea.ipynb").write_text("An essay, not a notebook.")
    return right


def one_cell(source):
    """A notebook of one code cell, as text."""
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
