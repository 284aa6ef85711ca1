"""A forked kernel's own namespaces, and what it finds in them.

Runs inside the fork server, so it needs the standard library alone; ``forkserver`` says in which
order these are called.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.linux import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    PR_SET_DUMPABLE,
    mount,
    prctl,
    syscall,
    unmount,
)

# Paths inside the jail. The server sees SERVER_SIDE; a kernel finds an empty folder there.
SERVER_SIDE = Path("/srv")
CODE = SERVER_SIDE / "code"
RUNS = SERVER_SIDE / "runs"
SCRATCH = Path("/scratch")
HOME = Path("/home/student")
WORK = HOME / "work"
RUN = Path("/run/submission")
PRIVATE = {"home": HOME, "tmp": Path("/tmp"), "shm": Path("/dev/shm")}
# Helpers of the course that are not installed as packages.
PACKAGES = Path("/opt/packages")

# What the submission is inside: an ordinary user, the same for everyone.
INSIDE_ID = 1000
# What it is outside when the grader is root: a user that owns nothing and is nobody's.
OUTSIDE_ID = 65533

SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 0x40


def fork_into_namespaces() -> int:
    """Fork into fresh user, mount, PID, IPC, network and UTS namespaces.

    ``os.fork`` cannot start the child in a PID namespace of its own, so this is ``clone`` with
    what CPython does around a fork. The calling process must have one thread.

    Returns:
        0 in the child, which is PID 1 in there; the child's PID in the caller.
    """
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET
    flags |= CLONE_NEWUTS | signal.SIGCHLD
    zero = ctypes.c_long(0)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = -1
    try:
        pid = syscall("clone", ctypes.c_long(flags), zero, zero, zero, zero)
    finally:
        if pid != 0:
            ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    return pid


@contextlib.contextmanager
def as_outside_user() -> Iterator[None]:
    """Act as ``OUTSIDE_ID`` for a while, if root, so that a fork belongs to nobody.

    A user namespace made meanwhile is owned by that user, and can map it and nobody else.
    """
    if os.geteuid() != 0:
        yield
        return
    os.setegid(OUTSIDE_ID)
    os.seteuid(OUTSIDE_ID)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def become_student(uid: int, gid: int) -> None:
    """In a new user namespace, map its one user to ``INSIDE_ID`` and become it.

    Args:
        uid: the effective user that made the namespace, as the parent namespace counts.
        gid: its effective group.
    """
    # A process that changed its user owns none of its /proc files until it is dumpable again.
    prctl(PR_SET_DUMPABLE, 1)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {gid} 1")
    os.setresgid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    os.setresuid(INSIDE_ID, INSIDE_ID, INSIDE_ID)


def make_private_view(run_name: str, scratch_mb: int, keep: Iterable[Path]) -> None:
    """In a new mount namespace: private scratch, own ``/proc``, own run directory, no more.

    Everything else was mounted read-only before the server started.

    Args:
        run_name: name of the submission's folder in ``RUNS``.
        scratch_mb: size of its scratch, MiB.
        keep: what is to stay in sight of the folders that the scratch covers.
    """
    mount("none", Path("/"), flags=MS_REC | MS_PRIVATE)
    # One tmpfs for everything that can be written, so that one size bounds it all. Inodes cost
    # memory of the machine's, so they are bounded as well.
    size = f"size={scratch_mb}m,nr_inodes={max(1024, scratch_mb * 32)},mode=0755"
    mount("scratch", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, size)
    for name, target in PRIVATE.items():
        (SCRATCH / name).mkdir()
        for path in keep:
            if path.is_relative_to(target):
                _mount_again(path, SCRATCH / name / path.relative_to(target))
        for path in _environment_in(target):
            _mount_again(path, SCRATCH / name / path.name)
            sealed = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV
            mount("none", SCRATCH / name / path.name, flags=sealed)
        mount(str(SCRATCH / name), target, flags=MS_BIND | MS_REC)
    WORK.mkdir()
    unmount(SCRATCH)
    pty = "newinstance,ptmxmode=0666,mode=0620"
    mount("devpts", Path("/dev/pts"), "devpts", MS_NOSUID | MS_NOEXEC, pty)
    mount(str(RUNS / run_name), RUN, flags=MS_BIND)
    mount("none", RUN, flags=MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("empty", SERVER_SIDE, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=0555")
    mount("proc", Path("/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _environment_in(folder: Path) -> set[Path]:
    """What of ``folder`` leads to the Python environment: a checkout may lie in ``/tmp``."""
    places = map(Path, [sys.prefix, sys.base_prefix, *filter(None, sys.path)])
    inside = [place for place in places if place != folder and place.is_relative_to(folder)]
    tops = {folder / place.relative_to(folder).parts[0] for place in inside}
    return {top for top in tops if top.is_dir()}


def _mount_again(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    mount(str(path), target, flags=MS_BIND | MS_REC)


def seal_run_directory() -> None:
    """Make the run directory read-only: its sockets stay usable, and nobody fills the disk."""
    flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
    mount("none", RUN, flags=flags)


def raise_loopback() -> None:
    """Switch on the network namespace's own 127.0.0.1, which libraries take for granted."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)
