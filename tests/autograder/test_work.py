"""One submission, bytes in and bytes out: what only the whole way from task to outcome shows."""

import json
from textwrap import dedent

import nbformat
import pytest
from submissions.toy import meta

from autograder.build import build
from autograder.cases import Task
from autograder.folder import CourseFolder
from autograder.grade import Options, open_lesson
from autograder.results import Status, SubmissionResult
from autograder.work import judge

TEST = """
x = np.arange(4.0)
y = double(x)
assert np.allclose(y, 2 * x), "twice x"
"""
IN_PLACE = """
x = np.arange(4.0)
double(x)
assert x.tolist() == [0, 2, 4, 6], "x itself is doubled"
"""


@pytest.fixture
def graded(tmp_path):
    """Grade one body of ``double`` in a lesson of one test; the result of that cell."""

    def run(body, test, reference):
        (tmp_path / "source").mkdir(exist_ok=True)
        text = "# %%\nimport numpy as np\n\n" + "\n".join(
            [
                f"# %% {meta('double', solution=True)}",
                "def double(x):\n    ### BEGIN SOLUTION",
                f"    {reference}\n    ### END SOLUTION\n",
                f"# %% {meta('test-double', 2)}",
                dedent(test),
            ]
        )
        (tmp_path / "source" / "01-toy.py").write_text(text)
        folder = CourseFolder.open(tmp_path)
        build(folder, ["01-toy"], log=lambda line: None)
        lesson = open_lesson(folder, "01-toy", Options(isolation="process"))
        notebook = nbformat.reads(lesson.release.decode(), as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source = f"def double(x):\n    {body}"
        outcome = judge(lesson, Task("ada", json.dumps(notebook).encode()))
        (cell,) = SubmissionResult.from_json(outcome.result).cells
        return cell

    return run


def test_twice_nothing_is_nothing_but_earns_nothing(graded):
    cell = graded("x *= 0; return x", TEST, "return 2 * x")
    assert (cell.status, cell.points) == (Status.FAILED, 0)
    assert "changes what it is given" in cell.message


def test_a_right_answer_that_scribbles_on_its_copy_keeps_its_points(graded):
    assert graded("x = x.copy(); x *= 2; return x", TEST, "return 2 * x").points == 2


def test_work_in_place_counts_where_the_reference_works_in_place(graded):
    assert graded("x += x", IN_PLACE, "x *= 2").points == 2


def test_the_assignments_own_files_are_there_for_the_cells_and_for_the_tests(tmp_path):
    (tmp_path / "source" / "01-toy").mkdir(parents=True)
    (tmp_path / "source" / "01-toy" / "numbers.csv").write_text("1,2,3")
    text = [
        "# %%\nnumbers = [float(n) for n in open('numbers.csv').read().split(',')]\n",
        f"# %% {meta('total', solution=True)}",
        "### BEGIN SOLUTION\ntotal = sum(numbers)\n### END SOLUTION\n",
        f"# %% {meta('test-total', 2)}",
        "assert total == sum(map(float, open('numbers.csv').read().split(',')))\n",
    ]
    (tmp_path / "source" / "01-toy.py").write_text("\n".join(text))
    folder = CourseFolder.open(tmp_path)
    build(folder, ["01-toy"], log=lambda line: None)
    lesson = open_lesson(folder, "01-toy", Options(isolation="process"))
    tampered = (("numbers.csv", b"0"),)
    outcome = judge(lesson, Task("ada", lesson.master, files=tampered))
    (cell,) = SubmissionResult.from_json(outcome.result).cells
    assert (cell.points, cell.message) == (2, "")
