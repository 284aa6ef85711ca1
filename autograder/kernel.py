"""The submission's kernel, as the engine drives it: run a cell, interrupt it, notice its death."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import deque
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.manager import KernelManager

from autograder.outputs import Outputs

GRACE = 3.0
# How long a kernel may take to answer at all: a shared machine can be slow.
START = 120.0
# How long the output of a cell that said too much may take to read, when the cell has ended.
DRAIN = 0.1
# Messages that may wait in a socket, and bytes that are read from it at a time.
WAITING = 4
HELPING = 1 << 20


class KernelDied(Exception):
    """The kernel's process ended, or stopped answering and was ended."""


def _read(session: Any, parts: list[bytes]) -> dict | None:
    """One message, its parts as plain JSON; None when it is no message.

    The signature is not checked: who speaks here is the submission, which knows its own key.
    """
    try:
        _, parts = session.feed_identities(parts)
        header, parent, content = (json.loads(parts[i]) for i in (1, 2, 4))
        kind = header["msg_type"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    if not isinstance(content, dict) or not isinstance(parent, dict):
        return None
    return {"msg_type": kind, "parent_header": parent, "content": content}


class Kernel:
    """One kernel process and its channels; blocking, for one caller.

    Args:
        name: of its kernelspec.
        run_dir: for its sockets.
        longest: bytes that a part of a message may have, or the kernel is cut off; 0 for any.
        settings: for the provisioner.
    """

    def __init__(self, name: str, run_dir: Path, longest: int = 0, **settings: Any) -> None:
        self.manager = KernelManager(
            kernel_name=name,
            transport="ipc",
            ip=str(run_dir / "k"),
            connection_file=str(run_dir / "kernel.json"),
        )
        self.settings = settings
        self.longest = longest
        self.cpu_seconds = 0.0  # of all its processes, known when they have ended
        self.client: Any = None
        self.inbox: deque[tuple[str, dict]] = deque()
        self._poller = zmq.Poller()
        self._pidfd: int | None = None

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            KernelDied: when it does not come up.
        """
        self.manager.start_kernel(**self.settings)
        self.client = self.manager.blocking_client()
        # What waits to be read is this process's memory.
        self.client.context.setsockopt(zmq.RCVHWM, WAITING)
        if self.longest:
            self.client.context.setsockopt(zmq.MAXMSGSIZE, self.longest)
        self.client.start_channels(stdin=False, hb=False)
        for channel in (self.client.shell_channel, self.client.iopub_channel):
            self._poller.register(channel.socket, zmq.POLLIN)
        pid = getattr(self.manager.provisioner, "pid", None)
        if pid:
            with contextlib.suppress(OSError):
                self._pidfd = os.pidfd_open(pid)
                self._poller.register(self._pidfd, zmq.POLLIN)
        self._await_ready(time.monotonic() + START)

    def execute(self, code: str, outputs: Outputs, deadline: float) -> str:
        """Run code of ours, silently, until ``deadline`` on the monotonic clock; see ``follow``."""
        options = {"silent": True, "store_history": False}
        parent = self.client.execute(code, allow_stdin=False, stop_on_error=False, **options)
        return self.follow(str(parent), outputs, deadline)

    def begin(self, cells: list[str | None]) -> list[str]:
        """Let the kernel run cells, one after the other; where there is none it serves the referee.

        Returns:
            an id for each cell, for ``follow``.
        """
        message = self.client.session.msg("notebook_request", {})
        names = [f"{message['header']['msg_id']}-{number}" for number in range(len(cells))]
        message["content"]["cells"] = [
            {"id": name, "code": code} for name, code in zip(names, cells, strict=True)
        ]
        self.client.shell_channel.send(message)
        return names

    def follow(self, parent: str, outputs: Outputs, deadline: float) -> str:
        """Collect what the cell ``parent`` says, until its end or ``deadline``.

        Returns:
            ``ok``, ``error``, ``timeout`` (it was interrupted) or ``flood`` (too much output).

        Raises:
            KernelDied: when the process ends, or has to be ended.
        """
        stopped, patience, drained = "", float("inf"), 0.0
        while True:
            ended, heard = self.hear(parent, outputs, deadline)
            if ended:
                return stopped or ("error" if outputs.failed else "ok")
            now = time.monotonic()
            if stopped and heard and now < patience:
                # It may have stopped long ago: what it said before that has still to be read.
                deadline = now + GRACE
            late = now > deadline
            if outputs.flooded and not drained:
                # A cell that has ended is not interrupted, for that would be the next one.
                drained = now + DRAIN
            if not stopped and (late or (drained and (now > drained or not heard))):
                stopped = "timeout" if late else "flood"
                deadline, patience = now + GRACE, now + 10 * GRACE
                self.interrupt()
            elif stopped and late:
                self.kill()
                raise KernelDied(f"{stopped}: it did not stop when it was interrupted")

    def hear(
        self, parent: str, outputs: Outputs, deadline: float, also: int | None = None
    ) -> tuple[bool, bool]:
        """Add what the cell ``parent`` has said to its outputs, waiting a while for something.

        Returns:
            whether the cell has ended, and whether anything was said at all.

        Raises:
            KernelDied: as ``collect``.
        """
        heard = self.collect(deadline, also)
        # What comes after the end belongs to the next cell and waits for it.
        while self.inbox:
            channel, message = self.inbox.popleft()
            if channel != "iopub" or message["parent_header"].get("msg_id") != parent:
                continue
            if message["msg_type"] != "status":
                outputs.add(message)
            elif message["content"].get("execution_state") == "idle":
                return True, True
        return False, heard

    def collect(self, deadline: float, also: int | None = None) -> bool:
        """Put the messages that are there into ``inbox``, waiting for the first if it is empty.

        ``also`` is a file descriptor that ends the wait when it can be read.

        Returns:
            whether there is anything in ``inbox``.

        Raises:
            KernelDied: when the process has ended and said all it had to say.
        """
        if self.inbox:
            return True
        wait = max(0.0, min(deadline - time.monotonic(), 1.0))
        if also is not None:
            self._poller.register(also, zmq.POLLIN)
        try:
            ready = dict(self._poller.poll(int(wait * 1000)))
        finally:
            if also is not None:
                self._poller.unregister(also)
        for name in ("iopub", "shell"):
            channel = getattr(self.client, f"{name}_channel")
            if channel.socket in ready:
                taken = 0
                while taken < HELPING and channel.msg_ready():
                    parts = channel.socket.recv_multipart()
                    taken += sum(map(len, parts))
                    if message := _read(channel.session, parts):
                        self.inbox.append((name, message))
        if not self.inbox and also not in ready and (self._pidfd in ready or not self.alive()):
            raise KernelDied(self.obituary())
        return bool(self.inbox)

    def _await_ready(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            parent, answered, idle = self.client.kernel_info(), False, False
            patience = min(deadline, time.monotonic() + 5)
            while time.monotonic() < patience and not (answered and idle):
                self.collect(patience)
                while self.inbox:
                    channel, message = self.inbox.popleft()
                    answered |= channel == "shell"
                    # Any message on iopub shows that the subscription has reached the kernel.
                    idle |= channel == "iopub" and message["parent_header"].get("msg_id") == parent
                if answered and not idle:
                    patience = min(patience, time.monotonic() + 0.2)
            if answered and idle:
                return
        self.kill()
        raise KernelDied("it did not start")

    def alive(self) -> bool:
        """Whether the process runs."""
        return bool(self.manager.is_alive())

    def interrupt(self) -> None:
        """Send an interrupt; the running cell gets a KeyboardInterrupt."""
        with contextlib.suppress(Exception):
            self.manager.interrupt_kernel()

    def obituary(self) -> str:
        """How the process ended, as far as can be told."""
        self.alive()  # asks how it ended, if it did
        ended = getattr(self.manager.provisioner, "ended", None)
        if ended is not None:
            return str(ended.explain())
        process = getattr(self.manager.provisioner, "process", None)
        code = process.poll() if process is not None else None
        if code is None:
            return "the kernel stopped"
        return f"the kernel was ended by signal {-code}" if code < 0 else f"exit status {code}"

    def kill(self) -> None:
        """End the process and close the channels; safe to call twice."""
        provisioner = self.manager.provisioner
        with contextlib.suppress(Exception):
            self.manager.shutdown_kernel(now=True)
        if ended := getattr(provisioner, "ended", None):
            self.cpu_seconds = ended.cpu_seconds
        if self.client is not None:
            with contextlib.suppress(Exception):
                self.client.stop_channels()
        if self._pidfd is not None:
            with contextlib.suppress(OSError):
                os.close(self._pidfd)
            self._pidfd = None
        with contextlib.suppress(Exception):
            self.manager.context.destroy(linger=0)
