"""Every fate with the score that it has to get in the toy lesson (10 points by machine).

The fates of the demonstration, and further ones that only a test hands in.
"""

from __future__ import annotations

import json
from pathlib import Path

from nbformat import NotebookNode, v3

from autograder.exercises import grade_id, role
from autograder.fates import FATES, Fate, _replaced, _write, hand_in
from autograder.text import dump


def _retagged(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader |= {"points": 100, "locked": False, "solution": True}
    hand_in(place, name, notebook)


def _edited_tests(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    for cell in notebook.cells:
        if grade_id(cell) == victim:
            cell.source = "def double(x):\n    return x"
        if role(cell) == "test":
            cell.source = "assert True"
    hand_in(place, name, notebook)


def _reordered(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    notebook.cells.reverse()
    hand_in(place, name, notebook)


def _without_tests(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    notebook.cells = [cell for cell in notebook.cells if role(cell) != "test"]
    hand_in(place, name, notebook)


def _duplicated_wrong(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    """The second copy of a cell comes later, so it wins, as it does in Jupyter."""
    at = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == victim)
    copy = notebook.cells[at].copy()
    copy.source, copy.id = "def double(x):\n    return 3 * x", "copy"
    notebook.cells.insert(at + 1, copy)
    hand_in(place, name, notebook)


def _folder(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    (place / f"{name}.ipynb").mkdir(parents=True)


def _two(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    _write(place, "one.ipynb", dump(notebook))
    _write(place, "two.ipynb", dump(notebook))


def _format_3(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    cells = []
    for cell in notebook.cells:
        make = v3.new_code_cell if cell.cell_type == "code" else v3.new_text_cell
        key = "input" if cell.cell_type == "code" else "source"
        if cell.cell_type == "code":
            made = make(input=cell.source, metadata=cell.metadata)
        else:
            made = make("markdown", source=cell.source, metadata=cell.metadata)
        assert key in made
        cells.append(made)
    old = v3.new_notebook(worksheets=[v3.new_worksheet(cells=cells)])
    _write(place, f"{name}.ipynb", json.dumps(old).encode())


def _edited_json(**changes: object) -> object:
    def write(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
        data = json.loads(dump(notebook)) | changes
        _write(place, f"{name}.ipynb", json.dumps(data).encode())

    return write


def _lone_surrogate(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    for cell in notebook.cells:
        if grade_id(cell) == victim:
            cell.source += "\n# PLACE"
    _write(place, f"{name}.ipynb", dump(notebook).replace(b"PLACE", b"\\ud800"))


def _junk_cells(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    data = json.loads(dump(notebook))
    data["cells"] += [None, 7, "cell", {}, {"cell_type": "heading", "source": "x"}]
    _write(place, f"{name}.ipynb", json.dumps(data).encode())


def _without_ids(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    data = json.loads(dump(notebook)) | {"nbformat_minor": 2}
    for cell in data["cells"]:
        del cell["id"]
    _write(place, f"{name}.ipynb", json.dumps(data).encode())


def _marked(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    _write(place, f"{name}.ipynb", b"\xef\xbb\xbf" + dump(notebook))


def _list(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    _write(place, f"{name}.ipynb", b"[1, 2, 3]")


def _link(place: Path, name: str, notebook: NotebookNode, victim: str) -> None:
    hand_in(place, name, notebook)
    (place / "data.txt").symlink_to("/etc/hostname")


MORE = [
    Fate("re-tagged cells", "changed cell metadata", _retagged),
    Fate("edited tests", "changed test or locked cells", _edited_tests),
    Fate("re-ordered cells", "another order", _reordered),
    Fate("deleted tests", "deleted test or locked cells", _without_tests),
    Fate("duplicated cell, changed", "duplicated cells", _duplicated_wrong),
    Fate("folder for a notebook", "no notebook", _folder),
    Fate("two notebooks", "2 notebooks and none is named", _two),
    Fate("format 3", "converted from notebook format 3", _format_3),
    Fate("no list of cells", "no list of cells", _edited_json(cells={"a": 1})),
    Fate("another language", "", _edited_json(metadata={"kernelspec": {"name": "julia"}})),
    Fate("lone surrogate", "", _lone_surrogate),
    Fate("junk cells", "5 damaged cells", _junk_cells),
    Fate("cells without ids", "", _without_ids),
    Fate("byte order mark", "", _marked),
    Fate("JSON of another kind", "JSON of another kind", _list),
    Fate("link", "is a link", _link),
    Fate("killed by itself", "the kernel stopped",
         _replaced("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")),
    Fate("endless recursion", "RecursionError",
         _replaced("def double(x):\n    return double(x)")),
    Fate("loop in a function", "is there a loop without an end",
         _replaced("def double(x):\n    while True:\n        pass")),
    Fate("exit in a function", "ended itself",
         _replaced("import sys\ndef double(x):\n    sys.exit(x)")),
    Fate("_exit in a function", "your code ended the kernel",
         _replaced("import os\ndef double(x):\n    os._exit(3)")),
    Fate("a word for a function", "", _replaced("double = 'twice'")),
]  # fmt: skip

SCORES = {
    "empty file": 0, "cut-off JSON": 0, "not a notebook": 0, "wrong nbformat": 0,
    "renamed notebook": 10, "missing notebook": 0, "no graded cell left": 0,
    "duplicated cell": 10, "syntax error": 7, "sys.exit": 7, "os._exit": 0, "infinite loop": 7,
    "endless print": 7, "raises at import": 7, "deleted solution cell": 7, "non-UTF-8 name": 10,
    "re-tagged cells": 10, "edited tests": 7, "re-ordered cells": 10, "deleted tests": 10,
    "duplicated cell, changed": 7, "folder for a notebook": 0, "two notebooks": 0, "format 3": 10,
    "no list of cells": 0, "another language": 10, "lone surrogate": 10, "junk cells": 10,
    "cells without ids": 10, "byte order mark": 10, "JSON of another kind": 0, "link": 10,
    "killed by itself": 0, "endless recursion": 7, "loop in a function": 7,
    "exit in a function": 7, "_exit in a function": 0, "a word for a function": 7,
}  # fmt: skip

ALL = {fate.name: fate for fate in [*FATES, *MORE]}
