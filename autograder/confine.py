"""How a forked kernel shuts itself in: namespaces, mounts, limits, no privileges.

Runs inside the fork server, so it needs the standard library alone. Every function acts on the
calling process; ``forkserver`` says in which order they are called.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

# Paths inside the jail. The server sees SERVER_SIDE; a kernel finds an empty folder there.
SERVER_SIDE = Path("/srv")
CODE = SERVER_SIDE / "code"
RUNS = SERVER_SIDE / "runs"
SCRATCH = Path("/scratch")
HOME = Path("/home/student")
WORK = HOME / "work"
RUN = Path("/run/submission")
# Helpers of the course that are not installed as packages.
PACKAGES = Path("/opt/packages")

# What the submission is inside: an ordinary user, the same for everyone.
INSIDE_ID = 1000
# What it is outside when the grader is root: a user that owns nothing and is nobody's.
OUTSIDE_ID = 65533

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MNT_DETACH = 2
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
LAST_CAPABILITY = 40
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 0x40
SYSCALLS = {
    "x86_64": {"clone": 56, "capset": 126},
    "aarch64": {"clone": 220, "capset": 91},
}

MB = 1024 * 1024
# Address space is more than memory: code, thread stacks, what malloc holds in reserve.
ADDRESS_SPACE_SLACK = 1024 * MB

# PyDLL keeps the GIL during the call: after a raw clone there is no other thread to take it.
_libc = ctypes.PyDLL(None, use_errno=True)
MACHINE = os.uname().machine


def _check(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def _syscall(name: str, *arguments: object) -> int:
    return _libc.syscall(ctypes.c_long(SYSCALLS[MACHINE][name]), *arguments)


def prctl(option: int, value: int = 0) -> None:
    """Set a property of this process (Linux ``prctl``)."""
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Linux ``mount(2)``; raises ``OSError`` with the target in it."""
    result = _libc.mount(
        source.encode(),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(result, f"mount {kind or source} on {target}")


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
    pid = _syscall("clone", ctypes.c_long(flags), zero, zero, zero, zero)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    return _check(pid, "clone into new namespaces")


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


def make_private_view(run_name: str, scratch_mb: int) -> None:
    """In a new mount namespace: private scratch, own ``/proc``, own run directory, no more.

    Everything else was mounted read-only before the server started.
    """
    mount("none", Path("/"), flags=MS_REC | MS_PRIVATE)
    # One tmpfs for everything that can be written, so that one size bounds it all. Inodes cost
    # memory of the machine's, so they are bounded as well.
    size = f"size={scratch_mb}m,nr_inodes={max(1024, scratch_mb * 32)},mode=0755"
    mount("scratch", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, size)
    for name, target in (("home", HOME), ("tmp", Path("/tmp")), ("shm", Path("/dev/shm"))):
        (SCRATCH / name).mkdir()
        mount(str(SCRATCH / name), target, flags=MS_BIND)
    WORK.mkdir()
    _check(_libc.umount2(os.fsencode(SCRATCH), MNT_DETACH), f"unmount {SCRATCH}")
    pty = "newinstance,ptmxmode=0666,mode=0620"
    mount("devpts", Path("/dev/pts"), "devpts", MS_NOSUID | MS_NOEXEC, pty)
    mount(str(RUNS / run_name), RUN, flags=MS_BIND)
    mount("none", RUN, flags=MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("empty", SERVER_SIDE, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=0555")
    mount("proc", Path("/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def seal_run_directory() -> None:
    """Make the run directory read-only: its sockets stay usable, and nobody fills the disk."""
    flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
    mount("none", RUN, flags=flags)


def set_limits(limits: Mapping[str, int], jailed: bool) -> None:
    """Set this process's resource limits (fields of ``limits.Limits``); children inherit them."""
    pages = Path("/proc/self/statm").read_text().split()
    page = resource.getpagesize()
    total, data = int(pages[0]) * page, int(pages[5]) * page
    memory = limits["memory_mb"] * MB
    _limit(resource.RLIMIT_DATA, data + memory)
    _limit(resource.RLIMIT_AS, total + memory + ADDRESS_SPACE_SLACK)
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 2)
    _limit(resource.RLIMIT_FSIZE, limits["file_mb"] * MB)
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    # Without a user namespace this would count every process of the grader's user.
    if jailed:
        _limit(resource.RLIMIT_NPROC, limits["processes"])


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    ceiling = resource.getrlimit(kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard or soft, ceiling)
    resource.setrlimit(kind, (soft, hard or soft))


def drop_privileges() -> None:
    """Give up every capability, for good: nothing this process starts can have one again."""
    for capability in range(LAST_CAPABILITY + 1):
        # One that this kernel does not know is not there to drop.
        with contextlib.suppress(OSError):
            prctl(PR_CAPBSET_DROP, capability)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_syscall("capset", header, nothing), "capset")
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def volunteer_for_oom() -> None:
    """If the machine runs out of memory, let it end this process before the grader."""
    Path("/proc/self/oom_score_adj").write_text("800")


def raise_loopback() -> None:
    """Switch on the network namespace's own 127.0.0.1, which libraries take for granted."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def detach_standard_streams() -> None:
    """Point standard input, output and error at ``/dev/null``; the server's log is not for all."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.close(null)


def close_all_but(keep: Collection[int]) -> None:
    """Close every file descriptor except the standard three and those in ``keep``."""
    first = 3
    for fd in [*sorted(fd for fd in keep if fd >= first), None]:
        os.closerange(first, fd if fd is not None else _highest_fd() + 1)
        first = fd + 1 if fd is not None else first


def _highest_fd() -> int:
    return max(int(entry.name) for entry in os.scandir("/proc/self/fd"))
