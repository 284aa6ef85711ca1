"""What the engine asks of a submission's kernel, and what it learns of its end."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import IsolationError, SubmissionError
from autograder.limits import Limits, explain_exit

ISOLATIONS = ("jail", "process")


@dataclass(frozen=True)
class ServerKey:
    """What all kernels of one fork server have in common; the fields are ``JailRequest``'s."""

    isolation: str
    packages: tuple[str, ...] | None
    hidden: tuple[str, ...]
    readable: tuple[Path, ...]
    secret: tuple[Path, ...]
    environment: tuple[tuple[str, str], ...]
    threads: int


@dataclass(frozen=True)
class Expected:
    """What will probably be graded, known before everything that is needed to say so for sure.

    Attributes:
        key: of the kernels' server.
        master: the notebook as it is stored.
    """

    key: ServerKey
    master: bytes


@dataclass(frozen=True)
class JailRequest:
    """What one submission may see and use.

    Attributes:
        run_dir: from ``new_run_directory()``; holds the kernel's sockets and the engine's own.
        files: folder whose plain files are copied into the scratch, which is the kernel's cwd.
        packages: what it may import; None for all that is installed.
        limits: what it may use up.
        isolation: ``"jail"``, or ``"process"`` for a warm kernel with no walls around it.
        hidden: dotted names inside allowed packages that it may not import.
        readable: further files and folders of this machine that it may read.
        secret: folders it may never see, even where something above them is shown.
        environment: further environment variables.
        threads: threads of numeric libraries; 1 is best when submissions run side by side.
    """

    run_dir: Path | None = None
    files: Path | None = None
    packages: tuple[str, ...] | None = None
    limits: Limits = field(default_factory=Limits)
    isolation: str = "jail"
    hidden: tuple[str, ...] = ()
    readable: tuple[Path, ...] = ()
    secret: tuple[Path, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    threads: int = 1

    def __post_init__(self) -> None:
        if self.isolation not in ISOLATIONS:
            raise IsolationError(
                f"no isolation {self.isolation!r}", remedy=f"there are: {', '.join(ISOLATIONS)}"
            )

    @property
    def jailed(self) -> bool:
        """Whether there are walls around it."""
        return self.isolation == "jail"

    def server_key(self) -> ServerKey:
        """What it shares with other submissions to the same assignment."""
        return ServerKey(
            isolation=self.isolation,
            packages=None if self.packages is None else tuple(self.packages),
            hidden=tuple(self.hidden),
            readable=tuple(self.readable),
            secret=tuple(self.secret),
            environment=tuple(sorted(self.environment.items())),
            threads=self.threads,
        )


@dataclass(frozen=True)
class Ended:
    """How a kernel ended.

    Attributes:
        returncode: exit status, or minus the signal.
        limit: ``"memory"`` or ``"cpu"`` when the jail ended it for that, else None.
        asked: whether the grader had it ended.
        cpu_seconds: what all its processes used, from the fork on.
        peak_mb: the largest of its processes, MiB, pages shared with the server included.
    """

    returncode: int
    limit: str | None = None
    asked: bool = False
    cpu_seconds: float = 0.0
    peak_mb: int = 0

    def explain(self) -> str:
        """Why the kernel is no longer there, in words that follow "the submission"."""
        if self.asked:
            return "was ended by the grader"
        return explain_exit(self.returncode, self.limit)


def pack(files: Path | None, most_mb: int) -> int:
    """A tar archive of a submission's files, as the descriptor of an unnamed file in memory.

    Symbolic links, and all else that is no plain file or folder, stay out: a link could name any
    file of the grader's.

    Raises:
        SubmissionError: when they are larger than ``most_mb`` MiB, or cannot be read.
    """
    fd = os.memfd_create("files")
    if files is None:
        return fd
    room = most_mb * 1024 * 1024

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        nonlocal room
        if not (member.isfile() or member.isdir()):
            return None
        room -= member.size + tarfile.BLOCKSIZE
        if room < 0:
            raise SubmissionError(
                f"its files are larger than {most_mb} MiB", where=files, remedy="limit scratch_mb"
            )
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    try:
        with os.fdopen(os.dup(fd), "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
            tar.add(files, ".", filter=plain)
    except BaseException as error:
        os.close(fd)
        if isinstance(error, OSError):
            raise SubmissionError(f"cannot be read: {error.strerror}", where=files) from error
        raise
    return fd
