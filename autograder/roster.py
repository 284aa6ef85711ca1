"""The class list: who the students are, and what each learning platform calls them.

``roster.csv`` in the course folder has a column ``student`` (the name in the gradebook) and any of
``name``, ``email``, ``canvas``, ``moodle``, ``github``. Without that file every student is known.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError

FILE = "roster.csv"
COLUMNS = ("student", "name", "email", "canvas", "moodle", "github")
STUDENT = re.compile(r"[^\s/\\.+][^/\\+]*")  # what nbgrader takes as a folder's name


@dataclass(frozen=True)
class Student:
    """One row; empty text for what the file does not say."""

    student: str
    name: str = ""
    email: str = ""
    canvas: str = ""
    moodle: str = ""
    github: str = ""


class Roster:
    """The students of a course; empty when there is no file."""

    def __init__(self, rows: list[Student], path: Path | None) -> None:
        self.rows, self.path = rows, path
        self.by_student = {row.student: row for row in rows}

    @classmethod
    def read(cls, folder: Path) -> Roster:
        """The class list of the course folder ``folder``.

        Raises:
            CourseError: when a row has no student, or two rows share a student or an id.
        """
        path = folder / FILE
        if not path.is_file():
            return cls([], None)
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                if "student" not in (reader.fieldnames or ()):
                    raise CourseError(
                        "has no column 'student'",
                        where=path,
                        remedy=f"the first line names the columns: {', '.join(COLUMNS)}",
                    )
                rows = [_student(row, path, number) for number, row in enumerate(reader, 2)]
        except (UnicodeDecodeError, csv.Error) as error:
            raise CourseError(f"cannot be read: {error}", where=path) from error
        _refuse_doubles(rows, path)
        return cls(rows, path)

    def find(self, system: str, user: str) -> Student | None:
        """Whom a platform calls ``user``; for a plain folder that is the student's own name."""
        column = system if system in ("canvas", "moodle", "github") else "student"
        wanted = user.lower() if system == "github" else user
        for row in self.rows:
            value = getattr(row, column)
            if value and (value.lower() if system == "github" else value) == wanted:
                return row
        return None


def _student(row: dict[str | None, str | None], path: Path, number: int) -> Student:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not STUDENT.fullmatch(values["student"]):
        raise CourseError(
            f"line {number}: {values['student']!r} cannot be a student's name",
            where=path,
            remedy="letters, digits, dots, dashes and underscores are safe",
        )
    return Student(**values)


def _refuse_doubles(rows: list[Student], path: Path) -> None:
    for column in ("student", "canvas", "moodle", "github"):
        seen: set[str] = set()
        for row in rows:
            value = getattr(row, column)
            if value and value in seen:
                raise CourseError(f"two rows have {column} {value!r}", where=path)
            seen.add(value)
