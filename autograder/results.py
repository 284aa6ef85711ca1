"""What grading one submission found: the record that feedback and report are made from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a graded cell ended."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    TIMEOUT = "timeout"
    DIED = "died"
    NOT_RUN = "not run"
    MANUAL = "manual"


@dataclass
class CellResult:
    """One graded cell of one submission.

    Attributes:
        grade_id: the cell.
        points: points earned; None for a cell that a person grades.
        max_points: points it is worth.
        status: how it ended.
        message: what to tell the student, without hidden source or expected values; "" if passed.
        error: class name of the exception, "" if none.
        seconds: wall time of the cell.
        output: what the student's own code printed while the test ran, cut to a few kilobytes.
    """

    grade_id: str
    points: float | None
    max_points: float
    status: Status
    message: str = ""
    error: str = ""
    seconds: float = 0.0
    output: str = ""


@dataclass
class SubmissionResult:
    """One submission, run or not.

    Attributes:
        student: folder name of the student; an undecodable byte is written as ``\\xNN``.
        assignment: name of the assignment.
        cells: graded cells in the master's order; empty when the submission could not be read.
        problems: one line each for what a person should know (renamed notebook, restored cells,
            time-out, kernel died, why it could not be run).
        gradable: False when there was nothing to run; every point is then zero.
        seconds: wall time of the whole submission.
        cpu_seconds: CPU time of its own processes, those of the jailed kernel.
        isolation: ``jail`` or ``process``.
        fingerprint: digest of submission, master and engine, by which an unchanged one is known.
    """

    student: str
    assignment: str
    cells: list[CellResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    gradable: bool = True
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    isolation: str = "process"
    fingerprint: str = ""

    @property
    def score(self) -> float:
        """Points earned by the cells that ran by themselves."""
        return sum(cell.points or 0.0 for cell in self.cells)

    @property
    def max_score(self) -> float:
        """Points of all graded cells, manual ones included."""
        return sum(cell.max_points for cell in self.cells)

    def to_json(self) -> str:
        """The record as JSON text."""
        data = {**vars(self), "cells": [vars(cell) for cell in self.cells]}
        return json.dumps(data, indent=1, ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> SubmissionResult:
        """The record that ``to_json`` wrote.

        Raises:
            ValueError: when the text is no such record (cut off, or of another version).
        """
        try:
            data: dict[str, Any] = json.loads(text)
            cells = [
                CellResult(**{**cell, "status": Status(cell["status"])}) for cell in data["cells"]
            ]
            return cls(**{**data, "cells": cells})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a result: {error}") from error
