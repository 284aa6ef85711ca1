"""nbgrader's own commands work in this course's folder, and agree with our engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from submissions.toy import ISOLATION

from autograder.demo import make_class
from autograder.fates import FATES
from autograder.folder import CourseFolder
from autograder.grade import Options, grade

REPOSITORY = Path(__file__).parents[2]
NAME = "01-convolution"
BIN = Path(sys.executable).parent
HONEST = ("perfect", "alternatives", "mistakes", "half finished", "untouched")

pytestmark = pytest.mark.slow


def nbgrader(root: Path, *arguments: str) -> None:
    """nbgrader's own command line in a course folder; the notebooks import this repository."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "NBGRADER_EXECUTE": "stock",
    }
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course's folder with lesson 01 and the demo's honest students."""
    root = tmp_path_factory.mktemp("nbgrader") / "course"
    for part in (f"source/{NAME}", f"release/{NAME}"):
        shutil.copytree(REPOSITORY / part, root / part)
    for part in ("nbgrader_config.py", f"source/{NAME}.py", f"source/{NAME}.mistakes.py"):
        shutil.copy(REPOSITORY / part, root / part)
    folder = CourseFolder.open(root)
    fates = {fate.name for fate in FATES}
    for student, kind in make_class(folder, NAME).items():
        if kind in fates:
            shutil.rmtree(folder.submitted / student)
        else:
            assert kind in HONEST
    return root


@pytest.fixture(scope="module")
def ours(root: Path) -> dict[str, dict[str, float]]:
    """The class by our engine: points of each cell of each student."""
    folder = CourseFolder.open(root)
    run = grade(folder, NAME, Options(2, ISOLATION))
    assert run.problems == []
    found = read_scores(folder.db_url)
    # nbgrader's own run starts from nothing.
    shutil.rmtree(folder.autograded)
    shutil.rmtree(folder.results)
    Path(folder.db_url.removeprefix("sqlite:///")).unlink()
    return found


def read_scores(db_url: str) -> dict[str, dict[str, float]]:
    with Gradebook(db_url) as gradebook:
        return {
            s.student_id: {g.name: g.auto_score for n in s.notebooks for g in n.grades}
            for s in gradebook.assignment_submissions(NAME)
        }


def essence(notebook: NotebookNode) -> list[tuple]:
    """What a release is to a student and to nbgrader: sources and nbgrader's marks."""
    return [
        (cell.cell_type, cell.source, dict(cell.metadata.get("nbgrader", {})))
        for cell in notebook.cells
    ]


def test_nbgraders_release_equals_ours(root: Path, ours: dict):
    path = root / "release" / NAME / f"{NAME}.ipynb"
    before = nbformat.read(path, as_version=4)
    shutil.rmtree(root / "release")
    nbgrader(root, "generate_assignment", NAME)
    assert essence(nbformat.read(path, as_version=4)) == essence(before)
    released = {p.name for p in path.parent.iterdir()}
    assert released == {p.name for p in (REPOSITORY / "release" / NAME).iterdir()}


def test_nbgrader_gives_every_honest_student_the_same_points(root: Path, ours: dict):
    assert len(ours) == 8
    nbgrader(root, "generate_assignment", NAME, "--force")
    nbgrader(root, "autograde", NAME, "--create")
    theirs = read_scores(CourseFolder.open(root).db_url)
    for student in ours:
        assert theirs[student] == ours[student], student
    totals = {sum(scores.values()) for scores in ours.values()}
    assert {0, 100} < totals, "the class should reach from nothing to everything"


def test_nbgrader_writes_feedback_and_exports(root: Path, ours: dict):
    nbgrader(root, "generate_feedback", NAME)
    pages = list((root / "grading" / "feedback").glob(f"*/{NAME}/{NAME}.html"))
    assert len(pages) == len(ours)
    nbgrader(root, "export")
    rows = (root / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(ours)
    for student, scores in ours.items():
        [row] = [row for row in rows if f",{student}," in row]
        assert f",{sum(scores.values())}," in row
