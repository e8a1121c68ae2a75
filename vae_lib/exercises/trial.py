"""Run a function on an exercise's cases, and read what it returned into plain values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vae_lib.exercises import guard
from vae_lib.exercises.answers import describe_error
from vae_lib.exercises.surroundings import restored
from vae_lib.exercises.values import (
    Opaque,
    as_tensor,
    holds_opaque,
    name_of,
    plain,
    settled,
    shown,
)


class Output(NamedTuple):
    """What a function returned for one case, and what is compared of it; both plain values."""

    raw: Any
    summary: Any


class Trial(NamedTuple):
    """What came of the cases: the outputs, and the arguments as the answer left them, or a problem.

    All in plain values and text, but for the error itself.
    """

    outputs: list[Output] = []  # noqa: RUF012
    arguments: Any = None
    problem: str | None = None
    error: BaseException | None = None
    printed: str = ""


def ask(question: Callable[[], Any], seconds: float, seed: int) -> guard.Outcome:
    with restored(seed):
        return guard.call(question, seconds=seconds)


def attempt(
    answer: Callable,
    given: list[tuple],
    summarise: Callable | None,
    of_tensors: list[bool],
    seconds: float,
    seed: int,
) -> Trial:
    """Run the answer on the cases, then look at what it returned, each behind the guard."""
    ran = ask(partial(run, answer, given), seconds, seed)
    if ran.timed_out:
        stopped = f"Your function was stopped after {seconds:g} seconds: does it ever end?"
        return Trial(problem=stopped, printed=ran.printed)
    if ran.error is not None:
        told = ask(partial(describe_error, ran.error, answer), seconds, seed)
        unspoken = f"Your function raises an error: {name_of(type(ran.error))}"
        return Trial(
            problem=told.value if told.succeeded else unspoken,
            error=ran.error,
            printed=ran.printed,
        )
    known = ask(partial(read, ran.value, given, summarise, of_tensors), seconds, seed)
    if not known.succeeded:
        problem = "What your function returns cannot be read: return a tensor or a number."
        return Trial(problem=problem, printed=ran.printed)
    return Trial(*known.value, printed=ran.printed)


def run(function: Callable, inputs: list[tuple]) -> list[tuple[Any, Any]]:
    """The outputs as they are, and their values at once, since a function may reuse its memory."""
    outputs = []
    for arguments in inputs:
        output = function(*arguments)
        outputs.append((output, plain(output)))
    return outputs


def read(
    outputs: list[tuple[Any, Any]],
    inputs: list[tuple],
    summarise: Callable | None,
    of_tensors: list[bool],
) -> tuple[list[Output], Any]:
    """What is compared of the outputs, and the arguments as they are now."""
    found = []
    for (output, value), arguments, of_tensor in zip(outputs, inputs, of_tensors, strict=True):
        summary = value
        if summarise is not None:
            usable = output if holds_opaque(value) else value
            if of_tensor and (tensor := as_tensor(value)) is not None:
                usable = _in_their_type(tensor, arguments)
            summary = _summary(summarise, usable, arguments)
        found.append(Output(settled(value), settled(summary)))
    outputs.clear()  # what they do when they go, they do inside the guard
    return found, snapshot(inputs)


def _in_their_type(output: Tensor, arguments: tuple) -> Tensor:
    """In the arguments' floating type, since torch multiplies no matrices of different ones."""
    types = [a.dtype for a in arguments if isinstance(a, Tensor) and a.is_floating_point()]
    return output.to(types[0]) if types and output.is_floating_point() else output


def _summary(summarise: Callable, output: object, arguments: tuple) -> object:
    try:
        return plain(summarise(output, *arguments))
    except Exception as error:
        return Opaque(Unusable, shown(str(error)))


class Unusable:
    """The kind of an output that could not be summarised."""


def snapshot(value: object) -> Any:  # noqa: ANN401
    """The tensors in a function's arguments, to see if it changed them; the rest counts as same."""
    if isinstance(value, nn.Module):
        value = list(nn.Module.state_dict(value).values())
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [snapshot(item) for item in value]
    return settled(plain(value)) if isinstance(value, Tensor) else None


def is_same(now: object, before: object) -> bool:
    if isinstance(before, list):
        return isinstance(now, list) and len(now) == len(before) and all(map(is_same, now, before))
    if isinstance(before, Tensor):
        return isinstance(now, Tensor) and torch.equal(
            now.double().nan_to_num(), before.double().nan_to_num()
        )
    return True
