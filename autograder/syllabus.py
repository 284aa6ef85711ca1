"""The syllabus: what a course covers, where its lessons teach it, and which graded cells ask it.

``source/syllabus.yml`` is a list of rows:

    - id: S021
      topic: 5×5 image under the X-shaped kernel
      lesson: 01-convolution
      taught: [An example by hand, xcorr2d]     # heading texts or grade_ids of the lesson
      tested: [test-xcorr2d-values]             # grade_ids of graded cells
      also: [02-layer-arithmetic]               # lessons that come back to it; optional
      errata: [E57]                             # optional

An anchor in a lesson of ``also`` is written ``NN-topic/anchor``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from nbformat import NotebookNode

from autograder.errors import LessonError
from autograder.exercises import HEADING, grade_id, role
from autograder.text import read_text

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One thing that the course covers.

    Attributes:
        id: its name, unique within the file.
        topic: what it is, in one line.
        lesson: the lesson that teaches it first.
        taught: where: heading texts and grade_ids.
        tested: grade_ids of the graded cells that ask it.
        also: further lessons that come back to it.
        errata: numbers of known errors that it sets right.
    """

    id: str
    topic: str
    lesson: str
    taught: tuple[str, ...]
    tested: tuple[str, ...]
    also: tuple[str, ...] = ()
    errata: tuple[str, ...] = ()

    def place(self, anchor: str) -> tuple[str, str]:
        """The lesson that ``anchor`` lies in, and its text there."""
        for lesson in self.also:
            if anchor.startswith(f"{lesson}/"):
                return lesson, anchor.removeprefix(f"{lesson}/")
        return self.lesson, anchor

    def in_lesson(self, lesson: str) -> tuple[list[str], list[str]]:
        """The anchors of ``taught`` and of ``tested`` that lie in ``lesson``."""
        placed = [[self.place(anchor) for anchor in group] for group in (self.taught, self.tested)]
        taught, tested = ([text for where, text in group if where == lesson] for group in placed)
        return taught, tested


@dataclass(frozen=True)
class Anchors:
    """What rows can point at in one lesson."""

    headings: frozenset[str]
    cells: frozenset[str]
    graded: frozenset[str]


@dataclass(frozen=True)
class Coverage:
    """How many rows are done; a row counts when its lesson both teaches and tests it.

    Attributes:
        covered: rows of written lessons that are taught and tested.
        written: rows whose lesson is written.
        total: all rows.
    """

    covered: int
    written: int
    total: int

    def __str__(self) -> str:
        return f"{self.covered} of {self.total} syllabus rows are taught and tested."


def read_syllabus(path: Path) -> list[Row]:
    """The rows of the file ``path``, in order.

    Raises:
        LessonError: when the file is missing or no YAML, a row is malformed, or two share an id.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LessonError("no syllabus here", where=path) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LessonError(f"not YAML ({' '.join(str(error).split())})", where=path) from None
    if not isinstance(data, list):
        raise LessonError("should be a list of rows", where=path)
    rows: dict[str, Row] = {}
    for number, item in enumerate(data, start=1):
        row = _row(item, f"row {number}", path)
        if row.id in rows:
            raise LessonError(f"two rows have the id {row.id!r}", where=path, remedy="rename one")
        rows[row.id] = row
    return list(rows.values())


def rows_by_lesson(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows that each lesson teaches first, lessons in order of appearance."""
    lessons: dict[str, list[Row]] = {}
    for row in rows:
        lessons.setdefault(row.lesson, []).append(row)
    return lessons


def written_lessons(rows: Iterable[Row], source: Path) -> dict[str, NotebookNode]:
    """The notebooks of the lessons named in ``rows`` whose text lies in the folder ``source``."""
    names = sorted({name for row in rows for name in (row.lesson, *row.also)})
    texts = {name: source / f"{name}.py" for name in names}
    return {name: read_text(text) for name, text in texts.items() if text.is_file()}


def find_anchors(notebook: NotebookNode) -> Anchors:
    """The heading texts, grade_ids and graded cells of a lesson's notebook."""
    headings: set[str] = set()
    cells: set[str] = set()
    graded: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            # A comment in a fenced block of code looks like a heading.
            headings.update(HEADING.findall(FENCE.sub("", cell.source)))
        if name := grade_id(cell):
            cells.add(name)
            if role(cell) in ("test", "manual"):
                graded.add(name)
    return Anchors(frozenset(headings), frozenset(cells), frozenset(graded))


def missing(row: Row, lesson: str, anchors: Anchors) -> list[str]:
    """What ``row`` lacks in ``lesson``, one line each; none when it is well anchored there.

    The lesson that a row names first has to teach and test it; a lesson of ``also`` has to hold at
    least one of its anchors.
    """
    taught, tested = row.in_lesson(lesson)
    lines = []
    if lesson == row.lesson:
        lines += ["taught nowhere"] if not taught else []
        lines += ["tested nowhere"] if not tested else []
    elif not taught and not tested:
        lines.append("has no anchor here, though `also` names the lesson")
    for anchor in taught:
        if anchor not in anchors.headings | anchors.cells:
            lines.append(f"taught at {anchor!r}, which is neither a heading nor a grade_id")
    for anchor in tested:
        if anchor not in anchors.graded:
            why = "is not graded" if anchor in anchors.cells else "does not exist"
            lines.append(f"tested by {anchor!r}, which {why}")
    return [f"{row.id} in {lesson}: {line}" for line in lines]


def missing_anchors(rows: Iterable[Row], notebooks: Mapping[str, NotebookNode]) -> list[str]:
    """What the rows of the written lessons ``notebooks`` lack, one line each."""
    anchors = {name: find_anchors(notebook) for name, notebook in notebooks.items()}
    return [
        line
        for row in rows
        for lesson in (row.lesson, *row.also)
        if lesson in anchors
        for line in missing(row, lesson, anchors[lesson])
    ]


def coverage(rows: Iterable[Row], notebooks: Mapping[str, NotebookNode]) -> Coverage:
    """How many of ``rows`` the written lessons ``notebooks`` teach and test."""
    rows = list(rows)
    anchors = {name: find_anchors(notebook) for name, notebook in notebooks.items()}
    written = [row for row in rows if row.lesson in anchors]
    covered = [row for row in written if not missing(row, row.lesson, anchors[row.lesson])]
    return Coverage(len(covered), len(written), len(rows))


def _row(item: Any, name: str, path: Path) -> Row:
    if not isinstance(item, dict):
        raise LessonError(f"{name} should be a mapping, not {item!r}", where=path)
    name = f"{name} ({item['id']})" if "id" in item else name
    known = [field.name for field in fields(Row)]
    if unknown := [key for key in item if key not in known]:
        raise LessonError(f"{name} has unknown keys {unknown}", where=path)
    values: dict[str, Any] = {}
    for key in ("id", "topic", "lesson"):
        values[key] = item.get(key)
        if not isinstance(values[key], str) or not values[key].strip() or "\n" in values[key]:
            raise LessonError(f"{name} needs one line of text as {key}", where=path)
    for key in ("taught", "tested", "also", "errata"):
        value = item.get(key, [] if key in ("also", "errata") else None)
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise LessonError(f"{name} needs a list of texts as {key}", where=path)
        if len(set(value)) < len(value):
            raise LessonError(f"{name} says something twice in {key}", where=path)
        values[key] = tuple(value)
    return Row(**values)
