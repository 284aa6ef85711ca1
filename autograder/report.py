"""Report: the instructor's page and the terminal's table of a graded class.

- ``write_report``: one self-contained HTML page; ``class_table``: the same for a terminal
"""

from __future__ import annotations

import math
import os
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

from autograder.classroom import Ranked
from autograder.exercises import Exercise
from autograder.feedback import CODE_LIMIT, code
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.pages import clean, number, render
from autograder.record import Entry, Lesson, feedback_path, read_class, read_lesson
from autograder.submission import show_name


def write_report(folder: CourseFolder, assignment: str, mistakes: Sequence[Ranked] = ()) -> Path:
    """Write the instructor's page, one HTML file that needs nothing else; return its path.

    Args:
        folder: the course.
        assignment: its name.
        mistakes: what the class got wrong, the most frequent first.

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
        scores=spread([entry.score for entry in ran]),
        seconds=spread([entry.result.seconds for entry in ran]),
        groups=groups,
        slowest=sorted(timed, key=lambda cell: -cell["seconds"]["mean"])[:8],
        mistakes=[_mistake(lesson, row, len(ran)) for row in mistakes if not row.open],
        unwritten=_unwritten(lesson, mistakes),
        isolation=Counter(entry.result.isolation for entry in ran),
    )
    path = folder.report / f"{assignment}.html"
    write_atomically(path, page)
    return path


def _link(folder: CourseFolder, lesson: Lesson, student: str) -> str:
    """The feedback page as seen from the report; empty when there is none."""
    path = feedback_path(folder, lesson, student)
    return quote(os.path.relpath(path, folder.report)) if path.is_file() else ""


def _not_graded(folder: CourseFolder, assignment: str, graded: set[str]) -> list[str]:
    """Students whose submission has no result yet."""
    found = folder.submitted.glob(f"*/{assignment}")
    return sorted({show_name(path.parent.name) for path in found} - graded)


def spread(values: list[float]) -> dict[str, Any]:
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
        seconds = spread([cell.seconds for cell in found])
        cells.append({"name": name, "test": test, "counts": counts, "n": len(found),
                      "seconds": seconds, "exercise": lesson.title(exercise.name)})  # fmt: skip
    due = sum(name in entry.due for entry in ran for name in exercise.manual)
    return {
        "title": lesson.title(exercise.name), "points": exercise.points, "cells": cells,
        "mean": spread([entry.of(exercise) for entry in ran]).get("mean", 0.0),
        "manual": len(exercise.manual) * len(ran), "due": due,
    }  # fmt: skip


def _mistake(lesson: Lesson, row: Ranked, ran: int) -> dict[str, Any]:
    """One mistake of the class; its example names nobody."""
    return {
        "title": row.title, "exercise": lesson.title(row.exercise),
        "message": row.message, "count": len(row.students), "share": len(row.students) / (ran or 1),
        "example": code(row.example[:CODE_LIMIT]) if row.example else "", "named": row.named,
    }  # fmt: skip


def _unwritten(lesson: Lesson, rows: Sequence[Ranked]) -> list[tuple[str, int]]:
    """How many left each exercise as it was, or never ran it; in the lesson's order."""
    left: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.open:
            left[row.exercise].update(row.students)
    names = [exercise.name for exercise in lesson.exercises]
    return [(lesson.title(name), len(left[name])) for name in names if name in left]


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
