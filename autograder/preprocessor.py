"""nbgrader's ``Execute`` with our engine inside: for `nbgrader autograde` and formgrader's button.

    c.Autograde.autograde_preprocessors = ["autograder.preprocessor.RefereeExecute", ...]

nbgrader restores the graded cells before it and reads scores from the outputs after it; in between
the submission runs in a jailed kernel and the tests in the referee, as with `autograder grade`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager, NoSuchKernel
from nbformat import NotebookNode, v4
from nbgrader.api import Gradebook
from nbgrader.preprocessors import Execute
from papermill.engines import papermill_engines
from traitlets import Integer, Unicode

from autograder.bout import Bout
from autograder.cases import Lesson
from autograder.errors import CourseError
from autograder.exercises import grade_id, role
from autograder.formgrader import course_of, folder_of, keep
from autograder.isolation import choose
from autograder.limits import Limits
from autograder.registration import register
from autograder.results import CellResult, Status
from autograder.text import dump
from autograder.tribunal import close_tribunal
from autograder.work import KERNEL, opened, packages_of, refuse_leaning

# How long a program that goes on, such as formgrader's, keeps warm kernels for the next notebook.
IDLE_SECONDS = 60.0
CHECK = "__beside__"


@dataclass(frozen=True)
class Release:
    """What the gradebook says of a notebook's cells: nbgrader's record of the release.

    Attributes:
        tests: sources of the test cells, by grade_id.
        points: what each graded cell is worth, by grade_id.
        solutions: grade_ids of the cells that students fill in.
    """

    tests: dict[str, str]
    points: dict[str, float]
    solutions: frozenset[str]

    @classmethod
    def read(cls, db_url: str, assignment: str, notebook: str) -> Release:
        """Read it from nbgrader's gradebook."""
        with Gradebook(db_url) as gradebook:
            record = gradebook.find_notebook(notebook, assignment)
            points = {cell.name: float(cell.max_score) for cell in record.grade_cells}
            solutions = frozenset(cell.name for cell in record.solution_cells)
            tests = {
                cell.name: cell.source or ""
                for cell in record.source_cells
                if cell.name in points and cell.name not in solutions and cell.cell_type == "code"
            }
        return cls(tests, points, solutions)

    def mend(self, nb: NotebookNode) -> None:
        """Make each cell again what it was released as: nbgrader restores text and points alone.

        An essay that calls itself a test would earn its points by running.
        """
        for cell in nb.cells:
            name = grade_id(cell)
            if name in self.points or name in self.solutions:
                marks = cell.metadata.nbgrader
                marks.grade, marks.solution = name in self.points, name in self.solutions
                if marks.grade:
                    marks.points = self.points[name]


class RefereeExecute(Execute):
    """Runs one notebook on two kernels and leaves outputs from which nbgrader reads the scores.

    ``c.Execute.timeout``, ``--no-execute`` and ``c.Autograder.limits`` apply as everywhere.
    """

    timeout = Integer(
        None,
        allow_none=True,
        help="Seconds a cell may take; None for cell_seconds of c.Autograder.limits.",
    ).tag(config=True)

    isolation = Unicode(
        "",
        help="`jail`, or `process` to accept no walls around submissions; empty for the jail, and "
        "no grading where this machine cannot give one.",
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Any, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Fill in the outputs of every code cell.

        Raises:
            AutograderError: when there is no source notebook, no jail, or the engine cannot work.
            NoSuchKernel: when the notebook asks for a kernel that is not Python's, or not there.
        """
        _need_python(nb)
        started, names = time.monotonic(), resources["nbgrader"]
        release = Release.read(names["db_url"], names["assignment"], names["notebook"])
        release.mend(nb)
        master = self._master(names["assignment"], names["notebook"], release.tests)
        isolation = _settled(self.isolation)
        limits = Limits.from_config(self.config)
        if self.timeout:
            limits = replace(limits, cell_seconds=self.timeout)
        whole = dump(master)
        lesson = Lesson(names["notebook"], whole, whole, limits, isolation)
        _, _, trusted, skip = opened(lesson)
        bout = Bout(trusted, packages_of(master), None, skip, limits, isolation)
        beside = Path(resources.get("metadata", {}).get("path", "") or ".")
        with tempfile.TemporaryDirectory(prefix="submission-") as scratch:
            bout.files = Path(scratch) / "files"
            _copy(beside, bout.files)
            ran = _call(lambda: _run(lesson, nb, release.tests, bout))
        for cell, done in zip(nb.cells, ran, strict=True):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = done.outputs, done.execution_count
                if result := bout.results.get(grade_id(done)):
                    cell.outputs = told(cell.outputs, result)
        order = [name for cell in nb.cells if (name := grade_id(cell)) in release.points]
        worth = {name: release.points[name] for name in order}
        keep(folder_of(self, names), names, worth, bout, time.monotonic() - started)
        for problem in bout.problems:
            self.log.warning("%s of %s: %s", names["notebook"], names["student"], problem)
        return nb, resources

    def _master(self, assignment: str, notebook: str, tests: dict[str, str]) -> NotebookNode:
        """The source notebook, with the tests as nbgrader recorded them when it was released."""
        course = course_of(self)
        folder = course.format_path(course.source_directory, ".", assignment)
        path = Path(folder) / f"{notebook}.ipynb"
        if not path.is_file():
            # What it holds beside the tests decides which names are the referee's own; a
            # submission's word for that would be code of its own in the referee.
            raise CourseError(
                "no source notebook, and the referee cannot do without",
                where=path,
                remedy="put it there, or take nbgrader's own Execute",
            )
        master = nbformat.read(path, as_version=4)
        missing = dict(tests)
        for cell in master.cells:
            if role(cell) == "test" and grade_id(cell) in missing:
                cell.source = missing.pop(grade_id(cell))
        master.cells += [_test(name, source, 0) for name, source in missing.items()]
        return master


def told(outputs: list[NotebookNode], result: CellResult) -> list[NotebookNode]:
    """A test cell's outputs such that ``nbgrader.utils.determine_grade`` gives its points.

    nbgrader takes standard error for a failure, so a warning that a passed test printed moves to
    standard output; it takes a result for partial credit, and no output at all for full marks.
    """
    earned = result.points or 0.0
    kept = []
    for output in outputs:
        if output.output_type == "stream":
            kept.append(v4.new_output("stream", name="stdout", text=output.text))
        elif output.output_type == "error" and result.status in (Status.PASSED, Status.PARTIAL):
            continue
        elif output.output_type != "execute_result":
            kept.append(output)
    if result.status is Status.PASSED:
        return kept
    if result.status is Status.PARTIAL:
        data = {"text/plain": repr(earned)}
        return [*kept, v4.new_output("execute_result", data=data, execution_count=None)]
    if not any(output.output_type == "error" for output in kept):
        name = result.error or result.status.capitalize()
        text = f"{name}: {result.message}"
        kept.append(v4.new_output("error", ename=name, evalue=result.message, traceback=[text]))
    return kept


def _run(lesson: Lesson, nb: NotebookNode, tests: dict[str, str], bout: Bout) -> list[NotebookNode]:
    """Run a copy of ``nb`` that holds nothing of a submission's metadata; its cells."""
    mode = os.environ.get("NBGRADER_EXECUTION", "")
    say = f'__import__("os").environ["NBGRADER_EXECUTION"] = {mode!r}'
    move = f'__import__("os").chdir({str(bout.files)!r})\n{say}'
    # nbgrader's tests find the assignment's files and its variable where they run: on both sides.
    ahead = [v4.new_code_cell(say), _test(CHECK, move, 0)]
    copy = v4.new_notebook(cells=[*ahead, *(_stripped(cell, tests) for cell in nb.cells)])
    register()
    for part in (copy, *copy.cells):
        part.metadata["papermill"] = {}
    ran = papermill_engines.execute_notebook_with_engine(
        "referee", copy, kernel_name=KERNEL, progress_bar=False, log_output=False, bout=bout
    )
    if bout.leaning:
        refuse_leaning(lesson, bout)
    cells: list[NotebookNode] = ran.cells[len(ahead) :]
    for cell in cells:
        if cell.get("execution_count"):
            cell.execution_count -= len(ahead)
    return cells


def _stripped(cell: NotebookNode, tests: dict[str, str]) -> NotebookNode:
    """A cell's text alone; only one that equals a recorded test, name and text, is a test."""
    if cell.cell_type != "code":
        return v4.new_markdown_cell(cell.source)
    name = grade_id(cell)
    if role(cell) == "test" and tests.get(name) == cell.source:
        return _test(name, cell.source, cell.metadata.nbgrader.points)
    return v4.new_code_cell(cell.source)


def _test(name: str, source: str, points: float) -> NotebookNode:
    marks = {"grade": True, "solution": False, "locked": True, "grade_id": name, "points": points}
    return v4.new_code_cell(source, metadata={"nbgrader": marks})


def _need_python(nb: NotebookNode) -> None:
    name = nb.metadata.get("kernelspec", {}).get("name", NATIVE_KERNEL_NAME)
    if name in ("python", NATIVE_KERNEL_NAME):
        return
    if KernelSpecManager().get_kernel_spec(name).language.lower() != "python":
        raise NoSuchKernel(name)


def _copy(folder: Path, target: Path) -> None:
    """The files beside a notebook: no notebook, for this one holds the hidden tests; no link."""

    def left_out(place: str, names: list[str]) -> list[str]:
        here = Path(place)
        return [n for n in names if n.endswith(".ipynb") or (here / n).is_symlink()]

    shutil.copytree(folder, target, ignore=left_out)


@cache
def _settled(isolation: str) -> str:
    return choose(isolation)


_worker: ThreadPoolExecutor | None = None
_timer: threading.Timer | None = None


def _call(run: Callable[[], list[NotebookNode]]) -> list[NotebookNode]:
    """Run here, or beside an event loop that is at work here, as formgrader's is."""
    global _worker, _timer
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    # One thread that stays: the jail ends with the thread that started it.
    _worker = _worker or ThreadPoolExecutor(1, "referee")
    if _timer is not None:
        _timer.cancel()
    done = _worker.submit(run)
    try:
        return done.result()
    finally:
        _timer = threading.Timer(IDLE_SECONDS, _worker.submit, [_rest])
        _timer.daemon = True
        _timer.start()


def _rest() -> None:
    """End what waits for the next notebook; it starts again on demand."""
    from autograder.kernels import close_servers

    close_servers()
    close_tribunal()
