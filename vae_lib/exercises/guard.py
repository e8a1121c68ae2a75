"""Call a learner's function so that nothing it does stops the notebook: not even never ending."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from vae_lib.exercises import stopping

_KEPT_CHARACTERS = 2000


@dataclass(frozen=True)
class Outcome:
    """What came of a call: a value, an error, or neither because time was up."""

    value: Any = None
    error: BaseException | None = None
    timed_out: bool = False
    printed: str = ""

    @property
    def succeeded(self) -> bool:
        return self.error is None and not self.timed_out


def call(function: Callable[[], Any], *, seconds: float) -> Outcome:
    """Call `function`, catch all that it raises, and stop it after `seconds`.

    Only the user's own interrupt (Ctrl-C, or the notebook's stop button) passes through. What
    cannot be stopped is said in `stopping.run`.
    """
    output = _BoundedText()
    unraisable_hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    with (
        _user_interrupts(),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        try:
            run = stopping.run(function, seconds=seconds)
        finally:
            sys.unraisablehook = unraisable_hook
    if run.stopped:
        return Outcome(timed_out=True, printed=output.getvalue())
    return Outcome(run.value, run.error, printed=output.getvalue())


class _BoundedText(io.StringIO):
    """Keeps the first characters written to it and drops the rest."""

    def write(self, text: str) -> int:
        room = _KEPT_CHARACTERS - self.tell()
        super().write(text if len(text) <= room else text[: max(room, 0)])
        return len(text)

    def close(self) -> None:
        """Not by the answer, since what it printed is still to be read."""


@contextlib.contextmanager
def _user_interrupts() -> Iterator[None]:
    """Tell the user's interrupt from a KeyboardInterrupt that the function raises by itself."""
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield
        return
    interrupted = False

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if interrupted:
            raise KeyboardInterrupt
