"""Every attack in tests/submissions/hostile, in one class with honest students between them.

The wrong answer earns an honest 6 of 10. An attack must gain nothing over that, see nothing (a
secret stands in the hidden tests, the environment, the gradebook's folder and other submissions),
harm nobody, and end within its limits.
"""

import json
import os
import re
import socket
import time
import zipfile
from pathlib import Path

import nbformat
import psutil
import pytest

from autograder.build import build
from autograder.doctor import can_jail
from autograder.folder import CourseFolder
from autograder.grade import Options, grade
from autograder.results import SubmissionResult

HOSTILE = sorted((Path(__file__).parents[1] / "submissions" / "hostile").glob("*.py"))
ATTACKS = [path.stem for path in HOSTILE]
HONEST_SCORE, FULL = 6, 10
SECRET = "SECRET-7f3a19"
# What an attack prints when it reached something that it should not.
TELLTALES = [SECRET, *(f"SECRET-{what}" for what in ("connected", "gradebook", "memory", "clock"))]

LESSON = f'''
# ---
# jupyter:
#   kernelspec: {{display_name: Python 3, language: python, name: python3}}
#   autograder:
#     packages: [numpy, matplotlib, course]
# ---

# %%
import numpy as np

# %% nbgrader={{"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% nbgrader={{"grade": true, "grade_id": "test-nought", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}}
assert double(0) == 0

# %% nbgrader={{"grade": true, "grade_id": "test-values", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}}
assert abs(double(3) - 6) == 0
### BEGIN HIDDEN TESTS
secret = "{SECRET}"
draw = np.random.default_rng(7)
for _ in range(3):
    x = draw.normal(size=5)
    result = double(x)
    assert np.shape(result) == (5,)
    assert np.allclose(result, 2 * x)
    assert len(result) == 5 and np.abs(np.asarray(result) - 2 * x).max() < 1e-9
### END HIDDEN TESTS
'''
CONFIG = """
c = get_config()
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = "sqlite:///grading/gradebook.db"
c.Autograder.limits = {
    "cell_seconds": 6, "submission_seconds": 40, "memory_mb": 1024, "scratch_mb": 64,
    "output_mb": 2, "processes": 96, "message_mb": 16,
}
"""

_possible = can_jail()
pytestmark = pytest.mark.skipif(not _possible.ok, reason=f"no jail here: {_possible.detail}")


def read_attack(path):
    """The parts of an attack file: before, solution, after, notebook."""
    pieces = re.split(r"^# %% (\w+)\n", path.read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def hand_in(folder, student, parts):
    """A submission made from the release with the parts of an attack in their places."""
    release = folder.release / "01-toy" / "01-toy.ipynb"
    notebook = nbformat.read(release, as_version=4)
    cells = []
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = parts["solution"]
            before = [nbformat.v4.new_code_cell(parts["before"])] if "before" in parts else []
            after = [nbformat.v4.new_code_cell(parts["after"])] if "after" in parts else []
            cells += [*before, cell, *after]
        else:
            cells.append(cell)
    notebook.cells = cells
    if "notebook" in parts:
        exec(parts["notebook"], {"notebook": notebook})
    target = folder.submitted / student / "01-toy"
    target.mkdir(parents=True)
    (target / "01-toy.ipynb").write_text(json.dumps(notebook))
    return target


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The whole class, graded once: results by student, the folder, and who knocked."""
    root = tmp_path_factory.mktemp("course")
    (root / "source").mkdir()
    (root / "source" / "01-toy.py").write_text(LESSON)
    (root / "nbgrader_config.py").write_text(CONFIG)
    folder = CourseFolder.open(root)
    build(folder, ["01-toy"], log=lambda line: None)
    (root / "grading").mkdir()
    (root / "grading" / "keys.txt").write_text(SECRET)
    honest = {"solution": "def double(x):\n    return 2 * x"}
    with socket.create_server(("127.0.0.1", 0)) as door, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_TOKEN", SECRET)
        for number, path in enumerate(HOSTILE):
            place = hand_in(folder, f"{number:02d}-{path.stem}", read_attack(path))
            (place / "port.txt").write_text(str(door.getsockname()[1]))
            if path.stem == "symlink_out":
                (place / "link").symlink_to(root / "grading" / "keys.txt")
            if path.stem == "zip_bomb":
                with zipfile.ZipFile(place / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
                    bomb.writestr("zeros", bytes(50_000_000))
            hand_in(folder, f"{number:02d}-zz-honest", honest)
        started = time.monotonic()
        grade(folder, "01-toy", Options(jobs=min(4, os.cpu_count() or 1), isolation="jail"))
        seconds = time.monotonic() - started
        door.setblocking(False)
        try:
            door.accept()
            knocked = True
        except BlockingIOError:
            knocked = False
    results = {}
    for path in (folder.results / "01-toy").glob("*.json"):
        result = SubmissionResult.from_json(path.read_text())
        results[result.student] = result
    return folder, results, knocked, seconds


def result_of(graded, attack):
    return graded[1][f"{ATTACKS.index(attack):02d}-{attack}"]


def test_there_are_at_least_forty_attacks_and_each_says_what_it_does():
    assert len(ATTACKS) >= 40
    assert all(path.read_text().startswith('"""') for path in HOSTILE)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_gains_nothing(graded, attack):
    result = result_of(graded, attack)
    assert result.max_score == FULL
    assert result.score <= HONEST_SCORE


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_sees_nothing(graded, attack):
    folder = graded[0]
    student = f"{ATTACKS.index(attack):02d}-{attack}"
    path = folder.autograded / student / "01-toy" / "01-toy.ipynb"
    result = result_of(graded, attack)
    told = " ".join([*result.problems, *(c.message + c.output for c in result.cells)])
    assert SECRET not in told
    if path.is_file():
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "test-values":
                continue  # the instructor's copy holds the hidden test itself
            outputs = json.dumps(cell.get("outputs", []))
            assert [word for word in TELLTALES if word in outputs] == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_ends_within_its_limits(graded, attack):
    assert result_of(graded, attack).seconds < 40 + 15


def test_the_student_after_each_attack_has_the_score_that_is_due(graded):
    scores = {name: r.score for name, r in graded[1].items() if name.endswith("honest")}
    assert len(scores) == len(ATTACKS)
    assert {name: score for name, score in scores.items() if score != FULL} == {}


def test_nobody_knocked_and_nothing_is_left_behind(graded):
    assert not graded[2]
    assert not Path("/tmp/SECRET-bomb").exists()
    root = str(graded[0].root)
    left = [
        p.info["cmdline"]
        for p in psutil.process_iter(["cmdline", "ppid"])
        if any(root in part for part in p.info["cmdline"] or [])
    ]
    assert left == []


def test_the_whole_class_took_minutes_at_most(graded):
    print(f"{2 * len(ATTACKS)} submissions in {graded[3]:.0f} s")
    assert graded[3] < 400


def test_the_harmless_half_of_each_wrong_answer_keeps_its_points(graded):
    """The honest score is known: attacks that leave the easy test alone still earn it."""
    spared = ["skip_tags", "tests_replaced", "always_equal_object", "reads_proc", "clock"]
    assert {name: result_of(graded, name).score for name in spared} == dict.fromkeys(spared, 6)
