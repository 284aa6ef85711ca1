"""The record of a graded class: what pages and tables are made from.

- ``read_lesson``: the master's exercises, and what students know its test cells as
- ``read_class``: stored results joined with nbgrader's gradebook, one ``Entry`` a submission
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import api, preprocessors
from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import CourseError
from autograder.exercises import HEADING, Exercise, read_exercises
from autograder.folder import CourseFolder
from autograder.results import SubmissionResult

# "Shape, 2 points": pages show the points beside the name.
WORTH = re.compile(r"[\s,:·–-]*\(?\b[\d.]+\s*(points?|pts?)\)?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Lesson:
    """What pages need of a master notebook; sources in ``exercises`` are never printed."""

    assignment: str
    heading: str
    notebook: str  # stem of the master: nbgrader names the feedback by it
    exercises: list[Exercise]
    titles: dict[str, str]  # of each exercise, by its name; unique
    behaviours: dict[str, str]  # what each test asks, by grade_id
    hidden: frozenset[str]  # lines that students do not have

    @property
    def points(self) -> float:
        """What the assignment is worth."""
        return sum(exercise.points for exercise in self.exercises)


def read_lesson(folder: CourseFolder, assignment: str) -> Lesson:
    """Read the master of ``assignment``; names of tests come from the part that students have.

    Raises:
        CourseError: when there is no such assignment.
    """
    path = folder.master(assignment)
    master = nbformat.read(path, as_version=4)
    exercises = read_exercises(master)
    headings = [found for cell in master.cells for found in HEADING.findall(cell.source)]
    for step in (preprocessors.ClearHiddenTests, preprocessors.ClearMarkScheme):
        master, _ = step(config=folder.config).preprocess(master, {})
    given = {test.grade_id: test for exercise in read_exercises(master) for test in exercise.tests}
    hidden: set[str] = set()
    for test in (test for exercise in exercises for test in exercise.tests):
        hidden |= set(test.source.splitlines()) - set(given[test.grade_id].source.splitlines())
    titles: dict[str, str] = {}
    for exercise in exercises:
        title = WORTH.sub("", exercise.title.replace("`", "")) or exercise.name
        parts = sum(other.title == exercise.title for other in exercises[: len(titles)])
        titles[exercise.name] = f"{title} · part {parts + 1}" if parts else title
    return Lesson(
        assignment=assignment,
        heading=headings[0] if headings else assignment,
        notebook=path.stem,
        exercises=exercises,
        titles=titles,
        behaviours={name: _behaviour(test.source, name) for name, test in given.items()},
        # Shorter lines (`)`, `else:`) give nothing away and occur everywhere.
        hidden=frozenset(line.strip() for line in hidden if len(line.strip()) > 11),
    )


def _behaviour(source: str, name: str) -> str:
    """First comment or docstring line of a test, else its grade_id in words."""
    for line in map(str.strip, source.splitlines()):
        text, opens = line.strip("#\"' "), line.startswith(("#", '"""', "'''"))
        if opens and text:
            return WORTH.sub("", text)
        if line and not opens and not line.startswith(("import ", "from ")):
            break
    return re.sub(r"[-_]+", " ", name).strip().capitalize()


def feedback_path(folder: CourseFolder, lesson: Lesson, student: str) -> Path:
    """Where nbgrader looks for a student's feedback."""
    return folder.feedback / student / lesson.assignment / f"{lesson.notebook}.html"


@dataclass
class Entry:
    """One submission with its final marks."""

    result: SubmissionResult
    problems: list[str]  # what a person should know; manual grading is in ``due``
    earned: dict[str, float | None] = field(default_factory=dict)  # None waits for a person
    by_person: set[str] = field(default_factory=set)  # cells whose points a person gave
    due: list[str] = field(default_factory=list)  # cells that wait for a person
    penalty: float = 0.0  # points taken off for being late

    @property
    def score(self) -> float:
        """Points after manual grading and penalty; never below zero, as nbgrader exports it."""
        return max(0.0, sum(points or 0.0 for points in self.earned.values()) - self.penalty)

    @property
    def asks(self) -> bool:
        """Whether a person has to look at it."""
        return bool(self.problems or self.due)

    def of(self, exercise: Exercise) -> float:
        """Points earned in one exercise."""
        return sum(self.earned[name] or 0.0 for name in graded(exercise))


def graded(exercise: Exercise) -> list[str]:
    """grade_ids of the cells that carry points."""
    return [*(test.grade_id for test in exercise.tests), *exercise.manual]


def read_class(folder: CourseFolder, lesson: Lesson) -> list[Entry]:
    """One entry for each stored result of the assignment, sorted by student.

    Raises:
        CourseError: when there is a gradebook that cannot be read.
    """
    book: dict[str, list[Any]] = defaultdict(list)
    for row in _grades(folder, lesson.assignment):
        book[row.student_id].append(row)
    stored = (folder.results / lesson.assignment).glob("*.json")
    return [_entry(lesson, path, book[path.stem]) for path in sorted(stored)]


def _grades(folder: CourseFolder, assignment: str) -> Sequence[Any]:
    """The gradebook's rows of an assignment, one a student and cell; read only."""
    url = make_url(folder.db_url)
    if url.drivername.startswith("sqlite") and not Path(url.database or "").is_file():
        return []
    grade, submission = api.Grade, api.SubmittedAssignment
    wanted = (
        select(
            submission.student_id, api.BaseCell.name, grade.auto_score, grade.manual_score,
            grade.extra_credit, grade.needs_manual_grade,
            api.SubmittedNotebook.late_submission_penalty,
        )
        .join(api.Assignment, api.Assignment.id == submission.assignment_id)
        .join(api.SubmittedNotebook, api.SubmittedNotebook.assignment_id == submission.id)
        .join(grade, grade.notebook_id == api.SubmittedNotebook.id)
        .join(api.BaseCell, api.BaseCell.id == grade.cell_id)
        .where(api.Assignment.name == assignment)
    )  # fmt: skip
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(wanted).all()
    except SQLAlchemyError as error:
        raise CourseError(
            f"the gradebook cannot be read: {error}", remedy="try `nbgrader db upgrade`"
        ) from error
    finally:
        engine.dispose()


def _entry(lesson: Lesson, path: Path, rows: Sequence[Any]) -> Entry:
    try:
        result = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        problem = "its stored result is damaged: grade it again"
        result = SubmissionResult(path.stem, lesson.assignment, [], [problem], gradable=False)
    result.student = path.stem  # a name that has been a folder's before
    entry = Entry(result, list(result.problems))
    cells = {cell.grade_id: cell.points for cell in result.cells}
    book = {row.name: row for row in rows}
    for name in (name for exercise in lesson.exercises for name in graded(exercise)):
        points, row = cells.get(name, 0.0), book.get(name)
        if row and row.manual_score is not None:
            points = row.manual_score
            entry.by_person.add(name)
        elif row and points is None and not row.needs_manual_grade:
            points = row.auto_score
        if points is None or (name in entry.by_person and row and row.needs_manual_grade):
            entry.due.append(name)
        if row and points is not None:
            points += row.extra_credit or 0.0
        entry.earned[name] = points
        entry.penalty = (row and row.late_submission_penalty) or entry.penalty
    if result.gradable and set(cells) != set(entry.earned):
        entry.problems.append("its result does not fit the assignment as it is now: grade it again")
    return entry
