"""Grades submissions on the workers of a Dask scheduler, wherever they run.

A worker is any machine where this package is installed and a Dask worker runs. Each keeps a crew
as the local pool does, with its own jail and warm kernels, so a submission that brings a process
down harms no Dask worker. Submissions travel as bytes and results come back as bytes: workers see
neither the course folder nor the gradebook. A submission whose worker is lost goes to another.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

from autograder.cases import Brief, Lesson
from autograder.crew import Crew, Lost, Outcomes, Submission, Worker, WorkerDied
from autograder.errors import AutograderError
from autograder.intake import engine_digest
from autograder.isolation import choose

CONNECT_SECONDS = 10
WORKERS_SECONDS = 60
# How often Dask sends a submission to another worker after the one that had it was lost.
RETRIES = 3
# Submissions under way for each of a worker's threads: one running, one waiting at its door.
AHEAD = 2
COUNT_SECONDS = 1.0


class Cluster:
    """The cluster behind a scheduler; ``with Cluster(lessons, address) as c: c.outcomes(…)``."""

    def __init__(self, lessons: Sequence[Lesson], address: str) -> None:
        self.lessons, self.address = tuple(lessons), address
        self.client: Any = None
        self._threads, self._counted = 0, -COUNT_SECONDS

    def __enter__(self) -> Cluster:
        """Connect.

        Raises:
            AutograderError: when there is no scheduler, or it is of another version.
        """
        self.client = connect(self.address)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.client is not None:
            with contextlib.suppress(Exception):
                self.client.close(timeout=5)

    def outcomes(self, submissions: Iterable[Submission]) -> Iterator[Outcomes | Lost]:
        """Outcomes as they come; each submission is read when the cluster has room for it.

        Raises:
            AutograderError: when the engine cannot work there, or the scheduler is lost.
        """
        from distributed import as_completed

        waiting = iter(submissions)
        students: dict[str, str] = {}
        running = as_completed(loop=self.client.loop)

        def submit() -> bool:
            tasks = next(waiting, None)
            if tasks is None:
                return False
            future = self.client.submit(
                judge_there, self.lessons, tasks, expected(), pure=False, retries=RETRIES
            )
            students[future.key] = tasks[0].student
            running.add(future)
            return True

        while len(students) < self._room() and submit():
            pass
        for future in running:
            yield self._found(future, students.pop(future.key))
            while len(students) < self._room() and submit():
                pass

    def _room(self) -> int:
        """How many may be under way; workers come and go, but not with each submission."""
        now = time.monotonic()
        if now > self._counted + COUNT_SECONDS:
            self._threads, self._counted = sum(self.client.nthreads().values()), now
        return max(1, self._threads) * AHEAD

    def _found(self, future: Any, student: str) -> Outcomes | Lost:
        from distributed import KilledWorker

        try:
            return future.result()
        except AutograderError:
            raise
        except KilledWorker:
            return Lost(student, "every worker that had it was lost")
        except Exception as error:
            if isinstance(error, ImportError) or "deserializ" in str(error):
                raise AutograderError(
                    f"the cluster at {self.address} does not know this engine: {error}",
                    remedy="install the same version on its scheduler and on its workers",
                ) from error
            if future.cancelled() or self.client.status != "running":
                raise AutograderError(
                    f"lost the scheduler at {self.address}",
                    remedy="what was graded is kept; the same command goes on with the rest",
                ) from error
            return Lost(student, f"{type(error).__name__}: {str(error)[:300]}")
        finally:
            future.release()


def connect(address: str) -> Any:
    """A client of the scheduler at ``address``.

    Raises:
        AutograderError: when Dask is not installed, nobody answers, or versions differ.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise AutograderError(
            "Dask is not installed", remedy="install the extra: pip install '.[cluster]'"
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise AutograderError(
            f"no Dask scheduler answers at {address}",
            remedy=f"start one with `dask scheduler`, and workers with `dask worker {address}`",
        ) from error
    try:
        client.wait_for_workers(1, timeout=WORKERS_SECONDS)
    except TimeoutError as error:
        client.close()
        raise AutograderError(
            f"the Dask scheduler at {address} has no workers",
            remedy=f"start some with `dask worker {address}`",
        ) from error
    return client


def expected() -> tuple[str, str]:
    """What a worker must have in common with this process: Python and the engine."""
    return f"{sys.version_info.major}.{sys.version_info.minor}", engine_digest()


def judge_there(
    lessons: tuple[Lesson, ...], tasks: Submission, wanted: tuple[str, str]
) -> Outcomes:
    """In a Dask worker: grade one submission in its crew.

    Raises:
        AutograderError: when this worker cannot grade as the one who asked would.
    """
    found = expected()
    if found != wanted:
        raise AutograderError(
            f"a worker has Python {found[0]} and engine {found[1]}, this machine has Python "
            f"{wanted[0]} and engine {wanted[1]}",
            remedy="install the same version on all machines",
        )
    last = ""
    for _ in range(2):
        crew = _crew(lessons)
        worker = _desk(crew)
        try:
            crew.assign(worker, tasks)
            said = crew.collect(worker)
        except WorkerDied as death:
            last = str(death)
            continue
        if isinstance(said, AutograderError):
            crew.dismiss(worker)
            raise said
        _idle.setdefault(crew, []).append(worker)
        if isinstance(said, Lost):
            raise RuntimeError(said.reason)
        return said
    raise RuntimeError(f"the process that graded it {last}, twice")


_lock = threading.Lock()
_crews: dict[tuple[Lesson, ...], Crew] = {}
_idle: dict[Crew, list[Worker]] = {}


def _crew(lessons: tuple[Lesson, ...]) -> Crew:
    """This process's crew for an assignment; one for another assignment goes home."""
    with _lock:
        if lessons not in _crews:
            while _crews:
                _crews.popitem()[1].close()
            _idle.clear()
            choose(lessons[0].isolation)
            crew = _crews[lessons] = Crew()
            crew.brief(Brief(lessons))
        return _crews[lessons]


def _desk(crew: Crew) -> Worker:
    with _lock:
        if idle := _idle.get(crew):
            return idle.pop()
    return crew.hire()
