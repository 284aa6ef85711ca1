"""A lesson's known mistakes and alternative right answers, as its mistakes file lists them.

``source/NN-topic.mistakes.py`` is percent text. Each code cell replaces one solution cell:

    # %% Kernel flipped on both axes exercise="xcorr2d" covers=[1]
    # You flipped the kernel: that is true convolution. Cross-correlation slides it as it is.
    def xcorr2d(image, kernel): ...

    # %% Written with einsum exercise="xcorr2d" right=true
    def xcorr2d(image, kernel): ...

``covers`` names rows of the course's list of mistakes; ``right=true`` makes it an alternative.

Two more kinds of cells are comments alone. One marks mutants that no test can tell from the
reference, line by line, after the reason; the other says that nobody has looked at the survivors:

    # %% Every entry is written afterwards exercise="im2col" equivalent=true
    # The loop fills the whole array, whatever it held.
    # - columns = np.empty(shape)
    # + columns = np.zeros(shape)

    # %% Survivors not looked at yet unaudited=true
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import LessonError
from autograder.mutants import normal
from autograder.text import read_text

KEYS = {"title", "exercise", "right", "covers"}
MARKS = {"title", "exercise", "equivalent", "unaudited"}


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


@dataclass(frozen=True)
class Equivalent:
    """A mutant that does what the reference does, as an author has marked it.

    Attributes:
        title: why, in a few words.
        reason: why, in full.
        cell: grade_id of the solution cell.
        original: the reference's line, as Python prints it.
        mutated: the mutant's line, likewise.
    """

    title: str
    reason: str
    cell: str
    original: str
    mutated: str

    @property
    def change(self) -> tuple[str, str, str]:
        """What ``Mutant.change`` is for the mutants that it marks."""
        return self.cell, self.original, self.mutated


@dataclass
class Audit:
    """What an author has said of a lesson's mutants.

    Attributes:
        equivalents: the mutants that are marked, in order.
        done: False when the file says that nobody has looked at the survivors yet.
    """

    equivalents: list[Equivalent] = field(default_factory=list)
    done: bool = True


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
        if cell.cell_type == "code" and cell.source.strip() and not _is_mark(cell.metadata):
            variants.append(_variant(cell.source, dict(cell.metadata), path))
    names = [variant.name for variant in variants]
    for name in names:
        if names.count(name) > 1:
            raise LessonError(f"two cells are titled {name!r}", where=path, remedy="rename one")
    return variants


def read_audit(path: Path) -> Audit:
    """What a mistakes file says of the lesson's mutants.

    Raises:
        LessonError: for a marking without title, exercise, reason or lines, an unknown key, or a
            line that is no Python.
    """
    audit = Audit()
    cells = read_text(path).cells if path.is_file() else []
    for cell in cells:
        if cell.cell_type != "code" or not _is_mark(cell.metadata):
            continue
        if unknown := set(cell.metadata) - MARKS:
            title = cell.metadata.get("title", "")
            raise LessonError(f"{title!r} has unknown keys {sorted(unknown)}", where=path)
        if cell.metadata.get("unaudited", False):
            audit.done = False
        else:
            audit.equivalents += _equivalents(cell.source, dict(cell.metadata), path)
    return audit


def _is_mark(metadata: dict) -> bool:
    return bool(metadata.get("equivalent", False) or metadata.get("unaudited", False))


def _equivalents(source: str, metadata: dict, path: Path) -> list[Equivalent]:
    title, cell = str(metadata.get("title", "")), str(metadata.get("exercise", ""))
    if not title or not cell:
        raise LessonError("equivalent=true needs a title and exercise=…", where=path)
    found, original, reason = [], "", []
    for line in source.splitlines():
        mark, _, text = line.removeprefix("#").strip().partition(" ")
        if mark not in ("-", "+"):
            reason.append(line.lstrip("# ").rstrip())
            continue
        try:
            code = normal(text)
        except SyntaxError:
            raise LessonError(f"{title!r}: no line of Python: {text!r}", where=path) from None
        if mark == "-":
            original = code
        elif not original:
            raise LessonError(f"{title!r}: a + line needs a - line above it", where=path)
        else:
            found.append(Equivalent(title, " ".join(filter(None, reason)), cell, original, code))
    if not found or not found[0].reason:
        raise LessonError(
            f"{title!r} needs a reason, and the line before (# - …) and after (# + …)", where=path
        )
    return found


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
