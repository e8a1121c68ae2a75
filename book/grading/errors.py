"""The errors of an answer, raised here as the checker meets them in a notebook."""

from __future__ import annotations

from vae_lib.exercises.values import shown

_CELL, _LONGEST_CELL = "<a learner's cell>", 10_000
# The code of it stands in a learner's cell, where the checker looks for a function's own lines.
OF_A_CELL = eval(compile("lambda *arguments: print(arguments)", _CELL, "eval"))
# What an error of an answer's may be here. Of these none ends anything.
_ERRORS = {
    kind.__name__: kind
    for kind in (
        *(ArithmeticError, AssertionError, AttributeError, IndexError, KeyError, MemoryError),
        *(NameError, OverflowError, RecursionError, RuntimeError, TypeError, ValueError),
        ZeroDivisionError,
    )
}


class Gone(Exception):
    """The process of the answers has ended, or was ended for want of time."""


class Unreadable(Exception):
    """The cell of the answer is not Python."""


class Unwritten(Exception):
    """A stub of the kind that says so: raise NotImplementedError."""


def is_of_an_answer(error: Exception) -> bool:
    """Whether an answer raised it, and not our own code."""
    return getattr(error, "of_an_answer", False)


def raise_in_cell(error: Exception, line: object) -> None:
    """Raise an error so that the checker finds it in a line of the learner's cell, if in any."""
    error.of_an_answer = True
    if type(line) is not int or not 0 < line < _LONGEST_CELL:
        raise error
    exec(compile("\n" * (line - 1) + "raise error", _CELL, "exec"), {"error": error})


def error_from(name: str, told: dict) -> Exception:
    """The other process's error, of a kind that ends nothing here."""
    if told.get("unwritten") is True:
        return Unwritten()
    text = shown(str(told.get("text", "")))
    kind = _ERRORS.get(name) or type(shown(name, 40).replace("\0", "?"), (Exception,), {})
    return kind(text)
