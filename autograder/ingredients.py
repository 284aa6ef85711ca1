"""What an executed solution was made from besides its text: data of the course's modules."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

CODE = (".py", ".pyc", ".typed")


def data_digest(root: Path, notebook: NotebookNode) -> str:
    """A digest of the data files of the modules in the course folder that a lesson imports.

    To a package belongs what lies in its folder (``course/zoo/*.safetensors``), to a module what
    has its name (``course/degradation.json``). Code is left out: mending a helper would have every
    lesson run again.

    Args:
        root: the course folder.
        notebook: the lesson.

    Returns:
        The empty string when there is no such file.
    """
    names = {name for cell in notebook.cells if cell.cell_type == "code" for name in _imports(cell)}
    digest, found = hashlib.sha256(), False
    for path in sorted({path for name in names for path in _data(root, name)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content)
        found = True
    return digest.hexdigest()[:16] if found else ""


def _imports(cell: NotebookNode) -> Iterator[str]:
    """Dotted names of what a cell imports, with the packages it is in, modules or not."""
    lines = (line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def _data(root: Path, name: str) -> Iterator[Path]:
    """The data files of the module ``name``; none when the course folder has no such module."""
    place = root.joinpath(*name.split("."))
    if (place / "__init__.py").is_file():
        # A package at the top holds the others and what is theirs.
        found = place.iterdir() if place.parent != root else iter(())
    elif place.with_suffix(".py").is_file():
        found = place.parent.glob(f"{place.name}.*")
    else:
        return
    yield from (path for path in found if path.is_file() and path.suffix not in CODE)
