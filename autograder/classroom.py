"""Diagnoses of a whole class: reads stored results and logs, and ranks what went wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import nbformat

from autograder.calllog import unpack
from autograder.diagnosis import Diagnosis, Work, diagnose
from autograder.errors import IsolationError
from autograder.exercises import grade_id
from autograder.folder import CourseFolder
from autograder.isolation import choose
from autograder.mistake_logs import Library, read_library
from autograder.results import SubmissionResult


@dataclass
class Ranked:
    """One mistake of the class.

    Attributes:
        exercise: name of the exercise.
        title: what it is, for the instructor.
        message: what its students were told.
        students: who made it.
        example: the code of one of them.
        named: whether it is a known mistake, not a general statement.
    """

    exercise: str
    title: str
    message: str
    students: list[str] = field(default_factory=list)
    example: str = ""
    named: bool = True


RULES = {
    "missing": "A name is not defined",
    "not-written": "Not written",
    "none": "Nothing returned",
    "raised": "An exception",
    "no-error": "No exception where one is asked for",
    "mutated": "An argument changed in place",
    "kind": "A result of another kind",
    "shape": "A wrong shape",
    "transposed": "Axes in another order",
    "reshaped": "The right numbers in a wrong shape",
    "truncated": "Fractions lost",
    "negated": "True and False exchanged",
    "sign": "The opposite sign",
    "constant": "One answer to everything",
    "clipped": "Negative results are 0",
    "zeros": "Nothing but zeros",
    "not-finite": "Infinities or NaN",
    "factor": "Off by a factor",
    "offset": "Off by a constant",
    "flipped": "Mirrored",
    "border": "Wrong at the border only",
    "slice": "Right in one slice only",
    "reordered": "The right numbers at wrong places",
    "parameter": "Right for one value of an argument, wrong for others",
    "separated": "Right for some inputs, wrong for others",
    "depends": "Builds on a function that fails",
}


@dataclass
class Findings:
    """Diagnoses of a class.

    Attributes:
        assignment: its name.
        library: known mistakes and their logs; None when there are none.
        found: diagnoses by student and exercise.
    """

    assignment: str
    library: Library | None = None
    found: dict[str, dict[str, Diagnosis]] = field(default_factory=dict)

    def sentences(self) -> dict[str, dict[str, list[str]]]:
        """What to tell each student, by exercise."""
        return {
            student: {name: list(d.sentences) for name, d in per.items() if d.sentences}
            for student, per in self.found.items()
        }

    def ranking(self, folder: CourseFolder) -> list[Ranked]:
        """What the class got wrong, the most frequent first, each with one student's code."""
        table: dict[tuple[str, str], Ranked] = {}
        for student, per in sorted(self.found.items()):
            for name, diagnosis in per.items():
                for row in self._rows(name, diagnosis):
                    table.setdefault((row.exercise, row.title), row).students.append(student)
        ranked = sorted(table.values(), key=lambda r: (-len(r.students), not r.named, r.title))
        for row in ranked:
            row.example = self._example(folder, row)
        return ranked

    def _rows(self, exercise: str, diagnosis: Diagnosis) -> list[Ranked]:
        """The rows of the ranking that a diagnosis counts in."""
        assert self.library is not None
        known = {v.name: v for v in self.library.variants}
        if diagnosis.kind in ("one", "both"):
            mistakes = [known[name] for name in diagnosis.names]
            return [Ranked(exercise, v.title, v.message) for v in mistakes]
        if diagnosis.kind == "either":
            title = " or ".join(known[name].title for name in diagnosis.names)
            return [Ranked(exercise, title, " ".join(diagnosis.sentences))]
        if any(statement.rule == "depends" for statement in diagnosis.statements):
            return []  # it counts where it comes from
        return [
            Ranked(exercise, RULES.get(s.rule, s.rule) + (f": {s.about}" if s.about else ""),
                   s.sentence, named=False)
            for s in diagnosis.statements[:1]
        ]  # fmt: skip

    def _example(self, folder: CourseFolder, row: Ranked) -> str:
        """The shortest code among the students', the exercise's cells together."""
        assert self.library is not None
        exercise = next(e for e in self.library.exercises if e.name == row.exercise)
        codes = []
        for student in row.students:
            sources = student_sources(folder, self.assignment, student)
            codes.append("\n\n".join(sources.get(cell, "") for cell in exercise.solutions).strip())
        return min((code for code in codes if code), key=len, default="")


def diagnose_class(
    folder: CourseFolder,
    assignment: str,
    jobs: int = 1,
    step: Callable[[int], None] = lambda remaining: None,
) -> Findings:
    """Diagnose every result of the assignment that is on disk.

    Args:
        jobs: runs of known mistakes at once, where their logs are not in the cache.
        step: called after each of those runs, with the number still to come.

    Raises:
        AutograderError: when the lesson cannot be run.
    """
    try:
        isolation = choose("")
    except IsolationError:
        isolation = "process"  # what runs is the author's own code
    results = sorted((folder.results / assignment).glob("*.json"))
    if not results:
        return Findings(assignment)
    library = read_library(folder, assignment, jobs, isolation, step)
    found = {}
    for path in results:
        with contextlib.suppress(OSError, ValueError):
            result = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
            calls = unpack(path.with_name(f"{path.stem}.calls.gz").read_bytes())
            sources = student_sources(folder, assignment, path.stem)
            found[path.stem] = diagnose(library, Work.of(result, calls, sources))
    return Findings(assignment, library, found)


def student_sources(folder: CourseFolder, assignment: str, student: str) -> dict[str, str]:
    """The submission's cells by grade_id; {} when its notebook cannot be read."""
    stem = folder.master(assignment).stem
    path = folder.autograded / student / assignment / f"{stem}.ipynb"
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        return {grade_id(c): str(c.source) for c in notebook.cells if grade_id(c)}
    except Exception:  # a submission's notebook may be of any shape
        return {}
