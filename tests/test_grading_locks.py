"""Every lock on an answer is tried from inside; what one hand-in does reaches no other."""

import argparse
import os
import re
import shutil
import textwrap
import time
from pathlib import Path

import grade
import pytest
from grading import classroom, isolation
from grading.errors import Gone, is_of_an_answer
from grading.handins import HandIn
from grading.isolation import PROBES, Isolation, missing_protections
from grading.judging import Task
from handed_in import can_lock, one_cell

import vae_lib

pytestmark = [
    pytest.mark.grading,
    pytest.mark.skipif(not can_lock(), reason="this system has no namespaces to lock answers in"),
]


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    made = Isolation(tmp_path_factory.mktemp("work"))
    made.prepare()
    return made


@pytest.fixture(scope="module")
def started():
    processes = []
    yield processes
    for process in processes:
        process.end()


@pytest.fixture
def answers(locked, started):
    """A process of answers: the last one, if that goes on, since one takes seconds to begin."""
    if not started or started[-1].busy or started[-1].has_ended():
        started.append(locked.start(1, 60))
    return started[-1]


def ask(answers, body, *arguments):
    """What a function of that body returns in the process of the answers."""
    cell = "def f(*given):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    return answers.load([cell], [True], "0.0", "f", seconds=30)(*arguments)


# What the command tries out before it grades


def test_all_that_is_forbidden_is_refused(locked):
    assert missing_protections(locked) == []


def test_where_nothing_is_locked_every_attempt_succeeds(tmp_path):
    """Or an attempt that fails for another reason would pass for a lock."""
    Isolation(tmp_path).prepare()
    library = tmp_path / "library"
    shutil.copytree(Path(vae_lib.__file__).parent, library / "vae_lib", dirs_exist_ok=True)
    program = library / "grading" / "answers_side.py"
    locked, n = re.subn(r"^    enter\(settings\)\n", "", program.read_text("utf-8"), flags=re.M)
    assert n == 1
    program.write_text(locked, encoding="utf-8")
    assert missing_protections(Isolation(tmp_path)) == list(PROBES)


# Limits, each met by whoever goes beyond it

BEYOND = {
    "memory": "return float(len(bytearray(3 * 2**30)))",
    "a file": "return float(open('large', 'wb').write(bytes(20 * 2**20)))",
    "the scratch folder": """
        for i in range(8):
            open(f"part {i}", "wb").write(bytes(12 * 2**20))
        return 1.0""",
    "open files": "return float(len([open('/dev/null') for _ in range(100)]))",
    "files": """
        for i in range(5000):
            open(f"file {i}", "w").close()
        return 1.0""",
    "processes": """
        import threading, time
        for _ in range(20):
            threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
        return 1.0""",
}


@pytest.mark.parametrize("what", BEYOND)
def test_there_is_a_limit_to(answers, what):
    with pytest.raises(Exception) as met:
        ask(answers, BEYOND[what])
    assert is_of_an_answer(met.value), met.value


def test_time_on_the_processor_is_counted_by_the_system(locked):
    answers = locked.start(1, 3)
    try:
        with pytest.raises(Gone):
            ask(answers, "while True: pass")
        assert not answers.late, "the clock had to end it"
    finally:
        answers.end()


@pytest.mark.parametrize("where", ["in a call", "before it"])
def test_what_never_ends_is_ended_by_the_clock(answers, where):
    begun = time.monotonic()
    with pytest.raises(Gone):
        if where == "in a call":
            answers.longest = 1.0
            ask(answers, "import time\ntime.sleep(60)")
        else:
            cell = "import time\nx = time.sleep(60)\ndef f():\n    return x"
            answers.load([cell], [True], "0.0", "f", seconds=1.0)
    assert answers.late and time.monotonic() - begun < 30


# Who an answer is, and what it sees


def users_of(answers):
    """As the system counts them, of the processes that the first one has started."""
    first = answers._process.pid
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    status = [Path(f"/proc/{child}/status").read_text() for child in children]
    return [set(re.search(r"^Uid:(.*)$", text, re.MULTILINE)[1].split()) for text in status]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give others' names away")
def test_each_hand_in_is_a_user_of_its_own_and_none_is_root(locked):
    found = []
    for number in (1, 2):
        answers = locked.start(number, 60)
        (user,) = users_of(answers)
        answers.end()
        found.append(user)
    assert "0" not in found[0] | found[1]
    assert len(found[0]) == len(found[1]) == 1 and found[0] != found[1]


def test_the_whole_library_is_out_of_sight_where_it_is_installed(tmp_path, monkeypatch):
    packages = tmp_path / "site-packages"
    (packages / "vae_lib").mkdir(parents=True)
    for name in ("vae_lib/oracle.py", "other.py"):
        (packages / name).write_text("X = 1.0")
    known = isolation._packages()
    monkeypatch.setattr(isolation, "_packages", lambda: [*known, str(packages)])
    made = Isolation(tmp_path / "work")
    made.work.mkdir()
    made.prepare()
    answers = made.start(1, 60)
    try:
        read = "return float(len(open({!r}).read()))"
        assert ask(answers, read.format(str(packages / "other.py"))) == 7
        with pytest.raises(Exception, match="No such file"):
            ask(answers, read.format(str(packages / "vae_lib" / "oracle.py")))
    finally:
        answers.end()


# Hand-ins side by side


def verdicts(folder, made, notebooks, seconds=120.0):
    """By student and exercise, of hand-ins of one cell each, judged one after the other."""
    folder.mkdir()
    for student, source in notebooks.items():
        (folder / f"{student}.ipynb").write_text(one_cell(source))
    given = argparse.Namespace(folder=folder, chapters=[], seconds=seconds, jobs=1)
    return {
        result["student"]: {grade["exercise"]: grade for grade in result["grades"]}
        for result in grade.grade(given, made)
    }


MARKS = """
import builtins, os, tempfile
import torch
places = [".", tempfile.gettempdir(), os.environ["HOME"], "/tmp", "/var/tmp", "/dev/shm"]
marks = [os.path.join(place, "mark-of-a-hand-in") for place in places]
# Fill-in 2.a
def standard_deviation(log_var):
"""
LEAVES = """
    for path in marks:
        try:
            open(path, "w").close()
        except OSError:
            pass
    builtins.mark = torch.mark = True
    return (log_var / 2).exp()
"""
LOOKS = """
    seen = [path for path in marks if os.path.exists(path)]
    seen += [module for module in (builtins, torch) if hasattr(module, "mark")]
    return log_var if seen else (log_var / 2).exp()
"""


def test_nothing_that_a_hand_in_leaves_is_met_by_the_next(tmp_path, locked):
    found = verdicts(tmp_path / "in", locked, {"a": MARKS + LEAVES, "b": MARKS + LOOKS})
    assert found["a"]["2.a"]["status"] == found["b"]["2.a"]["status"] == "correct"


FORGES = """
import json, os, struct
# Fill-in 2.a
def standard_deviation(log_var):
    print("Fill-in 2.a: correct.")
    told = {"exercise": "2.a", "status": "correct", "hint": "", "mistake": None}
    told |= {"verdict": told, "grades": [told], "answer": {"value": True}}
    text = json.dumps(told).encode()
    for number in range(64):
        try:
            os.write(number, struct.pack("<QQ", len(text), 0) + text)
        except OSError:
            pass
    return log_var
"""


def test_a_verdict_is_not_to_be_had_by_saying_it(tmp_path, locked):
    found = verdicts(tmp_path / "in", locked, {"a": FORGES, "b": MARKS + LOOKS})
    assert found["a"]["2.a"]["status"] == "wrong"
    assert {grade["status"] for grade in found["a"].values()} == {"wrong", "not attempted"}
    assert found["b"]["2.a"]["status"] == "correct"


def test_a_hand_in_has_so_many_seconds_for_all_of_it(tmp_path, locked):
    slow = "import time\nx = time.sleep(60)\n# Fill-in 2.a\n"
    slow += "def standard_deviation(log_var):\n    return x"
    found = verdicts(tmp_path / "in", locked, {"a": slow, "b": MARKS + LOOKS}, seconds=15.0)
    stopped = re.match(r"Stopped after (\d+) seconds", found["a"]["2.a"]["hint"])
    assert int(stopped[1]) <= 15
    assert found["a"]["2.4"]["status"] == "not graded" and "used up" in found["a"]["2.4"]["hint"]
    assert found["b"]["2.a"]["status"] == "correct"


def test_a_judge_that_fails_costs_its_own_hand_in_alone(monkeypatch):
    def judge(task):
        if task.number == 1:
            raise RuntimeError("a fault of ours")
        if task.number == 2:
            os._exit(1)
        if task.number == 3:
            time.sleep(60)
        return classroom.nothing_known(task, "judged")

    monkeypatch.setattr(classroom, "graded", judge)
    monkeypatch.setattr(classroom, "SLACK", 1.0)
    tasks = [
        Task(HandIn(name, name, Path(name)), number, (), {}, frozenset(), 1.0, None)
        for number, name in enumerate("abcd", start=1)
    ]
    found = {result["student"]: result["problem"] for result in classroom.grade_all(tasks, 2)}
    assert found == {
        "a": "The grader failed on it (RuntimeError). Please report this.",
        "b": "The judge of it has ended. Please report this.",
        "c": "Judging it took longer than it may.",
        "d": "judged",
    }
