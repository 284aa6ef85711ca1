"""Writes grades as a learning platform imports them, under the ids that it gave its students.

    csv      student, name, email, score, penalty, grade, points, needs_manual_grade, late_seconds
    canvas   Student, ID, SIS User ID, SIS Login ID, Section, ASSIGNMENT
    moodle   Identifier, Full name, Email address, Grade, Maximum grade

Ids come from ``roster.csv``, else from what ``collect`` wrote down.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from autograder.collect import read_ledger
from autograder.database import FAULTS, is_empty, shown, trouble
from autograder.errors import CourseError
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.roster import Roster, Student

FORMATS = ("csv", "canvas", "moodle")


@dataclass(frozen=True)
class Mark:
    """One student's result.

    Attributes:
        student: the name in the gradebook.
        score: points earned, manual ones included.
        penalty: points taken off for being late.
        points: points that there are.
        open: whether a person still has to grade something.
        late_seconds: how late it came.
    """

    student: str
    score: float
    penalty: float
    points: float
    open: bool
    late_seconds: float

    @property
    def grade(self) -> float:
        """What counts; never below nought."""
        return max(0.0, self.score - self.penalty)


@dataclass
class Exported:
    """Where the file is, how many rows it has, and who is missing from it or not done."""

    path: Path
    rows: int
    problems: list[str] = field(default_factory=list)


def export(
    folder: CourseFolder, assignment: str, layout: str, path: Path | None = None, column: str = ""
) -> Exported:
    """Write the grades of an assignment.

    Args:
        folder: the course.
        assignment: its name.
        layout: one of ``FORMATS``.
        path: where to; ``grades/ASSIGNMENT.LAYOUT.csv`` beside the results when None.
        column: the assignment's column in Canvas, ``NAME (NUMBER)``; its name if empty.

    Raises:
        CourseError: for another layout, when nothing was graded, or the file cannot be written.
    """
    if layout not in FORMATS:
        raise CourseError(f"no format {layout!r}", remedy=f"there are: {', '.join(FORMATS)}")
    marks = read_marks(folder, assignment)
    roster = Roster.read(folder.root)
    ledger = read_ledger(folder, assignment)
    problems = [f"{mark.student}: waits for manual grading" for mark in marks if mark.open]
    rows: list[list[str]] = []
    for mark in marks:
        who = roster.by_student.get(mark.student) or _collected(mark.student, ledger)
        key = "" if layout == "csv" else getattr(who, layout)
        if layout != "csv" and not key:
            problems.append(
                f"{mark.student}: no {layout} id in roster.csv or in what was collected"
            )
            continue
        rows.append(_row(layout, mark, who, key))
    target = path or folder.results.parent / "grades" / f"{assignment}.{layout}.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [*_head(layout, column or assignment, marks), *rows]
    )
    try:
        # With a mark of its encoding, for spreadsheets; platforms read it as well.
        write_atomically(target, text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise CourseError(f"cannot be written: {error.strerror}", where=target) from error
    return Exported(target, len(rows), problems)


def read_marks(folder: CourseFolder, assignment: str) -> list[Mark]:
    """The gradebook's submissions of an assignment, sorted by student.

    Raises:
        CourseError: when the gradebook has none, or cannot be read.
    """
    folder.masters(assignment)
    if is_empty(folder.db_url):
        raise _nothing(assignment, shown(folder.db_url))
    try:
        marks = _read_marks(folder, assignment)
    except FAULTS as error:
        raise trouble(error, folder.db_url, "read") from error
    if not marks:
        raise _nothing(assignment, shown(folder.db_url))
    return sorted(marks, key=lambda mark: mark.student)


def _read_marks(folder: CourseFolder, assignment: str) -> list[Mark]:
    course = folder.config.CourseDirectory.get("course_id", "")
    with Gradebook(folder.db_url, course) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(assignment)
        except MissingEntry:
            submissions = []
        return [
            Mark(
                each.student.id,
                float(each.score or 0.0),
                float(each.late_submission_penalty or 0.0),
                float(each.max_score or 0.0),
                bool(each.needs_manual_grade),
                float(each.total_seconds_late or 0.0),
            )
            for each in submissions
        ]


def _nothing(assignment: str, where: str) -> CourseError:
    return CourseError(
        f"no grades of {assignment}", where=where, remedy=f"run `autograder grade {assignment}`"
    )


def _collected(student: str, ledger: dict[str, dict[str, str]]) -> Student:
    entry = ledger.get(student, {})
    system, name = entry.get("system", ""), entry.get("name", "")
    if system in ("canvas", "moodle", "github"):
        return Student(student, name, **{system: entry["user"]})
    return Student(student, name)


def _head(layout: str, column: str, marks: list[Mark]) -> list[list[str]]:
    if layout == "csv":
        return [
            [
                *("student", "name", "email", "score", "penalty", "grade", "points"),
                *("needs_manual_grade", "late_seconds"),
            ]
        ]
    if layout == "moodle":
        return [["Identifier", "Full name", "Email address", "Grade", "Maximum grade"]]
    # Canvas reads the points from a second line, whose name is indented.
    return [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column],
        ["    Points Possible", "", "", "", "", _number(max(mark.points for mark in marks))],
    ]


def _row(layout: str, mark: Mark, who: Student, key: str) -> list[str]:
    name, grade = _plain(who.name or mark.student), _number(mark.grade)
    if layout == "canvas":
        return [name, key, "", "", "", grade]
    if layout == "moodle":
        return [f"Participant {key}", name, _plain(who.email), grade, _number(mark.points)]
    scores = [_number(each) for each in (mark.score, mark.penalty, mark.grade, mark.points)]
    waits = "yes" if mark.open else "no"
    who_is = [_plain(text) for text in (mark.student, who.name, who.email)]
    return [*who_is, *scores, waits, _number(mark.late_seconds)]


def _number(value: float) -> str:
    return f"{round(value, 2):g}" if abs(value) < 1e5 else f"{value:.0f}"


def _plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a student chooses a name."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
