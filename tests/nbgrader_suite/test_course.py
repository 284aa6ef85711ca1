"""In this course's folder `nbgrader autograde` is our engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from submissions.toy import ISOLATION

from autograder.demo import make_class
from autograder.fates import FATES
from autograder.folder import CourseFolder
from autograder.grade import Options, grade

REPOSITORY = Path(__file__).parents[2]
NAME = "01-convolution"

pytestmark = pytest.mark.slow


def nbgrader(root: Path, *arguments: str) -> None:
    """nbgrader's command line, as an instructor starts it."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "NBGRADER_EXECUTE"},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    command = [
        sys.executable,
        "-m",
        "nbgrader",
        *arguments,
        f"--RefereeExecute.isolation={ISOLATION}",
    ]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def points(db_url: str) -> dict[str, dict[str, float]]:
    with Gradebook(db_url) as gradebook:
        return {
            s.student_id: {g.name: g.auto_score for n in s.notebooks for g in n.grades}
            for s in gradebook.assignment_submissions(NAME)
        }


def test_nbgraders_autograde_gives_the_points_of_grade(tmp_path: Path):
    root = tmp_path / "course"
    for part in (f"source/{NAME}", f"release/{NAME}"):
        shutil.copytree(REPOSITORY / part, root / part)
    for part in ("nbgrader_config.py", f"source/{NAME}.py", f"source/{NAME}.mistakes.py"):
        shutil.copy(REPOSITORY / part, root / part)
    folder = CourseFolder.open(root)
    fates = {fate.name for fate in FATES}
    for student, kind in make_class(folder, NAME).items():
        if kind in fates:
            shutil.rmtree(folder.submitted / student)
    # The gradebook comes from ours: both record the same release.
    assert grade(folder, NAME, Options(2, ISOLATION)).problems == []
    ours = points(folder.db_url)
    shutil.rmtree(folder.autograded)
    Path(folder.db_url.removeprefix("sqlite:///")).unlink()
    nbgrader(root, "generate_assignment", NAME, "--force")
    nbgrader(root, "autograde", NAME)
    assert points(folder.db_url) == ours
    assert len(ours) == 8
