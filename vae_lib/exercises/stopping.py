"""Stop a function that does not end: by a timer's signal, or from another thread."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

_setitimer = getattr(signal, "setitimer", None)  # while an answer runs, that is refused to it
_RETRY = 0.05  # seconds between attempts to stop a function that catches the first one

# An import or a compilation that is cut off in the middle leaves its modules unusable until the
# kernel is restarted. Both end by themselves, and their time is not the answer's.
_NOT_TO_BE_CUT = ("<frozen importlib", "torch/_dynamo/convert_frame", "torch/_inductor/")
_LONGEST_IMPORT = 60.0  # seconds, since a module of the learner's may itself never end


class Run(NamedTuple):
    """What came of a function: its value or its error, and whether it had to be stopped."""

    value: Any
    error: BaseException | None
    stopped: bool


def run(function: Callable[[], Any], *, seconds: float) -> Run:
    """Call `function` and catch all that it raises; stop it after `seconds`.

    What can be stopped is Python code, line by line, whatever it catches. On Unix's main thread a
    signal ends what waits as well (a sleep). A single call that computes inside C, without
    returning to Python, ends when it ends. In CPython 3.13.0 a recursion that catches its own
    RecursionError may go on and on.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    limited = _with_alarm if on_main_thread and _setitimer is not None else _with_watchdog
    time_up, value, error = _new_time_up(), None, None
    start = time.monotonic()
    try:
        value = limited(function, seconds, time_up)
    except BaseException as raised:
        error = raised
    # By the clock too: a call inside C may be over only after its time, and then return.
    late = time.monotonic() - start >= seconds and not time_up.postponed
    return Run(value, error, time_up.raised or late)


def _with_alarm(function: Callable[[], Any], seconds: float, time_up: type) -> Any:  # noqa: ANN401
    """Stop by a timer signal, which ends even a sleep; only Unix's main thread has one."""
    start, tracer = time.monotonic(), sys.gettrace()

    def alarm(signal_number: int, frame: FrameType | None) -> None:
        if frame is None or frame.f_code.co_filename == __file__:
            return
        if not _is_postponed(time_up, frame, time.monotonic() - start):
            raise time_up

    handler = signal.signal(signal.SIGALRM, alarm)
    delay, interval = _setitimer(signal.ITIMER_REAL, seconds, _RETRY)
    try:
        sys.settrace(None)  # an exception inside a tracer (coverage) could leave its lock locked
        return function()
    finally:
        time_up.pursuing = False
        sys.settrace(tracer)
        _setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if delay:  # somebody else's timer was running: give it the time it has left
            left = max(delay - (time.monotonic() - start), 1e-3)
            _setitimer(signal.ITIMER_REAL, left, interval)


def _with_watchdog(function: Callable[[], Any], seconds: float, time_up: type) -> Any:  # noqa: ANN401
    """Stop by an exception that another thread sets: anywhere, but only between two bytecodes."""
    watched, finished, start = threading.get_ident(), threading.Event(), time.monotonic()
    set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        # CPython 3.11: where an exception is pending, traced threads wait at every call.
        sys.settrace(None)
        delay = seconds
        while not finished.wait(delay) and time_up.pursuing:
            frame = sys._current_frames().get(watched)
            if not _is_postponed(time_up, frame, time.monotonic() - start):
                set_exception(ctypes.c_ulong(watched), ctypes.py_object(time_up))
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
    watched = threading.get_ident()

    class TimeUp(BaseException):
        pursuing, raised, postponed = True, False, False

        def __init__(self) -> None:
            super().__init__("time is up")
            TimeUp.raised = True
            self.__del__()

        def __del__(self) -> None:
            # The watchdog, too, may be the one that lets go of it.
            if TimeUp.pursuing and threading.get_ident() == watched:
                _trace_running_frames(raise_at_line)

    def raise_at_line(frame: FrameType, event: str, argument: object) -> Callable | None:
        if frame.f_code.co_filename == __file__:
            return None
        if event == "line":
            raise TimeUp
        return raise_at_line

    return TimeUp


def _is_postponed(time_up: type, frame: FrameType | None, elapsed: float) -> bool:
    if time_up.raised or elapsed > _LONGEST_IMPORT or not _is_not_to_be_cut(frame):
        return False
    time_up.postponed = True
    return True


def _is_not_to_be_cut(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code not in (_with_alarm.__code__, _with_watchdog.__code__):
        name = frame.f_code.co_filename.replace("\\", "/")
        if any(part in name for part in _NOT_TO_BE_CUT):
            return True
        frame = frame.f_back
    return False


def _trace_running_frames(tracer: Callable) -> None:
    frame = sys._getframe()
    while frame is not None and frame.f_code not in (_with_alarm.__code__, _with_watchdog.__code__):
        frame.f_trace = tracer
        frame = frame.f_back
    sys.settrace(tracer)
