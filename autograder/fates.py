"""What can become of a submission: builders of broken, hostile and unlucky student folders.

Each takes a finished submission apart in one way, for any lesson. The demo and the tests hand in
the same fates; the tests know what each has to score.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.exercises import grade_id, role
from autograder.text import dump, name_cells

MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")


@dataclass(frozen=True)
class Fate:
    """One way for a submission to go wrong.

    Attributes:
        name: the fate.
        reason: what the row of such a submission says, or a test's message when the row need not.
        write: writes the student's folder from the finished notebook; gets the folder, the
            assignment's notebook name, the notebook (its own copy) and the victim: grade_id of
            the solution cell to break.
    """

    name: str
    reason: str
    write: Callable[[Path, str, NotebookNode, str], None]


def fill(release: NotebookNode, answers: dict[str, str]) -> NotebookNode:
    """The release with the solution cells of ``answers`` (source by grade_id) filled in."""
    notebook = nbformat.from_dict(release)
    for cell in notebook.cells:
        if grade_id(cell) in answers:
            cell.source = answers[grade_id(cell)]
    return notebook


def reference(master: NotebookNode) -> dict[str, str]:
    """The author's own answers by grade_id, as a student would have written them."""
    return {
        grade_id(cell): "\n".join(
            line for line in cell.source.splitlines() if line.strip() not in MARKS
        )
        for cell in master.cells
        if role(cell) == "solution"
    }


def hand_in(place: Path, name: str, notebook: NotebookNode) -> None:
    """Put a notebook where students' work lies."""
    _write(place, f"{name}.ipynb", dump(notebook))


def non_utf8(name: str) -> str:
    """A folder name as an old Windows computer wrote it: Latin-1, no UTF-8."""
    return os.fsdecode(name.encode("latin-1"))


def _write(place: Path, name: str, content: bytes) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(content)


def _empty(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    _write(place, f"{name}.ipynb", b"")


def _cut_off(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    content = dump(notebook)
    _write(place, f"{name}.ipynb", content[: len(content) * 2 // 3])


def _no_notebook(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    _write(place, f"{name}.ipynb", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR, a screen shot")


def _wrong_format(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    data = json.loads(dump(notebook)) | {"nbformat": 7}
    _write(place, f"{name}.ipynb", json.dumps(data).encode())


def _renamed(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    _write(place, f"{name} (1) final.ipynb", dump(notebook))


def _missing(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    _write(place, "notes.txt", b"I will hand in tomorrow\n")


def _no_graded_cell(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    # What remains when the cells are pasted into a new notebook: sources, without their marks.
    cells = [
        nbformat.v4.new_code_cell(cell.source)
        for cell in notebook.cells
        if role(cell) == "solution"
    ]
    pasted = nbformat.v4.new_notebook(cells=cells)
    name_cells(pasted)
    hand_in(place, name, pasted)


def _duplicated(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    at = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == victim)
    notebook.cells.insert(at + 1, nbformat.from_dict(notebook.cells[at]))
    notebook.cells[at + 1].id = f"{notebook.cells[at].id}-copy"
    hand_in(place, name, notebook)


def _deleted(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) != victim]
    hand_in(place, name, notebook)


def _replaced(source: str) -> Callable[[Path, str, NotebookNode, str], None]:
    """The victim cell reads ``source``, with its own text in the place of ``{cell}``."""

    def write(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
        for cell in notebook.cells:
            if grade_id(cell) == victim:
                cell.source = source.replace("{cell}", cell.source)
        hand_in(place, name, notebook)

    return write


def _whole(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    hand_in(place, name, notebook)


FATES = [
    Fate("empty file", "the file is empty", _empty),
    Fate("cut-off JSON", "cut off or damaged", _cut_off),
    Fate("not a notebook", "not a notebook", _no_notebook),
    Fate("wrong nbformat", "notebook format is 7", _wrong_format),
    Fate("renamed notebook", "it was graded", _renamed),
    Fate("missing notebook", "no notebook", _missing),
    Fate("no graded cell left", "no graded cell is left", _no_graded_cell),
    Fate("duplicated cell", "duplicated cells", _duplicated),
    Fate("syntax error", "raised SyntaxError", _replaced("def broken(x:\n    return x")),
    Fate("sys.exit", "raised SystemExit", _replaced("import sys\n\nsys.exit('enough')\n\n{cell}")),
    Fate("os._exit", "the kernel stopped", _replaced("import os\n\nos._exit(0)\n\n{cell}")),
    Fate("infinite loop", "was interrupted", _replaced("while True:\n    pass\n\n{cell}")),
    Fate(
        "endless print",
        "printed more than it may",
        _replaced("while True:\n    print('still running ' * 200)\n\n{cell}"),
    ),
    Fate(
        "raises at import",
        "raised ModuleNotFoundError",
        _replaced("import tensorflow as tf\n\n{cell}"),
    ),
    Fate("deleted solution cell", "deleted solution cells", _deleted),
    Fate("non-UTF-8 name", "not UTF-8", _whole),
]
