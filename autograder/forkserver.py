"""The fork server: imports once, then forks one ready kernel for each submission.

Started by ``servers`` inside the jail, or beside the grader for isolation ``process``. It has one
thread and opens no thread pool, for neither would survive a fork.

It speaks with the grader over a ``SOCK_SEQPACKET`` socket, one JSON message a packet. When it has
imported everything it says ``{"ready": true, "threads": 1, "modules": N, "seconds": S}``. For
each request that comes with two file descriptors (see ``warden.init``) it forks an init, which
starts the kernel and speaks with the grader itself. When the grader's end closes, it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time

from autograder import linux, namespaces, warmkernel
from autograder.warden import MESSAGE_BYTES, init, never_return


def main(argument: str) -> None:
    """Serve until the grader goes away. ``argument`` is JSON, written by ``servers``."""
    settings = json.loads(argument)
    if settings["die_with_parent"]:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    control = socket.socket(fileno=settings["control"])
    if os.geteuid() == 0 and settings["jailed"]:
        os.setgroups([])
    sys.argv = ["ipykernel_launcher.py", "-f", str(namespaces.RUN / "kernel.json")]
    if settings["jailed"]:
        unknown = [path for path in settings["sites"] if path not in sys.path]
        sys.path += [*unknown, str(namespaces.PACKAGES)]
    began = time.perf_counter()
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
    """Fork an init for every request until the control socket closes."""
    # The handler does nothing but interrupt select, so that the dead are collected at once.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    while True:
        readable, _, _ = select.select([control, wake], [], [])
        if wake in readable:
            wake.recv(4096)
            reap()
        if control in readable:
            data, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
            if not data:
                os._exit(0)
            start_init(data, fds, (control, wake, waker), jailed)
            for fd in fds:
                os.close(fd)


def reap() -> None:
    """Collect the children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def start_init(data: bytes, fds: list[int], own: tuple[socket.socket, ...], jailed: bool) -> None:
    """Fork the submission's init; returns in the server alone.

    Args:
        data: the request, which the server itself does not read.
        fds: what came with it.
        own: the server's sockets, which init must not hold.
        jailed: whether it gets namespaces of its own.
    """
    if not jailed:
        if os.fork() == 0:
            never_return(lambda: _be_init(data, fds, own, None))
        return
    if len(list(os.scandir("/proc/self/task"))) > 1:
        # Some package started threads as it was imported. Libraries prepare for a fork by
        # handlers that a raw clone does not call, so let an ordinary fork come between.
        if os.fork() == 0:
            never_return(lambda: _clone_and_wait(data, fds, own))
        return
    _clone(data, fds, own)


def _clone_and_wait(data: bytes, fds: list[int], own: tuple[socket.socket, ...]) -> None:
    _clone(data, fds, own)
    for fd in (*fds, *(each.detach() for each in own)):
        os.close(fd)
    os.wait()
    os._exit(0)


def _clone(data: bytes, fds: list[int], own: tuple[socket.socket, ...]) -> None:
    with namespaces.as_outside_user():
        owner = os.geteuid(), os.getegid()
        if namespaces.fork_into_namespaces() == 0:
            never_return(lambda: _be_init(data, fds, own, owner))


def _be_init(
    data: bytes,
    fds: list[int],
    own: tuple[socket.socket, ...],
    owner: tuple[int, int] | None,
) -> None:
    signal.set_wakeup_fd(-1)
    for each in own:
        each.close()
    init(data, fds, owner)
