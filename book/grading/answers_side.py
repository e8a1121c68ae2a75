"""The process of the answers: locks itself in, runs what the judge sends, tells what came of it.

    python -I -S answers_side.py SETTINGS

It holds nothing but the learner's definitions and a library without oracles, and talks to the judge
through what were its standard streams. What it says of itself is believed by nobody.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import sys

MOST_KEPT = 4096  # objects and calls to which the judge may come back


def enter(settings: dict) -> None:
    """Lock the process in as far as the system lets it, and import what takes long."""
    from grading import jail

    if hasattr(os, "fork"):
        locked = False
        if jail.SYS_PIVOT_ROOT.get(os.uname().machine) and sys.platform == "linux":
            with contextlib.suppress(OSError):
                of_files = settings["root"], settings["visible"], settings["hidden"]
                jail.leave_the_rest_behind(*of_files, settings["disk"])
                locked = True
        jail.kept_on_a_leash(with_others=not locked)
        if locked:
            jail.move_in(settings["root"])
        else:
            os.chdir(settings["scratch"])
        from grading import wire  # noqa: F401  # torch among others, before memory is counted

        user = 1_900_000_000 + settings["number"] % 100_000_000
        alone = locked or os.geteuid() == 0  # nobody else's processes are counted
        jail.give_up_rights(user)
        jail.limit(
            memory=settings["memory"],
            processes=settings["processes"] if alone else None,
            file_size=settings["file_size"],
            seconds=settings["seconds"],
        )
    else:
        os.chdir(settings["scratch"])
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), os.getcwd()))


class Answers:
    """What the judge asks for, one method each; replies are (message, bytes)."""

    def __init__(self) -> None:
        self.kept, self.calls = [], []

    def keep(self, value: object) -> int:
        if len(self.kept) >= MOST_KEPT:
            raise MemoryError("too many objects")
        self.kept.append(value)
        return len(self.kept) - 1

    def load(self, message: dict, blob: bytes) -> tuple[dict, bytes]:
        """Run what an answer needs, and describe the answer."""
        from grading import slicing

        cells = message["cells"]
        try:
            statements, expression = slicing.needed(
                cells, message["own"], message["number"], message["default"]
            )
        except slicing.Unreadable as error:
            return {"unreadable": str(error)}, b""
        space = {"__name__": "__main__"}
        for cell, node in statements:
            exec(compile(ast.Module([node], []), f"cell {cell}", "exec"), space)
        answer = eval(compile(expression, "check", "eval"), space)
        return self._described(answer)

    def _described(self, answer: object) -> tuple[dict, bytes]:
        import inspect

        from grading import wire

        from vae_lib.exercises.answers import name_in_words

        if not callable(answer) or isinstance(answer, wire.nn.Module):
            return self._packed(answer)
        try:
            parameters = [
                [p.name, int(p.kind), p.default is not p.empty]
                for p in inspect.signature(answer).parameters.values()
            ]
        except (TypeError, ValueError):
            parameters = None
        told = {"function": self.keep(answer), "parameters": parameters}
        told |= {"name": name_in_words(answer), "is_class": isinstance(answer, type)}
        return {"answer": told}, b""

    def _packed(self, value: object) -> tuple[dict, bytes]:
        from grading import wire

        packer = wire.Packer(self.keep)
        return {"answer": packer.pack(value)}, bytes(packer.blob)

    def call(self, message: dict, blob: bytes) -> tuple[dict, bytes]:
        """Call an answer, or a network that it has returned, with what the judge has pickled."""
        import pickle

        import torch
        from grading import wire

        target, arguments = self.kept[message["target"]], list(pickle.loads(blob))
        if message["seed"] is not None:
            _seed(message["seed"])
        leaves = wire.tensors_of(arguments)
        if isinstance(target, wire.nn.Module):
            leaves += list(target.parameters())
            target.train(message["training"])
        before = [tensor.detach().clone() for tensor in wire.tensors_of(arguments)]
        with torch.set_grad_enabled(message["grad"]):
            value = target(*arguments)
        if value is None and _is_unwritten(target):
            value = ...
        packer = wire.Packer(self.keep)
        reply = {"answer": packer.pack(value), "call": len(self.calls)}
        self.calls.append((packer.with_graph, leaves))
        del self.calls[: -MOST_KEPT or None]
        after = enumerate(zip(before, wire.tensors_of(arguments), strict=True))
        reply["changed"] = [
            [i, packer.tensor(now.detach())] for i, (then, now) in after if not _same(then, now)
        ]
        return reply, bytes(packer.blob)

    def slopes(self, message: dict, blob: bytes) -> tuple[dict, bytes]:
        """The gradients of an earlier call's outputs, times what is given for each of them."""
        import pickle

        import torch
        from grading import wire

        outputs, leaves = self.calls[message["call"]]
        given = pickle.loads(blob)
        pairs = [(o, g) for o, g in zip(outputs, given, strict=True) if g is not None]
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        outputs, given = zip(*pairs, strict=True)
        found = torch.autograd.grad(outputs, wanted, given, retain_graph=True, allow_unused=True)
        packer = wire.Packer(self.keep)
        found = iter(found)
        slopes = [next(found) if leaf.requires_grad else None for leaf in leaves]
        told = [None if slope is None else packer.tensor(slope) for slope in slopes]
        return {"slopes": told}, bytes(packer.blob)


def _same(then: object, now: object) -> bool:
    import torch

    return then.shape == now.shape and torch.equal(then.nan_to_num(), now.detach().nan_to_num())


def _is_unwritten(answer: object) -> bool:
    from vae_lib.exercises.answers import is_unwritten

    return is_unwritten(answer, [None], None)


def _seed(seed: int) -> None:
    import random

    import numpy as np
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


def failure(error: BaseException, answers: Answers) -> dict:
    """An error in words."""
    from vae_lib.exercises.answers import is_unwritten
    from vae_lib.exercises.values import name_of

    try:
        text = str(error)[:500]
    except BaseException:
        text = ""
    unwritten = any(callable(kept) and is_unwritten(kept, [], error) for kept in answers.kept[:1])
    line = _line_in_a_cell(error)
    return {"error": name_of(type(error)), "text": text, "line": line, "unwritten": unwritten}


def _line_in_a_cell(error: BaseException) -> int | None:
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith("cell "):
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def serve(settings: dict, orders: object, replies: object) -> None:
    """Do what the judge says until it says no more."""
    from grading import wire

    answers = None
    wire.send(replies, {"ready": True})
    while True:
        message, blob = wire.receive(orders)
        if message["do"] == "load":  # another exercise, which knows nothing of the last one
            answers = Answers()
        try:
            reply, data = getattr(answers, message["do"])(message, blob)
            wire.send(replies, reply, data)
        except BaseException as error:
            wire.send(replies, failure(error, answers))


def main() -> None:
    settings = json.loads(sys.argv[1])
    sys.path[:] = [*settings["path"], *sys.path[1:]]
    orders, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    enter(settings)
    with contextlib.suppress(EOFError, BrokenPipeError):
        serve(settings, orders, replies)


if __name__ == "__main__":
    main()
