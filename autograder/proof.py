"""What verification found: of each mistake, alternative and mutant, which cells it failed.

A mistake is pinned down when exactly one graded cell of its exercise fails: that cell's name then
tells the student what is wrong, and the other cells keep their points. A cell is idle when nothing
fails it alone: without it every mistake and every mutant would still be caught.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.exercises import Exercise
from autograder.mistakes import Audit, Equivalent, Variant
from autograder.mutants import Mutant


@dataclass
class Verdict:
    """One known mistake or alternative: which cells of its exercise it failed."""

    variant: Variant
    failed: list[str]
    messages: dict[str, str] = field(default_factory=dict)


@dataclass
class MutantVerdict:
    """One mutant: the first cells that it failed, two at most, and the author's marking if any."""

    mutant: Mutant
    failed: tuple[str, ...]
    marked: Equivalent | None = None

    @property
    def unexplained(self) -> bool:
        """Whether no test catches it and no author has said why."""
        return not self.failed and self.marked is None

    def to_dict(self) -> dict[str, Any]:
        """The mutant as ``--json`` prints it."""
        mutant = self.mutant
        return {
            "cell": mutant.cell,
            "line": mutant.line,
            "kind": mutant.kind,
            "original": mutant.original,
            "mutated": mutant.mutated,
        }


@dataclass
class ExerciseProof:
    """What was found of one exercise."""

    exercise: Exercise
    mistakes: list[Verdict]
    alternatives: list[Verdict]
    mutants: list[MutantVerdict]

    @property
    def scattered(self) -> list[Verdict]:
        """Mistakes that no single cell pins down: several cells fail."""
        return [v for v in self.mistakes if len(v.failed) > 1]

    def caught_by(self, cell: str, alone: bool = False) -> list[Verdict]:
        """The mistakes that fail ``cell``, or that fail it and no other."""
        return [v for v in self.mistakes if (v.failed == [cell] if alone else cell in v.failed)]

    def mutants_of(self, cell: str, alone: bool = False) -> list[MutantVerdict]:
        """The mutants that fail ``cell`` first or second, or that fail it and no other."""
        return [m for m in self.mutants if (m.failed == (cell,) if alone else cell in m.failed)]

    def idle_cells(self) -> list[str]:
        """Cells that catch nothing on their own; none where nothing was tried."""
        if not (self.mistakes or self.mutants):
            return []
        return [
            test.grade_id
            for test in self.exercise.tests
            if not self.caught_by(test.grade_id, alone=True)
            and not self.mutants_of(test.grade_id, alone=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The exercise as ``--json`` prints it."""
        return {
            "name": self.exercise.name,
            "title": self.exercise.title,
            "points": self.exercise.points,
            "cells": [
                {
                    "name": test.grade_id,
                    "points": test.points,
                    "mistakes": [v.variant.name for v in self.caught_by(test.grade_id)],
                    "mistakes_alone": [
                        v.variant.name for v in self.caught_by(test.grade_id, alone=True)
                    ],
                    "mutants_alone": len(self.mutants_of(test.grade_id, alone=True)),
                }
                for test in self.exercise.tests
            ],
            "idle_cells": self.idle_cells(),
            "mistakes": {v.variant.name: v.failed for v in self.mistakes},
            "scattered": [v.variant.name for v in self.scattered],
            "alternatives": {v.variant.name: v.failed for v in self.alternatives},
            "mutants": _counts(self.mutants),
        }


@dataclass
class LessonProof:
    """What was found of one assignment.

    Attributes:
        points: what it is worth.
        solution: points of the reference solution.
        release: points of the untouched release.
        verdicts: one a variant, in the order of the mistakes file.
        mutants: one a mutant that was judged.
        every_mutant: all that there are, judged or not.
        audit: what the mistakes file says of mutants.
        exercises: of the master.
        problems: what went wrong besides.
        seconds: wall time.
    """

    points: float
    solution: float = 0.0
    release: float = 0.0
    verdicts: list[Verdict] = field(default_factory=list)
    mutants: list[MutantVerdict] = field(default_factory=list)
    every_mutant: list[Mutant] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)
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
    def unexplained(self) -> list[MutantVerdict]:
        """Mutants that no test catches and that are not marked as equivalent."""
        return [m for m in self.mutants if m.unexplained]

    @property
    def stale(self) -> list[tuple[Equivalent, str]]:
        """Markings that mark nothing any more, each with what became of it."""
        there = {mutant.change for mutant in self.every_mutant}
        found = []
        for marking in self.audit.equivalents:
            judged = [m for m in self.mutants if m.mutant.change == marking.change]
            if marking.change not in there:
                found.append((marking, "there is no such mutant"))
            elif judged and all(m.failed for m in judged):
                found.append((marking, f"{judged[0].failed[0]} catches it"))
        return found

    @property
    def ok(self) -> bool:
        """Whether the hidden tests do what they promise."""
        full = self.solution == self.points and self.release == 0
        known = not self.survivors and not self.marked_down and not self.problems
        mutants = not self.stale and not (self.audit.done and self.unexplained)
        return full and known and mutants

    def by_exercise(self) -> list[ExerciseProof]:
        """The same, exercise by exercise."""
        return [
            ExerciseProof(
                exercise,
                [v for v in self.mistakes if v.variant.cell in exercise.solutions],
                [v for v in self.alternatives if v.variant.cell in exercise.solutions],
                [m for m in self.mutants if m.mutant.cell in exercise.solutions],
            )
            for exercise in self.exercises
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
            "mutants": {
                "total": len(self.every_mutant),
                **_counts(self.mutants),
                "audited": self.audit.done,
                "survivors": [m.to_dict() for m in self.unexplained],
                "stale": [
                    {"cell": e.cell, "original": e.original, "mutated": e.mutated, "why": why}
                    for e, why in self.stale
                ],
            },
            "exercises": [exercise.to_dict() for exercise in self.by_exercise()],
            "problems": self.problems,
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


def _counts(mutants: list[MutantVerdict]) -> dict[str, int]:
    return {
        "judged": len(mutants),
        "caught": sum(bool(m.failed) for m in mutants),
        "equivalent": sum(not m.failed and m.marked is not None for m in mutants),
    }
