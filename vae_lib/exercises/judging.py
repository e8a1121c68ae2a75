"""Judge an answer: its outputs against the oracle's, then against those of each known mistake."""

from __future__ import annotations

import inspect
import re
import zlib
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vae_lib.exercises import guard, precision
from vae_lib.exercises.answers import (
    calling_problem,
    is_stub_output,
    is_unwritten,
)
from vae_lib.exercises.difference import describe, difference, structural_difference
from vae_lib.exercises.exercise import Exercise, Verdict
from vae_lib.exercises.surroundings import seeded
from vae_lib.exercises.trial import (
    Output,
    Trial,
    Unusable,
    ask,
    attempt,
    is_same,
    read,
    run,
    snapshot,
)
from vae_lib.exercises.values import Opaque, name_of, plain, settled, shown

# Whatever asks the answer for something is yielded to `judge`, which does it and sends back what
# came of it: so no frame beneath the answer's own holds the exercise, where it could look the
# right answer up.
_Steps = Generator[Callable[[], guard.Outcome], guard.Outcome, Verdict]


def judge(exercise: Exercise, answer: object) -> Verdict:
    """Give the verdict on `answer`: a function, or a value where the exercise has no cases.

    Raises only what the exercise itself raises, and the user's own KeyboardInterrupt.
    """
    steps = _verdict_on_value if exercise.cases is None else _verdict_on_function
    steps = steps(exercise, answer)
    del exercise
    outcome = None
    while True:
        try:
            step = steps.send(outcome)
        except StopIteration as end:
            return end.value
        outcome = step()


def _verdict_on_value(exercise: Exercise, answer: object) -> _Steps:
    if answer is None or answer is ...:
        wanted = "" if answer is ... else _wanted_value(exercise)
        return Verdict(exercise.id, "not attempted", wanted)
    if exercise.summarise is not None:
        return (yield from _verdict_on_object(exercise, answer))
    outcome = yield partial(ask, lambda: settled(plain(answer)), exercise.seconds, _seed(exercise))
    if not outcome.succeeded:
        kind = name_of(type(answer))
        return Verdict(exercise.id, "wrong", f"Expected a value, got a {kind} that has none.")
    # The difference itself would give the right value away.
    hint = structural_difference(outcome.value, exercise.oracle) or "that is not it."
    got = [Output(outcome.value, outcome.value)]
    return _compared(exercise, got, narrow=False, hint=hint[:1].upper() + hint[1:])


def _verdict_on_object(exercise: Exercise, answer: object) -> _Steps:
    """On something that is no plain value, such as trained networks, by what `summarise` says."""
    look = partial(exercise.summarise, answer)
    outcome = yield partial(ask, lambda: settled(plain(look())), exercise.seconds, _seed(exercise))
    if outcome.timed_out:
        hint = f"Judging it was stopped after {exercise.seconds:g} seconds."
        return Verdict(exercise.id, "wrong", hint, printed=outcome.printed)
    if outcome.error is not None:
        error = outcome.error
        told = yield partial(ask, lambda: shown(str(error)), exercise.seconds, _seed(exercise))
        reason = told.value if told.succeeded and told.value else name_of(type(error))
        return Verdict(
            exercise.id, "wrong", f"It cannot be judged: {reason}", printed=outcome.printed
        )
    got = [Output(outcome.value, outcome.value)]
    verdict = _compared(exercise, got, narrow=False, hint="That is not it.")
    return replace(verdict, printed=outcome.printed)


def _wanted_value(exercise: Exercise) -> str:
    if exercise.summarise is not None:
        return "It is None so far."
    example = '"a"' if isinstance(exercise.oracle, str) else "1.5"
    return f'It is None so far: give the value itself, as in check("{exercise.id}", {example}).'


def _verdict_on_function(exercise: Exercise, answer: object) -> _Steps:
    if answer is ...:
        return Verdict(exercise.id, "not attempted")
    if not callable(answer):
        outcome = yield partial(
            ask, lambda: describe(plain(answer)), exercise.seconds, _seed(exercise)
        )
        got = outcome.value if outcome.succeeded else f"an object of {name_of(type(answer))}"
        example = f'check("{exercise.id}", my_function)'
        hint = f"check needs the function itself, as in {example}, but got {got}."
        return Verdict(exercise.id, "wrong", hint)
    wanted = list(inspect.signature(exercise.oracle).parameters)
    problem = partial(calling_problem, answer, wanted, exercise.id)
    outcome = yield partial(ask, problem, exercise.seconds, _seed(exercise))
    if outcome.succeeded and outcome.value:
        return Verdict(exercise.id, "wrong", outcome.value)
    verdict, is_about_precision = yield from _tried(exercise, answer, narrow=False)
    if not is_about_precision:
        return verdict
    # The cases are in float64, of which a learner who computes in float32 need not think.
    other, is_about_precision = yield from _tried(exercise, answer, narrow=True)
    return verdict if is_about_precision else other


def _tried(exercise: Exercise, answer: Callable, *, narrow: bool) -> Generator:
    """The verdict in double or in single precision, and whether the precision may have made it."""
    inputs = _cases(exercise, narrow=narrow)
    given = precision.narrowed(inputs) if narrow else inputs
    expected = _outputs(exercise, exercise.oracle, narrow=narrow)
    of_tensors = [type(output.raw) is Tensor for output in expected]
    settings = exercise.summarise, of_tensors, exercise.seconds, _seed(exercise)
    trial = yield partial(attempt, answer, given, *settings)
    verdict = _verdict_on_trial(exercise, answer, trial, narrow=narrow)
    if verdict.status != "wrong" or not precision.is_wide(inputs):
        return verdict, False
    if trial.error is not None:
        return verdict, precision.is_about_types(trial.problem)
    outputs = [output.raw for output in trial.outputs]
    return verdict, not narrow and verdict.mistake is None and precision.is_single(outputs)


def _verdict_on_trial(exercise: Exercise, answer: object, trial: Trial, *, narrow: bool) -> Verdict:
    raws = [output.raw for output in trial.outputs]
    if is_unwritten(answer, raws, trial.error) or (raws and all(map(is_stub_output, raws))):
        return Verdict(exercise.id, "not attempted", printed=trial.printed)
    problem = trial.problem
    if problem is None and _is_changed(exercise, trial.arguments, narrow=narrow):
        problem = "Your function changes its arguments in place: work on new tensors instead."
    if problem is not None:
        return Verdict(exercise.id, "wrong", problem, printed=trial.printed)
    return replace(_compared(exercise, trial.outputs, narrow=narrow), printed=trial.printed)


def _is_changed(exercise: Exercise, arguments: list[list], *, narrow: bool) -> bool:
    """Whether the answer has changed arguments that it was to leave as they are."""
    names = list(inspect.signature(exercise.oracle).parameters)
    kept = [i for i, name in enumerate(names) if name not in exercise.in_place]
    before = snapshot(_cases(exercise, narrow=narrow))
    pairs = zip(arguments, before, strict=True)
    return not all(is_same(now[i], then[i]) for now, then in pairs for i in kept)


def _compared(
    exercise: Exercise, got: list[Output], *, narrow: bool, hint: str | None = None
) -> Verdict:
    """The verdict on outputs; `hint` is for what is no known mistake, by default what differs."""
    differences = _differences(exercise, got, exercise.oracle, narrow=narrow)
    first = next((case for case, text in enumerate(differences) if text is not None), None)
    if first is None:
        return Verdict(exercise.id, "correct")
    alike = []
    for mistake in exercise.mistakes:
        of_cases = _differences(exercise, got, mistake.wrong, narrow=narrow)
        if all(text is None for text in of_cases):
            return Verdict(exercise.id, "wrong", mistake.hint, mistake.name)
        if of_cases[first] is None:
            alike.append(mistake)
    # Words of a summary name a mistake by themselves, though other cases may tell of another.
    in_words = exercise.summarise is not None and isinstance(got[first].summary, str)
    if in_words and len(alike) == 1:
        return Verdict(exercise.id, "wrong", alike[0].hint, alike[0].name)
    if hint is None:
        hint = f"With {_name(exercise, first)}: {differences[first]}"
    return Verdict(exercise.id, "wrong", hint)


def _seed(exercise: Exercise) -> int:
    """With which an answer, an oracle and a mistake draw numbers of their own."""
    return zlib.crc32(exercise.id.encode())


def _cases(exercise: Exercise, *, narrow: bool) -> list[tuple]:
    """Fresh ones; for single precision their values are rounded to it, and still in float64."""
    seed = _seed(exercise) + 1  # or an answer's own draws would be those of the case
    with seeded(seed):
        cases = list(exercise.cases(torch.Generator().manual_seed(seed)))
    return precision.rounded(cases) if narrow else cases


def _outputs(exercise: Exercise, reference: Any, *, narrow: bool) -> list[Output]:  # noqa: ANN401
    """Of the oracle or of a mistake."""
    if exercise.cases is None:
        return [Output(reference, reference)]
    inputs = _cases(exercise, narrow=narrow)
    if isinstance(reference, str):  # a summary, the same for every case
        return [Output(reference, reference)] * len(inputs)
    with seeded(_seed(exercise)):
        outputs = run(reference, inputs)
    of_tensors = [type(value) is Tensor for _, value in outputs]
    with seeded(_seed(exercise)):
        return read(outputs, inputs, exercise.summarise, of_tensors)[0]


def _differences(
    exercise: Exercise, got: list[Output], reference: object, *, narrow: bool
) -> list[str | None]:
    """What differs from the reference's outputs in each case, in words."""
    expected = _outputs(exercise, reference, narrow=narrow)
    if narrow:
        least = precision.tolerance(_cases(exercise, narrow=True))
        exercise = replace(exercise, rtol=max(exercise.rtol, least), atol=max(exercise.atol, least))
    pairs = zip(got, expected, strict=True)
    return [_difference(exercise, output, target) for output, target in pairs]


def _difference(exercise: Exercise, got: Output, expected: Output) -> str | None:
    text = difference(got.summary, expected.summary, rtol=exercise.rtol, atol=exercise.atol)
    if exercise.compare is not None:
        try:
            same = bool(exercise.compare(got.summary, expected.summary))
        except Exception:
            same = False
        return None if same else text or "the output is not as expected."
    if exercise.summarise is None:
        return text
    if isinstance(got.summary, Opaque) and got.summary.kind is Unusable:
        text = structural_difference(got.raw, expected.raw)
        return text or f"got {describe(got.raw)}, with which this fails: {got.summary.text}"
    # The parts are those of the summary, of which the learner knows nothing.
    text = text and re.sub(r"^in part \d+ of \d+", "in what follows from your output", text)
    return (type(expected.raw) is Tensor and structural_difference(got.raw, expected.raw)) or text


def _name(exercise: Exercise, case: int) -> str:
    names = inspect.signature(exercise.oracle).parameters
    values = _cases(exercise, narrow=False)[case]
    return ", ".join(f"{name} = {_named(v)}" for name, v in zip(names, values, strict=False))


def _named(argument: object) -> str:
    """In few words; a size such as (3, 16, 16) by its numbers."""
    if isinstance(argument, tuple) and len(argument) < 5 and {*map(type, argument)} == {int}:
        return str(argument)
    return "a function" if inspect.isfunction(argument) else describe(plain(argument))
