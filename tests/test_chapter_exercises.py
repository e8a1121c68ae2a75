"""The laws that every chapter's exercises obey, read from the notebooks and their modules.

The notebooks hold stub, check and solution; `vae_lib.exercises.chapter_NN` holds the oracles and
the mistakes. A chapter's tests bear its package's name: pytest -k chapter_02.
"""

import ast
import functools
import inspect
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

import matplotlib
import nbformat
import pytest
from exercise_answers import RIGHT, WRONG
from exercise_answers.project_1 import Later

import vae_lib.exercises
from vae_lib.exercises import exercises, judging
from vae_lib.exercises.judging import judge

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
NOTEBOOKS = {f"chapter_{path.name[:2]}": path for path in sorted(CHAPTERS.glob("[0-9]*.ipynb"))}
PROJECTS = {"project_1": "I", "project_2": "II"}  # whose pieces lean on each other
NOTEBOOKS |= {name: CHAPTERS / f"{name}.ipynb" for name in PROJECTS}
MODULES = [
    module.name
    for module in pkgutil.iter_modules(vae_lib.exercises.__path__)
    if module.name.startswith(("chapter_", "project_"))
]

NUMBER = r"(?:\d+|[IVX]+)\.(?:\d+|[a-z])"
STUB = re.compile(rf"# (?:Exercise|Fill-in) ({NUMBER})\b")
CHECK = re.compile(rf'check\("({NUMBER})", (\w+)\)')
SUMMARY = re.compile(rf"<summary>Solution ({NUMBER})</summary>")
SOLUTION = re.compile(
    r'<details class="solution">\n\n'
    rf"<summary>Solution {NUMBER}</summary>\n\n"
    r"\S.+?\n\n"  # prose
    r"```python\n(?P<code>.+?)\n```\n\n"
    r"(?:.+\n\n)?"
    r"</details>",
    re.DOTALL,
)

every_notebook = pytest.mark.parametrize("chapter", NOTEBOOKS)
every_module = pytest.mark.parametrize("chapter", MODULES)


class Part(NamedTuple):
    """One of the three cells of an exercise."""

    kind: str
    id: str
    position: int
    cell: nbformat.NotebookNode


@functools.cache
def cells(chapter):
    return nbformat.read(NOTEBOOKS[chapter], as_version=4).cells


def parts(chapter):
    found = []
    for position, cell in enumerate(cells(chapter)):
        if cell.cell_type == "markdown":
            match, kind = SUMMARY.search(cell.source), "solution"
        elif match := STUB.match(cell.source):
            kind = "stub"
        else:
            match, kind = CHECK.match(cell.source), "check"
        if match:
            found.append(Part(kind, match[1], position, cell))
    return found


def sources(chapter, kind):
    """The cells' sources by id; of a solution, its fence."""
    found = {part.id: part.cell.source for part in parts(chapter) if part.kind == kind}
    if kind == "solution":
        return {id_: SOLUTION.search(source)["code"] for id_, source in found.items()}
    return found


def number_of(chapter):
    return PROJECTS.get(chapter) or str(int(chapter.removeprefix("chapter_")))


def registered(chapter):
    return exercises(number_of(chapter))


def imports(chapter):
    """A namespace after the import cell alone: nothing else of the notebook may be needed."""
    source = next(
        cell.source
        for cell in cells(chapter)
        if cell.cell_type == "code"
        and "remove-cell" not in cell.metadata.get("tags", [])
        and re.search(r"^(?:import|from) ", cell.source, re.MULTILINE)
    )
    namespace = {"__name__": "__main__"}
    exec(source, namespace)
    if chapter in PROJECTS:  # whose pieces are put together with the data that the project gives
        exec(next(c.source for c in cells(chapter) if c.source.startswith("dataset =")), namespace)
    return namespace


@pytest.fixture(autouse=True)
def matplotlib_settings():
    matplotlib.use("Agg")
    with matplotlib.rc_context():
        yield


@pytest.fixture(autouse=True, scope="module")
def references_run_once():
    """What the oracles and the mistakes return is the same for every answer: cases are seeded."""
    known, run = {}, judging._outputs

    def outputs(exercise, reference, **precision):
        key = exercise.id, id(reference), *precision.values()
        if key not in known:
            known[key] = run(exercise, reference, **precision)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "_outputs", outputs)
        yield


def definition(source):
    """The function or the assignment that a stub or a solution ends with."""
    return ast.parse(source).body[-1]


def name(statement):
    return statement.name if isinstance(statement, ast.FunctionDef) else statement.targets[0].id


def is_ellipsis(node):
    return isinstance(node, ast.Constant) and node.value is ...


def test_every_chapter_has_its_exercises_and_no_other_has():
    assert sorted(NOTEBOOKS) == sorted(MODULES)


@every_notebook
def test_an_exercise_is_a_stub_a_check_and_a_solution_in_a_row(chapter):
    found = parts(chapter)
    ids = list(registered(chapter))
    kinds = ("stub", "check", "solution")
    assert [(part.kind, part.id) for part in found] == [
        (kind, id_) for id_ in ids for kind in kinds
    ]
    number = number_of(chapter)
    beside = [id_ for id_ in ids if id_[-1].isalpha()]
    after = ids[len(beside) :]
    assert len(after) >= 3 or number == "0"
    assert beside == [f"{number}.{letter}" for letter in "abcdef"[: len(beside)]]
    assert after == [f"{number}.{i}" for i in range(1, len(after) + 1)]
    for stub, check, solution in zip(found[::3], found[1::3], found[2::3], strict=True):
        assert (check.position, solution.position) == (stub.position + 1, stub.position + 2)


@every_notebook
def test_an_error_in_a_stub_or_a_check_does_not_stop_run_all(chapter):
    for part in parts(chapter):
        if part.kind != "solution":
            assert "raises-exception" in part.cell.metadata.get("tags", []), (part.id, part.kind)


@every_notebook
def test_a_solution_is_folded_and_its_markdown_rendered(chapter):
    for part in parts(chapter):
        if part.kind == "solution":
            assert SOLUTION.fullmatch(part.cell.source.strip()), f"solution {part.id}: blank lines?"


@every_notebook
def test_stub_check_solution_and_oracle_agree_on_the_signature(chapter):
    stubs, solutions = sources(chapter, "stub"), sources(chapter, "solution")
    for id_, exercise in registered(chapter).items():
        stub, solution = definition(stubs[id_]), definition(solutions[id_])
        assert name(stub) == name(solution), id_
        assert CHECK.fullmatch(sources(chapter, "check")[id_])[2] == name(stub), id_
        assert type(stub) is type(solution), id_
        if exercise.cases is None:
            assert is_ellipsis(stub.value), id_
            continue
        assert isinstance(stub.body[-1], ast.Return) and is_ellipsis(stub.body[-1].value), id_
        assert ast.unparse(stub.args) == ast.unparse(solution.args), id_
        parameters = [argument.arg for argument in stub.args.args]
        assert parameters == list(inspect.signature(exercise.oracle).parameters), id_


@every_notebook
def test_the_untouched_notebook_says_not_attempted(chapter, capsys):
    namespace = imports(chapter)
    for id_, source in sources(chapter, "stub").items():
        exec(source, namespace)
        exec(sources(chapter, "check")[id_], namespace)
        assert f" {id_}: not attempted yet." in capsys.readouterr().out


@every_notebook
def test_the_printed_solutions_are_correct(chapter, capsys):
    namespace = imports(chapter)
    for id_, source in sources(chapter, "solution").items():
        namespace = namespace if chapter in PROJECTS else imports(chapter)
        exec(source, namespace)
        exec(sources(chapter, "check")[id_], namespace)
        assert f" {id_}: correct." in capsys.readouterr().out


@every_module
def test_every_mistake_is_recognised_as_itself(chapter):
    """By its outputs alone, hence the outputs of any two mistakes differ on the cases.

    One that is known by its summary in words is made by a learner in WRONG, and tried there.
    """
    for exercise in registered(chapter).values():
        for mistake in exercise.mistakes:
            if exercise.summarise is not None and isinstance(mistake.wrong, str):
                assert mistake.name in {name for name, _ in WRONG[exercise.id]}, mistake.name
                continue
            verdict = judge(exercise, mistake.wrong)
            assert (verdict.status, verdict.mistake, verdict.hint) == (
                "wrong",
                mistake.name,
                mistake.hint,
            ), exercise.id


@every_module
def test_every_exercise_knows_two_mistakes_each_with_a_hint_of_its_own(chapter):
    for exercise in registered(chapter).values():
        assert len(exercise.mistakes) >= 2, exercise.id
        for texts in zip(*((m.name, m.hint) for m in exercise.mistakes), strict=True):
            assert all(texts) and len(set(texts)) == len(texts), exercise.id


@every_module
def test_every_oracle_solves_its_own_exercise(chapter):
    for exercise in registered(chapter).values():
        if exercise.cases is not None or exercise.summarise is None:
            assert judge(exercise, exercise.oracle).status == "correct", exercise.id


def made(answer):
    """An answer that takes training is made when it is wanted."""
    return answer() if isinstance(answer, Later) else answer


@pytest.mark.parametrize("id_", exercises())
def test_right_answers_of_every_kind_are_correct(id_):
    """Other routes, NumPy, single precision, a choice in other words."""
    for number, answer in enumerate(map(made, RIGHT[id_])):
        verdict = judge(exercises()[id_], answer)
        assert verdict.status == "correct", (number, verdict)


LONG = {"I.6", "I.9", "II.6", "II.8"}  # networks are trained to be told apart


@pytest.mark.parametrize(
    "id_",
    [pytest.param(id_, marks=pytest.mark.long if id_ in LONG else ()) for id_ in exercises()],
)
def test_a_wrong_answer_gets_the_hint_of_the_mistake_that_was_made_or_of_none(id_):
    for number, (mistake, answer) in enumerate(WRONG[id_]):
        verdict = judge(exercises()[id_], made(answer))
        assert (verdict.status, verdict.mistake) == ("wrong", mistake), (number, verdict)
        assert verdict.hint
