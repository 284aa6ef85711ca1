"""A lesson's text (jupytext percent) to its notebook and back, byte for byte the same each time."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import nbformat
from nbformat import NotebookNode

from autograder.errors import LessonError

CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What jupytext or an editor notes about itself says nothing about the lesson.
VOLATILE = ("lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker", "execution")
HEADER = "kernelspec,autograder,-jupytext.text_representation.jupytext_version"


def _jupytext() -> ModuleType:
    """Imported when a text is read or written: grading, which does neither, starts sooner."""
    return importlib.import_module("jupytext")


def read_text(path: Path) -> NotebookNode:
    """The notebook that the percent text ``path`` stands for, with ids that do not change.

    Raises:
        LessonError: when the file is missing, not UTF-8, or not percent text.
    """
    try:
        text = path.read_text(encoding="utf-8")
        notebook = _jupytext().reads(text, fmt="py:percent")
    except FileNotFoundError:
        raise LessonError("no such lesson", where=path) from None
    except UnicodeDecodeError as error:
        raise LessonError(f"not UTF-8 ({error})", where=path) from None
    except Exception as error:
        raise LessonError(f"not percent text ({error})", where=path) from error
    notebook.metadata.pop("jupytext", None)
    notebook.metadata.setdefault(
        "kernelspec",
        {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    )
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)
    name_cells(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def write_text(notebook: NotebookNode) -> str:
    """The percent text of ``notebook``; reading it back gives the same cells."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata.get("autograder", {}).pop("built", None)
    if not notebook.metadata.get("autograder"):
        notebook.metadata.pop("autograder", None)
    notebook.metadata["jupytext"] = {"notebook_metadata_filter": HEADER}
    for cell in notebook.cells:
        cell.metadata.get("nbgrader", {}).pop("checksum", None)
        for key in VOLATILE:
            cell.metadata.pop(key, None)
    return str(_jupytext().writes(notebook, fmt="py:percent"))


def name_cells(notebook: NotebookNode) -> None:
    """Give each cell its grade_id as id, else a digest of its content; ids stay unique."""
    taken: set[str] = set()
    repeats: Counter[str] = Counter()
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        name = grade_id if CELL_ID.fullmatch(grade_id) else digest
        while name in taken:
            repeats[digest] += 1
            name = f"{digest}-{repeats[digest] + 1}"
        taken.add(name)
        cell.id = name


def dump(notebook: NotebookNode) -> bytes:
    """The notebook as the bytes of a file: sorted keys, one space, a final newline."""
    # nbformat.writes would validate against the schema first: 50 ms for what we built ourselves.
    text = nbformat.v4.writes(notebook).rstrip("\n") + "\n"
    # Half a character, which a program may print, is written as JSON's own escape for it.
    return text.encode("utf-8", "backslashreplace")


def digest(notebook: NotebookNode) -> str:
    """A digest of what the author wrote: cell types, sources, metadata; not outputs or layout."""
    parts = [
        f"{cell.cell_type}\0{cell.source}\0{_plain_metadata(cell)}\0" for cell in notebook.cells
    ]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def _plain_metadata(cell: NotebookNode) -> str:
    nbgrader = {k: v for k, v in cell.metadata.get("nbgrader", {}).items() if k != "checksum"}
    return repr((sorted(nbgrader.items()), sorted(cell.metadata.get("tags", []))))
