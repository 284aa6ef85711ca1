"""The grader's side of the fork servers: start one on demand, ask it for kernels, end it.

A server belongs to one process of the grader and ends with it, however it ends: its socket
closes, and the jail dies with the thread that started it.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder import jail, rundirs
from autograder.allowed import site_folders, visible
from autograder.errors import IsolationError
from autograder.request import ServerKey

START_SECONDS = 60.0
REMEDY = "`autograder doctor` tries each part of the jail"
# What to import ahead when an assignment does not say what it allows.
USUAL_PACKAGES = ["numpy", "matplotlib"]
START_UNJAILED = (
    "import sys; from autograder import forkserver; del sys.path[0]; forkserver.main(sys.argv[1])"
)


@dataclass
class ForkServer:
    """One running server; made by ``server_for``."""

    key: ServerKey
    process: subprocess.Popen[bytes]
    control: socket.socket
    log: io.BufferedRandom
    hello: dict[str, Any] = field(default_factory=dict)
    borrowed: bool = False  # it belongs to this process's parent
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_ready(self) -> dict[str, Any]:
        """Wait until it has imported everything; what it says then.

        Raises:
            IsolationError: when it does not start.
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
        last = self.last_words() or why or "it said nothing"
        return IsolationError(f"the kernel server did not start: {last}", remedy=REMEDY)

    def last_words(self) -> str:
        """The last line that the server wrote to standard error."""
        with contextlib.suppress(ValueError):
            self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - 4000))
            lines = self.log.read().decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def fork(self, request: Mapping[str, Any], archive: int) -> socket.socket:
        """Ask for one kernel; the channel to its init. ``archive`` is a tar file's descriptor.

        Raises:
            IsolationError: when the server is gone.
        """
        self.wait_ready()
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Before init can say a word: each of its messages is to carry its pid.
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with theirs:
            message = json.dumps(request).encode()
            try:
                socket.send_fds(self.control, [message], [theirs.fileno(), archive])
            except OSError as error:
                mine.close()
                raise IsolationError(
                    f"the kernel server is gone: {self.last_words() or error.strerror}"
                ) from error
        return mine

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.borrowed or self.process.poll() is None

    def close(self) -> None:
        """End it, with every kernel it has; one that belongs to the parent goes on."""
        self.control.close()
        if self.borrowed:
            return
        # It ends by itself when its socket closes, unless it is still importing.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0 if self.hello else 0.0)
        if self.alive:
            self.process.kill()
            self.process.wait()


_servers: dict[ServerKey, ForkServer] = {}
_lent = False
_lock = threading.Lock()


def server_for(key: ServerKey) -> ForkServer:
    """The running server for ``key``, started if there is none. It may not be ready yet.

    Raises:
        IsolationError: when bubblewrap is missing, there is no room for its folder, or this
            machine is no Linux.
    """
    if sys.platform != "linux":
        raise IsolationError(
            f"warm and jailed kernels need Linux, and this is {sys.platform}", remedy=REMEDY
        )
    with _lock:
        server = _servers.get(key)
        if server is None or not server.alive:
            if server is not None:
                _end(server)
            server = _servers[key] = _start(key)
        return server


def close_servers() -> None:
    """End every server of this process and every kernel, and remove the run directories."""
    with _lock:
        while _servers:
            _end(_servers.popitem()[1])
    rundirs.remove_all()


def _end(server: ForkServer) -> None:
    server.close()
    server.log.close()


def lend() -> None:
    """Let forks of this process use its servers that are ready, for as long as they run."""
    global _lent
    _lent = True


def _forget() -> None:
    """In a fork of this process: the servers are the parent's, to use at most."""
    global _lock, _lent
    _lock = threading.Lock()
    for server in _servers.values():
        server.process.returncode = 0  # it is no child of this process
        server.borrowed = True
        if not _lent:
            server.control.close()
    if not _lent:
        _servers.clear()
    _lent = False


os.register_at_fork(after_in_child=_forget)
atexit.register(close_servers)


def _start(key: ServerKey) -> ForkServer:
    shown = visible(key.packages, key.hidden)
    jailed = key.isolation == "jail"
    # A parent's death is the death of the thread that started it; the main one lives longest.
    with_parent = threading.current_thread() is threading.main_thread()
    variables = jail.environment(dict(key.environment))
    fds: list[int] = []
    if jailed:
        command, fds = jail.command(
            rundirs.folder(),
            shown,
            variables,
            readable=key.readable,
            secret=key.secret,
            die_with_parent=with_parent,
        )
    else:
        command = [sys.executable, "-c", START_UNJAILED]
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    settings = {
        "control": theirs.fileno(),
        "jailed": jailed,
        "die_with_parent": with_parent or jailed,
        "packages": USUAL_PACKAGES if key.packages is None else key.packages,
        "threads": key.threads,
        "allowed": key.packages or (),
        "local": list(shown.local),
        "sites": [str(folder) for folder in site_folders()],
        "blocked": shown.blocked,
        "partial": shown.partial,
    }
    # In memory: a full disk is no reason to lose what the server says about it.
    log = os.fdopen(os.memfd_create("kernel-server-log"), "w+b")
    try:
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
    finally:
        theirs.close()
        for fd in fds:
            os.close(fd)
    return ForkServer(key, process, mine, log)
