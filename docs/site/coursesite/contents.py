"""What the site is made from: the lessons that are released, the syllabus, the errata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.errors import LessonError
from autograder.exercises import HEADING
from autograder.folder import CourseFolder
from autograder.syllabus import FENCE, Row, read_syllabus
from coursesite.errata import Errata, read_errata
from coursesite.outputs import Shown, shown_outputs


@dataclass(frozen=True)
class Lesson:
    """One released lesson.

    Attributes:
        name: NN-topic.
        title: its first heading.
        release: the notebook that students get; all text and code of the page is from here.
        executed: the solution as it ran; None when it was not built.
        shown: what of its outputs the page may show, by cell id; nothing else of it is public.
        files: what lies beside the released notebook, by path.
    """

    name: str
    title: str
    release: NotebookNode
    executed: NotebookNode | None
    shown: Mapping[str, Shown]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Contents:
    """All that the pages are made from."""

    root: Path
    lessons: tuple[Lesson, ...]
    rows: tuple[Row, ...]
    errata: Errata


def read_contents(root: Path) -> Contents:
    """The course in the folder ``root``; a lesson counts when it has been released.

    Raises:
        AutograderError: when a file is missing or malformed.
    """
    folder = CourseFolder.open(root)
    released = sorted(path.parent.name for path in folder.release.glob("*/*.ipynb"))
    lessons = tuple(read_lesson(folder, name) for name in dict.fromkeys(released))
    rows = tuple(read_syllabus(folder.source / "syllabus.yml"))
    return Contents(folder.root, lessons, rows, read_errata(root / "docs" / "errata.yml"))


def read_lesson(folder: CourseFolder, name: str) -> Lesson:
    """The released lesson ``name``.

    Raises:
        LessonError: when a notebook cannot be read.
    """
    place, solved = folder.release / name, folder.solutions / name / f"{name}.ipynb"
    release = _notebook(place / f"{name}.ipynb")
    executed = _notebook(solved) if solved.is_file() else None
    beside = (p for p in place.rglob("*") if p.is_file() and p.suffix != ".ipynb")
    files = {p.relative_to(place).as_posix(): p.read_bytes() for p in sorted(beside)}
    shown = shown_outputs(executed) if executed else {}
    return Lesson(name, title(release, name), release, executed, shown, files)


def title(notebook: NotebookNode, name: str) -> str:
    """The first heading of a notebook, or ``name``."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = (HEADING.findall(FENCE.sub("", text)) for text in texts)
    return next((headings[0] for headings in found if headings), name)


def _notebook(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise LessonError(f"cannot be read ({error})", where=path) from error
