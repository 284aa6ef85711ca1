"""Jailed, warm kernels for submissions, as a Jupyter kernel provisioner.

The kernel is named ``submission``; after ``register()`` every Jupyter client in this process and
its children finds it, papermill included (``papermill IN OUT --kernel submission``). The engine
says what one submission may see and use::

    register()
    run_dir = new_run_directory()
    wire = listen_on(run_dir / "wire")          # before the start: the jail gets it with the rest
    file, ip = run_dir / "kernel.json", run_dir / "k"
    km = AsyncKernelManager(
        kernel_name="submission", transport="ipc", ip=str(ip), connection_file=str(file)
    )
    packages = ("numpy", "matplotlib", "course")
    await km.start_kernel(autograder=JailRequest(run_dir, files, packages, limits))
    km.provisioner.run_dir_inside               # where the kernel finds run_dir: "wire" is there
    ...
    await km.shutdown_kernel(now=True)          # at once: all its processes are killed
    km.provisioner.ended                        # Ended: .explain(), .cpu_seconds, .peak_mb
    shutil.rmtree(run_dir)

Without ``autograder=`` the kernel gets defaults: a run directory of its own, an empty scratch and
every installed package. The first kernel for a set of packages starts a fork server, which takes
a second or three; the next ones take milliseconds. ``close_servers()`` ends them all; so does the
end of the grader, whatever ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase

from autograder import namespaces, rundirs
from autograder.errors import IsolationError
from autograder.registration import KERNEL_NAME, register
from autograder.request import Ended, JailRequest, pack
from autograder.rundirs import new_run_directory
from autograder.servers import REMEDY, ForkServer, close_servers, server_for

__all__ = [
    "KERNEL_NAME",
    "Ended",
    "ForkProvisioner",
    "JailRequest",
    "close_servers",
    "new_run_directory",
    "register",
]

PORTS = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")
MESSAGE_BYTES = 1 << 16
CREDENTIALS = "iII"  # pid, uid, gid, which Linux adds to a message, in the receiver's terms
START_SECONDS = 30.0
KILL_SECONDS = 10.0


class ForkProvisioner(KernelProvisionerBase):
    """Starts kernels by forking a warm server; entry point ``autograder-fork``.

    Attributes:
        request: what was asked for.
        run_dir: the run directory, on the grader's side.
        ended: how the kernel ended; None while it runs.
        pid: its init's, as the grader counts processes; ``os.pidfd_open`` tells of its end.
    """

    request: JailRequest
    run_dir: Path
    ended: Ended | None = None
    pid: int | None = None
    _server: ForkServer | None = None
    _channel: socket.socket | None = None
    _owns_run_dir: bool = False

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel, alive or not yet waited for."""
        return self._channel is not None

    @property
    def run_dir_inside(self) -> Path:
        """Where the kernel finds its run directory."""
        return namespaces.RUN if self.request.jailed else self.run_dir

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Settle the request and the socket paths; start the server if there is none."""
        self.request = kwargs.pop("autograder", None) or JailRequest()
        self._owns_run_dir = self.request.run_dir is None
        self.run_dir = self.request.run_dir or new_run_directory()
        self.request = replace(self.request, run_dir=self.run_dir)
        self.ended = None
        manager: Any = self.parent
        if manager.transport != "ipc" or Path(manager.ip).parent != self.run_dir:
            manager.transport, manager.ip = "ipc", str(self.run_dir / "k")
        for number, name in enumerate(PORTS, 1):
            setattr(manager, name, number)
        self.connection_info = manager.get_connection_info()
        self._server = server_for(self.request.server_key())
        return {"cmd": [], "env": {}}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel and wait until it listens.

        Raises:
            IsolationError: when the jail cannot be built.
            SubmissionError: when the submission's files do not fit its scratch.
        """
        assert self._server is not None
        if not self._server.hello:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._server.wait_ready)
        message = self._message()
        archive = pack(self.request.files, self.request.limits.scratch_mb)
        try:
            self._channel = self._server.fork(message, archive)
        finally:
            os.close(archive)
        self._channel.setblocking(False)
        answer = await self._next_message(START_SECONDS)
        if "pid" not in answer:
            await self.cleanup()
            why = answer.get("failed") or self._server.last_words() or "it said nothing"
            raise IsolationError(f"the kernel did not start: {why}", remedy=REMEDY)
        return self.connection_info

    def _message(self) -> dict[str, Any]:
        """The request to the fork server."""
        info: dict[str, Any] = dict(self.connection_info)
        info["key"] = os.fsdecode(info["key"])
        info["ip"] = str(self.run_dir_inside / Path(info["ip"]).name)
        message = {"connection": info, "limits": self.request.limits.as_dict()}
        if self.request.jailed:
            if self.run_dir.parent != rundirs.folder():
                raise IsolationError(
                    "a jail sees no run directory but new_run_directory()'s", where=self.run_dir
                )
            rundirs.give_to_jail(self.run_dir)
            readable = [str(path) for path in self.request.readable]
            return message | {"run": self.run_dir.name, "readable": readable}
        work = self.run_dir / "work"
        work.mkdir(exist_ok=True)
        return message | {"work": str(work)}

    async def _next_message(self, seconds: float | None) -> dict[str, Any]:
        """Init's next message; empty when it ended without one, or said nothing in time."""
        assert self._channel is not None
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._channel, ready.set)
        try:
            await asyncio.wait_for(ready.wait(), seconds)
            return self._receive()
        except (OSError, TimeoutError):
            return {}
        finally:
            loop.remove_reader(self._channel)

    def _receive(self) -> dict[str, Any]:
        """A message that is there; empty at the end of the channel. Keeps its sender's PID."""
        assert self._channel is not None
        room = socket.CMSG_SPACE(struct.calcsize(CREDENTIALS))
        data, ancillary, _, _ = self._channel.recvmsg(MESSAGE_BYTES, room)
        for _, kind, value in ancillary:
            if kind == socket.SCM_CREDENTIALS and data:
                self.pid = struct.unpack(CREDENTIALS, value)[0]
        return json.loads(data or b"{}")

    async def poll(self) -> int | None:
        """The return code; None while the kernel runs."""
        if self.ended is None and self._channel is not None:
            try:
                self._take(self._receive())
            except BlockingIOError:
                return None
            except OSError:
                self._take({})
        return 0 if self.ended is None else self.ended.returncode

    def _take(self, message: dict[str, Any]) -> None:
        # Init that ends without a word was killed, with all that it watched over.
        self.ended = Ended(
            returncode=message.get("ended", -signal.SIGKILL),
            limit=message.get("limit"),
            asked=message.get("asked", False),
            cpu_seconds=message.get("cpu_seconds", 0.0),
            peak_mb=message.get("peak_mb", 0),
        )

    async def wait(self) -> int | None:
        """Wait for the kernel to end; its return code."""
        if self.ended is None and self._channel is not None:
            self._take(await self._next_message(None))
        self._close_channel()
        return 0 if self.ended is None else self.ended.returncode

    async def send_signal(self, signum: int) -> None:
        """Pass a signal on to the kernel."""
        manager: Any = self.parent
        if signum == signal.SIGINT and manager.shutting_down:
            return  # it is about to be killed
        if self._channel is not None and self.ended is None:
            try:
                self._channel.send(json.dumps({"signal": int(signum)}).encode())
            except OSError:
                self.log.debug("the kernel ended before signal %s", signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and every process it started; returns when all are gone."""
        await self.send_signal(signal.SIGKILL)
        if self.ended is None and self._channel is not None:
            self._take(await self._next_message(KILL_SECONDS))

    async def terminate(self, restart: bool = False) -> None:
        """The same as ``kill``: a submission has nothing to put in order."""
        await self.kill(restart)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """A polite shutdown kills as well, so that no client has to wait for its end."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Close the channel; init, and all that is left, ends with it."""
        self._close_channel()
        if self._owns_run_dir and not restart:
            shutil.rmtree(self.run_dir, ignore_errors=True)

    def _close_channel(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def resolve_path(self, path: str) -> str | None:
        """Nothing of the jail's files is this machine's."""
        return None
