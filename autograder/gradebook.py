"""Writes scores into nbgrader's gradebook, through its own API."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType

import nbformat
from nbformat import NotebookNode
from nbgrader import api
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    MissingEntry,
    SubmittedAssignment,
)
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from nbgrader.utils import parse_utc
from sqlalchemy import select
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from tornado.log import app_log

from autograder.build import RELEASE_STEPS
from autograder.database import FAULTS, SQLITE, reason_of, refuses, shown, trouble
from autograder.errors import CourseError, SubmissionError
from autograder.folder import CourseFolder
from autograder.results import SubmissionResult


class Scores:
    """The gradebook of one assignment, open for the length of a run.

    Only one process may hold it; workers hand their results to that one. A new one takes seconds to
    make, so that goes on beside the rest until somebody asks for it: what is wrong with it is
    raised then.

    Args:
        folder: the course.
        assignment: its name.
        masters: its source notebooks, in the order of ``folder.masters``.
    """

    def __init__(self, folder: CourseFolder, assignment: str, *masters: NotebookNode) -> None:
        self.folder, self.assignment = folder, assignment
        names = [path.stem for path in folder.masters(assignment)]
        self._masters = dict(zip(names, masters, strict=True))
        self._quiet = warnings.catch_warnings()

    def __enter__(self) -> Scores:
        # nbgrader's models make newer SQLAlchemy warn of its own autoflush; nothing is lost by it.
        self._quiet.__enter__()
        warnings.simplefilter("ignore", SAWarning)
        # It also logs what it raises, with all that led to it.
        self._level = app_log.level
        app_log.setLevel(logging.CRITICAL)
        if self.folder.db_url.startswith(SQLITE):
            path = Path(self.folder.db_url.removeprefix(SQLITE))
            path.parent.mkdir(parents=True, exist_ok=True)
        stamp_by_ourselves()
        self._beside = ThreadPoolExecutor(1)
        self._recorded = self._beside.submit(self._record_masters)
        return self

    @cached_property
    def gradebook(self) -> Gradebook:
        """The open gradebook, with the masters' cells in it.

        Raises:
            CourseError: when it cannot be opened, or holds other cells.
        """
        try:
            self._recorded.result()
            return Gradebook(
                self.folder.db_url, self.folder.config.CourseDirectory.get("course_id", "")
            )
        except FAULTS as error:
            raise trouble(error, self.folder.db_url, "written") from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._beside.shutdown()
        if "gradebook" in vars(self):
            self.gradebook.close()
        app_log.setLevel(self._level)
        self._quiet.__exit__(kind, error, trace)

    def students(self) -> set[str]:
        """The students whose submission of this assignment is in the gradebook."""
        wanted = (
            select(SubmittedAssignment.student_id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .where(Assignment.name == self.assignment)
        )
        gradebook = self.gradebook
        try:
            return set(gradebook.db.execute(wanted).scalars())
        except FAULTS as error:
            raise trouble(error, self.folder.db_url, "written") from error

    def save(self, result: SubmissionResult, submitted: datetime | None) -> None:
        """Write one submission's automatic scores; a manual score stays and asks for a look.

        Raises:
            CourseError: when the gradebook cannot be written; the submission is graded again on
                the next run.
            SubmissionError: when it does not take this student's name or values.
        """
        gradebook = self.gradebook
        try:
            with one_commit(gradebook):
                self._save(result, submitted)
            if submitted is not None:
                self._late_penalty(result.student)
        except FAULTS as error:
            with suppress(SQLAlchemyError):  # the connection may be gone
                gradebook.db.rollback()
            if refuses(error):
                raise SubmissionError(f"not in the gradebook: {reason_of(error)}") from error
            raise trouble(error, self.folder.db_url, "written") from error

    def _save(self, result: SubmissionResult, submitted: datetime | None) -> None:
        self.gradebook.update_or_create_student(result.student)
        extra = {"timestamp": submitted} if submitted else {}
        self.gradebook.update_or_create_submission(self.assignment, result.student, **extra)
        cells = {cell.grade_id: cell for cell in result.cells}
        for name in self._masters:
            prefix = f"{name}/" if len(self._masters) > 1 else ""
            entry = self.gradebook.find_submission_notebook(name, self.assignment, result.student)
            # One query for all: asking each grade for its cell takes longer than all the rest.
            rows = (
                self.gradebook.db.query(Grade, BaseCell.name)
                .join(BaseCell, BaseCell.id == Grade.cell_id)
                .filter(Grade.notebook_id == entry.id)
            )
            for grade, cell_name in rows:
                cell = cells.get(prefix + cell_name)
                grade.auto_score = cell.points if cell is not None else 0.0
                by_hand = grade.manual_score is not None or grade.auto_score is None
                grade.needs_manual_grade = by_hand

    def _late_penalty(self, student: str) -> None:
        step = AssignLatePenalties(config=self.folder.config)
        for name in self._masters:
            step.preprocess(nbformat.v4.new_notebook(), self._resources(name, student))

    def _record_masters(self) -> None:
        """Tell the gradebook the masters' cells, as `nbgrader generate_assignment` does."""
        with Gradebook(self.folder.db_url) as gradebook:
            try:
                gradebook.find_assignment(self.assignment)
            except MissingEntry:
                gradebook.add_assignment(self.assignment)
        for name, master in self._masters.items():
            self._record_master(name, master)

    def _record_master(self, name: str, master: NotebookNode) -> None:
        notebook = nbformat.from_dict(master)
        for step in RELEASE_STEPS[:5]:
            notebook, _ = step(config=self.folder.config).preprocess(notebook, {})
        try:
            SaveAtOnce(config=self.folder.config).preprocess(notebook, self._resources(name))
        except RuntimeError as error:
            raise CourseError(
                f"{self.assignment} has other cells than when it was last graded ({error})",
                where=shown(self.folder.db_url),
                remedy="keep the cells' grade_ids, or remove the assignment's submissions with "
                f"`nbgrader db assignment remove {self.assignment} --force`",
            ) from error

    def _resources(self, notebook: str, student: str = "") -> dict:
        names = {"notebook": notebook, "assignment": self.assignment, "student": student}
        return {"nbgrader": {**names, "db_url": self.folder.db_url}}


class SaveAtOnce(SaveCells):
    """nbgrader's step, in one commit."""

    def _create_notebook(self, nb: NotebookNode) -> None:
        with one_commit(self.gradebook):
            super()._create_notebook(nb)


@contextmanager
def one_commit(gradebook: Gradebook) -> Iterator[None]:
    """Write all or nothing, and wait for the disk once: nbgrader's API commits at each step."""
    db = gradebook.db
    db.commit = db.flush
    try:
        yield
    finally:
        del db.commit
    db.commit()


def stamp_by_ourselves() -> None:
    """Let nbgrader look up its tables' newest version, with which it stamps a new gradebook, here.

    It asks the command ``alembic``, which takes longer than grading a few submissions, and is to be
    found by whoever runs the grader.
    """
    from alembic.script import ScriptDirectory

    migrations = Path(api.__file__).parent / "alembic"
    api.get_alembic_version = lambda: str(ScriptDirectory(str(migrations)).get_current_head())


def read_timestamp(folder: Path) -> datetime | None:
    """When a submission was handed in, from nbgrader's ``timestamp.txt``; None without one."""
    try:
        return parse_utc((folder / "timestamp.txt").read_text(encoding="utf-8").strip())
    except (OSError, ValueError, UnicodeDecodeError):
        return None
