"""The fork server: imports once, then forks one ready kernel for each submission.

Started by ``kernels.ForkServer`` inside the jail (or beside the grader, for isolation
``process``), with its end of a socket pair as file descriptor given in its one argument. It has
one thread and opens no thread pool, for neither would survive a fork.

Conversation, one ``SOCK_SEQPACKET`` message each, JSON:

- on its start it says ``{"ready": true, "threads": 1, "modules": N, "seconds": S}``;
- for ``{"run": NAME, "connection": {...}, "limits": {...}}`` with two file descriptors (a channel
  and a tar archive of the submission's files) it forks a kernel;
- when the grader's end closes, it ends, and every kernel with it.

Each kernel has a parent of its own, called init, which is PID 1 of the jail. Init speaks on the
channel: it says ``{"pid": N}`` when the kernel listens and ``{"ended": STATUS, ...}`` when it has
ended; ``{"signal": N}`` asks it to signal the kernel. When the channel closes it ends, and the
machine's kernel kills all that is left in its PID namespace.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder import confine, seccomp, warmkernel
from autograder.watch import Watch

MESSAGE_BYTES = 1 << 17
WATCH_SECONDS = 0.5


def main(argument: str) -> None:
    """Serve until the grader goes away. ``argument`` is JSON, written by ``kernels``."""
    settings = json.loads(argument)
    if settings["die_with_parent"]:
        confine.prctl(confine.PR_SET_PDEATHSIG, signal.SIGKILL)
    control = socket.socket(fileno=settings["control"])
    if os.geteuid() == 0 and settings["jailed"]:
        os.setgroups([])
    began = time.perf_counter()
    sys.argv = ["ipykernel_launcher.py", "-f", str(confine.RUN / "kernel.json")]
    if settings["jailed"]:
        sys.path.append(str(confine.PACKAGES))
    warmkernel.prepare(settings)
    hello = {
        "ready": True,
        "threads": len(list(os.scandir("/proc/self/task"))),
        "modules": len(sys.modules),
        "seconds": round(time.perf_counter() - began, 3),
    }
    control.send(json.dumps(hello).encode())
    serve(control, settings["jailed"])


def serve(control: socket.socket, jailed: bool) -> None:
    """Fork a kernel for every request until the control socket closes."""
    # A handler makes poll return when a child ends; its work is the loop's.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        reap()
        readable, _, _ = select.select([control], [], [], 10.0)
        if not readable:
            continue
        data, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
        if not data:
            os._exit(0)
        start_init(data, fds, control, jailed)
        for fd in fds:
            os.close(fd)


def reap() -> None:
    """Collect the children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return


def start_init(data: bytes, fds: list[int], control: socket.socket, jailed: bool) -> None:
    """Fork the submission's init; return in the server, never in the child."""
    if jailed:
        with confine.as_outside_user():
            owner = os.geteuid(), os.getegid()
            pid = confine.fork_into_namespaces()
            if pid == 0:
                _never_return(lambda: init(data, fds, owner))
    else:
        pid = os.fork()
        if pid == 0:
            control.close()
            _never_return(lambda: init(data, fds, None))


def _never_return(work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException:
        import traceback

        traceback.print_exc(file=sys.__stderr__)
    os._exit(1)


def init(data: bytes, fds: list[int], owner: tuple[int, int] | None) -> None:
    """Build the jail, fork the kernel into it, report its end. ``owner`` is None when unjailed."""
    request: dict[str, Any] = json.loads(data)
    channel = socket.socket(fileno=fds[0])
    archive = fds[1]
    # Only SIGKILL from outside may end init; the submission's signals are not heard.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        if owner is not None:
            confine.become_student(*owner)
            confine.make_private_view(request["run"], request["limits"]["scratch_mb"])
            confine.raise_loopback()
        else:
            confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
        ready, tell = os.pipe()
        go, allow = os.pipe()
        kernel = os.fork()
        if kernel == 0:
            os.close(ready)
            os.close(allow)
            _never_return(lambda: run_kernel(request, archive, tell, go, owner is not None))
        for fd in (tell, go, archive):
            os.close(fd)
        watch_over(kernel, channel, ready, allow, request, owner is not None)
    except OSError as error:
        channel.send(json.dumps({"failed": str(error)}).encode())
    os._exit(0)


def watch_over(
    kernel: int,
    channel: socket.socket,
    ready: int,
    allow: int,
    request: dict[str, Any],
    jailed: bool,
) -> None:
    """Init's life: let the kernel go once it listens, pass signals on, hold the common limits."""
    failure = os.read(ready, 4096)
    os.close(ready)
    if failure != b"+":
        message = failure.decode(errors="replace") or "the kernel ended while it started"
        channel.send(json.dumps({"failed": message}).encode())
        os._exit(0)
    if jailed:
        confine.seal_run_directory()
        confine.drop_privileges()
        confine.prctl(confine.PR_SET_DUMPABLE, 0)
    confine.detach_standard_streams()
    confine.close_all_but({channel.fileno(), allow})
    os.write(allow, b"+")
    os.close(allow)
    channel.send(json.dumps({"pid": kernel}).encode())
    watch = Watch(kernel, request["limits"], everyone=jailed)
    ended = os.pidfd_open(kernel)
    limit, asked = None, False
    while limit is None:
        readable, _, _ = select.select([channel.fileno(), ended], [], [], WATCH_SECONDS)
        if ended in readable:
            break
        if asked := bool(readable) and not _obey(channel, kernel):
            break
        limit = watch.exceeded()
    status = end_all(kernel, jailed)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    farewell = {
        "ended": os.waitstatus_to_exitcode(status),
        "limit": limit,
        "asked": asked,
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 4),
        "peak_mb": usage.ru_maxrss // 1024,
    }
    # The grader may have gone.
    with contextlib.suppress(OSError):
        channel.send(json.dumps(farewell).encode())
    os._exit(0)


def _obey(channel: socket.socket, kernel: int) -> bool:
    """Do what the grader asks; False when it hung up or wants the kernel ended."""
    data = channel.recv(MESSAGE_BYTES)
    if not data:
        return False
    number = json.loads(data)["signal"]
    if number == signal.SIGKILL:
        return False
    os.kill(kernel, number)
    return True


def end_all(kernel: int, jailed: bool) -> int:
    """Kill every process of the submission, wait until all are gone; the kernel's status."""
    status = 0
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    # Orphans become init's children, so it is over when it has none.
    while True:
        with contextlib.suppress(ProcessLookupError):
            if jailed:
                os.kill(-1, signal.SIGKILL)
            else:
                for child in children.read_text().split():
                    os.kill(int(child), signal.SIGKILL)
        try:
            pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if pid == kernel:
            status = ended


def run_kernel(request: dict[str, Any], archive: int, tell: int, go: int, jailed: bool) -> None:
    """In the kernel's process: shut in, unpack, listen, and run until killed."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if jailed:
            confine.prctl(confine.PR_SET_DUMPABLE, 1)
            confine.volunteer_for_oom()
            confine.drop_privileges()
        work = confine.WORK if jailed else Path(request["work"])
        confine.detach_standard_streams()
        os.chdir(work)
        unpack(archive, work)
        confine.close_all_but({tell, go})
        confine.set_limits(request["limits"], jailed)
        if jailed:
            seccomp.install()
        warmkernel.listen(request["connection"])
    except Exception as error:
        os.write(tell, f"{type(error).__name__}: {error}".encode()[:4096])
        os._exit(1)
    os.write(tell, b"+")
    os.close(tell)
    os.read(go, 1)
    os.close(go)
    warmkernel.run()


def unpack(archive: int, target: Path) -> None:
    """Write the submission's files into its scratch."""
    with os.fdopen(archive, "rb") as file:
        file.seek(0)
        content = file.read()
    if content:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            tar.extractall(target, filter="data")


if __name__ == "__main__":
    main(sys.argv[1])
