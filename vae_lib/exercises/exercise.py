"""What a chapter's exercise module holds: exercises, and the mistakes that they recognise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

Status = Literal["correct", "wrong", "not attempted", "not checked"]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and the hint that leads out of it.

    `wrong` takes the oracle's place: a function of the same arguments, or a value. A learner whose
    outputs equal those of `wrong` on every case made this mistake, however it was written. Where
    the outputs are summarised in words, `wrong` may be these words, for what takes long to do.
    """

    name: str
    wrong: Any
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: what the right answer gives, on which inputs, and the mistakes it recognises.

    id: "2.1" is the first exercise of chapter 2, "2.a" the first fill-in beside its text, and "I.1"
        the first piece of Project I.
    oracle: a function that computes the right output by another road than the printed solution
        (torch.distributions, autograd, quadrature), with the stub's name of each argument; or, with
        `cases` left out, the right value itself (a number, a string such as "b", a tuple of these).
    mistakes: at least two, told apart by their outputs on the cases.
    cases: draws argument tuples from a generator. It is called afresh for every function that is
        judged, so that nothing one function does to its inputs reaches another.
    summarise: summarise(output, *arguments) is compared in place of the output: the moments of
        samples, the mean of a distribution, the gradient of a loss. Where there are no cases, the
        answer may be anything, such as trained networks, and summarise(answer) is compared; the
        oracle and each `wrong` are then summaries, and what `summarise` prints is shown.
    in_place: the names of arguments that the answer may change: networks that it is to train.
    compare: compare(output, expected) -> bool, in place of equality within the tolerances.
    rtol, atol: the tolerances, as in torch.allclose; the defaults leave room for float32.
    seconds: how long the answer may take over all cases together.
    """

    id: str
    oracle: Any
    mistakes: tuple[Mistake, ...]
    cases: Callable[[torch.Generator], Sequence[tuple]] | None = None
    summarise: Callable[..., Any] | None = None
    in_place: tuple[str, ...] = ()
    compare: Callable[[Any, Any], bool] | None = None
    rtol: float = 1e-4
    atol: float = 1e-5
    seconds: float = 2.0


@dataclass(frozen=True)
class Verdict:
    """What `check` found: `hint` is one sentence or two for the learner, `mistake` its name."""

    exercise: str
    status: Status
    hint: str = ""
    mistake: str | None = None
    printed: str = ""
