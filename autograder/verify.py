"""Proves the hidden tests: solution full marks, release none, mistakes caught, right answers kept.

Every variant is graded as a submission is: its body in the place of the reference's, in a jailed
kernel, its tests in the referee. What a variant's exercise cannot depend on is left out: the other
exercises' tests, the pictures, all that stands below the last of its own tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.table import Table

from autograder.errors import LessonError
from autograder.exercises import Exercise, grade_id, read_exercises, role, total_points
from autograder.folder import CourseFolder
from autograder.grade import Options, open_lesson
from autograder.mistakes import Variant, read_mistakes
from autograder.pool import judged
from autograder.results import SubmissionResult
from autograder.text import dump
from autograder.work import Task


@dataclass
class Verdict:
    """One known mistake or alternative: which cells of its exercise it failed."""

    variant: Variant
    failed: list[str]
    messages: dict[str, str] = field(default_factory=dict)


@dataclass
class LessonProof:
    """What was found of one assignment.

    Attributes:
        points: what it is worth.
        solution: points of the reference solution.
        release: points of the untouched release.
        verdicts: one a variant, in the order of the mistakes file.
        exercises: of the master.
        problems: what went wrong besides.
        seconds: wall time.
    """

    points: float
    solution: float = 0.0
    release: float = 0.0
    verdicts: list[Verdict] = field(default_factory=list)
    exercises: list[Exercise] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def mistakes(self) -> list[Verdict]:
        """The wrong variants."""
        return [v for v in self.verdicts if not v.variant.right]

    @property
    def alternatives(self) -> list[Verdict]:
        """The right variants."""
        return [v for v in self.verdicts if v.variant.right]

    @property
    def survivors(self) -> list[str]:
        """Mistakes that lost nothing."""
        return [v.variant.name for v in self.mistakes if not v.failed]

    @property
    def marked_down(self) -> list[str]:
        """Alternatives that lost something."""
        return [v.variant.name for v in self.alternatives if v.failed]

    @property
    def ok(self) -> bool:
        """Whether the hidden tests do what they promise."""
        full = self.solution == self.points and self.release == 0
        return full and not self.survivors and not self.marked_down and not self.problems

    def idle_cells(self) -> list[str]:
        """Tests that no mistake fails alone: each of its mistakes fails another test too."""
        alone = {v.failed[0] for v in self.mistakes if len(v.failed) == 1}
        covered = {e.name for e in self.exercises if any(_of(e, v) for v in self.mistakes)}
        return [
            test.grade_id
            for exercise in self.exercises
            if exercise.name in covered
            for test in exercise.tests
            if test.grade_id not in alone
        ]

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints for one assignment."""
        return {
            "points": self.points,
            "solution": self.solution,
            "release": self.release,
            "mistakes": {
                "total": len(self.mistakes),
                "caught": len(self.mistakes) - len(self.survivors),
                "survivors": self.survivors,
            },
            "alternatives": {
                "total": len(self.alternatives),
                "full": len(self.alternatives) - len(self.marked_down),
                "marked_down": self.marked_down,
            },
            "seconds": round(self.seconds, 2),
        }


@dataclass
class Proof:
    """All assignments that were verified."""

    assignments: dict[str, LessonProof] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every assignment is proven."""
        return all(lesson.ok for lesson in self.assignments.values())

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        lessons = {name: lesson.to_dict() for name, lesson in self.assignments.items()}
        return {"ok": self.ok, "assignments": lessons}


def verify(
    folder: CourseFolder,
    names: list[str],
    jobs: int,
    isolation: str,
    step: Callable[[int], None] = lambda remaining: None,
) -> Proof:
    """Grade solution, release and every variant of the assignments ``names``.

    Args:
        step: called after each run with the number of runs still to come in this assignment.

    Raises:
        LessonError: when a mistakes file names a cell that does not exist.
    """
    proof = Proof()
    for name in names:
        proof.assignments[name] = verify_lesson(folder, name, jobs, isolation, step)
    return proof


def verify_lesson(
    folder: CourseFolder,
    name: str,
    jobs: int,
    isolation: str,
    step: Callable[[int], None] = lambda remaining: None,
) -> LessonProof:
    """Grade solution, release and every variant of one assignment."""
    started = time.monotonic()
    lesson = open_lesson(folder, name, Options(isolation=isolation))
    master = nbformat.reads(lesson.master.decode(), as_version=4)
    exercises = read_exercises(master)
    variants = read_mistakes(folder.mistakes(name))
    owners = {cell: exercise for exercise in exercises for cell in exercise.solutions}
    for variant in variants:
        if variant.cell not in owners:
            raise LessonError(
                f"{variant.title!r} is for {variant.cell!r}, which is no solution cell",
                where=folder.mistakes(name),
            )
    found = LessonProof(total_points(exercises), exercises=exercises)
    tasks = [Task("solution", lesson.master), Task("release", lesson.release)]
    tasks += [task_of(master, owners[v.cell], v) for v in variants]
    results = {}
    for outcome in judged(lesson, tasks, jobs):
        results[outcome.student] = SubmissionResult.from_json(outcome.result)
        step(len(tasks) - len(results))
    manual = sum(sum(exercise.manual.values()) for exercise in exercises)
    found.points -= manual  # a person's points are not the tests' to prove
    found.solution, found.release = results["solution"].score, results["release"].score
    for variant in variants:
        found.verdicts.append(_verdict(owners[variant.cell], variant, results[variant.name]))
    for cell in results["solution"].cells:
        if cell.message:
            found.problems.append(f"the solution fails {cell.grade_id}: {cell.message}")
    found.seconds = time.monotonic() - started
    return found


def task_of(master: NotebookNode, exercise: Exercise, variant: Variant) -> Task:
    """A submission that is the reference but for one cell, cut after the exercise's last test."""
    notebook = nbformat.from_dict(master)
    own = {test.grade_id for test in exercise.tests}
    cells, left = [], set(own)
    for cell in notebook.cells:
        name = grade_id(cell)
        if role(cell) == "test" and name not in own:
            continue
        if name == variant.cell:
            cell.source = variant.source
        cells.append(cell)
        left.discard(name)
        if not left:
            break
    notebook.cells = cells
    return Task(variant.name, dump(notebook), whole=False)


def _verdict(exercise: Exercise, variant: Variant, result: SubmissionResult) -> Verdict:
    cells = {cell.grade_id: cell for cell in result.cells}
    failed = [
        test.grade_id
        for test in exercise.tests
        if test.grade_id not in cells or (cells[test.grade_id].points or 0) < test.points
    ]
    return Verdict(variant, failed, {n: cells[n].message for n in failed if n in cells})


def _of(exercise: Exercise, verdict: Verdict) -> bool:
    return verdict.variant.cell in exercise.solutions


def show(proof: Proof, console: Console) -> None:
    """Print the proof: a table of exercises for each assignment, then what is left to do."""
    for name, lesson in proof.assignments.items():
        table = Table(title=name, title_justify="left", pad_edge=False)
        for column in ("exercise", "points", "cells", "mistakes", "caught", "right", "kept"):
            table.add_column(column, justify="left" if column == "exercise" else "right")
        for exercise in lesson.exercises:
            wrong = [v for v in lesson.mistakes if _of(exercise, v)]
            right = [v for v in lesson.alternatives if _of(exercise, v)]
            table.add_row(
                exercise.title,
                f"{exercise.points:g}",
                str(len(exercise.tests)),
                str(len(wrong)),
                str(sum(bool(v.failed) for v in wrong)),
                str(len(right)),
                str(sum(not v.failed for v in right)),
            )
        console.print(table)
        console.print(_summary(name, lesson), markup=False, soft_wrap=True)


def _summary(name: str, lesson: LessonProof) -> str:
    caught = len(lesson.mistakes) - len(lesson.survivors)
    kept = len(lesson.alternatives) - len(lesson.marked_down)
    lines = [
        f"{name}: {'proven' if lesson.ok else 'NOT PROVEN'}: solution {lesson.solution:g} of "
        f"{lesson.points:g}, release {lesson.release:g}, mistakes caught {caught} of "
        f"{len(lesson.mistakes)}, right answers kept {kept} of {len(lesson.alternatives)}, "
        f"{lesson.seconds:.0f} s"
    ]
    lines += [f"  survives: {title}" for title in lesson.survivors]
    for verdict in lesson.alternatives:
        lines += [
            f"  marked down: {verdict.variant.name} by {cell}: {verdict.messages.get(cell, '')}"
            for cell in verdict.failed
        ]
    lines += [f"  {problem}" for problem in lesson.problems]
    if idle := lesson.idle_cells():
        lines.append(f"  cells that catch nothing on their own: {', '.join(idle)}")
    return "\n".join(lines)
