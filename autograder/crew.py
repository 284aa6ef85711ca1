"""The processes that judge submissions on this machine: a foreman, and the workers forked from it.

A worker that dies takes no other with it: ``collect`` says how it ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import TYPE_CHECKING, TypeAlias

from autograder.errors import AutograderError
from autograder.runfolder import RunFolder

if TYPE_CHECKING:
    from autograder.cases import Brief, Outcome, Task
    from autograder.request import Expected

START_SECONDS = 180.0
CLOSE_SECONDS = 8.0
# Beyond a submission's own limit: the start of its kernel, a slow machine, the ending.
PATIENCE = 300.0


# One task for each notebook of an assignment, and what came of them.
Submission: TypeAlias = "tuple[Task, ...]"
Outcomes: TypeAlias = "tuple[Outcome, ...]"


@dataclass(frozen=True)
class Lost:
    """A submission that could not be judged, through no finding about its code."""

    student: str
    reason: str


class WorkerDied(Exception):
    """A worker's process ended with a task on its desk."""


class Worker:
    """One worker process, as the grader sees it."""

    def __init__(self, desk: Connection, pid: int) -> None:
        self.desk, self.pid = desk, pid
        self.task: Submission | None = None
        self.deadline = 0.0


class Crew:
    """The foreman and the workers forked from it, for the notebooks of one assignment.

    It starts before anybody knows the assignment, for it has much to import: ``expect`` says what
    is likely, ``brief`` what it is.
    """

    def __init__(self, folder: RunFolder | None = None) -> None:
        self.briefed: Brief | None = None
        self.patience = PATIENCE
        self.own_folder = folder is None
        self.folder = folder or RunFolder()
        self._start()

    def expect(self, expected: Expected) -> None:
        """Let what will probably be asked for get ready."""
        self._tell(expected)

    def brief(self, brief: Brief) -> None:
        """Say what is to be graded; nobody can be hired before that."""
        self.briefed = brief
        # How long a worker may sit over one submission, that of whoever has its turn included.
        longest = sum(lesson.limits.submission_seconds for lesson in brief.lessons)
        self.patience = PATIENCE + 2 * longest
        self._tell(brief)

    def _tell(self, word: object) -> None:
        with contextlib.suppress(OSError):  # hire() notices
            self.control.send(word)

    def _start(self) -> None:
        mine, theirs = socket.socketpair()
        self.folder.path.mkdir(exist_ok=True)
        self.log = (self.folder.path / "log").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autograder.foreman", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            # Every temporary file of the run lies in its folder, so that nothing stays behind.
            env={**os.environ, "TMPDIR": str(self.folder.path)},
            # Ctrl-C reaches the grader's whole process group; what happens then is its to say.
            start_new_session=True,
        )
        theirs.close()
        self.control = Connection(mine.detach())
        self.lock = threading.Lock()

    def hire(self) -> Worker:
        """Fork one more worker.

        Raises:
            AutograderError: when it does not start: the engine cannot work here.
        """
        for attempt in (1, 2):
            mine, theirs = socket.socketpair()
            desk = Connection(mine.detach())
            try:
                with self.lock, theirs:
                    self.control.send("hire")
                    send_handle(self.control, theirs.fileno(), self.process.pid)
                if not desk.poll(START_SECONDS):
                    break
                word = desk.recv()
            except (EOFError, OSError):
                desk.close()
                if attempt == 1 and self.process.poll() is not None:
                    self._end()
                    self._start()
                    assert self.briefed is not None
                    self.brief(self.briefed)
                continue
            if isinstance(word, AutograderError):
                desk.close()
                raise word
            return Worker(desk, word)
        raise AutograderError(
            f"a grading process did not start: {self._last_words() or 'it said nothing'}",
            remedy="run `autograder doctor`",
        )

    def assign(self, worker: Worker, task: Submission) -> None:
        """Put a submission on a worker's desk.

        Raises:
            WorkerDied: when nobody sits there any more.
        """
        worker.task = task
        worker.deadline = time.monotonic() + self.patience
        try:
            worker.desk.send(task)
        except OSError as error:
            raise WorkerDied(self._fate(worker)) from error

    def collect(self, worker: Worker) -> Outcomes | AutograderError | Lost:
        """What a worker has to say.

        Raises:
            WorkerDied: when it has died.
        """
        assert worker.task is not None
        try:
            said = worker.desk.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied(self._fate(worker)) from error
        task, worker.task = worker.task, None
        return Lost(task[0].student, said) if isinstance(said, str) else said

    def overdue(self, worker: Worker) -> bool:
        """Whether it has had more time than any submission may take."""
        return worker.task is not None and time.monotonic() > worker.deadline

    def dismiss(self, worker: Worker, *, kill: bool = False) -> None:
        """Let a worker go: it ends as soon as its desk is closed."""
        if kill:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        worker.desk.close()

    def close(self) -> None:
        """End all of it, whatever it is doing, and remove what it left."""
        self._end()
        if self.own_folder:
            self.folder.remove()

    def _end(self) -> None:
        self.control.close()
        if self.briefed is None:  # it may be importing for a while yet
            self.process.terminate()
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _fate(self, worker: Worker) -> str:
        worker.desk.close()
        with contextlib.suppress(OSError, EOFError), self.lock:
            self.control.send(("fate", worker.pid))
            if self.control.poll(5):
                return str(self.control.recv())
        return "was lost"

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            self.log.seek(0)
            lines = self.log.read()[-4000:].decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""
