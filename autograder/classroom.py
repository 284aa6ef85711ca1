"""Diagnoses of a whole class: reads stored results and logs, and ranks what went wrong."""

from __future__ import annotations

import contextlib
import io
import re
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import nbformat

from autograder.calllog import unpack
from autograder.diagnosis import Diagnosis, Work, diagnose
from autograder.errors import IsolationError
from autograder.exercises import grade_id
from autograder.folder import CourseFolder
from autograder.grade import logs_path
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
        open: whether nothing was handed in that could be wrong.
    """

    exercise: str
    title: str
    message: str
    students: list[str] = field(default_factory=list)
    example: str = ""
    named: bool = True
    open: bool = False


UNWRITTEN = ("not-written", "missing")
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
        libraries: known mistakes and their logs, by notebook.
        found: diagnoses by student and exercise; the exercise as pages name it, with its notebook
            where there are several.
    """

    assignment: str
    libraries: dict[str, Library] = field(default_factory=dict)
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

    def _place(self, exercise: str) -> tuple[str, str, Library]:
        """Notebook, name in it and library of an exercise."""
        notebook, _, name = exercise.rpartition("/")
        notebook = notebook or next(iter(self.libraries))
        return notebook, name, self.libraries[notebook]

    def _rows(self, exercise: str, diagnosis: Diagnosis) -> list[Ranked]:
        """The rows of the ranking that a diagnosis counts in."""
        known = {v.name: v for v in self._place(exercise)[2].variants}
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
                   s.sentence, named=False, open=s.rule in UNWRITTEN)
            for s in diagnosis.statements[:1]
        ]  # fmt: skip

    def _example(self, folder: CourseFolder, row: Ranked) -> str:
        """The shortest code among the students', the exercise's cells together."""
        notebook, name, library = self._place(row.exercise)
        exercise = next(e for e in library.exercises if e.name == name)
        codes = []
        for student in row.students:
            sources = student_sources(folder, self.assignment, student, notebook)
            codes.append("\n\n".join(sources.get(cell, "") for cell in exercise.solutions).strip())
        example = min((code for code in codes if code), key=len, default="")
        return without_comments(example)


def without_comments(source: str) -> str:
    """The code without its comments: they may say whose it is."""
    lines = source.splitlines()
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column].rstrip()
    # What does not parse keeps comments beside code only.
    kept = [line for line in lines if not line.lstrip().startswith("#")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


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
    findings = Findings(assignment)
    results = sorted((folder.results / assignment).glob("*.json"))
    if not results:
        return findings
    notebooks = [path.stem for path in folder.masters(assignment)]
    for notebook in notebooks:
        library = read_library(folder, assignment, jobs, isolation, step, notebook=notebook)
        findings.libraries[notebook] = library
        prefix = f"{notebook}/" if notebooks[1:] else ""
        for path in results:
            with contextlib.suppress(OSError, ValueError):
                result = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
                logs = logs_path(folder, assignment, path.stem, notebook)
                calls = unpack(logs.read_bytes())
                sources = student_sources(folder, assignment, path.stem, notebook)
                work = Work.of(_only(result, prefix), calls, sources)
                told = {prefix + name: d for name, d in diagnose(library, work).items()}
                findings.found.setdefault(path.stem, {}).update(told)
    return findings


def _only(result: SubmissionResult, prefix: str) -> SubmissionResult:
    """The result of one notebook, its cells named as they are in there."""
    cells = [
        replace(cell, grade_id=cell.grade_id.removeprefix(prefix))
        for cell in result.cells
        if cell.grade_id.startswith(prefix)
    ]
    return replace(result, cells=cells)


def student_sources(
    folder: CourseFolder, assignment: str, student: str, notebook: str
) -> dict[str, str]:
    """The submission's cells by grade_id; {} when its notebook cannot be read."""
    path = folder.autograded / student / assignment / f"{notebook}.ipynb"
    try:
        cells = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4).cells
        return {grade_id(c): str(c.source) for c in cells if grade_id(c)}
    except Exception:  # a submission's notebook may be of any shape
        return {}
