"""A lesson's known mistakes and alternative right answers, as its mistakes file lists them.

``source/NN-topic.mistakes.py`` is percent text. Each code cell replaces one solution cell:

    # %% Kernel flipped on both axes exercise="xcorr2d" covers=[1]
    # You flipped the kernel: that is true convolution. Cross-correlation slides it as it is.
    def xcorr2d(image, kernel): ...

    # %% Written with einsum exercise="xcorr2d" right=true
    def xcorr2d(image, kernel): ...

``covers`` names rows of the course's list of mistakes; ``right=true`` makes it an alternative.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import LessonError
from autograder.text import read_text

KEYS = {"title", "exercise", "right", "covers"}


@dataclass(frozen=True)
class Variant:
    """One way to fill in a solution cell.

    Attributes:
        name: a slug of the title, unique within the file.
        title: what it is, for people.
        cell: grade_id of the solution cell that it replaces.
        source: the full text of the cell.
        right: whether it deserves full marks.
        message: what to tell a student who made this mistake (the leading comment).
        covers: numbers in the course's list of mistakes.
    """

    name: str
    title: str
    cell: str
    source: str
    right: bool
    message: str
    covers: tuple[int, ...] = ()


def read_mistakes(path: Path) -> list[Variant]:
    """The variants of a mistakes file, in order; none when there is no such file.

    Raises:
        LessonError: for a cell without a title or ``exercise``, an unknown key, a title that occurs
            twice, or a mistake without a message.
    """
    if not path.is_file():
        return []
    variants: list[Variant] = []
    for cell in read_text(path).cells:
        if cell.cell_type == "code" and cell.source.strip():
            variants.append(_variant(cell.source, dict(cell.metadata), path))
    names = [variant.name for variant in variants]
    for name in names:
        if names.count(name) > 1:
            raise LessonError(f"two cells are titled {name!r}", where=path, remedy="rename one")
    return variants


def _variant(source: str, metadata: dict, path: Path) -> Variant:
    title, cell = str(metadata.get("title", "")), str(metadata.get("exercise", ""))
    if not title or not cell:
        first = source.splitlines()[0]
        raise LessonError(
            f"the cell that starts with {first!r} needs a title and exercise=…", where=path
        )
    if unknown := set(metadata) - KEYS:
        raise LessonError(f"{title!r} has unknown keys {sorted(unknown)}", where=path)
    right, message = bool(metadata.get("right", False)), leading_comment(source)
    if not right and not message:
        raise LessonError(f"{title!r} has no comment to tell the student", where=path)
    name = re.sub(r"[^a-z0-9]+", "-", f"{cell} {title}".lower()).strip("-")
    covers = tuple(metadata.get("covers", ()))
    return Variant(name, title, cell, source, right, message, covers)


def leading_comment(source: str) -> str:
    """The comment lines that open ``source``, as one paragraph."""
    lines = []
    for line in source.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    return " ".join(line for line in lines if line)
