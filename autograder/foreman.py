"""The process that workers are forked from: ``crew`` starts ``python -m autograder.foreman FD``.

It imports the engine once, starts the referee's server and the kernels' fork server once, and
forks workers that share all three. It talks with the grader over the socket FD, by pickles, for
both ends are the grader's own::

    what is Expected            perhaps first: kernels and tests that will be asked for
    what is Brief               then: the notebooks of one assignment, and how many at once
    "hire", then a socket       forks a worker that serves it; the worker's first word is its pid
    ("fate", pid)               → how that worker ended, in words

When the grader's end closes, whatever the reason, it ends the workers and all that they started.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autograder import (
    lean,  # noqa: F401
    rundirs,
    servers,
)
from autograder.errors import AutograderError
from autograder.request import Expected

if TYPE_CHECKING:
    from autograder.cases import Brief, Outcome, Task
    from autograder.turns import Turns

LEAVE_SECONDS = 4
# What a machine can run out of, through no doing of a jailed submission.
SHORT_OF = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def main(fd: int) -> None:
    """Serve until the grader's end closes."""
    # Ctrl-C is the grader's to handle; it closes its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    control, grader = Connection(fd), os.getppid()
    workers: set[int] = set()
    try:
        with contextlib.suppress(EOFError, ConnectionError):
            serve(control, first_words(control), workers)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end(workers)
        close()
        if os.getppid() != grader:
            # The grader was killed, so nobody else removes its folder.
            shutil.rmtree(Path(os.environ["TMPDIR"]), ignore_errors=True)


def first_words(control: Connection) -> Brief:
    """The brief. What was announced before them gets ready meanwhile."""
    said = control.recv()
    while isinstance(said, Expected):
        with contextlib.suppress(Exception):  # hiring says why
            servers.server_for(said.key)
            importlib.import_module("autograder.tribunal").tribunal()
            engine().expect(said.master)
        said = control.recv()
    assert not isinstance(said, Expected)
    return said


def engine() -> ModuleType:
    """The module ``work``: most of a second of imports, with something under way already."""
    return importlib.import_module("autograder.work")


def close() -> None:
    """End what this process started; what is shared stays, for it is the parent's."""
    if tribunal := sys.modules.get("autograder.tribunal"):
        tribunal.close_tribunal()
    servers.close_servers()


def serve(control: Connection, brief: Brief, workers: set[int]) -> None:
    """Obey the grader; adds to ``workers`` who was hired and takes out who is known dead."""
    warm = engine().warm
    for module in (importlib.import_module("autograder.tribunal"), servers, rundirs):
        module.lend()
    with contextlib.suppress(AutograderError, OSError):  # hiring says why
        for lesson in brief.lessons:
            warm(lesson)
    # The workers need not look through all that they share for garbage, and copy it in doing so.
    gc.collect()
    gc.freeze()
    while True:
        match control.recv():
            case "hire":
                with Connection(recv_handle(control)) as desk:
                    hire(control, desk, brief, workers)
            case ("fate", pid):
                control.send(fate(pid, workers))


def hire(control: Connection, desk: Connection, brief: Brief, workers: set[int]) -> None:
    """Fork one worker, with everything that it shares at hand; what fails goes to the grader."""
    try:
        for lesson in brief.lessons:
            engine().warm(lesson)
        pid = os.fork()
    except (AutograderError, OSError) as error:
        desk.send(failure(error))
        return
    if pid:
        workers.add(pid)
        return
    status = 1
    try:
        control.close()
        work(desk, brief)
        status = 0
    except (EOFError, ConnectionError):
        status = 0
    finally:
        # Nothing of the foreman's own ending may run here.
        os._exit(status)


def work(desk: Connection, brief: Brief) -> None:
    """A worker's life: judge what comes until there is no more."""
    signal.signal(signal.SIGTERM, _leave)
    importlib.import_module("autograder.referee").die_with_parent(signal.SIGTERM)
    try:
        turns = engine().Turns(Path(tempfile.gettempdir()), brief.jobs) if brief.jobs else None
    except OSError as error:
        desk.send(failure(error))
        return
    desk.send(os.getpid())
    try:
        while True:
            desk.send(answer(brief, desk.recv(), turns))
    finally:
        close()


def answer(
    brief: Brief, tasks: tuple[Task, ...], turns: Turns | None
) -> tuple[Outcome, ...] | AutograderError | str:
    """The outcomes; an ``AutograderError`` of the engine; or what else went wrong, as text."""
    try:
        judge = engine().judge
        pairs = zip(brief.lessons, tasks, strict=True)
        return tuple(judge(lesson, task, turns) for lesson, task in pairs)
    except AutograderError as error:
        return failure(error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in SHORT_OF:
            where = error.filename or tempfile.gettempdir()
            return AutograderError(
                f"{where}: {error.strerror}; make room, and run again: nothing graded is lost"
            )
        return f"{type(error).__name__}: {str(error)[:300]}"


def failure(error: Exception) -> AutograderError:
    """The error with nothing but its line, which any process can read."""
    return AutograderError(str(error))


def fate(pid: int, workers: set[int]) -> str:
    """How a worker ended, in words that follow "the process that graded it"."""
    deadline = time.monotonic() + 2
    while pid in workers and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            found, status = os.waitpid(pid, os.WNOHANG)
            if not found:
                time.sleep(0.01)
                continue
            workers.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            if code < 0:
                return f"was killed by {signal.Signals(-code).name}"
            return f"ended with status {code}"
        workers.discard(pid)
    return "was lost"


def end(workers: set[int]) -> None:
    """Ask every worker to leave, then make it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + LEAVE_SECONDS - 1
        while workers and time.monotonic() < deadline:
            for pid in list(workers):
                with contextlib.suppress(ChildProcessError):
                    if os.waitpid(pid, os.WNOHANG) == (0, 0):
                        continue
                workers.discard(pid)
            time.sleep(0.005)


def _leave(*_: Any) -> None:
    """On SIGTERM: undo what is under way, in a few seconds at most."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LEAVE_SECONDS)
    raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
