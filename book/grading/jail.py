"""Locks a process in, from inside: what an answer may see, reach and use up.

Linux alone has all of it; what could not be had is found out by `probes`, which asks for what
should be refused. Nothing but the standard library, since it begins before anything else.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys

NEW_NAMESPACES = 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000
NEW_USER = 0x10000000  # the others: mounts, processes, network, IPC, host name
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
READ_ONLY, NO_SUID = 0x1, 0x2  # attributes of mount_setattr
AT_FDCWD, AT_RECURSIVE, DETACH = -100, 0x8000, 2
SYS_MOUNT_SETATTR = 442  # the same on every architecture, unlike pivot_root
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203}
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CAPABILITIES_VERSION = 0x20080522
INSIDE = 1000  # the user's number inside, where nobody is root
SCRATCH = "/scratch"
TMPFS = "mode=755,size={size},nr_inodes=4096"
DEVICES = ("null", "zero", "random", "urandom")

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _must(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, data: str | None = None
) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    _must(_libc.mount(*texts[:3], ctypes.c_ulong(flags), texts[3]), f"mount {target}")


def _read_only(target: str) -> None:
    attributes = struct.pack("QQQQ", READ_ONLY | NO_SUID, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(SYS_MOUNT_SETATTR),
        ctypes.c_int(AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(AT_RECURSIVE),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    _must(result, f"mount_setattr {target}")


def leave_the_rest_behind(root: str, visible: list[str], hidden: list[str], size: int) -> None:
    """Namespaces of its own, and at `root` all that will be there to see; raises OSError.

    The paths in `visible` are there to be read; the folders in `hidden` are empty even inside them.
    """
    is_root, user, group = os.geteuid() == 0, os.geteuid(), os.getegid()
    try:
        _must(_libc.unshare(NEW_NAMESPACES if is_root else NEW_NAMESPACES | NEW_USER), "unshare")
    except OSError:
        if not is_root:
            raise
        _must(_libc.unshare(NEW_NAMESPACES | NEW_USER), "unshare")
        is_root = False
    if not is_root:
        _name_inside(user, group)
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, TMPFS.format(size=size))
    devices = [f"/dev/{name}" for name in DEVICES]
    for path in [*visible, *devices]:
        _show(root, path)
        if path not in devices and not os.path.islink(root + path):
            _read_only(root + path)
    for path in hidden:
        if os.path.isdir(root + path) and any(path.startswith(f"{top}/") for top in visible):
            _mount("tmpfs", root + path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=555,size=4096")
    os.mkdir(root + "/proc")
    os.mkdir(root + SCRATCH)
    os.chmod(root + SCRATCH, 0o777)


def _name_inside(user: int, group: int) -> None:
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{INSIDE} {user} 1")
    _write("/proc/self/gid_map", f"{INSIDE} {group} 1")


def _show(root: str, path: str) -> None:
    """Bind what lies at `path` to the same place below `root`."""
    target = root + path
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, mode=0o755, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(path, target, None, MS_BIND | MS_REC)


def move_in(root: str) -> None:
    """Make `root` all there is, from a process that is the first of its namespace."""
    with contextlib.suppress(OSError):  # a container may have hidden parts of its own
        _mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV)
    os.chdir(root)
    number = SYS_PIVOT_ROOT[os.uname().machine]
    _must(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    _must(_libc.umount2(b".", DETACH), "umount")
    os.chdir(SCRATCH)
    with contextlib.suppress(OSError):  # memory that no limit of a process counts
        _write("/proc/sys/kernel/shmall", "0")
    if os.geteuid() == INSIDE:
        _forbid_namespaces()


def _forbid_namespaces() -> None:
    """In which it could mount what no limit counts; called in a user namespace of its own."""
    with contextlib.suppress(OSError):
        _write("/proc/sys/user/max_user_namespaces", "0")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def give_up_rights(user: int) -> None:
    """Become nobody, for good; the kernel, short of memory, is to take this process first."""
    with contextlib.suppress(OSError):
        _write("/proc/self/oom_score_adj", "1000")
    if os.geteuid() == 0 and hasattr(os, "setresuid"):
        for number in (user, 20_000 + user % 40_000):  # a container may know few users
            with contextlib.suppress(OSError):
                os.setgroups([])
                os.setresgid(number, number, number)
                os.setresuid(number, number, number)
                _in_a_user_namespace(number)
                break
    if _libc is not None:
        header = struct.pack("Ii", CAPABILITIES_VERSION, 0)
        _libc.capset(header, struct.pack("6I", *[0] * 6))
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _in_a_user_namespace(user: int) -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # or its maps in /proc are root's
        if _libc.unshare(NEW_USER) == 0:
            _name_inside(user, user)
            _forbid_namespaces()


def limit(*, memory: int, processes: int | None, file_size: int, seconds: int) -> None:
    """Limits of this process and what it starts; `memory` is what it may take beyond now, bytes.

    `processes` counts those of the user, threads too; None leaves it, where others share the user.
    """
    import resource

    def at_most(kind: str, value: int) -> None:
        hard = resource.getrlimit(getattr(resource, kind))[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):  # the system has none that can be kept
            resource.setrlimit(getattr(resource, kind), (value, value))

    at_most("RLIMIT_CORE", 0)
    at_most("RLIMIT_FSIZE", file_size)
    at_most("RLIMIT_NOFILE", 64)
    at_most("RLIMIT_CPU", seconds)
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
        at_most("RLIMIT_AS", pages * os.sysconf("SC_PAGE_SIZE") + memory)
    if processes is not None:
        at_most("RLIMIT_NPROC", processes)


def kept_on_a_leash(*, with_others: bool) -> None:
    """Go on in a child. What stays behind ends it when it is told to, or when its own parent ends.

    Where the child has a process namespace it is the first there, and all others end with it.
    Elsewhere, `with_others`, what is left of its group of processes is ended after it.
    """
    parent = os.getppid()
    child = os.fork()
    if child == 0:
        return
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    if os.getppid() != parent:
        os.kill(child, signal.SIGKILL)
    for number in (0, 1):
        os.close(number)
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # so that its number stays its own
    else:
        os.waitpid(child, 0)
    if with_others:
        os.killpg(0, signal.SIGKILL)
    os._exit(0)
