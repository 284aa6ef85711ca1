"""`nbgrader validate`, which students run before they hand in, works on every lesson."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.build import release_notebook
from autograder.exercises import read_exercises, role
from autograder.fates import fill, reference
from autograder.folder import CourseFolder

REPOSITORY = Path(__file__).parents[2]
FOLDER = CourseFolder.open(REPOSITORY)
# Its cells take seconds; those of the others may take minutes on a busy machine.
FAST = "01-convolution"
LESSONS = [
    pytest.param(name, marks=[] if name == FAST else [pytest.mark.slow, pytest.mark.timeout(900)])
    for name in sorted(path.parent.name for path in FOLDER.source.glob("*/*.ipynb"))
]


def master(name: str) -> NotebookNode:
    return nbformat.read(FOLDER.master(name), as_version=4)


def validate(notebook: NotebookNode, name: str, place: Path) -> str:
    """What `nbgrader validate` prints of a notebook beside its assignment's files."""
    shutil.copytree(FOLDER.source / name, place, ignore=shutil.ignore_patterns("*.ipynb"))
    quicken(notebook)
    nbformat.write(notebook, place / f"{name}.ipynb")
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "IPYTHONDIR": str(place.parent / "ipython"),
    }
    limit = "--Execute.timeout=300"
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "validate", limit, f"{name}.ipynb"],
        cwd=place, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def quicken(notebook: NotebookNode) -> None:
    """Set the lesson's parameter ``quick``, as papermill would."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source, count = re.subn(r"(?m)^quick = False$", "quick = True", cell.source)
            assert count == 1
            return
    raise AssertionError("no cell is tagged parameters")


@pytest.mark.parametrize("name", LESSONS)
def test_a_release_as_handed_out_fails_and_each_failing_cell_is_told(name: str, tmp_path: Path):
    release = release_notebook(master(name), FOLDER.config)
    tests = [test for exercise in read_exercises(release) for test in exercise.tests]
    said = validate(release, name, tmp_path / "release")
    assert f"VALIDATION FAILED ON {len(tests)} CELL(S)!" in said
    assert "HAVE CHANGED" not in said, "nbgrader takes the release for tampered with"
    reports = said.split("The following cell failed:")[1:]
    assert len(reports) == len(tests)
    for test, report in zip(tests, reports, strict=True):
        assert test.source.splitlines()[0][:80] in report, "which cell it is"
        errors = re.findall(r"(?m)^ +(\w+(?:Error|Exception)\b.*)$", report)
        # Of a stub, or of a name that the stub did not define; never a bare traceback.
        assert errors and re.match(
            r"NotImplementedError: your code goes here|NameError: name '\w+' is not defined"
            r"|AssertionError: \w+",
            errors[-1],
        ), (test.grade_id, report[-600:])


@pytest.mark.parametrize("name", LESSONS)
def test_a_release_with_the_reference_answers_passes(name: str, tmp_path: Path):
    source = master(name)
    manual = [cell for cell in source.cells if role(cell) == "manual"]
    solved = fill(release_notebook(source, FOLDER.config), reference(source))
    said = validate(solved, name, tmp_path / "solved")
    assert not manual, "a person's cells are not validated"
    assert "Success! Your notebook passes all the tests." in said, said[-3000:]


def test_a_wrong_answer_is_told_with_the_checks_own_words(tmp_path: Path):
    source = master(FAST)
    answers = reference(source)
    answers["flatten"] = "def flatten(x):\n    return x.ravel()"
    said = validate(fill(release_notebook(source, FOLDER.config), answers), FAST, tmp_path / "a")
    assert "VALIDATION FAILED ON 1 CELL(S)!" in said
    assert re.search(r"AssertionError: .*has shape \(24,\), expected", said)
