"""Handout: the lessons and helper packages of a student repository, as bytes by path.

Lessons come from ``release/``, helper packages from the course folder as they are. Nothing is
written here, and nothing that nbgrader would have cut away gets through.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from nbgrader import preprocessors

from autograder import build
from autograder.errors import CourseError
from autograder.folder import CourseFolder

CACHES = {"__pycache__", ".ipynb_checkpoints"}


def lesson_files(folder: CourseFolder, name: str) -> dict[str, bytes]:
    """The files of one release, by their path in the student repository.

    Raises:
        CourseError: when there is no such assignment, or its release is missing, stale, or still
            holds a mark of nbgrader's for solutions or hidden tests.
    """
    if name not in folder.assignments():
        known = ", ".join(folder.assignments()) or "none"
        raise CourseError(
            f"no assignment {name!r}", where=folder.source, remedy=f"there are: {known}"
        )
    release = folder.release / name
    text = folder.text(name).is_file()
    remedy = f"run `autograder build {name}`" if text else f"`nbgrader generate_assignment {name}`"
    if not any(release.glob("*.ipynb")):
        raise CourseError("there is no release", where=release, remedy=remedy)
    found = _files(release)
    if text:
        made = [p for p in build.products(folder, name) if p.path.is_relative_to(release)]
        if any(product.stale for product in made) or {p.path for p in made} != set(found):
            raise CourseError(
                "the release is not what its text gives", where=release, remedy=remedy
            )
    return {f"{name}/{path.relative_to(release).as_posix()}": found[path] for path in found}


def package_files(folder: CourseFolder, packages: tuple[str, ...]) -> dict[str, bytes]:
    """The helper packages with their data files, by path.

    Raises:
        CourseError: for a package that is not in the course folder.
    """
    contents = {}
    for package in packages:
        place = folder.root / package
        if not (place / "__init__.py").is_file():
            raise CourseError(
                "is no package",
                where=place,
                remedy="see c.Autograder.publish in nbgrader_config.py",
            )
        for path, content in _files(place).items():
            contents[path.relative_to(folder.root).as_posix()] = content
    return contents


def refuse_marks(folder: CourseFolder, contents: dict[str, bytes]) -> None:
    """Nothing that nbgrader would have cut away may go out.

    Raises:
        CourseError: for the first file with a mark in it.
    """
    solutions = preprocessors.ClearSolutions(config=folder.config)
    tests = preprocessors.ClearHiddenTests(config=folder.config)
    scheme = preprocessors.ClearMarkScheme(config=folder.config)
    marks = (
        solutions.begin_solution_delimeter,
        tests.begin_test_delimeter,
        scheme.begin_mark_scheme_delimeter,
    )
    for path, content in contents.items():
        for mark in marks:
            if mark.encode() in content:
                raise CourseError(f"holds {mark!r}", where=path, remedy="nothing was published")


def heading(notebook: bytes, name: str) -> str:
    """The first heading of a notebook; its assignment's name if it has none."""
    for cell in json.loads(notebook).get("cells", []):
        if cell.get("cell_type") == "markdown":
            found = re.search(r"^#\s+(.+?)\s*$", "".join(cell["source"]), re.MULTILINE)
            if found:
                return found[1].replace("|", "\\|")
    return name


def _files(place: Path) -> dict[Path, bytes]:
    """All files below ``place`` but caches and hidden ones."""
    contents = {}
    for path in sorted(place.rglob("*")):
        parts = path.relative_to(place).parts
        if CACHES & set(parts) or any(part.startswith(".") for part in parts):
            continue
        if path.is_symlink():
            raise CourseError("is a link", where=path, remedy="put the file itself there")
        if path.is_file() and path.suffix != ".pyc":
            contents[path] = path.read_bytes()
    return contents
