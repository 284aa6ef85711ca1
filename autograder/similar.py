"""Similar: pairs of submissions whose solution cells are unusually alike, for a person to read.

It accuses nobody and changes nothing: it reads the lesson and what was handed in, and writes one
page.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.table import Table
from rich.text import Text

from autograder.build import release_notebook
from autograder.errors import CourseError, SubmissionError
from autograder.exercises import grade_id, read_exercises
from autograder.files import write_atomically
from autograder.fingerprints import Code, Known
from autograder.folder import CourseFolder
from autograder.intake import find_submissions
from autograder.likeness import Likeness, Paper, compare
from autograder.mistakes import read_mistakes
from autograder.pages import clean
from autograder.progress import console, say
from autograder.sidebyside import render_pairs
from autograder.submission import MAX_BYTES, find_notebook, read_submission, show_name

ROWS = 20  # pairs that the terminal shows
CELL_LIMIT = 50_000  # characters of a cell that are compared
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass
class Comparison:
    """What one run of ``similar`` found.

    Attributes:
        assignment: its name.
        submissions: how many there are.
        compared: how many of them could be read.
        likeness: what comparing them gave.
        titles: of each solution cell, the exercise it belongs to.
        problems: student and reason, of those left out or cut short.
        page: the report.
        seconds: wall time.
    """

    assignment: str
    submissions: int
    compared: int
    likeness: Likeness
    titles: dict[str, str]
    problems: list[tuple[str, str]]
    page: Path
    seconds: float = 0.0

    def to_dict(self) -> dict:
        """The object that ``--json`` prints."""
        return {
            "assignment": self.assignment,
            "submissions": self.submissions,
            "compared": self.compared,
            "pairs": [
                {
                    "students": [pair.left.student, pair.right.student],
                    "tokens": round(pair.tokens, 1),
                    "share": round(pair.share, 3),
                    "cells": list(pair.marks),
                }
                for pair in self.likeness.pairs
            ],
            "problems": [{"student": s, "reason": r} for s, r in self.problems],
            "report": str(self.page),
            "seconds": round(self.seconds, 3),
        }

    def tell(self) -> None:
        """For the person at the terminal: what was left out, the unusual pairs, where to read."""
        for student, reason in self.problems:
            say(f"{clean(student)}: {clean(reason)}")
        if self.likeness.pairs:
            console.print(self._table())
        say(
            f"{self.submissions} submissions, {self.compared} compared, "
            f"unusual pairs: {self.likeness.found}, in {self.seconds:.1f} s"
        )
        say(f"side by side in {self.page}")

    def _table(self) -> Table:
        table = Table()
        table.add_column("Two submissions", overflow="fold")
        table.add_column("Tokens", justify="right", no_wrap=True)
        table.add_column("Of own code", justify="right", no_wrap=True)
        table.add_column("Where", overflow="fold")
        for pair in self.likeness.pairs[:ROWS]:
            both = Text(clean(f"{pair.left.student}\n{pair.right.student}"))
            table.add_row(both, f"{pair.tokens:.0f}", f"{pair.share:.0%}", ", ".join(pair.marks))
        return table


@dataclass
class _Lesson:
    """What comparing needs of an assignment: code by cell name, exercises, known code."""

    notebooks: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    known: list[str] = field(default_factory=list)


def find_similar(
    folder: CourseFolder,
    assignment: str,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare every two submissions of ``assignment`` and write ``report/ASSIGNMENT.similar.html``.

    Args:
        folder: the course.
        assignment: its name.
        progress: called with the number of submissions read and the number of all.

    Raises:
        CourseError: when there is no such assignment, it has no solution cell to compare, or
            nobody has handed in.
    """
    started = time.monotonic()
    lesson = _read_lesson(folder, assignment)
    places = find_submissions(folder, assignment, ())
    if not places:
        raise CourseError(
            f"no submission of {assignment}",
            where=folder.submitted,
            remedy=f"put them into STUDENT/{assignment}, or use `autograder collect`",
        )
    papers: list[Paper] = []
    problems: list[tuple[str, str]] = []
    for number, place in enumerate(places, 1):
        student = show_name(place.parent.name)
        try:
            cells, notes = _read_cells(place, lesson)
            papers.append(Paper(student, cells))
            problems += [(student, note) for note in notes]
        except SubmissionError as error:
            problems.append((student, str(error)))
        except OSError as error:
            problems.append((student, f"cannot be read ({error.strerror})"))
        if progress:
            progress(number, len(places))
    likeness = compare(papers, Known(lesson.known))
    page = folder.report / f"{assignment}.similar.html"
    found = Comparison(
        assignment, len(places), len(papers), likeness, lesson.titles, problems, page
    )
    write_atomically(page, render_pairs(assignment, lesson.titles, likeness, problems, len(places)))
    found.seconds = time.monotonic() - started
    return found


def _read_lesson(folder: CourseFolder, assignment: str) -> _Lesson:
    """The solution cells of an assignment, and all code that is no evidence."""
    paths = folder.masters(assignment)
    lesson = _Lesson([path.stem for path in paths])
    for path in paths:
        prefix = f"{path.stem}/" if len(paths) > 1 else ""
        try:
            master = nbformat.read(path, as_version=4)
        except Exception as error:
            raise CourseError(f"not a notebook ({error})", where=path) from error
        titles = {
            name: exercise.title.replace("`", "")
            for exercise in read_exercises(master)
            for name in (*exercise.solutions, *exercise.manual)
        }
        for cell in master.cells:
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
                lesson.titles[prefix + grade_id(cell)] = titles[grade_id(cell)]
                lesson.known.append(cell.source)
        for cell in release_notebook(master, folder.config).cells:
            is_code = cell.cell_type == "code"
            lesson.known += [cell.source] if is_code else FENCED.findall(cell.source)
    # Mistakes are known for being made by many: two who make the same need not know each other.
    lesson.known += [variant.source for variant in read_mistakes(folder.mistakes(assignment))]
    if not lesson.titles:
        raise CourseError(
            f"{assignment} has no solution cell with code to compare", where=folder.source
        )
    return lesson


def _read_cells(place: Path, lesson: _Lesson) -> tuple[dict[str, Code], list[str]]:
    """A submission's code by solution cell, and what was cut short.

    Raises:
        SubmissionError: when none of its notebooks can be read, or none has a solution cell.
    """
    cells: dict[str, Code] = {}
    notes: list[str] = []
    failed: list[SubmissionError] = []
    several = len(lesson.notebooks) > 1
    for name in lesson.notebooks:
        prefix = f"{name}/" if several else ""
        try:
            notebook = _read_notebook(place, name, alone=not several)
        except SubmissionError as error:
            failed.append(error)
            continue
        for cell in notebook.cells:
            own, source = prefix + grade_id(cell), str(cell.source)
            # Of two with the same name the first counts, as it does for grading.
            if cell.cell_type != "code" or own not in lesson.titles or own in cells:
                continue
            if len(source) > CELL_LIMIT:
                size = f"{len(source):,} characters; the first {CELL_LIMIT:,} were compared"
                notes.append(f"cell {own} has {size}")
            cells[own] = Code(clean(source[:CELL_LIMIT]))
    if not cells:
        raise failed[0] if failed else SubmissionError("no solution cell is left in the notebook")
    return cells, notes


def _read_notebook(place: Path, name: str, alone: bool) -> NotebookNode:
    """One notebook of a submission; a renamed one can be told where the assignment has no other.

    Raises:
        SubmissionError: when it is missing or not a notebook.
    """
    if not alone and not (place / f"{name}.ipynb").is_file():
        raise SubmissionError(f"no notebook: {name}.ipynb is missing")
    path, _ = find_notebook(place, name)
    if path.stat().st_size > MAX_BYTES:
        raise SubmissionError(f"the file has more than {MAX_BYTES >> 20} MB")
    return read_submission(path.read_bytes()).notebook
