"""Linux calls that Python has no function for, by way of the C library."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
SYSCALLS = {
    "x86_64": {"clone": 56, "capset": 126},
    "aarch64": {"clone": 220, "capset": 91},
}
MACHINE = os.uname().machine

# PyDLL keeps the GIL during the call: after a raw clone there is no other thread to take it.
_libc = ctypes.PyDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def syscall(name: str, *arguments: object) -> int:
    """A system call by name; raises ``OSError``."""
    number = ctypes.c_long(SYSCALLS[MACHINE][name])
    return _check(_libc.syscall(number, *arguments), name)


def prctl(option: int, value: int = 0, pointer: int = 0) -> None:
    """Set a property of this process (``prctl(2)``); raises ``OSError``."""
    arguments = (ctypes.c_ulong(value), ctypes.c_void_p(pointer), 0, 0)
    _check(_libc.prctl(option, *arguments), f"prctl {option}")


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """``mount(2)``; raises ``OSError`` with the target in it."""
    result = _libc.mount(
        source.encode(),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(result, f"mount {kind or source} on {target}")


def unmount(target: Path) -> None:
    """Take a mount out of the tree; what is mounted elsewhere from it stays."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"unmount {target}")
