"""Puts the master's graded cells back into a submission, whatever became of them there.

The master decides order, source and metadata of every cell that it tests with or locks; of the
submission remain the sources of its solution cells and its own cells between them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode

from autograder.exercises import grade_id, role
from autograder.text import name_cells

ANCHORS = ("solution", "test", "manual", "locked")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass
class Restored:
    """A notebook that is safe to grade.

    Attributes:
        notebook: the master's graded cells around the student's work.
        notes: what was put right, one line each.
        work: number of solution cells found in the submission.
    """

    notebook: NotebookNode
    notes: list[str] = field(default_factory=list)
    work: int = 0


def restore(master: NotebookNode, release: NotebookNode, submitted: NotebookNode) -> Restored:
    """Rebuild ``submitted`` around the graded cells of ``master``.

    Args:
        master: the source notebook, hidden tests inside.
        release: what students got; a deleted solution cell comes back as its stub.
        submitted: the student's notebook, as ``read_submission`` gives it.
    """
    anchors = [cell for cell in master.cells if role(cell) in ANCHORS]
    known = {grade_id(cell) for cell in anchors}
    stubs = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
    found, followers, repeats = _sort(submitted, known)
    notes = _notes(anchors, found, repeats, stubs)
    cells = list(followers[""])
    for anchor in anchors:
        name = grade_id(anchor)
        cells.append(_restored(anchor, found.get(name), stubs.get(name)))
        cells += followers.get(name, [])
    notebook = nbformat.from_dict(
        {
            "cells": cells,
            "metadata": {"kernelspec": master.metadata.get("kernelspec") or KERNEL},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    name_cells(notebook)
    work = sum(role(cell) in ("solution", "manual") and grade_id(cell) in found for cell in anchors)
    return Restored(notebook, notes, work)


def _sort(
    submitted: NotebookNode, known: set[str]
) -> tuple[dict[str, NotebookNode], dict[str, list[NotebookNode]], Counter[str]]:
    """The submission's copies of graded cells, and its own cells by the graded cell before them."""
    found: dict[str, NotebookNode] = {}
    followers: dict[str, list[NotebookNode]] = {"": []}
    repeats: Counter[str] = Counter()
    place = ""
    for cell in submitted.cells:
        name = _identity(cell, known)
        if name and name not in found:
            found[name], place = cell, name
            followers.setdefault(name, [])
            continue
        if name:
            repeats[name] += 1
            if role(cell) not in ("solution", "manual", "plain"):
                continue  # the copy of a test: the master's runs once
        followers[place].append(_own(cell))
    return found, followers, repeats


def _identity(cell: NotebookNode, known: set[str]) -> str:
    """The master's cell that this one is: by grade_id, else by the id that the release gave it."""
    for name in (grade_id(cell), str(cell.get("id", ""))):
        if name in known:
            return name
    return ""


def _own(cell: NotebookNode) -> NotebookNode:
    """A cell of the student's own; a copied solution cell still runs, as plain code."""
    copy = nbformat.from_dict(cell)
    copy.metadata = nbformat.from_dict({})
    return copy


def _restored(
    anchor: NotebookNode, found: NotebookNode | None, stub: NotebookNode | None
) -> NotebookNode:
    copy = nbformat.from_dict(anchor)
    if role(anchor) in ("solution", "manual"):
        given = found if found is not None else stub
        copy.source = given.source if given is not None else ""
    if copy.cell_type == "code":
        copy.outputs, copy.execution_count = [], None
    return copy


def _notes(
    anchors: list[NotebookNode],
    found: dict[str, NotebookNode],
    repeats: Counter[str],
    stubs: dict[str, NotebookNode],
) -> list[str]:
    names = [grade_id(cell) for cell in anchors]
    solutions = [grade_id(c) for c in anchors if role(c) in ("solution", "manual")]
    fixed = {grade_id(c): c for c in anchors if role(c) in ("test", "locked")}
    notes = []
    if not found:
        return ["no graded cell is left in the notebook: is it the right one?"]
    if missing := [name for name in solutions if name not in found]:
        notes.append(f"deleted solution cells: {_list(missing)}")
    if missing := [name for name in fixed if name not in found]:
        notes.append(f"deleted test or locked cells, put back: {_list(missing)}")
    if repeats:
        notes.append(f"duplicated cells: {_list(list(repeats))}")
    changed = [
        name
        for name, cell in fixed.items()
        if name in found and found[name].source.strip() != stubs.get(name, cell).source.strip()
    ]
    if changed:
        notes.append(f"changed test or locked cells, put back: {_list(changed)}")
    tagged = [name for name in found if name in stubs and _retagged(found[name], stubs[name])]
    if tagged:
        notes.append(f"changed cell metadata, put back: {_list(tagged)}")
    if [name for name in found if name in set(names)] != [name for name in names if name in found]:
        notes.append("graded cells stood in another order, put back")
    return notes


def _retagged(cell: NotebookNode, stub: NotebookNode) -> bool:
    keys = ("grade", "solution", "locked", "points", "task", "grade_id")
    mine, theirs = cell.metadata.get("nbgrader", {}), stub.metadata.get("nbgrader", {})
    return cell.cell_type != stub.cell_type or any(mine.get(k) != theirs.get(k) for k in keys)


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
