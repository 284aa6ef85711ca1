"""Which of a lesson's illustrations a submission can do without: all, unless its code reads them.

An illustration is a cell that no graded cell of the lesson needs, and grading passes it over. A
student may still use what it defines, a photograph or a table of kernels, for an answer of theirs;
then it is run, so that the answer is worth here what it is worth at home.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from nbformat import NotebookNode

from autograder.exercises import role
from autograder.scopes import bound_names, loaded_names, plain_python

WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class _Reader:
    """A cell that is run only for what it binds, or whose reads count."""

    source: str
    binds: frozenset[str]
    reads: frozenset[str]


def idle_pictures(notebook: NotebookNode, pictures: frozenset[str]) -> frozenset[str]:
    """The sources among ``pictures`` that need not be run with this notebook.

    Args:
        notebook: the submission.
        pictures: the sources of the lesson's illustrations.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and role(cell) != "test"]
    drawn = [cell for cell in cells if cell.source in pictures]
    own = [c for c in cells if c.source not in pictures and role(c) != "locked"]
    words = {word for cell in own for word in WORD.findall(cell.source)}
    offered = {name for cell in drawn for name in _names(cell.source)}
    if not words & offered:
        return pictures
    given = _given(cells, pictures)
    readers = [_read(cell.source, given.get(cell.source, frozenset())) for cell in (*drawn, *own)]
    answers = {cell.source for cell in own if role(cell) != "plain"}
    needed = {reader.source for reader in _closure(readers, answers)}
    return pictures - needed


def _closure(readers: list[_Reader], roots: set[str]) -> list[_Reader]:
    """The answers, and every cell that binds what one of them reads, and so on."""
    binders: dict[str, list[_Reader]] = {}
    for reader in readers:
        for name in reader.binds:
            binders.setdefault(name, []).append(reader)
    found = [reader for reader in readers if reader.source in roots]
    # What the answers bind themselves is theirs.
    done = {name for reader in found for name in reader.binds}
    for reader in found:  # grows meanwhile
        for name in reader.reads - done:
            done.add(name)
            found += binders.get(name, [])
    return found


def _given(cells: Iterable[NotebookNode], pictures: frozenset[str]) -> dict[str, frozenset[str]]:
    """For each illustration, what the lesson's other cells have bound before it."""
    given: dict[str, frozenset[str]] = {}
    bound: set[str] = set()
    for cell in cells:
        if cell.source in pictures:
            given[cell.source] = frozenset(bound)
        elif role(cell) == "locked":
            bound |= _names(cell.source)
    return given


def _read(source: str, given: frozenset[str]) -> _Reader:
    own = _names(source)
    # What a cell binds itself, as the variable of a loop, it seldom means from elsewhere.
    return _Reader(source, own - given, _loaded(source) - own)


# The lesson's own cells come with each submission. What nests too deep to be read does not run.


@lru_cache(maxsize=1024)
def _names(source: str) -> frozenset[str]:
    try:
        return frozenset(bound_names(plain_python(source), imports=True))
    except (RecursionError, MemoryError):
        return frozenset()


@lru_cache(maxsize=1024)
def _loaded(source: str) -> frozenset[str]:
    try:
        return frozenset(loaded_names(plain_python(source)))
    except (RecursionError, MemoryError):
        return frozenset()
