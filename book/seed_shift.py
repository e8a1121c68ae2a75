"""Run inside a chapter's kernel, before its first cell: other seeds, and assertions that go on.

Every integer that seeds a generator, in the chapter or in a library, has a constant added to it.
What a data set is stays as it is: its split and its order are no draw of the reader's. So does the
checker of exercises. A shift of 0 changes no number.

An assertion that fails is shown, with what stood on both sides of it, and the cell goes on after
it, so that one that fails does not hide the next.
"""

from __future__ import annotations

import ast
import functools
import random
from collections.abc import Callable

import numpy as np
import torch

STEP = 7_919_017  # between two shifts: far more than the epochs that are counted up from a seed
LARGEST = 2**32  # what NumPy's seeds stay below
SHOWN = 160  # characters of a value

_shift = 0


def install(number: int) -> None:
    """Shift every seed from now on, by a constant that belongs to the shift's number."""
    global _shift
    _shift = number * STEP
    torch.manual_seed = torch.random.manual_seed = shifted(torch.manual_seed)
    torch.Generator = Generator
    np.random.seed = shifted(np.random.seed)
    np.random.default_rng = shifted(np.random.default_rng)
    np.random.RandomState = RandomState
    random.seed = shifted(random.seed)
    _move("vae_lib.checks", "seed_generators")
    _leave_alone("vae_lib.data", "load")
    _leave_alone("vae_lib.exercises", "check")
    _go_on_after_assertions()


def moved(seed: object) -> object:
    """The seed that is used in a seed's place; what is no whole number is left as it is."""
    if not _shift or isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        return seed
    total = int(seed) + _shift
    return total % LARGEST if 0 <= int(seed) < LARGEST else total


def shifted(seeding: Callable) -> Callable:
    """A function whose first argument is a seed, with the seed moved."""

    @functools.wraps(seeding)
    def call(seed: object = None, *rest: object) -> object:
        return seeding(moved(seed), *rest)

    return call


class Generator(torch.Generator):
    """torch's, whose seeds are moved."""

    def manual_seed(self, seed: int) -> torch.Generator:
        return super().manual_seed(moved(seed))


class RandomState(np.random.RandomState):
    """NumPy's, and so what scikit-learn and SciPy make of `random_state=0`."""

    def __init__(self, seed: object = None) -> None:
        super().__init__(moved(seed))


def _move(module: str, name: str) -> None:
    """Move the seeds that a function of the library, which seeds chosen generators, is given."""
    home = __import__(module, fromlist=[name])
    setattr(home, name, shifted(getattr(home, name)))


def _leave_alone(module: str, name: str) -> None:
    """Let a function of the library see the seeds as they are written."""
    home = __import__(module, fromlist=[name])
    inside = getattr(home, name)

    @functools.wraps(inside)
    def unmoved(*arguments: object, **named: object) -> object:
        global _shift
        before, _shift = _shift, 0
        try:
            return inside(*arguments, **named)
        finally:
            _shift = before

    setattr(home, name, unmoved)


def _go_on_after_assertions() -> None:
    from IPython import get_ipython

    get_ipython().ast_transformers.append(GoOn())


class GoOn(ast.NodeTransformer):
    """Puts each assertion of a cell into a `try` that notes its failure."""

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self.guarded(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        function = getattr(node.value, "func", None)
        name = getattr(function, "attr", getattr(function, "id", ""))
        asserts = isinstance(node.value, ast.Call) and (
            name.startswith("assert") or name == "claim"
        )
        return self.guarded(node) if asserts else node

    def guarded(self, node: ast.stmt) -> ast.AST:
        (attempt,) = ast.parse(
            "try: pass\nexcept AssertionError as _audited:\n    __import__('seed_shift').note("
            f"_audited, {ast.unparse(node)!r}, globals(), locals())"
        ).body
        attempt.body = [node]
        return ast.fix_missing_locations(ast.copy_location(attempt, node))


def note(failure: AssertionError, source: str, space: dict, names: dict) -> None:
    """Show an assertion that failed, as data for the audit."""
    from IPython.display import display

    asserts = "assertion"
    if type(failure).__name__ == "ClaimFailed":
        asserts = "claim"
        source, *lines = str(failure).removeprefix("This does not hold: ").splitlines()
        by = "; ".join(line.strip() for line in lines)
    else:
        by = "; ".join(sides(source, space, names)) or " ".join(str(failure).split())[:SHOWN]
    noted = {"kind": asserts, "asserts": source, "by": by}
    display({"text/plain": "failed"}, raw=True, metadata={"vae_book": {"audit": noted}})


def sides(source: str, space: dict, names: dict) -> list[str]:
    """Each comparison of an assertion that does not hold, with its values in the names' place."""
    (statement,) = ast.parse(source).body
    found = []
    if not isinstance(statement, ast.Assert):
        return found
    for node in ast.walk(statement.test):
        if not isinstance(node, ast.Compare):
            continue
        try:
            if np.all(evaluate(node, space, names)):
                continue
            values = [evaluate(side, space, names) for side in (node.left, *node.comparators)]
        except Exception:
            continue  # a name inside a comprehension, say
        signs = [SIGNS.get(type(op), "?") for op in node.ops]
        words = [shown(values[0])]
        for sign, value in zip(signs, values[1:], strict=True):
            words += [sign, shown(value)]
        found.append(" ".join(words))
    return found


SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


def evaluate(node: ast.expr, space: dict, names: dict) -> object:
    text = compile(ast.Expression(node), "<assertion>", "eval")
    value = eval(text, {**space, **names})
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value


def shown(value: object) -> str:
    """A value in a few characters: a number with four digits, of many the ends."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return repr(value)[:SHOWN]
    if array.size == 0:
        return "nothing"
    low, high = array.min(), array.max()
    return f"{low:.4g}" if low == high else f"({low:.4g} to {high:.4g}, {array.size} values)"
