"""Report: what grading a class found, as one record and as the instructor's page.

- ``read_lesson``: the master's exercises, and what students know its test cells as
- ``read_class``: stored results joined with nbgrader's gradebook, one ``Entry`` a submission
- ``write_report``: one self-contained HTML page; ``class_table``: the same for a terminal
"""

from __future__ import annotations

import math
import os
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbgrader import api, preprocessors
from rich.table import Table
from rich.text import Text
from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import CourseError
from autograder.exercises import HEADING, Exercise, read_exercises
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.results import SubmissionResult
from autograder.submission import show_name

# Colours of a terminal; other control characters, and marks that turn the direction of reading.
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# "Shape, 2 points": pages show the points beside the name.
WORTH = re.compile(r"[\s,:·–-]*\(?\b[\d.]+\s*(points?|pts?)\)?\s*$", re.IGNORECASE)


def clean(value: Any) -> Any:
    """``value``; a string without colour codes, its other control characters shown as escapes."""
    if type(value) is not str:  # numbers, and markup that our own code made
        return value
    text = ANSI.sub("", value.replace("\r\n", "\n"))
    return UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def number(value: float) -> str:
    """A number as people write it: at most two decimals, no zeros at the end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def render(template: str, **values: Any) -> bytes:
    """One page of ``templates/``; every value is cleaned, then escaped."""
    return _pages().get_template(template).render(values).encode()


@cache
def _pages() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    pages = Environment(loader=loader, autoescape=True, finalize=clean, undefined=StrictUndefined)
    pages.trim_blocks = pages.lstrip_blocks = True
    pages.filters["number"] = number
    return pages


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


def write_report(folder: CourseFolder, assignment: str) -> Path:
    """Write the instructor's page, one HTML file that needs nothing else; return its path.

    Raises:
        CourseError: when there is no such assignment, or its gradebook cannot be read.
    """
    lesson = read_lesson(folder, assignment)
    entries = read_class(folder, lesson)
    ran = [entry for entry in entries if entry.result.gradable]
    rows = [(entry, _link(folder, lesson, entry.result.student)) for entry in entries]
    groups = [_group(lesson, exercise, ran) for exercise in lesson.exercises]
    timed = [cell for group in groups for cell in group["cells"] if cell["seconds"]]
    page = render(
        "report.html",
        lesson=lesson,
        rows=rows,
        ran=ran,
        waiting=_not_graded(folder, assignment, {entry.result.student for entry in entries}),
        scores=_spread([entry.score for entry in ran]),
        seconds=_spread([entry.result.seconds for entry in ran]),
        groups=groups,
        slowest=sorted(timed, key=lambda cell: -cell["seconds"]["mean"])[:8],
        isolation=Counter(entry.result.isolation for entry in ran),
    )
    path = folder.report / f"{assignment}.html"
    write_atomically(path, page)
    return path


def feedback_path(folder: CourseFolder, lesson: Lesson, student: str) -> Path:
    """Where nbgrader looks for a student's feedback."""
    return folder.feedback / student / lesson.assignment / f"{lesson.notebook}.html"


def _link(folder: CourseFolder, lesson: Lesson, student: str) -> str:
    """The feedback page as seen from the report; empty when there is none."""
    path = feedback_path(folder, lesson, student)
    return quote(os.path.relpath(path, folder.report)) if path.is_file() else ""


def _not_graded(folder: CourseFolder, assignment: str, graded: set[str]) -> list[str]:
    """Students whose submission has no result yet."""
    found = folder.submitted.glob(f"*/{assignment}")
    return sorted({show_name(path.parent.name) for path in found} - graded)


def _spread(values: list[float]) -> dict[str, Any]:
    """The values, sorted, with their mean, quartiles and 95th percentile; {} for none."""
    if not values:
        return {}
    cuts = statistics.quantiles(values * (1 if values[1:] else 2), n=20, method="inclusive")
    return {
        "values": sorted(values), "mean": statistics.fmean(values), "low": min(values),
        "q1": cuts[4], "median": cuts[9], "q3": cuts[14], "p95": cuts[18], "high": max(values),
    }  # fmt: skip


def _group(lesson: Lesson, exercise: Exercise, ran: list[Entry]) -> dict[str, Any]:
    """One exercise of the report: how each of its cells went."""
    cells = []
    for test in exercise.tests:
        found = [c for entry in ran for c in entry.result.cells if c.grade_id == test.grade_id]
        name = lesson.behaviours[test.grade_id]
        counts = Counter(cell.status for cell in found)
        seconds = _spread([cell.seconds for cell in found])
        cells.append({"name": name, "test": test, "counts": counts, "n": len(found),
                      "seconds": seconds, "exercise": lesson.titles[exercise.name]})  # fmt: skip
    due = sum(name in entry.due for entry in ran for name in exercise.manual)
    return {
        "title": lesson.titles[exercise.name], "points": exercise.points, "cells": cells,
        "mean": _spread([entry.of(exercise) for entry in ran]).get("mean", 0.0),
        "manual": len(exercise.manual) * len(ran), "due": due,
    }  # fmt: skip


def class_table(folder: CourseFolder, assignment: str) -> Table:
    """The class for a terminal: student, score, points of each exercise, what is wrong.

    Twelve exercises or more would not fit: each is then one mark, as full as its points.
    """
    lesson = read_lesson(folder, assignment)
    few = len(lesson.exercises) < 12
    table = Table(title=Text(f"{lesson.heading}: {number(lesson.points)} points"))
    table.add_column("Student", overflow="fold")
    table.add_column("Score", justify="right", no_wrap=True)
    for index, exercise in enumerate(lesson.exercises if few else [], 1):
        found = re.search(r"\d+", lesson.titles[exercise.name])
        table.add_column(found[0] if found else str(index), justify="right", no_wrap=True)
    if not few:
        table.add_column("Exercises", no_wrap=True)
    table.add_column("Problem", overflow="fold")
    for entry in read_class(folder, lesson):
        told = entry.problems + ["waits for manual grading"] * bool(entry.due)
        earned = [(entry.of(exercise), exercise.points) for exercise in lesson.exercises]
        marks = [Text(number(got)) for got, _ in earned] if few else [_strip(earned)]
        name, problem = Text(clean(entry.result.student)), Text(clean("; ".join(told)))
        table.add_row(name, Text(number(entry.score)), *marks, problem)
    return table


def _strip(earned: list[tuple[float, float]]) -> Text:
    """One mark an exercise: a dot for nothing, a full block for all its points."""
    strip = Text()
    for got, worth in earned:
        share = max(0.0, min(1.0, got / worth)) if worth else 1.0
        style = "green" if share == 1 else "yellow" if share else "red"
        strip.append("█" if share == 1 else "·▂▃▄▅▆"[math.ceil(share * 5)], style)
    return strip
