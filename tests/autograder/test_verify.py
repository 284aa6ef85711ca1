"""The proof of hidden tests, on a small lesson whose flaws are known."""

import io
import json
from textwrap import dedent

import pytest
from rich.console import Console
from typer.testing import CliRunner

from autograder import exercises
from autograder.build import build
from autograder.cli import app
from autograder.errors import LessonError
from autograder.folder import CourseFolder
from autograder.mutants import Mutant
from autograder.proof import ExerciseProof, MutantVerdict, Proof
from autograder.prooftable import show
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


HOLE = LESSON.replace("    return 2 * x", "    return 2 * x if np.all(x < 9) else x + x")
EQUAL = LESSON.replace("return 2 * x", "return np.multiply(x, 2)")
EQUIVALENT = """
# %% A product has no order exercise="double" equivalent=true
# a times b is b times a.
# - return np.multiply( x, 2 )  # laid out otherwise
# + return np.multiply(2, x)
"""


def prove(folder, most_mutants=None):
    found = verify(folder, ["01-toy"], 1, "process", most_mutants=most_mutants)
    return found.assignments["01-toy"]


def shown(proof, detail=False):
    text = io.StringIO()
    show(Proof({"01-toy": proof}), Console(file=text, width=100), detail)
    return text.getvalue()


def changes(proof):
    return [(m.mutant.original, m.mutant.mutated) for m in proof.unexplained]


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
        "mutants": {
            "total": 6, "judged": 6, "caught": 6, "equivalent": 0, "audited": True,
            "survivors": [], "stale": [],
        },
        "exercises": [
            {
                "name": "double",
                "title": "",
                "points": 3,
                "cells": [
                    {
                        "name": "test-double",
                        "points": 2,
                        "mistakes": ["double-squared-instead-of-doubled"],
                        "mistakes_alone": [],
                        "mutants_alone": 0,
                    },
                    {
                        "name": "test-double-arrays",
                        "points": 1,
                        "mistakes": ["double-squared-instead-of-doubled"],
                        "mistakes_alone": [],
                        "mutants_alone": 0,
                    },
                ],
                "idle_cells": ["test-double", "test-double-arrays"],
                "mistakes": {"double-squared-instead-of-doubled": ["test-double", "test-double-arrays"]},
                "scattered": ["double-squared-instead-of-doubled"],
                "alternatives": {"double-written-as-a-sum": []},
                "mutants": {"judged": 6, "caught": 6, "equivalent": 0},
            }
        ],
        "problems": [],
    }  # fmt: skip


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


def test_a_mutant_that_no_test_sees_is_a_hole_to_be_closed_or_explained(course):
    proof = prove(course(lesson=HOLE))
    assert not proof.ok and not proof.survivors
    assert ("return 2 * x if np.all(x < 9) else x + x", "return 2 * x") in changes(proof)
    survivor = proof.to_dict()["mutants"]["survivors"][0]
    assert (survivor["cell"], survivor["line"]) == ("double", 3)
    assert "# + return 2 * x\n" in shown(proof)


def test_survivors_fail_nothing_where_the_file_says_that_nobody_has_looked(course):
    waiting = "\n# %% Not looked at yet unaudited=true\n# Soon.\n"
    proof = prove(course(lesson=HOLE, mistakes=MISTAKES + waiting))
    assert proof.ok and proof.unexplained
    assert "survive: nobody has looked" in shown(proof)


def test_an_equivalent_mutant_is_marked_with_its_reason(course):
    proof = prove(course(lesson=EQUAL))
    assert changes(proof) == [("return np.multiply(x, 2)", "return np.multiply(2, x)")]
    assert not proof.ok
    proof = prove(course(lesson=EQUAL, mistakes=MISTAKES + EQUIVALENT))
    assert proof.ok
    assert proof.to_dict()["mutants"]["equivalent"] == 1
    assert "1 × A product has no order" in shown(proof, detail=True)


def test_a_marking_of_no_mutant_is_reported(course):
    proof = prove(course(mistakes=MISTAKES + EQUIVALENT))
    assert not proof.ok
    assert [why for _, why in proof.stale] == ["there is no such mutant"]
    assert "marked as equivalent for nothing" in shown(proof)


def test_a_marking_of_a_mutant_that_a_test_catches_is_reported(course):
    wrong = EQUIVALENT + "# + return np.multiply(x, 3)\n"
    proof = prove(course(lesson=EQUAL, mistakes=MISTAKES + wrong))
    assert not proof.ok
    assert [(m.mutated, why) for m, why in proof.stale] == [
        ("return np.multiply(x, 3)", "test-double catches it")
    ]


def test_a_sample_of_the_mutants_is_enough_and_none_is_none(course):
    folder = course()
    few = prove(folder, 2)
    assert few.ok and (len(few.mutants), len(few.every_mutant)) == (2, 6)
    assert "(a sample)" in shown(few)
    none = prove(folder, 0)
    assert none.ok and none.mutants == []


def test_a_cell_is_idle_when_nothing_fails_it_alone_and_a_mistake_scattered_over_cells(course):
    scalars = '\n# %% Right for numbers alone exercise="double"\n# Arrays too.\ndef double(x):\n    return 2 * int(x)\n'
    proof = prove(course(mistakes=MISTAKES + scalars))
    (found,) = proof.by_exercise()
    assert found.idle_cells() == ["test-double"]
    assert [v.variant.title for v in found.scattered] == ["Squared instead of doubled"]
    alone = found.caught_by("test-double-arrays", alone=True)
    assert [v.variant.title for v in alone] == ["Right for numbers alone"]
    assert "cells that catch nothing on their own: test-double\n" in shown(proof)
    detail = shown(proof, detail=True)
    assert "test-double-arrays, 1 points: fails 2 mistakes; alone 1 mistakes" in detail
    assert "Squared instead of doubled: test-double, test-double-arrays" in detail


def test_a_mutant_that_one_cell_alone_catches_keeps_it_from_being_idle():
    tests = [exercises.Test("test-a", 1, ""), exercises.Test("test-b", 1, "")]
    exercise = exercises.Exercise("f", "F", {"f": ""}, tests)
    mutant = Mutant("f", "operator", 1, "y = 1", "y = 2", "y = 2\n")

    def idle(*failed):
        return ExerciseProof(
            exercise, [], [], [MutantVerdict(mutant, f) for f in failed]
        ).idle_cells()

    assert idle(("test-a", "test-b"), ("test-b",)) == ["test-a"]
    assert idle(("test-a", "test-b"), ()) == ["test-a", "test-b"]
    assert idle() == []


def test_the_command_says_what_it_cannot_read(course):
    folder = course()
    words = ["verify", "01-toy", "--mutants", "some", "--course-dir", str(folder.root)]
    result = CliRunner().invoke(app, words)
    assert "--mutants 'some' is no number" in str(result.exception)
