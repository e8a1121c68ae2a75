"""What surrounds an answer while it runs, and is put back as it was afterwards."""

from __future__ import annotations

import builtins
import contextlib
import functools
import gc
import operator
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_ORACLES = ("vae_lib.exercises.chapter_", "vae_lib.exercises.project_")

# Whose functions an answer may have replaced. The classes of the last three are looked into too.
_MODULES = ("math", "random", "sys", "time", "numpy", "numpy.linalg", "numpy.random")
_TORCH = ("torch", "torch.autograd", "torch.fft", "torch.linalg", "torch.nn.functional")
_PACKAGES = ("torch.distributions", "torch.special", "vae_lib")
_WAYS_OUT = (
    (os, ("_exit", "abort", "kill", "killpg", "execv", "execve")),
    (signal, ("alarm", "setitimer", "raise_signal", "pthread_kill")),
)
_BUILTINS = vars(builtins)
_MISSING = object()


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the random states, set torch's modes to their defaults, restore both afterwards.

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
        with torch.inference_mode(False), _on_the_cpu():
            yield
    finally:
        _set_torch_modes(*modes)
        torch.set_rng_state(random_states[0])
        np.random.set_state(random_states[1])  # noqa: NPY002
        random.setstate(random_states[2])
        if gpu_states:
            torch.cuda.set_rng_state_all(gpu_states)


@contextlib.contextmanager
def restored(seed: int) -> Iterator[None]:
    """As `seeded`, and for an answer: whatever it sets or replaces is put back.

    Functions and classes of torch, torch.distributions, numpy, vae_lib, math, random and the
    built-in ones; torch's threads, anomaly mode, precision and function modes; numpy's error and
    print settings; matplotlib's rc; folder, environment, import path, loaded modules, streams,
    hooks, warnings' filters, signal handlers, recursion limit, garbage collection.
    """
    namespaces = [(space, dict(vars(space))) for space in _namespaces(len(sys.modules))]
    modules, settings = dict(sys.modules), _read_settings()
    with seeded(seed), warnings.catch_warnings():
        n_modes = [count() for count, _ in _mode_stacks()]
        try:
            with _eager(), _without_oracles(), _no_way_out():
                yield
        finally:
            _BUILTINS.update(namespaces[0][1])  # first, since all that follows uses them
            for space, saved in namespaces:
                _put_back(space, saved)
            sys.modules.update(modules)
            _leave_modes(n_modes)
            for write, value in settings:
                with contextlib.suppress(Exception):
                    write(value)


def _torch_modes() -> tuple[torch.dtype, torch.device, bool, bool, bool]:
    return (
        torch.get_default_dtype(),
        _default_device(),
        torch.is_grad_enabled(),
        *_deterministic_flags(),
    )


def _deterministic_flags() -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _default_device() -> torch.device:
    try:
        return torch.get_default_device()
    except AttributeError:  # torch 2.6's own fault, after set_default_device(None)
        return torch.device("cpu")


def _on_the_cpu() -> contextlib.AbstractContextManager:
    """Inside the learner's own `with torch.device(...)`, which no default takes away."""
    cpu = torch.device("cpu")
    return contextlib.nullcontext() if _default_device() == cpu else cpu


def _set_torch_modes(
    dtype: torch.dtype, device: torch.device, grad: bool, deterministic: bool, warn_only: bool
) -> None:
    torch.set_default_dtype(dtype)
    if _default_device() != device:
        # "cpu" would leave a device context on for good; None takes it away.
        torch.set_default_device(None if device.type == "cpu" else device)
    torch.set_grad_enabled(grad)
    # Only where they differ: with the first call torch imports its compiler, which takes seconds.
    if _deterministic_flags() != (deterministic, warn_only):
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


@functools.lru_cache(maxsize=1)
def _namespaces(n_modules: int) -> list[ModuleType | type]:
    """The modules and classes whose entries are restored, of those `n_modules` that are loaded."""
    spaces: list[ModuleType | type] = [builtins, Tensor, nn.Module]
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType):
            continue
        in_package = name.startswith(_PACKAGES)
        if name in _MODULES or name in _TORCH or in_package:
            spaces.append(module)
        if in_package:
            spaces += [
                entry
                for entry in vars(module).values()
                if isinstance(entry, type) and entry.__module__ == name
            ]
    return spaces


def _put_back(space: ModuleType | type, saved: dict[str, Any]) -> None:
    now = vars(space)
    if len(now) == len(saved) and all(map(operator.is_, now.values(), saved.values())):
        return  # and the names are the same, since a new one comes last
    for name, value in saved.items():
        if vars(space).get(name, _MISSING) is not value:
            setattr(space, name, value)
    for name in [name for name in vars(space) if name not in saved]:
        # A submodule that was imported meanwhile stays, and so do the marks of the interpreter.
        if not isinstance(vars(space)[name], ModuleType) and not name.startswith("__"):
            delattr(space, name)


def _read_settings() -> list[tuple[Callable[[Any], object], Any]]:
    """What is set through functions: each function with the value that puts things back."""
    path, environment, flags = list(sys.path), dict(os.environ), np.geterr()
    settings: list[tuple[Callable[[Any], object], Any]] = [
        (torch.set_num_threads, torch.get_num_threads()),
        (_set_anomaly_mode, (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())),
        (torch.set_float32_matmul_precision, torch.get_float32_matmul_precision()),
        (_set_environment, environment),
        (lambda entries: sys.path.__setitem__(slice(None), entries), path),
        (sys.setrecursionlimit, sys.getrecursionlimit()),
        (lambda enabled: gc.enable() if enabled else gc.disable(), gc.isenabled()),
        (lambda saved: np.seterr(**saved), flags),
        (lambda saved: np.set_printoptions(**saved), np.get_printoptions()),
        (sys.setprofile, sys.getprofile()),
    ]
    with contextlib.suppress(OSError):  # the folder may have been deleted
        settings.append((os.chdir, os.getcwd()))
    if "matplotlib" in sys.modules:
        parameters = sys.modules["matplotlib"].rcParams
        settings.append((lambda saved: dict.update(parameters, saved), dict(parameters)))
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        settings.append((_set_handlers, handlers))
    return settings


def _set_anomaly_mode(saved: tuple[bool, bool]) -> None:
    torch.autograd.set_detect_anomaly(saved[0], check_nan=saved[1])


def _set_environment(saved: dict[str, str]) -> None:
    if dict(os.environ) != saved:
        os.environ.clear()
        os.environ.update(saved)


def _set_handlers(saved: dict[int, Any]) -> None:
    for number, handler in saved.items():
        if signal.getsignal(number) is not handler and handler is not None:
            signal.signal(number, handler)


def _mode_stacks() -> list[tuple[Callable[[], int], Callable[[], object]]]:
    """How many modes intercept torch's functions and operators, and how the last is taken away."""
    return [
        (
            getattr(torch._C, f"_len_torch_{kind}_stack"),
            getattr(torch._C, f"_pop_torch_{kind}_stack"),
        )
        for kind in ("function", "dispatch")
        if hasattr(torch._C, f"_len_torch_{kind}_stack")
    ]


def _leave_modes(n_modes: list[int]) -> None:
    """Leave the modes that the answer has entered and not left."""
    torch.set_default_device(None)  # a mode as well, but one that is taken away in its own way
    for (count, pop), wanted in zip(_mode_stacks(), n_modes, strict=True):
        while count() > wanted:
            pop()


@contextlib.contextmanager
def _eager() -> Iterator[None]:
    """Nothing is compiled meanwhile, and what was compiled runs as it is written.

    That is the same function, and compiling it may take a minute and must not be interrupted.
    """
    with contextlib.ExitStack() as stack:
        if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.callback(setattr, torch, "compile", torch.compile)
        torch.compile = _as_written
        yield


def _as_written(model: Any = None, **options: object) -> Any:  # noqa: ANN401
    """Takes torch.compile's place, as a function and as a decorator with options."""
    return (lambda function: function) if model is None else model


@functools.lru_cache(maxsize=1)
def _oracles(n_modules: int) -> list[str]:
    """The names of those among the `n_modules` that are loaded."""
    return [name for name in sys.modules if name.startswith(_ORACLES)]


@contextlib.contextmanager
def _without_oracles() -> Iterator[None]:
    """The modules that hold the right answers cannot be imported meanwhile."""
    package = sys.modules["vae_lib.exercises"]
    hidden = {name: sys.modules[name] for name in _oracles(len(sys.modules))}
    names = [name.rpartition(".")[2] for name in hidden]
    attributes = {name: vars(package)[name] for name in names if name in vars(package)}
    try:
        sys.modules.update(dict.fromkeys(hidden))
        for name in attributes:
            delattr(package, name)
        yield
    finally:
        sys.modules.update(hidden)
        for name, module in attributes.items():
            setattr(package, name, module)


@contextlib.contextmanager
def _no_way_out() -> Iterator[None]:
    """What would end the process, or the timer that stops an endless answer, raises meanwhile."""
    ways = [(module, name) for module, names in _WAYS_OUT for name in names]
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
        ways.append((shell, "ask_exit"))  # by exit() and quit(), which are the notebook's own
    ways = [(place, name) for place, name in ways if hasattr(place, name)]
    originals = [getattr(place, name) for place, name in ways]
    try:
        for (place, name), original in zip(ways, originals, strict=True):
            setattr(place, name, _refusing(original, name))
        yield
    finally:
        for (place, name), original in zip(ways, originals, strict=True):
            setattr(place, name, original)


def _refusing(original: Callable, name: str) -> Callable:
    """`original` for other threads and processes, and for signals to others; an error for this."""
    here = os.getpid(), threading.get_ident()

    def refusing(*arguments: Any) -> Any:  # noqa: ANN401
        to_another = name == "kill" and arguments[0] > 0 and arguments[0] != here[0]
        if (os.getpid(), threading.get_ident()) != here or to_another:
            return original(*arguments)
        raise PermissionError(f"{name} is not allowed while an answer is checked")

    return refusing
