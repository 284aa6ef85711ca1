"""This course with its first lesson alone, for one test; and what students hand in for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import nbformat
from lab import BIN
from nbformat import NotebookNode
from submissions.toy import ISOLATION

from autograder.build import products
from autograder.fates import fill, reference
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.text import dump

REPOSITORY = Path(__file__).parents[2]
LESSON = "01-convolution"


def make_course(root: Path, more: str = "") -> CourseFolder:
    """This course in a folder of its own with the first lesson alone.

    Args:
        root: the folder, which must not be there.
        more: text that ends the lesson.
    """
    (root / "source").mkdir(parents=True)
    for name in ("pyproject.toml", "requirements.lock", "nbgrader_config.py", "LICENSE"):
        shutil.copy(REPOSITORY / name, root / name)
    shutil.copytree(
        REPOSITORY / "course", root / "course", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(REPOSITORY / "source" / LESSON, root / "source" / LESSON)
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(f'c.RefereeExecute.isolation = "{ISOLATION}"\n')
    text = (REPOSITORY / "source" / f"{LESSON}.py").read_text(encoding="utf-8")
    (root / "source" / f"{LESSON}.py").write_text(text + more, encoding="utf-8")
    folder = CourseFolder.open(root)
    for product in products(folder, LESSON):
        write_atomically(product.path, product.content)
    return folder


def answered(folder: CourseFolder, **answers: str) -> bytes:
    """The release as a student hands it in who answers like the author, or as ``answers`` say."""
    return dump(fill(read(folder.release), {**solution(folder), **answers}))


def solution(folder: CourseFolder) -> dict[str, str]:
    """The author's answers by grade_id."""
    return reference(read(folder.source))


def read(place: Path) -> NotebookNode:
    """The lesson's notebook below ``place``."""
    return nbformat.read(place / LESSON / f"{LESSON}.ipynb", as_version=4)


def hand_in(folder: CourseFolder, student: str, notebook: bytes) -> None:
    """Put a student's notebook where nbgrader and `autograder` look for it."""
    write_atomically(folder.submitted / student / LESSON / f"{LESSON}.ipynb", notebook)


def run(root: Path, *words: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a command of the environment in a course folder, as an instructor does; what it said."""
    program, *rest = words
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "NBGRADER"))}
    mine["PATH"] = os.pathsep.join([str(BIN), mine["PATH"]])
    done = subprocess.run(
        [BIN / program, *rest],
        cwd=root,
        env={**mine, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def generate(folder: CourseFolder) -> None:
    """Make the release as formgrader's button does, so that the gradebook knows the assignment."""
    run(folder.root, "nbgrader", "generate_assignment", LESSON, "--force")
