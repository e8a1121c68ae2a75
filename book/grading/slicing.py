"""Which statements of a notebook an answer needs: those that define what its check names.

A chapter trains for half a minute, and an answer needs none of it. So what runs is the definitions
of the names in `check("2.1", my_function)`, and of what these name in turn: functions, classes,
imports, constants, wherever they stand in the notebook. What is needed and trains, trains. In cells
that are not the book's own, whatever is called with something that is needed counts as well, since
it may have changed it: `train(encoder, decoder, x)`.

Runs among the answers, since whoever reads Python can be made to fail by what is read.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

NUMBER = re.compile(r"\s*(?:exercise|fill-in)?\s*([0-9]+\.[0-9a-z]+|[ivx]+\.[0-9]+)\s*", re.I)
MAGIC = re.compile(r"^\s*[%!?].*$|^.*[^\s=!<>]\?{1,2}\s*$", re.MULTILINE)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BUILTIN = frozenset(dir(builtins))


@dataclass
class Statement:
    """A statement of a cell: what it binds anew or changes, and which names it needs."""

    node: ast.stmt
    cell: int
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)


class Unreadable(Exception):
    """A cell that is not Python, and that the answer stands in."""


def needed(
    cells: Sequence[str], own: Sequence[bool], number: str, default: str
) -> tuple[list[tuple[int, ast.stmt]], str]:
    """The statements to run, each with its cell, and then the expression that is the answer.

    The expression is what the notebook's last check of that number names, or else `default`.
    """
    statements, broken = [], {}
    for i, source in enumerate(cells):
        try:
            statements += read_cell(source, i, own[i])
        except SyntaxError as error:
            broken[i] = error
    place, expression = _check_of(statements, number, default)
    for i, error in broken.items():
        if re.match(rf"\s*# (?:Exercise|Fill-in) {re.escape(number)}\b", cells[i]):
            raise Unreadable(f"Line {error.lineno} of the cell is not Python: {error.msg}.")
    chosen = _chosen(statements, place, names_in(expression))
    return [(s.cell, s.node) for s in chosen], expression


def read_cell(source: str, cell: int, is_own: bool) -> list[Statement]:
    """The statements of a cell, without IPython's own commands; raises SyntaxError."""
    if source.lstrip().startswith("%%"):
        return []
    try:
        tree = ast.parse(MAGIC.sub("pass", source))
    except ValueError as error:  # a null byte
        raise SyntaxError(str(error)) from None
    return [_read(node, cell, is_own) for node in tree.body]


def _read(node: ast.stmt, cell: int, is_own: bool) -> Statement:
    statement = Statement(node, cell, needs=names_in(ast.unparse(node)))
    for name, is_new in _bound(node):
        (statement.binds if is_new else statement.changes).add(name)
    if is_own and not isinstance(node, DEFINITIONS):
        statement.changes |= _called_with(node)
    statement.needs |= statement.changes
    return statement


def _called_with(node: ast.stmt) -> set[str]:
    """The names of what is handed to calls, or has a method called; nothing where it is checked."""
    found = set()
    for call in (part for part in ast.walk(node) if isinstance(part, ast.Call)):
        if _is_check(call):
            return set()
        found |= {arg.id for arg in call.args if isinstance(arg, ast.Name)}
        found |= {word.value.id for word in call.keywords if isinstance(word.value, ast.Name)}
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            found.add(call.func.value.id)
    return found


def _is_check(node: ast.AST) -> bool:
    names = ("check", "exercises.check")
    return isinstance(node, ast.Call) and ast.unparse(node.func) in names


def _bound(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """The names that a statement gives a value, and whether whatever they had before is gone."""
    if isinstance(node, DEFINITIONS):
        yield node.name, True
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield (alias.asname or alias.name.partition(".")[0]), True
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from _targets(target)
    elif isinstance(node, ast.AugAssign):
        yield from ((name, False) for name, _ in _targets(node.target))
    else:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del):
                yield part.id, False
            elif part is not node and isinstance(part, ast.stmt):
                yield from ((name, False) for name, _ in _bound(part))


def _targets(target: ast.expr) -> Iterator[tuple[str, bool]]:
    if isinstance(target, ast.Name):
        yield target.id, True
    elif isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            yield from _targets(item)
    else:  # an entry or an attribute of something
        while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
            target = target.value
        if isinstance(target, ast.Name):
            yield target.id, False


def names_in(source: str) -> set[str]:
    """The names that code looks up outside of itself, those of Python's own left out."""
    found, tables = set(), [symtable.symtable(source, "cell", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            at_top = table.get_type() == "module"
            if symbol.is_referenced() and (at_top or symbol.is_global()):
                found.add(symbol.get_name())
    return found - _BUILTIN


def _check_of(statements: list[Statement], number: str, default: str) -> tuple[int, str]:
    """Where the last check of an exercise stands, and what it is given."""
    for place in range(len(statements) - 1, -1, -1):
        for node in ast.walk(statements[place].node):
            if _is_check(node) and len(node.args) == 2 and isinstance(node.args[0], ast.Constant):
                given = NUMBER.fullmatch(str(node.args[0].value))
                if given and given[1].lower() == number.lower():
                    return place, ast.unparse(node.args[1])
    return len(statements), default


def _chosen(statements: list[Statement], place: int, names: set[str]) -> list[Statement]:
    """What defines the names as they are at a place, and what that needs."""
    chosen, waiting, seen = set(), [(name, place) for name in names], set()
    while waiting:
        name, before = waiting.pop()
        if (name, before) in seen:
            continue
        seen.add((name, before))
        found = _definitions(statements, name, before)
        if not found and before < len(statements):  # the cell further down has been run before
            found = _definitions(statements, name, len(statements))
        for i in found:
            chosen.add(i)
            # A function looks its names up when it is called, which is later than its definition.
            is_late = isinstance(statements[i].node, DEFINITIONS)
            reach = max(place, i) if is_late else i
            waiting += [(other, reach) for other in statements[i].needs - {name}]
            if name in statements[i].changes:
                waiting.append((name, i))
    return [statements[i] for i in sorted(chosen)]


def _definitions(statements: list[Statement], name: str, before: int) -> list[int]:
    """The last statement that gives a name its value, and those after it that change it."""
    found = []
    for i in range(before - 1, -1, -1):
        if name in statements[i].changes:
            found.append(i)
        if name in statements[i].binds:
            return [i] if _is_fixed(statements[i].node) else [*found, i]
    return found


def _is_fixed(node: ast.stmt) -> bool:
    """Whether what a statement makes stays the same, whoever is handed it: a function, a number."""
    is_number = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    return is_number or isinstance(node, (*DEFINITIONS, ast.Import, ast.ImportFrom))
