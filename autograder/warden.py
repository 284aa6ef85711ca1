"""A submission's init: PID 1 of its jail, the parent of its kernel, the end of both.

Init builds the jail, forks the kernel into it, then drops its own rights and watches. It speaks
with the grader on the channel it was given: ``{"pid": N}`` when the kernel listens, or
``{"failed": WHY}``; ``{"ended": STATUS, …}`` when it has ended. ``{"signal": N}`` asks it to
signal the kernel. When the channel closes it ends, and Linux kills all that is left in its PID
namespace.
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
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from autograder import confine, linux, namespaces, seccomp, warmkernel
from autograder.watch import Watch

MESSAGE_BYTES = 1 << 17
WATCH_SECONDS = 0.25


def never_return(work: Callable[[], None]) -> NoReturn:
    """Run the rest of a forked process's life; nothing of its parent's code runs after it."""
    try:
        work()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    os._exit(1)


def init(data: bytes, fds: list[int], owner: tuple[int, int] | None) -> None:
    """Build the jail, fork the kernel into it, and watch over it to its end.

    Args:
        data: the request, JSON: ``connection``, ``limits``, and ``run``, ``readable`` or ``work``.
        fds: the channel to the grader, and a tar archive of the submission's files.
        owner: who made the namespaces this runs in, as ``become_student`` wants it; None when
            there are none, for isolation ``process``.
    """
    request: dict[str, Any] = json.loads(data)
    channel, archive = socket.socket(fileno=fds[0]), fds[1]
    # Only SIGKILL from outside may end init; the submission's signals are not heard.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    jailed = owner is not None
    try:
        if owner is not None:
            namespaces.become_student(*owner)
            keep = [Path(path) for path in request["readable"]]
            namespaces.make_private_view(request["run"], request["limits"]["scratch_mb"], keep)
            namespaces.raise_loopback()
        else:
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        ready, tell = os.pipe()
        go, allow = os.pipe()
        kernel = os.fork()
        if kernel == 0:
            never_return(lambda: run_kernel(request, archive, tell, go, jailed))
        for fd in (tell, go, archive):
            os.close(fd)
        # The kernel says "+" when it listens, else why it cannot; it goes on when told to.
        answer = os.read(ready, 4096)
        if answer != b"+":
            raise OSError(answer.decode(errors="replace") or "it ended while it started")
        if jailed:
            namespaces.seal_run_directory()
            confine.drop_privileges()
            linux.prctl(linux.PR_SET_DUMPABLE, 0)
        confine.detach_standard_streams()
        confine.close_all_but({channel.fileno(), allow})
        os.write(allow, b"+")
        os.close(allow)
        channel.send(json.dumps({"pid": kernel}).encode())
    except OSError as error:
        channel.send(json.dumps({"failed": str(error)}).encode())
        os._exit(1)
    watch_over(kernel, channel, Watch(kernel, request["limits"], everyone=jailed), jailed)


def watch_over(kernel: int, channel: socket.socket, watch: Watch, jailed: bool) -> None:
    """Pass signals on and hold the common limits, until the kernel ends or must."""
    over = [os.pidfd_open(kernel)]
    if not jailed:  # in a jail, the end of the server is the end of everything
        over.append(os.pidfd_open(os.getppid()))
    limit, asked = None, False
    while limit is None:
        readable, _, _ = select.select([channel.fileno(), *over], [], [], WATCH_SECONDS)
        if set(readable) & set(over):
            break
        if asked := bool(readable) and not _obey(channel, kernel):
            break
        _reap_orphans(kernel)
        limit = watch.exceeded()
    status = _end_all(kernel, jailed)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    farewell = {
        "ended": os.waitstatus_to_exitcode(status),
        "limit": limit,
        "asked": asked,
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 4),
        "peak_mb": usage.ru_maxrss // 1024,
    }
    with contextlib.suppress(OSError):  # the grader may have gone
        channel.send(json.dumps(farewell).encode())
    os._exit(0)


def _obey(channel: socket.socket, kernel: int) -> bool:
    """Do what the grader asks; False when it hung up or wants the kernel ended."""
    data = channel.recv(MESSAGE_BYTES)
    number = json.loads(data)["signal"] if data else signal.SIGKILL
    if number == signal.SIGKILL:
        return False
    os.kill(kernel, number)
    return True


def _reap_orphans(kernel: int) -> None:
    """Collect children of the submission's that lost their parent; a zombie counts as a process."""
    with contextlib.suppress(ChildProcessError):
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (found := os.waitid(os.P_ALL, 0, flags)) and found.si_pid != kernel:
            os.waitpid(found.si_pid, 0)


def _end_all(kernel: int, jailed: bool) -> int:
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
        confine.volunteer_for_oom()
        if jailed:
            linux.prctl(linux.PR_SET_DUMPABLE, 1)
            confine.drop_privileges()
        else:
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        confine.detach_standard_streams()
        os.chdir(namespaces.WORK if jailed else request["work"])
        unpack(archive)
        confine.close_all_but({tell, go})
        confine.set_limits(request["limits"], jailed)
        if jailed:
            seccomp.install()
        warmkernel.listen(request["connection"], request["limits"]["output_mb"] << 20)
        confine.limit_memory(request["limits"]["memory_mb"])
    except Exception as error:
        os.write(tell, f"{type(error).__name__}: {error}".encode()[:4096])
        os._exit(1)
    os.write(tell, b"+")
    os.read(go, 1)
    os.close(tell)
    os.close(go)
    warmkernel.run()


def unpack(archive: int) -> None:
    """Write the submission's files into the working folder."""
    with os.fdopen(archive, "rb") as file:
        file.seek(0)
        content = file.read()
    if content:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            tar.extractall(filter="data")
