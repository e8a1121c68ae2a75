"""What the judge has in the place of an answer's functions and networks: these ask its process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from grading import wire
from grading.errors import OF_A_CELL
from torch import Tensor, nn

from vae_lib.exercises.values import shown

if TYPE_CHECKING:
    from grading.judges_side import Answers

MOST_PARAMETERS = 40


def with_slopes(
    answers: Answers, call: int, leaves: Sequence[Tensor], found: Sequence[Tensor]
) -> dict[int, Tensor]:
    """By the id of each output of a call, its twin, through which gradients reach the leaves."""
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    if not found or not wanted or not torch.is_grad_enabled():
        return {}
    given = _WithSlopes.apply(answers, call, list(leaves), found, *wanted)
    return {id(tensor): twin for tensor, twin in zip(found, given, strict=True)}


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


def stand_in(answers: Answers, told: dict) -> Callable:
    """A function, or a class, of the answer's name and arguments, that asks the other process."""
    target, name, draws = told["function"], shown(str(told.get("name")), 40), _Draws()

    def answer(*arguments: Any) -> Any:  # noqa: ANN401
        leaves = wire.tensors_of(list(arguments))
        return answers.call(target, arguments, leaves, seed=draws.seed())

    answer.__wrapped__ = OF_A_CELL
    signature = _signature(told.get("parameters"))
    if told.get("is_class") is True:
        made = type(name, (), {"__new__": lambda cls, *given: answer(*given)})
    else:
        made, answer.__name__ = answer, name
    if signature is not None:
        made.__signature__ = signature
    return made


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
    except (KeyError, TypeError, ValueError):
        return None
