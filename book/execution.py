"""Run one notebook, and say what was found: the executor of the site, the tests and the audit.

A run goes on after a cell that fails, so that all that is wrong is found at once. After each code
cell the kernel is asked for the numbers in the prose below it. What `findings` says of a run is
recorded beside the executed copy (`records.py`), and read there by whoever needs it.
"""

from __future__ import annotations

import copy
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from printed_numbers import (
    Value,
    answers,
    is_checked,
    is_claim,
    numbers_below,
    output_problem,
    prose_problems,
    questions,
)

CELL_TIMEOUT = 300
MAY_RAISE = "raises-exception"

Result = TypeVar("Result")

_running: set[NotebookClient] = set()


@dataclass
class Run:
    """A notebook with the outputs of a run, and what its prose asks for."""

    notebook: NotebookNode
    dataset: str = ""
    seconds: float = 0.0
    values: list[list[Value]] = field(default_factory=list)  # of each code cell, in order
    stopped: dict | None = None  # the cell at which the run ended early, and why


def run(
    notebook: NotebookNode,
    *,
    dataset: str = "",
    before: str = "",
    timeout: int = CELL_TIMEOUT,
    python: str = "",
    variables: dict[str, str | None] | None = None,
) -> Run:
    """Run a copy of a notebook on a data set (VAE_BOOK_DATASET), with `before` run first, unseen.

    The kernel works in a folder of its own, so that a chapter cannot lean on a file that lies
    beside it: in Colab there is none. It is this program's own Python, whatever the file names, or
    the one given, with environment variables set, or taken away by None, as `variables` says.
    """
    result, start = Run(copy.deepcopy(notebook), dataset), time.perf_counter()
    temporary = tempfile.TemporaryDirectory
    with temporary() as folder, temporary() as sockets, tempfile.TemporaryFile() as last_words:
        kernel = _kernel_of(python or sys.executable, sockets)
        client = _client(result.notebook, kernel, timeout)
        conversation = _Conversation(client, result, before)
        client.on_cell_start = conversation.on_cell_start
        client.on_cell_executed = conversation.on_cell_executed
        _running.add(client)
        try:
            environment = _environment(dataset, variables or {})
            # What a kernel itself writes there, beside what cells print, is worth a reader's time
            # only if it died: one that is told to end may find its sockets closed, and complain.
            client.execute(env=environment, cwd=folder, cleanup_kc=True, stderr=last_words)
        except Exception as error:
            # A timeout, a kernel that died or never came. Cells that raise do not end a run.
            reason = _reason(error, timeout, last_words)
            result.stopped = {"cell": conversation.at, "reason": reason}
        finally:
            _running.discard(client)
    result.seconds = round(time.perf_counter() - start, 1)
    return result


@dataclass
class _Conversation:
    """What is said to the kernel beside the notebook's own cells."""

    client: NotebookClient
    result: Run
    before: str
    at: int | None = None  # the cell that was started last

    async def on_cell_start(self, cell: NotebookNode, cell_index: int) -> None:
        if self.before and self.at is None:
            reply = await self.ask(self.before)
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"before the first cell: {reply['content']['evalue']}")
        self.at = cell_index
        if cell.cell_type == "code":
            self.result.values.append([])

    async def on_cell_executed(
        self, cell: NotebookNode, cell_index: int, execute_reply: dict
    ) -> None:
        numbers = numbers_below(self.result.notebook.cells, cell_index)
        if numbers:
            reply = await self.ask("", user_expressions=questions(numbers))
            self.result.values[-1] = answers(reply)

    async def ask(self, code: str, user_expressions: dict | None = None) -> dict:
        return await self.client.kc.execute_interactive(
            code, silent=True, store_history=False, user_expressions=user_expressions, timeout=60
        )


def _client(notebook: NotebookNode, kernel: AsyncKernelManager, timeout: int) -> NotebookClient:
    return NotebookClient(
        notebook,
        km=kernel,
        timeout=timeout,
        allow_errors=True,
        coalesce_streams=True,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )


def side_by_side(calls: Iterable[Callable[[], Result]], *, jobs: int) -> Iterator[Result]:
    """What each call gives, as it comes, `jobs` at a time and begun in the given order.

    Kernels are processes of their own, so threads are enough to wait for them; and kernels end
    when this process does, so that a kill leaves nobody behind to write.
    """
    pool = ThreadPoolExecutor(max(1, jobs))
    try:
        for done in as_completed([pool.submit(call) for call in calls]):
            yield done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        raise
    pool.shutdown()


def stop_all() -> None:
    """End the runs that other threads are at: their kernels are killed, and they come to an end."""
    for client in list(_running):
        _kill(client)


def _kill(client: NotebookClient) -> None:
    pid = getattr(client.km.provisioner, "pid", None)
    if pid:
        os.kill(pid, 9)


def _kernel_of(python: str, sockets: str) -> AsyncKernelManager:
    # Reached by files in a folder, where there are Unix sockets: kernels that start side by side
    # are else given the same free port once in a while.
    where = {"transport": "ipc", "ip": f"{sockets}/kernel"} if os.name == "posix" else {}
    manager = AsyncKernelManager(kernel_name="python3", **where)
    manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])
    manager.kernel_spec.argv[0] = python
    return manager


def _environment(dataset: str, variables: dict[str, str | None]) -> dict[str, str]:
    """One thread a kernel: with more threads than free cores a 2 s cell was seen to take 73 s."""
    left_out = {"MPLBACKEND", "VAE_BOOK_DATASET"}  # the kernel's own draws in the page
    inherited = {name: value for name, value in os.environ.items() if name not in left_out}
    # Progress bars would be printed on the page.
    ours = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    if dataset:
        ours["VAE_BOOK_DATASET"] = dataset
    if "VAE_LIB_DATA" in inherited:  # relative to where this program was started
        ours["VAE_LIB_DATA"] = str(Path(inherited["VAE_LIB_DATA"]).resolve())
    everything = inherited | ours | variables
    return {name: value for name, value in everything.items() if value is not None}


def _reason(error: Exception, timeout: int, last_words: BinaryIO) -> str:
    if isinstance(error, CellTimeoutError):
        return f"the cell ran for more than {timeout} s"
    last_words.seek(0)
    said = last_words.read(1000).decode(errors="replace").strip()
    return f"{type(error).__name__}: {error}" + (said and f"; its kernel's last words: {said}")


def findings(result: Run, stored: NotebookNode) -> dict[str, list[dict]]:
    """What a run found, by kind, each with its cell's index: failures, outputs, prose, claims.

    `failures` are cells that raised or were never reached, and pictures that were not drawn;
    `outputs` and `prose` are printed numbers of the stored notebook that the run does not confirm,
    judged on the chapters' own data alone; `claims` are what cells have claimed, true or not.
    """
    found = {"failures": _failures(result), "outputs": [], "prose": [], "claims": []}
    fresh = result.notebook.cells
    positions = [i for i, cell in enumerate(fresh) if cell.cell_type == "code"]
    for i, values in zip(positions, result.values, strict=False):
        for output in filter(is_claim, fresh[i].outputs):
            found["claims"].append({"cell": i, **output["metadata"]["vae_book"]["claim"]})
        if result.dataset:
            continue
        for problem in prose_problems(numbers_below(stored.cells, i), values):
            found["prose"].append({"cell": i, "problem": problem})
        checked = is_checked(stored.cells[i])
        problem = output_problem(stored.cells[i].outputs, fresh[i].outputs) if checked else None
        if problem:
            found["outputs"].append({"cell": i, "problem": problem})
    return found


def _failures(result: Run) -> list[dict]:
    found = []
    for i, cell in enumerate(result.notebook.cells):
        outputs = cell.get("outputs", [])
        errors = [output for output in outputs if output["output_type"] == "error"]
        if errors and MAY_RAISE not in cell.metadata.get("tags", []):
            reason = f"{errors[0]['ename']}: {errors[0]['evalue']}"
            found.append({"cell": i, "reason": reason})
    if result.stopped:
        return [*found, result.stopped]
    return found or missing_pictures(result.notebook)


def missing_pictures(notebook: NotebookNode) -> list[dict]:
    """The cells that have a text for a picture (alt) but have drawn none."""
    found = []
    for i, cell in enumerate(notebook.cells):
        drawn = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        if "image" in cell.metadata.get("mystnb", {}) and not drawn:
            reason = "it has an alternative text but shows no picture"
            found.append({"cell": i, "reason": reason})
    return found
