"""The grader's side of a fork server: start one on demand, ask it for kernels, leave no trace.

A server and the run directories belong to one process of the grader and end with it, however it
ends: the server when its socket closes, the directories by a small shell that waits for the same.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder import confine, jail
from autograder.allowed import visible
from autograder.errors import IsolationError, SubmissionError

START_SECONDS = 60.0
# A unix socket's path may have 107 characters; what a kernel appends is short.
LONGEST_PARENT = 70
SWEEP = 'read -r _; rm -rf -- "$1"'


@dataclass(frozen=True)
class ServerKey:
    """What all kernels of one server have in common.

    Attributes:
        isolation: ``"jail"``, or ``"process"``: warm, but with nothing hidden.
        packages: what a submission may import; None for all that is installed.
        hidden: dotted names inside allowed packages that it may not import.
        readable: further files and folders of the host that it may read.
        secret: folders that it may never see, whatever else would show them.
        environment: further environment variables, as pairs.
        threads: threads of numeric libraries.
    """

    isolation: str = "jail"
    packages: tuple[str, ...] | None = None
    hidden: tuple[str, ...] = ()
    readable: tuple[Path, ...] = ()
    secret: tuple[Path, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    threads: int = 1


@dataclass
class ForkServer:
    """One running server; made by ``server_for``."""

    key: ServerKey
    process: subprocess.Popen[bytes]
    control: socket.socket
    log: io.BufferedRandom
    hello: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_ready(self) -> dict[str, Any]:
        """Wait until it has imported everything; what it said then.

        Raises:
            IsolationError: when it did not start.
        """
        with self._lock:
            if not self.hello:
                self.control.settimeout(START_SECONDS)
                try:
                    self.hello = json.loads(self.control.recv(1 << 16) or b"{}")
                except OSError as error:
                    raise self._no_start(str(error)) from error
                if not self.hello:
                    raise self._no_start()
        return self.hello

    def _no_start(self, why: str = "") -> IsolationError:
        self.close()
        lines = self.errors().strip().splitlines()
        return IsolationError(
            f"the kernel server did not start: {lines[-1] if lines else why or 'no message'}",
            remedy="`autograder doctor` tries each part of the jail",
        )

    def errors(self) -> str:
        """The end of what the server and its kernels wrote to standard error."""
        size = self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, size - 4000))
        return self.log.read().decode(errors="replace")

    def fork(self, request: Mapping[str, Any], archive: int) -> socket.socket:
        """Ask for one kernel; the channel to its init. ``archive`` is a tar file's descriptor."""
        self.wait_ready()
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            message = json.dumps(request).encode()
            socket.send_fds(self.control, [message], [theirs.fileno(), archive])
        return mine

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def close(self) -> None:
        """End it, with every kernel it has."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5 if self.hello else 0.0)
        if self.alive:
            self.process.kill()
            self.process.wait()


class _Runtime:
    """What this process has started. A fork of it starts anew and leaves its parent's alone."""

    def __init__(self) -> None:
        self.servers: dict[ServerKey, ForkServer] = {}
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()
        self.sweeper: subprocess.Popen[bytes] | None = None

    @cached_property
    def folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="autograder-", dir=_parent()))
        self.sweeper = subprocess.Popen(
            ["/bin/sh", "-c", SWEEP, "sweep", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C reaches the grader's whole process group; this must outlive the grader.
            start_new_session=True,
        )
        give_to_jail(folder)
        return folder

    def end(self) -> None:
        for server in self.servers.values():
            server.close()
        self.servers.clear()
        if self.sweeper is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            assert self.sweeper.stdin is not None
            self.sweeper.stdin.close()
            self.sweeper.wait()
            self.sweeper = None
            del self.folder

    def forget(self) -> None:
        for server in self.servers.values():
            server.control.close()
        if self.sweeper is not None and self.sweeper.stdin is not None:
            os.close(self.sweeper.stdin.fileno())
        self.__init__()  # type: ignore[misc]


_runtime = _Runtime()
os.register_at_fork(after_in_child=_runtime.forget)
atexit.register(_runtime.end)


def _parent() -> Path:
    for name in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):
        if name and len(name) < LONGEST_PARENT and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    raise IsolationError("no folder for sockets can be written", where="/tmp")


def new_run_directory() -> Path:
    """A fresh private folder for one submission's sockets; remove it when done.

    Raises:
        IsolationError: when it cannot be made (a full disk, most often).
    """
    try:
        folder = _runtime.folder / str(next(_runtime.numbers))
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise IsolationError(
            f"no folder for sockets: {error.strerror}",
            where=error.filename,
            remedy="make room there, or set TMPDIR to a folder that has some",
        ) from error
    return folder


def give_to_jail(folder: Path) -> None:
    """Let the jail's user use a run directory and the sockets in it, when it is another user."""
    if jail.runs_as_root():
        for path in (folder, *folder.iterdir()):
            os.chown(path, confine.OUTSIDE_ID, confine.OUTSIDE_ID)


def server_for(key: ServerKey) -> ForkServer:
    """The running server for ``key``, started if there is none. It may not be ready yet.

    Raises:
        IsolationError: when bubblewrap is missing.
    """
    with _runtime.lock:
        server = _runtime.servers.get(key)
        if server is None or not server.alive:
            server = _runtime.servers[key] = _start(key)
        return server


def close_servers() -> None:
    """End every server of this process, and remove its run directories."""
    _runtime.end()


def _start(key: ServerKey) -> ForkServer:
    shown = visible(key.packages, key.hidden)
    jailed = key.isolation == "jail"
    # The jail dies with the thread that started it; only the main thread lives long enough.
    with_parent = threading.current_thread() is threading.main_thread()
    variables = jail.environment(key.threads, dict(key.environment))
    fds: list[int] = []
    if jailed:
        command, fds = jail.command(
            _runtime.folder,
            shown,
            variables,
            readable=key.readable,
            secret=key.secret,
            die_with_parent=with_parent,
        )
    else:
        start = "import sys; from autograder import forkserver; forkserver.main(sys.argv[1])"
        command = [sys.executable, "-c", start]
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    settings = {
        "control": theirs.fileno(),
        "jailed": jailed,
        "die_with_parent": with_parent or jailed,
        "packages": _preload(key.packages),
        "allowed": key.packages or (),
        "local": list(shown.local),
        "blocked": shown.blocked,
        "partial": shown.partial,
    }
    log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the server
    process = subprocess.Popen(
        [*command, json.dumps(settings)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=[theirs.fileno(), *fds],
        env=variables,
        cwd="/",
        start_new_session=True,
    )
    theirs.close()
    for fd in fds:
        os.close(fd)
    return ForkServer(key, process, mine, log)


def _preload(packages: tuple[str, ...] | None) -> list[str]:
    return list(packages) if packages is not None else ["numpy", "matplotlib"]


def pack(files: Path | None, most_mb: int) -> int:
    """A tar archive of a submission's files, as the descriptor of an unnamed file in memory.

    Symbolic links and anything else that is no plain file or folder stay out: a link could name
    any file of the grader's.

    Raises:
        SubmissionError: when they are larger than ``most_mb`` MiB.
    """
    fd = os.memfd_create("files")
    if files is None:
        return fd
    room = most_mb * 1024 * 1024

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        nonlocal room
        if not (member.isfile() or member.isdir()):
            return None
        room -= member.size + 512
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
    except BaseException:
        os.close(fd)
        raise
    return fd
