"""The grader's side of the referee: starts its server, opens a session for each submission."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.errors import AutograderError
from autograder.trusted import Names, Trusted
from autograder.verdict import Verdict
from autograder.warmkernel import POOLS

START = 120.0


class Session:
    """One submission's referee process."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.connection, self.pid = connection, pid
        self._stream = connection.makefile("rb")

    def accept(self, seconds: float) -> bool:
        """Wait for the submission's kernel to connect."""
        self.send({"do": "accept", "seconds": seconds})
        return bool(self.read(seconds + 5).get("ok"))

    def ask(self, cell: str, source: str, names: Names, probe: bool = False) -> None:
        """Let it run a test cell, or probe a failed one; ``verdict`` has the answer."""
        order = {"do": "probe" if probe else "cell", "id": cell, "source": source, **asdict(names)}
        self.send(order)

    def ready(self, seconds: float = 0.0) -> bool:
        """Whether an answer is waiting, or comes within ``seconds``."""
        return bool(select.select([self.connection], [], [], seconds)[0])

    def verdict(self, seconds: float) -> Verdict | None:
        """How the cell ended; None when the referee itself did not answer in time."""
        try:
            return Verdict(**self.read(seconds))
        except (TimeoutError, ConnectionError, TypeError):
            return None

    def send(self, message: dict) -> None:
        """One order as a line of JSON."""
        self.connection.sendall(json.dumps(message).encode() + b"\n")

    def read(self, seconds: float) -> dict[str, Any]:
        """One answer.

        Raises:
            TimeoutError: when none came in time.
            ConnectionError: when the process is gone.
        """
        self.connection.settimeout(seconds)
        line = self._stream.readline()
        if not line:
            raise ConnectionError("the referee is gone")
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process."""
        self._stream.close()
        self.connection.close()
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)


class Tribunal:
    """The referee's server: one process for each grader process, started when first needed.

    It is not waited for before it is asked.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="referee-"))
        self.path = str(self.folder / "s")
        # A notebook's working directory must not decide what the referee imports.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autograder.referee", self.path],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd=self.folder,
            # One thread: several submissions run side by side, and threads that wait for a busy
            # core spin. A fork could not use a pool of threads anyway.
            env={**os.environ, **dict.fromkeys(POOLS, "1")},
        )
        self.ready = False

    def session(
        self,
        trusted: Trusted,
        wire: Path,
        limit: int,
        cwd: Path | None = None,
        memory_mb: int | None = None,
    ) -> Session:
        """A referee for one submission, listening at ``wire``, its tests at home in ``cwd``.

        Args:
            trusted: its own code, and its tests.
            wire: the socket that the submission's kernel connects to.
            limit: bytes that one message may have.
            cwd: where the tests run.
            memory_mb: MiB that they may take, whatever the submission lets them unfold.

        Raises:
            AutograderError: when the master's own imports or helpers fail.
        """
        session = self._prepared(trusted)
        session.send(
            {
                "do": "run",
                "statements": trusted.statements,
                "wire": str(wire),
                "limit": limit,
                "cwd": str(cwd) if cwd else "",
                "memory_mb": memory_mb,
            }
        )
        session.pid = int(session.read(START)["pid"])
        return session

    def prepare(self, trusted: Trusted) -> None:
        """Run the master's own imports and helpers, so that sessions need not wait for them.

        Raises:
            AutograderError: when they fail.
        """
        self._prepared(trusted).close()

    def _prepared(self, trusted: Trusted) -> Session:
        if not self.ready:
            self._await_socket()
        connection = socket.socket(socket.AF_UNIX)
        session = Session(connection, 0)
        try:
            connection.connect(self.path)
            order = {"do": "prepare", "statements": trusted.statements, "tests": trusted.tests}
            session.send(order)
            prepared = session.read(START)
        except OSError as error:
            session.close()
            raise AutograderError(f"the referee does not answer ({error})") from error
        if not prepared["ok"]:
            session.close()
            raise AutograderError(
                f"the imports and helpers of the tests fail: {prepared['message']}",
                remedy="mend the locked cells of the source notebook",
            )
        return session

    def close(self) -> None:
        """End the server."""
        if self.process.stdin:
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await_socket(self) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
                probe.connect(self.path)
                self.ready = True
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.close()
        raise AutograderError("the referee did not start", remedy="run `autograder doctor`")


_open: Tribunal | None = None
_owner = 0
_lent = False


def tribunal() -> Tribunal:
    """This process's referee server, started on demand and again if it has died."""
    global _open, _owner
    if _open is None or not _alive(_open):
        if _open is None:
            atexit.register(close_tribunal)
        _open, _owner = Tribunal(), os.getpid()
    return _open


def close_tribunal() -> None:
    """End this process's server; one that belongs to its parent goes on."""
    global _open
    if _open is not None and _owner == os.getpid():
        _open.close()
    _open = None


def lend() -> None:
    """Let forks of this process use its server, for as long as it has one."""
    global _lent
    _lent = True


def _alive(server: Tribunal) -> bool:
    if _owner == os.getpid():
        return server.process.poll() is None
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(server.path) == 0


def _forget() -> None:
    """In a fork of this process: the server is the parent's, to use at most."""
    global _open, _lent
    if _open is not None:
        _open.process.returncode = 0  # it is no child of this process
        if _open.process.stdin:
            _open.process.stdin.close()
        if not _lent:
            _open = None
    _lent = False


os.register_at_fork(after_in_child=_forget)
