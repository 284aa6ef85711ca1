"""What must never be on a page: lines of solutions and hidden tests that no release has."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import nbformat

from autograder.folder import CourseFolder

REGION = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.MULTILINE | re.DOTALL)
# Shorter lines, such as `return x`, stand in prose and in other code as well.
LENGTH = 12


def secret_lines(root: Path, name: str) -> set[str]:
    """The lines of lesson ``name`` that only its master holds, with single spaces.

    Args:
        root: the course folder.
        name: NN-topic.
    """
    folder = CourseFolder.open(root)
    master = nbformat.read(folder.master(name), as_version=4)
    regions = (body for cell in master.cells for _, body in REGION.findall(cell.source))
    return {line for body in regions for line in lines(body) if len(line) >= LENGTH} - _known(
        folder.release
    )


@cache
def _known(released: Path) -> frozenset[str]:
    """The lines of every release: what one lesson asks, a later one may give."""
    notebooks = (nbformat.read(path, as_version=4) for path in released.glob("*/*.ipynb"))
    cells = (cell for notebook in notebooks for cell in notebook.cells)
    return frozenset(line for cell in cells for line in lines(cell.source))


def lines(text: str) -> list[str]:
    """The lines of ``text`` with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]
