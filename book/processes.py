"""Programs that are started: where an environment's Python lies, and who answers to Ctrl-C.

Nothing but the standard library, since the commands need it before anything is installed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def python_of(environment: Path) -> Path:
    """An environment's Python, which may not be there yet."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def call(line: list[str], **options: object) -> int:
    """Run a program and return its exit status; Ctrl-C, which it gets as well, is its affair.

    `subprocess.run` would kill it a moment later, with what it started or has not yet put away.
    """
    with subprocess.Popen(line, **options) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
