"""Judge an answer: its outputs against the oracle's, then against those of each known mistake."""

from __future__ import annotations

import inspect
import traceback
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vae_lib.exercises import guard
from vae_lib.exercises.difference import describe, difference, structural_difference
from vae_lib.exercises.exercise import Exercise, Verdict


def judge(exercise: Exercise, answer: object) -> Verdict:
    """Give the verdict on `answer`: a function, or a value where the exercise has no cases.

    Raises only what the exercise itself raises, and the user's own KeyboardInterrupt.
    """
    if answer is ...:
        return Verdict(exercise.id, "not attempted")
    if exercise.cases is None:
        # The difference itself would give the right value away.
        hint = structural_difference(answer, exercise.oracle) or "that is not it."
        return _compared(exercise, [_Output(answer, answer)], hint.capitalize())
    if problem := _calling_problem(exercise, answer):
        return Verdict(exercise.id, "wrong", problem)
    inputs = _cases(exercise)
    with guard.unchanged_globals(_seed(exercise)):
        outcome = guard.call(lambda: _run(exercise, answer, inputs), seconds=exercise.seconds)
    if problem := _running_problem(exercise, answer, inputs, outcome):
        return Verdict(exercise.id, "wrong", problem, printed=outcome.printed)
    if all(_is_stub(output.raw) for output in outcome.value):
        return Verdict(exercise.id, "not attempted", printed=outcome.printed)
    return replace(_compared(exercise, outcome.value), printed=outcome.printed)


class _Output(NamedTuple):
    """What a function returned for one case, and what is compared of it."""

    raw: Any
    summary: Any


def _calling_problem(exercise: Exercise, answer: object) -> str | None:
    name = getattr(answer, "__name__", "my_function")
    if not callable(answer):
        return (
            f'check needs the function itself, as in check("{exercise.id}", my_function), '
            f"but got {describe(answer)}."
        )
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):
        return None  # some built-in functions have none: calling them will tell
    wanted = list(inspect.signature(exercise.oracle).parameters)
    try:
        signature.bind(*wanted)
    except TypeError:
        return (
            f"Keep the arguments as they were: {name}({', '.join(wanted)}), not {name}{signature}."
        )
    return None


def _running_problem(
    exercise: Exercise, answer: Callable, inputs: list[tuple], outcome: guard.Outcome
) -> str | None:
    if outcome.timed_out:
        return f"Your function was stopped after {exercise.seconds:g} seconds: does it ever end?"
    if outcome.error is not None:
        return _describe_error(outcome.error, answer)
    if not _are_unchanged(inputs, _cases(exercise)):
        return "Your function changes its arguments in place: work on new tensors instead."
    return None


def _compared(exercise: Exercise, got: list[_Output], hint: str | None = None) -> Verdict:
    """The verdict on outputs; `hint` is for what is no known mistake, by default what differs."""
    difference_from_oracle = _first_difference(exercise, got, exercise.oracle)
    if difference_from_oracle is None:
        return Verdict(exercise.id, "correct")
    for mistake in exercise.mistakes:
        if _first_difference(exercise, got, mistake.wrong) is None:
            return Verdict(exercise.id, "wrong", mistake.hint, mistake.name)
    return Verdict(exercise.id, "wrong", hint or difference_from_oracle)


def _seed(exercise: Exercise) -> int:
    return zlib.crc32(exercise.id.encode())


def _cases(exercise: Exercise) -> list[tuple]:
    with guard.unchanged_globals(_seed(exercise)):
        return list(exercise.cases(torch.Generator().manual_seed(_seed(exercise))))


def _outputs(exercise: Exercise, reference: Any) -> list[_Output]:  # noqa: ANN401
    """Of the oracle or of a mistake."""
    if exercise.cases is None:
        return [_Output(reference, reference)]
    inputs = _cases(exercise)
    with guard.unchanged_globals(_seed(exercise)):
        return _run(exercise, reference, inputs)


def _run(exercise: Exercise, function: Callable, inputs: list[tuple]) -> list[_Output]:
    outputs = []
    for arguments in inputs:
        raw = function(*arguments)
        outputs.append(_Output(raw, _summarise(exercise, raw, arguments)))
    return outputs


def _summarise(exercise: Exercise, output: object, arguments: tuple) -> object:
    if exercise.summarise is None:
        return output
    try:
        return exercise.summarise(output, *arguments)
    except Exception:
        return output  # of another kind than expected, which its comparison will say


def _first_difference(exercise: Exercise, got: list[_Output], reference: object) -> str | None:
    """What differs from the reference's outputs in the first case that differs, in words."""
    for case, (output, target) in enumerate(zip(got, _outputs(exercise, reference), strict=True)):
        text = _difference(exercise, output, target)
        if text is not None:
            return text if exercise.cases is None else f"With {_name(exercise, case)}: {text}"
    return None


def _difference(exercise: Exercise, got: _Output, expected: _Output) -> str | None:
    text = difference(got.summary, expected.summary, rtol=exercise.rtol, atol=exercise.atol)
    if exercise.compare is not None:
        try:
            same = bool(exercise.compare(got.summary, expected.summary))
        except Exception:
            same = False
        return None if same else text or "the output is not as expected."
    if exercise.summarise is not None and isinstance(expected.raw, Tensor):
        return structural_difference(got.raw, expected.raw) or text
    return text


def _name(exercise: Exercise, case: int) -> str:
    names, arguments = inspect.signature(exercise.oracle).parameters, _cases(exercise)[case]
    parts = [f"{name} = {describe(value)}" for name, value in zip(names, arguments, strict=False)]
    return ", ".join(parts)


def _describe_error(error: BaseException, answer: Callable) -> str:
    text = traceback.format_exception_only(error)[-1].strip()
    if len(text) > 200:
        text = text[:200] + "..."
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == file]
    place = f" in line {lines[-1]} of the cell" if lines else ""
    return f"Your function raises an error{place}: {text}"


def _is_stub(output: object) -> bool:
    parts = output if isinstance(output, tuple) and output else (output,)
    return all(part is ... for part in parts)


def _are_unchanged(now: object, before: object) -> bool:
    """Whether arguments are as before; what is no tensor, container or module counts as such."""
    if isinstance(before, nn.Module):
        now, before = now.state_dict(), before.state_dict()
    if isinstance(before, dict):
        now, before = list(now.items()), list(before.items())
    if isinstance(before, tuple | list):
        return len(now) == len(before) and all(map(_are_unchanged, now, before))
    if isinstance(before, Tensor):
        return isinstance(now, Tensor) and torch.equal(now.nan_to_num(), before.nan_to_num())
    return True
