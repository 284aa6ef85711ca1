"""Jailed, warm kernels for submissions, as a Jupyter kernel provisioner.

The kernel is named ``submission``; after ``register()`` every Jupyter client in this process and
its children finds it, papermill included (``papermill IN OUT --kernel submission``). The engine
says what one submission may see and use::

    register()
    run_dir = new_run_directory()
    wire = listen_on(run_dir / "wire")          # before the start: the jail gets it with the rest
    km = AsyncKernelManager(
        kernel_name="submission", transport="ipc", ip=str(run_dir / "k")
    )
    await km.start_kernel(
        autograder=JailRequest(
            run_dir=run_dir,
            files=folder_of_the_submission,
            packages=("numpy", "matplotlib", "course"),
            limits=Limits.from_config(course.config),
        )
    )
    km.provisioner.run_dir_inside               # where the kernel finds run_dir: "wire" is there
    ...
    await km.shutdown_kernel(now=True)          # at once: all its processes are killed
    km.provisioner.explain()                    # why it ended, in words; .ended has the figures
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase

from autograder import confine
from autograder.errors import IsolationError
from autograder.limits import Limits, explain_exit
from autograder.servers import (
    ForkServer,
    ServerKey,
    close_servers,
    give_to_jail,
    new_run_directory,
    pack,
    server_for,
)

__all__ = [
    "Ended",
    "ForkProvisioner",
    "JailRequest",
    "close_servers",
    "new_run_directory",
    "register",
]

KERNEL_NAME = "submission"
ANSWER_SECONDS = 30.0
KILL_SECONDS = 5.0


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
        threads: threads of numeric libraries.
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

    def server_key(self) -> ServerKey:
        """What it shares with other submissions to the same assignment."""
        return ServerKey(
            isolation=self.isolation,
            packages=tuple(self.packages) if self.packages is not None else None,
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
        cpu_seconds: what all its processes used, from the fork on.
        peak_mb: the largest of its processes, MiB, pages shared with the server included.
    """

    returncode: int
    limit: str | None = None
    cpu_seconds: float = 0.0
    peak_mb: int = 0


def register() -> None:
    """Let Jupyter clients of this process, and of those it starts, find the kernel."""
    folder = str(Path(__file__).parent / "kernelspecs")
    paths = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    if folder not in paths:
        os.environ["JUPYTER_PATH"] = os.pathsep.join([folder, *filter(None, paths)])


class ForkProvisioner(KernelProvisionerBase):
    """Starts kernels by forking a warm server; entry point ``autograder-fork``."""

    request: JailRequest
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
        outside: Path | None = self.request.run_dir
        assert outside is not None
        return confine.RUN if self.request.isolation == "jail" else outside

    def explain(self) -> str:
        """Why the kernel is no longer there, in words."""
        if self.ended is None:
            return explain_exit(None)
        return explain_exit(self.ended.returncode, self.ended.limit)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Settle the request and the socket paths; starts the server if there is none."""
        request = kwargs.pop("autograder", None) or JailRequest()
        if request.run_dir is None:
            self._owns_run_dir = True
            request = JailRequest(**{**vars(request), "run_dir": new_run_directory()})
        self.request = request
        self.ended = None
        manager: Any = self.parent
        run_dir: Path | None = request.run_dir
        assert run_dir is not None
        if manager.transport != "ipc" or Path(manager.ip).parent != run_dir:
            manager.transport = "ipc"
            manager.ip = str(run_dir / "k")
        names = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")
        for number, name in enumerate(names, 1):
            setattr(manager, name, number)
        self.connection_info = manager.get_connection_info()
        self._server = server_for(request.server_key())
        return {"cmd": [], "env": {}}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel and wait until it listens.

        Raises:
            IsolationError: when the jail cannot be built.
            SubmissionError: when the submission's files do not fit its scratch.
        """
        assert self._server is not None and self.request.run_dir is not None
        loop = asyncio.get_running_loop()
        if not self._server.hello:
            await loop.run_in_executor(None, self._server.wait_ready)
        jailed = self.request.isolation == "jail"
        info: dict[str, Any] = dict(self.connection_info)
        info["key"] = os.fsdecode(info["key"])
        info["ip"] = str(self.run_dir_inside / Path(str(info["ip"])).name)
        message = {
            "run": self.request.run_dir.name,
            "connection": info,
            "limits": self.request.limits.as_dict(),
        }
        if jailed:
            give_to_jail(self.request.run_dir)
        else:
            work = self.request.run_dir / "work"
            work.mkdir(exist_ok=True)
            message["work"] = str(work)
        archive = pack(self.request.files, self.request.limits.scratch_mb)
        try:
            self._channel = self._server.fork(message, archive)
        except OSError as error:
            raise IsolationError(f"the kernel server is gone: {error.strerror}") from error
        finally:
            os.close(archive)
        self._channel.setblocking(False)
        answer = await self._next_message(ANSWER_SECONDS)
        if "pid" not in answer:
            self._close_channel()
            why = answer.get("failed") or self._server.errors().strip().splitlines()[-1:]
            raise IsolationError(
                f"the kernel did not start: {why or 'no answer'}",
                remedy="`autograder doctor` tries each part of the jail",
            )
        self.pid = answer["pid"]
        return self.connection_info

    async def _next_message(self, seconds: float) -> dict[str, Any]:
        """Init's next message; empty when it ended or said nothing in time."""
        assert self._channel is not None
        loop = asyncio.get_running_loop()
        try:
            data = await asyncio.wait_for(loop.sock_recv(self._channel, 1 << 16), seconds)
        except (OSError, TimeoutError):
            return {}
        return json.loads(data or b"{}")

    async def poll(self) -> int | None:
        """The return code, None while the kernel runs."""
        if self.ended is None and self._channel is not None:
            try:
                self._take(json.loads(self._channel.recv(1 << 16) or b"{}"))
            except BlockingIOError:
                return None
            except OSError:
                self._take({})
        return self.ended.returncode if self.ended is not None else 0

    def _take(self, message: dict[str, Any]) -> None:
        # Init that ends without a word was killed, with all that it watched over.
        self.ended = Ended(
            returncode=message.get("ended", -signal.SIGKILL),
            limit=message.get("limit"),
            cpu_seconds=message.get("cpu_seconds", 0.0),
            peak_mb=message.get("peak_mb", 0),
        )

    async def wait(self) -> int | None:
        """Wait for the kernel to end; its return code."""
        if self.ended is None and self._channel is not None:
            self._take(await self._next_message(KILL_SECONDS))
        self._close_channel()
        return self.ended.returncode if self.ended is not None else 0

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
        """A polite shutdown kills as well, so that no client has to poll for its end."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Close the channel; init, and all that is left, ends with it."""
        self._close_channel()
        if self._owns_run_dir and not restart and self.request.run_dir is not None:
            shutil.rmtree(self.request.run_dir, ignore_errors=True)

    def _close_channel(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def resolve_path(self, path: str) -> str | None:
        """Nothing of the jail's files is this machine's."""
        return None
