"""Grades hand-ins side by side, each with a judge of its own: none costs another anything."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

from grading.isolation import START
from grading.judging import Task, graded

# Forked, a judge has torch already. Elsewhere it is begun anew, which takes seconds.
_METHOD = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
SLACK = START + 60.0  # seconds beyond a hand-in's own, for starting and for what the judge computes


def _judge(results: Connection, task: Task) -> None:
    try:
        result = graded(task)
    except Exception as error:
        problem = f"The grader failed on it ({type(error).__name__}). Please report this."
        result = nothing_known(task, problem)
    results.send_bytes(json.dumps(result).encode())
    results.close()


def nothing_known(task: Task, problem: str) -> dict:
    hand_in = task.hand_in
    named = {"student": hand_in.student, "file": hand_in.name}
    return named | {"chapter": None, "problem": problem, "grades": []}


def grade_all(tasks: list[Task], jobs: int) -> Iterator[dict]:
    """The result of each task, as they come, so many at a time."""
    context = multiprocessing.get_context(_METHOD)
    waiting, running = list(tasks), {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                results, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_judge, args=(theirs, task), daemon=True)
                process.start()
                theirs.close()
                running[results] = process, task, time.monotonic() + task.seconds + SLACK
            yield from _finished(running)
    finally:
        for results, (process, _, _) in running.items():
            process.kill()
            results.close()


def _finished(running: dict) -> Iterator[dict]:
    """Waits a moment, and takes those away from `running` that have ended, or must."""
    ready = wait(list(running), timeout=1.0)
    for results, (process, task, until) in list(running.items()):
        if results in ready:
            try:
                result = json.loads(results.recv_bytes())
            except EOFError:
                result = nothing_known(task, "The judge of it has ended. Please report this.")
        elif time.monotonic() > until:
            result = nothing_known(task, "Judging it took longer than it may.")
        else:
            continue
        process.kill()
        process.join()
        results.close()
        del running[results]
        yield result


def cores() -> int:
    """How many hand-ins are graded at a time, if nobody says it."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
