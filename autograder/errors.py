"""Everything that can go wrong, as one tree.

AutograderError            one line for the person who ran the command; exit code 2
├── CourseError            the course folder or its configuration
├── LessonError            a lesson's text, notebook or mistakes file
├── SubmissionError        one submission that cannot be run; becomes a row, never a stop
└── IsolationError         this machine cannot give the isolation asked for
"""

from __future__ import annotations

from pathlib import Path


class AutograderError(Exception):
    """What is wrong, where, and what to do about it."""

    def __init__(self, problem: str, *, where: Path | str | None = None, remedy: str = "") -> None:
        self.problem, self.where, self.remedy = problem, where, remedy
        parts = [f"{where}: {problem}" if where is not None else problem, remedy]
        super().__init__("; ".join(part for part in parts if part))


class CourseError(AutograderError):
    """The course folder or its configuration is not usable."""


class LessonError(AutograderError):
    """A lesson's text, notebook or mistakes file is not usable."""


class SubmissionError(AutograderError):
    """One submission cannot be run; the class goes on without it."""


class IsolationError(AutograderError):
    """The isolation asked for cannot be had on this machine."""
