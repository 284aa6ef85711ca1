"""What one submission may use up, and which limit an ended kernel ran into.

Set in ``nbgrader_config.py``, by field name; what is not named keeps its default::

    c.Autograder.limits = {"memory_mb": 4096, "cell_seconds": 120}

Who holds each limit:

==================  ============================================  ==============================
limit               held by                                       what the submission meets
==================  ============================================  ==============================
memory_mb           RLIMIT_DATA and RLIMIT_AS, per process        ``MemoryError``
memory_mb           the jail's own init, over all processes       the kernel ends: ``memory``
cpu_seconds         RLIMIT_CPU, per process; init, over all       the kernel ends: ``cpu``
processes           RLIMIT_NPROC, threads included                ``BlockingIOError`` (EAGAIN)
file_mb             RLIMIT_FSIZE                                  ``OSError`` (EFBIG)
open_files          RLIMIT_NOFILE                                 ``OSError`` (EMFILE)
scratch_mb          the size of the private tmpfs                 ``OSError`` (ENOSPC)
output_mb           the engine that reads the kernel's output     the cell is cut off
message_mb          the wire between submission and referee       the call is refused
cell_seconds        the engine, wall clock                        the cell is interrupted
submission_seconds  the engine, wall clock                        the kernel ends
==================  ============================================  ==============================
"""

from __future__ import annotations

import errno
import re
import signal
from dataclasses import asdict, dataclass, fields
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from autograder.errors import CourseError
from autograder.watch import CPU, MEMORY


@dataclass(frozen=True)
class Limits:
    """Limits of one submission; all are whole numbers greater than 0.

    Attributes:
        memory_mb: memory beyond what the kernel holds when it starts, MiB.
        cpu_seconds: CPU seconds, all threads and processes of the submission together.
        processes: processes and threads alive at once; the kernel itself needs about 15.
        file_mb: size of any one file it writes, MiB.
        open_files: open file descriptors of one process.
        output_mb: text, pictures and tracebacks that all its cells print together, MiB.
        message_mb: one value on the wire to the referee, MiB.
        cell_seconds: wall time of one cell.
        submission_seconds: wall time of the whole notebook.
        scratch_mb: all files it leaves in its private scratch together, MiB.
    """

    memory_mb: int = 2048
    cpu_seconds: int = 600
    processes: int = 128
    file_mb: int = 256
    open_files: int = 512
    output_mb: int = 16
    message_mb: int = 256
    cell_seconds: int = 120
    submission_seconds: int = 900
    scratch_mb: int = 512

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise CourseError(
                    f"limit {name} is {value!r}",
                    where="c.Autograder.limits",
                    remedy="give a whole number greater than 0",
                )

    @classmethod
    def from_config(cls, config: Config) -> Limits:
        """Read ``c.Autograder.limits`` of a course's configuration.

        Raises:
            CourseError: for a name that is no limit, or a value that is no whole number above 0.
        """
        given = config.get("Autograder", {}).get("limits", {})
        if isinstance(given, LazyConfigValue):  # c.Autograder.limits.update({...})
            given = given.get_value({})
        if not isinstance(given, dict):
            raise CourseError(
                f"is {given!r}", where="c.Autograder.limits", remedy='give {"memory_mb": 4096, …}'
            )
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(map(str, given)) - known):
            raise CourseError(
                f"no such limit: {', '.join(unknown)}",
                where="c.Autograder.limits",
                remedy=f"there are: {', '.join(sorted(known))}",
            )
        return cls(**given)

    def as_dict(self) -> dict[str, int]:
        """The limits by name, for a message to the fork server."""
        return asdict(self)


def explain_exit(returncode: int | None, limit: str | None = None) -> str:
    """Say in one line why a kernel is no longer there.

    Args:
        returncode: as ``subprocess`` gives it: the exit status, or minus the signal.
        limit: the limit that init enforced, ``MEMORY`` or ``CPU``, when it did.
    """
    if limit == MEMORY:
        return "used more memory than it may (limit memory_mb)"
    if limit == CPU or returncode == -signal.SIGXCPU:
        return "used more CPU time than it may (limit cpu_seconds)"
    if returncode is None:
        return "is still running"
    if returncode == -signal.SIGXFSZ:
        return "wrote a larger file than it may (limit file_mb)"
    if returncode == -signal.SIGSYS:
        return "made a system call that the jail forbids"
    if returncode == -signal.SIGKILL:
        return "was killed; most often the machine had no memory left (limit memory_mb)"
    if returncode == -signal.SIGSEGV:
        return "crashed with a segmentation fault (endless recursion in C code, or a bad pointer)"
    if returncode < 0:
        return f"was ended by {_signal_name(-returncode)}"
    if returncode == 0:
        return "ended its own kernel (exit status 0)"
    return f"ended its own kernel with exit status {returncode}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


_ERRNO_LIMITS = {
    errno.EAGAIN: ("processes", "started more processes or threads than it may"),
    errno.EFBIG: ("file_mb", "wrote a larger file than it may"),
    errno.EMFILE: ("open_files", "opened more files than it may"),
    errno.ENOSPC: ("scratch_mb", "filled its private scratch"),
    errno.ENOMEM: ("memory_mb", "used more memory than it may"),
}


def explain_error(name: str, message: str) -> str | None:
    """Name the limit behind an exception of a cell; ``None`` when no limit explains it.

    Args:
        name: the exception's class name, ``ename`` in the notebook's error output.
        message: its text, ``evalue``; an ``OSError``'s begins with ``[Errno N]``.
    """
    if name in ("MemoryError", "_ArrayMemoryError") or "not enough memory" in message:
        return "used more memory than it may (limit memory_mb)"
    if "can't start new thread" in message:
        return "started more processes or threads than it may (limit processes)"
    match = re.match(r"\[Errno (\d+)\]", message)
    if match and (found := _ERRNO_LIMITS.get(int(match[1]))):
        return f"{found[1]} (limit {found[0]})"
    return None


def limits_text(limits: Limits) -> str:
    """One line a report can show: every limit with its value."""
    values: dict[str, Any] = limits.as_dict()
    return ", ".join(f"{name} {value}" for name, value in values.items())
