"""Reads what a student handed in: any bytes become a notebook, or one line that says why not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from autograder.errors import SubmissionError

MAX_BYTES = 200 * 1024 * 1024
MAX_CELLS = 5_000
KINDS = ("code", "markdown", "raw")


@dataclass
class Submission:
    """One student's notebook as read.

    Attributes:
        notebook: its cells, without outputs.
        notes: what a person should know of how it was found or mended.
    """

    notebook: NotebookNode
    notes: list[str] = field(default_factory=list)


def find_notebook(folder: Path, name: str) -> tuple[Path, list[str]]:
    """The notebook of a submission folder, and a note when it has another name.

    Raises:
        SubmissionError: when there is no notebook, or none can be told to be the one.
    """
    expected = folder / f"{name}.ipynb"
    if expected.is_symlink() and not _inside(expected, folder):
        raise SubmissionError(
            f"{name}.ipynb is a link out of the submission",
            remedy="ask the student to hand in the file itself",
        )
    if expected.is_file():
        return expected, []
    found = sorted(
        path
        for path in folder.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts and path.is_file() and _inside(path, folder)
    )
    if len(found) == 1:
        shown = show_name(str(found[0].relative_to(folder)))
        return found[0], [f"the notebook is named {shown}, not {name}.ipynb; it was graded"]
    if not found:
        raise SubmissionError(
            f"no notebook: {name}.ipynb is missing", remedy="ask the student to hand in again"
        )
    names = ", ".join(show_name(str(path.relative_to(folder))) for path in found[:5])
    raise SubmissionError(
        f"{len(found)} notebooks and none is named {name}.ipynb ({names})",
        remedy="rename the one to grade",
    )


def _inside(path: Path, folder: Path) -> bool:
    """Whether a path's links, if any, stay within the folder: its text would reach the student."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


def read_submission(content: bytes) -> Submission:
    """The notebook in ``content``.

    Raises:
        SubmissionError: when it is empty, too large, cut off, or no notebook.
    """
    if not content.strip():
        raise SubmissionError("the file is empty")
    if len(content) > MAX_BYTES:
        raise SubmissionError(
            f"the file has {len(content) >> 20} MB, more than {MAX_BYTES >> 20}",
            remedy="clear its outputs",
        )
    data = _parse(content)
    notes: list[str] = []
    major = data.get("nbformat")
    if not isinstance(major, int) or isinstance(major, bool) or not 1 <= major <= 4:
        raise SubmissionError(f"its notebook format is {major!r}, which no reader knows")
    if major < 4:
        data = _convert(data, major)
        notes.append(f"converted from notebook format {major}")
    cells = data.get("cells")
    if not isinstance(cells, list):
        raise SubmissionError("not a notebook: it has no list of cells")
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"the notebook has {len(cells)} cells, more than {MAX_CELLS}")
    kept = [cell for cell in map(_cell, cells) if cell is not None]
    if len(kept) < len(cells):
        notes.append(f"{len(cells) - len(kept)} damaged cells were left out")
    # Validation would refuse what restoring mends: cells without an id, or two with the same.
    notebook = v4.new_notebook()
    notebook.cells = kept
    return Submission(notebook, notes)


def show_name(name: str) -> str:
    r"""A file name for people and databases: bytes that are no UTF-8 become ``\xNN``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _parse(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SubmissionError("not a notebook: the file is not UTF-8 text") from None
    except RecursionError:
        raise SubmissionError("not a notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        # A file that starts as a notebook and does not end is worth its own word.
        starts = content.lstrip()[:1] == b"{"
        what = "cut off or damaged" if starts else "not a notebook"
        raise SubmissionError(f"{what}: not JSON ({str(error)[:120]})") from None
    if not isinstance(data, dict) or "nbformat" not in data:
        raise SubmissionError("not a notebook: JSON of another kind")
    return data


def _convert(data: dict[str, Any], major: int) -> dict[str, Any]:
    try:
        old = nbformat.reads(json.dumps(data), as_version=major)
        return dict(nbformat.convert(old, 4))
    except Exception as error:
        raise SubmissionError(
            f"notebook format {major} cannot be converted ({type(error).__name__})"
        ) from None


def _cell(data: Any) -> NotebookNode | None:
    """One cell with only what grading uses; None when it is damaged beyond use."""
    if not isinstance(data, dict) or data.get("cell_type") not in KINDS:
        return None
    source = data.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return None
    # A lone surrogate is JSON that no file can be written from.
    source = source.encode("utf-8", "backslashreplace").decode("utf-8")
    metadata = data.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = data.get("id")
    cell = NotebookNode(
        cell_type=data["cell_type"],
        id=name if isinstance(name, str) else "",
        metadata=NotebookNode(),
        source=source,
    )
    if cell.cell_type == "code":
        cell.update(outputs=[], execution_count=None)
    if isinstance(nbgrader, dict):
        plain = {k: v for k, v in nbgrader.items() if isinstance(v, str | int | float | bool)}
        cell.metadata["nbgrader"] = NotebookNode(plain)
    return cell
