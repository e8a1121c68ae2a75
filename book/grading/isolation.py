"""What the answers' process is given: a library without oracles, few files, limits."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from grading.errors import Gone, is_of_an_answer
from grading.judges_side import Answers

import vae_lib

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ON_THE_OTHER_SIDE = ("__init__.py", "answers_side.py", "jail.py", "slicing.py", "wire.py")
OF_THE_SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime"),
    "/sys/devices/system/cpu",
)
MEMORY, PROCESSES, DISK, FILE_SIZE = 2 * 2**30, 4, 64 * 2**20, 16 * 2**20
START = 120.0  # seconds in which the process has to be there, torch imported
# Without these each answer would have threads of its own, on cores that others need too.
SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Isolation:
    """Where answers run: `work` is a folder of ours, `hidden` what they must not see."""

    work: Path
    hidden: tuple[Path, ...] = ()

    def prepare(self) -> None:
        """Lay out the library without oracles, beside what runs there."""
        library = self.work / "library"
        source = Path(vae_lib.__file__).parent
        oracles = shutil.ignore_patterns("chapter_*", "project_*", "trained.py", "__pycache__")
        shutil.copytree(source, library / "vae_lib", ignore=oracles)
        (library / HERE.name).mkdir()
        for name in ON_THE_OTHER_SIDE:
            shutil.copyfile(HERE / name, library / HERE.name / name)
        for folder in [self.work, *library.rglob("*"), library]:
            folder.chmod(0o755)

    def start(self, number: int, seconds: int, errors: object = None) -> Answers:
        """A process that is locked in and waits for orders; raises Gone if none comes of it.

        `number` tells it from those beside it, and `seconds` is what it may compute altogether.
        """
        folder = self.work / f"answers-{number}-{os.getpid()}"
        for name in ("root", "scratch"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name).chmod(0o777)
        packages, visible = _packages(), _visible(self.work / "library")
        copies = [Path(package) / "vae_lib" for package in packages]
        settings = {
            "path": [str(self.work / "library"), *packages],
            "root": str(folder / "root"),
            "scratch": str(folder / "scratch"),
            "visible": visible,
            "hidden": [str(p.resolve()) for p in (ROOT, *self.hidden, *copies) if p.exists()],
            "number": number * 100_000 + os.getpid() % 100_000,
            "seconds": seconds,
            "memory": MEMORY,
            "processes": PROCESSES,
            "disk": DISK,
            "file_size": FILE_SIZE,
        }
        program = str(self.work / "library" / HERE.name / "answers_side.py")
        options = ["-I", "-S", "-B", "-X", "utf8"]
        command = [sys.executable, *options, program, json.dumps(settings)]
        answers = Answers(command, _environment(), errors)
        try:
            answers.ready(START)
        except Gone:
            answers.end()
            raise
        return answers


def _environment() -> dict[str, str]:
    """Nothing of ours: no keys, no names."""
    kept = {"PATH": os.defpath, "LANG": "C.UTF-8", "USER": "answer", "MPLBACKEND": "agg"}
    kept |= dict.fromkeys(SINGLE, "1")
    return kept | {k: os.environ[k] for k in ("SYSTEMROOT",) if k in os.environ}


def _packages() -> list[str]:
    """Where torch and the others are installed."""
    known = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path]
    inside = [os.path.realpath(p) for p in known if p.endswith("-packages") and os.path.isdir(p)]
    return list(dict.fromkeys(inside))


def _visible(library: Path) -> list[str]:
    """What is there to read: system, Python, packages, and the library."""
    python = [os.path.realpath(p) for p in (sys.base_prefix, sys.prefix)]
    wanted = [*OF_THE_SYSTEM, *python, *_packages(), os.path.realpath(library)]
    kept: list[str] = []
    for path in wanted:
        inside = any(path == top or path.startswith(f"{top}/") for top in kept)
        if os.path.lexists(path) and not inside and path != "/":
            kept.append(path)
    return kept


# What an answer must not be able to do. Each is tried before anything is graded, since whether the
# system really refuses it is not to be told from its name.
PROBES = {
    "reach the network": """
    import socket
    socket.create_connection(("127.0.0.1", {port}), timeout=2)
    return 1.0""",
    "read files of yours": """
    return float(len(open({secret!r}).read()))""",
    "write outside of its scratch folder": """
    open({written!r}, "w").write("x")
    return 1.0""",
    "start many processes": """
    import os, time
    children = []
    for _ in range(40):
        child = os.fork()
        if child == 0:
            time.sleep(2)
            os._exit(0)
        children.append(child)
    return 1.0""",
    "take all memory": """
    held = bytearray({memory})
    return float(len(held))""",
    "see the processes of others": """
    import os
    return float(os.getppid())  # none, where the one that started it is out of sight""",
    "set up file systems of its own": """
    import ctypes
    return 1.0 if ctypes.CDLL(None).unshare(0x10020000) == 0 else 0.0""",
    "read the right answers": """
    from vae_lib.exercises import exercises
    return float(len(exercises()))""",
}


def missing_protections(isolation: Isolation) -> list[str]:
    """What an answer could do here and should not, tried out; empty where all is refused."""
    secret, written = isolation.work / "secret", isolation.work / "written"
    secret.write_text("not for answers")
    secret.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as server:
        known = {"port": server.getsockname()[1], "secret": str(secret), "written": str(written)}
        known |= {"memory": 2 * MEMORY}
        answers = isolation.start(0, 60)
        try:
            if not _succeeds(answers, "\n    return 1.0"):
                raise Gone
            found = [what for what in PROBES if _succeeds(answers, PROBES[what].format(**known))]
        finally:
            answers.end()
    if not written.exists():  # but in a file system that has gone with it
        found = [what for what in found if what != "write outside of its scratch folder"]
    return found


def _succeeds(answers: Answers, body: str) -> bool:
    cell = f'def probe():{body}\n\ncheck("0.0", probe)'
    try:
        probe = answers.load([cell], [True], "0.0", "probe", seconds=30)
        return probe() != 0
    except Exception as error:
        if is_of_an_answer(error):
            return False
        raise
