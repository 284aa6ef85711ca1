"""The proof of hidden tests, on a small lesson whose flaws are known."""

import json
from textwrap import dedent

import pytest

from autograder.build import build
from autograder.errors import LessonError
from autograder.folder import CourseFolder
from autograder.verify import verify

LESSON = """
# %%
import numpy as np

# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-double", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert double(2) == 4
### BEGIN HIDDEN TESTS
assert double(3) == 6
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-double-arrays", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert double(np.ones(2)).sum() == 4
"""
MISTAKES = """
# %% Squared instead of doubled exercise="double"
# You squared it.
def double(x):
    return x * x

# %% Written as a sum exercise="double" right=true
def double(x):
    return x + x
"""


@pytest.fixture
def course(tmp_path):
    def make(lesson=LESSON, mistakes=MISTAKES):
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source" / "01-toy.py").write_text(dedent(lesson))
        (tmp_path / "source" / "01-toy.mistakes.py").write_text(dedent(mistakes))
        folder = CourseFolder.open(tmp_path)
        build(folder, ["01-toy"], log=lambda line: None)
        return folder

    return make


def prove(folder):
    return verify(folder, ["01-toy"], 1, "process").assignments["01-toy"]


def test_a_lesson_whose_tests_hold_is_proven(course):
    proof = verify(course(), ["01-toy"], 1, "process")
    assert proof.ok
    found = json.loads(json.dumps(proof.to_dict()))["assignments"]["01-toy"]
    assert found.pop("seconds") > 0
    assert found == {
        "points": 3,
        "solution": 3,
        "release": 0,
        "mistakes": {"total": 1, "caught": 1, "survivors": []},
        "alternatives": {"total": 1, "full": 1, "marked_down": []},
    }


def test_a_mistake_that_no_test_sees_survives(course):
    slip = '\n# %% Wrong above nine exercise="double"\n# Too small a case.\ndef double(x):\n    return 2 * x if np.all(x < 9) else 0\n'
    proof = prove(course(mistakes=MISTAKES + slip))
    assert proof.survivors == ["double-wrong-above-nine"]
    assert not proof.ok


def test_a_right_answer_that_a_test_refuses_is_marked_down(course):
    floats = '\n# %% As floats exercise="double" right=true\ndef double(x):\n    return 2.0 * np.asarray(x, float)\n'
    strict = LESSON.replace("assert double(3) == 6", "assert type(double(3)) is int")
    proof = prove(course(lesson=strict, mistakes=MISTAKES + floats))
    assert proof.marked_down == ["double-as-floats"]
    assert not proof.ok


def test_a_test_that_the_untouched_release_passes_is_no_test(course):
    proof = prove(
        course(lesson=LESSON.replace("assert double(np.ones(2)).sum() == 4", "assert True"))
    )
    assert proof.release == 1
    assert not proof.ok


def test_a_solution_that_fails_its_own_tests_is_named(course):
    proof = prove(course(lesson=LESSON.replace("assert double(3) == 6", 'assert 0, "no"')))
    assert not proof.ok
    assert any("test-double" in problem and "no" in problem for problem in proof.problems)


def test_a_variant_of_no_cell_is_one_line(course):
    stray = '\n# %% Stray exercise="triple"\n# Nothing.\ndef triple(x):\n    return x\n'
    with pytest.raises(LessonError, match="'triple', which is no solution cell"):
        prove(course(mistakes=MISTAKES + stray))
