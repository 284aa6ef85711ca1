"""Grades one submission, bytes in and bytes out: the same function in a pool or on a cluster."""

from __future__ import annotations

import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from papermill.engines import papermill_engines

from autograder.bout import Bout, jail_request
from autograder.calllog import pack
from autograder.cases import Lesson, Outcome, Task
from autograder.errors import SubmissionError
from autograder.exercises import grade_id, points, role
from autograder.registration import KERNEL_NAME, register
from autograder.restore import Restored, restore
from autograder.results import CellResult, Status, SubmissionResult
from autograder.servers import server_for
from autograder.submission import read_submission
from autograder.text import dump
from autograder.tribunal import tribunal
from autograder.trusted import Trusted, read_trusted
from autograder.turns import Turns

# Forking a warm kernel is Linux's; elsewhere a submission waits for a cold one.
KERNEL = KERNEL_NAME if sys.platform == "linux" else "python3"


def warm(lesson: Lesson) -> None:
    """Start what all submissions of a lesson share, both servers at once.

    Raises:
        AutograderError: when one does not start.
    """
    register()
    master, _, trusted, _ = opened(lesson)
    bout = Bout(trusted, packages_of(master), limits=lesson.limits, isolation=lesson.isolation)
    server = server_for(jail_request(bout).server_key()) if KERNEL == KERNEL_NAME else None
    tribunal().prepare(trusted)
    if server is not None:
        server.wait_ready()


def expect(master: bytes) -> None:
    """Let the referee read a master notebook as it is stored; ``warm`` finds that done.

    Raises:
        AutograderError: when its imports or helpers fail.
    """
    tribunal().prepare(_read_master(master)[1])


def judge(lesson: Lesson, task: Task, turns: Turns | None = None) -> Outcome:
    """Grade one submission; whatever it is, the outcome is a score or a reason.

    Args:
        lesson: what it is an answer to.
        task: the submission.
        turns: for its code to wait for one.

    Raises:
        AutograderError: when the engine cannot work; it says nothing about the submission. So does
            any other exception.
    """
    started, waited = time.monotonic(), turns.waited if turns else 0.0
    register()
    result = SubmissionResult(
        task.student,
        lesson.name,
        problems=list(task.notes),
        isolation=lesson.isolation,
        fingerprint=task.fingerprint,
    )
    master, release, trusted, skip = opened(lesson)
    notebook, calls = None, b""
    try:
        if task.content is None:
            raise SubmissionError(task.refusal or "there is nothing to run")
        if task.whole:
            submitted = read_submission(task.content)
            restored = restore(master, release, submitted.notebook)
            result.problems += submitted.notes + restored.notes
        else:
            restored = Restored(nbformat.reads(task.content.decode(), as_version=4))
        bout = Bout(trusted, packages_of(master), None, skip, lesson.limits, lesson.isolation)
        bout.turns = turns
        notebook = _run(lesson, task, restored.notebook, bout)
        if bout.leaning:
            refuse_leaning(lesson, bout)
        result.cells = [bout.results[name] for name in _graded(master) if name in bout.results]
        result.problems += bout.problems
        result.cpu_seconds = round(bout.cpu_seconds, 3)
        calls = pack(bout.calls)
    except SubmissionError as error:
        result.gradable = False
        result.problems.append(str(error))
    if not result.gradable:
        result.cells = [_zero(cell, result.problems[-1]) for cell in _graded(master).values()]
    waited = turns.waited - waited if turns else 0.0
    result.seconds = round(time.monotonic() - started - waited, 3)
    return Outcome(task.student, result.to_json(), dump(notebook) if notebook else None, calls)


def refuse_leaning(lesson: Lesson, bout: Bout) -> None:
    """Take back points that hang on changed arguments, where the reference changes none.

    A test of in-place work is known by the reference: it leans on the change as well.
    """
    for name in bout.leaning - _leaning_reference(lesson):
        cell = bout.results[name]
        cell.points, cell.status = 0.0, Status.FAILED
        cell.message = "your function changes what it is given, and passes only by that: copy it"


@lru_cache(maxsize=4)
def _leaning_reference(lesson: Lesson) -> frozenset[str]:
    master, _, trusted, skip = opened(lesson)
    bout = Bout(trusted, packages_of(master), None, skip, lesson.limits, lesson.isolation)
    _run(lesson, Task("reference", None), nbformat.from_dict(master), bout)
    return frozenset(bout.leaning)


def _run(lesson: Lesson, task: Task, notebook: NotebookNode, bout: Bout) -> NotebookNode:
    with tempfile.TemporaryDirectory(prefix="submission-") as scratch:
        bout.files, bout.own_files = Path(scratch) / "submission", Path(scratch) / "lesson"
        lay_out((*task.files, *lesson.files), bout.files)
        lay_out(lesson.files, bout.own_files)
        # papermill keeps its notes here while it runs; timings would make equal runs differ.
        for part in (notebook, *notebook.cells):
            part.metadata["papermill"] = {}
        ran = papermill_engines.execute_notebook_with_engine(
            "referee",
            notebook,
            kernel_name=KERNEL,
            progress_bar=False,
            log_output=False,
            bout=bout,
        )
        for part in (ran, *ran.cells):
            part.metadata.pop("papermill", None)
        return ran


def lay_out(files: tuple[tuple[str, bytes], ...], folder: Path) -> None:
    """Write files, by relative path, into a new folder."""
    folder.mkdir()
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@lru_cache(maxsize=4)
def opened(lesson: Lesson) -> tuple[NotebookNode, NotebookNode, Trusted, frozenset[str]]:
    """A lesson's master, its release, the referee's part of it, and its illustrations' sources."""
    master, trusted = _read_master(lesson.master)
    release = nbformat.reads(lesson.release.decode(), as_version=4)
    illustrations = frozenset(
        cell.source for cell in master.cells if "illustration" in cell.metadata.get("tags", [])
    )
    return master, release, trusted, illustrations


@lru_cache(maxsize=4)
def _read_master(content: bytes) -> tuple[NotebookNode, Trusted]:
    master = nbformat.reads(content.decode(), as_version=4)
    return master, read_trusted(master)


def packages_of(master: NotebookNode) -> list[str] | None:
    """What a submission may import; None when the notebook does not say."""
    packages = master.metadata.get("autograder", {}).get("packages")
    return [str(name) for name in packages] if packages else None


def _graded(master: NotebookNode) -> dict[str, NotebookNode]:
    return {grade_id(c): c for c in master.cells if role(c) in ("test", "manual")}


def _zero(cell: NotebookNode, reason: str) -> CellResult:
    return CellResult(grade_id(cell), 0.0, points(cell), Status.NOT_RUN, reason)
