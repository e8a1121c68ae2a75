"""Run a learner's function so that nothing it does reaches the notebook: not even never ending."""

from __future__ import annotations

import contextlib
import ctypes
import io
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
import torch

_RETRY = 0.05  # seconds between attempts to stop a function that catches the first one
_KEPT_CHARACTERS = 2000


@dataclass(frozen=True)
class Outcome:
    """What came of a call: a value, an error, or neither because time was up."""

    value: Any = None
    error: BaseException | None = None
    timed_out: bool = False
    printed: str = ""


def call(function: Callable[[], Any], *, seconds: float) -> Outcome:
    """Call `function`, catch all that it raises, and stop it after `seconds` whatever it does.

    Only the user's own interrupt (Ctrl-C, or the notebook's stop button) passes through.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    limited = _with_alarm if on_main_thread and hasattr(signal, "setitimer") else _with_watchdog
    output = _BoundedText()
    value, error, start = None, None, time.monotonic()
    unraisable_hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    with (
        _user_interrupts(on_main_thread),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        try:
            value = limited(function, seconds)
        except BaseException as raised:
            error = raised
        finally:
            sys.unraisablehook = unraisable_hook
    # By the clock, since the function may have caught what stopped it and returned all the same.
    if time.monotonic() - start >= seconds:
        return Outcome(timed_out=True, printed=output.getvalue())
    return Outcome(value, error, printed=output.getvalue())


@contextlib.contextmanager
def unchanged_globals(seed: int) -> Iterator[None]:
    """Seed the random states, set torch's global modes to their defaults, restore all afterwards.

    Covers the states of torch (GPUs too), numpy and random, and torch's default type and device,
    its gradient mode and its deterministic flags.
    """
    random_states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    gpu_states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    modes = _torch_modes()
    try:
        _set_torch_modes(torch.float32, torch.device("cpu"), True, False, False)
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        yield
    finally:
        _set_torch_modes(*modes)
        torch.set_rng_state(random_states[0])
        np.random.set_state(random_states[1])  # noqa: NPY002
        random.setstate(random_states[2])
        if gpu_states:
            torch.cuda.set_rng_state_all(gpu_states)


def _torch_modes() -> tuple[torch.dtype, torch.device, bool, bool, bool]:
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _set_torch_modes(
    dtype: torch.dtype, device: torch.device, grad: bool, deterministic: bool, warn_only: bool
) -> None:
    torch.set_default_dtype(dtype)
    if torch.get_default_device() != device:
        # "cpu" would leave a device context on for good; None takes it away.
        torch.set_default_device(None if device.type == "cpu" else device)
    torch.set_grad_enabled(grad)
    torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


class _BoundedText(io.StringIO):
    """Keeps the first characters written to it and drops the rest."""

    def write(self, text: str) -> int:
        room = _KEPT_CHARACTERS - self.tell()
        super().write(text if len(text) <= room else text[: max(room, 0)])
        return len(text)


@contextlib.contextmanager
def _user_interrupts(on_main_thread: bool) -> Iterator[None]:
    """Tell the user's interrupt from a KeyboardInterrupt that the function raises by itself."""
    previous = signal.getsignal(signal.SIGINT)
    if not (on_main_thread and callable(previous)):
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


def _with_alarm(function: Callable[[], Any], seconds: float) -> Any:  # noqa: ANN401
    """Stop by a timer signal, which ends even a sleep; only Unix's main thread has one."""
    time_up = _new_time_up()

    def alarm(signal_number: int, frame: FrameType | None) -> None:
        if frame is None or frame.f_code.co_filename != __file__:
            raise time_up

    start, tracer = time.monotonic(), sys.gettrace()
    handler = signal.signal(signal.SIGALRM, alarm)
    delay, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _RETRY)
    try:
        sys.settrace(None)  # an exception inside a tracer (coverage) could leave its lock locked
        return function()
    finally:
        time_up.pursuing = False
        sys.settrace(tracer)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if delay:  # somebody else's timer was running: give it the time it has left
            left = max(delay - (time.monotonic() - start), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _with_watchdog(function: Callable[[], Any], seconds: float) -> Any:  # noqa: ANN401
    """Stop by an exception that another thread sets: anywhere, but only between two bytecodes."""
    time_up, this_thread = _new_time_up(), ctypes.c_ulong(threading.get_ident())
    set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
    finished = threading.Event()

    def watch() -> None:
        # CPython 3.11: where an exception is pending, traced threads wait at every call.
        sys.settrace(None)
        delay = seconds
        while not finished.wait(delay) and time_up.pursuing:
            set_exception(this_thread, ctypes.py_object(time_up))
            delay = _RETRY

    watchdog, tracer = threading.Thread(target=watch, daemon=True), sys.gettrace()
    watchdog.start()
    try:
        sys.settrace(None)  # as above
        return function()
    finally:
        time_up.pursuing = False  # first, as the next call may receive an exception
        try:
            sys.settrace(tracer)
        finally:
            _finish(watchdog, finished, time_up)


def _finish(
    watchdog: threading.Thread, finished: threading.Event, time_up: type[BaseException]
) -> None:
    """End the watchdog, and receive what it may still have sent before that is raised elsewhere."""
    while True:
        try:
            finished.set()
            watchdog.join()
            time.sleep(0)  # a pending exception is raised after a call
            return
        except time_up:
            continue


def _new_time_up() -> type[BaseException]:
    """An exception that `except:` doesn't hold: wherever it is caught, the next line raises again.

    It comes back when it is made and when its handler lets go of it, through a trace function on
    the frames that run, so that it leaves loops and recursions which catch everything. A trace
    function is dropped once it has raised, hence the renewal.
    """

    class TimeUp(BaseException):
        pursuing = True

        def __init__(self) -> None:
            super().__init__("time is up")
            self.__del__()

        def __del__(self) -> None:
            if TimeUp.pursuing:
                _trace_running_frames(raise_at_line)

    def raise_at_line(frame: FrameType, event: str, argument: object) -> Callable | None:
        if frame.f_code.co_filename == __file__:
            return None
        if event == "line":
            raise TimeUp
        return raise_at_line

    return TimeUp


def _trace_running_frames(tracer: Callable) -> None:
    frame = sys._getframe()
    while frame is not None and frame.f_code not in (_with_alarm.__code__, _with_watchdog.__code__):
        frame.f_trace = tracer
        frame = frame.f_back
    sys.settrace(tracer)
