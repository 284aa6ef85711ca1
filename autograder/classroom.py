"""Diagnoses of a whole class: reads stored results and logs, and ranks what went wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import nbformat

from autograder.calllog import unpack
from autograder.diagnosis import Diagnosis, Work, diagnose
from autograder.errors import AutograderError, IsolationError
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


def diagnose_class(
    folder: CourseFolder,
    assignment: str,
    students: list[str] | None = None,
    jobs: int = 1,
    step: Callable[[int], None] = lambda remaining: None,
) -> tuple[Library, dict[str, dict[str, Diagnosis]]]:
    """Diagnoses by student and exercise, of all results on disk when ``students`` is None.

    Args:
        step: called while logs of known mistakes are made, with the number still to come.
    """
    try:
        isolation = choose("")
    except IsolationError:
        isolation = "process"  # what runs is the author's own code
    library = read_library(folder, assignment, jobs, isolation, step)
    found = {}
    for path in sorted((folder.results / assignment).glob("*.json")):
        if students is not None and path.stem not in students:
            continue
        with contextlib.suppress(OSError, ValueError):
            result = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
            calls = unpack(path.with_name(f"{path.stem}.calls.gz").read_bytes())
            sources = student_sources(folder, assignment, path.stem)
            found[path.stem] = diagnose(library, Work.of(result, calls, sources))
    return library, found


def student_sources(folder: CourseFolder, assignment: str, student: str) -> dict[str, str]:
    """The submission's cells by grade_id; {} when its notebook cannot be read."""
    stem = folder.master(assignment).stem
    path = folder.autograded / student / assignment / f"{stem}.ipynb"
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        return {grade_id(c): str(c.source) for c in notebook.cells if grade_id(c)}
    except Exception:  # a submission's notebook may be of any shape
        return {}


def sentences(found: dict[str, dict[str, Diagnosis]]) -> dict[str, dict[str, list[str]]]:
    """What to tell each student, by exercise."""
    return {
        student: {name: list(d.sentences) for name, d in per.items() if d.sentences}
        for student, per in found.items()
    }


def ranking(
    folder: CourseFolder,
    assignment: str,
    library: Library,
    found: dict[str, dict[str, Diagnosis]],
) -> list[Ranked]:
    """What the class got wrong, the most frequent first, each with one student's code."""
    titles = {v.name: (v.title, v.message) for v in library.variants}
    owners = {v.name: _owner(library, v.cell) for v in library.variants}
    table: dict[tuple[str, str], Ranked] = {}
    for student, per in sorted(found.items()):
        for name, diagnosis in per.items():
            if diagnosis.kind in ("one", "both"):
                rows = [(owners[n], n, *titles[n], True) for n in diagnosis.names]
            elif diagnosis.kind == "either":
                known = [titles[n][0] for n in diagnosis.names]
                rows = [(name, "|".join(diagnosis.names), " or ".join(known), "", True)]
            elif diagnosis.kind == "rules":
                rows = [
                    (name, s.label, RULES.get(s.rule, s.rule), s.sentence, False)
                    for s in diagnosis.statements[:1]
                ]
            else:
                continue
            for exercise, key, title, message, named in rows:
                row = table.setdefault(
                    (exercise, key), Ranked(exercise, title, message, named=named)
                )
                row.students.append(student)
    ranked = sorted(table.values(), key=lambda row: (-len(row.students), not row.named, row.title))
    for row in ranked:
        row.example = _example(folder, assignment, library, row)
    return ranked


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


def _owner(library: Library, cell: str) -> str:
    return next((e.name for e in library.exercises if cell in e.solutions), "")


def _example(folder: CourseFolder, assignment: str, library: Library, row: Ranked) -> str:
    """The shortest code among the students', the exercise's cells together."""
    exercise = next(e for e in library.exercises if e.name == row.exercise)
    codes = []
    for student in row.students:
        sources = student_sources(folder, assignment, student)
        codes.append("\n\n".join(sources.get(cell, "") for cell in exercise.solutions).strip())
    return min((code for code in codes if code), key=len, default="")


__all__ = ["AutograderError", "Ranked", "diagnose_class", "ranking", "sentences"]
