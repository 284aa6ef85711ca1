"""The record of a graded class: what pages and tables are made from.

- ``read_lesson``: the masters' exercises, and what students know their test cells as
- ``read_class``: stored results joined with nbgrader's gradebook, one ``Entry`` a submission

Where an assignment has several notebooks, names of exercises and cells say which is meant:
``problem1/squares``. Each notebook is a page for the student, so both can be cut down to one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import api, preprocessors
from sqlalchemy import create_engine, inspect, select

from autograder.database import FAULTS, is_empty, trouble
from autograder.errors import CourseError
from autograder.exercises import Exercise, Test, read_exercises
from autograder.folder import CourseFolder
from autograder.results import SubmissionResult
from autograder.tasks import Asked, read_tasks

# "Shape, 2 points": pages show the points beside the name.
WORTH = re.compile(r"[\s,:·–-]*\(?\b[\d.]+\s*(points?|pts?)\)?\s*$", re.IGNORECASE)

TITLE = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """What pages need of an assignment; sources in ``exercises`` are never printed."""

    assignment: str
    heading: str
    notebooks: tuple[str, ...]  # stems of the masters: nbgrader names feedback by them
    headings: dict[str, str]  # of each notebook, by its stem
    exercises: list[Exercise]
    titles: dict[str, str]  # of each exercise, by its name; unique in a notebook
    behaviours: dict[str, str]  # what each test asks, by grade_id
    tasks: dict[str, Asked]  # what each exercise asks, by its name
    hidden: frozenset[str]  # lines that students do not have
    several: bool = False  # whether names say which notebook is meant

    @property
    def points(self) -> float:
        """What the assignment is worth."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def notebook(self) -> str:
        """Stem of the notebook, where there is one."""
        return self.notebooks[0]

    def title(self, exercise: str) -> str:
        """The title of an exercise, with its notebook where there are several."""
        if not self.several or exercise not in self.titles:
            return self.titles.get(exercise, exercise)
        return f"{exercise.split('/')[0]} · {self.titles[exercise]}"

    def local(self, name: str) -> str:
        """A name as it stands in its notebook."""
        return name.split("/", 1)[1] if self.several else name

    def part(self, notebook: str) -> Lesson:
        """The lesson with one of its notebooks alone."""
        if not self.several:
            return self
        own = [e for e in self.exercises if e.name.startswith(f"{notebook}/")]
        return replace(self, heading=self.headings[notebook], notebooks=(notebook,), exercises=own)


def read_lesson(folder: CourseFolder, assignment: str) -> Lesson:
    """Read the masters of ``assignment``; names of tests come from the part that students have.

    Raises:
        CourseError: when there is no such assignment, or one of its notebooks cannot be read.
    """
    paths = folder.masters(assignment)
    several = len(paths) > 1
    lesson = Lesson(
        assignment, assignment, tuple(path.stem for path in paths), {}, [], {}, {}, {},
        frozenset(), several,
    )  # fmt: skip
    hidden: set[str] = set()
    for path in paths:
        try:
            master = nbformat.read(path, as_version=4)
        except Exception as error:
            raise CourseError(f"not a notebook ({error})", where=path) from error
        hidden |= _add(lesson, folder, path.stem, master)
    heading = assignment if several else lesson.headings[paths[0].stem]
    # Shorter lines (`)`, `else:`) give nothing away and occur everywhere.
    lines = frozenset(line.strip() for line in hidden if len(line.strip()) > 11)
    return replace(lesson, heading=heading, hidden=lines)


def _add(lesson: Lesson, folder: CourseFolder, notebook: str, master: NotebookNode) -> set[str]:
    """Add one notebook to ``lesson``; return the lines of its tests that students do not have."""
    prefix = f"{notebook}/" if lesson.several else ""
    exercises = read_exercises(master)
    words = [cell.source for cell in master.cells if cell.cell_type == "markdown"]
    headings = [found for source in words for found in TITLE.findall(source)]
    lesson.headings[notebook] = headings[0] if headings else notebook
    released = nbformat.from_dict(master)
    # What students get: without solutions, hidden tests and mark schemes.
    for step in (
        preprocessors.ClearSolutions, preprocessors.ClearHiddenTests, preprocessors.ClearMarkScheme
    ):  # fmt: skip
        released, _ = step(config=folder.config).preprocess(released, {})
    given = {test.grade_id: test for ex in read_exercises(released) for test in ex.tests}
    hidden: set[str] = set()
    for test in (test for exercise in exercises for test in exercise.tests):
        hidden |= set(test.source.splitlines()) - set(given[test.grade_id].source.splitlines())
    asked = read_tasks(released, exercises)
    for number, exercise in enumerate(exercises):
        title = WORTH.sub("", exercise.title.replace("`", "")) or exercise.name
        parts = sum(other.title == exercise.title for other in exercises[:number])
        lesson.titles[prefix + exercise.name] = f"{title} · part {parts + 1}" if parts else title
        lesson.tasks[prefix + exercise.name] = asked[exercise.name]
        lesson.exercises.append(
            Exercise(
                prefix + exercise.name,
                exercise.title,
                {prefix + name: source for name, source in exercise.solutions.items()},
                [Test(prefix + t.grade_id, t.points, t.source) for t in exercise.tests],
                {prefix + name: points for name, points in exercise.manual.items()},
            )
        )
    for name, test in given.items():
        lesson.behaviours[prefix + name] = _behaviour(test.source, name)
    return hidden


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
    """Where nbgrader looks for a student's feedback on the lesson's first notebook."""
    return folder.feedback / student / lesson.assignment / f"{lesson.notebook}.html"


@dataclass
class Entry:
    """One submission with its final marks."""

    result: SubmissionResult
    problems: list[str]  # what a person should know; manual grading is in ``due``
    earned: dict[str, float | None] = field(default_factory=dict)  # None waits for a person
    extra: dict[str, float] = field(default_factory=dict)  # extra credit, which ``earned`` holds
    by_person: set[str] = field(default_factory=set)  # cells whose points a person gave
    due: list[str] = field(default_factory=list)  # cells that wait for a person
    penalties: dict[str, float] = field(default_factory=dict)  # for being late, by notebook
    comments: dict[str, str] = field(default_factory=dict)  # of a person, by solution cell

    @property
    def penalty(self) -> float:
        """Points taken off for being late."""
        return sum(self.penalties.values())

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

    def part(self, lesson: Lesson) -> Entry:
        """What concerns the notebooks of ``lesson`` alone; the problems stay."""
        names = {name for exercise in lesson.exercises for name in graded(exercise)}
        return replace(
            self,
            earned={name: points for name, points in self.earned.items() if name in names},
            due=[name for name in self.due if name in names],
            penalties={n: p for n, p in self.penalties.items() if n in lesson.notebooks},
        )


def graded(exercise: Exercise) -> list[str]:
    """grade_ids of the cells that carry points."""
    return [*(test.grade_id for test in exercise.tests), *exercise.manual]


def read_class(folder: CourseFolder, lesson: Lesson) -> list[Entry]:
    """One entry for each stored result of the assignment, sorted by student.

    Raises:
        CourseError: when there is a gradebook that cannot be read.
    """
    book: dict[str, list[Any]] = defaultdict(list)
    said: dict[str, dict[str, str]] = defaultdict(dict)
    grades, comments = _read_book(folder, lesson.assignment)
    for row in grades:
        book[row.student_id].append(row)
    for row in comments:
        text = row.manual_comment if row.manual_comment is not None else row.auto_comment
        if text and text.strip():
            said[row.student_id][_key(lesson, row)] = text.strip()
    stored = (folder.results / lesson.assignment).glob("*.json")
    return [
        _entry(lesson, path, book[path.stem], said.get(path.stem, {})) for path in sorted(stored)
    ]


def _key(lesson: Lesson, row: Any) -> str:
    return f"{row.notebook}/{row.cell}" if lesson.several else str(row.cell)


def _read_book(folder: CourseFolder, assignment: str) -> tuple[Sequence[Any], Sequence[Any]]:
    """The gradebook's grades and comments of an assignment, one a student and cell; read only."""
    if is_empty(folder.db_url):
        return [], []
    grade, comment, submission = api.Grade, api.Comment, api.SubmittedAssignment
    notebook = api.SubmittedNotebook
    names = (
        submission.student_id,
        api.Notebook.name.label("notebook"),
        api.BaseCell.name.label("cell"),
    )
    marks = (grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade)

    def of(table: Any, *columns: Any) -> Any:
        return (
            select(*names, *columns)
            .join(api.Assignment, api.Assignment.id == submission.assignment_id)
            .join(notebook, notebook.assignment_id == submission.id)
            .join(api.Notebook, api.Notebook.id == notebook.notebook_id)
            .join(table, table.notebook_id == notebook.id)
            .join(api.BaseCell, api.BaseCell.id == table.cell_id)
            .where(api.Assignment.name == assignment)
        )

    try:
        engine = create_engine(folder.db_url)
    except FAULTS as error:
        raise trouble(error, folder.db_url, "read") from error
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(submission.__tablename__):
                return [], []
            grades = connection.execute(of(grade, *marks, notebook.late_submission_penalty)).all()
            words = of(comment, comment.manual_comment, comment.auto_comment)
            return grades, connection.execute(words).all()
    except FAULTS as error:
        raise trouble(error, folder.db_url, "read") from error
    finally:
        engine.dispose()


def _entry(lesson: Lesson, path: Path, rows: Sequence[Any], comments: dict[str, str]) -> Entry:
    try:
        result = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        problem = "its stored result is damaged: grade it again"
        result = SubmissionResult(path.stem, lesson.assignment, [], [problem], gradable=False)
    result.student = path.stem  # a name that has been a folder's before
    entry = Entry(result, list(result.problems), comments=comments)
    cells = {cell.grade_id: cell.points for cell in result.cells}
    book = {_key(lesson, row): row for row in rows}
    for name in (name for exercise in lesson.exercises for name in graded(exercise)):
        points, row = cells.get(name, 0.0), book.get(name)
        if row and row.manual_score is not None:
            points = row.manual_score
            entry.by_person.add(name)
        elif row and points is None and not row.needs_manual_grade:
            points = row.auto_score
        if points is None or (name in entry.by_person and row and row.needs_manual_grade):
            entry.due.append(name)
        if row and points is not None and row.extra_credit:
            points += row.extra_credit
            entry.extra[name] = row.extra_credit
        entry.earned[name] = points
        if row and row.late_submission_penalty:
            entry.penalties[row.notebook] = row.late_submission_penalty
    if result.gradable and set(cells) != set(entry.earned):
        entry.problems.append("its result does not fit the assignment as it is now: grade it again")
    return entry
