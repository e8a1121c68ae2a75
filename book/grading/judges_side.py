"""The process of the answers, from the judge's side: started, asked, ended.

What comes from it is made into numbers, texts, tensors and stand-ins, and into nothing else.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

import torch
from grading import wire
from grading.errors import Gone, Unreadable, Unwritten, error_from, raise_in_cell
from grading.stand_ins import stand_in, with_slopes
from grading.unpacking import Unpacker, a_dict, replaced
from torch import Tensor

from vae_lib.exercises.values import shown


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
        return self._unpacked(tree, blob)[0]

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
        value, found = self._unpacked(reply.get("answer"), blob)
        return replaced(value, with_slopes(self, reply.get("call"), leaves, found))

    def slopes(self, call: int, grads: Sequence[Tensor | None]) -> list[Tensor | None]:
        message = {"do": "slopes", "call": call}
        reply, blob = self._asked(message, wire.for_answers(list(grads)))
        told = reply.get("slopes")
        if not isinstance(told, list):
            raise wire.Refused("has no gradients")
        return [None if tree is None else wire.tensor_from(a_dict(tree), blob) for tree in told]

    def _take_changes(self, told: object, blob: bytes, tensors: list[Tensor]) -> None:
        """What the answer has done to its arguments is done to ours."""
        for entry in told if isinstance(told, list) else ():
            if not (isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is int):
                raise wire.Refused("has a change that is none")
            new, old = wire.tensor_from(a_dict(entry[1]), blob), tensors[entry[0]]
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
            raise_in_cell(error_from(name, reply[0]), reply[0].get("line"))
        return reply

    def _give_up(self) -> None:
        self.late = True
        self._process.send_signal(signal.SIGTERM)  # its keeper ends it

    def _unpacked(self, tree: object, blob: bytes) -> tuple[Any, list[Tensor]]:
        """The value that a description is of, and its tensors that have a graph."""
        unpacker = Unpacker(self, blob)
        value = unpacker.unpack(tree)
        self.has_objects |= unpacker.has_objects
        return value, unpacker.with_graph

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
