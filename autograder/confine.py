"""What a forked kernel gives up as a process: resources, privileges, file descriptors."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from collections.abc import Collection, Mapping
from pathlib import Path

from autograder.linux import PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, prctl, syscall

MB = 1024 * 1024
# Address space is more than memory: code, thread stacks, what malloc holds in reserve.
ADDRESS_SPACE_SLACK = 1024 * MB
LAST_CAPABILITY = 40


def set_limits(limits: Mapping[str, int], jailed: bool) -> None:
    """Limit all but memory (fields of ``limits.Limits``); what this process starts inherits it."""
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 2)
    _limit(resource.RLIMIT_FSIZE, limits["file_mb"] * MB)
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    # Without a user namespace this would count every process of the grader's user.
    if jailed:
        _limit(resource.RLIMIT_NPROC, limits["processes"])


def limit_memory(memory_mb: int) -> None:
    """Limit memory to what this process has now, its threads' stacks included, and so much more."""
    pages = Path("/proc/self/statm").read_text().split()
    page = resource.getpagesize()
    total, data = int(pages[0]) * page, int(pages[5]) * page
    _limit(resource.RLIMIT_DATA, data + memory_mb * MB)
    _limit(resource.RLIMIT_AS, total + memory_mb * MB + ADDRESS_SPACE_SLACK)


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
    syscall("capset", header, nothing)
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def volunteer_for_oom() -> None:
    """If the machine runs out of memory, let it end this process before the grader."""
    Path("/proc/self/oom_score_adj").write_text("800")


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
