"""Build: a lesson's text to its source notebook, its release and its executed solution.

- ``source/NN-topic.py`` → ``source/NN-topic/NN-topic.ipynb`` (solutions and hidden tests inside)
- → ``release/NN-topic/`` (nbgrader's own preprocessors: stubs, no hidden tests, no outputs)
- → ``solutions/NN-topic/`` (hidden tests removed, run by papermill, outputs kept)
- other files of ``source/NN-topic/`` (images) are copied to both
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import preprocessors

from autograder.errors import LessonError
from autograder.exercises import read_exercises
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.ingredients import data_digest
from autograder.text import digest, dump, name_cells, read_text, write_text

# nbgrader's pipeline of generate_assignment, less what writes the gradebook.
RELEASE_STEPS = (
    preprocessors.LockCells,
    preprocessors.ClearSolutions,
    preprocessors.ClearOutput,
    preprocessors.CheckCellMetadata,
    preprocessors.ComputeChecksums,
    preprocessors.ClearHiddenTests,
    preprocessors.ClearMarkScheme,
    preprocessors.ComputeChecksums,
    preprocessors.CheckCellMetadata,
)


@dataclass(frozen=True)
class Product:
    """One file that a build makes, and whether the one on disk is it."""

    path: Path
    content: bytes
    stale: bool


def source_notebook(text: Path) -> NotebookNode:
    """The source notebook of a lesson's text; remembers what it was built from.

    Raises:
        LessonError: when the text is not a lesson.
    """
    notebook = read_text(text)
    read_exercises(notebook)
    stamp = {"text": _sha(text.read_bytes()), "cells": digest(notebook)}
    notebook.metadata.setdefault("autograder", {})["built"] = stamp
    return notebook


def release_notebook(source: NotebookNode, config: object) -> NotebookNode:
    """What students get of ``source``: nbgrader's release, with the same cell ids each time."""
    notebook = nbformat.from_dict(source)
    for step in RELEASE_STEPS:
        try:
            notebook, _ = step(config=config).preprocess(notebook, {})
        except (RuntimeError, ValueError) as error:
            raise LessonError(f"nbgrader's {step.__name__} refuses it: {error}") from error
    return notebook


def products(folder: CourseFolder, name: str) -> Iterator[Product]:
    """The source and release files of lesson ``name``, as bytes.

    Raises:
        LessonError: when the built notebook was edited by hand since it was built: building would
            lose the edit.
    """
    text, built = folder.text(name), folder.source / name / f"{name}.ipynb"
    notebook = source_notebook(text)
    if built.is_file() and edited(built):
        raise LessonError(
            "was edited since it was built",
            where=built,
            remedy=f"keep the edit with `autograder build --pull {name}`, or delete the file",
        )
    yield _product(built, dump(notebook))
    target = folder.release / name
    yield _product(target / f"{name}.ipynb", dump(release_notebook(notebook, folder.config)))
    for extra in _extras(folder, name):
        yield _product(target / extra.relative_to(folder.source / name), extra.read_bytes())


def solution_is_stale(folder: CourseFolder, name: str) -> bool:
    """Whether the executed solution is missing or was run from other sources or data."""
    path = folder.solutions / name / f"{name}.ipynb"
    if not path.is_file():
        return True
    kept = nbformat.read(path, as_version=4)
    fresh = _without_hidden_tests(source_notebook(folder.text(name)), folder.config)
    data = kept.metadata.get("autograder", {}).get("built", {}).get("data", "")
    return digest(kept) != digest(fresh) or data != data_digest(folder.root, fresh)


def build_solution(folder: CourseFolder, name: str, log: Callable[[str], None] = print) -> Path:
    """Run the reference solution with papermill and keep its outputs.

    Raises:
        LessonError: when a cell of the reference fails.
    """
    import papermill  # which grading has no use for, and which takes a while to import

    notebook = _without_hidden_tests(source_notebook(folder.text(name)), folder.config)
    if data := data_digest(folder.root, notebook):
        notebook.metadata["autograder"]["built"]["data"] = data
    target = folder.solutions / name / f"{name}.ipynb"
    with tempfile.TemporaryDirectory() as scratch:
        start, end = Path(scratch) / "in.ipynb", Path(scratch) / "out.ipynb"
        start.write_bytes(dump(notebook))
        for extra in _extras(folder, name):
            copy = Path(scratch) / extra.relative_to(folder.source / name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(extra, copy)
            write_atomically(
                target.parent / extra.relative_to(folder.source / name), extra.read_bytes()
            )
        log(f"running the solution of {name}")
        try:
            papermill.execute_notebook(
                start, end, cwd=scratch, progress_bar=False, log_output=False, kernel_name="python3"
            )
        except papermill.PapermillExecutionError as error:
            raise LessonError(
                f"cell {error.exec_count} raises {error.ename}: {error.evalue}",
                where=folder.text(name),
            ) from error
        executed = nbformat.read(end, as_version=4)
    write_atomically(target, dump(_without_run_marks(executed, notebook)))
    return target


def build(
    folder: CourseFolder, names: list[str], *, log: Callable[[str], None] = print
) -> list[Path]:
    """Build lessons; the files that changed. A lesson that fails leaves its files as they were."""
    changed = []
    for name in names:
        made = list(products(folder, name))
        for product in made:
            if product.stale:
                write_atomically(product.path, product.content)
                changed.append(product.path)
        for path in _strangers(folder, name, made):
            path.unlink()
        if solution_is_stale(folder, name):
            changed.append(build_solution(folder, name, log))
    return changed


def stale(folder: CourseFolder, names: list[str]) -> list[Path]:
    """The built files that differ from a fresh build."""
    found = []
    for name in names:
        made = list(products(folder, name))
        found += [product.path for product in made if product.stale]
        found += _strangers(folder, name, made)
        if solution_is_stale(folder, name):
            found.append(folder.solutions / name / f"{name}.ipynb")
    return found


def pull(folder: CourseFolder, names: list[str]) -> list[Path]:
    """Bring edits of built notebooks back into their texts; return the texts that changed.

    Raises:
        LessonError: when text and notebook were both edited since the last build.
    """
    changed = []
    for name in names:
        path, text = folder.source / name / f"{name}.ipynb", folder.text(name)
        if not path.is_file() or not edited(path):
            continue
        notebook = nbformat.read(path, as_version=4)
        stamp = notebook.metadata.get("autograder", {}).get("built", {})
        if text.is_file() and stamp.get("text") != _sha(text.read_bytes()):
            raise LessonError(
                "both the text and the notebook were edited since the last build",
                where=text,
                remedy="undo one of the two edits",
            )
        write_atomically(text, write_text(notebook).encode())
        # The notebook is now a build of the text; only its marks and its layout may differ.
        write_atomically(path, dump(source_notebook(text)))
        changed.append(text)
    return changed


def edited(path: Path) -> bool:
    """Whether a built notebook's cells differ from the ones that the build wrote."""
    notebook = nbformat.read(path, as_version=4)
    stamp = notebook.metadata.get("autograder", {}).get("built", {})
    return bool(stamp) and stamp.get("cells") != digest(notebook)


def _without_hidden_tests(notebook: NotebookNode, config: object) -> NotebookNode:
    copy = nbformat.from_dict(notebook)
    copy, _ = preprocessors.ClearHiddenTests(config=config).preprocess(copy, {})
    copy, _ = preprocessors.ClearMarkScheme(config=config).preprocess(copy, {})
    return copy


def _without_run_marks(executed: NotebookNode, written: NotebookNode) -> NotebookNode:
    """Outputs of ``executed`` on the cells of ``written``: no timings, no papermill notes."""
    ran = [cell for cell in executed.cells if "injected-parameters" not in _tags(cell)]
    for cell, result in zip(written.cells, ran, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = result.outputs, result.execution_count
    name_cells(written)
    return written


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _extras(folder: CourseFolder, name: str) -> list[Path]:
    """Images and data beside the source notebook; never lesson text or caches."""
    files = (p for p in (folder.source / name).rglob("*") if p.is_file())
    refused = {".ipynb", ".py", ".pyc", ".yml"}
    return sorted(
        p for p in files if p.suffix not in refused and ".ipynb_checkpoints" not in p.parts
    )


def _strangers(folder: CourseFolder, name: str, made: list[Product]) -> list[Path]:
    """Files that an earlier build put into the release and this one does not."""
    wanted = {product.path for product in made}
    found = (folder.release / name).rglob("*")
    return sorted(
        path
        for path in found
        if path.is_file() and path not in wanted and ".ipynb_checkpoints" not in path.parts
    )


def _product(path: Path, content: bytes) -> Product:
    return Product(path, content, not path.is_file() or path.read_bytes() != content)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
