"""The structure of a master notebook: what students fill in, what tests it, for how much."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.errors import LessonError

HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Test:
    """One graded cell that runs by itself."""

    grade_id: str
    points: float
    source: str


@dataclass
class Exercise:
    """The solution cells that students fill in, and the tests that follow them.

    Attributes:
        name: grade_id of the last solution cell before the tests.
        title: the nearest heading above the first of its cells.
        solutions: grade_id and reference source of each solution cell, in order.
        tests: the graded test cells, in order.
        manual: grade_ids and points of cells that a person grades.
    """

    name: str
    title: str
    solutions: dict[str, str] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)
    manual: dict[str, float] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """What the exercise is worth, tests and manual cells together."""
        return sum(test.points for test in self.tests) + sum(self.manual.values())


def role(cell: NotebookNode) -> str:
    """What a cell is for: ``solution``, ``test``, ``manual``, ``locked`` or ``plain``.

    ``test`` cells are graded by running; ``manual`` ones (graded solutions, tasks) by a person;
    ``locked`` ones are read-only text or code of the author.
    """
    meta = cell.metadata.get("nbgrader", {})
    if not meta:
        return "plain"
    if meta.get("task", False) or (meta.get("grade", False) and meta.get("solution", False)):
        return "manual"
    if meta.get("grade", False):
        return "test" if cell.cell_type == "code" else "manual"
    if meta.get("solution", False):
        return "solution"
    return "locked" if meta.get("locked", False) else "plain"


def grade_id(cell: NotebookNode) -> str:
    """The cell's nbgrader grade_id, or the empty string."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def points(cell: NotebookNode) -> float:
    """The points that a graded cell is worth."""
    return float(cell.metadata.get("nbgrader", {}).get("points", 0) or 0)


def read_exercises(notebook: NotebookNode) -> list[Exercise]:
    """The exercises of a master notebook, in order.

    A test belongs to the nearest solution cell above it; solution cells with no test between them
    form one exercise. Tests above the first solution cell form an exercise of their own.

    Raises:
        LessonError: when two cells share a grade_id.
    """
    exercises: list[Exercise] = []
    heading, seen = "", set()
    current: Exercise | None = None
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and role(cell) == "plain":
            found = HEADING.findall(cell.source)
            heading = found[-1] if found else heading
        kind, name = role(cell), grade_id(cell)
        if kind in ("plain", "locked"):
            continue
        if name in seen:
            raise LessonError(f"two cells have the grade_id {name!r}", remedy="rename one")
        seen.add(name)
        opens = kind in ("solution", "manual") and (
            current is None or bool(current.tests) or bool(current.manual)
        )
        if opens or current is None:
            current = Exercise(name=name, title=heading)
            exercises.append(current)
        if kind == "solution":
            current.solutions[name] = cell.source
            current.name = name
        elif kind == "manual":
            current.manual[name] = points(cell)
        else:
            current.tests.append(Test(name, points(cell), cell.source))
    return [exercise for exercise in exercises if exercise.solutions or exercise.points]


def total_points(exercises: list[Exercise]) -> float:
    """What all exercises together are worth."""
    return sum(exercise.points for exercise in exercises)
