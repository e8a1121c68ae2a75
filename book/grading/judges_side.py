"""What the judge has in the place of an answer: functions and networks that ask another process.

`Answers` is that process, started, asked and ended. What comes from it is made into numbers, texts,
tensors and the stand-ins below, and into nothing else.
"""

from __future__ import annotations

import contextlib
import inspect
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from grading import wire
from torch import Tensor, nn

from vae_lib.exercises.values import shown

MOST_PARAMETERS = 40
_CELL, _LONGEST_CELL = "<a learner's cell>", 10_000
_OF_A_CELL = eval(compile("lambda *arguments: print(arguments)", _CELL, "eval"))
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


class Answers:
    """The process of the answers of one hand-in."""

    def __init__(self, command: Sequence[str], environment: dict, errors: Any = None) -> None:  # noqa: ANN401
        self.has_objects = False  # whether it has given what is neither a value nor a network
        self.busy, self.late, self.refusal = False, False, ""
        self.longest = 60.0  # seconds of a call, where the checker's own clock cannot end it
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors or subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def ready(self, seconds: float) -> None:
        """Wait until it is locked in; raises Gone where that fails."""
        self._asked(None, b"", seconds)

    def load(
        self, cells: list[str], own: list[bool], number: str, default: str, seconds: float
    ) -> object:
        """The answer that the cells give; raises Gone, Unreadable, and what the cells raise.

        `own` says which of the cells are the learner's own, and `default` what the answer is called
        in the book.
        """
        self.has_objects, self.refusal = False, ""
        message = {"do": "load", "cells": cells, "own": own, "number": number, "default": default}
        reply, blob = self._asked(message, b"", seconds)
        if isinstance(text := reply.get("unreadable"), str):
            raise Unreadable(shown(text))
        return self._answer_in(reply.get("answer"), blob)

    def _answer_in(self, tree: object, blob: bytes) -> object:
        if isinstance(tree, dict) and type(tree.get("function")) is int:
            return stand_in(self, tree)
        return self._read(tree, blob, [])

    def call(
        self,
        target: int,
        arguments: Sequence,
        leaves: Sequence[Tensor],
        *,
        seed: int | None,
        training: bool = False,
    ) -> object:
        """What a function or a network there gives for the arguments, with its gradients.

        Without a `seed` its draws go on where they were.
        """
        try:
            return self._called(target, arguments, leaves, seed, training=training)
        except wire.Refused as error:
            self.refusal = str(error)
            raise

    def _called(
        self,
        target: int,
        arguments: Sequence,
        leaves: Sequence[Tensor],
        seed: int | None,
        *,
        training: bool,
    ) -> object:
        message = {"do": "call", "target": target, "training": training, "seed": seed}
        message["grad"] = torch.is_grad_enabled()
        try:
            reply, blob = self._asked(message, wire.for_answers(list(arguments)))
        except Unwritten:
            return ...
        self._take_changes(reply.get("changed"), blob, wire.tensors_of(list(arguments)))
        found: list[Tensor] = []
        value = self._read(reply.get("answer"), blob, found)
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        if not found or not wanted or not torch.is_grad_enabled():
            return value
        number = reply.get("call")
        given = iter(_WithSlopes.apply(self, number, list(leaves), found, *wanted))
        twins = {id(tensor): next(given) for tensor in found}
        return _replaced(value, twins)

    def slopes(self, call: int, grads: Sequence[Tensor | None]) -> list[Tensor | None]:
        message = {"do": "slopes", "call": call}
        reply, blob = self._asked(message, wire.for_answers(list(grads)))
        told = reply.get("slopes")
        if not isinstance(told, list):
            raise wire.Refused("has no gradients")
        return [None if tree is None else wire.tensor_from(_a_dict(tree), blob) for tree in told]

    def _take_changes(self, told: object, blob: bytes, tensors: list[Tensor]) -> None:
        """What the answer has done to its arguments is done to ours."""
        for entry in told if isinstance(told, list) else ():
            if not (isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is int):
                raise wire.Refused("has a change that is none")
            new, old = wire.tensor_from(_a_dict(entry[1]), blob), tensors[entry[0]]
            if new.shape == old.shape:
                old.data.copy_(new)

    def _asked(self, message: dict | None, blob: bytes, seconds: float = 0.0) -> tuple:
        """Its reply, within so many seconds; raises Gone, Refused, and what the answer raises."""
        if self.busy or self._process.poll() is not None:
            raise Gone
        self.busy = True  # and stays so, where the clock ends what follows
        timer = threading.Timer(seconds or self.longest, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            if message is not None:
                wire.send(self._process.stdin, message, blob)
            reply = wire.receive(self._process.stdout)
        except (EOFError, OSError):
            raise Gone from None
        finally:
            timer.cancel()
        self.busy = False
        if isinstance(name := reply[0].get("error"), str):
            raise_in_cell(_error(name, reply[0]), reply[0].get("line"))
        return reply

    def _give_up(self) -> None:
        self.late = True
        self._process.send_signal(signal.SIGTERM)  # its keeper ends it

    def _read(self, tree: object, blob: bytes, graphs: list) -> Any:  # noqa: ANN401
        try:
            return self.unpacked(tree, blob, graphs)
        except (ArithmeticError, RecursionError, RuntimeError, TypeError, ValueError):
            raise wire.Refused("is not of the form that was agreed") from None

    def unpacked(self, tree: object, blob: bytes, graphs: list) -> Any:  # noqa: ANN401
        """The value that a description is of; those with a graph are put into `graphs` as well."""
        tree = _a_dict(tree)
        for name, kind in (("tuple", tuple), ("list", list)):
            if isinstance(tree.get(name), list):
                return kind(self.unpacked(item, blob, graphs) for item in tree[name])
        if "tensor" in tree:
            tensor = wire.tensor_from(tree, blob)
            if tree.get("graph") is True and tensor.is_floating_point():
                graphs.append(tensor)
            return tensor
        if type(tree.get("module")) is int and isinstance(tree.get("parameters"), list):
            return Network(self, tree["module"], [_parameter(p, blob) for p in tree["parameters"]])
        if "distribution" in tree and isinstance(tree.get("given"), list):
            return self._distribution(tree, blob, graphs)
        if isinstance(tree.get("opaque"), str):
            self.has_objects = True
            return _like(tree["opaque"])
        return _plain_value(tree)

    def _distribution(self, tree: dict, blob: bytes, graphs: list) -> object:
        for kind, names in wire.DISTRIBUTIONS.items():
            if kind.__name__ == tree["distribution"] and len(names) == len(tree["given"]):
                given = [self.unpacked(item, blob, graphs) for item in tree["given"]]
                named = dict(zip(names.values(), given, strict=True))
                return kind(**named, validate_args=False)
        raise wire.Refused("has a distribution that we do not know")

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        """End it, with all that it has started."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()


class Unreadable(Exception):
    """The cell of the answer is not Python."""


class _WithSlopes(torch.autograd.Function):
    """Outputs of the other process, whose gradients it is asked for when they are wanted."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        answers: Answers,
        call: int,
        leaves: list,
        found: list,
        *_: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.answers, ctx.call = answers, call
        ctx.wanted = [leaf.requires_grad for leaf in leaves]
        ctx.shapes = [leaf.shape for leaf in leaves]
        return tuple(tensor.clone() for tensor in found)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple:  # noqa: ANN401
        slopes = ctx.answers.slopes(ctx.call, grads)
        rows = zip(slopes, ctx.wanted, ctx.shapes, strict=True)
        kept = [(slope, shape) for slope, is_wanted, shape in rows if is_wanted]
        if any(slope is not None and slope.shape != shape for slope, shape in kept):
            raise RuntimeError("a gradient has another shape than what it is for")
        return None, None, None, None, *(slope for slope, _ in kept)


class Network(nn.Module):
    """A network that lies in the other process; its parameters here are copies, for gradients."""

    def __init__(self, answers: Answers, target: int, parameters: list[nn.Parameter]) -> None:
        super().__init__()
        self._answers, self._target = answers, target
        for i, parameter in enumerate(parameters):
            self.register_parameter(f"p{i}", parameter)

    def forward(self, *arguments: Any) -> Any:  # noqa: ANN401
        leaves = [*wire.tensors_of(list(arguments)), *self.parameters()]
        seed = int(torch.randint(2**31, ()))  # of the judge's draws, among which it stands
        return self._answers.call(
            self._target, arguments, leaves, seed=seed, training=self.training
        )


class _Draws:
    """Has the other process draw what this one would: from the same seed, and on from call to call.

    The checker seeds before it tries an answer and draws nothing itself meanwhile; what is drawn
    here tells a next call from another try.
    """

    def __init__(self) -> None:
        self._left = None

    def seed(self) -> int | None:
        now = torch.get_rng_state()
        goes_on = self._left is not None and torch.equal(now, self._left)
        seed = None if goes_on else torch.initial_seed()
        torch.rand(())
        self._left = torch.get_rng_state()
        return seed


def _parameter(tree: object, blob: bytes) -> nn.Parameter:
    tensor = wire.tensor_from(_a_dict(tree), blob)
    needs = tree.get("graph") is True and tensor.is_floating_point()
    return nn.Parameter(tensor, requires_grad=needs)


def stand_in(answers: Answers, told: dict) -> Callable:
    """A function, or a class, of the answer's name and arguments, that asks the other process."""
    target, name, draws = told["function"], shown(str(told.get("name")), 40), _Draws()

    def answer(*arguments: Any) -> Any:  # noqa: ANN401
        leaves = wire.tensors_of(list(arguments))
        return answers.call(target, arguments, leaves, seed=draws.seed())

    answer.__wrapped__ = _OF_A_CELL
    signature = _signature(told.get("parameters"))
    if told.get("is_class") is True:
        made = type(name, (), {"__new__": lambda cls, *given: answer(*given)})
    else:
        made, answer.__name__ = answer, name
    if signature is not None:
        made.__signature__ = signature
    return made


def is_of_an_answer(error: Exception) -> bool:
    """Whether an answer raised it, and not our own code."""
    return getattr(error, "of_an_answer", False)


def raise_in_cell(error: Exception, line: object) -> None:
    """Raise an error so that the checker finds it in a line of the learner's cell, if in any."""
    error.of_an_answer = True
    if type(line) is not int or not 0 < line < _LONGEST_CELL:
        raise error
    exec(compile("\n" * (line - 1) + "raise error", _CELL, "exec"), {"error": error})


def _signature(told: object) -> inspect.Signature | None:
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect._ParameterKind(kind),
                    default=0 if has_default else inspect.Parameter.empty,
                )
                for name, kind, has_default in told[:MOST_PARAMETERS]
            ]
        )
    except (TypeError, ValueError):
        return None


def _error(name: str, told: dict) -> Exception:
    """The other process's error, of a kind that ends nothing here."""
    if told.get("unwritten") is True:
        return Unwritten()
    text = shown(str(told.get("text", "")))
    kind = _ERRORS.get(name) or type(shown(name, 40).replace("\0", "?"), (Exception,), {})
    return kind(text)


class Unwritten(Exception):
    """A stub of the kind that says so: raise NotImplementedError."""


def _like(name: str) -> object:
    """Something of the kind that the other process has, of which the checker says what it is."""
    make = {
        "function": lambda: lambda: None,
        "generator": lambda: (_ for _ in ()),
        "async_generator": lambda: (_ for _ in ()),
        "coroutine": _coroutine,
        "method": lambda: [].append,
        "builtin_function_or_method": lambda: [].append,
        "type": lambda: object,
    }.get(name)
    return make() if make else type(shown(name, 40) or "object", (), {})()


async def _coroutine() -> None: ...


def _plain_value(tree: dict) -> object:
    if tree.get("ellipsis") is True:
        return ...
    if isinstance(parts := tree.get("complex"), list):
        return complex(*parts)
    value = tree.get("value", ...)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise wire.Refused("has a value that is none")


def _a_dict(value: object) -> dict:
    if not isinstance(value, dict):
        raise wire.Refused("is not of the form that was agreed")
    return value


def _replaced(value: object, twins: dict[int, Tensor]) -> object:
    """The value with some of its tensors exchanged."""
    if isinstance(value, tuple | list):
        return type(value)(_replaced(item, twins) for item in value)
    return twins.get(id(value), value)
