"""Grades submissions side by side on this machine; a worker that dies takes none with it.

``outcomes`` reads submissions as workers get free, so a class of any size fits in memory. One whose
worker dies, or whose engine fails, is tried again once with nothing beside it. A second death is
that submission's alone: it comes back as ``Lost`` and the class goes on. A second failure of the
engine ends the run, for it would fail for the others too.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from autograder.cases import Brief
from autograder.crew import Crew, Lost, Outcomes, Submission, Worker, WorkerDied
from autograder.errors import AutograderError

if TYPE_CHECKING:
    from autograder.cases import Lesson, Outcome, Task

# Workers for each job: while one submission runs, the next gets ready.
SEATS = 2
Finding: TypeAlias = "Outcomes | Lost | AutograderError | WorkerDied"


class Pool:
    """A crew at work; ``with Pool(lessons, jobs) as pool: pool.outcomes(submissions)``.

    Args:
        lessons: the notebooks of one assignment.
        jobs: submissions that run their code at once.
        crew: one that stands ready already; it goes home at the end.
    """

    def __init__(self, lessons: Sequence[Lesson], jobs: int, crew: Crew | None = None) -> None:
        self.lessons, self.jobs, self.crew = lessons, max(1, jobs), crew
        self.seats = SEATS * self.jobs
        self.idle: list[Worker] = []
        self.busy: list[Worker] = []

    def __enter__(self) -> Pool:
        self.crew = self.crew or Crew()
        self.crew.brief(Brief(tuple(self.lessons), self.jobs))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _uninterrupted():
            if self.crew is not None:
                self._dismiss_all()
                self.crew.close()
                self.crew = None

    def outcomes(self, submissions: Iterable[Submission]) -> Iterator[Outcomes | Lost]:
        """Outcomes as they come; each submission is read when there is a worker for it.

        Raises:
            AutograderError: when the engine cannot work here; what came before stands.
        """
        waiting = iter(submissions)
        exhausted = False
        while not exhausted:
            again: list[Submission] = []
            done: list[Outcomes | Lost] = []
            trouble = False
            while True:
                while not (exhausted or trouble) and len(self.busy) < self.seats:
                    task = next(waiting, None)
                    if task is None:
                        exhausted = True
                    elif not self._begin(task):
                        again.append(task)
                        trouble = True
                # While the caller writes them down, the workers have something to do.
                yield from done
                if not self.busy:
                    break
                done.clear()
                for task, said in self._finished():
                    if isinstance(said, tuple | Lost):
                        done.append(said)
                    else:
                        again.append(task)
                        # A failing engine would fail for all; deaths may go on for a while.
                        trouble |= isinstance(said, AutograderError) or len(again) >= self.jobs
            for task in again:
                yield self._alone(task)

    def _begin(self, task: Submission) -> bool:
        assert self.crew is not None
        worker = self.idle.pop() if self.idle else self.crew.hire()
        try:
            self.crew.assign(worker, task)
        except WorkerDied:
            return False
        self.busy.append(worker)
        return True

    def _finished(self) -> Iterator[tuple[Submission, Finding]]:
        assert self.crew is not None
        ready = wait([worker.desk for worker in self.busy], 5.0)
        for worker in list(self.busy):
            task = worker.task
            assert task is not None
            if self.crew.overdue(worker):
                self.busy.remove(worker)
                self.crew.dismiss(worker, kill=True)
                yield task, WorkerDied("did not end")
            elif worker.desk in ready:
                self.busy.remove(worker)
                try:
                    said = self.crew.collect(worker)
                except WorkerDied as death:
                    yield task, death
                else:
                    self.idle.append(worker)
                    yield task, said

    def _alone(self, task: Submission) -> Outcomes | Lost:
        """A second and last try, in a new worker, while no other runs."""
        self._dismiss_all()
        fate = "was lost"
        if self._begin(task):
            while self.busy:
                for _, said in self._finished():
                    if isinstance(said, AutograderError):
                        raise said
                    if not isinstance(said, WorkerDied):
                        return said
                    fate = str(said)
        return Lost(task[0].student, f"the process that graded it {fate}, twice")

    def _dismiss_all(self) -> None:
        assert self.crew is not None
        for worker in (*self.idle, *self.busy):
            self.crew.dismiss(worker)
        self.idle.clear()
        self.busy.clear()


def judged(lesson: Lesson, tasks: Iterable[Task], jobs: int) -> Iterator[Outcome]:
    """Outcomes of tasks that must all have one.

    Raises:
        AutograderError: when the engine cannot work here, or one of them could not be judged.
    """
    with Pool([lesson], jobs) as pool:
        for found in pool.outcomes((task,) for task in tasks):
            if isinstance(found, Lost):
                raise AutograderError(f"{found.student} was not graded: {found.reason}")
            yield from found


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let no second Ctrl-C keep the ending from being one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
